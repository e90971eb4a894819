package body

// field is a line of a header block as mail programs write it above an earlier mail.
type field int

const (
	fieldNone field = iota
	fieldFrom
	fieldDate
	fieldTo
	fieldCc
	fieldSubject
	fieldOther
	fieldKinds
)

// fieldLabels names the lines of header blocks as Outlook, Apple Mail, Thunderbird, Gmail, Foxmail, QQ Mail and
// NetEase write them, in lower case.
var fieldLabels = labels(map[field][]string{
	fieldFrom: {
		"from", "von", "absender", "de", "de la", "expéditeur", "remitente", "remetente", "da", "mittente", "van",
		"afzender", "från", "fra", "lähettäjä", "od", "nadawca", "odesílatel", "odosielateľ", "feladó", "от", "от кого",
		"отправитель", "від", "від кого", "от:", "από", "kimden", "gönderen", "من", "المرسل", "מאת", "từ", "người gửi",
		"dari", "pengirim", "daripada", "จาก", "差出人", "送信者", "送信元", "보낸 사람", "보낸사람", "发件人", "发信人",
		"发件者", "寄件者", "寄件人", "發件人", "发送人", "發送人", "از", "प्रेषक", "saatja", "kellelt", "nuo", "no",
		"pošiljatelj", "šalje", "mula kay",
	},
	fieldDate: {
		"sent", "date", "date sent", "sent on", "sent at", "gesendet", "gesendet am", "datum", "envoyé", "envoyé le",
		"date d'envoi", "date d’envoi", "enviado", "enviado el", "enviado em", "enviada em", "enviada", "fecha", "data",
		"inviato", "data invio", "verzonden", "skickat", "sendt", "dato", "lähetetty", "päivämäärä", "päiväys", "wysłano",
		"wysłane", "data:", "odesláno", "odoslané", "dátum", "elküldve", "küldve", "trimis", "dată", "отправлено", "дата",
		"дата отправки", "послано", "изпратено", "надіслано", "відправлено", "στάλθηκε", "ημερομηνία", "gönderildi",
		"gönderim tarihi", "gönderme tarihi", "tarih", "تم الإرسال", "تاريخ الإرسال", "التاريخ", "נשלח", "תאריך",
		"đã gửi", "ngày gửi", "ngày", "gửi", "gửi lúc", "dikirim", "tanggal", "tarikh", "dihantar", "ส่ง", "วันที่",
		"送信日時", "日時", "日付", "送信日", "보낸 날짜", "보낸날짜", "날짜", "보낸 시간", "보낸시간", "发送时间", "发送日期",
		"发件时间", "发送于", "日期", "时间", "寄件日期", "傳送時間", "傳送日期", "發送時間", "發送日期", "寄送時間", "寄送日期",
		"時間", "تاریخ", "दिनांक", "saadetud", "kuupäev", "išsiųsta", "poslano", "datums",
	},
	fieldTo: {
		"to", "an", "empfänger", "à", "pour", "destinataire", "destinataires", "para", "destinatario", "destinatarios",
		"destinatário", "a", "aan", "till", "til", "vastaanottaja", "do", "komu", "adresát", "címzett", "către", "catre",
		"кому", "до", "на", "получатель", "одержувач", "προς", "kime", "alıcı", "إلى", "المستلم", "אל", "đến", "tới",
		"người nhận", "kepada", "untuk", "ke", "ถึง", "宛先", "受信者", "送信先", "받는 사람", "받는사람", "받은 사람",
		"收件人", "收信人", "收件者", "به", "प्रति", "kellele", "kam", "za", "prima",
	},
	fieldCc: {
		"cc", "kopie", "copie", "copie à", "cópia", "copia", "ccn", "bcc", "kopia", "kopi", "kopio", "dw", "másolat", "копия",
		"копія", "κοιν", "bilgi", "نسخة", "עותק", "đồng gửi", "tembusan", "สำเนา", "참조", "抄送", "副本", "密送", "抄送人",
	},
	fieldSubject: {
		"subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "ämne", "emne", "aihe", "temat",
		"předmět", "predmet", "tárgy", "subiect", "тема", "относно", "θέμα", "konu", "الموضوع", "נושא", "chủ đề", "tiêu đề",
		"subjek", "perihal", "judul", "hal", "subyek", "หัวข้อ", "เรื่อง", "件名", "タイトル", "제목", "主题", "主旨", "主題",
		"标题", "標題", "موضوع", "विषय", "teema", "tēma", "tema", "naslov", "zadeva", "paksa",
	},
	fieldOther: {
		"reply-to", "reply to", "antwort an", "répondre à", "responder a", "rispondi a", "回复", "回复地址", "attachments",
		"attachment", "anlagen", "anhänge", "pièces jointes", "adjuntos", "allegati", "anexos", "bijlagen", "вложения",
		"附件", "importance", "priority", "wichtigkeit", "importancia", "重要性", "优先级", "organization", "message-id",
		"resent-from", "envoi", "x-mailer", "mailing list", "mailinglist", "添付ファイル", "첨부파일",
	},
})

