package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postdesk/internal/email"
	"postdesk/internal/scan"
	"postdesk/internal/ticket"
)

// What a mail brings that people must know of: secrets in the text, infected files, a file that another customer sent before.

// scanFiles asks the scanner about every attachment. A scanner that does not answer leaves files unscanned: they are kept, and
// neither shown nor counted.
func (d *Desk) scanFiles(ctx context.Context, r *reading) {
	for i := range r.parsed.Attachments {
		verdict, words, err := d.Scanner.Scan(ctx, r.parsed.Attachments[i].Bytes())
		if err != nil {
			d.Log.Warn("scan an attachment", "mailbox", r.mail.Mailbox, "uid", r.mail.UID, "part", i, "err", err)
		}
		if verdict == scan.Infected {
			d.Log.Warn("infected attachment", "mailbox", r.mail.Mailbox, "uid", r.mail.UID, "part", i, "words", words)
		}
		r.scans = append(r.scans, verdict)
	}
}

// watch flags on the ticket what the mail brings.
func (in *intake) watch(r *reading, t *ticket.Ticket) error {
	flags := r.secretFlags()
	if slices.Contains(r.scans, scan.Infected) {
		flags = append(flags, "infected_file")
	}
	seen, err := in.filesOfOthers(r, t)
	if err != nil {
		return err
	}
	for _, f := range append(flags, seen...) {
		if !slices.Contains(t.Flags, f) {
			t.Flags = append(t.Flags, f)
		}
	}
	return nil
}

func (r *reading) secretFlags() (flags []string) {
	for _, kind := range r.secrets {
		flags = append(flags, "secret:"+kind)
	}
	return flags
}

// minShared is the least size at which the same bytes mean the same document; smaller files are signatures and logos.
const minShared = 4 << 10

// maxShared is how many earlier copies of a file are looked at: a form that thousands send says nothing about any of them.
const maxShared = 20

// filesOfOthers names tickets of other customers in which the very same file was seen.
func (in *intake) filesOfOthers(r *reading, t *ticket.Ticket) (flags []string, err error) {
	for i := range r.parsed.Attachments {
		a := &r.parsed.Attachments[i]
		if a.Inline || a.Size < minShared {
			continue
		}
		known := in.files[a.SHA256]
		for _, known := range known[:min(len(known), maxShared)] {
			other, err := in.ownerOf(known)
			if err != nil {
				return nil, err
			}
			if other.CustomerID != t.CustomerID && other.ID != 0 {
				flags = append(flags, fmt.Sprintf("file_seen_in:%d", other.ID))
			}
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags), nil
}

func (in *intake) ownerOf(a ticket.Attachment) (ticket.Ticket, error) {
	m, err := in.tx.Message(in.ctx, a.MessageID)
	if err != nil || m.TicketID == 0 {
		return ticket.Ticket{}, err
	}
	t, err := in.ticket(m.TicketID)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return *t, nil
}

func (in *intake) readFiles(readings []*reading) (err error) {
	var shas []string
	for _, r := range readings {
		if r.parsed == nil {
			continue
		}
		for i := range r.parsed.Attachments {
			if a := &r.parsed.Attachments[i]; !a.Inline && a.Size >= minShared {
				shas = append(shas, a.SHA256)
			}
		}
	}
	if in.files, err = in.tx.AttachmentsBySHA(in.ctx, shas); err != nil {
		return fmt.Errorf("look up files: %w", err)
	}
	return nil
}

// warnOfSecrets tells the customer once a ticket that passwords and codes have no place in a mail.
func (in *intake) warnOfSecrets(r *reading, t *ticket.Ticket, c *ticket.Customer) error {
	if len(r.secrets) == 0 {
		return nil
	}
	key := fmt.Sprintf("%d/security.secret_received", t.ID)
	if again, err := in.sentBefore(t, key); err != nil || again {
		return err
	}
	o := in.occasion(r, t, c)
	o.Ack = false
	if why := mayAnswer(o, in.Settings.Automatic); why != "" {
		in.tx.Record("answer.withheld", t.ID, map[string]string{"template": "security.secret_received", "reason": why})
		return nil
	}
	in.sent.add(t.ID, c.Address, false)
	return in.post(in.tx, letter{
		ticket: t, customer: c, template: "security.secret_received", class: ticket.ClassProcedure, automatic: "auto-replied", dedupe: key,
		data: map[string]any{"kind": secretWord(r.secrets[0])}, inReplyTo: r.parsed.MessageID, references: r.parsed.References,
	})
}

// secretWord is the template's word for a kind of secret.
func secretWord(kind string) string {
	switch kind {
	case email.SecretPassword:
		return "password"
	case email.SecretCode:
		return "sms_code"
	case email.SecretCard:
		return "card"
	case email.SecretSeed:
		return "seed_phrase"
	}
	return "other"
}

// masked hides secrets in what people read; the original keeps them.
func masked(text string) string {
	out, _ := email.Mask(text)
	return strings.TrimRight(out, "\n")
}
