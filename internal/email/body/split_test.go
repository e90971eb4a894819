package body

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// covered checks that every line of text is in exactly one part, in order.
func covered(t *testing.T, text string, p Parts) {
	t.Helper()
	var want, got []string
	for _, l := range splitLines(text) {
		if !blank(l) {
			want = append(want, l)
		}
	}
	parts := [][]string{}
	for _, s := range []string{p.New, p.Quoted, p.Signature, p.Forwarded} {
		var lines []string
		for _, l := range splitLines(s) {
			if !blank(l) {
				lines = append(lines, l)
				got = append(got, l)
			}
		}
		parts = append(parts, lines)
	}
	for _, lines := range parts {
		if !isSubsequence(lines, want) {
			t.Errorf("a part is out of order: %q of %q", lines, want)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("lines lost or made up:\n%q\n%q", want, got)
	}
}

func isSubsequence(part, all []string) bool {
	i := 0
	for _, l := range all {
		if i < len(part) && part[i] == l {
			i++
		}
	}
	return i == len(part)
}

func TestAttributionLinesInManyLanguages(t *testing.T) {
	lines := []string{
		"On Tue, Dec 3, 2024 at 11:08 AM PayNest Support <support@paynest.example.com> wrote:",
		"On Tue, Dec 3, 2024 at 11:08 AM PayNest Support <\nsupport@paynest.example.com> wrote:",
		"On Tue, Dec 3, 2024 at 11:08 AM PayNest Support\n<support@paynest.example.com> wrote:",
		"On 14 Nov 2024, at 12:02, PayNest Support <support@paynest.example.com> wrote:",
		"On Monday, January 6, 2025 at 10:12:33 AM GMT+1, PayNest <s@paynest.example.com> wrote:",
		"On Tuesday, December 3rd, 2024 at 11:08 AM, PayNest <s@paynest.example.com> wrote:",
		"On 3/12/24 11:08, PayNest wrote:",
		"At 14:56 02.06.2003 -0400, you wrote:",
		"PayNest Support <s@paynest.example.com> wrote on 12/03/2024 11:08:33 AM:",
		"Quoting PayNest Support <s@paynest.example.com>:",
		"Am 03.12.24 um 11:08 schrieb PayNest Support:",
		"Am Di., 3. Dez. 2024 um 11:08 Uhr schrieb PayNest Support <\ns@paynest.example.com>:",
		"PayNest Support <s@paynest.example.com> schrieb am Di., 3. Dez. 2024, 11:08:",
		"Zitat von PayNest <s@paynest.example.com>:",
		"Le mar. 3 déc. 2024 à 11:08, PayNest <s@paynest.example.com> a écrit :",
		"Le 12 déc. 2024 à 09:31, Support PayNest <support@paynest.example.com> a écrit :",
		"El mar, 3 dic 2024 a las 11:08, PayNest (<s@paynest.example.com>) escribió:",
		"El 3/12/24 a las 11:08, PayNest escribió:",
		"Em ter., 3 de dez. de 2024 às 11:08, PayNest <s@paynest.example.com> escreveu:",
		"Il giorno mar 3 dic 2024 alle ore 11:08 PayNest <s@paynest.example.com> ha scritto:",
		"Op di 3 dec 2024 om 11:08 schreef PayNest <s@paynest.example.com>:",
		"Den tis 3 dec. 2024 kl 11:08 skrev PayNest <s@paynest.example.com>:",
		"tir. 3. des. 2024 kl. 11:08 skrev PayNest <s@paynest.example.com>:",
		"ti 3. jouluk. 2024 klo 11.08 PayNest (s@paynest.example.com) kirjoitti:",
		"wt., 3 gru 2024 o 11:08 PayNest <s@paynest.example.com> napisał(a):",
		"út 3. 12. 2024 v 11:08 odesílatel PayNest <s@paynest.example.com> napsal:",
		"ut 3. 12. 2024 o 11:08 PayNest <s@paynest.example.com> napísal(a):",
		"PayNest <s@paynest.example.com> ezt írta (időpont: 2024. dec. 3., K, 11:08):",
		"În mar., 3 dec. 2024 la 11:08, PayNest <s@paynest.example.com> a scris:",
		"вт, 3 дек. 2024 г. в 12:44, PayNest Support <support@paynest.example.com>:",
		"3 декабря 2024 г., 12:44, PayNest <s@paynest.example.com> написал(а):",
		"Вторник, 3 декабря 2024, 12:44 +03:00 от PayNest <s@paynest.example.com>:",
		"вт, 3 груд. 2024 р. о 12:44 PayNest <s@paynest.example.com> пише:",
		"На вт, 3.12.2024 г. в 12:44 PayNest <s@paynest.example.com> написа:",
		"Στις Τρί 3 Δεκ 2024 στις 11:08 π.μ., ο χρήστης PayNest <s@paynest.example.com> έγραψε:",
		"PayNest <s@paynest.example.com>, 3 Ara 2024 Sal, 11:08 tarihinde şunu yazdı:",
		"في الثلاثاء، 3 ديسمبر 2024 في 11:08 ص تمت كتابة ما يلي بواسطة PayNest <\ns@paynest.example.com>:",
		"في ٣ ديسمبر ٢٠٢٤، كتب PayNest <s@paynest.example.com>:",
		"בתאריך יום ג׳, 3 בדצמ׳ 2024 ב-11:08 מאת PayNest <s@paynest.example.com>:",
		"Vào Th 3, 3 thg 12, 2024 vào lúc 11:08 PayNest <s@paynest.example.com> đã viết:",
		"Pada tanggal Sel, 3 Des 2024 pukul 11.08 PayNest <s@paynest.example.com> menulis:",
		"เมื่อ อ. 3 ธ.ค. 2024 เวลา 11:08 PayNest <s@paynest.example.com> เขียนว่า:",
		"2024年12月3日(火) 11:08 PayNest <s@paynest.example.com>:",
		"2024/12/03 11:08、PayNest <s@paynest.example.com>のメール:",
		"2024년 12월 3일 (화) 오전 11:08, PayNest <s@paynest.example.com>님이 작성:",
		"OKPay Support <support@okpay.example.com> 于2024年11月5日周二 16:40写道：",
		"客服中心 <support@okpay.example.com> 於 2025年1月9日 週四 下午3:05寫道：",
		"在 2024-12-01 15:02:33，\"OKPay客服\" <support@okpay.example.com> 写道：",
		"在 2024年12月1日，15:02，OKPay客服 <support@okpay.example.com> 写道：",
		"于 2024/12/1 15:02, OKPay 写道:",
		"At 2024-12-01 15:02:33, \"OKPay\" <support@okpay.example.com> wrote:",
		"dl 3 de des. 2024 a les 11:08, PayNest <s@paynest.example.com> va escriure:",
		"uto, 3. pro 2024. u 11:08 PayNest <s@paynest.example.com> napisao je:",
	}
	for _, attribution := range lines {
		text := "My own words.\n\n" + attribution + "\n> quoted one\n>\n>> older\n\nand below it"
		p := Split(text)
		covered(t, text, p)
		if p.New != "My own words.\n\nand below it" {
			t.Errorf("%q:\nnew %q", attribution, p.New)
		}
		if !strings.Contains(attribution, "@") || strings.Contains(attribution, "вт, 3 дек") || !hasVerb(plainLine(attribution)) {
			continue
		}
		text = "My own words.\n\n" + attribution + "\n\nunmarked history\n\nmore of it"
		p = Split(text)
		covered(t, text, p)
		if p.New != "My own words." {
			t.Errorf("%q without marks:\nnew %q", attribution, p.New)
		}
	}
}

func TestHeaderBlocksInManyLanguages(t *testing.T) {
	blocks := []string{
		"From: PayNest <s@paynest.example.com>\nSent: Sunday, December 1, 2024 7:00 AM\nTo: Raj <r@example.org>\nSubject: Welcome",
		"*From:* PayNest <s@paynest.example.com>\n*Sent:* Sunday, December 1, 2024 7:00 AM\n*To:* Raj <r@example.org>\n*Cc:* A <a@example.org>; B <b@example.org>;\nC <c@example.org>\n*Subject:* Welcome",
		"From: PayNest <s@paynest.example.com>\nReply-To: x <x@example.org>\nDate: Sunday, December 1, 2024\nTo: Raj <r@example.org>\nSubject: Welcome",
		"From: PayNest <s@paynest.example.com>\n\nSent: Sunday, December 1, 2024 7:00 AM\n\nTo: Raj <r@example.org>\n\nSubject: Welcome",
		"Von: PayNest <s@paynest.example.com>\nGesendet: Freitag, 29. November 2024 10:07\nAn: Sabine Krüger\nBetreff: Ihre Verifizierung",
		"Gesendet: Freitag, 29. November 2024 um 10:07\nVon: \"PayNest\" <s@paynest.example.com>\nAn: s.krueger@example.com\nBetreff: Ihre Verifizierung",
		"De : PayNest <s@paynest.example.com>\nEnvoyé : vendredi 29 novembre 2024 10:07\nÀ : Bastien <b@example.net>\nObjet : Bienvenue",
		"De: PayNest <hola@paynest.example.com>\nEnviado: domingo, 1 de diciembre de 2024 8:00\nPara: Diego Ramírez\nAsunto: Bienvenido",
		"De: PayNest <ola@paynest.example.com>\nEnviada em: domingo, 1 de dezembro de 2024 08:00\nPara: Diego\nAssunto: Bem-vindo",
		"Da: PayNest Pagamenti <p@paynest.example.com>\nInviato: mercoledì 15 gennaio 2025 11:20\nA: Paolo Ferri\nOggetto: Prelievo respinto",
		"Van: PayNest <s@paynest.example.com>\nVerzonden: zondag 1 december 2024 8:00\nAan: Jan\nOnderwerp: Welkom",
		"Från: PayNest <s@paynest.example.com>\nSkickat: den 1 december 2024 08:00\nTill: Sven\nÄmne: Hej",
		"Fra: PayNest <s@paynest.example.com>\nSendt: 1. december 2024 08:00\nTil: Ole\nEmne: Hej",
		"Lähettäjä: PayNest <s@paynest.example.com>\nLähetetty: 1. joulukuuta 2024 8:00\nVastaanottaja: Aino\nAihe: Hei",
		"Od: PayNest <s@paynest.example.com>\nWysłano: niedziela, 1 grudnia 2024 08:00\nDo: Jan\nTemat: Witaj",
		"Od: PayNest <s@paynest.example.com>\nOdesláno: neděle 1. prosince 2024 8:00\nKomu: Jan\nPředmět: Vítejte",
		"Feladó: PayNest <s@paynest.example.com>\nElküldve: 2024. december 1. 8:00\nCímzett: János\nTárgy: Üdv",
		"De la: PayNest <s@paynest.example.com>\nTrimis: duminică, 1 decembrie 2024 08:00\nCătre: Ion\nSubiect: Bun venit",
		"От: PayNest <s@paynest.example.com>\nОтправлено: 1 декабря 2024 г. 8:00\nКому: Иван\nТема: Добро пожаловать",
		"Від: PayNest <s@paynest.example.com>\nНадіслано: 1 грудня 2024 р. 8:00\nКому: Іван\nТема: Вітаємо",
		"Από: PayNest <s@paynest.example.com>\nΣτάλθηκε: Κυριακή, 1 Δεκεμβρίου 2024\nΠρος: Νίκος\nΘέμα: Καλώς",
		"Kimden: PayNest <s@paynest.example.com>\nGönderildi: 1 Aralık 2024 Pazar 08:00\nKime: Ali\nKonu: Hoş geldiniz",
		"من: PayNest <s@paynest.example.com>\nتم الإرسال: الأحد 1 ديسمبر 2024\nإلى: علي\nالموضوع: مرحبا",
		"Từ: PayNest <s@paynest.example.com>\nĐã gửi: Chủ nhật 1/12/2024\nĐến: An\nChủ đề: Chào",
		"Dari: PayNest <s@paynest.example.com>\nDikirim: Minggu, 1 Desember 2024\nKepada: Budi\nSubjek: Halo",
		"差出人: PayNest <s@paynest.example.com>\n送信日時: 2024年12月1日 8:00\n宛先: 田中\n件名: ようこそ",
		"보낸 사람: PayNest <s@paynest.example.com>\n보낸 날짜: 2024년 12월 1일\n받는 사람: 김\n제목: 환영",
		"发件人: OKPay <s@okpay.example.com>\n发送时间: 2024年12月1日 8:00\n收件人: 李\n主题: 欢迎",
		"发件人： OKPay客服\n发送时间： 2024-11-26 17:55\n收件人： zhengkai_dev\n抄送： a@example.com\n主题： Re: 关于换绑手机",
		"寄件者: OKPay <s@okpay.example.com>\n傳送時間: 2024年12月1日 8:00\n收件者: 李\n主旨: 歡迎",
		"寄件人：OKPay <s@okpay.example.com>\n日期：2024年12月1日\n收件人：李\n主題：歡迎",
		"发 件 人：OKPay <s@okpay.example.com>\n日　期：2024年12月1日\n收 件 人：李\n主 题：欢迎",
		"发件人: OKPay <s@okpay.example.com> 发送时间: 2024年12月1日 8:00 收件人: 李 主题: 欢迎",
		"| 发件人 | OKPay通知<notice@okpay.example.com> |\n| 日期 | 2024年12月20日 13:40 |\n| 收件人 | <g@example.com> |\n| 主题 | 充值到账通知 |",
		"发件人\tOKPay通知<notice@okpay.example.com>\n日期\t2024年12月20日 13:40\n收件人\t<g@example.com>\n主题\t充值到账通知",
	}
	for _, block := range blocks {
		text := "My own words.\n\n" + block + "\n\nhistory, not marked\nFrom here on nothing counts."
		p := SplitMail("Re: something", text)
		covered(t, text, p)
		if p.New != "My own words." || p.Forwarded != "" {
			t.Errorf("%q:\nnew %q\nforwarded %q", block, p.New, p.Forwarded)
		}
	}
}

func TestSeparatorsOfMailPrograms(t *testing.T) {
	const block = "\nFrom: PayNest <s@paynest.example.com>\nTo: me <me@example.com>\n"
	for _, separator := range []string{
		"-----Original Message-----", "----- Original Message -----", "------- Original Message -------", "-------- Original Message --------",
		"-----Ursprüngliche Nachricht-----", "-----Original-Nachricht-----", "-----Message d'origine-----", "-------- Message original --------",
		"-----Mensaje original-----", "-----Mensagem original-----", "-----Messaggio originale-----", "-----Oorspronkelijk bericht-----",
		"-----Исходное сообщение-----", "-----元のメッセージ-----", "-----Orijinal Mesaj-----", "-----邮件原件-----", "-----原始郵件-----",
		"------------------ 原始邮件 ------------------", "------------------&nbsp;原始邮件&nbsp;------------------",
		"------------------\u00A0原始邮件\u00A0------------------", "------------------ 原始郵件 ------------------", "------------------ Original ------------------",
		"原始邮件", "----- Mail original -----", "---------- Lorem ipsum ----------", "---- 回复的原邮件 ----", "---原始邮件---", "——————原始邮件——————", "________________________________",
	} {
		text := "My own words.\n\n" + separator + block + "\nhistory"
		p := SplitMail("Re: x", text)
		covered(t, text, p)
		if p.New != "My own words." {
			t.Errorf("%q: new %q", separator, p.New)
		}
	}
	for _, attribution := range []string{"On Nov 20, 2024, at 9:31 AM, OKPay Support wrote:", "OKPay客服 于2024年11月20日 09:31 写道：", "Am 20.11.2024 um 09:31 schrieb OKPay:"} {
		text := "My own words.\n\n" + attribution + "\n\nhistory"
		if p := Split(text); p.New != "My own words." {
			t.Errorf("%q without address or marks: new %q", attribution, p.New)
		}
	}
	text := "My own words.\n\n------- Original Message -------\nOn Tuesday, December 3rd, 2024 at 11:08 AM, P <p@example.com> wrote:\n\n> history\n\nbelow"
	if p := Split(text); p.New != "My own words.\n\nbelow" {
		t.Errorf("separator above an attribution: new %q", p.New)
	}
}

func TestWritersOwnWordsAreNotTakenForHistory(t *testing.T) {
	for name, text := range map[string]string{
		"details of a payment":      "I sent money:\nFrom: my wallet\nTo: Bob\nDate: 3 January 2024\nAmount: 500 EUR\nIt never came.",
		"Chinese details":           "转账信息如下：\n发件人：无\n日期：2024-01-03\n金额：500\n收款人：李四",
		"a report of words":         "On Monday your agent wrote:\nPlease wait two days.\nThat was a week ago.",
		"chat quoted in prose":      "Your agent Dana said: wait.\nI waited.",
		"dashes":                    "First\n-----\nSecond\n--------------------\nThird",
		"original message":          "The original message was lost.\nOriginal message\nof mine",
		"list with colons":          "Subject: my account\nI want it closed.",
		"mbox guard":                "Hello\n>From the beginning it failed.\nBye",
		"agent's words with a time": "On 3 January at 10:05 your agent Dana wrote:\nPlease wait.\nI did.",
		"forward in prose":          "forwarded message\nis what I got",
		"underscores":               "Name ______________\n________________________________\nPlease sign above.",
		"numbers with a colon":      "On 3/4/2024 at 10:05 I tried this:\n1. sign in\n2. pay",
		"sent from in a sentence":   "Sent from my iPhone the payment fails, from my laptop it works.",
		"text below two dashes":     "--\nMy request is this: close it.",
		"information":               "This message I got says: account restricted. What now?",
		"a word in Latin script":    "An: I mean one\nDe: of course",
	} {
		p := Split(text)
		covered(t, text, p)
		if p.New != text {
			t.Errorf("%s: new %q\nquoted %q\nsignature %q\nforwarded %q", name, p.New, p.Quoted, p.Signature, p.Forwarded)
		}
	}
}

func TestAnswersBetweenQuotedLinesAreKeptInOrder(t *testing.T) {
	text := "See my answers.\n\nOn 3 Dec 2024, at 11:08, P <p@example.com> wrote:\n\n> 1. Your account?\n\n90361172\n\n> 2. Reason?\nfees\n> 3. Balance?\n> Zero?\n\nyes, 0\n\n> regards\n"
	p := Split(text)
	covered(t, text, p)
	if want := "See my answers.\n\n90361172\n\nfees\n\nyes, 0"; p.New != want {
		t.Errorf("new %q, want %q", p.New, want)
	}
}

func TestBrokenQuotedLineStaysQuoted(t *testing.T) {
	text := "No.\n\n> We would like to tell you that the transfer which you have ordered was\nreturned\n> by the bank.\n"
	if p := Split(text); p.New != "No." {
		t.Errorf("new %q", p.New)
	}
}

func TestSignatures(t *testing.T) {
	tests := []struct{ name, text, want, signature string }{
		{"separator", "Hi\n\n-- \nLi\nAcme", "Hi", "-- \nLi\nAcme"},
		{"separator above unmarked history", "Hi\n\n-- \nLi\n\nOn 3 Dec 2024, P <p@example.com> wrote:\n\nold", "Hi", "-- \nLi"},
		{"phone above a header block", "Hi\n\nSent from my iPhone\n\nFrom: P <p@example.com>\nSent: today\nTo: me\nSubject: x\n\nold", "Hi", "Sent from my iPhone"},
		{"separator above history", "Hi\n\n-- \nLi\n\nOn 3 Dec 2024, P <p@example.com> wrote:\n> x", "Hi", "-- \nLi"},
		{"long text below is none", "Hi\n\n--\n" + strings.Repeat("I want to say more than that.\n", 30), "Hi\n\n--\n" + strings.TrimSpace(strings.Repeat("I want to say more than that.\n", 30)), ""},
		{"iPhone", "Hi\n\nSent from my iPhone", "Hi", "Sent from my iPhone"},
		{"Galaxy below a name", "Hi\nIfeoma\nSent from my Galaxy", "Hi\nIfeoma", "Sent from my Galaxy"},
		{"answers go on below", "Hi\n\nSent from my iPhone\n\nPS: account 12", "Hi\n\nPS: account 12", "Sent from my iPhone"},
		{"Outlook", "Hi\n\nGet Outlook for iOS<https://aka.ms/o0ukef>", "Hi", "Get Outlook for iOS<https://aka.ms/o0ukef>"},
		{"Outlook in brackets", "Hi\n\nGet [Outlook for Android](https://aka.ms/x)", "Hi\n\nGet [Outlook for Android](https://aka.ms/x)", ""},
		{"Windows", "Hi\n\nSent from Mail for Windows", "Hi", "Sent from Mail for Windows"},
		{"Yahoo", "Hi\n\nSent from Yahoo Mail on Android", "Hi", "Sent from Yahoo Mail on Android"},
		{"Proton", "Hi\n\nSent with Proton Mail secure email.", "Hi", "Sent with Proton Mail secure email."},
		{"German", "Hi\n\nVon meinem iPhone gesendet", "Hi", "Von meinem iPhone gesendet"},
		{"French", "Hi\n\nEnvoyé de mon iPhone", "Hi", "Envoyé de mon iPhone"},
		{"Spanish", "Hi\n\nEnviado desde mi iPhone", "Hi", "Enviado desde mi iPhone"},
		{"Portuguese", "Hi\n\nEnviado do meu iPhone", "Hi", "Enviado do meu iPhone"},
		{"Italian", "Hi\n\nInviato da iPhone", "Hi", "Inviato da iPhone"},
		{"Dutch", "Hi\n\nVerstuurd vanaf mijn iPhone", "Hi", "Verstuurd vanaf mijn iPhone"},
		{"Swedish", "Hi\n\nSkickat från min iPhone", "Hi", "Skickat från min iPhone"},
		{"Polish", "Hi\n\nWysłane z iPhone'a", "Hi", "Wysłane z iPhone'a"},
		{"Russian", "Hi\n\nОтправлено с iPhone", "Hi", "Отправлено с iPhone"},
		{"Turkish", "Hi\n\niPhone'umdan gönderildi", "Hi", "iPhone'umdan gönderildi"},
		{"Vietnamese", "Hi\n\nĐược gửi từ iPhone của tôi", "Hi", "Được gửi từ iPhone của tôi"},
		{"Indonesian", "Hi\n\nDikirim dari iPhone saya", "Hi", "Dikirim dari iPhone saya"},
		{"Arabic", "Hi\n\nأرسلت من iPhone", "Hi", "أرسلت من iPhone"},
		{"Japanese", "Hi\n\niPhoneから送信", "Hi", "iPhoneから送信"},
		{"Korean", "Hi\n\n나의 iPhone에서 보냄", "Hi", "나의 iPhone에서 보냄"},
		{"Chinese", "你好\n\n发自我的iPhone", "你好", "发自我的iPhone"},
		{"Chinese phone", "你好\n发自我的手机", "你好", "发自我的手机"},
		{"Chinese from", "你好\n\n从我的iPhone发送", "你好", "从我的iPhone发送"},
		{"traditional", "你好\n\n從我的 iPad 傳送", "你好", "從我的 iPad 傳送"},
		{"NetEase", "你好\n\n发自 网易邮箱大师", "你好", "发自 网易邮箱大师"},
		{"QQ", "你好\n\n来自我的 QQ 邮箱", "你好", "来自我的 QQ 邮箱"},
		{"Outlook in Chinese", "你好\n\n获取 Outlook for iOS<https://aka.ms/o0ukef>", "你好", "获取 Outlook for iOS<https://aka.ms/o0ukef>"},
		{"NetEase card", "你好\n\n| |\n张三\n|\n|\nzhang@example.com\n|\n签名由 网易邮箱大师 定制", "你好", "| |\n张三\n|\n|\nzhang@example.com\n|\n签名由 网易邮箱大师 定制"},
		{"Foxmail address", "你好\n\n\nzhang@example.com\n\n发件人： OKPay\n发送时间： 2024-11-26 17:55\n收件人： zhang\n主题： x\n旧", "你好", "zhang@example.com"},
		{"an address asked for stays", "My address:\n\nzhang@example.com\n\nOn 3 Dec 2024, P <p@example.com> wrote:\n> x", "My address:\n\nzhang@example.com", ""},
		{"notice", "Hi\n\nCONFIDENTIALITY NOTICE: This message may be privileged.\nDelete it.", "Hi", "CONFIDENTIALITY NOTICE: This message may be privileged.\nDelete it."},
		{"German notice", "Hi\n\nDiese E-Mail enthält vertrauliche Informationen.", "Hi", "Diese E-Mail enthält vertrauliche Informationen."},
		{"French notice", "Hi\n\nCe message et ses pièces jointes sont confidentiels.", "Hi", "Ce message et ses pièces jointes sont confidentiels."},
		{"Chinese notice", "你好\n本邮件及其附件含有保密信息，仅限于收件人。", "你好", "本邮件及其附件含有保密信息，仅限于收件人。"},
		{"text after a notice stays", "Hi\n\nThis e-mail is confidential and intended solely for you.\n\nPS: close it.", "Hi\n\nPS: close it.", "This e-mail is confidential and intended solely for you."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Split(tt.text)
			covered(t, tt.text, p)
			if p.New != tt.want || p.Signature != tt.signature {
				t.Errorf("new %q\nsignature %q\nquoted %q", p.New, p.Signature, p.Quoted)
			}
		})
	}
}

