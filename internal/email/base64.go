package email

import "encoding/base64"

// lenientBase64 decodes what base64 digits it finds, in the standard or the URL alphabet, and reports whether anything was wrong.
func lenientBase64(b []byte) (data []byte, damaged bool) {
	data = make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(data, b); err == nil {
		return data[:n], false
	}
	return salvageBase64(b, data[:0])
}

func salvageBase64(b, out []byte) ([]byte, bool) {
	var quad uint32
	digits, damaged, ended := 0, false, false
	for _, c := range b {
		v := digit(c)
		switch {
		case v < 64:
			if ended {
				damaged, ended = true, false // text goes on after the padding: two blocks glued together
			}
			quad = quad<<6 | uint32(v)
			if digits++; digits == 4 {
				out = append(out, byte(quad>>16), byte(quad>>8), byte(quad))
				quad, digits = 0, 0
			}
		case c == '=':
			out = flushBase64(out, quad, digits)
			quad, digits, ended = 0, 0, true
		case !space(c):
			damaged = true
		}
	}
	if digits > 0 {
		damaged = true
	}
	return flushBase64(out, quad, digits), damaged
}

func flushBase64(out []byte, quad uint32, digits int) []byte {
	switch digits {
	case 2:
		return append(out, byte(quad>>4))
	case 3:
		return append(out, byte(quad>>10), byte(quad>>2))
	}
	return out
}

func digit(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return 255
}
