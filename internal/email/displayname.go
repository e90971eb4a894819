package email

import (
	"strings"
)

// displayName decodes a name: quotes and backslashes removed, encoded words decoded inside quotes too, bidirectional controls gone.
func displayName(s, hint string) string {
	s = strings.TrimSpace(s)
	text, comments := cutComments(s)
	if text = strings.TrimSpace(text); text == "" {
		text = comments
	}
	if len(text) >= 2 && text[0] == '"' && skipTo(text, 0, '"') == len(text)-1 {
		text = unquote(text[1 : len(text)-1])
	} else if strings.Contains(text, `"`) && !strings.Contains(text, "=?") {
		text = unquote(strings.ReplaceAll(strings.ReplaceAll(text, `\"`, "\x01"), `"`, ""))
		text = strings.ReplaceAll(text, "\x01", `"`)
	}
	text = withoutBidi(decodeText(strings.Trim(text, "<> "), hint))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) >= 2 && (text[0] == '"' && text[len(text)-1] == '"' || text[0] == '\'' && text[len(text)-1] == '\'') {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	return text
}

func unquote(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// withoutBidi removes the characters that reorder or hide text: they are used to make one name or address look like another.
func withoutBidi(s string) string {
	if asciiText(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x200b, r == 0x061c, r == 0x2060:
			return -1
		}
		return r
	}, s)
}

// namesAddress reports whether a display name looks like an address.
func namesAddress(name string) bool {
	at := strings.IndexByte(name, '@')
	return at > 0 && at < len(name)-1 && strings.Contains(name[at:], ".")
}
