package email

import (
	"time"

	"postdesk/internal/email/body"
)

// Mail is one mail as a person would read it. All text is valid UTF-8 without control characters but line feed and tab.
type Mail struct {
	Header Header

	MessageID  string    // without angle brackets; "" if there is none
	From       string    // address of the first From field: local@domain as written, "" if it has none
	FromName   string    // display name; never trusted for anything
	FromCount  int       // addresses in all From fields together; anything but 1 is suspicious
	Froms      []Address // all of them
	Sender     string
	ReplyTo    []string
	To, Cc     []string
	Bcc        []string
	ReturnPath ReturnPath
	Recipients []string // addresses of the trace fields: Delivered-To, X-Original-To, Envelope-To and their like
	Subject    string
	Date       time.Time // UTC; zero if missing or unreadable. For display only
	InReplyTo  []string
	References []string // oldest first, without angle brackets, at most 100
	Received   int      // number of Received fields

	Kind    Kind
	Reasons []string // what the kind rests on, as stable codes: "auto_submitted", "out_of_office", …
	NoReply bool     // no automatic mail may answer this one, whatever its kind
	Bounce  *Bounce  // of a bounce or a delay notice, else nil

	Language    string // BCP 47 of the new text, "und" if it cannot be told
	Text        string // the whole visible text
	NewText     string // Text without quoted history and signature
	Counted     string // NewText, and the forwarded text where the writer hands it on: what the mail is about
	Hidden      bool   // the HTML holds text that a reader does not see; it is not in Text
	Attachments []Attachment
	Problems    []string // stable codes of what was repaired, guessed or left out
	SHA256      string   // of the raw bytes, hex

	html string // as written by the sender: never to be shown as it stands
}

// ReturnPath is the envelope sender as the receiving server wrote it down. A missing field and a null path differ: the first tells
// nothing, the second marks automatic mail (RFC 5321, section 4.5.5).
type ReturnPath struct {
	Present bool
	Address string
}

// Null reports an empty reverse-path: "Return-Path: <>".
func (r ReturnPath) Null() bool { return r.Present && r.Address == "" }

// HasHTML reports whether the mail has an HTML body.
func (m *Mail) HasHTML() bool { return m.html != "" }

// RawHTML returns the HTML body as the sender wrote it, for tests of authenticity and look-alikes. It is not fit for display.
func (m *Mail) RawHTML() string { return m.html }

// HTML returns the HTML body made safe for display in a page: no script, no style, no remote reference, images only of this mail.
// cid gives the address under which the image with that content id is shown; nil leaves all images out. It is made anew at each call.
func (m *Mail) HTML(cid func(id string) (url string, ok bool)) string {
	if m.html == "" {
		return ""
	}
	return body.Sanitise(m.html, cid)
}

// AllRecipients returns every address the mail says it was meant for or delivered to: trace fields first, then To, Cc and Bcc.
func (m *Mail) AllRecipients() []string {
	out := append([]string{}, m.Recipients...)
	return append(append(append(out, m.To...), m.Cc...), m.Bcc...)
}
