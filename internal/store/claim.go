package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"postdesk/internal/ticket"
)

// Leases live in volatile columns: they change without an event, and whoever holds one proves it with the fencing token,
// which grows each time the lease changes hands. A worker that slept through the end of its lease is refused by its old token.

// ClaimDeliveries leases up to max outgoing mails that are due (queued or deferred, NextAttemptAt reached, under no lease)
// and returns them, oldest first. Domains in skipDomains are left alone. Of one ticket at most one delivery is under way, the
// oldest due one first, so that its mails go out in order and a ticket with many of them does not keep the others waiting.
// The stored state stays what it is, so that a claim needs no event: a delivery under a lease is one whose LeaseUntil lies
// ahead.
func (s *Store) ClaimDeliveries(ctx context.Context, owner string, max int, lease time.Duration, skipDomains []string) ([]ticket.Delivery, error) {
	var claimed []ticket.Delivery
	err := s.touch(ctx, func(tx *Tx) error {
		now := toMicros(tx.now)
		args := []any{owner, toMicros(tx.now.Add(lease)), now, now, now, now}
		query := `UPDATE delivery SET lease_owner = ?, lease_until = ?, fence = fence + 1 WHERE id IN (
			SELECT id FROM delivery WHERE state IN ('queued', 'deferred', 'leased') AND next_attempt_at <= ? AND lease_until <= ?
			AND NOT EXISTS (SELECT 1 FROM delivery other WHERE other.ticket_id = delivery.ticket_id AND other.id <> delivery.id AND
				(other.lease_until > ? OR other.id < delivery.id AND other.state IN ('queued', 'deferred') AND other.next_attempt_at <= ?))`
		if len(skipDomains) > 0 {
			query += " AND domain NOT IN ?"
			args = append(args, skipDomains)
		}
		query += " ORDER BY next_attempt_at, id LIMIT ?" + s.dialect.skipLocked() + ") RETURNING *"
		claimed = nil
		return tx.gorm.Raw(query, append(args, max)...).Scan(&claimed).Error
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", classify(err))
	}
	sortDeliveries(claimed)
	return claimed, nil
}

// RenewDeliveries extends every lease the owner holds and returns how many there are.
func (s *Store) RenewDeliveries(ctx context.Context, owner string, lease time.Duration) (n int64, err error) {
	err = s.touch(ctx, func(tx *Tx) error {
		n, err = tx.exec("UPDATE delivery SET lease_until = ? WHERE lease_owner = ?", toMicros(tx.now.Add(lease)), owner)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("renew deliveries: %w", classify(err))
	}
	return n, nil
}

// ReleaseDeliveries gives up the leases of these deliveries as they were claimed. One that has changed hands is left alone.
func (s *Store) ReleaseDeliveries(ctx context.Context, claimed ...ticket.Delivery) error {
	err := s.touch(ctx, func(tx *Tx) error {
		for _, d := range claimed {
			if _, err := tx.exec(release, d.ID, d.Fence); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("release deliveries: %w", classify(err))
	}
	return nil
}

const release = "UPDATE delivery SET lease_owner = '', lease_until = 0, fence = fence + 1 WHERE id = ? AND fence = ?"

// ExpiredDeliveries lists, by id, the deliveries whose lease ran out before it was released, or with all those under any
// lease: what a crashed process left behind. One in state sending may have gone out.
func (s *Store) ExpiredDeliveries(ctx context.Context, all bool) ([]ticket.Delivery, error) {
	return list[ticket.Delivery](ctx, s.Queries, "expired deliveries", func(db *gorm.DB) *gorm.DB {
		db = db.Where("lease_owner <> ''")
		if !all {
			db = db.Where("lease_until <= ?", toMicros(s.now()))
		}
		return db.Order("id")
	})
}

// ClaimedDelivery returns the delivery if it is still under the lease with this fencing token, and ticket.ErrConflict when
// the lease was released or has changed hands.
func (tx *Tx) ClaimedDelivery(id, fence int64) (ticket.Delivery, error) {
	d, err := tx.Delivery(tx.ctx, id)
	if err != nil {
		return d, err
	}
	if d.Fence != fence || d.LeaseOwner == "" {
		return d, fmt.Errorf("delivery %d: %w: its lease has changed hands", id, ticket.ErrConflict)
	}
	return d, nil
}

// ReleaseDelivery gives up the lease with this fencing token, at the end of an attempt. It fails with ticket.ErrConflict
// when the lease has changed hands.
func (tx *Tx) ReleaseDelivery(id, fence int64) {
	n, err := tx.exec(release, id, fence)
	if err == nil && n == 0 {
		err = ticket.ErrConflict
	}
	if err != nil {
		tx.fail(fmt.Errorf("release delivery %d: %w", id, classify(err)))
	}
}

// LeaseMailbox takes the mailbox for the owner, or extends the lease the owner holds. ok is false while another owner holds
// it. fence is the token for CheckMailboxFence; extending keeps it.
func (s *Store) LeaseMailbox(ctx context.Context, name, owner string, ttl time.Duration) (fence int64, ok bool, err error) {
	err = s.touch(ctx, func(tx *Tx) error {
		if _, err := tx.Mailbox(ctx, name); err != nil {
			return err
		}
		fence, ok, err = tx.takeLease("mailbox", "lease_owner", "lease_until", name, owner, ttl)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("lease mailbox %s: %w", name, classify(err))
	}
	return fence, ok, nil
}

// takeLease takes or extends a lease kept in a row of a table with the columns name and fence.
func (tx *Tx) takeLease(table, ownerColumn, untilColumn, name, owner string, ttl time.Duration) (fence int64, ok bool, err error) {
	now := toMicros(tx.now)
	query := strings.NewReplacer("lease_owner", ownerColumn, "lease_until", untilColumn, "TABLE", table).Replace(`UPDATE TABLE
		SET fence = CASE WHEN lease_owner = ? AND lease_until > ? THEN fence ELSE fence + 1 END, lease_owner = ?, lease_until = ?
		WHERE name = ? AND (lease_owner = ? OR lease_until <= ?) RETURNING fence`)
	var fences []int64
	err = tx.gorm.Raw(query, owner, now, owner, toMicros(tx.now.Add(ttl)), name, owner, now).Scan(&fences).Error
	if err != nil || len(fences) == 0 {
		return 0, false, err
	}
	return fences[0], true, nil
}

// ReleaseMailbox gives up the lease if the owner holds it, so that the next process need not wait for its end.
func (s *Store) ReleaseMailbox(ctx context.Context, name, owner string) error {
	return s.touchRow(ctx, "release mailbox", `UPDATE mailbox SET lease_owner = '', lease_until = 0, fence = fence + 1
		WHERE name = ? AND lease_owner = ?`, name, owner)
}

// CheckMailboxFence fails with ticket.ErrConflict unless the mailbox is still leased with this token, and on PostgreSQL
// keeps it so until the transaction ends.
func (tx *Tx) CheckMailboxFence(name string, fence int64) error {
	if err := tx.flush(); err != nil {
		return err
	}
	query := "SELECT fence FROM mailbox WHERE name = ? AND lease_owner <> ''" + tx.s.dialect.share()
	var fences []int64
	if err := tx.gorm.Raw(query, name).Scan(&fences).Error; err != nil {
		return fmt.Errorf("check lease of mailbox %s: %w", name, classify(err))
	}
	if len(fences) == 0 || fences[0] != fence {
		return fmt.Errorf("mailbox %s: %w: its lease has changed hands", name, ticket.ErrConflict)
	}
	return nil
}

// AdvanceMailbox raises the UID up to which every mail of the mailbox's present epoch is decided. It never lowers it, and
// does nothing when the epoch has changed.
func (tx *Tx) AdvanceMailbox(name string, uidvalidity, lastUID uint32) {
	if tx.flush() != nil {
		return
	}
	if _, err := tx.exec(advance, lastUID, name, uidvalidity, lastUID); err != nil {
		tx.fail(fmt.Errorf("advance mailbox %s: %w", name, classify(err)))
	}
}

const advance = "UPDATE mailbox SET last_uid = ? WHERE name = ? AND uidvalidity = ? AND last_uid < ?"

// StartEpoch sets the UID after which mails of a new epoch are looked for. Use it in the transaction that stores the new
// UIDVALIDITY.
func (tx *Tx) StartEpoch(name string, lastUID uint32) {
	if tx.flush() != nil {
		return
	}
	if err := tx.execOne("UPDATE mailbox SET last_uid = ? WHERE name = ?", lastUID, name); err != nil {
		tx.fail(fmt.Errorf("start epoch of mailbox %s: %w", name, classify(err)))
	}
}

// AdvanceMailbox is the same in a transaction of its own.
func (s *Store) AdvanceMailbox(ctx context.Context, name string, uidvalidity, lastUID uint32) error {
	return s.touchRow(ctx, "advance mailbox", advance, lastUID, name, uidvalidity, lastUID)
}

// TouchMailbox notes how the connection is doing. success sets the time of the last success to now.
func (s *Store) TouchMailbox(ctx context.Context, name, state, lastError string, success bool) error {
	query := "UPDATE mailbox SET state = ?, last_error = ?"
	args := []any{state, cleanText(lastError)}
	if success {
		query += ", last_success_at = ?"
		args = append(args, toMicros(s.now()))
	}
	return s.touchRow(ctx, "touch mailbox", query+" WHERE name = ?", append(args, name)...)
}

// MarkInbound notes that the server was told about these mails.
func (s *Store) MarkInbound(ctx context.Context, mailbox string, uidvalidity uint32, uids []uint32) error {
	err := s.touch(ctx, func(tx *Tx) error {
		for rest := uids; len(rest) > 0; rest = rest[min(len(rest), keysPerQuery):] {
			part := rest[:min(len(rest), keysPerQuery)]
			args := []any{true, mailbox, uidvalidity}
			for _, uid := range part {
				args = append(args, uid)
			}
			query := "UPDATE inbound SET marked = ? WHERE mailbox = ? AND uidvalidity = ? AND uid IN (?" +
				strings.Repeat(",?", len(part)-1) + ")"
			if _, err := tx.exec(query, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark inbound mails: %w", classify(err))
	}
	return nil
}

// TouchHole notes another failed try to read a mail and when the next is due.
func (s *Store) TouchHole(ctx context.Context, inboundID int64, attempts int, next time.Time) error {
	return s.touchRow(ctx, "touch hole", "UPDATE inbound SET attempts = ?, next_try_at = ? WHERE id = ? AND outcome = 'failed'",
		attempts, toMicros(next), inboundID)
}

// touchRow runs one statement on volatile columns.
func (s *Store) touchRow(ctx context.Context, what, query string, args ...any) error {
	err := s.touch(ctx, func(tx *Tx) error {
		_, err := tx.exec(query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, classify(err))
	}
	return nil
}

func sortDeliveries(list []ticket.Delivery) {
	slices.SortFunc(list, func(a, b ticket.Delivery) int {
		return cmp.Or(a.NextAttemptAt.Compare(b.NextAttemptAt), cmp.Compare(a.ID, b.ID))
	})
}
