package body

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxMarkLine   = 600 // bytes of a line that may belong to a separator, a header block or an attribution
	maxWrapped    = 4   // lines over which an attribution may run
	maxHeaderSpan = 24  // lines that a header block may take
)

type maybe byte

const (
	no maybe = iota
	yes
	unsure
)

// mark is where an earlier mail begins: lines [start, body) introduce it.
type mark struct {
	start, body int
	attribution bool  // "On …, X wrote:"
	forward     maybe // whether it introduces a forwarded mail
}

// findHistory returns the first line of lines[from:to] at which an earlier mail begins, or -1.
func findHistory(lines []string, from, to int) int {
	for i := from; i < to; i++ {
		if _, ok := markAt(lines, i); ok {
			return i
		}
	}
	return -1
}

// markAt tells whether an earlier mail begins at line i.
func markAt(lines []string, i int) (mark, bool) {
	if isProse(lines[i]) || len(lines[i]) > maxMarkLine || isQuotedLine(lines[i]) || blank(lines[i]) {
		return mark{}, false
	}
	if m, ok := separatorAt(lines, i); ok {
		return m, true
	}
	if n, ok := headersAt(lines, i, false); ok {
		return mark{start: i, body: n, forward: unsure}, true
	}
	if n, ok := attributionAt(lines, i); ok {
		return mark{start: i, body: n, attribution: true}, true
	}
	return mark{}, false
}

// shortLine is how long a line may be that introduces a mail without a colon or a dash.
const shortLine = 40

