package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"postdesk/internal/ticket"
)

// Mailbox returns the state of one watched folder.
func (q Queries) Mailbox(ctx context.Context, name string) (ticket.Mailbox, error) {
	return one[ticket.Mailbox](ctx, q, "mailbox", "name = ?", name)
}

// Mailboxes lists by name.
func (q Queries) Mailboxes(ctx context.Context) ([]ticket.Mailbox, error) {
	return list[ticket.Mailbox](ctx, q, "mailboxes", func(db *gorm.DB) *gorm.DB { return db.Order("name") })
}

// Inbound returns the receipt of one mail.
func (q Queries) Inbound(ctx context.Context, id int64) (ticket.Inbound, error) {
	return one[ticket.Inbound](ctx, q, "inbound mail", "id = ?", id)
}

// InboundByUID returns the outcomes of the UIDs that have one, holes included.
func (q Queries) InboundByUID(ctx context.Context, mailbox string, uidvalidity uint32, uids []uint32) (map[uint32]ticket.Inbound, error) {
	rows, err := in[ticket.Inbound](ctx, q, "inbound by uid", "uid", uids, ofMailbox(mailbox, uidvalidity))
	found := make(map[uint32]ticket.Inbound, len(rows))
	for _, r := range rows {
		found[r.UID] = r
	}
	return found, err
}

// InboundByRaw finds inbound mails, of any mailbox, by the SHA-256 of their bytes.
func (q Queries) InboundByRaw(ctx context.Context, shas []string) (map[string][]ticket.Inbound, error) {
	rows, err := in[ticket.Inbound](ctx, q, "inbound by bytes", "raw_sha256", shas, byID)
	return group(rows, func(r ticket.Inbound) string { return r.RawSHA256 }), err
}

// InboundByContent returns the mails with these bytes apart from what servers added on the way, by hash.
func (q Queries) InboundByContent(ctx context.Context, hashes []string) (map[string][]ticket.Inbound, error) {
	rows, err := in[ticket.Inbound](ctx, q, "inbound by content", "content_sha256", hashes, byID)
	return group(rows, func(r ticket.Inbound) string { return r.ContentSHA256 }), err
}

// InboundRange lists the outcomes of from ≤ UID ≤ to by UID.
func (q Queries) InboundRange(ctx context.Context, mailbox string, uidvalidity, from, to uint32) ([]ticket.Inbound, error) {
	return list[ticket.Inbound](ctx, q, "inbound range", func(db *gorm.DB) *gorm.DB {
		return ofMailbox(mailbox, uidvalidity)(db).Where("uid BETWEEN ? AND ?", from, to).Order("uid")
	})
}

// InboundCounts counts a mailbox's mails by outcome, over all its epochs.
func (q Queries) InboundCounts(ctx context.Context, mailbox string) (map[ticket.Outcome]int, error) {
	type tally struct {
		Outcome ticket.Outcome
		N       int
	}
	rows, err := list[tally](ctx, q, "inbound counts", func(db *gorm.DB) *gorm.DB {
		return db.Table("inbound").Select("outcome, count(*) AS n").Where("mailbox = ?", mailbox).Group("outcome")
	})
	counts := make(map[ticket.Outcome]int, len(rows))
	for _, r := range rows {
		counts[r.Outcome] = r.N
	}
	return counts, err
}

// HolesDue lists the mails that could not be read and are due for another try, by UID.
func (q Queries) HolesDue(ctx context.Context, mailbox string, uidvalidity uint32, now time.Time) ([]ticket.Inbound, error) {
	return list[ticket.Inbound](ctx, q, "holes", func(db *gorm.DB) *gorm.DB {
		return ofMailbox(mailbox, uidvalidity)(db).Where("outcome = 'failed' AND next_try_at <= ?", toMicros(now)).Order("uid")
	})
}

// Unmarked lists the lowest UIDs that are on the server, have an outcome and have not been marked there.
func (q Queries) Unmarked(ctx context.Context, mailbox string, uidvalidity uint32, limit int) ([]uint32, error) {
	db, err := q.open(ctx)
	if err != nil {
		return nil, err
	}
	var uids []uint32
	query := `SELECT uid FROM inbound WHERE mailbox = ? AND uidvalidity = ? AND NOT marked
		AND outcome NOT IN ('failed', 'vanished') ORDER BY uid LIMIT ?`
	if err := db.Raw(query, mailbox, uidvalidity, limit).Scan(&uids).Error; err != nil {
		return nil, fmt.Errorf("unmarked mails: %w", classify(err))
	}
	return uids, nil
}

func ofMailbox(mailbox string, uidvalidity uint32) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Where("mailbox = ? AND uidvalidity = ?", mailbox, uidvalidity) }
}
