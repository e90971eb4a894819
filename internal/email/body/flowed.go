package body

import "strings"

// Flowed undoes format=flowed (RFC 3676): soft line breaks are joined into paragraphs, space-stuffing is removed and
// quoted lines keep their depth as leading '>' signs followed by one blank. With delsp the blank that marks a soft
// break is deleted (RFC 3676, section 4.5), as mail in scripts without spaces needs. The result has LF line ends.
func Flowed(text string, delsp bool) string {
	var out strings.Builder
	var para strings.Builder
	depth, open, first := 0, false, true
	flush := func() {
		if !open {
			return
		}
		if !first {
			out.WriteByte('\n')
		}
		first = false
		out.WriteString(strings.Repeat(">", depth))
		if depth > 0 && para.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(para.String())
		para.Reset()
		open = false
	}
	for _, line := range splitLines(text) {
		d, rest := flowedDepth(line)
		signature := rest == "-- "
		if open && (d != depth || signature) {
			flush() // RFC 3676, section 4.3: a change of depth ends the paragraph even after a soft break
		}
		depth, open = d, true
		soft := strings.HasSuffix(rest, " ") && !signature
		if soft && delsp {
			rest = rest[:len(rest)-1]
		}
		para.WriteString(rest)
		if !soft {
			flush()
		}
	}
	flush()
	return out.String()
}

func flowedDepth(line string) (int, string) {
	rest := strings.TrimLeft(line, ">")
	return len(line) - len(rest), strings.TrimPrefix(rest, " ")
}

// splitLines cuts at LF, CRLF and bare CR. A final line end makes no further line.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	if strings.ContainsRune(text, '\r') {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
