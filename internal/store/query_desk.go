package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"postdesk/internal/ticket"
)

// NewestTicketOf returns the number of the customer's newest ticket.
func (q Queries) NewestTicketOf(ctx context.Context, customerID int64) (int64, error) {
	found, err := list[ticket.Ticket](ctx, q, "newest ticket", func(db *gorm.DB) *gorm.DB {
		return db.Where("customer_id = ?", customerID).Order("id DESC").Limit(1)
	})
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		return 0, fmt.Errorf("newest ticket of customer %d: %w", customerID, ticket.ErrNotFound)
	}
	return found[0].ID, nil
}

// LastInboundUID returns the highest UID that has a row in the mailbox; 0 if there is none.
func (q Queries) LastInboundUID(ctx context.Context, mailbox string) (uint32, error) {
	found, err := list[ticket.Inbound](ctx, q, "last inbound", func(db *gorm.DB) *gorm.DB {
		return db.Where("mailbox = ?", mailbox).Order("uidvalidity DESC, uid DESC").Limit(1)
	})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].UID, nil
}

// AwaitedByMailID returns the tickets that wait for these messages, by Message-ID.
func (q Queries) AwaitedByMailID(ctx context.Context, ids []string) (map[string][]ticket.Awaited, error) {
	rows, err := in[ticket.Awaited](ctx, q, "awaited messages", "mail_id", ids, byID)
	return group(rows, func(a ticket.Awaited) string { return a.MailID }), err
}

// CustomerMessages pages through the mails of customers (no notes, nothing of ours), by id.
func (q Queries) CustomerMessages(ctx context.Context, after int64, limit int) ([]ticket.Message, error) {
	return list[ticket.Message](ctx, q, "customer messages", func(db *gorm.DB) *gorm.DB {
		return page(db.Where("direction = ?", ticket.In), after, limit)
	})
}
