package reply_test

import (
	"errors"
	"html"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"postdesk/internal/reply"
)

var okpay = reply.Brand{Name: "OKPay", OfficialDomain: "okpay.example"}

// one loads a set with one template that prints what the tests need.
func one(t *testing.T, vars, body string) *reply.Set {
	t.Helper()
	return load1(t, small(t, ""), vars, body)
}

func load1(t *testing.T, fsys fstest.MapFS, vars, body string) *reply.Set {
	t.Helper()
	file := []byte(with(vars) + body)
	fsys["mail/test.one.en.md"], fsys["mail/test.one.zh-CN.md"] = &fstest.MapFile{Data: file}, &fstest.MapFile{Data: file}
	s, err := check(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithBrand(okpay)
}

func TestRenderStopsWhenAVariableIsMissing(t *testing.T) {
	s := load(t)
	for _, key := range s.Keys() {
		tmpl, _ := s.Template(key)
		for _, v := range append(reply.Common(), tmpl.Variables...) {
			data, err := s.Sample(key, "en")
			if err != nil {
				t.Fatal(err)
			}
			delete(data, v.Name)
			r, err := s.Render(key, "en", data)
			if v.Optional && err != nil {
				t.Errorf("%s without optional %s: %v", key, v.Name, err)
			}
			if !v.Optional && (!errors.Is(err, reply.ErrMissing) || r != reply.Rendered{}) {
				t.Errorf("%s without %s: %v", key, v.Name, err)
			}
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	s := one(t, "  text: {type: text, sample: x}\n  due: {type: time, sample: 2026-03-05T17:00:00+01:00}\n  link: {type: url, sample: https://okpay.example/x}\n"+
		"  kind: {type: choice, values: [a], sample: a}\n  items: {type: records, fields: [name], sample: [{name: x}]}\n  list: {type: list, sample: [x]}\n"+
		"  code: {type: code, sample: A1}\n  count: {type: number, sample: 1}",
		"{{.text}} {{.due}} {{.link}} {{.code}} {{.count}}\n\n{{if eq .kind \"a\"}}k{{end}}\n\n{{range .items}}\n- {{.name}}\n{{end}}\n\n{{range .list}}\n- {{.}}\n{{end}}\n")
	good, err := s.Sample("test.one", "en")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, key string
		value     any
		want      error
	}{
		{"nothing but blanks", "text", " \t", reply.ErrMissing},
		{"nothing but invisible characters", "text", "\u200b\u202e", reply.ErrMissing},
		{"a zero time", "due", time.Time{}, reply.ErrMissing},
		{"a time as text", "due", "tomorrow", reply.ErrValue},
		{"an empty list", "list", []string{}, reply.ErrMissing},
		{"a list with an empty item", "list", []string{"x", ""}, reply.ErrMissing},
		{"a list as text", "list", "x", reply.ErrValue},
		{"a record without its field", "items", []map[string]string{{"other": "x"}}, reply.ErrMissing},
		{"an unknown choice", "kind", "b", reply.ErrValue},
		{"a number as text", "count", "1", reply.ErrValue},
		{"a code with a blank", "code", "A 1", reply.ErrValue},
		{"a code with a line break", "code", "A\r\nBcc: x", reply.ErrValue},
		{"text beyond measure", "text", strings.Repeat("x", 2001), reply.ErrValue},
		{"a script address", "link", "javascript:alert(1)", reply.ErrValue},
		{"an address without encryption", "link", "http://okpay.example/x", reply.ErrValue},
		{"an address with a user", "link", "https://okpay.example@evil.example/", reply.ErrValue},
		{"an address with a quote", "link", `https://okpay.example/"onmouseover="x`, reply.ErrValue},
		{"an address with a line break", "link", "https://okpay.example/\nx", reply.ErrValue},
		{"an address without host", "link", "https:///x", reply.ErrValue},
	}
	for _, tt := range tests {
		data := map[string]any{}
		for k, v := range good {
			data[k] = v
		}
		data[tt.key] = tt.value
		if _, err := s.Render("test.one", "en", data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := s.Render("no.such", "en", nil); !errors.Is(err, reply.ErrUnknown) {
		t.Errorf("unknown key: %v", err)
	}
	good["link"] = "http://127.0.0.1:8080/confirm/x"
	if _, err := s.Render("test.one", "en", good); err != nil {
		t.Errorf("an address of this machine: %v", err)
	}
}

// Values that try to be template, markup, HTML or header fields stay words.
func TestRenderKeepsValuesInert(t *testing.T) {
	s := one(t, "  text: {type: text, sample: x}\n  list: {type: list, sample: [x]}\n  body: {type: prose, sample: x}",
		"Value: {{.text}}\n\n{{range .list}}\n- {{.}}\n{{end}}\n\n{{.body}}\n")
	attacks := []string{
		"{{.}}", "{{.ticket_no}}", "{{range .}}", `{{printf "%s" .}}`, "**strong**", "[click](https://evil.example)", "- item", "1. item", "## heading",
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</p><p>", "&lt;b&gt;", "a\r\nBcc: victim@example.org", "\r\n\r\n<html>", "\uE0000\uE001", "\uE0025\uE003",
		"@body", "-- ", "\u202etxt.exe", "a\x00b", "\u2028x", "<!-- -->", "' onclick='x", "${x}", "%s", "\xff\xfe",
	}
	for _, attack := range attacks {
		r, err := s.Render("test.one", "en", map[string]any{"ticket_no": "1", "text": "a" + attack, "list": []string{"a" + attack}, "body": "a" + attack})
		if err != nil {
			t.Fatalf("%q: %v", attack, err)
		}
		plain, err := s.Render("test.one", "en", map[string]any{"ticket_no": "1", "text": "ab", "list": []string{"ab"}, "body": "ab"})
		if err != nil {
			t.Fatal(err)
		}
		if tags(r.HTML) != tags(plain.HTML) && !strings.ContainsAny(attack, "\n\u2028") {
			t.Errorf("%q changes the structure:\n%s", attack, r.HTML)
		}
		if strings.ContainsAny(r.Subject, "\r\n") || strings.Contains(r.Subject, "a") {
			t.Errorf("%q is in the subject %q", attack, r.Subject)
		}
		for _, part := range []string{r.Text, r.HTML} {
			if strings.ContainsFunc(part, func(c rune) bool {
				return c != '\n' && unicode.IsControl(c) || unicode.Is(unicode.Co, c) || unicode.Is(unicode.Cf, c)
			}) {
				t.Errorf("%q leaves an invisible character in %q", attack, part)
			}
		}
		if strings.Contains(r.HTML, "evil.example\"") || strings.Contains(r.HTML, "<script") || strings.Contains(r.HTML, "<img") {
			t.Errorf("%q is live in %s", attack, r.HTML)
		}
		if visible := strings.Join(strings.Fields(strings.ReplaceAll(attack, "\xff\xfe", "")), " "); strings.HasPrefix(attack, "{{") && strings.Count(r.Text, visible) != 3 {
			t.Errorf("%q is not shown as written:\n%s", attack, r.Text)
		}
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

func tags(s string) string { return strings.Join(tag.FindAllString(s, -1), "") }

func TestRenderCleansSubjects(t *testing.T) {
	s := one(t, "  text: {type: text, sample: x}", "{{.text}}\n")
	r, err := s.Render("test.one", "en", map[string]any{"ticket_no": "17", "text": "x", "brand": "A\r\nBcc: x"})
	if err != nil || r.Subject != "Words [#17]" || strings.Contains(r.Text, "\r") || !strings.Contains(r.Text, "A Bcc: x customer support") {
		t.Errorf("%v %q\n%s", err, r.Subject, r.Text)
	}
	if _, err := s.Render("test.one", "en", map[string]any{"ticket_no": "17\r\nBcc: x", "text": "x"}); !errors.Is(err, reply.ErrValue) {
		t.Errorf("a ticket number with a line break: %v", err)
	}
}

func TestRenderGreetsByNameOnlyWithAName(t *testing.T) {
	s := load(t).WithBrand(okpay)
	tests := map[string]string{
		"Maria Keller": "Dear Maria Keller,", "李小龙": "Dear 李小龙,", "Jean-Luc O’Neil": "Dear Jean-Luc O’Neil,", "J. Smith": "Dear J. Smith,",
		"": "Hello,", "Win money at evil.example": "Hello,", "https://evil.example": "Hello,", "a@b.example": "Hello,", "<b>x</b>": "Hello,",
		"Call 0900 12345": "Hello,", "Dear customer please send us your account now": "Hello,", "x\r\nBcc: y": "Hello,",
	}
	for name, want := range tests {
		r, err := s.Render("ack.received", "en", map[string]any{"ticket_no": "17", "customer_name": name})
		if err != nil || !strings.Contains(r.Text, "\n\n"+want+"\n\n") {
			t.Errorf("%q: %v\n%s", name, err, r.Text)
		}
	}
}

func TestRenderPicksTheLanguage(t *testing.T) {
	s := load(t).WithBrand(okpay)
	for tag, want := range map[string]string{
		"zh": "zh-CN", "zh-Hans": "zh-CN", "zh-Hant": "zh-CN", "zh-TW": "zh-CN", "ZH_cn": "zh-CN", "yue": "zh-CN", "en": "en", "en-GB": "en", "de": "en", "und": "en", "": "en", "zhx": "en",
	} {
		r, err := s.Render("ack.received", tag, map[string]any{"ticket_no": "17"})
		if err != nil || !strings.Contains(r.HTML, `<html lang="`+want+`">`) {
			t.Errorf("%q: %v\n%s", tag, err, r.HTML[:80])
		}
	}
}

func TestRenderWritesAbsoluteTimesWithZone(t *testing.T) {
	s := one(t, "  due: {type: time, sample: 2026-03-05T17:00:00+01:00}\n  day: {type: day, sample: 2026-03-05T17:00:00+01:00}", "{{.due}} / {{.day}}\n")
	at := func(offset int) time.Time { return time.Date(2026, 3, 5, 7, 4, 0, 0, time.FixedZone("", offset)) }
	tests := []struct {
		lang string
		at   time.Time
		want string
	}{
		{"en", at(0), "5 March 2026, 07:04 (UTC) / 5 March 2026 (UTC)"},
		{"en", at(-5 * 3600), "5 March 2026, 07:04 (UTC-5) / 5 March 2026 (UTC-5)"},
		{"en", at(5*3600 + 1800), "5 March 2026, 07:04 (UTC+5:30) / 5 March 2026 (UTC+5:30)"},
		{"zh", at(8 * 3600), "2026年3月5日 07:04（UTC+8） / 2026年3月5日（UTC+8）"},
	}
	for _, tt := range tests {
		r, err := s.Render("test.one", tt.lang, map[string]any{"ticket_no": "1", "due": tt.at, "day": tt.at})
		if err != nil || !strings.Contains(r.Text, "\n"+tt.want+"\n") {
			t.Errorf("want %s: %v\n%s", tt.want, err, r.Text)
		}
	}
}

func TestRenderKeepsTheLinesOfAPerson(t *testing.T) {
	s := load(t).WithBrand(okpay)
	r, err := s.Render("agent.reply", "en", map[string]any{"ticket_no": "17", "body": "\r\nFirst line\r\nsecond **line**\r\n\r\n\r\n\r\n1 < 2 & 3\r\n"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Text, "\n\nFirst line\nsecond **line**\n\n1 < 2 & 3\n\n") {
		t.Errorf("text:\n%s", r.Text)
	}
	if !strings.Contains(r.HTML, "<p>First line<br>\nsecond **line**</p>\n<p>1 &lt; 2 &amp; 3</p>\n") {
		t.Errorf("HTML:\n%s", r.HTML)
	}
}

func TestRenderPromisesOnlyWhatTheBrandGives(t *testing.T) {
	s := load(t)
	bare, err := s.WithBrand(reply.Brand{Name: "OKPay"}).Render("ack.received", "en", map[string]any{"ticket_no": "17"})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"phone", "website", "within", "24", "hours"} {
		if strings.Contains(bare.Text, word) {
			t.Errorf("%q without configuration:\n%s", word, bare.Text)
		}
	}
	full := reply.Brand{Name: "OKPay", OfficialDomain: "okpay.example", SupportPhone: "+352 2600 0000", SLAText: map[string]string{"en": "within 2 hours"}}
	r, err := s.WithBrand(full).Render("ack.received", "en", map[string]any{"ticket_no": "17"})
	if err != nil || !strings.Contains(r.Text, "an answer within 2 hours.") || !strings.Contains(r.Text, "Support phone: +352 2600 0000") || !strings.Contains(r.Text, "website: okpay.example.") {
		t.Errorf("%v\n%s", err, r.Text)
	}
	zh, err := s.WithBrand(full).Render("ack.received", "zh", map[string]any{"ticket_no": "17"})
	if err != nil || strings.Contains(zh.Text, "hours") || strings.Contains(zh.Text, "您会在") {
		t.Errorf("an answering time in the wrong language: %v\n%s", err, zh.Text)
	}
}

// Both parts say the same words in the same order.
func TestTextAndHTMLSayTheSame(t *testing.T) {
	s := load(t)
	for _, key := range s.Keys() {
		for _, lang := range reply.Languages() {
			r, err := s.Preview(key, lang)
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(r.HTML, "<body>")
			fromHTML := withoutBlanks(html.UnescapeString(tag.ReplaceAllString(marked(body), "")))
			fromText := withoutBlanks(strings.Replace(r.Text, "\n-- \n", "\n", 1))
			if fromHTML != fromText {
				t.Errorf("%s %s:\nHTML %s\ntext %s", key, lang, fromHTML, fromText)
			}
		}
	}
}

var listTag = regexp.MustCompile(`<(?:ul|ol|li)>`)

// marked writes what a reader sees in front of each list item.
func marked(body string) string {
	number, kind := 0, ""
	return listTag.ReplaceAllStringFunc(body, func(tag string) string {
		if tag != "<li>" {
			number, kind = 0, tag
			return ""
		}
		number++
		if kind == "<ul>" {
			return "- "
		}
		return strconv.Itoa(number) + ". "
	})
}

// withoutBlanks leaves out what the parts put in different places between Chinese characters.
func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func TestOneSetServesManyAtOnce(t *testing.T) {
	s := one(t, "  text: {type: text, sample: x}", "Value: {{.text}}\n")
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			name := "value" + strconv.Itoa(i)
			r, err := s.WithBrand(okpay).Render("test.one", "en", map[string]any{"ticket_no": "1", "text": name})
			if err != nil || !strings.Contains(r.Text, "Value: "+name+"\n") || !strings.Contains(r.HTML, "Value: "+name+"<") {
				t.Errorf("%v\n%s", err, r.Text)
			}
		})
	}
	group.Wait()
}

func TestPreviewSpeaksForTheBrand(t *testing.T) {
	s := load(t).WithBrand(reply.Brand{Name: "Tenpay"})
	r, err := s.Preview("ack.received", "en")
	if err != nil || !strings.Contains(r.Text, "Tenpay customer support") || strings.Contains(r.Text, "okpay") || strings.Contains(r.Text, "phone:") {
		t.Errorf("%v\n%s", err, r.Text)
	}
}
