package desk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"postdesk/internal/ticket"
)

// reopenWindow is how long a reply reopens a closed ticket; later it begins a new one that names the old.
const reopenWindow = 30 * 24 * time.Hour

// place is where a mail belongs: a ticket, a ticket's quarantine, or a new ticket.
type place struct {
	ticket  *ticket.Ticket
	how     string // the evidence: token, our_id, own_id, subject_tag, flood
	hold    string // why the mail waits in the ticket's quarantine
	related int64  // a ticket that the new one may have to do with
}

// place decides by evidence of falling strength: a signed token or an id of ours, an id of the customer's own, the number in
// the subject from a proven sender. Whoever shows the evidence must also be the ticket's customer; a token proves that
// somebody has seen a mail, not who it is.
func (in *intake) place(r *reading) (place, error) {
	number, how := in.evidence(r)
	if number == 0 {
		return in.flood(r)
	}
	t, err := in.follow(number)
	if errors.Is(err, ticket.ErrNotFound) {
		return place{}, nil
	}
	if err != nil {
		return place{}, err
	}
	return in.admit(r, t, how)
}

// evidence names the ticket that a mail shows to belong to; 0 if none.
func (in *intake) evidence(r *reading) (number int64, how string) {
	if r.ref.Ticket != 0 {
		return r.ref.Ticket, "token"
	}
	ids := slices.Concat(r.parsed.References, r.parsed.InReplyTo)
	slices.Reverse(ids) // the nearest ancestor first
	for _, id := range ids {
		for _, m := range in.byMailID[id] {
			if m.Direction == ticket.Out {
				return m.TicketID, "our_id"
			}
			if r.sender() != "" && addressKey(m.From) == r.sender() {
				return m.TicketID, "own_id"
			}
		}
	}
	for _, a := range in.awaited[r.parsed.MessageID] {
		if a.Sender == r.sender() && r.parsed.MessageID != "" {
			return a.TicketID, "own_answer"
		}
	}
	if m := subjectTag.FindStringSubmatch(r.parsed.Subject); m != nil {
		number, _ = strconv.ParseInt(m[1], 10, 64) // at most twelve digits
		return number, "subject_tag"
	}
	return 0, ""
}

var subjectTag = regexp.MustCompile(`\[#(\d{1,12})\]`)

// admit lets the mail into the ticket, holds it back, or sends it to a new ticket that names the old one.
func (in *intake) admit(r *reading, t *ticket.Ticket, how string) (place, error) {
	owner, err := in.tx.Customer(in.ctx, t.CustomerID)
	if err != nil {
		return place{}, fmt.Errorf("customer of ticket %d: %w", t.ID, err)
	}
	same := owner.AddressKey != "" && owner.AddressKey == r.sender()
	switch {
	case t.Brand != r.brand.ID:
		return place{}, nil
	case how == "subject_tag" && !(same && r.auth.Level == "A2"):
		return place{related: t.ID}, nil
	case !same:
		return place{ticket: t, how: how, hold: "the sender is not a participant of this ticket"}, nil
	case r.auth.Level == "A0":
		return place{ticket: t, how: how, hold: "the mail does not name exactly one sender"}, nil
	case r.auth.Fail:
		return place{ticket: t, how: how, hold: "the sender could not be authenticated and the domain asks to refuse such mail"}, nil
	case t.Status == ticket.Spam, t.Status == ticket.Closed && in.tx.Now().Sub(t.UpdatedAt) > reopenWindow:
		return place{related: t.ID}, nil
	}
	return place{ticket: t, how: how}, nil
}

// follow reads a ticket, and the one it was merged into.
func (in *intake) follow(number int64) (*ticket.Ticket, error) {
	for range 20 {
		t, err := in.ticket(number)
		if err != nil || t.Status != ticket.Merged {
			return t, err
		}
		number = t.MergedInto
	}
	return nil, fmt.Errorf("ticket %d is merged in a circle: %w", number, ticket.ErrInvalid)
}

func (in *intake) ticket(number int64) (*ticket.Ticket, error) {
	if t, ok := in.tickets[number]; ok {
		return t, nil
	}
	t, err := in.tx.Ticket(in.ctx, number)
	if err != nil {
		return nil, fmt.Errorf("ticket %d: %w", number, err)
	}
	in.tickets[number] = &t
	return &t, nil
}

// flood joins the mails of a sender who opens ticket after ticket to the newest of them, silently.
func (in *intake) flood(r *reading) (place, error) {
	c := in.customers[customerKey(r.brand.ID, r.sender())]
	limit := in.Settings.Automatic.NewTicketsPerHour
	if c == nil || limit <= 0 || in.fresh[c.ID] < limit {
		return place{}, nil
	}
	number, err := in.tx.NewestTicketOf(in.ctx, c.ID)
	if err != nil {
		return place{}, fmt.Errorf("newest ticket of customer %d: %w", c.ID, err)
	}
	t, err := in.follow(number)
	if err != nil {
		return place{}, err
	}
	return in.admit(r, t, "flood")
}
