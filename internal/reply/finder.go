package reply

import (
	"regexp"
	"slices"
	"strings"
)

// finder finds a set of terms. Every term is an expression of its own, because the expression engine skips quickly to the
// literal characters a term begins with and cannot do so in a long alternation.
type finder struct {
	terms []*regexp.Regexp
	whole bool   // a match begins at the start of a word
	needs string // without this the text cannot match
}

// anyOf finds the terms anywhere.
func anyOf(terms ...string) *finder { return newFinder(false, "", terms) }

// wordsOf finds the terms as whole words.
func wordsOf(terms ...string) *finder { return newFinder(true, `\b`, terms) }

// after finds any of the openings followed by the rest.
func after(openings []string, rest string) *finder {
	terms := make([]string, len(openings))
	for i, o := range openings {
		terms[i] = o + rest
	}
	return newFinder(true, "", terms)
}

func newFinder(whole bool, end string, terms []string) *finder {
	f := &finder{whole: whole}
	for _, t := range terms {
		for _, one := range openingsOf(t) {
			f.terms = append(f.terms, regexp.MustCompile(one+end))
		}
	}
	return f
}

// openingsOf splits a term that begins with a simple group, (?:a|b)c, into ac and bc.
func openingsOf(term string) []string {
	rest, grouped := strings.CutPrefix(term, "(?:")
	inner, tail, closed := strings.Cut(rest, ")")
	if !grouped || !closed || strings.Contains(inner, "(") || strings.HasPrefix(tail, "?") || strings.HasPrefix(tail, "*") {
		return []string{term}
	}
	var out []string
	for option := range strings.SplitSeq(inner, "|") {
		out = append(out, option+tail)
	}
	return out
}

func (f *finder) all(text string) []span {
	if f == nil || !strings.Contains(text, f.needs) {
		return nil
	}
	var out []span
	for _, re := range f.terms {
		for _, m := range re.FindAllStringIndex(text, -1) {
			if !f.whole || !inWord(text, m[0]) {
				out = append(out, span{m[0], m[1]})
			}
		}
	}
	return out
}

// inWord reports whether the place is in the middle of a word of ASCII letters and digits.
func inWord(text string, at int) bool {
	return at > 0 && at < len(text) && isWordByte(text[at-1]) && isWordByte(text[at])
}

func isWordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_'
}

// needing returns the finder with a text that must occur for it to be tried at all.
func (f *finder) needing(text string) *finder {
	g := *f
	g.terms, g.needs = slices.Clone(f.terms), text
	return &g
}
