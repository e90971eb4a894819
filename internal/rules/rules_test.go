package rules_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"postdesk/internal/rules"
	"postdesk/internal/ticket"
)

const miniature = `
concepts:
  CLOSE: {negatable: true}
  ACCOUNT: {}
  WANT: {}
  LOCKED: {}
  NOT: {role: negation}
  NOT_AFTER: {role: negation_after}
  IF: {role: condition}
  DONE: {role: solved}
  BUT: {role: contrast}
  NUMBER: {role: label}
language: en
terms:
  CLOSE: close; clos*; shut .. down
  ACCOUNT: "{my|the|} account; account number"
  WANT: want; please
  LOCKED: "*locked"
  NOT: don't; not
  NOT_AFTER: nicht
  IF: if
  DONE: solved
  BUT: but
  NUMBER: number
`

func set(t *testing.T, rulesYAML string) *rules.Set {
	t.Helper()
	s, err := rules.Load(fstest.MapFS{"words.yaml": {Data: []byte(miniature)}, "z.yaml": {Data: []byte("rules:\n" + rulesYAML)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func held(d rules.Decision, id string) bool {
	for _, m := range d.Matched {
		if m.Rule == id {
			return true
		}
	}
	return false
}

func TestConstructs(t *testing.T) {
	cases := []struct {
		name, rule, body string
		want             bool
	}{
		{"concept", "{id: r, match: CLOSE, score: {closure: 5}}", "I will close it", true},
		{"term_needs_a_word_start", "{id: r, match: CLOSE, score: {closure: 5}}", "disclose it", false},
		{"star_opens_the_end", "{id: r, match: CLOSE, score: {closure: 5}}", "closing it", true},
		{"star_opens_the_start", "{id: r, match: LOCKED, score: {closure: 5}}", "it is unlocked", true},
		{"gap_within_a_term", "{id: r, match: CLOSE, score: {closure: 5}}", "shut the whole thing down", true},
		{"gap_too_wide", "{id: r, match: CLOSE, score: {closure: 5}}", "shut one two three four five six down", false},
		{"line_wrap_inside_a_term", "{id: r, match: ACCOUNT, score: {closure: 5}}", "this is\nabout my\naccount", true},
		{"near", "{id: r, match: CLOSE ~2 ACCOUNT, score: {closure: 5}}", "the account I close", true},
		{"not_near", "{id: r, match: CLOSE ~2 ACCOUNT, score: {closure: 5}}", "close one two three four the account", false},
		{"in_order", "{id: r, match: WANT > CLOSE, score: {closure: 5}}", "please close", true},
		{"out_of_order", "{id: r, match: WANT > CLOSE, score: {closure: 5}}", "close please", false},
		{"same_sentence", "{id: r, match: CLOSE & ACCOUNT, score: {closure: 5}}", "close now or later or never, that account", true},
		{"other_sentence", "{id: r, match: CLOSE & ACCOUNT, score: {closure: 5}}", "I close. That account.", false},
		{"whole_mail", "{id: r, scope: mail, match: CLOSE & ACCOUNT, score: {closure: 5}}", "I close. That account.", true},
		{"without", "{id: r, match: CLOSE & !WANT, score: {closure: 5}}", "please close", false},
		{"either", "{id: r, match: LOCKED | CLOSE, score: {closure: 5}}", "close", true},
		{"literal", "{id: r, match: \"'wind up; wont'\", score: {closure: 5}}", "wind up", true},
		{"literal_with_apostrophe", "{id: r, match: \"'don't care'\", score: {closure: 5}}", "i don't care", true},
		{"count", "{id: r, match: CLOSE*2, score: {closure: 5}}", "close, closing", true},
		{"count_of_one_word", "{id: r, match: CLOSE*2, score: {closure: 5}}", "close, close", false},
		{"negation", "{id: r, match: CLOSE, score: {closure: 5}}", "don't close", false},
		{"negation_after", "{id: r, match: CLOSE, score: {closure: 5}}", "close nicht", false},
		{"negation_ends_with_its_clause", "{id: r, match: CLOSE, score: {closure: 5}}", "I did not, close it", true},
		{"negated_on_purpose", "{id: r, match: NOT:CLOSE, score: {closure: 5}}", "do not close", true},
		{"typed_without_apostrophe", "{id: r, match: NOT:CLOSE, score: {closure: 5}}", "dont close", true},
		{"solved", "{id: r, match: CLOSE, score: {closure: 5}}", "close, that is solved", false},
		{"solved_ends_at_but", "{id: r, match: CLOSE, score: {closure: 5}}", "that is solved but close", true},
		{"condition_refused", "{id: r, match: CLOSE, not_in: [condition], score: {closure: 5}}", "if so, close", false},
		{"condition_required", "{id: r, match: CLOSE, only_in: [condition], score: {closure: 5}}", "close", false},
		{"question_refused", "{id: r, match: CLOSE, not_in: [question], score: {closure: 5}}", "close?", false},
		{"longer_term_hides", "{id: r, match: ACCOUNT & !NUMBER, score: {closure: 5}}", "account number", false},
		{"subject_only", "{id: r, match: 'subject:CLOSE', score: {closure: 5}}", "close", false},
		{"if_holds", "{id: r, match: CLOSE, if: 'language == \"en\"', score: {closure: 5}}", "please close it for me", true},
		{"if_fails", "{id: r, match: CLOSE, if: 'domain == \"example.org\"', score: {closure: 5}}", "close", false},
		{"if_with_a_missing_key", "{id: r, match: CLOSE, if: 'headers[\"x\"] == \"1\"', score: {closure: 5}}", "close", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := set(t, "  - "+c.rule+"\n").Classify(rules.Facts{From: "a@example.com", Body: c.body})
			if got := held(d, "r"); got != c.want {
				t.Errorf("rule held: %v, want %v", got, c.want)
			}
		})
	}
}

func TestReferenceToAnEarlierRule(t *testing.T) {
	s := set(t, "  - {id: a, match: CLOSE, score: {closure: 5}}\n  - {id: b, scope: mail, match: '@a & ACCOUNT', score: {closure: 1}}\n")
	if d := s.Classify(rules.Facts{Body: "close it. my account."}); !held(d, "b") {
		t.Error("b does not see that a held")
	}
}

func TestSecondary(t *testing.T) {
	s := set(t, "  - {id: l, match: LOCKED, score: {locked_account: 5}}\n  - {id: c, match: CLOSE, only_in: [condition], secondary: [closure]}\n")
	d := s.Classify(rules.Facts{Body: "It is locked. If it stays so I close."})
	if d.Category != ticket.LockedAccount || len(d.Secondary) != 1 || d.Secondary[0] != ticket.Closure {
		t.Errorf("category %s, secondary %v", d.Category, d.Secondary)
	}
}

func TestInheritedSubjectCountsLess(t *testing.T) {
	s := set(t, "  - {id: c, match: CLOSE, score: {closure: 5}}\n  - {id: l, match: LOCKED, score: {locked_account: 4}}\n")
	f := rules.Facts{Subject: "close it", Body: "it is locked"}
	if d := s.Classify(f); d.Category != ticket.Closure {
		t.Errorf("own subject: %s", d.Category)
	}
	for _, prefix := range []string{"Re: ", "AW: ", "回复：", "RE: Re: ", "Fwd: "} {
		f.Subject = prefix + "close it"
		if d := s.Classify(f); d.Category != ticket.LockedAccount {
			t.Errorf("%q: %s", f.Subject, d.Category)
		}
	}
}

func TestSpansAreExactSubstrings(t *testing.T) {
	s := set(t, "  - {id: r, match: CLOSE ~ ACCOUNT, score: {closure: 5}}\n")
	f := rules.Facts{Subject: "Re: Ünï — please CLOSE\u200b my Account", Body: "日本 Ｃｌｏｓｅ the ACCOUNT"}
	for _, m := range s.Classify(f).Matched {
		for _, span := range m.Spans {
			text := map[string]string{rules.FieldSubject: f.Subject, rules.FieldBody: f.Body}[span.Field]
			if got := string([]rune(text)[span.Start:span.End]); got != span.Text {
				t.Errorf("span %+v covers %q", span, got)
			}
		}
	}
}

func TestLoadErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"misspelt_field", "rules:\n  - id: a\n    mach: CLOSE\n", `x.yaml:3: unknown field "mach", expected one of id, about, match`},
		{"misspelt_concept", "rules:\n  - id: a\n    match: CLOS\n    score: {closure: 1}\n", `x.yaml:3: rule a: match: no concept "CLOS" (did you mean CLOSE?)`},
		{"open_parenthesis", "rules:\n  - id: a\n    match: (CLOSE\n", "x.yaml:3: rule a: match: expected ), found the end of"},
		{"unknown_category", "rules:\n  - id: a\n    match: CLOSE\n    score:\n      closing: 1\n", `found "closing"`},
		{"condition_type", "rules:\n  - id: a\n    if: size(subject)\n", "x.yaml:3: rule a: if: expected true or false, found int"},
		{"condition_name", "rules:\n  - id: a\n    if: subjct == ''\n", "x.yaml:3: rule a: if:"},
		{"only_negative", "rules:\n  - id: a\n    match: '!CLOSE'\n", "x.yaml:3: rule a: match: expected at least one concept"},
		{"twice", "rules:\n  - {id: a, match: CLOSE}\n  - {id: a, match: CLOSE}\n", "x.yaml:3: rule a is already declared at x.yaml:2"},
		{"term_of_no_concept", "language: en\nterms:\n  CLOZE: x\n", `x.yaml:3: no concept "CLOZE" (did you mean CLOSE?)`},
		{"brace", "language: en\nterms:\n  CLOSE: |\n    a; b\n    c{d\n", "x.yaml:5: term \"c{d\": { without }"},
		{"language", "language: xx\nterms:\n  CLOSE: a\n", "x.yaml:1: language: expected one of en"},
		{"role", "concepts:\n  A: {role: loud}\n", `x.yaml:2: concept A: expected a role of negation`},
		{"section", "rulez: []\n", "x.yaml:1: field rulez not found"},
		{"scope", "rules:\n  - id: a\n    match: CLOSE\n    scope: page\n", `x.yaml:4: rule a: scope: expected sentence or mail, found "page"`},
		{"mood", "rules:\n  - id: a\n    match: CLOSE\n    not_in: [angry]\n", `x.yaml:4: rule a: not_in: expected condition, solved, question or reported, found "angry"`},
		{"provided", "rules:\n  - id: a\n    match: CLOSE\n    provided: shoes\n", `x.yaml:4: rule a: provided: expected one of account_id`},
		{"calibration", "calibration:\n  - {margin: 2, confidence: 0.9}\n  - {margin: 1, confidence: 0.95}\n", "x.yaml:3: calibration: expected rising"},
		{"hint", "hints:\n  CLOZE: {closure: 1}\n", `x.yaml:2: hints: no concept "CLOZE"`},
		{"yaml", "rules: [\n", "x.yaml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := rules.Load(fstest.MapFS{"a.yaml": {Data: []byte(miniature)}, "x.yaml": {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant   %s", err, c.want)
			}
		})
	}
}

