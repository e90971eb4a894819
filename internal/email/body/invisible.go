package body

import (
	"strings"
	"unicode"
)

// isBidi reports the characters that reorder the text around them: embeddings, overrides, isolates and marks
// (UAX #9). They can make an address or a sum read differently from what is stored.
func isBidi(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return r == 0x200E || r == 0x200F || r == 0x061C
}

// isZeroWidth reports characters that take no room: text can be hidden in runs of them or words cut in two.
func isZeroWidth(r rune) bool {
	switch {
	case r >= 0x200B && r <= 0x200D, r >= 0x2060 && r <= 0x2065, r >= 0x206A && r <= 0x206F:
		return true
	case r >= 0xE0000 && r <= 0xE0FFF:
		return true
	case r >= 0xFFF9 && r <= 0xFFFB:
		return true
	}
	switch r {
	case 0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0xFEFF, 0x3164, 0xFFA0:
		return true
	}
	return false
}

// isControl reports control characters that no text needs, among them NUL and the C1 range.
func isControl(r rune) bool {
	return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7F && r < 0xA0
}

// clean removes control, bidi and zero-width characters. A single joiner between two letters of a script that needs
// it, or between two emoji, stays. Text that was spelt with invisible tag characters is returned as smuggled.
func clean(s string) (text, smuggled string) {
	if !needsCleaning(s) {
		return s, ""
	}
	var out, tags strings.Builder
	runes := []rune(s)
	last := rune(0)
	for i, r := range runes {
		switch {
		case r == '\uFFFD' || !isControl(r) && !isBidi(r) && !isZeroWidth(r):
			out.WriteRune(r)
			last = r
		case (r == 0x200C || r == 0x200D) && i+1 < len(runes) && joins(last) && joins(runes[i+1]):
			out.WriteRune(r)
			last = r
		case r >= 0xE0020 && r < 0xE007F:
			tags.WriteRune(r - 0xE0000)
		}
	}
	return out.String(), tags.String()
}

func needsCleaning(s string) bool {
	for _, r := range s {
		if isControl(r) || isBidi(r) || isZeroWidth(r) {
			return true
		}
	}
	return false
}

// joins reports runes next to which a zero-width joiner or non-joiner carries meaning.
func joins(r rune) bool {
	if r == 0xFE0F || r >= 0x2600 && r <= 0x27BF || r >= 0x1F000 && r <= 0x1FAFF {
		return true
	}
	return unicode.In(r, unicode.Arabic, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati,
		unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
		unicode.Khmer, unicode.Mongolian)
}

// blank reports text that shows nothing.
func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && !isZeroWidth(r) && !isBidi(r) && !isControl(r) {
			return false
		}
	}
	return true
}
