package reply

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Severity of a remark.
type Severity string

const (
	Warn  Severity = "warn"  // a person should look at it before it is sent
	Block Severity = "block" // must not be sent
)

// Remark is one fault of wording. Start and End count Unicode code points of the text, End is exclusive.
type Remark struct {
	Start    int      `json:"start"`
	End      int      `json:"end"`
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Hint     string   `json:"hint"` // in the language of the text
}

// Options of Lint; the zero value is for a text a person has written.
type Options struct {
	Template bool     // a template: every remark blocks, and every exclamation mark is one
	Strict   bool     // words about checks, reports and authorities block instead of warn
	Allowed  []string // texts of the configuration, which may promise what they say and give telephone numbers
}

// Lint remarks on wording that must not, or should not, reach a customer. Lang is the BCP 47 tag of the text; both languages
// are looked for in any case. The rules:
//
//   - confidential: words from which a customer could learn that a report, an analysis or an authority is involved. Informing
//     a customer of that is forbidden by anti-money-laundering law, and so is the denial. Found also in Traditional
//     characters, in pinyin, with blanks or marks between the letters, in full width and with look-alike letters.
//   - singled-out: that this case is treated unlike others
//   - secret-asked: asks for a password, code, full card number, key or recovery phrase (always blocks)
//   - card-number: a number that can be a full payment card number
//   - link: shortened, referral or unencrypted address (always blocks)
//   - threat (always blocks), blame, marketing, emoji, exclamation, informal (你 for 您)
//   - promise-time, promise-outcome, service-hours, phone: promises the configuration does not make
//   - unsafe-advice: to remove a protection of the account
//
// The remarks are in the order of the text.
func Lint(text, lang string, opts Options) []Remark {
	l := newLinter(text, lang, opts)
	for _, r := range lintRules() {
		l.apply(r)
	}
	l.symbols()
	l.cardNumbers()
	return l.finish()
}

// Lint is the function Lint for a text an agent writes in the name of the set's brand: what the brand's configuration says may
// be said. Strict is Options.Strict.
func (s *Set) Lint(text, lang string, strict bool) []Remark {
	return Lint(text, lang, Options{Strict: strict, Allowed: []string{s.brand.SLAText[Language(lang)], s.brand.SupportPhone}})
}

// Blocks reports whether one of the remarks must stop the text.
func Blocks(remarks []Remark) bool {
	return slices.ContainsFunc(remarks, func(r Remark) bool { return r.Severity == Block })
}

type linter struct {
	text    string
	lang    string
	opts    Options
	views   [3]view
	allowed []span // of the text, in bytes
	found   []hit
}

type span struct{ start, end int }

func (s span) overlaps(o span) bool { return s.start < o.end && o.start < s.end }

type hit struct {
	span
	rule lintRule
}

func newLinter(text, lang string, opts Options) *linter {
	l := &linter{text: text, lang: Language(lang), opts: opts, views: newViews(text)}
	for _, a := range opts.Allowed {
		l.allow(a)
	}
	return l
}

// allow notes every place where a text of the configuration stands.
func (l *linter) allow(a string) {
	if a = strings.TrimSpace(a); a == "" {
		return
	}
	for from := 0; ; {
		i := strings.Index(l.text[from:], a)
		if i < 0 {
			return
		}
		l.allowed = append(l.allowed, span{from + i, from + i + len(a)})
		from += i + len(a)
	}
}

func (l *linter) apply(r lintRule) {
	if r.templateOnly && !l.opts.Template {
		return
	}
	v := l.views[r.view]
	if (r.view == dense && !v.han) || (r.view == words && !v.latin) {
		return
	}
	found := r.match(v.text)
	if len(found) == 0 {
		return
	}
	spared := r.except.all(v.text)
	for _, m := range found {
		if !slices.ContainsFunc(spared, m.overlaps) {
			l.add(r, v.source(m))
		}
	}
}

func (l *linter) add(r lintRule, s span) {
	if r.configurable && slices.ContainsFunc(l.allowed, s.overlaps) {
		return
	}
	l.found = append(l.found, hit{s, r})
}

// finish joins remarks of one rule that overlap and counts in code points.
func (l *linter) finish() []Remark {
	slices.SortStableFunc(l.found, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.rule.name, b.rule.name))
	})
	var joined []hit
	last := map[string]int{} // rule: its latest remark in joined
	for _, h := range l.found {
		if i, seen := last[h.rule.name]; seen && h.start < joined[i].end {
			joined[i].end = max(joined[i].end, h.end)
			continue
		}
		last[h.rule.name] = len(joined)
		joined = append(joined, h)
	}
	var out []Remark
	for _, h := range joined {
		out = append(out, Remark{
			Start: utf8.RuneCountInString(l.text[:h.start]), End: utf8.RuneCountInString(l.text[:h.end]),
			Rule: h.rule.name, Severity: l.severity(h.rule), Hint: h.rule.hint(l.lang),
		})
	}
	return out
}

func (l *linter) severity(r lintRule) Severity {
	if l.opts.Template || r.always || (r.confidential && l.opts.Strict) {
		return Block
	}
	return Warn
}
