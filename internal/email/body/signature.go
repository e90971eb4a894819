package body

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxSignatureLines = 25
	maxSignatureBytes = 2000
	maxAppLine        = 90 // runes of a line such as "Sent from my iPhone"
)

// signatures marks signature lines among the lines of kind own in [from, to).
func (s *splitter) signatures(from, to int, own kind) {
	for i := from; i < to; {
		if s.kinds[i] != own {
			i++
			continue
		}
		end := i
		for end < to && s.kinds[end] == own {
			end++
		}
		s.signaturesIn(i, end, own)
		i = end
	}
}

// signaturesIn reads one run of the writer's lines.
func (s *splitter) signaturesIn(from, to int, own kind) {
	s.appLines(from, to)
	text := false // the writer has said something above
	for i := from; i < to; i++ {
		line := s.lines[i]
		switch {
		case blank(line), s.kinds[i] == isSignature:
		case text && isSeparatorLine(line) && fitsSignature(s.lines[i+1:to]):
			s.fill(i, to, isSignature)
			return
		case isDisclaimer(line) && (text || i > from):
			i = s.fillParagraph(i, to)
		default:
			text = true
		}
	}
	s.cardBlock(from, to, own)
	s.loneAddress(from, to, own)
	s.lastRule(from, to, own)
}

// lastRule takes a line of dashes that a mail program left between the text and the history or the signature.
func (s *splitter) lastRule(from, to int, own kind) {
	last := to - 1
	for last > from && (blank(s.lines[last]) || s.kinds[last] != own) {
		last--
	}
	if core, n := separatorCore(s.lines[last]); last > from && core == "" && n >= 8 && len(s.lines[last]) < maxMarkLine {
		s.kinds[last] = isSignature
	}
}

// appLines marks the lines that mail programs add: each stands alone, or above another.
func (s *splitter) appLines(from, to int) {
	alone := true
	for i := to - 1; i >= from; i-- {
		switch {
		case blank(s.lines[i]):
			alone = true
		case alone && isAppLine(s.lines[i]):
			s.kinds[i] = isSignature
		default:
			alone = false
		}
	}
}

func lastText(lines []string, from, to int) int {
	for i := to - 1; i >= from; i-- {
		if !blank(lines[i]) {
			return i
		}
	}
	return from
}

// isSeparatorLine reports "-- " (RFC 3676, section 4.3) and the same without its blank.
func isSeparatorLine(line string) bool {
	return strings.TrimRight(line, " \t\u00A0") == "--"
}

// fitsSignature guards against mails whose text stands below a "--": such a long signature is none.
func fitsSignature(lines []string) bool {
	n, size := 0, 0
	for _, l := range lines {
		if !blank(l) {
			n++
			size += len(l)
		}
		if n > maxSignatureLines || size > maxSignatureBytes {
			return false
		}
	}
	return true
}

