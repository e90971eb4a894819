package email

import (
	"strings"
	"unicode"
)

// Address is one mailbox of an address field.
type Address struct {
	Name string // display name as text; never trusted for anything
	Addr string // local@domain as written; never taken from inside an encoded word
	Raw  string // the piece of the field this was read from
}

// Valid reports whether Addr can be written to: one local part and one domain without blanks and control characters.
func (a Address) Valid() bool {
	at := strings.LastIndexByte(a.Addr, '@')
	if at <= 0 || at == len(a.Addr)-1 || len(a.Addr) > 254 {
		return false
	}
	if strings.HasPrefix(a.Addr, `"`) {
		return !strings.ContainsAny(a.Addr[at:], " \t<>(),;:\"")
	}
	bad := func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>(),;:\"`, r) || unicode.IsControl(r)
	}
	return strings.IndexFunc(a.Addr[:at], bad) < 0 && strings.IndexFunc(a.Addr[at+1:], bad) < 0 && !strings.Contains(a.Addr[:at], "@")
}

// Domain returns what follows the last @, lower-case.
func (a Address) Domain() string {
	_, domain := cutLast(a.Addr, '@')
	return strings.ToLower(domain)
}

// Local returns what precedes the last @.
func (a Address) Local() string {
	local, _ := cutLast(a.Addr, '@')
	return local
}

func cutLast(s string, sep byte) (before, after string) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// ParseAddresses reads an address field (RFC 5322, section 3.4) one address at a time, so that one bad address costs only itself.
// It reads groups, routes, comments, encoded words, names with unquoted commas inside encoded words, and semicolons between
// addresses. An encoded word is text: whatever it decodes to becomes part of a name, never an address.
func ParseAddresses(value, hint string) []Address {
	var out []Address
	for _, piece := range splitAddresses(tame(value)) {
		if len(out) >= maxAddresses {
			return out
		}
		out = append(out, parsePiece(piece, hint)...)
	}
	return out
}

