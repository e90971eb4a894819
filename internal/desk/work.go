package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postdesk/internal/agent"
	"postdesk/internal/reply"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// change is the frame of every verb of a person on one ticket: who acts and may he, the ticket as it stands, what is
// changed, and the event that says so, in one transaction.
func (d *Desk) change(ctx context.Context, by string, v agent.Verb, number int64, fn func(tx *store.Tx, t *ticket.Ticket) error) error {
	err := d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		if _, err := d.as(ctx, tx, by, v); err != nil {
			return err
		}
		t, err := tx.Ticket(ctx, number)
		if err != nil {
			return fmt.Errorf("ticket %d: %w", number, err)
		}
		t.UpdatedAt = tx.Now()
		return fn(tx, &t)
	})
	if err == nil {
		d.Queued()
	}
	return err
}

// Reply sends what an agent wrote to the ticket's customer and leaves the ticket waiting for the answer.
func (d *Desk) Reply(ctx context.Context, by string, number int64, text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("the reply is empty: %w", ticket.ErrInvalid)
	}
	return d.change(ctx, by, agent.Reply, number, func(tx *store.Tx, t *ticket.Ticket) error {
		if err := d.fitToSend(t, text); err != nil {
			return err
		}
		c, last, err := d.addressee(ctx, tx, t)
		if err != nil {
			return err
		}
		l := letter{
			ticket: t, customer: c, template: "agent.reply", class: ticket.ClassAgent, author: actorOr(by), data: map[string]any{"body": text},
			inReplyTo: last.MessageID, references: last.References,
		}
		if err := d.post(tx, l); err != nil {
			return err
		}
		t.Status = ticket.Waiting
		tx.Update(t)
		tx.Record("ticket.replied", t.ID, nil, t)
		return nil
	})
}

// fitToSend looks over a person's words before they leave: what must never be said to a customer stops the mail. It is the
// same for every ticket, so that nothing can be told from what it refuses.
func (d *Desk) fitToSend(t *ticket.Ticket, text string) error {
	set := d.replies[t.Brand]
	if set == nil {
		return fmt.Errorf("brand %q of ticket %d is not in the configuration: %w", t.Brand, t.ID, ticket.ErrInvalid)
	}
	for _, r := range set.Lint(text, t.Language, false) {
		if r.Severity == reply.Block {
			return fmt.Errorf("%q must not be sent (%s): %s: %w", string([]rune(text)[r.Start:r.End]), r.Rule, r.Hint, ticket.ErrInvalid)
		}
	}
	return nil
}

// addressee is the customer and the mail that is answered: the newest one that belongs to the conversation.
func (d *Desk) addressee(ctx context.Context, tx *store.Tx, t *ticket.Ticket) (*ticket.Customer, ticket.Message, error) {
	if t.Status == ticket.Merged || t.Status == ticket.Spam {
		return nil, ticket.Message{}, fmt.Errorf("ticket %d is %s: %w", t.ID, t.Status, ticket.ErrConflict)
	}
	c, err := tx.Customer(ctx, t.CustomerID)
	if err != nil {
		return nil, ticket.Message{}, fmt.Errorf("customer of ticket %d: %w", t.ID, err)
	}
	if !strings.Contains(c.Address, "@") || d.isOwn(c.Address) {
		return nil, ticket.Message{}, fmt.Errorf("ticket %d has no address to write to: %w", t.ID, ticket.ErrInvalid)
	}
	messages, err := tx.MessagesOf(ctx, t.ID)
	if err != nil {
		return nil, ticket.Message{}, fmt.Errorf("messages of ticket %d: %w", t.ID, err)
	}
	for _, m := range slices.Backward(messages) {
		if m.Direction == ticket.In && m.Trust != "external" {
			return &c, m, nil
		}
	}
	return &c, ticket.Message{}, nil
}

// Note keeps a remark for colleagues; it is never sent.
func (d *Desk) Note(ctx context.Context, by string, number int64, text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("the note is empty: %w", ticket.ErrInvalid)
	}
	return d.change(ctx, by, agent.Note, number, func(tx *store.Tx, t *ticket.Ticket) error {
		m := &ticket.Message{
			ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.Note, Kind: "note", Text: text, Author: actorOr(by),
			ReceivedAt: tx.Now(), CreatedAt: tx.Now(),
		}
		tx.Insert(m)
		tx.Update(t)
		tx.Record("ticket.noted", t.ID, map[string]any{"message": m.ID}, m, t)
		return nil
	})
}

// Assign gives the ticket to an agent, or to nobody when the name is empty.
func (d *Desk) Assign(ctx context.Context, by string, number int64, to string) error {
	to = strings.ToLower(to)
	return d.change(ctx, by, agent.Assign, number, func(tx *store.Tx, t *ticket.Ticket) error {
		if to != "" {
			if a, err := tx.Account(ctx, to); err != nil || a.Disabled {
				return fmt.Errorf("agent %q cannot take tickets: %w", to, ticket.ErrInvalid)
			}
		}
		from := t.Assignee
		t.Assignee = to
		tx.Update(t)
		tx.Record("ticket.assigned", t.ID, map[string]any{"from": from, "to": to}, t)
		return nil
	})
}

// Correct sets the category that a person sees in the ticket. The rules' own decision stays with the message, so that the
// two can be compared.
func (d *Desk) Correct(ctx context.Context, by string, number int64, c ticket.Category) error {
	if !slices.Contains(ticket.Categories(), c) {
		return fmt.Errorf("category %q is none of %v: %w", c, ticket.Categories(), ticket.ErrInvalid)
	}
	return d.change(ctx, by, agent.Correct, number, func(tx *store.Tx, t *ticket.Ticket) error {
		from := t.Category
		t.Category, t.Confidence, t.CategoryBy, t.Stage = c, 1, actorOr(by), "received"
		tx.Update(t)
		tx.Record("ticket.corrected", t.ID, map[string]any{"from": from, "to": c, "rules_version": t.RulesVersion}, t)
		return nil
	})
}

// Close ends the ticket; the customer's next mail within the window reopens it.
func (d *Desk) Close(ctx context.Context, by string, number int64, reason string) error {
	return d.turn(ctx, by, number, ticket.Closed, "ticket.closed", reason)
}

// Reopen makes a closed ticket the desk's turn again.
func (d *Desk) Reopen(ctx context.Context, by string, number int64, reason string) error {
	return d.turn(ctx, by, number, ticket.Open, "ticket.reopened", reason)
}

func (d *Desk) turn(ctx context.Context, by string, number int64, to ticket.Status, kind, reason string) error {
	return d.change(ctx, by, agent.Close, number, func(tx *store.Tx, t *ticket.Ticket) error {
		if t.Status == to || t.Status == ticket.Merged {
			return fmt.Errorf("ticket %d is %s already: %w", t.ID, t.Status, ticket.ErrConflict)
		}
		from := t.Status
		t.Status = to
		tx.Update(t)
		tx.Record(kind, t.ID, map[string]any{"from": from, "reason": reason}, t)
		return nil
	})
}
