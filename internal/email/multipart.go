package email

import (
	"bytes"
	"strings"
)

// split cuts a multipart into its parts. Whatever is broken, every part that can be told apart is kept.
func (w *walker) split(p *part, depth int) {
	boundary := p.boundary()
	segments := segmentsOf(p.body, boundary)
	if len(segments) == 0 {
		guess := guessBoundary(p.body)
		switch {
		case boundary == "":
			w.problems.note("boundary_missing")
		case len(bytes.TrimSpace(p.body)) > 0:
			w.problems.note("boundary_not_found")
		}
		if boundary, segments = guess, segmentsOf(p.body, guess); guess == "" || len(segments) == 0 {
			p.plain()
			return
		}
	}
	if depth >= maxDepth {
		w.problems.note("depth_limit")
		p.media = "application/octet-stream"
		return
	}
	if !segments[len(segments)-1].closed && !anyClosed(segments) {
		w.problems.note("boundary_unclosed")
	}
	w.grow(p, segments, boundary, depth)
}

// boundary is the parameter of that name, also in the continuations of RFC 2231.
func (p *part) boundary() string {
	if b := p.params.get("boundary"); b != "" {
		return b
	}
	b, _ := p.params.extended("boundary")
	return b
}

// plain turns a multipart without parts into the text that it is.
func (p *part) plain() {
	p.media = "text/plain"
	if looksHTML(p.body) {
		p.media = "text/html"
	}
}

func looksHTML(b []byte) bool {
	b = bytes.ToLower(bytes.TrimSpace(b[:min(len(b), 512)]))
	return bytes.HasPrefix(b, []byte("<html")) || bytes.HasPrefix(b, []byte("<!doctype html"))
}

func anyClosed(segments []segment) bool {
	for _, s := range segments {
		if s.closed {
			return true
		}
	}
	return false
}

func (w *walker) grow(p *part, segments []segment, boundary string, depth int) {
	digest := p.media == "multipart/digest"
	var host *part // an inner multipart that uses its parent's boundary: the parts up to the next close are its own
	for i, s := range segments {
		if w.parts >= maxParts {
			w.problems.note("parts_limit")
			return
		}
		w.parts++
		if s.late && i > 0 && host == nil {
			w.problems.note("boundary_after_close")
		}
		child := w.entity(s.body, depth+1, digest)
		if host != nil {
			host.children = append(host.children, child)
			if s.closed {
				host = nil
			}
			continue
		}
		p.children = append(p.children, child)
		if child.boundary() == boundary && boundary != "" && strings.HasPrefix(child.header.multipart(), "multipart/") && len(child.children) == 0 && len(bytes.TrimSpace(child.body)) == 0 {
			w.problems.note("boundary_repeated")
			child.media = child.header.multipart()
			host = child
		}
	}
}

// multipart returns the declared type again, for a part that was turned into text for want of parts.
func (h *Header) multipart() string {
	media, _ := parseParams(h.Raw("Content-Type"))
	return media
}

// segment is what stands between two delimiters.
type segment struct {
	body   []byte
	closed bool // ended by the closing delimiter
	late   bool // came after a closing delimiter
}

// segmentsOf cuts body at the lines that consist of the boundary (RFC 2046, section 5.1.1). A last segment without delimiter
// after it reaches to the end. Delimiters after the closing one start further segments: some mailers close too early.
func segmentsOf(body []byte, boundary string) []segment {
	if boundary == "" {
		return nil
	}
	delimiter := []byte("--" + boundary)
	var out []segment
	start, late := -1, false
	for pos := 0; len(out) <= maxParts; {
		at, next, closing := nextDelimiter(body, pos, delimiter)
		if at < 0 {
			break
		}
		if start >= 0 {
			out = append(out, segment{body: withoutLineEnd(body[start:max(start, at)]), closed: closing, late: late})
			late = late || closing
		}
		if start = next; closing {
			start = -1
		}
		pos = next
	}
	if start >= 0 && start <= len(body) && len(out) <= maxParts && (start < len(body) || len(out) == 0) {
		out = append(out, segment{body: body[start:], late: late})
	}
	return out
}

// nextDelimiter finds the next delimiter line from pos: its start, the start of the line after it, and whether it closes.
func nextDelimiter(body []byte, pos int, delimiter []byte) (at, next int, closing bool) {
	for {
		i := bytes.Index(body[pos:], delimiter)
		if i < 0 {
			return -1, 0, false
		}
		at = pos + i
		if at == 0 || body[at-1] == '\n' {
			line, after := lineAt(body, at)
			rest := bytes.TrimRight(line[len(delimiter):], " \t")
			switch {
			case len(rest) == 0:
				return at, after, false
			case string(rest) == "--", len(rest) > 2 && rest[0] == '-' && rest[1] == '-' && !boundaryByte(rest[2]):
				return at, after, true
			}
		}
		pos = at + len(delimiter)
	}
}

// boundaryByte tells the characters of boundaries (RFC 2046, section 5.1.1): a delimiter that goes on with one is another's.
func boundaryByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || bytes.IndexByte([]byte("'()+_,-./:=?"), c) >= 0
}

// withoutLineEnd drops the line end that belongs to the delimiter.
func withoutLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// guessBoundary finds a line that starts with two hyphens and is followed by a MIME field.
func guessBoundary(body []byte) string {
	for pos, lines := 0, 0; pos < len(body) && lines < 2000; lines++ {
		line, next := lineAt(body, pos)
		if len(line) > 2 && len(line) < 200 && line[0] == '-' && line[1] == '-' {
			if follow, _ := lineAt(body, min(next, len(body))); contentField(follow) && fieldNameEnd(follow) > 0 {
				return string(bytes.TrimRight(line[2:], " \t"))
			}
		}
		pos = next
	}
	return ""
}
