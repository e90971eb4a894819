package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"postdesk/internal/agent"
	"postdesk/internal/audit"
	"postdesk/internal/ticket"
)

// Queries reads. On a Store they see what is committed, each on its own; on a Tx they see one state and the transaction's
// own changes. What is asked for by key and does not exist is ticket.ErrNotFound; lists and maps are then empty. Maps hold
// only the keys that were found.
type Queries struct {
	open func(context.Context) (*gorm.DB, error)
}

// keysPerQuery is how many keys one IN list holds.
const keysPerQuery = 400

// one reads the row with this key.
func one[T any](ctx context.Context, q Queries, what string, where string, key any) (T, error) {
	var found []T
	db, err := q.open(ctx)
	if err == nil {
		err = db.Where(where, key).Limit(1).Find(&found).Error
	}
	var zero T
	switch {
	case err != nil:
		return zero, fmt.Errorf("%s %v: %w", what, key, classify(err))
	case len(found) == 0:
		return zero, fmt.Errorf("%s %v: %w", what, key, ticket.ErrNotFound)
	}
	return found[0], nil
}

// list reads the rows a scope selects.
func list[T any](ctx context.Context, q Queries, what string, scope func(*gorm.DB) *gorm.DB) ([]T, error) {
	var found []T
	db, err := q.open(ctx)
	if err == nil {
		err = scope(db).Find(&found).Error
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, classify(err))
	}
	return found, nil
}

// in reads the rows whose column is one of the keys, in chunks; scope adds conditions and the order within a chunk.
func in[T any, K comparable](ctx context.Context, q Queries, what, column string, keys []K, scope func(*gorm.DB) *gorm.DB) ([]T, error) {
	var all []T
	keys = distinct(keys)
	for len(keys) > 0 {
		n := min(len(keys), keysPerQuery)
		part, err := list[T](ctx, q, what, func(db *gorm.DB) *gorm.DB { return scope(db.Where(column+" IN ?", keys[:n])) })
		if err != nil {
			return nil, err
		}
		all, keys = append(all, part...), keys[n:]
	}
	return all, nil
}

func distinct[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	unique := make([]K, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			unique = append(unique, k)
		}
	}
	return unique
}

func byID(db *gorm.DB) *gorm.DB { return db.Order("id") }

func page(db *gorm.DB, after int64, limit int) *gorm.DB {
	if after > 0 {
		db = db.Where("id > ?", after)
	}
	if limit > 0 {
		db = db.Limit(limit)
	}
	return db.Order("id")
}

// Filter selects tickets. Zero fields select all.
type Filter struct {
	Status   ticket.Status
	Category ticket.Category
	Assignee string
	Brand    string
	Customer int64
	Due      time.Time // only those with a due date at or before this instant
	After    int64     // only ids above
	Limit    int
}

// Ticket returns one ticket.
func (q Queries) Ticket(ctx context.Context, id int64) (ticket.Ticket, error) {
	return one[ticket.Ticket](ctx, q, "ticket", "id = ?", id)
}

// Tickets lists by ascending id.
func (q Queries) Tickets(ctx context.Context, f Filter) ([]ticket.Ticket, error) {
	return list[ticket.Ticket](ctx, q, "tickets", func(db *gorm.DB) *gorm.DB {
		equal := ticket.Ticket{Status: f.Status, Category: f.Category, Assignee: f.Assignee, Brand: f.Brand, CustomerID: f.Customer}
		db = db.Where(&equal) // gorm leaves out the zero fields
		if !f.Due.IsZero() {
			db = db.Where("due_at > 0 AND due_at <= ?", toMicros(f.Due))
		}
		return page(db, f.After, f.Limit)
	})
}

// TicketsByID returns those that exist.
func (q Queries) TicketsByID(ctx context.Context, ids []int64) (map[int64]ticket.Ticket, error) {
	rows, err := in[ticket.Ticket](ctx, q, "tickets", "id", ids, byID)
	found := make(map[int64]ticket.Ticket, len(rows))
	for _, r := range rows {
		found[r.ID] = r
	}
	return found, err
}

// NewTicketsByCustomer counts the tickets created at or after since.
func (q Queries) NewTicketsByCustomer(ctx context.Context, ids []int64, since time.Time) (map[int64]int, error) {
	return count(ctx, q, "ticket", "customer_id", "", ids, since)
}

// Message returns one message.
func (q Queries) Message(ctx context.Context, id int64) (ticket.Message, error) {
	return one[ticket.Message](ctx, q, "message", "id = ?", id)
}

// MessagesOf lists a ticket's messages in the order in which they were stored.
func (q Queries) MessagesOf(ctx context.Context, ticketID int64) ([]ticket.Message, error) {
	return list[ticket.Message](ctx, q, "messages", func(db *gorm.DB) *gorm.DB {
		return db.Where("ticket_id = ?", ticketID).Order("id")
	})
}