func TestForwardedMails(t *testing.T) {
	const (
		gmail   = "---------- Forwarded message ---------\nFrom: PayNest <p@paynest.example.com>\nDate: Mon, 3 Feb 2025 at 22:14\nSubject: Blocked\nTo: <s@example.com>\n\n\nYour transfer T-1 was blocked."
		apple   = "Begin forwarded message:\n\n> From: PayNest <p@paynest.example.com>\n> Subject: Blocked\n> Date: 29 January 2025 at 17:20:08 CET\n> To: s@example.com\n> \n> Your transfer T-1 was blocked."
		apple2  = "> Begin forwarded message:\n> \n> From: PayNest <p@paynest.example.com>\n> Subject: Blocked\n> Date: 29 January 2025 at 17:20:08 CET\n> To: s@example.com\n> \n> Your transfer T-1 was blocked."
		outlook = "From: PayNest <p@paynest.example.com>\nSent: Monday, February 3, 2025 10:14 PM\nTo: Sasha\nSubject: Blocked\n\nYour transfer T-1 was blocked."
		qq      = "------------------ 原始邮件 ------------------\n发件人: \"PayNest\" <p@paynest.example.com>;\n发送时间: 2024年12月9日(星期一) 下午5:30\n收件人: \"段\"<d@example.com>;\n主题: 冻结\n\nYour transfer T-1 was blocked."
		netease = "-------- 转发邮件信息 --------\n发件人：\"PayNest\" <p@paynest.example.com>\n发送日期：2025-01-14 06:20:11\n收件人：\"周\" <z@example.net>\n主题：冻结\n\nYour transfer T-1 was blocked."
	)
	tests := []struct {
		name, subject, text string
		counts, forwarded   bool
	}{
		{"empty note", "Fwd: Blocked", gmail, true, true},
		{"greeting only", "Fwd: Blocked", "Hello,\n\n" + gmail + "\n", true, true},
		{"see below", "Fwd: Blocked", "See below. What now?\n\n" + gmail, true, true},
		{"FYI", "FW: Blocked", "FYI\n\n" + outlook, true, true},
		{"FYI without a prefix", "", "FYI\n\n" + outlook, true, true},
		{"what to do with this", "Fwd: Blocked", "Hi, what should I do with this?\n\nThanks\nTom\n\n" + apple, true, true},
		{"quoted as a whole", "Fwd: Blocked", "Please see below.\n\n" + apple2, true, true},
		{"Chinese", "转发: 冻结", "见下，请处理。\n\n" + qq, true, true},
		{"Chinese 2", "转发：冻结", "这是什么意思？\n\n" + netease, true, true},
		{"Chinese, empty", "转发：冻结", netease, true, true},
		{"traditional", "轉寄: 凍結", "請看下面這封\n\n" + gmail, true, true},
		{"German", "WG: Blocked", "Siehe unten, was soll ich damit machen?\n\n" + outlook, true, true},
		{"French", "TR: Blocked", "Bonjour, voir ci-dessous. Merci\n\n" + outlook, true, true},
		{"Spanish", "RV: Blocked", "¿Qué hago con esto?\n\n" + outlook, true, true},
		{"Portuguese", "ENC: Blocked", "Segue abaixo.\n\n" + outlook, true, true},
		{"Italian", "I: Blocked", "Ditemi voi cosa devo fare di questo.\n\n" + outlook, true, true},
		{"Russian", "Fwd: Blocked", "Добрый день! Что мне с этим делать?\n\n" + gmail, true, true},
		{"Turkish", "İLT: Blocked", "Aşağıdaki mail geldi, bilginize.\n\n" + outlook, true, true},
		{"Japanese", "Fwd: Blocked", "下記のメールについて教えてください。\n\n" + gmail, true, true},
		{"own request", "Fwd: Blocked", "I cannot sign in since this morning, the page says try again later. Please unlock my account 4711.\n\n" + gmail, false, true},
		{"own request in Chinese", "转发: 冻结", "限制是解除了（见下面你们自己的邮件），这个没问题。我说的是另一码事：解除当天我往里存了3,000元，你们这边没加上。\n\n" + qq, false, true},
		{"mail mentioned in passing", "转发：冻结", "早上收到下面这封提醒之后我就被踢下线了，怎么登都说有风险。请帮忙放行。\n\n" + netease, false, true},
		{"an answer, not a forward", "Re: Blocked", "See below.\n\n" + outlook, false, false},
		{"an answer without words", "Re: Blocked", outlook, false, false},
		{"unknown, without words", "", outlook, false, false},
		{"QQ answer", "回复：冻结", "见下\n\n" + qq, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := SplitMail(tt.subject, tt.text)
			covered(t, tt.text, p)
			if p.ForwardCounts != tt.counts {
				t.Errorf("counts %v: %+v", p.ForwardCounts, p)
			}
			if got := strings.Contains(p.Forwarded, "T-1"); got != tt.forwarded {
				t.Errorf("forwarded %q\nquoted %q", p.Forwarded, p.Quoted)
			}
			if strings.Contains(p.New, "T-1") || strings.Contains(p.Forwarded, "paynest.example.com") {
				t.Errorf("new %q\nforwarded %q", p.New, p.Forwarded)
			}
			if got := strings.Contains(p.Counted(), "T-1"); got != tt.counts {
				t.Errorf("counted %q", p.Counted())
			}
		})
	}
}

