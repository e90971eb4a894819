package body

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type prefix int

const (
	prefixNone prefix = iota
	prefixReply
	prefixForward
)

// subjectPrefix reads the first of a subject's prefixes, the one that the writer's mail program put there.
func subjectPrefix(subject string) prefix {
	s := plainLine(subject)
	for strings.HasPrefix(s, "[") { // a list's or desk's tag
		_, rest, ok := strings.Cut(s, "]")
		if !ok {
			break
		}
		s = strings.TrimSpace(rest)
	}
	head, _, ok := strings.Cut(s, ":")
	if !ok || len(head) > 30 {
		return prefixNone
	}
	head, _, _ = strings.Cut(strings.TrimSpace(head), "[") // Re[2]:
	head, _, _ = strings.Cut(head, "(")
	head = strings.TrimSpace(head)
	for _, p := range forwardPrefixes {
		if head == p {
			return prefixForward
		}
	}
	for _, p := range replyPrefixes {
		if head == p {
			return prefixReply
		}
	}
	return prefixNone
}

var forwardPrefixes = []string{
	"fw", "fwd", "wg", "tr", "rv", "enc", "i", "doorst", "vb", "vs", "vl", "pd", "přep", "fs", "trs", "tov", "továbbítás",
	"пересл", "fwd.", "i̇lt", "ilt", "ilt.", "πρθ", "إعادة توجيه", "הועבר", "chuyển tiếp", "terusan", "ต่อ", "転送", "전달",
	"转发", "轉寄", "轉發", "转寄", "转", "fy", "r", "forward", "forwarded", "weitergeleitet", "vidarebefordrat",
}

var replyPrefixes = []string{
	"re", "aw", "rép", "antw", "sv", "vá", "odp", "atb", "resp", "res", "rif", "ynt", "yanıt", "απ", "σχετ", "رد", "תשובה",
	"trả lời", "balas", "bls", "ตอบกลับ", "返信", "답장", "회신", "回复", "回覆", "答复", "答覆", "回信", "отв", "відп", "antwort",
	"reply", "respuesta", "ref", "re^2",
}

const (
	shortNote  = 120 // letters and digits of a cover note that may be no more than a gesture
	middleNote = 300 // up to here a sentence that hands the mail on counts wherever it stands
)

// handsOn reports a cover note that leaves it to the forwarded mail to say what is wanted: an empty one, a greeting,
// "FYI", "see below", "what should I do with this?". A note that asks by itself and merely mentions the mail below
// does not.
func handsOn(note string) bool {
	s := withoutParentheses(plainNote(note))
	said := 0
	total := letters(s)
	all := sentences(s)
	for i, sentence := range all {
		if isCourtesy(sentence) || letters(sentence) == 0 || isSignedName(all, i) {
			continue
		}
		said++
		if startsWithAny(sentence, pointers) && (i < 4 && said == 1 || total <= middleNote) {
			return true
		}
		if total <= middleNote && asksAboutThis(sentence) {
			return true
		}
	}
	return said == 0 || isGesture(s, total)
}

// isGesture reports a short note that means the mail below and names no matter of its own.
func isGesture(s string, total int) bool {
	return total <= shortNote && containsAny(s, gestures) && !containsAny(s, matters) && !strings.ContainsAny(s, "0123456789")
}

// isSignedName reports the name below a closing: the last words, below a courtesy that is not the greeting.
func isSignedName(all []string, i int) bool {
	return i == len(all)-1 && i >= 2 && isCourtesy(all[i-1]) && len(strings.Fields(all[i])) <= 2 && letters(all[i]) <= 20 && !containsAny(all[i], matters)
}

// asksAboutThis reports a question or request whose object is the mail itself.
func asksAboutThis(sentence string) bool {
	return containsAny(sentence, askThis)
}

func plainNote(note string) string {
	if len(note) > 4096 {
		note = strings.ToValidUTF8(note[:4096], "")
	}
	lines := splitLines(note)
	for i, l := range lines {
		lines[i] = plainLine(l)
	}
	return strings.Join(lines, "\n")
}

// withoutParentheses drops asides: "(see the mail below)" does not hand anything on.
func withoutParentheses(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch r {
		case '(', '（', '[', '【':
			depth++
		case ')', '）', ']', '】':
			if depth > 0 {
				depth--
				continue
			}
		}
		if depth == 0 {
			b.WriteRune(r)
		}
	}
	if depth > 0 {
		return s
	}
	return b.String()
}

func sentences(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(".!?;,:\n。！？；，、…", r) })
}

// letters measures how much is said: a sign of Chinese, Japanese or Korean says about as much as three letters.
func letters(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
		case spaced(r):
			n++
		default:
			n += 3
		}
	}
	return n
}

