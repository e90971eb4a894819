package rules_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"postdesk/internal/rules"
)

func FuzzLoad(f *testing.F) {
	f.Add(miniature)
	f.Add("rules:\n  - {id: a, match: CLOSE ~3 (ACCOUNT | 'x') & !WANT}\n")
	f.Add("hints:\n  NOT:CLOSE: {closure: 1}\n")
	f.Add("rules:\n  - {id: a, if: 'subject.matches(\"a\")'}\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := rules.Load(fstest.MapFS{"a.yaml": {Data: []byte(miniature)}, "x.yaml": {Data: []byte(text)}})
		if err == nil {
			set.Classify(rules.Facts{Subject: "Re: close", Body: text})
			set.Test()
		}
	})
}

func FuzzClassify(f *testing.F) {
	set := load(f)
	f.Add("Re: 提现", "提现 3,600元 没到 \xff\u200bWD-1 \U0001F600", "passport.jpg")
	f.Add("AW: Konto", "Ich kann mich nicht einloggen.\n\n> alt", "身份证.jpg")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, subject, body, file string) {
		d := set.Classify(rules.Facts{Subject: subject, Body: body, Attachments: []rules.Attachment{{Filename: file}}})
		if d.Confidence < 0 || d.Confidence > 1 {
			t.Fatalf("confidence %v", d.Confidence)
		}
		texts := map[string]string{rules.FieldSubject: subject, rules.FieldBody: body, "attachment:0": file}
		for _, m := range d.Line("").Matched {
			if !strings.Contains(texts[m.Field], m.Text) {
				t.Fatalf("%q is not in the %s %q", m.Text, m.Field, texts[m.Field])
			}
		}
		for _, s := range []rules.Span{d.Facts.AccountID, d.Facts.Amount, d.Facts.TxID} {
			if !strings.Contains(texts[s.Field], s.Text) {
				t.Fatalf("%q is not in the %s", s.Text, s.Field)
			}
		}
	})
}
