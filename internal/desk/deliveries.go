package desk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"postdesk/internal/outbox"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// Outbox hands deliveries to the senders. It implements outbox.Queue over the store.
type Outbox struct{ desk *Desk }

// Outbox returns the desk's outbox.
func (d *Desk) Outbox() Outbox { return Outbox{d} }

// Recover settles the deliveries whose sender is gone: what was only leased goes back to the queue, what may have reached
// the server becomes uncertain and is not sent again (RFC 1047: the client cannot know).
func (o Outbox) Recover(ctx context.Context, _ string, all bool) error {
	expired, err := o.desk.Store.ExpiredDeliveries(ctx, all)
	if err != nil || len(expired) == 0 {
		return err
	}
	return o.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		for _, d := range expired {
			if err := settleLost(ctx, tx, d.ID, d.Fence); err != nil {
				return fmt.Errorf("settle delivery %d: %w", d.ID, err)
			}
		}
		return nil
	})
}

func settleLost(ctx context.Context, tx *store.Tx, id, fence int64) error {
	d, err := tx.Delivery(ctx, id)
	if err != nil || d.Fence != fence {
		return err
	}
	tx.ReleaseDelivery(d.ID, fence)
	if d.State != ticket.Sending {
		return nil // only claimed: it is due as before
	}
	d.State, d.LastResponse = ticket.Uncertain, "the program ended while the mail was being handed over"
	tx.Update(&d)
	flagged, err := flagTicket(ctx, tx, d.TicketID, "delivery_uncertain")
	if err != nil {
		return err
	}
	tx.Record("delivery.uncertain", d.TicketID, map[string]any{"delivery": d.ID}, append(flagged, &d)...)
	return nil
}

// Claim leases deliveries that are due.
func (o Outbox) Claim(ctx context.Context, owner string, most int, lease time.Duration, skipDomains []string) ([]outbox.Job, error) {
	rows, err := o.desk.Store.ClaimDeliveries(ctx, owner, most, lease, skipDomains)
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	jobs := make([]outbox.Job, 0, len(rows))
	for _, d := range rows {
		raw, err := o.desk.Store.Original(ctx, d.RawSHA256)
		if err != nil {
			return jobs, fmt.Errorf("bytes of delivery %d: %w", d.ID, err)
		}
		jobs = append(jobs, outbox.Job{
			ID: d.ID, Ticket: d.TicketID, Fence: d.Fence, Class: d.Class, MailFrom: d.MailFrom, To: d.To, Domain: d.Domain,
			Raw: raw, Attempts: d.Attempts, CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt,
		})
	}
	return jobs, nil
}

// Start asks once more whether the mail is still wanted and writes down that it is being handed over, before it is.
func (o Outbox) Start(ctx context.Context, job outbox.Job) (wanted bool, err error) {
	err = o.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		d, err := o.leased(tx, job)
		if err != nil {
			return err
		}
		if d.State.Final() { // a person cancelled it after it was claimed
			wanted = false
			tx.ReleaseDelivery(d.ID, job.Fence)
			return nil
		}
		why, err := o.desk.unwanted(ctx, tx, &d)
		if err != nil {
			return err
		}
		if wanted = why == ""; !wanted {
			d.State, d.LastResponse = ticket.Cancelled, why
			tx.ReleaseDelivery(d.ID, job.Fence)
			tx.Update(&d)
			tx.Record("delivery.cancelled", d.TicketID, map[string]any{"delivery": d.ID, "reason": why}, &d)
			return nil
		}
		d.State, d.Attempts = ticket.Sending, job.Attempts+1
		tx.Update(&d)
		tx.Record("delivery.sending", d.TicketID, map[string]any{"delivery": d.ID, "attempt": d.Attempts}, &d)
		return nil
	})
	return wanted, err
}

// leased reads a delivery and checks that the job still has the right to it.
func (o Outbox) leased(tx *store.Tx, job outbox.Job) (ticket.Delivery, error) {
	d, err := tx.ClaimedDelivery(job.ID, job.Fence)
	if errors.Is(err, ticket.ErrConflict) {
		return d, outbox.ErrStale
	}
	return d, err
}

// unwanted is the last look before a mail goes out: "" or why it must not.
func (d *Desk) unwanted(ctx context.Context, tx *store.Tx, row *ticket.Delivery) (string, error) {
	if !row.ExpiresAt.IsZero() && !row.ExpiresAt.After(tx.Now()) {
		return "expired before it could be sent", nil
	}
	t, err := tx.Ticket(ctx, row.TicketID)
	if err != nil {
		return "", err
	}
	if t.Status == ticket.Spam {
		return "the ticket was marked as spam", nil
	}
	c, err := tx.Customer(ctx, t.CustomerID)
	if err != nil {
		return "", err
	}
	if row.Automatic && !c.UndeliverableAt.IsZero() && addressKey(row.To) == c.AddressKey {
		return "the address is known to bounce", nil
	}
	return "", nil
}

// Finish writes down what became of a job, with the server's words. What was decided meanwhile stands: a person cancelled the
// delivery before it was started, or a bounce came before the server's answer.
func (o Outbox) Finish(ctx context.Context, job outbox.Job, r outbox.Result) error {
	return o.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		d, err := o.leased(tx, job)
		if err != nil {
			return err
		}
		tx.ReleaseDelivery(d.ID, job.Fence)
		if d.State.Final() {
			return nil
		}
		d.State, d.LastCode, d.LastResponse, d.NextAttemptAt, d.Attempts = r.State, r.Code, r.Response, r.Next, r.Attempts
		if r.State == ticket.Accepted {
			d.AcceptedAt = tx.Now()
		}
		tx.Update(&d)
		rows := []any{&d}
		if r.State == ticket.Failed || r.State == ticket.Uncertain {
			t, err := flagTicket(ctx, tx, d.TicketID, map[ticket.DeliveryState]string{ticket.Failed: "undelivered", ticket.Uncertain: "delivery_uncertain"}[r.State])
			if err != nil {
				return err
			}
			rows = append(rows, t...)
		}
		data := map[string]any{"delivery": d.ID, "attempt": d.Attempts, "code": r.Code, "response": withoutAddresses(r.Response)}
		tx.Record("delivery."+string(r.State), d.TicketID, data, rows...)
		return nil
	})
}

var anAddress = regexp.MustCompile(`[^\s<>()\[\]"',;:]+@[^\s<>()"',;:]+`)

// withoutAddresses is a server's answer as it stands in the record, which keeps ids and no personal data: servers like to
// repeat the recipient's address. The delivery itself has the full words.
func withoutAddresses(response string) string { return anAddress.ReplaceAllString(response, "…") }

// flagTicket puts a flag where agents see it; a ticket that has it already is left alone.
func flagTicket(ctx context.Context, tx *store.Tx, number int64, flag string) ([]any, error) {
	t, err := tx.Ticket(ctx, number)
	if err != nil || slices.Contains(t.Flags, flag) {
		return nil, err
	}
	t.Flags, t.UpdatedAt = append(t.Flags, flag), tx.Now()
	tx.Update(&t)
	return []any{&t}, nil
}

// Renew keeps an owner's leases alive while it works.
func (o Outbox) Renew(ctx context.Context, owner string, lease time.Duration) error {
	_, err := o.desk.Store.RenewDeliveries(ctx, owner, lease)
	return err
}
