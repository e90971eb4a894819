package email

import (
	"bytes"
	"strings"
)

// part is one node of the MIME tree. Its slices point into the mail's bytes.
type part struct {
	header   Header
	body     []byte // still transfer-encoded
	media    string // lower-case type/subtype, never empty
	declared bool   // the mail names the type
	params   params
	coding   string // lower-case Content-Transfer-Encoding
	dispo    string // lower-case Content-Disposition, "" if none
	dparams  params
	children []*part
	damaged  bool // the transfer encoding was broken
}

// walker builds the tree within the limits and takes down what it had to repair.
type walker struct {
	problems *problems
	parts    int
}

// entity parses a header and a body. digest changes the default type of a part (RFC 2046, section 5.1.5).
func (w *walker) entity(raw []byte, depth int, digest bool) *part {
	reader := headerReader{raw: raw, top: depth == 0, note: w.problems.note}
	fields, body := reader.read()
	p := &part{header: Header{fields: fields}, body: body}
	w.describe(p, digest)
	if strings.HasPrefix(p.media, "multipart/") {
		w.split(p, depth)
	}
	return p
}

// describe reads the MIME fields. The first of repeated fields counts; scanners may have read another, hence the note.
func (w *walker) describe(p *part, digest bool) {
	h := &p.header
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"} {
		if h.Count(name) > 1 {
			w.problems.note("mime_field_duplicate")
		}
	}
	p.media, p.params = parseParams(h.Raw("Content-Type"))
	p.dispo, p.dparams = parseParams(h.Raw("Content-Disposition"))
	p.coding = transferName(h.Raw("Content-Transfer-Encoding"))
	if p.params.duplicate || p.dparams.duplicate {
		w.problems.note("mime_parameter_duplicate")
	}
	if strings.HasPrefix(p.dispo, "filename") || strings.HasPrefix(p.dispo, "name=") {
		_, p.dparams = parseParams("attachment; " + h.Raw("Content-Disposition"))
		p.dispo = "attachment"
	}
	p.declared = p.media != ""
	w.normaliseType(p, digest)
}

func (w *walker) normaliseType(p *part, digest bool) {
	if p.declared && !validType(p.media) {
		w.problems.note("content_type_bad")
		p.media = repairedType(p.media)
		p.declared = p.media != ""
	}
	switch {
	case p.declared:
	case digest:
		p.media = "message/rfc822"
	case p.dispo == "attachment" || p.dparams.get("filename") != "" || p.params.get("name") != "":
		p.media = "application/octet-stream"
	default:
		p.media = "text/plain"
	}
}

func validType(media string) bool {
	kind, sub, ok := strings.Cut(media, "/")
	return ok && kind != "" && sub != "" && !strings.ContainsAny(media, " \t\"<>@,;:\\()=[]?") && !strings.Contains(sub, "/")
}

// repairedType guesses what a broken type stands for, "" if it stands for nothing.
func repairedType(media string) string {
	switch {
	case strings.HasPrefix(media, "multipart"):
		return "multipart/mixed"
	case strings.Contains(media, "html"):
		return "text/html"
	case media == "text", strings.HasPrefix(media, "text/"), strings.HasPrefix(media, "plain"):
		return "text/plain"
	}
	return ""
}

// transferName returns the encoding's name without the dirt around it: "7-bit", "base64;", "quoted-printable (x)".
func transferName(v string) string {
	if v == "" {
		return ""
	}
	if i := strings.IndexAny(v, ";(,"); i >= 0 {
		v = v[:i]
	}
	return strings.ToLower(strings.Trim(v, " \t\"'"))
}

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
		child := w.child(s.body, depth, digest)
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

func (w *walker) child(raw []byte, depth int, digest bool) *part {
	return w.entity(raw, depth+1, digest)
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
