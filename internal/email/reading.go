package email

import (
	escape "html"
	"slices"
	"strings"

	"postdesk/internal/email/body"
	"postdesk/internal/email/charset"
)

// reading collects texts and attachments from the tree of parts.
type reading struct {
	*walker
	mail  *Mail
	room  int    // bytes that may still be decoded
	hint  string // charset for raw 8-bit parameters
	plain int    // text parts taken as body so far
	rich  string // text of a winmail.dat
}

// content is the text of a part in the forms the mail offers it.
type content struct {
	plain string // as the sender wrote it
	html  string
}

func (r *reading) read(root *part) {
	blocks := r.part(root, "", true)
	var text, html []string
	hasHTML := slices.ContainsFunc(blocks, func(b content) bool { return b.html != "" })
	for _, b := range blocks {
		if t := r.visible(b); strings.TrimSpace(t) != "" {
			text = append(text, strings.Trim(t, "\n"))
		}
		switch {
		case b.html != "":
			html = append(html, b.html)
		case hasHTML && b.plain != "":
			html = append(html, "<pre>"+escape.EscapeString(b.plain)+"</pre>")
		}
	}
	if len(text) == 0 {
		text = r.substitutes()
	}
	m := r.mail
	m.Text = strings.TrimRight(strings.Join(text, "\n\n"), " \t\n")
	if len(m.Text) > maxText {
		r.problems.note("text_limit")
		m.Text = strings.ToValidUTF8(m.Text[:maxText], "")
	}
	m.html = strings.Join(html, "\n")
	parts := body.SplitMail(m.Subject, m.Text)
	m.NewText, m.Counted = parts.New, parts.Counted()
	m.Language = language(m.NewText, m.Subject)
	r.calendars()
	r.names()
	if m.Text == "" && len(m.Attachments) == 0 {
		r.problems.note("body_empty")
	}
}

// substitutes gives the text of a mail that has no body: that of its winmail.dat, or of a text file that it wants shown inline. The
// file stays a file as well.
func (r *reading) substitutes() []string {
	if r.rich != "" {
		return []string{r.rich}
	}
	for _, a := range r.mail.Attachments {
		if a.ContentType == "text/plain" && a.Disposition == "inline" && strings.TrimSpace(string(a.data)) != "" {
			return []string{r.text(a.data, "")}
		}
	}
	return nil
}

// part reads one part: its text blocks in order; attachments go to the mail. parent is the type of the multipart around it.
func (r *reading) part(p *part, parent string, first bool) []content {
	if len(p.children) == 0 {
		return r.leaf(p, parent, first)
	}
	switch p.media {
	case "multipart/alternative":
		return r.alternative(p, first)
	case "multipart/encrypted":
		r.problems.note("encrypted")
	case "multipart/signed":
		r.problems.note("signed")
	case "multipart/report":
		return r.report(p, first)
	}
	var blocks []content
	for i, child := range p.children {
		blocks = append(blocks, r.part(child, p.media, first && i == 0 || r.plain == 0)...)
	}
	return blocks
}

// alternative offers the same text in several forms: the first plain one and the last HTML one are kept.
func (r *reading) alternative(p *part, first bool) []content {
	var one content
	var further []content
	for _, child := range p.children {
		for _, c := range r.part(child, p.media, first) {
			switch {
			case one.plain == "" && c.plain != "":
				one.plain = c.plain
			case c.plain != "" && c.html == "":
				further = append(further, c)
			}
			if c.html != "" {
				one.html = c.html
			}
		}
	}
	if one.html == "" || one.plain == "" {
		return append([]content{one}, further...)
	}
	return []content{one}
}

// report reads the human part of a multipart/report (RFC 6522); the machine's parts are no attachments.
func (r *reading) report(p *part, first bool) []content {
	var blocks []content
	for i, child := range p.children {
		switch {
		case child.media == "message/delivery-status", child.media == "message/global-delivery-status", child.media == "message/disposition-notification",
			child.media == "message/feedback-report", child.media == "text/rfc822-headers", child.media == "text/rfc822-header", child.media == "message/global-headers":
			blocks = append(blocks, r.misplaced(child)...)
			continue
		}
		blocks = append(blocks, r.part(child, p.media, first && i == 0)...)
	}
	return blocks
}

