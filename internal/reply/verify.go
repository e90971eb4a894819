package reply

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Verify writes every template with its samples, in every variation of its choices and with and without what is optional. The
// error names file and line of everything that is wrong with the results: markup that does not parse, a sample that does not suit
// its type, wording that Lint remarks on, a mail without words. It takes several times as long as Load: it is for whoever changes
// templates, and for tests, not for the start of a program.
func (s *Set) Verify() error {
	v := verifier{set: s, seen: map[string]bool{}}
	for _, key := range s.Keys() {
		for _, lang := range Languages() {
			src := s.sources[key][lang]
			for _, data := range variations(src) {
				v.mail(src, data)
			}
			v.lint(src.lang, settings(src))
		}
	}
	v.phrases()
	if len(v.problems) > 0 {
		return fmt.Errorf("verify templates: %w", errors.Join(unique(v.problems)...))
	}
	return nil
}

// verifier remarks on each text once, however many variations it occurs in. It collects the texts of a file and looks at them in
// one go, which costs a fraction of looking at each.
type verifier struct {
	set      *Set
	seen     map[string]bool
	pending  []piece
	problems []error
}

// piece is a text and the file and line it stands on.
type piece struct{ where, text string }

func (v *verifier) fault(format string, args ...any) {
	v.problems = append(v.problems, fmt.Errorf(format, args...))
}

// variations are the data sets that reach every branch of a condition on one variable.
func variations(src *source) []map[string]any {
	full, least := sample(src.all, src.lang, true), sample(src.all, src.lang, false)
	out := []map[string]any{full, least}
	for _, v := range src.Variables {
		for _, choice := range v.Values {
			for _, base := range []map[string]any{full, least} {
				data := maps.Clone(base)
				data[v.Name] = choice
				out = append(out, data)
			}
		}
		if v.Optional {
			data := maps.Clone(full)
			delete(data, v.Name)
			out = append(out, data)
		}
	}
	return out
}

func (v *verifier) mail(src *source, data map[string]any) {
	d, values, err := v.draft(src, data)
	if err != nil {
		v.problems = append(v.problems, located(src, err))
		return
	}
	if len(d.body.blocks) == 0 {
		v.fault("%s:1: a mail without words", src.file)
		return
	}
	l := v.set.layouts[src.To][src.lang]
	v.text(src.at("subject"), headerText(resolve(d.subject, values, value.plain)))
	v.page(l.above, d.above)
	v.page(src, d.body)
	v.page(l.below, d.below)
}

func (v *verifier) draft(src *source, data map[string]any) (draft, []value, error) {
	bound, values, err := v.set.bind(src, data)
	if err != nil {
		return draft{}, nil, err
	}
	d, err := draftOf(src, v.set.layouts[src.To][src.lang], bound, values)
	return d, values, err
}

// located gives an error of the sample data the place of the file it belongs to.
func located(src *source, err error) error {
	if strings.HasPrefix(err.Error(), src.file) || strings.HasPrefix(err.Error(), "layout/") {
		return err
	}
	return fmt.Errorf("%s:1: with the sample data: %w", src.file, err)
}

func (v *verifier) page(src *source, p page) {
	numbered := 0
	for _, b := range p.blocks {
		where := fmt.Sprintf("%s:%d", src.file, b.line)
		if b.kind == numbers {
			numbered++
		}
		if numbered > 1 && b.kind == numbers {
			v.fault("%s: a mail has one numbered list of actions at most", where)
		}
		if p.proseInside(b) {
			v.fault("%s: prose must be a paragraph of its own", where)
		}
		v.text(where, p.blockText(b))
	}
}

// proseInside reports a prose value that is not a paragraph of its own.
func (p page) proseInside(b block) bool {
	if _, ok := p.prose(b); ok && b.kind == paragraph {
		return false
	}
	for _, item := range b.items {
		if p.holdsProse(item) {
			return true
		}
	}
	return false
}

func (p page) holdsProse(items []inline) bool {
	return slices.ContainsFunc(items, func(in inline) bool {
		return in.kind == datum && p.values[in.value].typ == typeProse || p.holdsProse(in.kids)
	})
}

// text notes a text to be looked at.
func (v *verifier) text(where, text string) {
	key := where + "\x00" + text
	if !v.seen[key] {
		v.seen[key] = true
		v.pending = append(v.pending, piece{where, text})
	}
}

// pieceEnd keeps words of two pieces from being taken for one: it ends a sentence in every spelling Lint reads.
const pieceEnd = "\n\n。\n\n"

// lint looks at the pending texts.
func (v *verifier) lint(lang string, allowed []string) {
	var all strings.Builder
	starts := make([]int, len(v.pending))
	for i, p := range v.pending {
		starts[i] = utf8.RuneCountInString(all.String())
		all.WriteString(p.text + pieceEnd)
	}
	for _, r := range Lint(all.String(), lang, Options{Template: true, Allowed: allowed}) {
		i, exact := slices.BinarySearch(starts, r.Start)
		if !exact {
			i--
		}
		v.fault("%s: %s: %q: %s", v.pending[i].where, r.Rule, string([]rune(all.String())[r.Start:r.End]), r.Hint)
	}
	v.pending = v.pending[:0]
}

// settings are the sample texts that stand for configuration: what they promise, the configuration promises. The names of the
// brand promise nothing.
func settings(src *source) []string {
	var out []string
	for _, v := range src.all {
		text, ok := v.sample[src.lang].(string)
		if ok && v.Type == typeSetting && v.Name != "brand" && v.Name != "official_domain" {
			out = append(out, text)
		}
	}
	return out
}

func (v *verifier) phrases() {
	for _, lang := range Languages() {
		for _, group := range slices.Sorted(maps.Keys(v.set.phrases)) {
			for _, code := range v.set.Codes(group) {
				p := v.set.phrases[group][code]
				said := p.in(lang)
				v.text(fmt.Sprintf("%s:%d", p.file, p.line), said.Text+" "+said.How)
			}
		}
		v.lint(lang, nil)
	}
}

func unique(problems []error) []error {
	seen := map[string]bool{}
	var out []error
	for _, p := range problems {
		if !seen[p.Error()] {
			seen[p.Error()] = true
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return out
}