// tame takes the meaning from parentheses, backslashes and brackets of which a field has so many that looking for their partners
// would take long. No real field has.
func tame(s string) string {
	if strings.Count(s, "(") > 200 {
		s = strings.NewReplacer("(", " ", ")", " ").Replace(s)
	}
	if strings.Count(s, `\`) > 200 {
		s = strings.ReplaceAll(s, `\`, "")
	}
	if strings.Count(s, "<") > 2*maxAddresses && strings.Count(s, ">") < maxAddresses {
		s = strings.ReplaceAll(s, "<", " ")
	}
	return s
}

// splitAddresses cuts a field at the commas and semicolons that stand outside quotes, comments, angle brackets and encoded words,
// and drops group names.
func splitAddresses(s string) []string {
	var pieces []string
	start := 0
	cut := func(end, next int) {
		if piece := strings.TrimSpace(s[start:end]); piece != "" {
			pieces = append(pieces, piece)
		}
		start = next
	}
	for i := 0; i < len(s) && len(pieces) <= maxAddresses; i++ {
		switch s[i] {
		case '"':
			i = skipTo(s, i, '"')
		case '(':
			i = skipComment(s, i)
		case '<':
			i = skipAngle(s, i)
		case '=':
			if strings.HasPrefix(s[i:], "=?") {
				if _, n := wordAt(s[i:]); n > 0 && strings.HasSuffix(s[i:i+n], "?=") {
					i += n - 1
				}
			}
		case ',', ';':
			cut(i, i+1)
		case ':':
			if groupName(s[start:i]) {
				start = i + 1
			}
		}
	}
	cut(len(s), len(s))
	return pieces
}

// groupName tells the name of a group from the colon in a broken address.
func groupName(s string) bool { return !strings.ContainsAny(s, "@<[") }

// skipTo returns the position of the closing quote, or from itself if there is none: then the quote is a plain character.
func skipTo(s string, from int, quote byte) int {
	for i := from + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return from
}

func skipComment(s string, from int) int {
	depth := 0
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return from
}

// skipAngle returns the position of the closing bracket, if the text up to it can be an address.
func skipAngle(s string, from int) int {
	i := strings.IndexByte(s[from:], '>')
	if i < 0 || strings.IndexByte(s[from+1:from+i], '<') >= 0 {
		return from
	}
	return from + i
}

// parsePiece reads what stands between two commas: usually one address, more if the commas were forgotten.
func parsePiece(piece, hint string) []Address {
	marks := angles(piece)
	if len(marks) == 0 {
		return bare(piece, hint)
	}
	var out []Address
	from := 0
	for _, m := range marks {
		a := Address{Raw: piece, Addr: cleanSpec(piece[m[0]+1 : m[1]])}
		a.Name = displayName(piece[from:m[0]], hint)
		from = min(m[1]+1, len(piece))
		if a.Addr == "" && a.Name == "" {
			continue
		}
		out = append(out, a)
	}
	if len(out) > 0 && out[len(out)-1].Name == "" {
		out[len(out)-1].Name = displayName(piece[from:], hint)
	}
	return out
}

// angles finds the <…> pairs outside quotes and comments; an unclosed one reaches to the end.
func angles(s string) [][2]int {
	var out [][2]int
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = skipTo(s, i, '"')
		case '(':
			i = skipComment(s, i)
		case '=':
			if strings.HasPrefix(s[i:], "=?") {
				if _, n := wordAt(s[i:]); n > 0 && strings.HasSuffix(s[i:i+n], "?=") {
					i += n - 1
				}
			}
		case '<':
			end := strings.IndexByte(s[i:], '>')
			if next := strings.IndexByte(s[i+1:], '<'); end >= 0 && next >= 0 && next+1 < end {
				continue // `<<a@example.com>`: the inner bracket counts
			}
			if end < 0 {
				return append(out, [2]int{i, len(s)})
			}
			out = append(out, [2]int{i, i + end})
			i += end
		}
	}
	return out
}

// bare reads a piece without angle brackets: an address with perhaps a comment as name, several with blanks between, or only a name.
func bare(piece, hint string) []Address {
	text, comments := cutComments(piece)
	var specs, words []string
	for _, w := range addressWords(text) {
		if strings.Contains(w, "@") && !strings.Contains(w, "=?") {
			specs = append(specs, cleanSpec(w))
			continue
		}
		words = append(words, w)
	}
	name := strings.Join(words, " ")
	if name == "" {
		name = comments
	}
	switch {
	case len(specs) == 0 && len(words) == 1 && comments == "" && !strings.ContainsAny(words[0], `"=?`):
		return []Address{{Addr: cleanSpec(words[0]), Raw: piece}}
	case len(specs) == 0 && len(words) == 1 && !strings.ContainsAny(words[0], `"=?`):
		return []Address{{Addr: cleanSpec(words[0]), Name: displayName(comments, hint), Raw: piece}}
	case len(specs) == 0:
		return []Address{{Name: displayName(name, hint), Raw: piece}}
	}
	out := make([]Address, len(specs))
	for i, spec := range specs {
		out[i] = Address{Addr: spec, Raw: piece}
	}
	out[0].Name = displayName(name, hint)
	return out
}

// addressWords splits at blanks outside quotes, joining what obsolete syntax tears apart: `john . doe @ example.com`.
func addressWords(s string) []string {
	var words []string
	start := -1
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == '\t' {
			if start >= 0 {
				words = append(words, s[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
		if s[i] == '"' {
			i = skipTo(s, i, '"')
		}
	}
	if start >= 0 {
		words = append(words, s[start:])
	}
	var joined []string
	for _, w := range words[:min(len(words), maxAddresses)] {
		n := len(joined)
		if n > 0 && (strings.HasSuffix(joined[n-1], "@") || strings.HasSuffix(joined[n-1], ".") && !strings.Contains(w, "@") || w[0] == '@' || w[0] == '.') {
			joined[n-1] += w
			continue
		}
		joined = append(joined, w)
	}
	return joined
}

// cutComments removes (comments) outside quotes and returns what they say.
func cutComments(s string) (text, comments string) {
	if !strings.Contains(s, "(") {
		return s, ""
	}
	var out, said strings.Builder
	for i := 0; i < len(s); i++ {
		end := i
		switch s[i] {
		case '"':
			end = skipTo(s, i, '"')
		case '(':
			if end = skipComment(s, i); end > i {
				said.WriteString(" " + s[i+1:end])
				out.WriteByte(' ')
				i = end
				continue
			}
		}
		out.WriteString(s[i : end+1])
		i = end
	}
	return out.String(), strings.TrimSpace(said.String())
}