// isCourtesy reports greetings, thanks and closings, and the short names next to them.
func isCourtesy(sentence string) bool {
	s := strings.TrimSpace(sentence)
	if utf8.RuneCountInString(s) > 40 {
		return false
	}
	for _, c := range courtesies {
		rest, ok := strings.CutPrefix(s, c)
		if !ok {
			continue
		}
		r, _ := utf8.DecodeRuneInString(rest)
		first, _ := utf8.DecodeRuneInString(c)
		if rest == "" || !spaced(first) && utf8.RuneCountInString(rest) <= 4 || unicode.IsSpace(r) && strings.Count(strings.TrimSpace(rest), " ") < 3 {
			return true
		}
	}
	return false
}

func startsWithAny(sentence string, list []string) bool {
	s := strings.TrimSpace(sentence)
	for range 4 {
		if hasAnyPrefix(s, list) {
			return true
		}
		for _, p := range politeness {
			if rest, ok := strings.CutPrefix(s, p); ok {
				s = strings.TrimSpace(rest)
				break
			}
		}
	}
	return false
}

func hasAnyPrefix(s string, list []string) bool {
	for _, p := range list {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func containsAny(s string, list []string) bool {
	for _, p := range list {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

var politeness = []string{
	"please ", "pls ", "plz ", "kindly ", "just ", "could you ", "can you ", "would you ", "so ", "and ", "hi ", "hello ", "bitte ",
	"merci de ", "veuillez ", "por favor ", "per favore ", "пожалуйста ", "麻烦您", "麻烦你们", "麻烦你", "麻烦", "麻煩您", "麻煩你們",
	"麻煩你", "麻煩", "请您", "请你们", "请你", "请", "請您", "請", "帮我", "幫我", "帮忙", "幫忙", "您好", "你好", "你们", "客服", "烦请",
	"烦", "劳驾", "tolong ", "mohon ", "vui lòng ", "xin ", "lütfen ", "por gentileza ",
}

var courtesies = []string{
	"hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "good day", "thanks", "thank you", "thx",
	"many thanks", "regards", "best regards", "kind regards", "best", "cheers", "sincerely", "yours", "hallo", "guten tag",
	"guten morgen", "sehr geehrte", "liebe", "lieber", "danke", "vielen dank", "mit freundlichen grüßen", "freundliche grüße",
	"viele grüße", "grüße", "mfg", "lg", "vg", "bonjour", "bonsoir", "madame", "monsieur", "merci", "cordialement",
	"bien cordialement", "salutations", "hola", "buenos días", "buenas", "buenas tardes", "estimados", "estimado", "gracias",
	"saludos", "un saludo", "atentamente", "olá", "ola", "bom dia", "boa tarde", "prezados", "caros", "obrigado", "obrigada",
	"cumprimentos", "atenciosamente", "abraços", "buongiorno", "salve", "ciao", "gentile", "gentili", "grazie", "saluti",
	"cordiali saluti", "distinti saluti", "здравствуйте", "добрый день", "добрый вечер", "привет", "спасибо", "с уважением",
	"merhaba", "sayın", "iyi günler", "teşekkürler", "saygılarımla", "selam", "مرحبا", "السلام عليكم", "شكرا", "مع التحية",
	"تحياتي", "xin chào", "chào", "kính gửi", "cảm ơn", "trân trọng", "halo", "selamat pagi", "selamat siang", "selamat sore",
	"terima kasih", "salam", "hormat saya", "您好", "你好", "尊敬的", "亲爱的", "親愛的", "早上好", "下午好", "晚上好", "客服您好",
	"客服你好", "客服", "客服中心", "谢谢", "謝謝", "多谢", "感谢", "感謝", "此致", "敬礼", "敬禮", "祝好", "顺祝商祺", "辛苦了", "在吗",
	"こんにちは", "お世話になっております", "お世話になります", "よろしくお願いします", "よろしくお願いいたします", "ありがとうございます",
	"宜しくお願い致します", "안녕하세요", "감사합니다", "고맙습니다", "수고하세요", "team", "support", "dear team", "hi team",
}

// pointers begin a sentence that points to the mail below.
var pointers = []string{
	"see below", "see the below", "see the mail below", "see the email below", "see the message below", "see the e-mail below",
	"see forwarded", "see the forwarded", "see this", "see mail below", "see email below", "see message below", "see attached mail",
	"look at this", "look at the below", "look below", "look at the mail below", "look at the email below", "take a look",
	"have a look", "read below", "read this", "read the mail below", "read the email below", "check below", "check this",
	"check the below", "check the mail below", "check the email below", "refer to the below", "refer to below", "find below",
	"as below", "below is", "below you", "forwarding", "i am forwarding", "i'm forwarding", "i forward", "fyi", "for your information",
	"fwd", "passing this on", "passing on", "handing this on", "deal with this", "handle this", "explain this", "advise on",
	"advise on the below", "what is this", "what's this", "what does this mean", "is this real", "is this genuine", "is this legit",
	"is this from you", "is this mail from you", "is this email from you", "is this a scam", "is this you", "did you send this",
	"siehe unten", "s. unten", "s.u", "siehe mail unten", "siehe nachricht unten", "siehe weiter unten", "zur info", "zur kenntnis",
	"anbei die mail", "weiterleitung", "schauen sie mal", "schaut mal", "was ist das", "was soll das", "was bedeutet das",
	"ist das echt", "ist diese mail", "ist die mail", "voir ci-dessous", "voir plus bas", "ci-dessous", "cf. ci-dessous",
	"voyez ci-dessous", "regardez ci-dessous", "regardez ce", "pour info", "pour information", "je vous transfère", "je transfère",
	"lisez ci-dessous", "c'est quoi", "qu'est-ce que c'est", "que signifie", "ver abajo", "vea abajo", "véase abajo", "ver más abajo",
	"miren esto", "mire esto", "mirad esto", "vean esto", "vea el correo", "ver correo", "para su información", "reenvío",
	"les reenvío", "le reenvío", "os reenvío", "qué es esto", "que es esto", "qué significa", "ver abaixo", "veja abaixo",
	"vejam abaixo", "segue abaixo", "conforme abaixo", "encaminho", "para conhecimento", "reencaminho", "o que é isto", "o que é isso",
	"vedi sotto", "vedere sotto", "si veda sotto", "vedi mail sotto", "guardate sotto", "guardi sotto", "leggete sotto", "inoltro",
	"per conoscenza", "cos'è questo", "cosa significa", "zie onder", "zie hieronder", "ter info", "ter informatie", "wat is dit",
	"se nedan", "se nedenfor", "se under", "se herunder", "katso alla", "ks. alla", "alla oleva", "patrz poniżej", "zob. poniżej",
	"viz níže", "viz nize", "lásd alább", "lásd lent", "vezi mai jos", "см. ниже", "см ниже", "смотрите ниже", "ниже письмо",
	"пересылаю", "переслал", "что это", "посмотрите ниже", "дивіться нижче", "див. нижче", "вижте по-долу", "δείτε παρακάτω",
	"aşağıya bakın", "aşağıdaki", "bilginize", "bu nedir", "bu ne demek", "انظر أدناه", "انظر ادناه", "أنظر أدناه", "راجع أدناه",
	"للعلم", "ما هذا", "ראה למטה", "ראו למטה", "xem bên dưới", "xem thư bên dưới", "xem email bên dưới", "xem dưới đây", "đây là gì",
	"chuyển tiếp", "lihat di bawah", "lihat email di bawah", "lihat bawah", "berikut", "saya teruskan", "untuk diketahui", "apa ini",
	"ดูด้านล่าง", "下記", "以下のメール", "以下を", "以下ご", "転送します", "これは何", "아래 메일", "아래 내용", "아래를", "아래와", "전달합니다",
	"전달드립니다", "이게 뭔", "이게 무슨", "见下", "見下", "如下", "详见下", "詳見下", "看下面", "看一下下面", "看看下面", "看下方", "看一下这",
	"看一下這", "看看这", "看看這", "看下这", "看下這", "看以下", "查看下面", "查看以下", "查看下方", "参见下", "參見下", "参考下", "參考下", "请看",
	"下面这封邮件是什么", "转发", "轉寄", "轉發", "转给", "转一下", "供参考", "供參考", "这是什么", "這是什麼", "这个是什么", "这封是什么",
	"这封邮件是什么", "什么意思", "什麼意思", "这是真的", "這是真的", "这是你们发", "這是你們發", "这是你们的吗", "這是你們的嗎", "这封邮件是你们", "这个怎么", "這個怎麼", "这怎么",
	"這怎麼", "处理一下", "處理一下", "以下邮件", "以下郵件", "下面是", "下面的邮件", "下方邮件", "附上原邮件",
}

// askThis are requests about the mail itself, wherever in a sentence they stand.
var askThis = []string{
	"do with this", "do about this", "do with the mail below", "do with the email below", "do about the below", "make of this",
	"respond to this", "reply to this mail", "reply to this email", "deal with this mail", "deal with this email", "look into the below",
	"look into this mail", "explain this mail", "explain this email", "explain the mail below", "explain the email below",
	"explain the message below", "this mail mean", "this email mean", "this message mean", "got this mail from you", "this from you",
	"was soll ich damit", "was mache ich damit", "was soll ich mit dieser", "was muss ich damit", "hiermit machen", "damit anfangen",
	"que dois-je faire de", "que faire de", "que faire avec", "je fais quoi avec", "faire de ce", "faire de ça", "qué hago con esto",
	"que hago con esto", "qué debo hacer con", "hacer con esto", "hacer con este", "o que faço com isto", "o que faço com isso",
	"fazer com isto", "fazer com isso", "fazer com este", "fare di questo", "fare con questo", "fare con questa", "faccio di questo",
	"faccio con questo", "moet ik hiermee", "doe ik hiermee", "göra med detta", "göra med det här", "gøre med dette", "gjøre med dette",
	"z tym zrobić", "s tím mám dělat", "с этим делать", "делать с этим", "с этим письмом", "що з цим робити", "bununla ne yap",
	"bunu ne yap", "أفعل بهذا", "افعل بهذا", "làm gì với", "phải làm gì với", "harus saya apakan", "lakukan dengan ini",
	"これはどう", "このメールはどう", "どうすればいいですか、この", "이거 어떻게", "이 메일 어떻게", "这个怎么办", "这封怎么", "这封邮件怎么", "这该怎么",
	"怎么处理这", "這個怎麼辦", "這封怎麼", "這該怎麼", "怎麼處理這", "看下面这封", "看下面這封", "看一下下面",
}

// gestures stand in notes that say nothing without the mail below.
var gestures = []string{
	"this", "that", "below", "following", "fyi", "help", "advise", "thoughts", "any idea", "what do you", "what is going on", "??", "hier",
	"dies", "das ", "unten", "folgende", "hilfe", "ceci", "ça", "ci-dessous", "suivant", "cela", "aide", "esto", "este ", "abajo", "siguiente",
	"ayuda", "isto", "isso", "este ", "abaixo", "seguinte", "ajuda", "questo", "questa", "sotto", "seguente", "aiuto", "dit ", "deze", "onder",
	"det här", "nedan", "dette", "nedenfor", "tämä", "alla", "poniż", "tego", "tento", "níže", "это", "этим", "этом", "ниже", "помогите", "це ",
	"нижче", "това", "αυτό", "bunu", "bu ", "aşağı", "yardım", "هذا", "هذه", "أدناه", "זה", "למטה", "này", "dưới", "ini", "bawah", "bantu", "นี้", "ด้านล่าง",
	"这", "這", "下面", "下方", "如下", "以下", "处理", "處理", "帮忙", "幫忙", "查收", "什么意思", "什麼意思", "啥意思", "これ", "この", "下記", "以下", "이거", "이것", "이 메일", "아래",
}

// matters are words of the requests that a note may make by itself.
var matters = []string{
	"account", "log in", "login", "logged", "sign in", "sign-in", "signin", "password", "withdraw", "payout", "cash out", "transfer", "payment",
	"pay ", "paid", "card", "close", "closing", "cancel", "delete", "refund", "money", "balance", "unlock", "locked", "unblock", "blocked",
	"restrict", "verif", "deposit", "release", "charged", "konto", "anmeld", "einlogg", "passwort", "auszahl", "überweis", "zahlung", "karte",
	"schließ", "kündig", "lösch", "geld", "gesperrt", "guthaben", "compte", "connexion", "connecter", "mot de passe", "retrait", "virement",
	"paiement", "carte", "fermer", "clôtur", "supprim", "argent", "bloqu", "rembours", "cuenta", "contraseña", "retir", "pago", "tarjeta", "cerrar",
	"dinero", "reembols", "acceder", "conta ", "conta.", "senha", "saque", "levantamento", "pagamento", "cartão", "encerrar", "dinheiro", "conto",
	"accedere", "prelievo", "bonifico", "chiudere", "soldi", "rimbors", "rekening", "wachtwoord", "opname", "betaling", "sluiten", "счёт",
	"счет", "аккаунт", "войти", "вход", "пароль", "вывод", "перевод", "плат", "карт", "закры", "деньги", "рахун", "hesap", "hesab", "şifre",
	"para ", "ödeme", "kapat", "giriş", "حساب", "كلمة المرور", "سحب", "دفع", "إغلاق", "tài khoản", "mật khẩu", "rút", "thanh toán", "tiền", "đóng",
	"akun", "sandi", "tarik", "bayar", "uang", "tutup", "账户", "账号", "帐户", "帐号", "帳戶", "帳號", "登录", "登陆", "登錄", "登入", "密码", "密碼",
	"提现", "提現", "出金", "转账", "轉帳", "轉賬", "支付", "付款", "到账", "到帳", "入账", "退款", "注销", "註銷", "销户", "销号", "解绑", "冻结", "凍結",
	"限制", "解封", "登", "踢下线", "放行", "审核", "認證", "认证", "解冻", "钱", "錢", "余额", "餘額", "扣了", "アカウント", "口座", "支払", "振込", "パスワード", "ログイン", "解約", "계정", "계좌", "출금",
	"결제", "송금", "비밀번호", "로그인", "해지",
}