func TestExamplesAreRun(t *testing.T) {
	s := set(t, "  - id: r\n    match: CLOSE\n    score: {closure: 5}\n    examples: [close it, nothing here]\n    counter: [\"don't close it\", please close]\n")
	failures := s.Test()
	if len(failures) != 2 || failures[0].Where != "z.yaml:5" || !failures[0].Want || failures[1].Want {
		t.Errorf("failures %v", failures)
	}
}

func TestVersionFollowsTheFiles(t *testing.T) {
	a, b := set(t, "  - {id: r, match: CLOSE}\n"), set(t, "  - {id: r, match: CLOSE }\n")
	if a.Version() == b.Version() || a.Version() != set(t, "  - {id: r, match: CLOSE}\n").Version() {
		t.Errorf("versions %s and %s", a.Version(), b.Version())
	}
}

func TestActions(t *testing.T) {
	s := set(t, "  - {id: a, match: CLOSE, priority: high, tags: [x], score: {closure: 5}}\n  - {id: b, match: CLOSE, priority: urgent, queue: q, tags: [x, y], hold: true, request: [id], template: k, flag: f}\n")
	d := s.Classify(rules.Facts{Body: "close"})
	got := d.Actions
	if got.Priority != "urgent" || got.Queue != "q" || strings.Join(got.Tags, ",") != "x,y" || !got.Hold || got.Template != "k" || !d.Hold() {
		t.Errorf("actions %+v", got)
	}
	if names := d.FlagNames(); len(names) != 1 || names[0] != "f" || d.Flags[0].Spans[0].Text != "close" {
		t.Errorf("flags %+v", d.Flags)
	}
}