// MessagesByMailID finds messages by their Message-ID, exactly as written and without angle brackets. Several may share one.
func (q Queries) MessagesByMailID(ctx context.Context, ids []string) (map[string][]ticket.Message, error) {
	rows, err := in[ticket.Message](ctx, q, "messages", "message_id <> '' AND message_id", ids, byID)
	return group(rows, func(m ticket.Message) string { return m.MessageID }), err
}

// AttachmentsOf lists the attachments of messages by message and part.
func (q Queries) AttachmentsOf(ctx context.Context, messageIDs ...int64) ([]ticket.Attachment, error) {
	return in[ticket.Attachment](ctx, q, "attachments", "message_id", messageIDs, func(db *gorm.DB) *gorm.DB {
		return db.Order("message_id, part, id")
	})
}

// AttachmentsBySHA finds attachments by the SHA-256 of their bytes.
func (q Queries) AttachmentsBySHA(ctx context.Context, shas []string) (map[string][]ticket.Attachment, error) {
	rows, err := in[ticket.Attachment](ctx, q, "attachments", "sha256", shas, byID)
	return group(rows, func(a ticket.Attachment) string { return a.SHA256 }), err
}

// Customer returns one customer.
func (q Queries) Customer(ctx context.Context, id int64) (ticket.Customer, error) {
	return one[ticket.Customer](ctx, q, "customer", "id = ?", id)
}

// CustomersByKey finds a brand's customers by address key.
func (q Queries) CustomersByKey(ctx context.Context, brand string, keys []string) (map[string]ticket.Customer, error) {
	rows, err := in[ticket.Customer](ctx, q, "customers", "address_key", keys, func(db *gorm.DB) *gorm.DB {
		return db.Where("brand = ?", brand)
	})
	found := make(map[string]ticket.Customer, len(rows))
	for _, r := range rows {
		found[r.AddressKey] = r
	}
	return found, err
}

// Held returns one mail in quarantine.
func (q Queries) Held(ctx context.Context, id int64) (ticket.Held, error) {
	return one[ticket.Held](ctx, q, "held mail", "id = ?", id)
}

// HeldFilter selects mails in quarantine. Zero fields select all.
type HeldFilter struct {
	State   string
	Mailbox string
	Ticket  int64
	After   int64
	Limit   int
}

// HeldList lists by ascending id.
func (q Queries) HeldList(ctx context.Context, f HeldFilter) ([]ticket.Held, error) {
	return list[ticket.Held](ctx, q, "held mails", func(db *gorm.DB) *gorm.DB {
		return page(db.Where(&ticket.Held{State: f.State, Mailbox: f.Mailbox, TicketID: f.Ticket}), f.After, f.Limit)
	})
}

// Account returns one member of staff.
func (q Queries) Account(ctx context.Context, name string) (agent.Account, error) {
	return one[agent.Account](ctx, q, "account", "name = ?", name)
}

// Accounts lists by name.
func (q Queries) Accounts(ctx context.Context) ([]agent.Account, error) {
	return list[agent.Account](ctx, q, "accounts", func(db *gorm.DB) *gorm.DB { return db.Order("name") })
}

// EventsOf lists a ticket's events in order.
func (q Queries) EventsOf(ctx context.Context, ticketID int64) ([]audit.Event, error) {
	return q.events(ctx, func(db *gorm.DB) *gorm.DB { return db.Where("ticket = ? AND ticket <> 0", ticketID) })
}

// Events lists the events after the sequence number, up to the limit (0: all).
func (q Queries) Events(ctx context.Context, after int64, limit int) ([]audit.Event, error) {
	return q.events(ctx, func(db *gorm.DB) *gorm.DB {
		if limit > 0 {
			db = db.Limit(limit)
		}
		return db.Where("seq > ?", after)
	})
}

func (q Queries) events(ctx context.Context, scope func(*gorm.DB) *gorm.DB) ([]audit.Event, error) {
	rows, err := list[eventRow](ctx, q, "events", func(db *gorm.DB) *gorm.DB { return scope(db).Order("seq") })
	if err != nil {
		return nil, err
	}
	events := make([]audit.Event, len(rows))
	for i, r := range rows {
		if events[i], err = r.event(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// count groups the rows of a table that were created at or after since by one of its columns.
func count[K comparable](ctx context.Context, q Queries, table, column, condition string, keys []K, since time.Time) (map[K]int, error) {
	type tally struct {
		Key K
		N   int
	}
	if condition == "" {
		condition = "1 = 1"
	}
	rows, err := in[tally](ctx, q, "count by "+column, column, keys, func(db *gorm.DB) *gorm.DB {
		return db.Table(table).Select(column+" AS key, count(*) AS n").
			Where(condition).Where("created_at >= ?", toMicros(since)).Group(column)
	})
	found := make(map[K]int, len(rows))
	for _, r := range rows {
		found[r.Key] = r.N
	}
	return found, err
}

func group[K comparable, T any](rows []T, key func(T) K) map[K][]T {
	found := make(map[K][]T, len(rows))
	for _, r := range rows {
		found[key(r)] = append(found[key(r)], r)
	}
	return found
}
