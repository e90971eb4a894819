package lang

import (
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Folded is text brought into one spelling for comparison, with the way back
// to the text it was made from.
type Folded struct {
	Text   string // the folded text
	Source string // the text it was made from
	steps  []step
}

// step says that the folded text from `folded` on continues at `source`. Up
// to the next step both advance by the same number of bytes.
type step struct{ folded, source int32 }

// Span maps the byte range [start, end) of f.Text to the byte range of
// f.Source that it came from. Both ends are put on rune boundaries; a range
// outside the text is cut to it.
func (f Folded) Span(start, end int) (int, int) {
	return f.at(start), f.at(end)
}

func (f Folded) at(pos int) int {
	pos = min(max(pos, 0), len(f.Text))
	i := sort.Search(len(f.steps), func(i int) bool { return int(f.steps[i].folded) > pos })
	source := pos
	if i > 0 {
		source = int(f.steps[i-1].source) + pos - int(f.steps[i-1].folded)
	}
	limit := len(f.Source)
	if i < len(f.steps) {
		limit = int(f.steps[i].source)
	}
	source = min(source, limit)
	for source > 0 && source < len(f.Source) && !utf8.RuneStart(f.Source[source]) {
		source--
	}
	return source
}

// Fold brings s into the one spelling that texts are compared in: Unicode
// compatibility form (NFKC, so full and half width are one), lower case,
// Latin, Greek and Arabic letters without accents and points, Cyrillic ё as
// е, Traditional Chinese characters as Simplified ones, typographic quotes and
// dashes as the ASCII ones, invisible characters gone. Line breaks stay.
// Invalid UTF-8 becomes U+FFFD.
func Fold(s string) Folded {
	f := folder{table: letters(), han: han(), out: make([]byte, 0, len(s)+8)}
	f.fold(s)
	return Folded{Text: string(f.out), Source: s, steps: f.steps}
}

// FoldString is Fold for callers that need no way back.
func FoldString(s string) string { return Fold(s).Text }

type folder struct {
	table *letterTable
	han   *hanTables
	out   []byte
	steps []step
	delta int // source offset minus folded offset where the text now stands
}

func (f *folder) fold(s string) {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf) {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			f.mark(i)
			f.out = append(f.out, c)
			i++
			continue
		}
		i += f.segment(s, i)
	}
	f.mark(len(s))
}

// mark notes where the source stands if it is not where the last step says.
func (f *folder) mark(source int) {
	if delta := source - len(f.out); delta != f.delta {
		f.steps = append(f.steps, step{int32(len(f.out)), int32(source)})
		f.delta = delta
	}
}

// segment folds one character with the marks that follow it and returns how
// many bytes of s it took.
func (f *folder) segment(s string, i int) int {
	r, size := utf8.DecodeRuneInString(s[i:])
	f.mark(i)
	if followedByMark(s[i+size:]) {
		return f.normalise(s, i)
	}
	switch {
	case inHan(r):
		if to := f.han.simplified[r-hanFirst]; to != 0 {
			r = rune(to)
		}
		f.out = utf8.AppendRune(f.out, r)
	case r >= 0xac00 && r <= 0xd7a3, r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fc:
		f.out = append(f.out, s[i:i+size]...)
	case r < letterLimit:
		f.out = append(f.out, f.table.fold[r]...)
	default:
		return f.normalise(s, i)
	}
	return size
}

// followedByMark reports whether rest begins with a character that joins the
// one before it: combining marks and the half-width voicing marks of Japanese.
func followedByMark(rest string) bool {
	if rest == "" || rest[0] < 0xcc {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	if r < 0x300 || inHan(r) {
		return false
	}
	return r < 0x370 || r == 0xff9e || r == 0xff9f || unicode.Is(unicode.Mn, r) || r >= 0x1100 && r < 0x1200
}

func (f *folder) normalise(s string, i int) int {
	n := norm.NFKC.NextBoundaryInString(s[i:], true)
	if n <= 0 {
		n = len(s) - i
	}
	for _, r := range norm.NFKC.String(strings.ToValidUTF8(s[i:i+n], "\uFFFD")) {
		f.out = append(f.out, f.rune(r)...)
	}
	return n
}

func (f *folder) rune(r rune) string {
	if r < letterLimit {
		return f.table.fold[r]
	}
	if inHan(r) {
		if to := f.han.simplified[r-hanFirst]; to != 0 {
			return string(rune(to))
		}
	}
	return foldRune(r)
}

// letterLimit ends the range that is looked up: Latin, Greek, Cyrillic,
// Hebrew, Arabic, Thai, the Latin letters of Vietnamese and general
// punctuation.
const letterLimit = 0x2070

type letterTable struct{ fold [letterLimit]string }

var letters = sync.OnceValue(func() *letterTable {
	t := new(letterTable)
	for r := rune(0); r < letterLimit; r++ {
		t.fold[r] = foldRune(r)
	}
	return t
})

// spelling lists what Unicode's own forms do not bring together.
var spelling = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o",
	'đ': "d", 'Đ': "d", 'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ł': "l", 'Ł': "l", 'ı': "i", 'İ': "i",
	'ё': "е", 'Ё': "е",
	'أ': "ا", 'إ': "ا", 'آ': "ا", 'ٱ': "ا", 'ى': "ي", 'ة': "ه", 'ؤ': "و", 'ئ': "ي", 'ـ': "",
	'ی': "ي", 'ک': "ك",
	'‘': "'", '’': "'", '‚': "'", '‛': "'", '´': "'", '′': "'",
	'“': "\"", '”': "\"", '„': "\"", '‟': "\"", '«': "\"", '»': "\"", '″': "\"",
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-",
	'\u00ad': "", '\u200b': "", '\u200c': "", '\u200d': "", '\u2060': "", '\ufeff': "",
	'\u200e': "", '\u200f': "", '\u202a': "", '\u202b': "", '\u202c': "", '\u202d': "", '\u202e': "",
	'\u2066': "", '\u2067': "", '\u2068': "", '\u2069': "",
	'\u2028': "\n", '\u2029': "\n", '\u0085': "\n",
	'…': "...",
}

// foldRune is the slow path that fills the table: case, compatibility form,
// then the accents of scripts in which customers leave them out.
func foldRune(r rune) string {
	if to, ok := spelling[r]; ok {
		return to
	}
	text := norm.NFKC.String(string(unicode.ToLower(r)))
	if !accented(r) {
		return strings.ToLower(text)
	}
	var out strings.Builder
	for _, part := range norm.NFD.String(text) {
		if to, ok := spelling[part]; ok {
			out.WriteString(to)
		} else if !unicode.Is(unicode.Mn, part) {
			out.WriteRune(unicode.ToLower(part))
		}
	}
	return out.String()
}

func accented(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Arabic, unicode.Hebrew) ||
		r >= 0x300 && r < 0x370 || r >= 0x64b && r <= 0x65f || r == 0x670
}