func TestCoverNotes(t *testing.T) {
	for _, note := range []string{
		"", "Hi,", "Dear team,\n\nThanks,\nAnna", "FYI", "fyi, thanks", "See below.", "Please see below and advise.", "Hi, see the message below. Can you help?",
		"Please see the message below and tell me what to do.", "Can someone explain this?", "I received the following. What does it mean?",
		"Got this today, is it legit?", "What's this about??", "Could you take care of the below?", "Is this mail really from you?", "Please handle.\nThis came today.",
		"What do I have to do here? I don't understand this at all.", "Forwarding as asked.", "Any idea what this is?", "Kindly look into this and revert.",
		"见下", "如下，请处理", "请看下面这封邮件，谢谢", "收到这个，啥意思？", "帮忙看看这封邮件说的是什么", "请问下面这封邮件需要我做什么？", "转发给你们", "这个要怎么弄？", "您好，请查收。", "這封信是什麼意思？", "麻煩處理一下，謝謝",
		"Was bedeutet das?", "Guten Tag,\nbitte um Erklärung, was das hier soll.\nDanke", "Siehe unten.", "Que dois-je faire de ce message ?", "Voir ci-dessous, merci.", "¿Esto qué es?", "Adelante, ver abajo.",
		"O que devo fazer com isso?", "Cosa significa questo?", "Что это значит?", "См. ниже", "Bu ne demek?", "ما معنى هذا؟", "Cái này nghĩa là gì? Xem bên dưới", "Apa maksudnya ini?", "これはどういう意味ですか？", "이게 무슨 뜻인가요? 아래 메일입니다.",
	} {
		if !handsOn(note) {
			t.Errorf("%q hands nothing on", note)
		}
	}
	for _, note := range []string{
		"Please close my account.", "I cannot log in any more. This is the third time.", "My withdrawal W-1 has not arrived, this is the mail I got.", "Please close my account 4711, this is annoying.",
		"This was me, I'm working from Lisbon this month. Now I get \"sign-in unavailable\" on every device. How do I get back in?",
		"我要注销账户，谢谢", "提现一直没到账，这是你们之前的邮件", "限制是解除了（见下面你们自己的邮件），我说的是另一码事：存的钱没加上。", "早上收到下面这封提醒之后我就登录不了了。",
		"Ich möchte mein Konto schließen.", "Je veux fermer mon compte, merci.", "Quiero cerrar mi cuenta, por favor.", "Не могу войти в аккаунт, это срочно.", "Hesabımı kapatın lütfen.", "Tolong tutup akun saya ini.", "Hãy đóng tài khoản này giúp tôi.",
		"I paid 300 EUR to a shop and it was refused.", strings.Repeat("I have a long story to tell about what happened to me in the shop. ", 8) + "This is all.",
	} {
		if handsOn(note) {
			t.Errorf("%q makes its own request", note)
		}
	}
}

