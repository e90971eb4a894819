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

// quotedPrintable decodes RFC 2045, section 6.7, line by line; a "=" that starts no escape stays as it is.
func (w *walker) quotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		end := ""
		if ended {
			end = "\n"
		}
		if bytes.HasSuffix(line, []byte("\r")) {
			end = "\r" + end
		}
		line = bytes.TrimRight(line, " \t\r")
		if soft := bytes.TrimSuffix(line, []byte("=")); len(soft) < len(line) {
			line, end = soft, ""
		}
		out = append(w.escapes(out, line), end...)
		b = rest
	}
	return out
}

// escapes decodes the escapes of one line.
func (w *walker) escapes(out, line []byte) []byte {
	for {
		i := bytes.IndexByte(line, '=')
		if i < 0 {
			return append(out, line...)
		}
		out = append(out, line[:i]...)
		if len(line) < i+3 || !hexDigit(line[i+1]) || !hexDigit(line[i+2]) {
			w.problems.note("quoted_printable_damaged")
			out, line = append(out, '='), line[i+1:]
			continue
		}
		out, line = append(out, unhex(line[i+1])<<4|unhex(line[i+2])), line[i+3:]
	}
}