func TestExplain(t *testing.T) {
	f := rules.Facts{Subject: "Please close", Body: "my account, please."}
	s := set(t, "  - {id: r, match: CLOSE, score: {closure: 5}}\n")
	var plain, colored bytes.Buffer
	if err := rules.Explain(&plain, s.Classify(f), f, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"closure  confidence", "Please [close]", "r  closure +5.0", "“close”"} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("no %q in\n%s", want, plain.String())
		}
	}
	if rules.Explain(&colored, s.Classify(f), f, true); !strings.Contains(colored.String(), "\x1b[1;33mclose\x1b[0m") {
		t.Errorf("no colour in %q", colored.String())
	}
}

func TestExtraction(t *testing.T) {
	s := load(t)
	cases := []struct{ body, account, amount, tx string }{
		{"My account number is 90112847, I topped up £300 yesterday.", "90112847", "£300", ""},
		{"提现 3,600元 到工商银行卡，单号W2024120400912，五天没到", "", "3,600元", "W2024120400912"},
		{"I withdrew 400 GBP (CO-77194), fee 5 GBP, and only 391 arrived", "", "400 GBP", "CO-77194"},
		{"USDT hash 7c1e9f04b2a86d53e0f71a9c64b85d2e3f90a17c5b6d48e2f03a91c7d5e6b8a4", "", "", "7c1e9f04b2a86d53e0f71a9c64b85d2e3f90a17c5b6d48e2f03a91c7d5e6b8a4"},
		{"username fx_snow, ticket 48213, call me on 07700900123", "fx_snow", "", ""},
		{"my card ending 4417 was declined for $23.10", "", "$23.10", ""},
		{"вывод 45 000 руб, номер WD-RU-220934", "", "45 000 руб", "WD-RU-220934"},
		{"please answer within 24 hours", "", "", ""},
	}
	for _, c := range cases {
		f := s.Classify(rules.Facts{Body: c.body}).Facts
		if f.AccountID.Text != c.account || f.Amount.Text != c.amount || f.TxID.Text != c.tx {
			t.Errorf("%q: account %q, amount %q, txid %q", c.body, f.AccountID.Text, f.Amount.Text, f.TxID.Text)
		}
	}
}

func TestProvided(t *testing.T) {
	d := load(t).Classify(rules.Facts{
		Subject:     "Re: your closure request",
		Body:        "Account 88203316. The balance is zero and I exported my statements. I will send the utility bill later.",
		Attachments: []rules.Attachment{{Filename: "passport.jpg"}},
	})
	got := strings.Join(d.Line("x").Provided, " ")
	if want := "account_id zero_balance_statement identity_document statement_backup"; d.Category != ticket.Closure || !sameWords(got, want) {
		t.Errorf("category %s, provided %s", d.Category, got)
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestKindDecides(t *testing.T) {
	d := load(t).Classify(rules.Facts{Subject: "close my account", Body: "please close my account", Kind: "auto_reply"})
	if d.Category != ticket.Other {
		t.Errorf("an automatic reply is filed as %s", d.Category)
	}
}