// isAppLine reports the line that a mail program adds: "Sent from my iPhone", "发自我的iPhone".
func isAppLine(line string) bool {
	if len(line) > 400 {
		return false
	}
	s := strings.Trim(plainLine(line), "-_|~<>()[] ")
	if at := strings.Index(s, "http"); at > 0 { // Outlook adds its link
		s = strings.TrimRight(s[:at], "<([ ")
	}
	if s == "" || utf8.RuneCountInString(s) > maxAppLine {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	for _, p := range appLines[first] {
		if rest, ok := strings.CutPrefix(s, p); ok && isDeviceName(rest) {
			return true
		}
	}
	for _, p := range appEndings {
		if strings.HasSuffix(s, p) && utf8.RuneCountInString(s) <= 40 && strings.Count(s, " ") <= 6 && !strings.ContainsAny(s, ",;:?!，。？！；") {
			return true
		}
	}
	return false
}

// isDeviceName reports a few words without the marks of a sentence.
func isDeviceName(rest string) bool {
	rest = strings.TrimRight(rest, ".。 ")
	return strings.Count(strings.TrimSpace(rest), " ") <= 7 && utf8.RuneCountInString(rest) <= 45 && !strings.ContainsAny(rest, ",;:?!，。？！；")
}

// appLines are the beginnings of such lines.
var appLines = byFirst(
	"sent from my ", "sent from mail for ", "sent from yahoo mail", "sent from outlook", "sent from proton", "sent from samsung",
	"sent from aol", "sent from gmail mobile", "sent from nine", "sent from spark", "sent from android", "sent from iphone",
	"sent from ipad", "sent from mailbird", "sent from zoho", "sent from k-9", "sent from thunderbird", "sent from a mobile",
	"sent from mobile", "sent from blue", "sent from bluemail", "sent from xfinity", "sent from email.bg", "sent via ", "sent using ",
	"sent with ", "get outlook for ", "get blue mail", "download outlook for", "getting outlook", "von meinem ", "von meiner ",
	"gesendet von ", "gesendet mit ", "gesendet über ", "gesendet aus ", "outlook für ", "envoyé de mon ", "envoyé depuis ",
	"envoyé de ", "envoyé à partir ", "envoyé avec ", "télécharger outlook", "obtenir outlook", "obtenez outlook", "enviado desde ",
	"enviado con ", "enviado de mi ", "obtener outlook", "descargar outlook", "enviado do meu ", "enviado do ", "enviado a partir ",
	"enviado via ", "enviado pelo ", "obter o outlook", "obtenha o outlook", "baixe o outlook", "inviato da ", "inviato dal ",
	"inviato con ", "ottieni outlook", "scarica outlook", "verzonden vanaf ", "verstuurd vanaf ", "verzonden via ", "verzonden met ",
	"outlook voor ", "skickat från ", "hämta outlook", "sendt fra ", "hent outlook", "lähetetty ", "hanki outlook",
	"wysłane z ", "wysłano z ", "pobierz outlook", "odesláno z ", "odoslané z ", "elküldve ", "az iphone", "trimis de pe ",
	"trimis de la ", "trimis din ", "отправлено с ", "отправлено из ", "отправлено от ", "скачать outlook", "надіслано з ",
	"відправлено з ", "изпратено от ", "στάλθηκε από ", "iphone'umdan", "أرسلت من ", "أُرسلت من ", "تم الإرسال من ", "مُرسل من ",
	"مرسل من ", "נשלח מ", "được gửi từ ", "gửi từ ", "đã gửi từ ", "tải outlook", "dikirim dari ", "terkirim dari ", "dikirim melalui ",
	"dihantar dari", "ส่งจาก", "iphoneから送信", "ipadから送信", "나의 iphone에서", "나의 ipad에서", "내 iphone에서", "발송: ", "보낸 기기",
	"发自我的", "發自我的", "发自 ", "发自", "發自", "發送自", "发送自", "从我的", "從我的", "来自我的", "來自我的", "用我的", "由我的", "通过我的",
	"获取 outlook", "獲取 outlook", "取得 outlook", "下载 outlook", "下載 outlook", "签名由 ", "簽名由 ", "寄自我的", "傳送自", "使用 outlook",
	"poslano z ", "poslano s ", "saadetud minu", "išsiųsta iš", "nosūtīts no", "enviat des", "bidalita nire",
)

// byFirst sorts beginnings by their first letter.
func byFirst(words ...string) map[rune][]string {
	m := map[rune][]string{}
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		m[r] = append(m[r], w)
	}
	return m
}

// appEndings are the ends of such lines in languages that put the device first.
var appEndings = []string{
	"から送信", "から送信されました", "から送信しました", "에서 보냄", "에서 보냈습니다", "에서 전송", "에서 발송", "'dan gönderildi",
	"'den gönderildi", "dan gönderildi", "den gönderildi", "ile gönderildi", "umdan gönderildi", "发送", "傳送", "传送", "寄出",
	"邮箱大师 定制", "的iphone", "的 iphone", "küldve", "küldött", "stampeditu",
}

// isDisclaimer reports the first line of a legal notice, a virus scanner's line or a plea for trees.
func isDisclaimer(line string) bool {
	if len(line) < 12 {
		return false
	}
	head := line
	if len(head) > 300 {
		head = strings.ToValidUTF8(head[:300], "")
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(head, "-_=|#> *\t\u00A0"))
	if first = unicode.ToLower(first); len(disclaimerHeads[first])+len(disclaimerStarts[first]) == 0 {
		return false
	}
	start := strings.TrimLeft(plainLine(head[:min(len(head), 100)]), "-_=|#> ")
	if hasAnyPrefix(start, disclaimerHeads[first]) {
		return true
	}
	return hasAnyPrefix(start, disclaimerStarts[first]) && containsAny(plainLine(head), disclaimerWords)
}

// disclaimerHeads begin a notice beyond doubt.
var disclaimerHeads = byFirst(
	"confidentiality notice", "confidentiality note", "confidentiality statement", "confidentiality:", "confidential:",
	"legal notice:", "legal disclaimer", "disclaimer:", "disclaimer ", "email disclaimer", "e-mail disclaimer", "privileged and confidential",
	"important notice:", "please consider the environment", "think before you print", "save paper", "p please consider", "before printing",
	"this email has been scanned", "this e-mail has been scanned", "virus-free", "virus free", "scanned by", "diese e-mail wurde von avast",
	"diese e-mail wurde auf viren", "vertraulichkeitshinweis", "haftungsausschluss", "denken sie an die umwelt", "bitte prüfen sie",
	"avis de confidentialité", "confidentialité:", "pensez à l'environnement", "pensez à l’environnement", "aviso de confidencialidad",
	"aviso legal", "cláusula de confidencialidad", "antes de imprimir", "aviso de confidencialidade", "antes de imprimir", "avviso di riservatezza",
	"informativa privacy", "clausola di riservatezza", "prima di stampare", "disclaimer", "уведомление о конфиденциальности",
	"конфиденциальность:", "gizlilik uyarısı", "yasal uyarı", "إخلاء مسؤولية", "إشعار السرية", "tuyên bố miễn trừ", "lưu ý bảo mật",
	"保密声明", "保密聲明", "免责声明", "免責聲明", "保密提示", "机密声明", "【保密", "重要提示:本邮件", "本电子邮件及", "秘密保持", "免責事項",
	"[주의]", "본 메일은 정보통신망", "antivirus", "geen virus", "avast",
)

