package email

import (
	"bytes"
	"strings"
)

// Header is the header block of a mail or of one of its parts, in the order of the mail. Look-ups ignore case.
type Header struct {
	fields []field
	hint   string // charset for raw 8-bit values
}

type field struct {
	name  []byte
	value []byte // as in the mail: still folded and encoded
}

// Raw returns the value of the first field of that name, unfolded but not decoded; "" if there is none.
func (h *Header) Raw(name string) string {
	if f := h.find(name); f != nil {
		return unfold(f.value)
	}
	return ""
}

// RawAll returns the unfolded values of every field of that name.
func (h *Header) RawAll(name string) []string {
	var out []string
	for i := range h.fields {
		if named(h.fields[i].name, name) {
			out = append(out, unfold(h.fields[i].value))
		}
	}
	return out
}

// First returns the value of the first field of that name as text: unfolded, encoded words decoded, without control characters.
func (h *Header) First(name string) string { return decodeText(h.Raw(name), h.hint) }

// All returns the values of every field of that name as text.
func (h *Header) All(name string) []string {
	values := h.RawAll(name)
	for i, v := range values {
		values[i] = decodeText(v, h.hint)
	}
	return values
}

// Has reports whether a field of that name exists, even with an empty value.
func (h *Header) Has(name string) bool { return h.find(name) != nil }

// Count is the number of fields of that name.
func (h *Header) Count(name string) int {
	n := 0
	for i := range h.fields {
		if named(h.fields[i].name, name) {
			n++
		}
	}
	return n
}

// Names returns the name of every field, in order and with repetitions.
func (h *Header) Names() []string {
	names := make([]string, len(h.fields))
	for i, f := range h.fields {
		names[i] = string(f.name)
	}
	return names
}

func (h *Header) find(name string) *field {
	for i := range h.fields {
		if named(h.fields[i].name, name) {
			return &h.fields[i]
		}
	}
	return nil
}

func named(have []byte, want string) bool {
	return len(have) == len(want) && strings.EqualFold(string(have), want)
}

// unfold joins the lines of a field with one blank each (RFC 5322, section 2.2.3), whatever the line ends are, and drops NUL.
func unfold(value []byte) string {
	value = bytes.TrimSpace(value)
	if bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\r') < 0 && bytes.IndexByte(value, 0) < 0 {
		return string(value)
	}
	var out strings.Builder
	out.Grow(len(value))
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == 0:
		case c == '\r' || c == '\n':
			for i+1 < len(value) && space(value[i+1]) {
				i++
			}
			out.WriteByte(' ')
		case c == ' ' || c == '\t':
			run := len(value) - i - len(bytes.TrimLeft(value[i:], " \t"))
			if end := i + run; end >= len(value) || value[end] != '\r' && value[end] != '\n' {
				out.Write(value[i:end])
			}
			i += run - 1
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0 }

// headerReader splits a header block from a body and repairs what can be repaired.
type headerReader struct {
	raw    []byte
	top    bool // of the mail itself, not of a part
	note   func(problem string)
	fields []field
	from   int // where the last field's value starts in raw
	to     int // and ends; -1 when it is no longer one piece of raw
}

// read returns the header's fields and where the body starts.
func (r *headerReader) read() ([]field, []byte) {
	pos := r.skipPrologue()
	start := pos
	for pos < len(r.raw) {
		line, next := lineAt(r.raw, pos)
		switch {
		case len(line) == 0:
			return r.fields, r.raw[next:]
		case pos-start > maxHeaderBytes || len(r.fields) >= maxFields:
			r.note("header_limit")
			return r.fields, afterBlankLine(r.raw[pos:])
		case line[0] == ' ' || line[0] == '\t':
			if blank(line) && !r.headerGoesOn(next) {
				return r.fields, r.raw[next:]
			}
			if indented := bytes.TrimLeft(line, " \t"); len(r.fields) == 0 && r.top && fieldNameEnd(indented) > 0 {
				r.note("leading_blank")
				n := len(line) - len(indented) + fieldNameEnd(indented)
				r.field(bytes.TrimSpace(line[:n]), pos+n+1, next)
				break
			}
			r.extend(pos, next)
		case fieldNameEnd(line) > 0:
			n := fieldNameEnd(line)
			r.field(bytes.TrimRight(line[:n], " \t"), pos+n+1, next)
		case r.headerGoesOn(next) && (r.top || len(r.fields) > 0) && !bytes.HasPrefix(line, []byte("--")):
			r.repair(line, pos, next)
		default:
			r.note("header_unterminated")
			return r.fields, r.raw[pos:]
		}
		pos = next
	}
	return r.fields, nil
}