func TestForwardWithinAForward(t *testing.T) {
	inner := "---------- Forwarded message ---------\nFrom: Bank <b@bank.example>\nDate: Sun, 2 Feb 2025\nSubject: Returned\nTo: x@example.com\n\nTransfer T-1 came back."
	outer := "---------- Forwarded message ---------\nFrom: Wife <w@example.com>\nDate: Mon, 3 Feb 2025\nSubject: Fwd: Returned\nTo: me@example.com\n\n"
	text := "What does this mean?\n\n" + outer + inner + "\n\nOn Sat, 1 Feb 2025, X <x@example.com> wrote:\n> old"
	p := SplitMail("Fwd: Fwd: Returned", text)
	covered(t, text, p)
	if p.Forwarded != "Transfer T-1 came back." || !p.ForwardCounts {
		t.Errorf("%+v", p)
	}
	text = "What does this mean?\n\n" + outer + "I think you should pay him first, dear.\n\n" + inner
	p = SplitMail("Fwd: Fwd: Returned", text)
	covered(t, text, p)
	if p.Forwarded != "I think you should pay him first, dear." {
		t.Errorf("forwarded %q", p.Forwarded)
	}
}

func TestSubjectPrefixes(t *testing.T) {
	for subject, want := range map[string]prefix{
		"Re: x": prefixReply, "RE[2]: x": prefixReply, "AW: x": prefixReply, "回复：x": prefixReply, "[#12] Re: x": prefixReply, "Re: Fwd: x": prefixReply,
		"Fwd: x": prefixForward, "FW: x": prefixForward, "WG: x": prefixForward, "转发：x": prefixForward, "轉寄: x": prefixForward, "Fwd: Re: x": prefixForward,
		"x": prefixNone, "Question: what": prefixNone, "": prefixNone, "余额: 0": prefixNone,
	} {
		if got := subjectPrefix(subject); got != want {
			t.Errorf("%q: %v", subject, got)
		}
	}
}

