package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postdesk/internal/lang"
)

// readLimit is how many bytes of a body are read; a topic is told before that.
const readLimit = 24 << 10

// reading is a mail laid out for matching: folded, white space and line breaks as single blanks, hyphens between letters
// as blanks, cut into sentences and clauses in whatever script. All fields stand in one buffer.
type reading struct {
	fields []fieldText
	buf    []byte
	pos    []int32 // by byte of buf: offset in the field's folded text
	unit   []int32 // by byte of buf: running length; a word counts 2, a character of a script without blanks 1
	sents  []piece
	clause []int32 // starts of clauses, ascending
}

type fieldText struct {
	name       string
	source     string
	folded     lang.Folded
	start, end int32 // in buf
	before     int   // code points of the field that stand before source: reply prefixes
}

// piece is a stretch of buf: a sentence.
type piece struct {
	start, end int32
	field      int32
	question   bool
}

func (r *reading) reset() {
	r.fields, r.buf, r.pos, r.unit, r.sents, r.clause = r.fields[:0], r.buf[:0], r.pos[:0], r.unit[:0], r.sents[:0], r.clause[:0]
}

// add lays out one more field: source, which ends the whole field.
func (r *reading) add(name, source, whole string) {
	before := 0
	if i := strings.LastIndex(whole, source); i > 0 {
		before = utf8.RuneCountInString(whole[:i])
	}
	if len(source) > readLimit {
		source = strings.ToValidUTF8(source[:readLimit], "")
	}
	f := fieldText{name: name, source: source, folded: lang.Fold(source), start: int32(len(r.buf)), before: before}
	r.layOut(f.folded.Text, int32(len(r.fields)))
	f.end = int32(len(r.buf))
	r.fields = append(r.fields, f)
}

// layOut appends text to buf and notes where sentences and clauses end.
func (r *reading) layOut(text string, field int32) {
	start := int32(len(r.buf))
	r.clause = append(r.clause, start)
	width := usualWidth(text)
	column, lastBreak := 0, 0
	endSentence := func(question bool) {
		end := int32(len(r.buf))
		if strings.TrimSpace(string(r.buf[start:end])) == "" {
			return
		}
		r.sents = append(r.sents, piece{start, end, field, question})
		start = end
		r.clause = append(r.clause, end)
	}
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		next := text[i+size:]
		switch {
		case c == '\n':
			if breaksSentence(text[lastBreak:i], next, width) {
				endSentence(false)
			}
			column, lastBreak = 0, i+1
			if !joinsAcross(r.buf, next) {
				r.blank(i)
			}
		case unicode.IsSpace(c):
			r.blank(i)
			// Chinese chat style puts a blank where a comma belongs.
			if dense(lastRune(r.buf)) && dense(firstRune(next)) {
				r.clause = append(r.clause, int32(len(r.buf)))
			}
		case c == '-' && letterAround(r.buf, next):
			r.blank(i)
		default:
			r.put(c, text[i:i+size], i)
			if end, question := endsSentence(c, r.buf, next); end {
				endSentence(question)
			} else if endsClause(c, next) {
				r.clause = append(r.clause, int32(len(r.buf)))
			}
		}
		column += size
		i += size
	}
	endSentence(false)
	r.blank(len(text))
}

func (r *reading) lastUnit() int32 {
	if len(r.unit) == 0 {
		return 0
	}
	return r.unit[len(r.unit)-1]
}

func (r *reading) blank(at int) {
	if len(r.buf) > 0 && r.buf[len(r.buf)-1] == ' ' {
		return
	}
	r.unit = append(r.unit, r.lastUnit())
	r.buf, r.pos = append(r.buf, ' '), append(r.pos, int32(at))
}

func (r *reading) put(c rune, bytes string, at int) {
	u := r.lastUnit()
	switch {
	case dense(c):
		u++
	case letter(c) && (len(r.buf) == 0 || !letter(lastRune(r.buf))):
		u += 2
	}
	for i := range len(bytes) {
		r.buf = append(r.buf, bytes[i])
		r.pos = append(r.pos, int32(at+i))
		r.unit = append(r.unit, u)
	}
}

// usualWidth is the length in bytes of the longest line: what a wrapping mail program fills lines up to.
func usualWidth(text string) int {
	longest := 0
	for line := range strings.Lines(text) {
		longest = max(longest, len(line))
	}
	return longest
}

// breaksSentence decides whether the line break after line ends a sentence. It does not where the mail program wrapped a
// long line: the line is nearly full and the next one goes on in the middle.
func breaksSentence(line, next string, width int) bool {
	first := firstRune(next)
	switch {
	case next == "" || first == '\n' || strings.TrimSpace(line) == "":
		return true
	case len(line) < 45 || len(line)*10 < width*6 || width > 200:
		return true
	}
	return strings.ContainsRune("-*•·>#(1234567890", first)
}

// joinsAcross reports whether a line break between two characters of a script without blanks is no gap.
func joinsAcross(buf []byte, next string) bool {
	return dense(lastRune(buf)) && dense(firstRune(next))
}

func letterAround(buf []byte, next string) bool {
	before, after := lastRune(buf), firstRune(next)
	return before < utf8.RuneSelf && after < utf8.RuneSelf && isAlpha(before) && isAlpha(after)
}

