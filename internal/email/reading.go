package email

import (
	"bytes"
	escape "html"
	"slices"
	"strings"
	"unicode"

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
	if len(text) == 0 && r.rich != "" {
		text = []string{r.rich}
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

// text decodes a charset and cleans the result.
func (r *reading) text(data []byte, label string) string {
	text, sure := charset.Decode(data, label)
	switch sure {
	case charset.Guessed:
		r.problems.note("charset_guessed")
	case charset.Damaged:
		r.problems.note("charset_damaged")
	}
	return validText(text)
}

// htmlText decodes HTML. The MIME charset counts; a missing one is taken from the document's meta element.
func (r *reading) htmlText(data []byte, label string) string {
	if charset.Name(label) == "" {
		if meta := metaCharset(data); meta != "" {
			label = meta
		}
	}
	return r.text(data, label)
}

// metaCharset finds `charset=` in the first kilobytes of an HTML document.
func metaCharset(data []byte) string {
	head := bytes.ToLower(data[:min(len(data), 4096)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(head[i+8:], " \"'")
	end := bytes.IndexAny(rest, " \"'>;/")
	if end <= 0 || end > 40 {
		return ""
	}
	return string(rest[:end])
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

// attach keeps a part as a file.
func (r *reading) attach(p *part, parent string) {
	name := r.givenName(p)
	cid := strings.Trim(cleanLine(decodeText(p.header.Raw("Content-ID"), "")), "<> ")
	if r.skipped(p, parent, name, cid) {
		return
	}
	data, ok := r.decode(p)
	if !ok {
		data = nil
	}
	a := Attachment{GivenName: name, ContentType: p.media, ContentID: cid, Disposition: p.dispo, data: data}
	a.Damaged = !ok || p.damaged
	a.Inline = p.dispo != "attachment" && cid != ""
	r.remark(p, name)
	if other := p.params.text("name", r.hint); other != "" && name != "" && safeName(other) != safeName(name) {
		r.problems.note("filename_conflict")
	}
	r.add(a)
	r.outlook(a)
}

// outlook takes the files out of a winmail.dat, and its text if the mail has none.
func (r *reading) outlook(a Attachment) {
	if a.ContentType != "application/ms-tnef" && a.ContentType != "application/vnd.ms-tnef" && !strings.EqualFold(a.GivenName, "winmail.dat") {
		return
	}
	files, text, ok := parseTNEF(a.data)
	if !ok {
		r.problems.note("tnef_damaged")
		return
	}
	r.rich = validText(text)
	for _, f := range files {
		if len(f.data) == 0 {
			continue
		}
		media := f.media
		if !validType(media) {
			media = sniff(f.data)
		}
		r.add(Attachment{GivenName: cleanLine(f.name), ContentType: media, ContentID: strings.Trim(cleanLine(f.cid), "<>"), Disposition: "attachment", data: f.data})
	}
}

// skipped tells parts that are machinery rather than files.
func (r *reading) skipped(p *part, parent, name, cid string) bool {
	switch p.media {
	case "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature":
		r.problems.note("signed")
		return name == "" && cid == "" && parent == "multipart/signed"
	case "application/pgp-encrypted":
		return name == "" && parent == "multipart/encrypted"
	case "text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext":
		return parent == "multipart/alternative"
	}
	return false
}

// remark notes what a person has to open by other means.
func (r *reading) remark(p *part, name string) {
	switch p.media {
	case "application/ms-tnef", "application/vnd.ms-tnef":
		r.problems.note("tnef")
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if strings.HasPrefix(p.params.get("smime-type"), "signed") {
			r.problems.note("signed")
			return
		}
		r.problems.note("encrypted")
	case "message/partial", "message/external-body":
		r.problems.note("message_incomplete")
	}
	if strings.EqualFold(name, "winmail.dat") {
		r.problems.note("tnef")
	}
}

func (r *reading) add(a Attachment) {
	a.Size = int64(len(a.data))
	a.SHA256 = digestOf(a.data)
	a.Sniffed = sniff(a.data)
	r.mail.Attachments = append(r.mail.Attachments, a)
}

// calendars drops the nameless calendar alternative of an invitation whose calendar file is attached as well.
func (r *reading) calendars() {
	list := r.mail.Attachments
	for i, a := range list {
		if a.ContentType != "text/calendar" || a.GivenName != "" {
			continue
		}
		for j, other := range list {
			if i != j && other.GivenName != "" && (other.ContentType == "text/calendar" || other.ContentType == "application/ics") {
				r.mail.Attachments = append(list[:i:i], list[i+1:]...)
				return
			}
		}
	}
}

// names gives every attachment a safe file name.
func (r *reading) names() {
	for i := range r.mail.Attachments {
		a := &r.mail.Attachments[i]
		a.Filename = safeName(a.GivenName)
		switch {
		case a.Filename != "":
		case a.ContentType == "message/rfc822" || a.ContentType == "message/global":
			a.Filename = enclosedName(a.data, i+1)
		case a.ContentType == "application/octet-stream":
			a.Filename = inventedName(i+1, a.Sniffed)
		default:
			a.Filename = inventedName(i+1, a.ContentType)
		}
		if a.GivenName != "" && a.Filename != a.GivenName {
			r.problems.note("filename_changed")
		}
	}
}

// enclosedName names an enclosed mail by its subject.
func enclosedName(data []byte, n int) string {
	reader := headerReader{raw: data[:min(len(data), 64<<10)], top: true, note: func(string) {}}
	fields, _ := reader.read()
	h := Header{fields: fields}
	if name := safeName(strings.ReplaceAll(h.First("Subject"), "/", "_")); name != "" {
		return shorten(name + ".eml")
	}
	return inventedName(n, "message/rfc822")
}

// visible chooses the form of a block that people read: the plain one, unless it says nothing compared with the HTML.
func (r *reading) visible(c content) string {
	if c.html == "" {
		return c.plain
	}
	plain := strings.TrimSpace(c.plain)
	if plain != "" && len(plain)*20 > len(c.html) && echoes(plain, c.html) {
		return c.plain
	}
	text, hidden := body.TextFromHTML(c.html)
	if len(hidden) > 0 {
		r.mail.Hidden = true
		r.problems.note("hidden_text")
	}
	if plain != "" && len(plain)*10 > len(text) || strings.TrimSpace(text) == "" {
		if len(plain) > 40 && strings.TrimSpace(text) != "" && !echoes(plain, text) {
			r.problems.note("alternative_differs")
		}
		return c.plain
	}
	if plain != "" {
		r.problems.note("plain_text_trivial")
	}
	return text
}

// echoes takes ten samples of the plain text and looks for them in the HTML as it stands: enough to see that the two forms say the
// same without reading the HTML.
func echoes(plain, html string) bool {
	runes := []rune(plain)
	found, tried := 0, 0
	for i := range 10 {
		word := sampleAt(runes, len(runes)*i/10)
		if word == "" {
			continue
		}
		tried++
		if strings.Contains(html, word) {
			found++
		}
	}
	return found*2 >= tried
}

// sampleAt returns the first run of letters from position at on: at most eight of a Latin word, three of other scripts.
func sampleAt(runes []rune, at int) string {
	for at < len(runes) && (!unicode.IsLetter(runes[at]) || at > 0 && runes[at] < 0x2e80 && unicode.IsLetter(runes[at-1])) {
		at++
	}
	end := at
	for end < len(runes) && unicode.IsLetter(runes[end]) && end-at < 8 && (runes[at] < 0x2e80 || end-at < 3) {
		end++
	}
	return string(runes[at:end])
}