func (r *headerReader) field(name []byte, from, to int) {
	r.from, r.to = from, to
	r.fields = append(r.fields, field{name: name, value: r.raw[from:min(to, from+maxFieldBytes)]})
	if to-from > maxFieldBytes {
		r.note("field_limit")
	}
}

// skipPrologue steps over what some stores put before a header: a byte order mark, blank lines, an mbox "From " line.
func (r *headerReader) skipPrologue() int {
	pos := 0
	if !r.top {
		return pos
	}
	if bytes.HasPrefix(r.raw, []byte("\xef\xbb\xbf")) {
		r.note("byte_order_mark")
		pos = 3
	}
	for pos < len(r.raw) {
		line, next := lineAt(r.raw, pos)
		switch {
		case blank(line) && r.headerGoesOn(next):
			r.note("leading_blank_line")
		case mboxLine(line):
			r.note("mbox_from_line")
		default:
			return pos
		}
		pos = next
	}
	return pos
}

// mboxLine recognises the line that mbox files put before a mail, but not a field named From with blanks before its colon.
func mboxLine(line []byte) bool {
	return (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))) && fieldNameEnd(line) == 0
}

// headerGoesOn reports whether the header goes on at pos: with a field, with folded lines up to a field or the empty line that ends
// it, or at the start of a mail with blank lines and mbox lines before a field.
func (r *headerReader) headerGoesOn(pos int) bool {
	folded := 0
	for tries := 0; pos < len(r.raw) && tries < 16; tries++ {
		line, next := lineAt(r.raw, pos)
		switch {
		case fieldNameEnd(line) > 0:
			return r.top || len(r.fields) > 0 || contentField(line)
		case len(r.fields) == 0 && (blank(line) || mboxLine(line)):
			pos = next
		case len(r.fields) > 0 && folded > 0 && len(line) == 0:
			return true
		case len(r.fields) > 0 && !blank(line) && (line[0] == ' ' || line[0] == '\t'):
			folded++
			pos = next
		default:
			return false
		}
	}
	return false
}

func contentField(line []byte) bool {
	return len(line) > 8 && bytes.EqualFold(line[:8], []byte("content-"))
}

// repair keeps a line without a colon as the rest of the field above it if that field is one that gets long and broken.
func (r *headerReader) repair(line []byte, pos, next int) {
	r.note("header_line_bad")
	if len(r.fields) == 0 {
		return
	}
	last := &r.fields[len(r.fields)-1]
	for _, name := range []string{"Content-Type", "Content-Disposition", "Subject", "Received", "References", "In-Reply-To", "DKIM-Signature"} {
		if named(last.name, name) {
			r.extend(pos, next)
			return
		}
	}
	if value := bytes.TrimSpace(last.value); bytes.HasSuffix(value, []byte(",")) {
		r.extend(pos, next)
	}
}

// extend adds the line to the last field. The value stays one slice of the raw bytes as long as the lines follow each other.
func (r *headerReader) extend(pos, next int) {
	if len(r.fields) == 0 {
		r.note("header_line_bad")
		return
	}
	last := &r.fields[len(r.fields)-1]
	if len(last.value)+next-pos > maxFieldBytes {
		r.note("field_limit")
		return
	}
	if r.to == pos {
		last.value, r.to = r.raw[r.from:next], next
		return
	}
	if r.to >= 0 {
		last.value, r.to = bytes.Clone(last.value), -1
	}
	last.value = append(last.value, r.raw[pos:next]...)
}

// lineAt returns the line at pos without its end, and where the next line starts.
func lineAt(b []byte, pos int) (line []byte, next int) {
	end := bytes.IndexByte(b[pos:], '\n')
	if end < 0 {
		return bytes.TrimRight(b[pos:], "\r"), len(b)
	}
	return bytes.TrimRight(b[pos:pos+end], "\r"), pos + end + 1
}

// fieldNameEnd returns the position of the colon after a field name (RFC 5322, section 2.2; blanks before it are obsolete but
// legal), or 0 if line is no field.
func fieldNameEnd(line []byte) int {
	for i, c := range line {
		switch {
		case c == ':':
			return i
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(line[i:], " \t")
			if i == 0 || len(rest) == 0 || rest[0] != ':' {
				return 0
			}
			return i + len(line[i:]) - len(rest)
		case c <= 32 || c > 126 || i > 200:
			return 0
		}
	}
	return 0
}

func blank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// afterBlankLine returns what follows the first empty line.
func afterBlankLine(b []byte) []byte {
	lf, crlf := bytes.Index(b, []byte("\n\n")), bytes.Index(b, []byte("\n\r\n"))
	switch {
	case lf < 0 && crlf < 0:
		return nil
	case crlf < 0 || lf >= 0 && lf < crlf:
		return b[lf+2:]
	}
	return b[crlf+3:]
}
