package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"postdesk/internal/ticket"
)

// Delivery returns one outgoing mail.
func (q Queries) Delivery(ctx context.Context, id int64) (ticket.Delivery, error) {
	return one[ticket.Delivery](ctx, q, "delivery", "id = ?", id)
}

// DeliveryByMailID returns the outgoing mail with this Message-ID, without angle brackets.
func (q Queries) DeliveryByMailID(ctx context.Context, mailID string) (ticket.Delivery, error) {
	return one[ticket.Delivery](ctx, q, "delivery", "mail_id = ?", mailID)
}

// DeliveryFilter selects outgoing mails. Zero fields select all.
type DeliveryFilter struct {
	State  ticket.DeliveryState
	Ticket int64
	After  int64
	Limit  int
}

// Deliveries lists by ascending id.
func (q Queries) Deliveries(ctx context.Context, f DeliveryFilter) ([]ticket.Delivery, error) {
	return list[ticket.Delivery](ctx, q, "deliveries", func(db *gorm.DB) *gorm.DB {
		return page(db.Where(&ticket.Delivery{State: f.State, TicketID: f.Ticket}), f.After, f.Limit)
	})
}

// DeliveriesOf lists the outgoing mails of tickets by id.
func (q Queries) DeliveriesOf(ctx context.Context, ticketIDs ...int64) ([]ticket.Delivery, error) {
	return in[ticket.Delivery](ctx, q, "deliveries", "ticket_id", ticketIDs, byID)
}

// DeliveriesByDedupe finds outgoing mails by their deduplication key.
func (q Queries) DeliveriesByDedupe(ctx context.Context, keys []string) (map[string]ticket.Delivery, error) {
	rows, err := in[ticket.Delivery](ctx, q, "deliveries", "dedupe_key", keys, byID)
	found := make(map[string]ticket.Delivery, len(rows))
	for _, r := range rows {
		found[r.DedupeKey] = r
	}
	return found, err
}

// automatic mails that were cancelled reached nobody and count for no cap.
const automatic = "automatic AND state <> 'cancelled'"

// AutomaticByTicket counts the automatic mails created at or after since, by ticket.
func (q Queries) AutomaticByTicket(ctx context.Context, ids []int64, since time.Time) (map[int64]int, error) {
	return count(ctx, q, "delivery", "ticket_id", automatic, ids, since)
}

// AcksByTicket counts the acknowledgements created at or after since, by ticket.
func (q Queries) AcksByTicket(ctx context.Context, ids []int64, since time.Time) (map[int64]int, error) {
	return count(ctx, q, "delivery", "ticket_id", automatic+" AND class = 'ack'", ids, since)
}

// AutomaticByAddress counts the automatic mails created at or after since, by recipient address as stored.
func (q Queries) AutomaticByAddress(ctx context.Context, addrs []string, since time.Time) (map[string]int, error) {
	return count(ctx, q, "delivery", "rcpt_to", automatic, addrs, since)
}

// AutomaticByDomain counts the automatic mails created at or after since, by recipient domain as stored.
func (q Queries) AutomaticByDomain(ctx context.Context, domains []string, since time.Time) (map[string]int, error) {
	return count(ctx, q, "delivery", "domain", automatic, domains, since)
}

// AutomaticTotal counts the automatic mails created at from ≤ t < to.
func (q Queries) AutomaticTotal(ctx context.Context, from, to time.Time) (int, error) {
	db, err := q.open(ctx)
	if err != nil {
		return 0, err
	}
	var n int
	query := "SELECT count(*) FROM delivery WHERE " + automatic + " AND created_at >= ? AND created_at < ?"
	if err := db.Raw(query, toMicros(from), toMicros(to)).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("count automatic mails: %w", classify(err))
	}
	return n, nil
}
