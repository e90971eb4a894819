package charset

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

var modified = base64.StdEncoding.WithPadding(base64.NoPadding)

// utf7 decodes RFC 2152. ok is false when a shifted run was not valid; that run is then kept as it stands.
func utf7(b []byte) (text string, ok bool) {
	var out strings.Builder
	ok = true
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	for {
		start := strings.IndexByte(s, '+')
		if start < 0 {
			out.WriteString(s)
			return out.String(), ok
		}
		out.WriteString(s[:start])
		s = s[start+1:]
		end := 0
		for end < len(s) && base64Byte(s[end]) {
			end++
		}
		run, good := utf7Run(s[:end])
		switch {
		case end == 0 && strings.HasPrefix(s, "-"):
			out.WriteByte('+')
		case !good:
			ok = false
			out.WriteString("+" + s[:end])
			s = s[end:]
			continue
		default:
			out.WriteString(run)
		}
		s = strings.TrimPrefix(s[end:], "-")
	}
}

func utf7Run(s string) (string, bool) {
	raw, err := modified.DecodeString(s)
	if err != nil || len(raw) < 2 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

func base64Byte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
