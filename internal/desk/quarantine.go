package desk

import (
	"context"
	"fmt"
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/mailbox"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// Release lets a mail out of quarantine. One that waits beside a ticket joins its conversation as what it is: written by
// somebody who is no participant. One that could not be processed is read anew from its stored bytes.
func (d *Desk) Release(ctx context.Context, by string, id int64) error {
	h, err := d.Store.Held(ctx, id)
	if err != nil {
		return fmt.Errorf("quarantine %d: %w", id, err)
	}
	if h.TicketID != 0 {
		return d.releaseInto(ctx, by, id)
	}
	if h.RawSHA256 == "" {
		return fmt.Errorf("quarantine %d holds no bytes, the server never gave them: look at it there: %w", id, ticket.ErrInvalid)
	}
	raw, err := d.Store.Original(ctx, h.RawSHA256)
	if err != nil {
		return fmt.Errorf("bytes of quarantine %d: %w", id, err)
	}
	in, err := d.Store.Inbound(ctx, h.InboundID)
	if err != nil {
		return fmt.Errorf("inbound mail of quarantine %d: %w", id, err)
	}
	m := mailbox.Mail{Mailbox: in.Mailbox, UIDValidity: in.UIDValidity, UID: in.UID, InternalDate: in.InternalDate, Size: in.Size, Raw: raw, Junk: d.box(in.Mailbox).Junk}
	if in.Size > int64(len(raw)) {
		m.Problem = mailbox.TooLarge // only its header was fetched
	}
	r := d.read(ctx, m)
	if r.failed != "" {
		return fmt.Errorf("quarantine %d: %s: %w", id, r.failed, ticket.ErrInvalid)
	}
	return d.releaseNew(ctx, by, id, r)
}

// releaseInto marks the held message as released: from now on it shows as a part of the conversation, and it is the desk's
// turn, unless the ticket has ended as merged or spam.
func (d *Desk) releaseInto(ctx context.Context, by string, id int64) error {
	return d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		h, err := d.heldFor(ctx, tx, by, id)
		if err != nil {
			return err
		}
		t, err := tx.Ticket(ctx, h.TicketID)
		if err != nil {
			return fmt.Errorf("ticket %d: %w", h.TicketID, err)
		}
		h.State, t.UpdatedAt = "released", tx.Now()
		if t.Status != ticket.Merged && t.Status != ticket.Spam {
			t.Status = ticket.Open
		}
		tx.Update(&h)
		tx.Update(&t)
		tx.Record("quarantine.released", t.ID, map[string]any{"quarantine": h.ID, "message": h.MessageID}, &h, &t)
		return nil
	})
}

// releaseNew gives a mail that could not be processed its ticket after all.
func (d *Desk) releaseNew(ctx context.Context, by string, id int64, r *reading) error {
	err := d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		h, err := d.heldFor(ctx, tx, by, id)
		if err != nil {
			return err
		}
		in, err := d.openIntake(ctx, tx, 0, []*reading{r})
		if err != nil {
			return err
		}
		in.known[r.mail.UID] = h.InboundID
		clear(in.seen)
		clear(in.copies)
		clear(in.decided)
		if err := in.take(r); err != nil {
			return err
		}
		h.State = "released"
		tx.Update(&h)
		tx.Record("quarantine.released", 0, map[string]any{"quarantine": h.ID}, &h)
		return nil
	})
	if err == nil {
		d.Queued()
	}
	return err
}

func (d *Desk) heldFor(ctx context.Context, tx *store.Tx, by string, id int64) (ticket.Held, error) {
	if _, err := d.as(ctx, tx, by, agent.Release); err != nil {
		return ticket.Held{}, err
	}
	h, err := tx.Held(ctx, id)
	if err != nil {
		return h, fmt.Errorf("quarantine %d: %w", id, err)
	}
	if h.State != "held" {
		return h, fmt.Errorf("quarantine %d is %s already: %w", id, h.State, ticket.ErrConflict)
	}
	return h, nil
}

// Retry makes deliveries due now. A deferred or failed one is simply tried again; an uncertain one only when resend says so,
// since the customer may have it already.
func (d *Desk) Retry(ctx context.Context, by string, id int64, resend bool) error {
	err := d.decideDelivery(ctx, by, id, "delivery.retried", func(tx *store.Tx, row *ticket.Delivery) error {
		switch {
		case row.State == ticket.Uncertain && !resend:
			return fmt.Errorf("delivery %d is uncertain, the customer may have it: --resend sends it again: %w", id, ticket.ErrConflict)
		case row.State != ticket.Deferred && row.State != ticket.Failed && row.State != ticket.Uncertain && row.State != ticket.Queued:
			return fmt.Errorf("delivery %d is %s: %w", id, row.State, ticket.ErrConflict)
		}
		row.State, row.NextAttemptAt = ticket.Queued, tx.Now()
		return nil
	})
	if err == nil {
		d.Queued()
	}
	return err
}

// Cancel stops a delivery that has not been handed over.
func (d *Desk) Cancel(ctx context.Context, by string, id int64) error {
	return d.decideDelivery(ctx, by, id, "delivery.cancelled", func(_ *store.Tx, row *ticket.Delivery) error {
		if row.State != ticket.Queued && row.State != ticket.Deferred && row.State != ticket.Uncertain {
			return fmt.Errorf("delivery %d is %s: %w", id, row.State, ticket.ErrConflict)
		}
		row.State, row.NextAttemptAt = ticket.Cancelled, time.Time{}
		return nil
	})
}

func (d *Desk) decideDelivery(ctx context.Context, by string, id int64, kind string, fn func(*store.Tx, *ticket.Delivery) error) error {
	return d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		if by != "" {
			if _, err := d.as(ctx, tx, by, agent.Resend); err != nil {
				return err
			}
		}
		row, err := tx.Delivery(ctx, id)
		if err != nil {
			return fmt.Errorf("delivery %d: %w", id, err)
		}
		from := row.State
		if err := fn(tx, &row); err != nil {
			return err
		}
		tx.Update(&row)
		tx.Record(kind, row.TicketID, map[string]any{"delivery": id, "from": from}, &row)
		return nil
	})
}
