package authentic

import (
	"bytes"
	"net/mail"
	"strings"
	"time"
)

const maxHeader = 256 << 10 // bytes of header that are read

// header is the mail's own header: not that of a part or of a forwarded mail.
type header []headerField

type headerField struct {
	name  string // lower case
	value string // unfolded
}

func readHeader(raw []byte) header {
	var h header
	if len(raw) > maxHeader {
		raw = raw[:maxHeader]
	}
	for len(raw) > 0 {
		line := raw
		if at := bytes.IndexByte(raw, '\n'); at >= 0 {
			line, raw = raw[:at], raw[at+1:]
		} else {
			raw = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && len(h) > 0 {
			h[len(h)-1].fold(string(line))
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok {
			h = append(h, headerField{strings.ToLower(strings.TrimSpace(string(name))), string(value)})
		}
	}
	return h
}

// fold adds a continuation line. One field holds at most 64 KiB, so that many lines stay cheap.
func (f *headerField) fold(line string) {
	if len(f.value)+len(line) <= 64<<10 {
		f.value += " " + strings.TrimLeft(line, " \t")
	}
}

func (h header) count(name string) int {
	n := 0
	for _, f := range h {
		if f.name == name {
			n++
		}
	}
	return n
}

// date returns the time of the only Date field.
func (h header) date() (time.Time, bool) {
	if h.count("date") != 1 {
		return time.Time{}, false
	}
	for _, f := range h {
		if f.name == "date" {
			at, err := mail.ParseDate(strings.TrimSpace(f.value))
			return at, err == nil
		}
	}
	return time.Time{}, false
}

// bareLineEnds reports a CR without LF, or a LF without CR in a mail that has CRLF line ends too. A mail with LF
// alone, as files on disk have it, is a change of format and no trick.
func bareLineEnds(raw []byte) bool {
	crlf := bytes.Count(raw, []byte("\r\n"))
	if bytes.Count(raw, []byte("\r")) > crlf {
		return true
	}
	return crlf > 0 && bytes.Count(raw, []byte("\n")) > crlf
}

// wireForm returns the mail with CRLF line ends and an end of its header, as signatures were made over it.
func wireForm(raw []byte) []byte {
	if !bytes.Contains(raw, []byte("\r\n")) {
		raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	}
	if !bytes.Contains(raw, []byte("\r\n\r\n")) {
		raw = append(bytes.TrimSuffix(bytes.Clone(raw), []byte("\r\n")), "\r\n\r\n"...)
	}
	return raw
}
