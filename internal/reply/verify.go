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
	var problems []error
	for _, key := range s.Keys() {
		for _, lang := range Languages() {
			src := s.sources[key][lang]
			for _, data := range variations(src) {
				problems = append(problems, s.verifyMail(src, data)...)
			}
		}
	}
	return unique(append(problems, s.verifyPhrases()...))
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

func (s *Set) verifyMail(src *source, data map[string]any) []error {
	d, err := s.draft(src, data)
	if err != nil {
		return []error{located(src, err)}
	}
	if len(d.body.blocks) == 0 {
		return []error{fmt.Errorf("%s:1: a mail without words", src.file)}
	}
	opts := Options{Template: true, Allowed: settings(src, data)}
	problems := lintProblems(src.at("subject"), d.subject, src.lang, opts)
	l := s.layouts[src.To][src.lang]
	problems = append(problems, verifyPage(l.above, d.above, opts)...)
	problems = append(problems, verifyPage(l.below, d.below, opts)...)
	return append(problems, verifyPage(src, d.body, opts)...)
}

// located gives an error of the sample data the place of the file it belongs to.
func located(src *source, err error) error {
	if strings.HasPrefix(err.Error(), src.file) || strings.HasPrefix(err.Error(), "layout/") {
		return err
	}
	return fmt.Errorf("%s:1: with the sample data: %w", src.file, err)
}

func verifyPage(src *source, p page, opts Options) []error {
	var problems []error
	numbered := 0
	for _, b := range p.blocks {
		where := fmt.Sprintf("%s:%d", src.file, b.line)
		if b.kind == numbers {
			numbered++
		}
		if numbered > 1 && b.kind == numbers {
			problems = append(problems, fmt.Errorf("%s: a mail has one numbered list of actions at most", where))
		}
		if p.proseInside(b) {
			problems = append(problems, fmt.Errorf("%s: prose must be a paragraph of its own", where))
		}
		problems = append(problems, lintProblems(where, p.blockText(b), src.lang, opts)...)
	}
	return problems
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

func lintProblems(where, text, lang string, opts Options) []error {
	var problems []error
	for _, r := range Lint(text, lang, opts) {
		words := string([]rune(text)[r.Start:r.End])
		problems = append(problems, fmt.Errorf("%s: %s: %q: %s", where, r.Rule, words, r.Hint))
	}
	return problems
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

func (s *Set) verifyPhrases() []error {
	var problems []error
	for _, group := range s.phrases {
		for _, p := range group {
			where := fmt.Sprintf("%s:%d", p.file, p.line)
			problems = append(problems, lintProblems(where, p.Chinese.Text+" "+p.Chinese.How, Chinese, Options{Template: true})...)
			problems = append(problems, lintProblems(where, p.English.Text+" "+p.English.How, English, Options{Template: true})...)
		}
	}
	return problems
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
