package lang

import (
	"unicode"
	"unicode/utf8"
)

// maxTerm is the length in bytes beyond which a run of letters is no word
// that anybody searches for.
const maxTerm = 64

// Terms returns the search terms of s, folded, each once, in order of first
// appearance. Scripts with spaces give words (letters and digits); scripts
// without give every character and every pair of neighbours. The terms of a
// query are found in the terms of a text that contains it.
func Terms(s string) []string {
	t := terms{seen: make(map[string]struct{})}
	text := Fold(s).Text
	word := -1
	var last string
	for i, r := range text {
		switch {
		case dense(r):
			word, last = t.word(text, word, i), t.character(text, i, r, last)
			continue
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r) && word >= 0:
			if word < 0 {
				word = i
			}
		default:
			word = t.word(text, word, i)
		}
		last = ""
	}
	t.word(text, word, len(text))
	return t.list
}

type terms struct {
	list []string
	seen map[string]struct{}
}

func (t *terms) add(term string) {
	if _, ok := t.seen[term]; ok {
		return
	}
	t.seen[term] = struct{}{}
	t.list = append(t.list, term)
}

// word ends the word that began at start (-1: none) and returns -1.
func (t *terms) word(text string, start, end int) int {
	if start >= 0 && end-start <= maxTerm {
		t.add(text[start:end])
	}
	return -1
}

func (t *terms) character(text string, i int, r rune, last string) string {
	one := text[i : i+utf8.RuneLen(r)]
	t.add(one)
	if last != "" {
		t.add(text[i-len(last) : i+len(one)])
	}
	return one
}

// dense reports whether r belongs to a script written without spaces between
// words, or, for Hangul, with endings joined to the word.
func dense(r rune) bool {
	if r < 0xe00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer) && unicode.IsLetter(r)
}
