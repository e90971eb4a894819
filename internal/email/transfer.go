package email

import (
	"bytes"
)

// decodeTransfer undoes a Content-Transfer-Encoding. An unknown one leaves the bytes as they are (RFC 2045, section 6.2 lists the
// known ones). p.damaged tells afterwards that some of the content is lost.
func (w *walker) decodeTransfer(p *part) []byte {
	switch p.coding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "8bits", "7bits", "none", "plain", "utf-8", "utf8", "us-ascii":
		if len(p.coding) > 4 && p.coding != "binary" {
			w.problems.note("transfer_encoding_unknown")
		}
		return p.body
	case "base64", "base-64", "b64", "x-base64":
		return w.base64(p)
	case "quoted-printable", "quoted_printable", "quotedprintable", "qp", "quoted":
		return w.quotedPrintable(p.body)
	case "quoted printable":
		w.problems.note("transfer_encoding_unknown")
		return w.quotedPrintable(p.body)
	case "x-uuencode", "uuencode", "x-uue", "uue":
		if files := findUU(p.body); len(files) > 0 {
			return files[0].data
		}
	case "x-yencode":
		w.problems.note("yenc")
		return p.body
	}
	w.problems.note("transfer_encoding_unknown")
	return p.body
}

func (w *walker) base64(p *part) []byte {
	body := bytes.TrimSpace(p.body)
	data, damaged := lenientBase64(body)
	if !damaged {
		return data
	}
	w.problems.note("base64_damaged")
	p.damaged = true
	if notBase64(body) {
		return body
	}
	return data
}

// notBase64 recognises plain text under a base64 label: blanks between words all over it.
func notBase64(b []byte) bool {
	b = b[:min(len(b), 2048)]
	odd := 0
	for _, c := range b {
		if c == ' ' || c >= 0x80 || c != '=' && !space(c) && digit(c) > 63 {
			odd++
		}
	}
	return odd >= 4 && odd*12 > len(b)
}

// quotedPrintable decodes RFC 2045, section 6.7; a "=" that starts no escape stays as it is.
func (w *walker) quotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		i := bytes.IndexByte(b, '=')
		line := bytes.IndexByte(b, '\n')
		if line >= 0 && (i < 0 || line < i) {
			out = append(append(out, bytes.TrimRight(b[:line], " \t\r")...), lineEnd(b[:line])...)
			b = b[line+1:]
			continue
		}
		if i < 0 {
			return append(out, b...)
		}
		out = append(out, b[:i]...)
		b = w.escape(&out, b[i:])
	}
	return out
}

func lineEnd(line []byte) string {
	if bytes.HasSuffix(line, []byte("\r")) {
		return "\r\n"
	}
	return "\n"
}

// escape decodes what starts with "=" at the head of b and returns the rest.
func (w *walker) escape(out *[]byte, b []byte) []byte {
	if len(b) >= 3 && hexDigit(b[1]) && hexDigit(b[2]) {
		*out = append(*out, unhex(b[1])<<4|unhex(b[2]))
		return b[3:]
	}
	rest := bytes.TrimLeft(b[1:], " \t")
	switch {
	case len(rest) == 0:
		return nil
	case rest[0] == '\n':
		return rest[1:]
	case rest[0] == '\r':
		return bytes.TrimPrefix(bytes.TrimLeft(rest, "\r"), []byte("\n"))
	}
	w.problems.note("quoted_printable_damaged")
	*out = append(*out, '=')
	return b[1:]
}