func labels(by map[field][]string) map[string]field {
	m := map[string]field{}
	for k, names := range by {
		for _, n := range names {
			m[n] = k
		}
	}
	return m
}

// separatorPhrase knows what stands between the dashes above an earlier mail, and whether it says that the mail was
// forwarded. QQ Mail and Outlook write the same line above answers and forwards.
func separatorPhrase(s string) (maybe, bool) {
	fwd, ok := separators[s]
	return fwd, ok
}

var separators = phrases(map[maybe][]string{
	unsure: {
		"original message", "original", "original email", "original mail", "original-nachricht", "originalnachricht",
		"ursprüngliche nachricht", "ursprüngliche e-mail", "ursprüngliche mail", "originalmeldung", "message d'origine",
		"message d’origine", "message original", "message initial", "mensaje original", "mensagem original",
		"messaggio originale", "messaggio originario", "oorspronkelijk bericht", "origineel bericht",
		"ursprungligt meddelande", "originalmeddelande", "oprindelig meddelelse", "opprinnelig melding",
		"original meddelelse", "alkuperäinen viesti", "wiadomość oryginalna", "oryginalna wiadomość", "wiadomość pierwotna",
		"původní zpráva", "původní e-mail", "pôvodná správa", "eredeti üzenet", "mesaj original", "mesajul original",
		"исходное сообщение", "оригинальное сообщение", "первоначальное сообщение", "вихідне повідомлення",
		"оригінальне повідомлення", "оригинално съобщение", "αρχικό μήνυμα", "orijinal ileti", "orijinal mesaj",
		"özgün ileti", "asıl ileti", "الرسالة الأصلية", "رسالة أصلية", "ההודעה המקורית", "הודעה מקורית", "thư gốc",
		"tin nhắn gốc", "thông điệp gốc", "pesan asli", "pesan awal", "mesej asal", "ข้อความต้นฉบับ", "元のメッセージ",
		"オリジナルメッセージ", "元のメール", "원본 메시지", "원본 메일", "원본메시지", "원본 이메일", "original 메시지", "原始邮件",
		"原始郵件", "原邮件", "原郵件", "邮件原件", "郵件原件", "原始信件", "原始邮件信息", "原始讯息", "原始訊息", "原始消息",
		"回复的原邮件", "回复原邮件", "回覆的原郵件", "原始内容", "izvorna poruka", "izvirno sporočilo", "originaalsõnum",
		"sākotnējais ziņojums", "pirminis laiškas", "missatge original", "پیام اصلی", "मूल संदेश", "reply message",
		"replied message", "reply above this line", "original appointment", "urspr. nachricht",
	},
	yes: {
		"forwarded message", "forwarded mail", "forwarded email", "begin forwarded message", "begin forwarded mail",
		"forward message", "forwarded by", "weitergeleitete nachricht", "weitergeleitete mail",
		"anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail", "weitergeleitete e-mail",
		"message transféré", "début du message transféré", "début du message réexpédié", "message transmis", "mail transféré",
		"mensaje reenviado", "inicio del mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada",
		"início da mensagem encaminhada", "início da mensagem reencaminhada", "messaggio inoltrato",
		"inizio messaggio inoltrato", "inizio del messaggio inoltrato", "doorgestuurd bericht", "begin doorgestuurd bericht",
		"vidarebefordrat meddelande", "vidarebefordrat brev", "vidarebefordrat mejl", "videresendt meddelelse",
		"videresendt melding", "start på videresendt besked", "begynnelse på videresendt melding",
		"välitetty viesti", "edelleenlähetetty viesti", "przekazana wiadomość", "wiadomość przekazana dalej",
		"początek przekazywanej wiadomości", "přeposlaná zpráva", "začátek přeposílané zprávy", "preposlaná správa",
		"továbbított üzenet", "továbbított levél", "mesaj redirecționat", "mesaj redirectionat", "пересылаемое сообщение",
		"переслано", "пересылаемое письмо", "пересланное сообщение", "перенаправленное сообщение",
		"начало переадресованного сообщения", "начало пересылаемого сообщения", "переслане повідомлення",
		"препратено съобщение", "προωθημένο μήνυμα", "iletilmiş mesaj", "yönlendirilen ileti", "iletilen ileti",
		"iletilen ileti başlangıcı", "iletilen mesaj", "رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "رسالة محولة",
		"بدء الرسالة المعاد توجيهها", "הודעה שהועברה", "thư đã chuyển tiếp", "thư được chuyển tiếp", "tin nhắn được chuyển tiếp",
		"pesan terusan", "pesan yang diteruskan", "pesan diteruskan", "mesej dimajukan", "ข้อความที่ส่งต่อ", "転送されたメッセージ",
		"転送メッセージ", "転送されたメール", "전달된 메시지", "전달된 메일", "전달된메시지", "转发邮件信息", "转发的邮件", "转发邮件",
		"转发的信息", "转发的消息", "转发的原邮件", "已转发邮件", "以下是转发的邮件", "以下是被转发的邮件", "下面是被转发的邮件",
		"开始转发的邮件", "轉寄的郵件", "轉寄郵件", "轉寄訊息", "轉寄的訊息", "轉發郵件", "已轉寄的郵件", "已轉寄的訊息",
		"以下是轉寄的郵件", "下面是被轉寄的郵件", "開始轉寄郵件", "轉寄郵件資訊", "missatge reenviat", "proslijeđena poruka",
		"posredovano sporočilo", "پیام باز ارسال شده", "अग्रेषित संदेश", "forwarded conversation",
	},
})

