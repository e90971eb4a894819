package reply

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// verify writes every template with its samples, in every variation of its choices and with and without what is optional, and
// remarks on what is wrong with the result.
func (s *Set) verify() []error {
	v := verifier{set: s, seen: map[string]bool{}}
	for _, key := range s.Keys() {
		for _, lang := range Languages() {
			src := s.sources[key][lang]
			for _, data := range variations(src) {
				v.mail(src, data)
			}
		}
	}
	v.phrases()
	return unique(v.problems)
}

// verifier remarks on each text once, however many variations it occurs in.
type verifier struct {
	set      *Set
	seen     map[string]bool
	problems []error
}

func (v *verifier) fault(format string, args ...any) {
	v.problems = append(v.problems, fmt.Errorf(format, args...))
}

// variations are the data sets that reach every branch of a condition on one variable.
func variations(src *source) []map[string]any {
	vars := append(Common(), src.Variables...)
	full, least := sample(vars, src.lang, true), sample(vars, src.lang, false)
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
	d, err := v.set.draft(src, data)
	if err != nil {
		v.problems = append(v.problems, located(src, err))
		return
	}
	if len(d.body.blocks) == 0 {
		v.fault("%s:1: a mail without words", src.file)
		return
	}
	opts := Options{Template: true, Allowed: settings(src, data)}
	l := v.set.layouts[src.To][src.lang]
	v.text(src.at("subject"), d.subject, src.lang, opts)
	v.page(l.above, d.above, opts)
	v.page(src, d.body, opts)
	v.page(l.below, d.below, opts)
}

// located gives an error of the sample data the place of the file it belongs to.
func located(src *source, err error) error {
	if strings.HasPrefix(err.Error(), src.file) || strings.HasPrefix(err.Error(), "layout/") {
		return err
	}
	return fmt.Errorf("%s:1: with the sample data: %w", src.file, err)
}

func (v *verifier) page(src *source, p page, opts Options) {
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
		v.text(where, p.blockText(b), src.lang, opts)
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

func (v *verifier) text(where, text, lang string, opts Options) {
	key := where + "\x00" + text
	if v.seen[key] {
		return
	}
	v.seen[key] = true
	for _, r := range Lint(text, lang, opts) {
		v.fault("%s: %s: %q: %s", where, r.Rule, string([]rune(text)[r.Start:r.End]), r.Hint)
	}
}

// settings are the sample texts that stand for configuration: what they promise, the configuration promises.
func settings(src *source, data map[string]any) []string {
	var out []string
	for _, v := range append(Common(), src.Variables...) {
		if text, ok := data[v.Name].(string); ok && v.Type == typeSetting {
			out = append(out, text)
		}
	}
	return out
}

func (v *verifier) phrases() {
	for _, group := range v.set.phrases {
		for _, p := range group {
			where := fmt.Sprintf("%s:%d", p.file, p.line)
			v.text(where, p.Chinese.Text+" "+p.Chinese.How, Chinese, Options{Template: true})
			v.text(where, p.English.Text+" "+p.English.How, English, Options{Template: true})
		}
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
