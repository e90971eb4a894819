package rules

import (
	"strings"
	"unicode/utf8"
)

// token is a word with digits, or a number, as it stands in a field's source.
type token struct {
	field      int
	start, end int // bytes of source
	at, to     int32
	text       string
	digits     int
	letters    int
	sentence   int32
}

// tokens lists the words of a field that may name something: runs of ASCII letters and digits held together by - _ . / and
// the like. Words without a digit are listed too, since a user name may have none.
func (s *scratch) tokens(field int, out []token) []token {
	f := &s.fields[field]
	src := f.source
	reached := f.start
	for i := 0; i < len(src); {
		if !tokenByte(src[i]) {
			i++
			continue
		}
		start := i
		t := token{field: field, start: start}
		for i < len(src) && (tokenByte(src[i]) || tokenJoint(src, i)) {
			switch c := src[i]; {
			case c >= '0' && c <= '9':
				t.digits++
			case c|0x20 >= 'a' && c|0x20 <= 'z':
				t.letters++
			}
			i++
		}
		t.end, t.text = i, src[start:i]
		if t.digits > 0 || strings.ContainsRune(t.text, '_') || len(t.text) >= 4 {
			t.at = s.bufAt(f, start, reached)
			t.to = s.bufAt(f, i, t.at)
			reached = t.to
			if int(t.at) < len(s.buf) {
				t.sentence = s.sentenceAt(t.at)
				out = append(out, t)
			}
		}
	}
	return out
}

func tokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

// tokenJoint reports whether the byte at i joins two parts of one token.
func tokenJoint(s string, i int) bool {
	if i+1 >= len(s) || i == 0 || !tokenByte(s[i+1]) || !tokenByte(s[i-1]) {
		return false
	}
	switch s[i] {
	case '-', '_', '/', '@':
		return true
	case '.', ',':
		return true
	}
	return false
}

// isHash reports whether t is a transaction hash: 64 hexadecimal digits with or without 0x, or a long mix of letters and
// digits as base 58 gives.
func isHash(t string) bool {
	hex := strings.TrimPrefix(t, "0x")
	if len(hex) == 64 && allHex(hex) {
		return true
	}
	return len(t) >= 80 && len(t) <= 90 && alphanumeric(t)
}

// isAddress reports whether t is the address of a wallet on a chain.
func isAddress(t string) bool {
	switch {
	case len(t) == 42 && strings.HasPrefix(t, "0x") && allHex(t[2:]):
		return true
	case len(t) == 34 && (t[0] == 'T' || t[0] == '1' || t[0] == '3') && alphanumeric(t):
		return true
	}
	return strings.HasPrefix(t, "bc1") && len(t) >= 40
}

func allHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) || s[i] == '_' {
			return false
		}
	}
	return true
}

// spanOf is the span of a token.
func (s *scratch) spanOf(t *token) Span { return sourceSpan(&s.fields[t.field], t.start, t.end) }

// runeBefore and runeAfter look around a token in its source, blanks skipped once.
func runeBefore(src string, at int) rune {
	c, _ := utf8.DecodeLastRuneInString(src[:at])
	return c
}