func isAlpha(c rune) bool { return c >= 'a' && c <= 'z' }

// endsSentence looks at the mark just written.
func endsSentence(c rune, buf []byte, next string) (end, question bool) {
	switch c {
	case '?', '؟', ';':
		// Marks in a row end one sentence, not several.
		if n := firstRune(next); n == '?' || n == '!' || n == '؟' {
			return false, false
		}
		return true, c != ';'
	case '!', '。', '؛', '।', '~', '～':
		n := firstRune(next)
		return n != '?' && n != '!', false
	case '.':
		return fullStop(buf, next), false
	}
	return false, false
}

// fullStop tells the end of a sentence from a decimal point, an address and an abbreviation.
func fullStop(buf []byte, next string) bool {
	n := firstRune(next)
	if n != ' ' && n != '\n' && n != utf8.RuneError && n != '"' && n != ')' && !dense(n) {
		return false
	}
	word := buf[:len(buf)-1]
	if i := strings.LastIndexByte(string(word[max(0, len(word)-8):]), ' '); i >= 0 {
		word = word[max(0, len(word)-8)+i+1:]
	}
	switch string(word) {
	case "mr", "mrs", "ms", "dr", "st", "sr", "sra", "no", "nr", "art", "vs", "e.g", "i.e", "z.b", "bzw", "ca", "p.ej", "n", "tel", "etc", "prof", "dott", "sig", "ref":
		return false
	}
	return true
}

func endsClause(c rune, next string) bool {
	switch c {
	case ',', ':', '،', '(', ')', '、', '"', '「', '」', '『', '』', '【', '】':
		return c != ',' || !digit(firstRune(next))
	case '-':
		return firstRune(next) == ' '
	}
	return false
}

func digit(c rune) bool { return c >= '0' && c <= '9' }

func firstRune(s string) rune {
	c, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return utf8.RuneError
	}
	return c
}

func lastRune(b []byte) rune {
	c, _ := utf8.DecodeLastRune(b)
	return c
}

// letter reports whether c belongs to a word of a script with blanks.
func letter(c rune) bool {
	if c < utf8.RuneSelf {
		return isAlpha(c) || digit(c) || c >= 'A' && c <= 'Z'
	}
	return c < 0x590 && unicode.IsLetter(c)
}

// dense reports whether c belongs to a script in which terms are found without regard to word ends: no blanks (Han, kana,
// Thai) or endings and articles joined to the word (Hangul, Arabic).
func dense(c rune) bool {
	switch {
	case c < 0x600:
		return false
	case c < 0x700, c >= 0xe00 && c < 0xe80, c >= 0x3041 && c <= 0x30ff, c >= 0x3400 && c <= 0x9fff, c >= 0xac00 && c <= 0xd7a3, c >= 0x20000 && c < 0x30000:
		return true
	}
	return false
}

// sentenceAt returns the index of the sentence that holds the byte at.
func (r *reading) sentenceAt(at int32) int32 {
	lo, hi := 0, len(r.sents)
	for lo < hi {
		mid := (lo + hi) / 2
		if r.sents[mid].end <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return int32(min(lo, len(r.sents)-1))
}

// clauseAt returns the index of the clause that holds the byte at.
func (r *reading) clauseAt(at int32) int32 {
	lo, hi := 0, len(r.clause)
	for lo < hi {
		mid := (lo + hi) / 2
		if r.clause[mid] <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return int32(lo - 1)
}

// bufAt is where the byte at source of field f stands in buf, or the place after it where it left no trace. It looks forward from
// a place that is known not to be behind it, since callers go through a field in order.
func (r *reading) bufAt(f *fieldText, source int, from int32) int32 {
	before := func(i int32) bool {
		at, _ := f.folded.Span(int(r.pos[i]), 0)
		return at < source
	}
	lo := max(from, f.start)
	hi := lo
	for step := int32(1); hi < f.end && before(hi); step *= 2 {
		lo, hi = hi+1, hi+step
	}
	for hi = min(hi, f.end); lo < hi; {
		mid := (lo + hi) / 2
		if before(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// span leads a range of buf back to the words as they were written.
func (r *reading) span(start, end int32) Span {
	for i := range r.fields {
		f := &r.fields[i]
		if start < f.start || start >= f.end {
			continue
		}
		end = min(end, f.end)
		from, _ := f.folded.Span(int(r.pos[start]), int(r.pos[start]))
		_, to := f.folded.Span(0, int(r.pos[end-1])+1)
		// The last byte's end may fall inside a character that folded to several bytes.
		for to < len(f.source) && !utf8.RuneStart(f.source[to]) {
			to++
		}
		if to <= from {
			_, n := utf8.DecodeRuneInString(f.source[from:])
			to = from + n
		}
		return sourceSpan(f, from, to)
	}
	return Span{}
}

// sourceSpan is the span of a byte range of a field's source.
func sourceSpan(f *fieldText, from, to int) Span {
	start := f.before + utf8.RuneCountInString(f.source[:from])
	return Span{Field: f.name, Start: start, End: start + utf8.RuneCountInString(f.source[from:to]), Text: f.source[from:to]}
}
