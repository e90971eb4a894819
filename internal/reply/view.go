package reply

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postdesk/internal/lang"
)

// The three spellings a text is searched in.
const (
	words   = iota // folded, blanks run together: for phrases of words
	dense          // folded, without blanks: for Chinese phrases with their punctuation
	letters        // folded letters, digits and sentence ends only: for single terms with anything between their letters
)

// view is one spelling of a text with the way back.
type view struct {
	text   string
	folded lang.Folded
	at     []int32 // for each byte of text and its end: where it stands in the folded text

	han, latin bool // holds Chinese characters, ASCII letters or digits
}

// source returns the span of the original text for a span of the view.
func (v view) source(s span) span {
	_, size := utf8.DecodeLastRuneInString(v.text[s.start:s.end])
	last := int(v.at[s.end-size])
	_, width := utf8.DecodeRuneInString(v.folded.Text[last:])
	start, _ := v.folded.Span(int(v.at[s.start]), int(v.at[s.start]))
	_, end := v.folded.Span(last, last+width)
	return span{start, max(end, start)}
}

func newViews(text string) [3]view {
	folded := lang.Fold(text)
	latin := lookalikes(folded.Text)
	var b viewBuilders
	blank := true
	for i, r := range folded.Text {
		if to, ok := latin[i]; ok {
			r = to
		}
		if unicode.IsSpace(r) {
			if !blank {
				b.space(spaceOf(folded.Text, i), i)
			}
			blank = true
			continue
		}
		blank = false
		b[words].add(r, i)
		b[dense].add(r, i)
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("。!?;", r) {
			b[letters].add(r, i)
		}
	}
	var out [3]view
	han := strings.ContainsFunc(folded.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	ascii := strings.ContainsAny(b[words].text.String(), "abcdefghijklmnopqrstuvwxyz0123456789")
	for i := range b {
		out[i] = view{b[i].text.String(), folded, append(b[i].at, int32(len(folded.Text))), han, ascii}
	}
	return out
}

// space adds a blank where words are divided, and the end of a paragraph where sentences are.
func (b *viewBuilders) space(r rune, at int) {
	b[words].add(r, at)
	if r == '\n' {
		b[dense].add(r, at)
	}
}

// spaceOf is a line feed for an empty line, which ends a sentence, and a blank for everything else.
func spaceOf(s string, i int) rune {
	rest := s[i:]
	run := rest[:len(rest)-len(strings.TrimLeftFunc(rest, unicode.IsSpace))]
	if strings.Count(run, "\n") > 1 {
		return '\n'
	}
	return ' '
}

type viewBuilders [3]viewBuilder

type viewBuilder struct {
	text strings.Builder
	at   []int32
}

func (b *viewBuilder) add(r rune, at int) {
	for range utf8.RuneLen(r) {
		b.at = append(b.at, int32(at))
	}
	b.text.WriteRune(r)
}

// similar maps letters of other scripts to the Latin ones they look like.
func similar() map[rune]rune {
	out := map[rune]rune{}
	from, to := []rune("аеорсухіјѕкмтвнԁӏοαεικρτυνχ"), []rune("aeopcyxijskmtbhdloaeikptuvx")
	for i, r := range from {
		out[r] = to[i]
	}
	return out
}

// lookalikes returns the Latin letters, by byte offset, for foreign look-alikes in words that also hold Latin letters.
func lookalikes(s string) map[int]rune {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cyrillic, unicode.Greek) }) {
		return nil
	}
	table, out, word, mixed := similar(), map[int]rune{}, map[int]rune{}, false
	for i, r := range s + " " {
		switch to, ok := table[r]; {
		case ok:
			word[i] = to
		case unicode.In(r, unicode.Latin):
			mixed = true
		case !unicode.IsLetter(r):
			for at, to := range word {
				if mixed {
					out[at] = to
				}
			}
			clear(word)
			mixed = false
		}
	}
	return out
}
