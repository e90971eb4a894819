package email

import (
	"strings"
	"unicode/utf8"

	"postdesk/internal/email/charset"
)

// decodeText turns an unfolded header value into text: encoded words (RFC 2047) are decoded wherever they stand, raw 8-bit bytes go
// through the charset ladder with hint as the label, and no control character is left.
func decodeText(s, hint string) string {
	if asciiText(s) {
		return s
	}
	return cleanLine(decodeWords(s, hint))
}

// asciiText reports whether s is printable ASCII without an encoded word.
func asciiText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// word is one encoded word, or the text between two.
type word struct {
	raw     string // as it stands in the field
	text    string // between the last two question marks, or text outside encoded words
	charset string
	coding  byte // 'b', 'q', or 0 for plain text
	data    []byte
}

// decodeWords decodes every encoded word of s. The bytes of neighbours with the same charset are joined before they are decoded,
// because many mailers cut between the bytes of a character; blanks between encoded words are dropped (RFC 2047, section 6.2).
func decodeWords(s, hint string) string {
	words := splitWords(s)
	var out strings.Builder
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.coding == 0 {
			out.WriteString(plainWord(w.text, hint))
			continue
		}
		run := []word{w}
		for i+1 < len(words) && words[i+1].coding != 0 && strings.EqualFold(words[i+1].charset, w.charset) {
			i++
			run = append(run, words[i])
		}
		out.WriteString(decodeRun(run))
	}
	return out.String()
}

func plainWord(s, hint string) string {
	text, _ := charset.Decode([]byte(s), hint)
	return text
}

// decodeRun decodes neighbouring words of one charset. If the words do not fit together as they are, their base64 may have been
// cut between digits.
func decodeRun(run []word) string {
	var data []byte
	for _, w := range run {
		data = append(data, w.data...)
	}
	text, sure := charset.Decode(data, run[0].charset)
	if sure == charset.Declared && !garbage(text) {
		return text
	}
	if joined, ok := joinedDigits(run); ok {
		return joined
	}
	return orRaw(text, run)
}

// joinedDigits decodes words of base64 that was cut anywhere, not between groups of four digits.
func joinedDigits(run []word) (string, bool) {
	var digits strings.Builder
	for _, w := range run {
		if w.coding != 'b' {
			return "", false
		}
		digits.WriteString(strings.TrimRight(w.text, "="))
	}
	data, _ := lenientBase64([]byte(digits.String()))
	text, sure := charset.Decode(data, run[0].charset)
	return text, len(run) > 1 && sure == charset.Declared && !garbage(text)
}

// orRaw leaves encoded words as they are if what they decode to is no text.
func orRaw(text string, run []word) string {
	if !garbage(text) {
		return text
	}
	var out strings.Builder
	for _, w := range run {
		out.WriteString(w.raw)
	}
	return out.String()
}

// garbage recognises what comes out of a decoder that was given no text: control characters, or a third of it unreadable.
func garbage(text string) bool {
	bad := 0
	for _, r := range text {
		if r == utf8.RuneError {
			bad++
		}
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' && r != 0 {
			return true
		}
	}
	return bad*3 > utf8.RuneCountInString(text)
}

// splitWords cuts s into encoded words and the plain text between them, dropping blanks between two encoded words.
func splitWords(s string) []word {
	var words []word
	for {
		w, start, end, ok := nextWord(s)
		if !ok {
			if s != "" {
				words = append(words, word{text: s})
			}
			return words
		}
		gap := s[:start]
		if len(words) == 0 || strings.TrimSpace(gap) != "" || words[len(words)-1].coding == 0 {
			if gap != "" {
				words = append(words, word{text: gap})
			}
		}
		words = append(words, w)
		s = s[end:]
	}
}

// nextWord finds the first encoded word of s. It allows blanks inside the word, a missing end at the end of s, and any case.
func nextWord(s string) (w word, start, end int, ok bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			return word{}, 0, 0, false
		}
		start = from + i
		if w, n := wordAt(s[start:]); n > 0 {
			return w, start, start + n, true
		}
		from = start + 2
	}
}

// wordAt parses the encoded word at the start of s and returns its length, or 0.
func wordAt(s string) (word, int) {
	name := strings.IndexByte(s[2:], '?')
	if name <= 0 || name > 60 || strings.ContainsAny(s[2:2+name], "\"<>@,;=()") {
		return word{}, 0
	}
	rest := s[2+name+1:]
	if len(rest) < 2 || rest[1] != '?' {
		return word{}, 0
	}
	w := word{charset: strings.TrimSpace(s[2 : 2+name]), coding: rest[0] | 0x20}
	if w.coding != 'b' && w.coding != 'q' {
		return word{}, 0
	}
	body := rest[2:]
	length := wordLength(body, w.coding)
	if length < 0 {
		return word{}, 0
	}
	w.text = body[:length]
	if w.coding == 'b' {
		w.data, _ = lenientBase64([]byte(w.text))
	} else {
		w.data = decodeQ(w.text)
	}
	w.raw = s[:min(len(s), len(s)-len(body)+length+2)]
	return w, len(w.raw)
}

// maxWordBytes bounds an encoded word. RFC 2047 allows 75 bytes; some mailers put a whole subject into one.
const maxWordBytes = 8 << 10

// wordLength finds the end of an encoded word's text. A raw "?" before an escape is no end: `what?=20now?=`.
func wordLength(body string, coding byte) int {
	whole := len(body)
	body = body[:min(whole, maxWordBytes)]
	for from := 0; ; {
		i := strings.Index(body[from:], "?=")
		if i < 0 {
			if from == 0 && body != "" && len(body) == whole && !strings.ContainsAny(body, " <>@\"") {
				return len(body) // cut off at the end of the field
			}
			return -1
		}
		end := from + i
		after := body[end+2:]
		more := strings.Index(after, "?=")
		if coding != 'q' || len(after) < 2 || !hexDigit(after[0]) || !hexDigit(after[1]) || more < 0 || strings.Contains(after[:more], "=?") {
			return end
		}
		from = end + 2
	}
}

// decodeQ decodes the Q encoding; what is no escape stays as it is.
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && hexDigit(s[i+1]) && hexDigit(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
