package email

import (
	"sort"
	"strconv"
	"strings"

	"postdesk/internal/email/charset"
)

// params are the parameters of a Content-Type or Content-Disposition field, raw and by lower-case name.
type params struct {
	raw       []param
	duplicate bool // a name came twice: the first counts
}

type param struct{ name, value string }

// get returns a parameter as it stands: for boundaries and charset names.
func (p params) get(name string) string {
	for _, have := range p.raw {
		if have.name == name {
			return have.value
		}
	}
	return ""
}

// text returns a parameter as text: RFC 2231 in one piece or in continuations and any charset, RFC 2047 words, or raw 8-bit bytes
// for which hint is the charset label.
func (p params) text(name, hint string) string {
	if v, ok := p.extended(name); ok {
		return v
	}
	v := p.get(name)
	if v == "" {
		return ""
	}
	return decodeText(v, hint)
}

// extended assembles name*, name*0, name*0*, name*1 … (RFC 2231, sections 3 and 4).
func (p params) extended(name string) (string, bool) {
	type piece struct {
		n       int
		encoded bool
		value   string
	}
	var pieces []piece
	for _, have := range p.raw {
		rest, ok := strings.CutPrefix(have.name, name+"*")
		if !ok {
			continue
		}
		rest, encoded := strings.CutSuffix(rest, "*")
		if rest == "" {
			pieces = append(pieces, piece{0, true, have.value})
			continue
		}
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			continue
		}
		pieces = append(pieces, piece{n, encoded, have.value})
	}
	if len(pieces) == 0 {
		return "", false
	}
	sort.SliceStable(pieces, func(i, j int) bool { return pieces[i].n < pieces[j].n })
	label, encodedAny := "", false
	var data []byte
	for i, part := range pieces {
		value := part.value
		if part.encoded && i == 0 {
			label, value = cutCharset(value)
		}
		if part.encoded {
			encodedAny = true
			data = append(data, unpercent(value)...)
			continue
		}
		data = append(data, value...)
	}
	if !encodedAny || strings.Contains(string(data), "=?") {
		return decodeText(string(data), label), true
	}
	text, _ := charset.Decode(data, label)
	return cleanLine(text), true
}

// cutCharset splits charset'language'value; both may be empty or missing.
func cutCharset(v string) (label, value string) {
	label, rest, ok := strings.Cut(v, "'")
	if !ok || strings.Contains(label, "%") || len(label) > 40 {
		return "", v
	}
	if _, value, ok = strings.Cut(rest, "'"); ok {
		return label, value
	}
	return label, rest
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) && hexDigit(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

// parseParams splits a field of the form `value; name=value; …`. It accepts unquoted blanks, unclosed and doubled quotes, backslashes
// of Windows paths, missing and doubled semicolons.
func parseParams(s string) (value string, p params) {
	value, rest, _ := strings.Cut(s, ";")
	value = strings.TrimSpace(value)
	if i := strings.IndexByte(value, '('); i > 0 {
		value = strings.TrimSpace(value[:i])
	}
	if i := strings.IndexAny(value, " \t,"); i > 0 {
		if strings.Contains(value[i:], "=") {
			rest = value[i+1:] + ";" + rest
		}
		value = value[:i]
	}
	for len(p.raw) < 100 {
		rest = strings.TrimLeft(rest, "; \t,")
		if rest == "" {
			return strings.ToLower(strings.Trim(value, `"' `)), p
		}
		var one param
		one, rest = nextParam(rest)
		p.add(one)
	}
	return strings.ToLower(strings.Trim(value, `"' `)), p
}

func (p *params) add(one param) {
	if one.name == "" {
		return
	}
	for _, have := range p.raw {
		if have.name == one.name {
			p.duplicate = true
			return
		}
	}
	p.raw = append(p.raw, one)
}

func nextParam(s string) (param, string) {
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return param{}, ""
	}
	if s[i] == ';' {
		return param{}, s[i+1:]
	}
	name := strings.ToLower(strings.TrimSpace(s[:i]))
	if j := strings.LastIndexAny(name, " \t)"); j >= 0 {
		name = name[j+1:]
	}
	s = strings.TrimLeft(s[i+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		value, rest := quoted(s[1:])
		return param{name, strings.TrimSpace(value)}, rest
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	value, rest := s[:end], s[end:]
	if !strings.HasPrefix(name, "name") && !strings.HasPrefix(name, "filename") {
		if j := strings.IndexAny(value, " \t("); j >= 0 {
			value, rest = value[:j], s[j:]
		}
		return param{name, strings.TrimSpace(value)}, rest
	}
	if j := nextAssignment(value); j > 0 {
		value, rest = value[:j], s[j:]
	}
	return param{name, strings.Trim(value, " \t")}, rest
}

// nextAssignment finds " name=" inside an unquoted value: a forgotten semicolon.
func nextAssignment(v string) int {
	small := smallLetters(v)
	for _, name := range []string{"name", "filename", "charset", "size", "format", "x-"} {
		for _, blank := range []string{" ", "\t"} {
			i := strings.Index(small, blank+name)
			if i <= 0 {
				continue
			}
			if key, _, found := strings.Cut(v[i:], "="); found && !strings.ContainsAny(strings.TrimSpace(key), " ?") {
				return i
			}
		}
	}
	return 0
}

// smallLetters lowers ASCII letters and leaves every other byte, so that places in it are places in s: strings.ToLower changes
// the length of what is no UTF-8.
func smallLetters(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// quoted reads up to the closing quote: the first that is followed by the end, a semicolon or another parameter. Without one the
// value ends at the next semicolon.
func quoted(s string) (value, rest string) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			out.WriteByte(s[i])
		case c == '"' && closes(s[i+1:]):
			return out.String(), s[i+1:]
		default:
			out.WriteByte(c)
		}
	}
	value, rest, _ = strings.Cut(s, ";")
	return strings.TrimRight(value, `" `), rest
}

func closes(after string) bool {
	after = strings.TrimLeft(after[:min(len(after), 80)], " \t")
	if after == "" || after[0] == ';' || after[0] == ',' || after[0] == '(' {
		return true
	}
	name, _, ok := strings.Cut(after, "=")
	return ok && name != "" && !strings.ContainsAny(strings.TrimRight(name, " "), " \t\";.")
}