func phrases(by map[maybe][]string) map[string]maybe {
	m := map[string]maybe{}
	for k, names := range by {
		for _, n := range names {
			m[n] = k
		}
	}
	return m
}

// attributionOpeners begin a line such as "On Tue, 3 Dec 2024 …" that goes on below.
var attributionOpeners = []string{
	"on ", "am ", "le ", "el ", "em ", "il ", "op ", "den ", "w dniu ", "dnia ", "dne ", "dňa ", "στις ", "pada ", "vào ",
	"ngày ", "lúc ", "в ", "на ", "ons ", "tis ", "mån ", "tors ", "fre ", "lör ", "sön ", "v ", "la ", "în ", "a ", "em:",
	"пн,", "вт,", "ср,", "чт,", "пт,", "сб,", "вс,", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота",
	"воскресенье", "пн ", "нд,", "mo.", "di.", "mi.", "do.", "fr.", "sa.", "so.", "lun", "mar", "mer", "jeu", "ven", "sam",
	"dim", "seg", "ter", "qua", "qui", "sex", "sáb", "dom", "mié", "jue", "vie", "gio", "sab", "mon", "tue", "wed", "thu",
	"fri", "sat", "sun", "senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu", "pt,", "sal", "çar", "per", "cum",
	"cmt", "paz", "في ", "בתאריך", "ב-", "在", "于", "於", "trong ", "vào lúc", "tarihinde", "kl.", "der ", "ma ", "ti ",
	"ke ", "to ", "pe ", "la ", "su ", "pon", "wt", "śr", "czw", "pt.", "sob", "niedz", "út", "st ", "čt", "pá", "so ", "ne ",
}

// attributionVerbs say "wrote" in the line above quoted text.
var attributionVerbs = []string{
	"wrote", "writes", "has written", "schrieb", "geschrieben", "schreibt", "a écrit", "écrit", "escribió", "escribio",
	"ha escrito", "escreveu", "ha scritto", "scrive", "scritto", "schreef", "geschreven", "skrev", "skriver",
	"kirjoitti", "napisał", "napisała", "napisał(a)", "pisze", "napsal", "napsala", "napsal(a)", "napísal", "napísala",
	"napísal(a)", "írta", "ezt írta", "a scris", "написа", "написал", "написала", "написал(а)", "пишет", "писал", "писала",
	"писал(а)", "написав", "написала(в)", "пише", "έγραψε", "şunu yazdı", "yazdı", "yazmış", "كتب", "كتبت", "نوشت", "כתב",
	"כתבה", "đã viết", "viết", "menulis", "berkata", "เขียนว่า", "ได้เขียน", "เขียน", "書きました", "書き込み", "のメール",
	"さんは", "님이 작성", "작성", "님의 말", "写道", "寫道", "写到", "寫到", "来信", "lúc", "kirjutas", "rašė", "rakstīja", "je napisao",
	"je napisala", "je napisal", "je napisal/-a", "napisao", "va escriure", "ने लिखा", "quoting", "zitat von", "citando",
	"citat", "quoting message from", "a dit", "said", "sagte",
}