// disclaimerStarts begin a notice when disclaimerWords follow on the same line.
var disclaimerStarts = byFirst(
	"this message", "this e-mail", "this email", "this communication", "this mail", "this transmission", "the information", "the contents",
	"the content of this", "information in this", "any views", "if you are not the intended", "if you have received this", "unless you are",
	"diese e-mail", "diese mail", "diese nachricht", "der inhalt dieser", "die information", "dieses e-mail", "ce message", "ce courriel",
	"ce mail", "cet e-mail", "cet email", "les informations", "l'information", "este mensaje", "este correo", "la información", "esta comunicación",
	"esta mensagem", "este e-mail", "este email", "as informações", "a informação", "questo messaggio", "questa e-mail", "questa email",
	"questa comunicazione", "le informazioni", "il contenuto", "dit bericht", "deze e-mail", "de informatie", "det här meddelandet",
	"detta meddelande", "denne e-mail", "denne meddelelse", "denne e-posten", "tämä viesti", "ta wiadomość", "niniejsza wiadomość", "tento e-mail",
	"táto správa", "ez az e-mail", "ez az üzenet", "acest mesaj", "acest e-mail", "это сообщение", "данное сообщение", "настоящее сообщение",
	"настоящее электронное", "информация", "це повідомлення", "цей лист", "това съобщение", "αυτό το μήνυμα", "το παρόν", "bu e-posta", "bu mesaj",
	"bu ileti", "هذه الرسالة", "هذا البريد", "הודעה זו", "email này", "thư này", "thư điện tử này", "surel ini", "email ini", "pesan ini",
	"อีเมลนี้", "このメール", "本メール", "この電子メール", "本電子メール", "본 메일", "이 메일", "본 이메일", "이 이메일", "本邮件", "本郵件", "此邮件",
	"此郵件", "本电子邮件", "本電子郵件", "此电子邮件", "此電子郵件", "该邮件", "本信件", "此信件", "本邮件及", "以上邮件",
)

var disclaimerWords = []string{
	"confidential", "privileged", "intended solely", "intended only", "intended recipient", "sole use", "delete it", "unauthorized", "unauthorised",
	"vertraulich", "rechtlich geschützt", "bestimmungsgemäß", "bestimmt und", "ausschließlich für den", "adressaten", "confidentiel", "destinataire",
	"exclusivement", "exclusif", "strictement", "confidencial", "destinatario", "exclusiva", "privilegiad", "destinatári", "riservat", "confidenzial",
	"esclusiv", "destinatar", "vertrouwelijk", "uitsluitend", "geadresseerde", "konfident", "sekretess", "fortrolig", "luottamuksel", "poufn",
	"wyłącznie", "důvěrn", "dôvern", "bizalmas", "confidenţial", "confidențial", "конфиденциальн", "предназначен", "конфіденц", "поверител", "εμπιστευτικ",
	"gizli", "yalnızca", "سرية", "سري", "חסוי", "bảo mật", "mật", "rahasia", "ความลับ", "機密", "秘密", "宛先の方", "기밀", "비밀", "보호", "保密",
	"机密", "機密", "仅限", "僅限", "收件人",
}

func (s *splitter) fillParagraph(i, to int) int {
	for ; i < to && !blank(s.lines[i]); i++ {
		s.kinds[i] = isSignature
	}
	return i
}

// cardBlock takes the table that NetEase's program writes as a signature: from a line "| |" to the end of the run.
func (s *splitter) cardBlock(from, to int, own kind) {
	first := from
	for first < to && (s.kinds[first] != own || !isCardTop(s.lines[first])) {
		first++
	}
	if first == to || first <= nextText(s.lines, from) || !fitsSignature(s.lines[first:to]) {
		return
	}
	for i := first; i < to; i++ {
		s.kinds[i] = isSignature
	}
}

// isCardTop reports a table row of one empty cell.
func isCardTop(line string) bool {
	return (strings.HasPrefix(line, "|") || strings.HasPrefix(line, " ")) && strings.ReplaceAll(line, " ", "") == "||"
}

// loneAddress takes the writer's address that Foxmail puts below the text: directly above the header block, or below
// a line.
func (s *splitter) loneAddress(from, to int, own kind) {
	last := lastText(s.lines, from, to)
	if to == len(s.lines) || last == from || s.kinds[last] != own {
		return
	}
	t := strings.TrimSpace(s.lines[last])
	if at := strings.IndexByte(t, '@'); at < 1 || len(t) > 100 || strings.ContainsAny(t, " \t,;，。") {
		return
	}
	core, rule := separatorCore(s.lines[last-1])
	_, block := headersAt(s.lines, to, false)
	if core == "" && rule >= 8 || block && blank(s.lines[last-1]) {
		s.kinds[last] = isSignature
	}
}
