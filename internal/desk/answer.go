package desk

import (
	"fmt"
	"maps"
	"time"

	"postdesk/config"
	"postdesk/internal/email"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// guides are the first answers of the categories: what to do, in order. Everything else gets a plain acknowledgement.
var guides = map[ticket.Category]string{
	ticket.LockedAccount:  "locked.guide",
	ticket.PaymentFailure: "payment.guide",
	ticket.Withdrawal:     "withdrawal.guide",
	ticket.Restriction:    "restriction.guide",
	ticket.Closure:        "closure.guide",
}

// firstAnswer is the template that acknowledges a mail. An unsure classification never sends a category's words.
func (in *intake) firstAnswer(t *ticket.Ticket, r *reading) string {
	key, known := guides[t.Category]
	switch {
	case r.mail.Problem == "too_large":
		return "intake.too_large"
	case known && in.sure(t.Confidence):
		return key
	}
	return "ack.received"
}

// acknowledge queues the first answer, or records why none is owed.
func (in *intake) acknowledge(r *reading, t *ticket.Ticket, c *ticket.Customer) error {
	key := in.firstAnswer(t, r)
	o, dedupe := in.occasion(r, t, c), fmt.Sprintf("%d/%s", t.ID, key)
	var err error
	if o.Again, err = in.sentBefore(t, dedupe); err != nil {
		return err
	}
	if why := mayAnswer(o, in.Settings.Automatic); why != "" {
		in.tx.Record("answer.withheld", t.ID, map[string]string{"template": key, "reason": why})
		return nil
	}
	in.sent.add(t.ID, c.Address, true)
	return in.post(in.tx, letter{
		ticket: t, customer: c, template: key, class: ticket.ClassAck, automatic: "auto-replied",
		dedupe: dedupe, inReplyTo: r.parsed.MessageID, references: r.parsed.References,
	})
}

// sentBefore reports whether a step was queued on the ticket already. A ticket that this transaction has just opened is not
// asked for: nearly every mail opens one.
func (in *intake) sentBefore(t *ticket.Ticket, dedupe string) (bool, error) {
	if in.onTicket(t.ID) == 0 && !t.CreatedAt.Before(in.tx.Now()) {
		return false, nil
	}
	known, err := in.tx.DeliveriesByDedupe(in.ctx, []string{dedupe})
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", dedupe, err)
	}
	return len(known) > 0, nil
}

// letter is one mail to a customer before it is composed.
type letter struct {
	ticket     *ticket.Ticket
	customer   *ticket.Customer
	template   string
	data       map[string]any // beyond what every template has
	class      ticket.Class
	automatic  string // Auto-Submitted: auto-replied, auto-generated, or "" when a person wrote it
	author     string
	dedupe     string // unique key: the same step never queues two mails; "" for what may be repeated
	inReplyTo  string
	references []string
	expires    time.Time
}

// post composes a letter once, stores its bytes and queues exactly these bytes, all within the caller's transaction.
func (d *Desk) post(tx *store.Tx, l letter) error {
	b, box := d.brands[l.ticket.Brand], d.supportBox(l.ticket.Brand)
	if box.Address == "" {
		return fmt.Errorf("brand %q of ticket %d has no mailbox in the configuration: %w", l.ticket.Brand, l.ticket.ID, ticket.ErrInvalid)
	}
	text, err := d.replies[b.ID].Render(l.template, l.ticket.Language, letterData(l))
	if err != nil {
		return fmt.Errorf("render %s for ticket %d: %w", l.template, l.ticket.ID, err)
	}
	id := tx.NextID("delivery")
	if l.dedupe == "" {
		l.dedupe = fmt.Sprintf("%d/delivery/%d", l.ticket.ID, id) // a person may write the same twice
	}
	out, err := d.address(l, b, box, id)
	if err != nil {
		return fmt.Errorf("address delivery %d: %w", id, err)
	}
	out.Subject, out.Text, out.HTML, out.Date = text.Subject, text.Text, text.HTML, tx.Now()
	raw, err := email.Compose(out)
	if err != nil {
		return fmt.Errorf("compose %s for ticket %d: %w", l.template, l.ticket.ID, err)
	}
	return enqueue(tx, l, out, id, raw)
}

// address fills in who writes to whom, and the tokens by which answers and bounces find their way back.
func (d *Desk) address(l letter, b config.Brand, box config.Mailbox, id int64) (out email.Outgoing, err error) {
	out = email.Outgoing{
		FromName: b.Name, From: box.Address, To: l.customer.Address, EnvelopeFrom: box.Address, Language: l.ticket.Language,
		MessageID: d.Tokens.MessageID(b.Domains[0], id, l.customer.Address), AutoSubmitted: l.automatic,
		InReplyTo: l.inReplyTo, References: append(l.references[:len(l.references):len(l.references)], nonEmpty(l.inReplyTo)...),
		Loop: d.Tokens.Loop(d.Settings.Instance),
	}
	if !box.Plus() {
		return out, nil
	}
	if out.ReplyTo, err = d.Tokens.ReplyAddress(box.Address, l.ticket.ID, l.customer.Address); err != nil {
		return out, err
	}
	out.EnvelopeFrom, err = d.Tokens.BounceAddress(box.Address, id, l.customer.Address)
	return out, err
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func enqueue(tx *store.Tx, l letter, out email.Outgoing, id int64, raw []byte) error {
	original := store.Pack(raw)
	tx.PutOriginal(original)
	kind := map[bool]string{true: "automatic", false: "agent"}[l.automatic != ""]
	m := &ticket.Message{
		ID: tx.NextID("message"), TicketID: l.ticket.ID, Direction: ticket.Out, Kind: kind, From: out.From, FromName: out.FromName,
		To: []string{out.To}, Subject: out.Subject, MessageID: out.MessageID, InReplyTo: nonEmpty(out.InReplyTo), References: out.References,
		Text: out.Text, NewText: out.Text, Language: l.ticket.Language, Author: l.author, Template: l.template,
		RawSHA256: original.SHA256, ReceivedAt: tx.Now(), CreatedAt: tx.Now(),
	}
	row := &ticket.Delivery{
		ID: id, TicketID: l.ticket.ID, MessageID: m.ID, Class: l.class, Template: l.template, DedupeKey: l.dedupe, Automatic: l.automatic != "",
		MailFrom: out.EnvelopeFrom, To: out.To, Domain: domainOf(out.To), MailID: out.MessageID, RawSHA256: original.SHA256,
		State: ticket.Queued, NextAttemptAt: tx.Now(), ExpiresAt: l.expires, CreatedAt: tx.Now(),
	}
	tx.Insert(m, row)
	data := map[string]any{"delivery": id, "message": m.ID, "template": l.template, "language": l.ticket.Language, "sha256": original.SHA256}
	tx.Record("mail.queued", l.ticket.ID, data, m, row)
	return nil
}

// letterData is what the template may say: the ticket's number and what the letter brings. What the brand says of itself is
// in the set already.
func letterData(l letter) map[string]any {
	data := map[string]any{"ticket_no": fmt.Sprint(l.ticket.ID)}
	maps.Copy(data, l.data)
	return data
}
