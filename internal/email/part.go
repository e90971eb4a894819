package email

import (
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
