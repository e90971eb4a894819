package desk

import (
	"fmt"
	"slices"
	"strings"

	"postdesk/internal/email"
	"postdesk/internal/ticket"
)

// bounce takes a report that a mail of ours was not delivered. Only one that carries our signed token changes anything: a
// forged bounce would otherwise silence the desk towards a customer. One without, or one that is no report in the
// form of RFC 3464, is shown like any other mail.
func (in *intake) bounce(r *reading) error {
	if r.ref.Delivery == 0 || r.parsed.Bounce == nil || !r.parsed.Bounce.Standard {
		return in.converse(r)
	}
	row, err := in.tx.Delivery(in.ctx, r.ref.Delivery)
	if err != nil {
		return in.converse(r)
	}
	t, err := in.ticket(row.TicketID)
	if err != nil {
		return err
	}
	return in.returned(r, &row, t)
}

// returned adds the bounce to the ticket and marks the delivery, and the address where the refusal is for good.
func (in *intake) returned(r *reading, d *ticket.Delivery, t *ticket.Ticket) error {
	m := in.message(r, t.ID, "")
	row := in.inbound(r, ticket.Ticketed)
	row.TicketID, row.MessageID = t.ID, m.ID
	in.tx.PutOriginal(r.original)
	in.settle(row)
	in.tx.Insert(m)
	rows := []any{row, m}
	in.remember(r, row)
	b := r.parsed.Bounce
	data := mailData(r, map[string]any{"delivery": d.ID, "action": b.Action, "status": b.Status})
	if b.Action != "failed" || !openToBounce(d.State) {
		kind := map[bool]string{true: "delivery.delayed", false: "delivery.reported"}[b.Action == "delayed"] // nothing changes
		in.tx.Record(kind, t.ID, data, rows...)
		return nil
	}
	d.State, d.LastResponse = ticket.Bounced, strings.TrimSpace(b.Status+" "+b.Diagnostic)
	in.tx.Update(d)
	rows = append(rows, d)
	more, err := in.markDead(t, b)
	if err != nil {
		return err
	}
	in.tx.Record("delivery.bounced", t.ID, data, append(rows, more...)...)
	return nil
}

// openToBounce reports whether a delivery in that state can still turn out to be undelivered.
func openToBounce(s ticket.DeliveryState) bool {
	return s == ticket.Accepted || s == ticket.Uncertain || s == ticket.Sending
}

// markDead puts the failure where the next reader of the ticket sees it. A refusal for good (RFC 3463 class 5.1 and 5.2.1)
// ends all automatic mail to the address; one for policy or a full box does not.
func (in *intake) markDead(t *ticket.Ticket, b *email.Bounce) ([]any, error) {
	t.Status, t.UpdatedAt = ticket.Open, in.tx.Now()
	if !slices.Contains(t.Flags, "undeliverable") {
		t.Flags = append(t.Flags, "undeliverable")
	}
	in.tx.Update(t)
	if !hardBounce(b.Status) {
		return []any{t}, nil
	}
	c, err := in.tx.Customer(in.ctx, t.CustomerID)
	if err != nil {
		return nil, fmt.Errorf("customer of ticket %d: %w", t.ID, err)
	}
	c.UndeliverableAt = in.tx.Now()
	in.tx.Update(&c)
	return []any{t, &c}, nil
}

func hardBounce(status string) bool {
	return slices.Contains([]string{"5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.2.1"}, status)
}
