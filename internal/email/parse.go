package email

import (
	"bytes"
	"strings"
	"time"

	"postdesk/internal/email/charset"
)

// Parse reads a mail. It never fails: what cannot be read is left out and named in Problems. The raw bytes are not changed, but
// the result may refer to them, so the caller must not change them either.
func Parse(raw []byte) (m *Mail) {
	defer func() {
		if recover() != nil { // a fault of ours costs this mail its reading, not the program its life
			m = unread(raw)
		}
	}()
	return parse(raw)
}

// unread is a mail that could not be read at all: its bytes as text, and the problem that says so.
func unread(raw []byte) *Mail {
	text, _ := charset.Decode(raw[:min(len(raw), maxText)], "")
	var found problems
	found.note("unreadable")
	return &Mail{SHA256: digestOf(raw), Kind: Human, NoReply: true, Language: "und", Text: text, NewText: text, Counted: text, Problems: found}
}

func parse(raw []byte) *Mail {
	m := &Mail{SHA256: digestOf(raw)}
	var found problems
	w := &walker{problems: &found}
	view := w.lineEnds(raw)
	root := w.entity(view, 0, false)
	m.Header = root.header
	m.Header.hint = charsetHint(root)
	m.envelope(&found)
	r := reading{walker: w, mail: m, room: maxDecoded, hint: m.Header.hint}
	r.read(root)
	m.classify(root, w)
	m.Problems = found
	if m.Problems == nil {
		m.Problems = []string{}
	}
	return m
}

// lineEnds returns raw, or a copy with line feeds if its lines end with bare carriage returns.
func (w *walker) lineEnds(raw []byte) []byte {
	if bytes.IndexByte(raw, 0) >= 0 {
		w.problems.note("nul_bytes")
	}
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	first = bytes.TrimRight(first, "\r")
	if bytes.IndexByte(first, '\r') < 0 || !fieldsBetweenReturns(first) {
		return raw
	}
	w.problems.note("bare_cr")
	fixed := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(fixed, []byte("\r"), []byte("\n"))
}

// fieldsBetweenReturns reports whether bare carriage returns separate header fields.
func fieldsBetweenReturns(b []byte) bool {
	for _, line := range bytes.SplitN(b, []byte("\r"), 20)[1:] {
		if fieldNameEnd(line) > 0 {
			return true
		}
	}
	return false
}

// charsetHint is the first charset that the mail declares: raw 8-bit header fields most likely are in it too.
func charsetHint(p *part) string {
	if label := p.params.get("charset"); label != "" {
		return label
	}
	for _, child := range p.children {
		if label := charsetHint(child); label != "" {
			return label
		}
	}
	return ""
}

// envelope reads the header fields.
func (m *Mail) envelope(found *problems) {
	h := &m.Header
	if len(h.fields) == 0 {
		found.note("header_missing")
	}
	m.Subject = h.First("Subject")
	m.sender(found)
	m.ReplyTo = addrs(m.addresses("Reply-To"))
	m.To, m.Cc, m.Bcc = addrs(m.addresses("To")), addrs(m.addresses("Cc")), addrs(m.addresses("Bcc"))
	if ids := parseIDs(firstNonEmpty(h.RawAll("Message-ID"))); len(ids) > 0 {
		m.MessageID = ids[0]
	} else {
		found.note("message_id_missing")
	}
	m.InReplyTo = parseIDs(strings.Join(h.RawAll("In-Reply-To"), " "))
	m.References = parseIDs(strings.Join(h.RawAll("References"), " "))
	m.Received = h.Count("Received")
	m.trace()
	m.dated(found)
}

func firstNonEmpty(values []string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

// sender reads From and Sender and flags what is not exactly one readable address in exactly one From field.
func (m *Mail) sender(found *problems) {
	m.Froms = m.addresses("From")
	fields := m.Header.Count("From")
	m.FromCount = len(m.Froms)
	var first Address
	if len(m.Froms) > 0 {
		first = m.Froms[0]
	}
	m.From, m.FromName = first.Addr, first.Name
	if sender := m.addresses("Sender"); len(sender) > 0 {
		m.Sender = sender[0].Addr
	}
	switch {
	case fields == 0:
		found.note("from_missing")
	case fields > 1:
		found.note("from_duplicate")
	case len(m.Froms) > 1:
		found.note("from_multiple")
	case !first.Valid():
		found.note("from_unreadable")
	}
	if namesAddress(m.FromName) && !strings.EqualFold(strings.Trim(m.FromName, "<>'\""), m.From) {
		found.note("from_name_is_address")
	}
}

func (m *Mail) addresses(name string) []Address {
	var out []Address
	for i := range m.Header.fields {
		f := &m.Header.fields[i]
		if named(f.name, name) && len(out) < maxAddresses {
			out = append(out, ParseAddresses(unfold(f.value), m.Header.hint)...)
		}
	}
	return out[:min(len(out), maxAddresses)]
}

// traceFields hold the envelope recipient; which of them exists depends on the receiving server.
var traceFields = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-Real-To", "X-RCPT-To", "Apparently-To", "X-Forwarded-To"}

func (m *Mail) trace() {
	for _, name := range traceFields {
		for _, v := range m.Header.RawAll(name) {
			for _, a := range ParseAddresses(v, "") {
				if a.Addr != "" && len(m.Recipients) < maxAddresses {
					m.Recipients = append(m.Recipients, a.Addr)
				}
			}
		}
	}
	if f := m.Header.find("Return-Path"); f != nil {
		m.ReturnPath.Present = true
		m.ReturnPath.Address = cleanSpec(unfold(f.value))
	}
}

// dated reads Date. Mail older than the protocol or from the future is flagged and its date kept for display.
func (m *Mail) dated(found *problems) {
	value := m.Header.Raw("Date")
	t, ok := parseDate(value)
	switch {
	case strings.TrimSpace(value) == "":
		found.note("date_missing")
	case !ok:
		found.note("date_unreadable")
	case t.Year() < 1 || t.Year() > 9999:
		found.note("date_absurd")
		return
	case t.Year() < 1980 || t.After(time.Now().AddDate(0, 0, 2)):
		found.note("date_absurd")
	}
	m.Date = t
}

// addrs returns the addresses without the names; never nil.
func addrs(from []Address) []string {
	out := []string{}
	for _, a := range from {
		if a.Addr != "" {
			out = append(out, a.Addr)
		}
	}
	return out
}