// isProse is a quick look that most lines of a mail end with: what introduces an earlier mail is short, begins with dashes, or
// has a colon, a digit or another sign that ordinary sentences go without.
func isProse(line string) bool {
	if len(line) <= shortLine || !isLetter(line[0]) && !isEastAsian(line[0]) {
		return false
	}
	for i := 0; i < len(line); i++ {
		if tellingBytes[line[i]] && (line[i] < utf8.RuneSelf || wideColon(line[i:])) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isEastAsian reports the first byte of a Chinese, Japanese or Korean letter.
func isEastAsian(c byte) bool { return c >= 0xE3 && c <= 0xED }

// wideColon reports a colon as Chinese and Japanese write it.
func wideColon(s string) bool {
	return strings.HasPrefix(s, "：") || strings.HasPrefix(s, "﹕") || strings.HasPrefix(s, "∶")
}

// tellingBytes begin the signs of header lines and attributions. The two last begin wide colons.
var tellingBytes = func() (set [256]bool) {
	for _, c := range []byte("0123456789<:|\t\xE2\xEF") {
		set[c] = true
	}
	return set
}()

// separatorAt finds "-----Original Message-----" and its kin, with the header block below, and rulers that stand
// directly above a header block.
func separatorAt(lines []string, i int) (mark, bool) {
	if !maybeSeparator(lines[i]) {
		return mark{}, false
	}
	core, rule := separatorCore(lines[i])
	next := nextText(lines, i+1)
	near := next < len(lines) && next <= i+3
	if core == "" {
		if rule < 5 || !near {
			return mark{}, false
		}
		n, ok := headersAt(lines, next, true)
		if !ok {
			n, ok = foreignHeadersAt(lines, next)
		}
		return mark{start: i, body: n, forward: unsure}, ok
	}
	fwd, known := separatorPhrase(core)
	if !known {
		return wordySeparator(lines, i, next, near && rule >= 6 && len(core) <= 80)
	}
	if near {
		if n, ok := headersAt(lines, next, true); ok {
			return mark{start: i, body: n, forward: fwd}, true
		}
		if strings.HasPrefix(strings.TrimSpace(lines[next]), ">") && rule == 0 && fwd == yes {
			return mark{start: i, body: i + 1, forward: fwd}, true
		}
	}
	return mark{start: i, body: i + 1, forward: fwd}, rule >= 4
}

// maybeSeparator is a quick look: a separator is short, ends in a colon or begins with dashes.
func maybeSeparator(line string) bool {
	if len(line) <= shortLine || endsWithColon(line) {
		return true
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(line, " \t\u00A0*"))
	return isRule(first) || first == '&'
}

// wordySeparator takes a line of dashes with words of any language for a separator when a header block follows.
func wordySeparator(lines []string, i, next int, possible bool) (mark, bool) {
	s := plainLine(lines[i])
	first, _ := utf8.DecodeRuneInString(s)
	if !possible || !isRule(first) {
		return mark{}, false
	}
	n, ok := headersAt(lines, next, true)
	return mark{start: i, body: n, forward: unsure}, ok
}

// separatorCore returns what stands between the dashes of a separator line, in lower case, and how many dashes there
// are.
func separatorCore(line string) (string, int) {
	s := plainLine(line)
	core := strings.TrimFunc(s, isRule)
	return strings.TrimRight(core, ": "), utf8.RuneCountInString(s) - utf8.RuneCountInString(core) - strings.Count(s, " ") + strings.Count(core, " ")
}

func isRule(r rune) bool {
	switch r {
	case ' ', '-', '_', '=', '*', '~', '#', '|', '+', '.', '—', '–', '―', '─', '━', '‐', '‑', '·':
		return true
	}
	return false
}

// Chinese, Japanese and Yi letters, which have no case.
const firstUncased, lastUncased = '\u3041', '\uA4CF'

// plainLine folds what mail programs vary in a line: case, kinds of blanks and colons, emphasis, invisible marks.
func plainLine(line string) string {
	if strings.Contains(line, "&nbsp;") {
		line = strings.ReplaceAll(line, "&nbsp;", " ")
	}
	var b strings.Builder
	b.Grow(len(line))
	space := true // blanks are folded, and dropped at the start
	for _, r := range line {
		switch {
		case r == ' ' || r == '\t' || r == '\u00A0' || r == '\u202F' || r == '\u3000' || r == '\u2009':
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r == '*':
			continue
		case r < utf8.RuneSelf:
		case r == '：' || r == '﹕' || r == '∶':
			r = ':'
		case isZeroWidth(r) || isBidi(r):
			continue
		case r >= firstUncased && r <= lastUncased:
		default:
			r = unicode.ToLower(r)
		}
		space = false
		if r < utf8.RuneSelf {
			b.WriteByte(byte(r))
			continue
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// headersAt reads a header block from line i on and returns the line after it. Without a separator above it the block
// must name sender and subject and one more, so that a writer's own "From: … To: … Date: …" stays text.
func headersAt(lines []string, i int, separated bool) (int, bool) {
	var seen [fieldKinds]bool
	address := false
	end, last := i, fieldNone
	for j := i; j < len(lines) && j < i+maxHeaderSpan; j++ {
		if len(lines[j]) > 8*maxMarkLine {
			break
		}
		if blank(lines[j]) {
			if j > i && !isQuotedLine(lines[j-1]) && nextIsField(lines, j+1, seen) {
				continue
			}
			break
		}
		k, value := headerField(lines[j])
		if k == fieldNone {
			if !continuesField(lines[j], last) {
				break
			}
			end = j + 1
			continue
		}
		if k != fieldOther && seen[k] && k != fieldCc {
			break
		}
		if j == i && k == fieldOther {
			return 0, false
		}
		if j == i {
			if flat := flatHeaders(lines[j]); flat {
				return j + 1, true
			}
		}
		seen[k] = true
		address = address || k == fieldFrom && strings.Contains(value, "@")
		last, end = k, j+1
	}
	from, rest := seen[fieldFrom], seen[fieldDate] || seen[fieldTo]
	if separated {
		return end, from && (rest || seen[fieldSubject]) || seen[fieldTo] && seen[fieldSubject] && seen[fieldDate]
	}
	return end, from && rest && seen[fieldSubject]
}

// nextIsField reports that a header block goes on after an empty line: with a field not seen yet.
func nextIsField(lines []string, j int, seen [fieldKinds]bool) bool {
	if j >= len(lines) || seen[fieldSubject] && seen[fieldTo] && seen[fieldFrom] {
		return false
	}
	k, _ := headerField(lines[j])
	return k != fieldNone && k != fieldOther && !seen[k]
}

// continuesField reports a further line of a list of addresses, or an indented one.
func continuesField(line string, last field) bool {
	switch last {
	case fieldTo, fieldCc, fieldFrom:
		t := strings.TrimSpace(line)
		return strings.Contains(t, "@") && (strings.HasSuffix(t, ">") || strings.HasSuffix(t, ";") || strings.HasSuffix(t, ",")) && len(t) < maxMarkLine
	}
	return false
}

// flatHeaders reports a header block that was folded into one line.
func flatHeaders(line string) bool {
	if len(line) < 40 {
		return false
	}
	s := " " + plainLine(line)
	found := 0
	for _, k := range []field{fieldDate, fieldTo, fieldSubject} {
		for label, kind := range fieldLabels {
			if kind != k {
				continue
			}
			if at := strings.Index(s, " "+label+":"); at > 0 {
				found++
				break
			}
		}
	}
	return found == 3
}

// headerField reads "Label: value", also as a row of a table ("| 发件人 | … |", or with a tab).
func headerField(line string) (field, string) {
	const longest = 90 // bytes up to the colon
	s := strings.TrimLeft(line, "| -\t\u00A0*")
	at := fieldEnd(s[:min(len(s), longest)])
	if at < 1 {
		return fieldNone, ""
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	label, value := strings.TrimRight(plainLine(s[:at]), " "), s[at+size:]
	if k, known := fieldLabels[label]; known {
		return k, value
	}
	if k, known := fieldLabels[strings.ReplaceAll(label, " ", "")]; known { // 主 题
		return k, value
	}
	return fieldNone, ""
}

// fieldEnd returns where a label may end: at the first colon, tab or table rule; -1 if there is none.
func fieldEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ':', '\t', '|':
			return i
		case 0xE2, 0xEF:
			if wideColon(s[i:]) {
				return i
			}
		}
	}
	return -1
}

// foreignHeadersAt reads a header block whose labels are not known, below a ruler: three or more short labels, an
// address among the values.
func foreignHeadersAt(lines []string, i int) (int, bool) {
	n, address := 0, false
	for ; i < len(lines) && n < 8; i++ {
		label, value, ok := strings.Cut(plainLine(lines[i]), ":")
		if !ok || len(label) > 40 || strings.Count(label, " ") > 2 || len(lines[i]) > maxMarkLine {
			break
		}
		address = address || strings.Contains(value, "@")
		n++
	}
	return i, n >= 3 && address
}

// attributionAt reads "On …, X wrote:", which may run over several lines, and returns the line after it. Where the
// lines below do not carry '>', it must hold an address and one of the known verbs.
func attributionAt(lines []string, i int) (int, bool) {
	joined := ""
	for j := i; j < len(lines) && j < i+maxWrapped; j++ {
		if blank(lines[j]) || isQuotedLine(lines[j]) || len(joined)+len(lines[j]) > maxMarkLine {
			return 0, false
		}
		if j > i && beginsAnew(lines, j) {
			return 0, false
		}
		joined = strings.TrimSpace(joined + " " + strings.TrimSpace(lines[j]))
		if j == i && !endsWithColon(joined) && !opensAttribution(joined) {
			return 0, false
		}
		if !endsWithColon(joined) {
			continue
		}
		s := plainLine(joined)
		if isAttribution(s, marksFollow(lines, j+1)) {
			return j + 1, true
		}
		return 0, false
	}
	return 0, false
}

// beginsAnew reports a line that is a whole attribution by itself: the lines above it are none of it.
func beginsAnew(lines []string, j int) bool {
	if !endsWithColon(lines[j]) || !strings.ContainsAny(lines[j], "0123456789") {
		return false
	}
	s := strings.TrimLeft(plainLine(lines[j]), "-—– ")
	return startsWithDate(s) && isAttribution(s, marksFollow(lines, j+1))
}

func marksFollow(lines []string, i int) bool {
	next := nextText(lines, i)
	return next < len(lines) && next <= i+3 && isQuotedLine(lines[next])
}

func endsWithColon(s string) bool {
	s = strings.TrimRight(s, " *\t\u00A0")
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
}

// opensAttribution reports a first line of several: it has a date or an address begun.
func opensAttribution(line string) bool {
	if !strings.ContainsAny(line, "0123456789<") {
		return false
	}
	s := strings.TrimLeft(plainLine(line), "-—– ")
	if strings.Contains(s, "@") || strings.HasSuffix(s, "<") || strings.Contains(s, "<") && !strings.Contains(s, "http") {
		return true
	}
	return startsWithDate(s)
}

// startsWithDate reports a line that begins as attributions do: "On Tue, …", "2024年12月3日 …".
func startsWithDate(s string) bool {
	if hasAnyPrefix(s, attributionOpeners) {
		return true
	}
	return s != "" && s[0] >= '0' && s[0] <= '9' && (strings.Contains(s, "年") || strings.Contains(s, "년") || strings.ContainsAny(s[:min(5, len(s))], "-/."))
}

func isAttribution(s string, marked bool) bool {
	address := strings.Contains(s, "@")
	verb := hasVerb(s)
	if address && verb {
		return true
	}
	if !marked {
		return verb && hasTime(s) && len(s) < 200 && (startsWithDate(s) || strings.Contains(s, "于") || strings.Contains(s, "於"))
	}
	digits := strings.ContainsAny(s, "0123456789")
	return address && (digits || strings.Contains(s, "<")) || verb && digits || verb && utf8.RuneCountInString(s) < 80
}

// hasTime reports a year and a time of day, which prose seldom has in one line that ends in a colon.
func hasTime(s string) bool {
	year, clock := false, false
	for i := 0; i+4 <= len(s); i++ {
		year = year || s[i:i+2] == "20" && isDigit(s[i+2]) && isDigit(s[i+3]) && (i+4 == len(s) || !isDigit(s[i+4])) && (i == 0 || !isDigit(s[i-1]))
		clock = clock || isDigit(s[i]) && strings.IndexByte(":.h", s[i+1]) >= 0 && isDigit(s[i+2]) && isDigit(s[i+3])
	}
	return year && clock
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// hasVerb finds a word for "wrote" that is not a part of a longer word.
func hasVerb(s string) bool {
	for _, v := range attributionVerbs {
		at := strings.Index(s, v)
		if at < 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:at])
		after, _ := utf8.DecodeRuneInString(s[at+len(v):])
		first, _ := utf8.DecodeRuneInString(v)
		if !spaced(first) || !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
	}
	return false
}

// spaced reports letters of scripts that write blanks between words.
func spaced(r rune) bool {
	return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}