func TestSplitIsLinear(t *testing.T) {
	for name, text := range map[string]string{
		"quotes":       strings.Repeat("> a\n", 50_000),
		"attributions": strings.Repeat("On Mon, 3 Feb 2025, X <x@example.com>\n", 50_000),
		"headers":      strings.Repeat("From: a@example.com\n", 25_000),
		"labels":       strings.Repeat("From: a\nTo: b\nDate: c\n", 50_000),
		"separators":   strings.Repeat("---------- Forwarded message ---------\n", 50_000),
		"forwards":     strings.Repeat("---------- Forwarded message ---------\nFrom: a@example.com\nTo: b\nSubject: c\n\n", 20_000),
		"one line":     strings.Repeat("On wrote: ", 125_000),
		"blank":        strings.Repeat("\n", 250_000),
		"dashes":       strings.Repeat("--\n", 50_000),
		"apps":         strings.Repeat("Sent from my iPhone\n", 25_000),
		"notices":      strings.Repeat("This message is confidential\n", 25_000),
		"cards":        strings.Repeat("| |\n", 25_000),
		"inline":       strings.Repeat("> a\nb\n", 50_000),
		"colons":       strings.Repeat("a 1 <x@example.com> said:\n", 50_000),
	} {
		covered(t, text, SplitMail("Fwd: x", text)) // would not end in any time a test may take if it were not linear
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// The golden files hold whole mails as mail programs write them; the parts stand below the text.
func TestSplitGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/split/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, _, _ := strings.Cut(string(b), "\n=== new\n")
			subject, text, _ := strings.Cut(in, "\n")
			p := SplitMail(strings.TrimPrefix(subject, "Subject: "), text)
			covered(t, text, p)
			golden(t, file, in+"\n=== new\n"+p.New+"\n=== forwarded\n"+p.Forwarded+"\n=== counts\n"+yesNo(p.ForwardCounts)+"\n=== quoted\n"+p.Quoted+"\n=== signature\n"+p.Signature+"\n")
		})
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		"", "a\n> b\nc", "hi\n\nOn 1 Jan 2025, X <x@y.z> wrote:\n> q", "-- \nsig", "Begin forwarded message:\n\n> From: a@b\n> To: c\n> Subject: d\n>\n> e",
		"-----Original Message-----\nFrom: a@b\nTo: c\nSubject: d\n\ne", "原始邮件\n发件人：a@b\n主题：c\n收件人：d", "\r\n\r>a\r\n", "| |\nx\n|", "\xff\xfe\n>",
		"________________________________\na: b@c\nd: e\nf: g",
	} {
		f.Add("Fwd: x", s)
	}
	f.Fuzz(func(t *testing.T, subject, text string) {
		p := SplitMail(subject, text)
		covered(t, text, p)
		if utf8.ValidString(text) && !utf8.ValidString(p.New+p.Quoted+p.Signature+p.Forwarded) {
			t.Error("valid text became invalid")
		}
		if p.ForwardCounts && p.Forwarded == "" && p.New == "" && !blank(text) && p.Quoted == "" && p.Signature == "" {
			t.Error("everything is gone")
		}
	})
}
