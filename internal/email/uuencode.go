package email

import (
	"bytes"
	"strings"
)

// uuFile is a file found in text between "begin 644 name" and "end".
type uuFile struct {
	name       string
	data       []byte
	start, end int // the lines it takes up in the text
}

// findUU finds valid uuencoded files. Prose that happens to start a line with "begin" is not one: every line must have the length
// it announces, and an "end" line must follow.
func findUU(b []byte) []uuFile {
	var files []uuFile
	for pos := 0; pos < len(b) && len(files) < 50; {
		i := bytes.Index(b[pos:], []byte("begin "))
		if i < 0 {
			return files
		}
		at := pos + i
		pos = at + 6
		if at > 0 && b[at-1] != '\n' {
			continue
		}
		if f, ok := uuAt(b, at); ok {
			files = append(files, f)
			pos = f.end
		}
	}
	return files
}

func uuAt(b []byte, at int) (uuFile, bool) {
	line, pos := lineAt(b, at)
	mode, name, ok := strings.Cut(string(line[len("begin "):]), " ")
	if !ok || len(mode) < 3 || len(mode) > 4 || strings.Trim(mode, "01234567") != "" {
		return uuFile{}, false
	}
	f := uuFile{name: strings.TrimSpace(name), start: at}
	for pos < len(b) {
		line, next := lineAt(b, pos)
		if string(bytes.TrimSpace(line)) == "end" {
			f.end = next
			return f, len(f.data) > 0
		}
		if f.data, ok = uuLine(f.data, line); !ok {
			return uuFile{}, false
		}
		pos = next
	}
	return uuFile{}, false
}

// uuLine decodes one line: a length character, then four characters for three bytes.
func uuLine(out, line []byte) ([]byte, bool) {
	if len(line) == 0 || string(line) == "`" || string(line) == " " {
		return out, true
	}
	n := int(line[0]-' ') & 63
	digits := bytes.TrimRight(line[1:], " ")
	need := (n + 2) / 3 * 4
	if line[0] < ' ' || line[0] > '`' || n > 45 || len(digits) > need+2 {
		return out, false
	}
	full := make([]byte, need)
	for i := range full {
		full[i] = ' '
	}
	copy(full, line[1:])
	for i := 0; i < need; i += 4 {
		var quad uint32
		for _, c := range full[i : i+4] {
			if c < ' ' || c > '`' {
				return out, false
			}
			quad = quad<<6 | uint32(c-' ')&63
		}
		three := []byte{byte(quad >> 16), byte(quad >> 8), byte(quad)}
		out = append(out, three[:min(3, max(0, n-i/4*3))]...)
	}
	return out, true
}