// misplaced rescues prose that a mail system sends under the type of a status report.
func (r *reading) misplaced(p *part) []content {
	if p.media != "message/delivery-status" {
		return nil
	}
	data, ok := r.decode(p)
	if !ok || parseStatus(data) != nil {
		return nil
	}
	return []content{{plain: r.text(data, p.params.get("charset"))}}
}

// leaf reads a part without parts.
func (r *reading) leaf(p *part, parent string, first bool) []content {
	if !r.isBody(p, parent, first) {
		r.attach(p, parent)
		return nil
	}
	r.plain++
	data, ok := r.decode(p)
	if !ok {
		return nil
	}
	if p.media == "text/html" {
		return []content{{html: r.htmlText(data, p.params.get("charset"))}}
	}
	text := r.text(data, r.label(p))
	if strings.EqualFold(p.params.get("format"), "flowed") {
		text = body.Flowed(text, strings.EqualFold(p.params.get("delsp"), "yes"))
	}
	if parent == "" && !p.declared && looksHTML([]byte(text)) {
		return []content{{html: text}}
	}
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN PGP MESSAGE-----") {
		r.problems.note("encrypted")
	}
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN PGP SIGNED MESSAGE-----") {
		r.problems.note("signed")
	}
	return []content{{plain: r.withoutUU(text)}}
}

// label is the charset of a text part. A text without one is most likely in the charset that the mailer used in the header.
func (r *reading) label(p *part) string {
	if label := p.params.get("charset"); label != "" {
		return label
	}
	for _, name := range []string{"Subject", "From"} {
		if w, _, _, ok := nextWord(r.mail.Header.Raw(name)); ok {
			return w.charset
		}
	}
	return ""
}

// isBody tells text to be read from files. A text part with a file name is a file, unless it is the first text of the mail.
func (r *reading) isBody(p *part, parent string, first bool) bool {
	if p.media != "text/plain" && p.media != "text/html" {
		return p.media == "text/enriched" && r.plain == 0
	}
	if p.dispo == "attachment" {
		return false
	}
	name := r.givenName(p)
	switch {
	case name == "":
		return true
	case parent == "multipart/alternative", parent == "":
		return true
	}
	return r.plain == 0 && p.dispo != "inline" && first
}

func (r *reading) givenName(p *part) string {
	if name := p.dparams.text("filename", r.hint); name != "" {
		return name
	}
	if name := p.params.text("name", r.hint); name != "" {
		return name
	}
	if name := p.dparams.text("name", r.hint); name != "" {
		return name
	}
	return p.params.text("filename", r.hint)
}

// decode undoes the transfer encoding within the room that is left; the size is known before the work.
func (r *reading) decode(p *part) ([]byte, bool) {
	if len(p.body) > r.room {
		r.problems.note("decoded_limit")
		return nil, false
	}
	data := r.decodeTransfer(p)
	r.room -= len(data)
	return data, true
}

// withoutUU takes uuencoded files out of a text.
func (r *reading) withoutUU(text string) string {
	if strings.Contains(text, "=ybegin ") {
		r.problems.note("yenc")
	}
	if !strings.Contains(text, "begin ") {
		return text
	}
	files := findUU([]byte(text))
	for i := len(files) - 1; i >= 0; i-- {
		f := files[i]
		text = text[:f.start] + text[f.end:]
	}
	for _, f := range files {
		r.problems.note("uuencoded")
		if len(f.data) > r.room {
			r.problems.note("decoded_limit")
			continue
		}
		r.room -= len(f.data)
		name, _ := charset.Decode([]byte(f.name), r.hint)
		r.add(Attachment{GivenName: cleanLine(name), ContentType: sniff(f.data), Disposition: "attachment", data: f.data})
	}
	return text
}
