package email

import (
	"strings"
)

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
