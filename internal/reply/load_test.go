package reply_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"postdesk/internal/reply"
	"postdesk/templates"
)

const head = "---\nsubject: \"Words [#{{.ticket_no}}]\"\nto: customer\nclass: procedure\npurpose: a test\nvariables: {}\n---\n"

// check loads and verifies.
func check(fsys fs.FS) (*reply.Set, error) {
	s, err := reply.Load(fsys)
	if err != nil {
		return nil, err
	}
	return s, s.Verify()
}

// small is the built-in layout and phrases with one template of its own.
func small(t testing.TB, en string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{
		"mail/test.one.en.md":    {Data: []byte(en)},
		"mail/test.one.zh-CN.md": {Data: []byte(strings.Replace(head, "Words", "标题", 1) + "您好。\n")},
	}
	for _, dir := range []string{"layout", "phrases"} {
		entries, err := fs.ReadDir(templates.FS(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			raw, err := fs.ReadFile(templates.FS(), dir+"/"+e.Name())
			if err != nil {
				t.Fatal(err)
			}
			fsys[dir+"/"+e.Name()] = &fstest.MapFile{Data: raw}
		}
	}
	return fsys
}

// with declares variables in both languages.
func with(vars string) string { return strings.Replace(head, "variables: {}", "variables:\n"+vars, 1) }

func TestLoadNamesFileAndLineOf(t *testing.T) {
	due := with("  due: {type: time, sample: 2026-03-05T17:00:00+01:00}")
	note := with("  note: {type: text, optional: true, sample: x}")
	items := with("  items: {type: records, fields: [name], sample: [{name: x}]}")
	kind := with("  kind: {type: choice, values: [a, b], sample: a}")
	tests := []struct{ name, file, want string }{
		{"no front matter", "Words.\n", "en.md:1: the file must begin with front matter"},
		{"an unknown field", strings.Replace(head, "class:", "clas:", 1) + "Words.\n", "en.md:4:"},
		{"broken YAML", strings.Replace(head, "to: customer", "to: [", 1) + "Words.\n", "en.md:"},
		{"an unknown recipient", strings.Replace(head, "customer", "everybody", 1) + "Words.\n", "en.md:3: to must be"},
		{"an unknown class", strings.Replace(head, "procedure", "bulk", 1) + "Words.\n", "en.md:4: unknown class"},
		{"no purpose", strings.Replace(head, "a test", `""`, 1) + "Words.\n", "en.md:5: purpose is missing"},
		{"a subject without the number", strings.Replace(head, " [#{{.ticket_no}}]", "", 1) + "Words.\n", "en.md:2: the subject must"},
		{"a subject of the number alone", strings.Replace(head, "Words ", " ", 1) + "Words.\n", "en.md:2: the subject must"},
		{"a variable that is not declared", head + "One.\n\nUntil {{.due}}.\n", "en.md:10: variable due is used and not declared"},
		{"a variable that is not used", due + "Words.\n", "en.md:7: variable due is declared and not used"},
		{"a field that is not used", items + "{{range .items}}\n- x\n{{end}}\n", "field items.name is declared and not used"},
		{"a field that does not exist", items + "{{range .items}}\n- {{.name}} {{.other}}\n{{end}}\n", "en.md:10: items has no field other"},
		{"an optional variable printed without asking", note + "Note: {{.note}}\n", "en.md:9: optional note is printed outside"},
		{"an optional variable printed in the else", note + "{{if .note}}x{{else}}{{.note}}{{end}}\n", "en.md:9: optional note"},
		{"a choice that is printed", kind + "{{.kind}}\n", "en.md:9: kind is a choice and cannot be printed"},
		{"a comparison with an undeclared value", kind + "{{if eq .kind \"c\"}}x{{end}}\n", "eq compares a choice with its declared values"},
		{"a choice without values", with("  kind: {type: choice, sample: a}") + "{{if .kind}}x{{end}}\n", "en.md:7: variable kind: values belong to a choice"},
		{"a variable without sample", with("  note: {type: text}") + "{{.note}}\n", "en.md:7: variable note: sample is missing"},
		{"an unknown type", with("  note: {type: html, sample: x}") + "{{.note}}\n", `en.md:7: variable note: unknown type "html"`},
		{"a reserved name", with("  brand: {type: text, sample: x}") + "{{.brand}}\n", "en.md:7: variable brand: the name is reserved"},
		{"another function", head + "One.\n{{printf \"%s\" .brand}}\n", "en.md:9: {{printf \"%s\" .brand}}: only a variable can be printed"},
		{"a pipe", due + "{{.due | html}}\n", "only a variable can be printed"},
		{"with", note + "{{with .note}}{{.}}{{end}}\n", "is not allowed in a template"},
		{"define", head + "One.\n{{define \"x\"}}y{{end}}\n", "{{define}} and {{block}} are not allowed"},
		{"a template variable", due + "{{$x := .due}}{{.due}}\n", "only a variable can be printed"},
		{"an action over two lines", head + "{{if\n.brand}}x{{end}}\n", "en.md:8: an action must end on the line"},
		{"a broken action", head + "One.\n\n{{if .brand}}x\n", "mail/test.one.en.md:12: unexpected EOF"},
		{"text that only customers decide in a subject", strings.Replace(with("  note: {type: text, sample: x}"), "Words", "{{.note}}", 1) + "{{.note}}\n", "en.md:2: note: a subject may hold"},
		{"strong that is not closed", head + "One.\n\nA **word.\n", "en.md:10: ** is opened and not closed"},
		{"a list without a blank line", head + "Words:\n- x\n", "en.md:9: a list needs a blank line"},
		{"text after a list", head + "- x\ny\n", "en.md:9: a paragraph after a list"},
		{"indented text", head + "One.\n\n  x\n", "en.md:10: indented text outside a list"},
		{"an address that is not secure", head + "[x](http://okpay.example)\n", "en.md:8: unsuitable value"},
		{"two lists of actions", head + "1. x\n\ny\n\n1. z\n", "en.md:12: a mail has one numbered list"},
		{"no words", head + "\n", "en.md:1: a mail without words"},
		{"no words without what is optional", note + "{{if .note}}{{.note}}{{end}}\n", "en.md:1: a mail without words"},
		{"forbidden words", head + "One.\n\nWe investigate it.\n", `en.md:10: confidential: "investigate"`},
		{"forbidden words in a subject", strings.Replace(head, "Words", "Wow!", 1) + "One.\n", `en.md:2: exclamation: "!"`},
		{"forbidden words in one branch", kind + "One.\n\n{{if eq .kind \"b\"}}\nWe investigate it.\n{{end}}\n", `en.md:12: confidential: "investigate"`},
		{"a promise", head + "We will answer within 24 hours.\n", "en.md:8: promise-time"},
		{"a promise in the name of the brand", head + "At {{.brand}} we answer within 24 hours, and we at {{.brand}} answer within 2 days.\n", "en.md:8: promise-time: \"we at OKPay"},
		{"a telephone number", head + "Call +44 20 7946 0000.\n", "en.md:8: phone"},
		{"prose within a paragraph", with("  body: {type: prose, sample: x}") + "Text: {{.body}}\n", "en.md:9: prose must be a paragraph of its own"},
		{"a reserved character", head + "One.\n\uE000\n", "en.md:9: a character that is reserved"},
		{"different variables in the other language", due + "By {{.due}}.\n", "the variables must be those of"},
		{"another recipient in the other language", strings.Replace(head, "customer", "registered", 1) + "Words.\n", "to, class and purpose must be those of"},
		{"a sample of the wrong type", with("  due: {type: time, sample: tomorrow}") + "By {{.due}}.\n", "string is not a time.Time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := small(t, tt.file)
			if !strings.Contains(tt.want, "must be those of") {
				fsys["mail/test.one.zh-CN.md"].Data = []byte(sibling(tt.file))
			}
			_, err := check(fsys)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// sibling is a Chinese file with the same declarations that uses every variable.
func sibling(en string) string {
	front, _, ok := strings.Cut(en[min(4, len(en)):], "\n---\n")
	if !ok {
		return strings.Replace(head, "Words", "标题", 1) + "您好。\n"
	}
	body := "您好。\n"
	for name, use := range map[string]string{
		"due:": "{{.due}}", "note:": "{{if .note}}{{.note}}{{end}}", "kind:": "{{if eq .kind \"a\"}}x{{end}}",
		"items:": "{{range .items}}{{.name}}{{end}}", "body:": "{{.body}}",
	} {
		if strings.Contains(front, "  "+name) {
			body += "\n" + use + "\n"
		}
	}
	return "---\n" + front + "\n---\n" + body
}

func TestLoadWantsBothLanguages(t *testing.T) {
	fsys := small(t, head+"Words.\n")
	delete(fsys, "mail/test.one.zh-CN.md")
	_, err := check(fsys)
	if err == nil || !strings.Contains(err.Error(), "mail/test.one.en.md:1: there is no mail/test.one.zh-CN.md") {
		t.Errorf("got %v", err)
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	_, err := check(small(t, head+"Wow!\n\nWe investigate it.\n"))
	if err == nil || !strings.Contains(err.Error(), "en.md:8: ") || !strings.Contains(err.Error(), "en.md:10: ") {
		t.Errorf("got %v", err)
	}
}

func TestLoadChecksLayoutAndPhrases(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"a layout without the mail", "layout/customer.en.md", "Hello,\n", "layout/customer.en.md:1: a layout needs one line @body"},
		{"a layout with an unknown variable", "layout/customer.en.md", "Hello {{.nobody}},\n\n@body\n\nBye.\n", "layout/customer.en.md:1: variable nobody"},
		{"an unknown variable below the mail", "layout/customer.en.md", "Hello,\n\n@body\n\n{{.nobody}}\n", "layout/customer.en.md:5: variable nobody"},
		{"forbidden words in a layout", "layout/customer.en.md", "Hello,\n\n@body\n\nWe are here 24/7.\n", "layout/customer.en.md:5: service-hours"},
		{"a phrase in one language", "phrases/reject.yaml", "a:\n  en: {text: x.}\n", "phrases/reject.yaml:1: a needs text in both languages"},
		{"an unknown field of a phrase", "phrases/reject.yaml", "a:\n  fr: {text: x.}\n", "phrases/reject.yaml:2:"},
		{"forbidden words in a phrase", "phrases/reject.yaml", "\na:\n  en: {text: The document is forged and suspicious.}\n  zh-CN: {text: 资料无法辨认。}\n", "phrases/reject.yaml:2: confidential"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := small(t, head+"Words.\n")
			fsys[tt.file] = &fstest.MapFile{Data: []byte(tt.content)}
			if _, err := check(fsys); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestLoadTakesWindowsLineEnds(t *testing.T) {
	fsys := small(t, strings.ReplaceAll(head+"Words.\n\nMore.\n", "\n", "\r\n"))
	if _, err := check(fsys); err != nil {
		t.Error(err)
	}
}
