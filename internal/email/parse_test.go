package email

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// crlf makes a mail of lines as a server stores them.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func gbk(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

func problem(m *Mail, code string) bool { return slices.Contains(m.Problems, code) }

func filenames(m *Mail) []string {
	names := []string{}
	for _, a := range m.Attachments {
		names = append(names, a.Filename)
	}
	return names
}

func TestT6_1_NestingBombIsCheap(t *testing.T) {
	for _, levels := range []int{20, 21, 20000} {
		var b strings.Builder
		b.WriteString("From: a@example.com\r\nSubject: deep\r\n")
		for i := range levels {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		b.WriteString("\r\ncore\r\n")
		raw := []byte(b.String())
		start := time.Now()
		m := Parse(raw)
		took := time.Since(start)
		if m.Subject != "deep" || problem(m, "depth_limit") != (levels > maxDepth) || (m.Text == "core") != (levels <= maxDepth) {
			t.Errorf("%d levels: %q %v", levels, m.Text, m.Problems)
		}
		if took > 5*time.Second {
			t.Errorf("%d levels took %v", levels, took)
		}
	}
}

func TestT6_2_PartsAreCounted(t *testing.T) {
	raw := "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100000) + "--b--\n"
	m := Parse([]byte(raw))
	if !problem(m, "parts_limit") || strings.Count(m.Text, "x") != maxParts {
		t.Errorf("%d %v", strings.Count(m.Text, "x"), m.Problems)
	}
}

func TestT6_3_HeadersAreBounded(t *testing.T) {
	cases := map[string]struct{ raw, code string }{
		"fields":     {strings.Repeat("X-A: 1\n", 100000) + "Subject: late\n\nbody\n", "header_limit"},
		"bytes":      {strings.Repeat("X-A: "+strings.Repeat("a", 9000)+"\n", 50) + "Subject: late\n\nbody\n", "header_limit"},
		"one field":  {"X-A: " + strings.Repeat("a", 100000) + "\nSubject: late\n\nbody\n", "field_limit"},
		"one folded": {"X-A: b\n" + strings.Repeat(" a\n", 40000) + "Subject: late\n\nbody\n", "field_limit"},
	}
	for name, c := range cases {
		m := Parse([]byte("From: a@example.com\n" + c.raw))
		if m.From != "a@example.com" || m.Text != "body" || !problem(m, c.code) {
			t.Errorf("%s: %q %q %v", name, m.From, m.Text, m.Problems)
		}
	}
	part := "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nX: " + strings.Repeat("a\n ", 1500000) + "\n\nbody\n--b--\n"
	if m := Parse([]byte(part)); !problem(m, "field_limit") && !problem(m, "header_limit") || m.Text != "body" {
		t.Errorf("part header: %q %v", m.Text, m.Problems)
	}
}

func TestT6_4_BrokenHeadersAreRepaired(t *testing.T) {
	cases := []struct{ name, raw, code string }{
		{"mbox line", "From a@example.com Thu May  3 12:00:00 2012\nFrom: a@example.com\nSubject: s\n\nhello\n", "mbox_from_line"},
		{"line without colon", "From: a@example.com\nthis is not a header\nSubject: s\n\nhello\n", "header_line_bad"},
		{"leading blank line", "\n\nFrom: a@example.com\nSubject: s\n\nhello\n", "leading_blank_line"},
		{"leading blank", " From: a@example.com\nSubject: s\n\nhello\n", "leading_blank"},
		{"bare CR", "From: a@example.com\rSubject: s\r\rhello\r", "bare_cr"},
		{"bare CR in the header only", "From: a@example.com\rSubject: s\r\n\r\nhello\r\n", "bare_cr"},
		{"CR CR LF", "From: a@example.com\r\r\nSubject: s\r\r\n\r\r\nhello\r\r\n", ""},
		{"NUL", "From: a@example.com\nSubject: s\x00\n\nhel\x00lo\n", "nul_bytes"},
		{"no blank line", "From: a@example.com\nSubject: s\nhello\n", "header_unterminated"},
		{"byte order mark", "\xef\xbb\xbfFrom: a@example.com\nSubject: s\n\nhello\n", "byte_order_mark"},
		{"blank before the colon", "From : a@example.com\nSubject\t: s\n\nhello\n", ""},
		{"blank line in a folded field", "From: a@example.com\nSubject:\n  \n s\n\nhello\n", ""},
		{"white separator line", "From: a@example.com\nSubject: s\n \nhello\n", ""},
	}
	for _, c := range cases {
		m := Parse([]byte(c.raw))
		if m.From != "a@example.com" || m.Subject != "s" || m.Text != "hello" || c.code != "" && !problem(m, c.code) {
			t.Errorf("%s: from %q subject %q text %q %v", c.name, m.From, m.Subject, m.Text, m.Problems)
		}
	}
	for _, raw := range []string{"", "\n", "\x00", "just text\nmore text", "--b\n\nx\n--b--", "Subject", ":\n\n", "\r\r\r"} {
		m := Parse([]byte(raw))
		if !problem(m, "from_missing") {
			t.Errorf("%q: %v", raw, m.Problems)
		}
	}
	if m := Parse([]byte("just text\nmore text")); m.Text != "just text\nmore text" {
		t.Errorf("text without a header is lost: %q", m.Text)
	}
}

const pdfPart = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n"

func TestT6_5_BoundariesThatAreMissingLoseNoPart(t *testing.T) {
	cases := []struct{ name, ctype, body, code string }{
		{"no close", "multipart/mixed; boundary=b", "--b\n\nhello\n--b\n" + pdfPart, "boundary_unclosed"},
		{"no parameter", "multipart/mixed", "--b\nContent-Type: text/plain\n\nhello\n--b\n" + pdfPart + "--b--\n", "boundary_missing"},
		{"wrong parameter", "multipart/mixed; boundary=other", "--b\nContent-Type: text/plain\n\nhello\n--b\n" + pdfPart + "--b--\n", "boundary_not_found"},
		{"inner not closed", "multipart/mixed; boundary=b", "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nhello\n--b\n" + pdfPart + "--b--\n", "boundary_unclosed"},
		{"parts after the close", "multipart/mixed; boundary=b", "--b\n\nhello\n--b--\n--b\n" + pdfPart + "--b--\n", "boundary_after_close"},
		{"junk after the close", "multipart/mixed; boundary=b", "--b\n\nhello\n--b\n" + pdfPart + "--b-->\ntrailing\n", ""},
		{"longer boundary inside", "multipart/mixed; boundary=b", "--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\nhello\n--b1--\n--b\n" + pdfPart + "--b--\n", ""},
		{"trailing blanks", "multipart/mixed; boundary=\"b\"", "--b \t\n\nhello\n--b  \n" + pdfPart + "--b-- \n", ""},
		{"no blank line before the first part", "multipart/mixed; boundary=b\nMIME-Version: 1.0\n--b\nContent-Type: text/plain", "hello\n--b\n" + pdfPart + "--b--\n", "header_unterminated"},
		{"continuations", "multipart/mixed; boundary*0*=us-ascii''b; boundary*1=c", "--bc\n\nhello\n--bc\n" + pdfPart + "--bc--\n", ""},
	}
	for _, c := range cases {
		m := Parse(crlf("From: a@example.com\nContent-Type: " + c.ctype + "\n\n" + c.body))
		if m.Text != "hello" || len(m.Attachments) != 1 || m.Attachments[0].Filename != "a.pdf" || m.Attachments[0].Size != 5 || c.code != "" && !problem(m, c.code) {
			t.Errorf("%s: %q %v %v", c.name, m.Text, m.Attachments, m.Problems)
		}
	}
	m := Parse(crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\nno parts at all\n"))
	if m.Text != "no parts at all" || !problem(m, "boundary_not_found") {
		t.Errorf("%q %v", m.Text, m.Problems)
	}
}

func TestT6_6_SameBoundaryInsideAndOutside(t *testing.T) {
	raw := "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: text/html\n\n<p>hello</p>\n--b--\n--b\n" + pdfPart + "--b--\n"
	m := Parse(crlf(raw))
	if m.Text != "hello" || m.RawHTML() != "<p>hello</p>" || len(m.Attachments) != 1 || !problem(m, "boundary_repeated") {
		t.Errorf("%q %q %v %v", m.Text, m.RawHTML(), m.Attachments, m.Problems)
	}
}

func TestT6_7_TransferEncodings(t *testing.T) {
	cases := []struct{ coding, body, want, code string }{
		{"base64", "aGVsbG8gd29ybGQ=", "hello world", ""},
		{"base64", "aGVsbG8gd29ybGQ", "hello world", "base64_damaged"},
		{"base64", "aGVs*bG8gd29y!bGQ=", "hello world", "base64_damaged"},
		{"base64", "aGVsbG8=\nIHdvcmxk", "hello world", "base64_damaged"},
		{"BASE64;", "aGVsbG8gd29ybGQ=", "hello world", ""},
		{"base64", "this is no base64 at all, really", "this is no base64 at all, really", "base64_damaged"},
		{"quoted-printable", "h=C3=A4llo=\n w=ZZ = x=3D", "hällo w=ZZ = x=", "quoted_printable_damaged"},
		{"quoted-printable", "a=  \nb =\n", "ab", ""},
		{"8bits", "hello", "hello", ""},
		{"7-bit", "hello", "hello", ""},
		{"utf-8", "grüße", "grüße", ""},
		{"x-unheard-of", "hello", "hello", "transfer_encoding_unknown"},
		{"x-uuencode", "begin 644 x.txt\n%:&5L;&\\\n`\nend", "hello", ""},
	}
	for _, c := range cases {
		m := Parse(crlf("From: a@example.com\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " + c.coding + "\n\n" + c.body + "\n"))
		if m.Text != c.want || c.code != "" && !problem(m, c.code) {
			t.Errorf("%s %q: %q %v", c.coding, c.body, m.Text, m.Problems)
		}
	}
	m := Parse(crlf("From: a@example.com\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\naGVsbG8*gd29ybGQ\n"))
	if len(m.Attachments) != 1 || !m.Attachments[0].Damaged || string(m.Attachments[0].Bytes()) != "hello world" {
		t.Errorf("%+v", m.Attachments)
	}
}

func TestT6_8_EncodedFilesInText(t *testing.T) {
	m := Parse(crlf("From: a@example.com\n\nSee the file.\n\nbegin 644 hello.txt\n%:&5L;&\\\n`\nend\n\nBye\n"))
	if len(m.Attachments) != 1 || m.Attachments[0].Filename != "hello.txt" || string(m.Attachments[0].Bytes()) != "hello" || strings.Contains(m.Text, "begin") || !strings.Contains(m.Text, "Bye") {
		t.Errorf("%q %+v", m.Text, m.Attachments)
	}
	for _, prose := range []string{"begin 644 the work\nand then end\nend", "begin 644 x.txt\n%:&5L;&\\\n`", "begin again\nend", "begin 644 x.txt\nMtoo short\nend"} {
		m := Parse(crlf("From: a@example.com\n\n" + prose + "\n"))
		if m.Text != prose || len(m.Attachments) != 0 {
			t.Errorf("%q became %q with %v", prose, m.Text, filenames(m))
		}
	}
	if m := Parse(crlf("From: a@example.com\n\n=ybegin line=128 size=3 name=a\nabc\n=yend size=3\n")); !problem(m, "yenc") || !strings.Contains(m.Text, "=ybegin") {
		t.Errorf("%q %v", m.Text, m.Problems)
	}
}

func TestT6_9_OutlookRichTextIsToldAndKept(t *testing.T) {
	m := Parse(crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==\n--b--\n"))
	if !problem(m, "tnef") || !slices.Equal(filenames(m), []string{"winmail.dat"}) {
		t.Errorf("%v %v", filenames(m), m.Problems)
	}
}

func TestT6_10_FileNames(t *testing.T) {
	cases := []struct{ field, want string }{
		{"attachment; filename=a.pdf", "a.pdf"},
		{`attachment; filename="a b.pdf"`, "a b.pdf"},
		{"attachment; filename=a b.pdf", "a b.pdf"},
		{"attachment; filename*=UTF-8''%E6%B3%A8%E9%94%80.pdf", "注销.pdf"},
		{"attachment; filename*=gb18030''%D7%A2%CF%FA.pdf", "注销.pdf"},
		{"attachment; filename*=gb2312'zh'%D7%A2%CF%FA.pdf; filename=x.pdf", "注销.pdf"},
		{"attachment; filename*0*=UTF-8''%E6%B3%A8%E9; filename*1*=%94%80; filename*2=.pdf", "注销.pdf"},
		{"attachment; filename*1=lo.pdf; filename*0=hel", "hello.pdf"},
		{`attachment; filename="=?utf-8?B?5rOo6ZSALnBkZg==?="`, "注销.pdf"},
		{`attachment; filename="=?gbk?Q?=D7=A2=CF=FA?=.pdf"`, "注销.pdf"},
		{`attachment; filename="` + gbk("注销账户申请") + `.pdf"`, "注销账户申请.pdf"},
		{`attachment; filename="注销.pdf"`, "注销.pdf"},
		{`attachment; filename="../../etc/passwd"`, "passwd"},
		{`attachment; filename="C:\Users\li\scan.pdf"`, "scan.pdf"},
		{`attachment; filename=".htaccess"`, "htaccess"},
		{"attachment; filename=\"invoice\u202Efdp.exe\"", "invoicefdp.exe"},
		{`attachment; filename="a` + "\x01\x7f" + `b.pdf"`, "ab.pdf"},
		{`attachment; filename="a:b|c?.pdf"`, "a_b_c_.pdf"},
		{`attachment; filename="a"b".pdf"`, `a_b_.pdf`},
		{`attachment; filename="unclosed.pdf`, "unclosed.pdf"},
		{`attachment; filename=""`, "attachment-1.pdf"},
		{"attachment", "attachment-1.pdf"},
		{`attachment; filename="..."`, "attachment-1.pdf"},
		{"filename=a.pdf", "a.pdf"},
		{`attachment; filename="` + strings.Repeat("x", 300) + `.pdf"`, strings.Repeat("x", 116) + ".pdf"},
		{`attachment; filename="` + strings.Repeat("长", 200) + `.pdf"`, strings.Repeat("长", 78) + ".pdf"},
	}
	for _, c := range cases {
		m := Parse(crlf("From: a@example.com\nContent-Type: application/pdf\nContent-Disposition: " + c.field + "\n\nx\n"))
		if got := filenames(m); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q: %q, want %q", c.field, got, c.want)
		}
	}
	m := Parse(crlf("From: a@example.com\nContent-Type: application/pdf; name=\"b.pdf\"\nContent-Disposition: attachment; filename=a.pdf\n\nx\n"))
	if m.Attachments[0].Filename != "a.pdf" || !problem(m, "filename_conflict") {
		t.Errorf("%+v", m.Attachments)
	}
}

func TestT6_11_CharsetOfTextAndHTML(t *testing.T) {
	text := "您好，我想注销我的账户。"
	cases := []struct{ name, ctype, body string }{
		{"declared", "text/plain; charset=gb2312", gbk(text)},
		{"quoted label", `text/plain; charset="gbk"`, gbk(text)},
		{"wrong label", "text/plain; charset=iso-8859-1", gbk(text)},
		{"us-ascii label", "text/plain; charset=us-ascii", gbk(text)},
		{"utf-8 label on GBK", "text/plain; charset=utf-8", gbk(text)},
		{"unknown label", "text/plain; charset=unknown-8bit", gbk(text)},
		{"no label", "text/plain", gbk(text)},
		{"no type", "", gbk(text)},
		{"gbk label on UTF-8", "text/plain; charset=gbk", text},
		{"meta", "text/html", `<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head><body>` + gbk(text) + `</body></html>`},
		{"meta says other than MIME", "text/html; charset=utf-8", `<meta charset="gb2312">` + text},
	}
	for _, c := range cases {
		raw := "From: a@example.com\n"
		if c.ctype != "" {
			raw += "Content-Type: " + c.ctype + "\n"
		}
		if m := Parse([]byte(raw + "\n" + c.body + "\n")); m.Text != text {
			t.Errorf("%s: %q %v", c.name, m.Text, m.Problems)
		}
	}
	if m := Parse([]byte("From: a@example.com\n\n" + gbk(text))); !problem(m, "charset_guessed") {
		t.Error("a guess is not told")
	}
}

func TestT6_12_EncodedWords(t *testing.T) {
	half := gbk("注销我的账户")
	words := func(enc func(string) string) string {
		return "=?gb2312?" + enc(half[:5]) + "?= =?gb2312?" + enc(half[5:]) + "?="
	}
	b64 := func(s string) string { return "B?" + base64.StdEncoding.EncodeToString([]byte(s)) }
	q := func(s string) string {
		out := "Q?"
		for _, c := range []byte(s) {
			out += fmt.Sprintf("=%02X", c)
		}
		return out
	}
	cases := []struct{ raw, want string }{
		{words(b64), "注销我的账户"},
		{words(q), "注销我的账户"},
		{gbk("注销我的账户"), "注销我的账户"},
		{"注销我的账户", "注销我的账户"},
		{"=?utf-8?B?5rOo 6ZSA?=", "注销"},
		{"=?utf-8?B?5rOo6ZSA", "注销"},
		{"=?utf-8?B?5rOo6ZS?= =?utf-8?B?A?=", "注销"},
		{"=?UTF-8?Q?a_b=3F?= c", "a b? c"},
		{"=?UTF-8?Q?what?=20now?=", "what? now"},
		{"=?UTF-8?Q?a b c?=", "a b c"},
		{"=?utf-8*en?q?hello?=", "hello"},
		{"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
		{"=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"},
		{"Re:=?utf-8?Q?_a?=", "Re: a"},
		{"=?iso-2022-jp?B?GyRCJTIlOSVIGyhC?=", "ゲスト"},
		{"=?unknown?Q?a=C3=A9?=", "aé"},
		{"=?utf-8?Q?a=0D=0ABcc:_x@y?=", "a  Bcc: x@y"},
		{"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"=?utf-8?Q?a\r\n =?=", "a ="},
		{"a\r\n b\r\n\tc", "a b c"},
		{"x =?utf-8?B?AAECAwQ=?=", "x =?utf-8?B?AAECAwQ=?="},
		{"plain = ? text", "plain = ? text"},
	}
	for _, c := range cases {
		m := Parse([]byte("From: a@example.com\r\nSubject: " + c.raw + "\r\n\r\nhi\r\n"))
		if m.Subject != c.want {
			t.Errorf("%q: %q, want %q", c.raw, m.Subject, c.want)
		}
	}
}

func TestT6_13_NoControlCharacterComesOut(t *testing.T) {
	raw := "From: \"a\x00\x07b\" <a@example.com>\nSubject: =?utf-8?Q?x=00=07=1B[31m=0Ay?=\nContent-Type: text/plain; charset=utf-8\n\nhel\x00lo\x07\x1b[0m \xff\xfe end\r\nx\ry\n"
	m := Parse([]byte(raw))
	for _, s := range []string{m.Subject, m.FromName, m.From, m.Text} {
		for _, r := range s {
			if unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError && s != m.Text {
				t.Errorf("%q holds %U", s, r)
			}
		}
		if !utf8.ValidString(s) {
			t.Errorf("%q is no UTF-8", s)
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n") || !strings.HasPrefix(m.Text, "hello") {
		t.Errorf("%q %q", m.Subject, m.Text)
	}
}

func TestT6_14_RepeatedFieldsCountOnce(t *testing.T) {
	m := Parse([]byte("From: a@example.com\nContent-Type: text/plain; charset=utf-8; charset=utf-7\nContent-Type: text/html\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n<b>hello</b>\n"))
	if m.Text != "<b>hello</b>" || !problem(m, "mime_field_duplicate") || !problem(m, "mime_parameter_duplicate") {
		t.Errorf("%q %v", m.Text, m.Problems)
	}
}

func alternative(plain, html string) []byte {
	return crlf("From: a@example.com\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n" + plain + "\n--b\nContent-Type: text/html\n\n" + html + "\n--b--\n")
}

func TestT6_15_BodyChoice(t *testing.T) {
	long := strings.Repeat("<p>please close my account and return the balance</p>\n", 20)
	cases := []struct {
		name string
		raw  []byte
		want string
	}{
		{"plain wins", alternative("hello plain", "<p>hello html</p>"), "hello plain"},
		{"empty plain", alternative("  ", "<p>hello</p>"), "hello"},
		{"trivial plain", alternative("See HTML", "<p>hello</p>"+long), "hello\n\nplease close"},
		{"html only", crlf("From: a@example.com\nContent-Type: text/html\n\n<p>a</p><p>b</p>\n"), "a\n\nb"},
		{"html without type", crlf("From: a@example.com\n\n<html><body>hello</body></html>\n"), "hello"},
		{"joined in order", crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two</p>\n--b\n\nthree\n--b--\n"), "one\n\ntwo\n\nthree"},
		{"related", crlf("From: a@example.com\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>hello</p><img src=\"cid:x\">\n--b\nContent-Type: image/png\nContent-ID: <x>\n\nPNG\n--b--\n"), "hello"},
		{"flowed", crlf("From: a@example.com\nContent-Type: text/plain; format=flowed\n\none \ntwo\n"), "one two"},
		{"inline file as the only text", crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: inline; filename=a.txt\n\none\n--b--\n"), "one"},
		{"file with a name is no text", crlf("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/plain; name=\"log.txt\"\n\nlog\n--b--\n"), "one"},
	}
	for _, c := range cases {
		if m := Parse(c.raw); !strings.HasPrefix(m.Text, c.want) || len(c.want) > 20 && len(m.Text) < len(c.want) {
			t.Errorf("%s: %q", c.name, m.Text)
		}
	}
}

func TestT6_15_FormsThatSayDifferentThingsAreTold(t *testing.T) {
	same := "Bitte schließen Sie mein Konto und überweisen Sie den Rest auf meine Karte."
	m := Parse(alternative(same, "<p>Bitte schlie&szlig;en Sie mein Konto und &uuml;berweisen Sie den <b>Rest</b> auf meine Karte.</p>"))
	if problem(m, "alternative_differs") || m.Text != same {
		t.Errorf("the same: %v", m.Problems)
	}
	m = Parse(alternative("Please close my account and send the balance to my card.", "<p>Congratulations! Nothing has changed, you can read this newsletter online.</p>"))
	if !problem(m, "alternative_differs") {
		t.Errorf("different: %v", m.Problems)
	}
}

func TestT6_16_EnclosedMailIsOneFile(t *testing.T) {
	m := Parse(crlf("From: a@example.com\nSubject: outer\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\nFrom: victim@bank.example\nSubject: inner/one\nMessage-ID: <inner@bank.example>\nReferences: <r@bank.example>\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: application/pdf; name=inner.pdf\n\nx\n--c--\n--b\nContent-Type: message/rfc822\n\n\nno header\n--b--\n"))
	if m.From != "a@example.com" || m.Subject != "outer" || m.MessageID != "" || len(m.References) != 0 || !slices.Equal(filenames(m), []string{"inner_one.eml", "attachment-2.eml"}) {
		t.Errorf("%+v", m)
	}
	if m.Attachments[0].ContentType != "message/rfc822" || !strings.HasPrefix(string(m.Attachments[0].Bytes()), "From: victim@bank.example") {
		t.Errorf("%q", m.Attachments[0].Bytes())
	}
}

func TestT6_18_SignedAndEncryptedMailIsTold(t *testing.T) {
	cases := []struct{ ctype, body, code string }{
		{"application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x", "encrypted"},
		{"application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", "x", "signed"},
		{"multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b", "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--", "encrypted"},
		{"multipart/signed; protocol=\"application/pgp-signature\"; boundary=b", "--b\n\nhello\n--b\nContent-Type: application/pgp-signature; name=signature.asc\n\nx\n--b--", "signed"},
		{"text/plain", "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----", "encrypted"},
		{"text/plain", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nabc", "signed"},
	}
	for _, c := range cases {
		m := Parse(crlf("From: a@example.com\nContent-Type: " + c.ctype + "\n\n" + c.body + "\n"))
		if !problem(m, c.code) {
			t.Errorf("%s: %v", c.ctype, m.Problems)
		}
	}
}

func TestT6_19_Dates(t *testing.T) {
	cases := []struct{ raw, want string }{
		{"Mon, 2 Feb 2026 10:11:12 +0800", "2026-02-02T02:11:12Z"},
		{"2 Feb 2026 10:11 +0800", "2026-02-02T02:11:00Z"},
		{"Mon, 02 Feb 26 10:11:12 GMT", "2026-02-02T10:11:12Z"},
		{"Mon, 2 Feb 2026 10:11:12 EST (Eastern)", "2026-02-02T15:11:12Z"},
		{"Mon Feb  2 10:11:12 2026", "2026-02-02T10:11:12Z"},
		{"Mon Feb 2 10:11:12 CST 2026", "2026-02-02T16:11:12Z"},
		{"2026-02-02T10:11:12+08:00", "2026-02-02T02:11:12Z"},
		{"2026-02-02 10:11:12", "2026-02-02T10:11:12Z"},
		{"Monday, February 2, 2026 3:11 PM", "2026-02-02T15:11:00Z"},
		{"2-Feb-2026 10:11:12 +0000", "2026-02-02T10:11:12Z"},
		{"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06Z"},
		{"Mon, 2 Feb 2026 10:11:12 GMT+0800", "2026-02-02T02:11:12Z"},
		{"", ""}, {"yesterday", ""}, {"Mon, 31 Feb 2026 10:11:12 +0000", ""}, {"Mon, 2 Feb 2026 59:10 +0000", ""},
	}
	for _, c := range cases {
		m := Parse([]byte("From: a@example.com\nDate: " + c.raw + "\n\nhi\n"))
		if stamp(m.Date) != c.want || (c.want == "") != (problem(m, "date_missing") || problem(m, "date_unreadable")) {
			t.Errorf("%q: %s %v", c.raw, stamp(m.Date), m.Problems)
		}
	}
	for _, absurd := range []string{"Mon, 2 Feb 1970 10:11:12 +0000", "Mon, 2 Feb 3026 10:11:12 +0000"} {
		if m := Parse([]byte("From: a@example.com\nDate: " + absurd + "\n\nhi\n")); !problem(m, "date_absurd") {
			t.Errorf("%q: %v", absurd, m.Problems)
		}
	}
}

func TestT6_20_EmptyMails(t *testing.T) {
	if m := Parse([]byte("From: a@example.com\nSubject: close my account\n\n")); m.Text != "" || m.Subject != "close my account" || !problem(m, "body_empty") {
		t.Errorf("%q %v", m.Text, m.Problems)
	}
	picture := Parse([]byte("From: a@example.com\nContent-Type: image/png\n\nPNG\n"))
	if picture.Text != "" || len(picture.Attachments) != 1 || problem(picture, "body_empty") {
		t.Errorf("%+v", picture)
	}
	long := strings.Repeat("text and more text\n", 300000)
	if m := Parse([]byte("From: a@example.com\n\n" + long)); len(m.Text) != len(long)-1 {
		t.Errorf("%d of %d bytes", len(m.Text), len(long))
	}
}

func TestT6_22_TheRawBytesNeverChange(t *testing.T) {
	for _, raw := range [][]byte{alternative("a =?x", "<p>b"), []byte("From: a@example.com\rSubject: x\r\rbody\r"), []byte("X\x00: y\n z\n\n=C3=\n")} {
		before := string(raw)
		m := Parse(raw)
		for i := range m.Attachments {
			m.Attachments[i].ImageSize()
		}
		if string(raw) != before || m.SHA256 != digestOf([]byte(before)) {
			t.Errorf("%q changed", before)
		}
	}
}

func TestDecodedBytesAreBounded(t *testing.T) {
	part := "--b\nContent-Type: application/pdf; name=a.pdf\n\n" + strings.Repeat("x", 30<<20) + "\n"
	m := Parse([]byte("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat(part, 4) + "--b--\n"))
	if !problem(m, "decoded_limit") || len(m.Attachments) != 4 || m.Attachments[2].Size != 30<<20 || m.Attachments[3].Size != 0 || !m.Attachments[3].Damaged {
		t.Errorf("%v", m.Problems)
	}
}

func TestImageSizeWithoutDecoding(t *testing.T) {
	cases := map[string]struct {
		data string
		w, h int
	}{
		"png":  {"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x01\x00\x00\x00\x00\x80\x00", 65536, 32768},
		"gif":  {"GIF89a\x40\x01\xf0\x00", 320, 240},
		"jpeg": {"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x01\x00\x02\x00\x03", 512, 256},
		"webp": {"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x1f\x00\x00", 16, 32},
		"heic": {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00\x00\x00\x00\x14ispe\x00\x00\x00\x00\x00\x00\x0f\xc0\x00\x00\x0b\xd0", 4032, 3024},
		"text": {"hello", 0, 0},
	}
	for name, c := range cases {
		a := Attachment{data: []byte(c.data)}
		if w, h, ok := a.ImageSize(); w != c.w || h != c.h || ok != (c.w > 0) {
			t.Errorf("%s: %d×%d %v", name, w, h, ok)
		}
		for cut := range len(c.data) {
			(&Attachment{data: []byte(c.data[:cut])}).ImageSize()
		}
	}
}

func TestTypeByContent(t *testing.T) {
	m := Parse(crlf("From: a@example.com\nContent-Type: image/png; name=x.png\n\n%PDF-1.7\n"))
	if a := m.Attachments[0]; a.ContentType != "image/png" || a.Sniffed != "application/pdf" {
		t.Errorf("%+v", a)
	}
}
