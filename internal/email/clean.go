package email

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postdesk/internal/email/charset"
)

// cleanLine makes s one line of valid UTF-8 without control characters.
func cleanLine(s string) string {
	clean := func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == 0x2028 || r == 0x2029 || r == 0x85:
			return ' '
		case r >= 0x80 && r < 0xa0:
			return charset.C1(r)
		case unicode.IsControl(r) || r == 0xfeff:
			return -1
		}
		return r
	}
	return strings.TrimSpace(strings.Map(clean, strings.ToValidUTF8(s, "\uFFFD")))
}

// validText makes text that may be shown and stored: valid UTF-8, line ends as \n, no control characters but tab.
func validText(s string) string {
	if plainText(s) {
		return s
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	clean := func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r >= 0x80 && r < 0xa0 {
			return charset.C1(r)
		}
		if unicode.IsControl(r) || r == 0xfeff {
			return -1
		}
		return r
	}
	return strings.Map(clean, strings.ToValidUTF8(s, "\uFFFD"))
}

func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}
