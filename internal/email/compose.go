package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"sort"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Outgoing is one mail to one recipient.
type Outgoing struct {
	FromName      string // the brand as customers know it
	From          string
	EnvelopeFrom  string // reverse-path, for the caller's use; it is not in the mail
	ToName        string
	To            string
	ReplyTo       string // "": answers go to From
	Subject       string
	Text          string // required
	HTML          string // "": a plain mail
	Language      string // BCP 47, for Content-Language
	MessageID     string // required, without angle brackets
	InReplyTo     string
	References    []string          // oldest first; trimmed to about 1,500 bytes, keeping the first and the last ones
	Date          time.Time         // required
	AutoSubmitted string            // "" for a person's mail, else "auto-replied" or "auto-generated" (RFC 3834, section 5)
	Loop          string            // value of X-Postdesk-Loop
	Extra         map[string]string // further X- fields
}

// referenceRoom is how many bytes of References are written: some relays refuse long header lines.
const referenceRoom = 1500

// Compose renders a mail to the bytes that are stored and sent: multipart/alternative of plain text and HTML (or plain text alone),
// quoted-printable, with our own Message-ID and no field that tells the software. Every value goes through an encoder or a check, so
// that no value can add a header field; an address or id that is none is an error.
func Compose(o Outgoing) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP), gomail.WithBoundary(boundaryFor(o.MessageID)))
	if err := o.addresses(msg); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	o.fields(msg)
	msg.SetBodyString(gomail.TypeTextPlain, o.Text)
	if o.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, o.HTML)
	}
	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	return out.Bytes(), nil
}

func (o Outgoing) check() error {
	switch {
	case strings.TrimSpace(o.Text) == "":
		return errors.New("no text")
	case o.Date.IsZero():
		return errors.New("no date")
	case o.AutoSubmitted != "" && o.AutoSubmitted != "auto-replied" && o.AutoSubmitted != "auto-generated":
		return fmt.Errorf("auto-submitted value %q", o.AutoSubmitted)
	case !headerSafe(o.Loop) || !headerSafe(o.Language):
		return errors.New("a field value holds a line break")
	}
	for _, addr := range []string{o.From, o.To} {
		if !(Address{Addr: addr}).Valid() {
			return fmt.Errorf("address %q", addr)
		}
	}
	if o.ReplyTo != "" && !(Address{Addr: o.ReplyTo}).Valid() {
		return fmt.Errorf("reply address %q", o.ReplyTo)
	}
	if !validID(o.MessageID) {
		return fmt.Errorf("message id %q", o.MessageID)
	}
	for name, value := range o.Extra {
		if !strings.HasPrefix(name, "X-") || fieldNameEnd([]byte(name+":")) != len(name) || !headerSafe(value) {
			return fmt.Errorf("extra field %q", name)
		}
	}
	return nil
}

func headerSafe(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }

// validID accepts what can stand between angle brackets without changing its meaning.
func validID(id string) bool {
	if id == "" || len(id) > 900 || !strings.Contains(id, "@") {
		return false
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

func (o Outgoing) addresses(msg *gomail.Msg) error {
	msg.FromMailAddress(&mail.Address{Name: cleanLine(o.FromName), Address: o.From})
	msg.AddToMailAddress(&mail.Address{Name: cleanLine(o.ToName), Address: o.To})
	if o.ReplyTo != "" {
		msg.ReplyToMailAddress(&mail.Address{Name: cleanLine(o.FromName), Address: o.ReplyTo})
	}
	if len(msg.GetFrom()) != 1 || len(msg.GetTo()) != 1 {
		return errors.New("an address was refused")
	}
	return nil
}

func (o Outgoing) fields(msg *gomail.Msg) {
	msg.Subject(cleanLine(o.Subject))
	msg.SetDateWithValue(o.Date)
	msg.SetMessageIDWithValue(o.MessageID)
	if validID(o.InReplyTo) {
		msg.SetGenHeader("In-Reply-To", "<"+o.InReplyTo+">")
	}
	if refs := trimReferences(o.References); refs != "" {
		msg.SetGenHeader("References", refs)
	}
	if o.Language != "" {
		msg.SetGenHeader("Content-Language", o.Language)
	}
	// Exchange answers automatic mail by its own rules: All stops every automatic answer, OOF only absence notices.
	suppress := "OOF"
	if o.AutoSubmitted != "" {
		suppress = "All"
		msg.SetGenHeader("Auto-Submitted", o.AutoSubmitted)
	}
	msg.SetGenHeader("X-Auto-Response-Suppress", suppress)
	if o.Loop != "" {
		msg.SetGenHeader(LoopField, o.Loop)
	}
	for _, name := range sortedNames(o.Extra) {
		msg.SetGenHeader(gomail.Header(name), o.Extra[name])
	}
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// trimReferences joins ids that are well-formed, dropping the ones after the first until the rest fits.
func trimReferences(ids []string) string {
	var good []string
	for _, id := range ids {
		if validID(id) {
			good = append(good, "<"+id+">")
		}
	}
	if len(good) == 0 {
		return ""
	}
	size := len(good[0])
	keep := len(good)
	for keep > 1 && size+len(good[keep-1])+1 <= referenceRoom {
		keep--
		size += len(good[keep]) + 1
	}
	return strings.Join(append(good[:1:1], good[keep:]...), " ")
}

// boundaryFor derives the boundary from the Message-ID, so that the same mail always renders to the same bytes.
func boundaryFor(id string) string {
	sum := sha256.Sum256([]byte("boundary " + id))
	return "pd-" + hex.EncodeToString(sum[:15])
}
