package desk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"postdesk/internal/mailbox"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// Ledger keeps the outcome of every UID for the pollers. It implements mailbox.Ledger over the store.
type Ledger struct{ desk *Desk }

// Ledger returns the desk's ledger.
func (d *Desk) Ledger() Ledger { return Ledger{d} }

// deaths is how often a message may kill the connection before it is set aside for a person.
const deaths = 3

// Lease takes or renews the right to watch a mailbox.
func (l Ledger) Lease(ctx context.Context, name, owner string, ttl time.Duration) (int64, bool, error) {
	if err := l.desk.ensureMailbox(ctx, name); err != nil {
		return 0, false, err
	}
	return l.desk.Store.LeaseMailbox(ctx, name, owner, ttl)
}

// KnowMailbox makes sure that the mailbox has its row, for commands that look at it before a poller ever did.
func (d *Desk) KnowMailbox(ctx context.Context, name string) error { return d.ensureMailbox(ctx, name) }

func (d *Desk) ensureMailbox(ctx context.Context, name string) error {
	if _, err := d.Store.Mailbox(ctx, name); err == nil {
		return nil
	}
	return d.Store.Write(ctx, System, func(tx *store.Tx) error {
		if _, err := tx.Mailbox(ctx, name); err == nil {
			return nil
		}
		box := d.box(name)
		row := &ticket.Mailbox{Name: name, Address: box.Address, Folder: box.IMAP.Folder, State: "starting"}
		tx.Insert(row)
		tx.Record("mailbox.added", 0, map[string]string{"mailbox": name}, row)
		return nil
	})
}

// Open says where to go on after a SELECT. The first time the start policy of the configuration decides; a new UIDVALIDITY
// begins a new epoch whose mails are matched by content, because every UID has changed its meaning (RFC 9051 §2.3.1.1).
func (l Ledger) Open(ctx context.Context, name string, uidvalidity, uidnext uint32) (mailbox.Cursor, error) {
	row, err := l.desk.Store.Mailbox(ctx, name)
	if err != nil {
		return mailbox.Cursor{}, fmt.Errorf("open mailbox %s: %w", name, err)
	}
	if row.UIDValidity == uidvalidity {
		return l.cursor(row), nil
	}
	err = l.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		if row, err = tx.Mailbox(ctx, name); err != nil || row.UIDValidity == uidvalidity { // somebody was faster
			return err
		}
		first := row.UIDValidity == 0
		if first {
			row.EpochStart = tx.Now()
		}
		row.UIDValidity, row.Reset, row.LastUID = uidvalidity, !first, 0
		if first && l.desk.box(name).IMAP.Start == "from_now" && uidnext > 0 {
			row.LastUID = uidnext - 1
		}
		row.StartUID = row.LastUID
		tx.Update(&row)
		tx.StartEpoch(name, row.LastUID)
		kind := map[bool]string{true: "mailbox.opened", false: "mailbox.renumbered"}[first]
		tx.Record(kind, 0, map[string]any{"mailbox": name, "uidvalidity": uidvalidity, "from_uid": row.LastUID + 1}, &row)
		return nil
	})
	if err != nil {
		return mailbox.Cursor{}, fmt.Errorf("open mailbox %s: %w", name, err)
	}
	return l.cursor(row), nil
}

// cursor says where to go on in the mailbox's present epoch.
func (l Ledger) cursor(row ticket.Mailbox) mailbox.Cursor {
	policy := l.desk.box(row.Name).IMAP.Start
	since := startDate(policy)
	if policy == "from_now" && row.Reset { // the UIDs no longer tell which mails were there before the start
		since = row.EpochStart.Add(-startMargin)
	}
	return mailbox.Cursor{LastUID: row.LastUID, Reset: row.Reset, Since: since}
}

// startMargin is how much the server's clock may differ from ours before a mail from after the start is taken for one from
// before it.
const startMargin = 24 * time.Hour

func startDate(policy string) time.Time {
	t, _ := time.Parse(time.DateOnly, policy) // the other policies have no date
	return t
}

// Decided reports which UIDs have an outcome, or are left alone because they were there before the start. A hole has none
// yet.
func (l Ledger) Decided(ctx context.Context, name string, uidvalidity uint32, uids []uint32) (map[uint32]bool, error) {
	rows, err := l.desk.Store.InboundByUID(ctx, name, uidvalidity, uids)
	if err != nil {
		return nil, fmt.Errorf("outcomes in %s: %w", name, err)
	}
	box, err := l.desk.Store.Mailbox(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("outcomes in %s: %w", name, err)
	}
	decided := make(map[uint32]bool, len(rows))
	for _, uid := range uids {
		if box.UIDValidity == uidvalidity && uid <= box.StartUID {
			decided[uid] = true
		}
	}
	for uid, row := range rows {
		if row.Outcome != ticket.FailedFetch {
			decided[uid] = true
		}
	}
	return decided, nil
}

// Holes lists the UIDs that could not be read and are due for another try.
func (l Ledger) Holes(ctx context.Context, name string, uidvalidity uint32) ([]uint32, error) {
	rows, err := l.desk.Store.HolesDue(ctx, name, uidvalidity, time.Now())
	if err != nil {
		return nil, fmt.Errorf("holes in %s: %w", name, err)
	}
	uids := make([]uint32, len(rows))
	for i, row := range rows {
		uids[i] = row.UID
	}
	return uids, nil
}

// Fail leaves a hole: the UID is tried again later, with growing pauses. A message that has ended the connection three times
// (or was refused for half a day) is set aside for a person, without its bytes, since nobody can get them.
func (l Ledger) Fail(ctx context.Context, name string, uidvalidity, uid uint32, reason string) error {
	var hole *ticket.Inbound
	err := l.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		hole = nil // the function may run again
		row, known, err := inboundRow(ctx, tx, name, uidvalidity, uid)
		if err != nil || known && row.Outcome != ticket.FailedFetch {
			return err
		}
		hole = row
		row.Attempts++
		row.NextTryAt = tx.Now().Add(pause(row.Attempts))
		row.Outcome, row.Reason = ticket.FailedFetch, reason
		rows := []any{row}
		if row.Attempts >= patience(reason) {
			row.Outcome = ticket.Quarantined
			held := &ticket.Held{ID: tx.NextID("held"), InboundID: row.ID, Mailbox: name, UID: uid, Reason: "unreadable on the server: " + reason, State: "held", At: tx.Now()}
			tx.Insert(held)
			rows = append(rows, held)
		}
		put(tx, row, known)
		kind := map[bool]string{true: "mail.quarantined", false: "mail.unreadable"}[row.Outcome == ticket.Quarantined]
		tx.Record(kind, 0, map[string]any{"mailbox": name, "uidvalidity": uidvalidity, "uid": uid, "reason": reason, "attempt": row.Attempts}, rows...)
		return nil
	})
	if err != nil || hole == nil {
		return err
	}
	return l.desk.Store.TouchHole(ctx, hole.ID, hole.Attempts, hole.NextTryAt) // when to try again is no part of the record
}

// pause before a hole is tried again: 1, 4, 9 … minutes, at most an hour.
func pause(attempts int) time.Duration {
	return min(time.Duration(attempts*attempts)*time.Minute, time.Hour)
}

// patience is how many failures set a message aside. One that ends the connection each time harms the others; one that the
// server merely refuses may be readable again when the server's trouble is over.
func patience(reason string) int {
	if strings.Contains(reason, "imap: NO") || strings.Contains(reason, "imap: BAD") {
		return 12
	}
	return deaths
}

// Vanished gives UIDs that the server no longer has their outcome.
func (l Ledger) Vanished(ctx context.Context, name string, uidvalidity uint32, uids []uint32) error {
	return l.desk.Store.Write(ctx, System, func(tx *store.Tx) error {
		for _, uid := range uids {
			row, known, err := inboundRow(ctx, tx, name, uidvalidity, uid)
			if err != nil {
				return err
			}
			if known && row.Outcome != ticket.FailedFetch {
				continue
			}
			row.Outcome, row.Reason = ticket.Vanished, "removed from the server before it could be read"
			put(tx, row, known)
			tx.Record("mail.vanished", 0, map[string]any{"mailbox": name, "uidvalidity": uidvalidity, "uid": uid}, row)
		}
		return nil
	})
}

func inboundRow(ctx context.Context, tx *store.Tx, name string, uidvalidity, uid uint32) (*ticket.Inbound, bool, error) {
	rows, err := tx.InboundByUID(ctx, name, uidvalidity, []uint32{uid})
	if err != nil {
		return nil, false, fmt.Errorf("outcome of %s/%d: %w", name, uid, err)
	}
	if row, ok := rows[uid]; ok {
		return &row, true, nil
	}
	return &ticket.Inbound{ID: tx.NextID("inbound"), Mailbox: name, UIDValidity: uidvalidity, UID: uid, At: tx.Now()}, false, nil
}

func put(tx *store.Tx, row *ticket.Inbound, known bool) {
	if known {
		tx.Update(row)
		return
	}
	tx.Insert(row)
}

// Advance moves the cursor: every UID up to it has an outcome or is a hole.
func (l Ledger) Advance(ctx context.Context, name string, uidvalidity, last uint32) error {
	return l.desk.Store.AdvanceMailbox(ctx, name, uidvalidity, last)
}

// Unmarked lists UIDs whose outcome the server was not told yet.
func (l Ledger) Unmarked(ctx context.Context, name string, uidvalidity uint32, limit int) ([]uint32, error) {
	return l.desk.Store.Unmarked(ctx, name, uidvalidity, limit)
}

// Marked notes that the server was told.
func (l Ledger) Marked(ctx context.Context, name string, uidvalidity uint32, uids []uint32) error {
	return l.desk.Store.MarkInbound(ctx, name, uidvalidity, uids)
}

// Health notes how the mailbox is doing.
func (l Ledger) Health(ctx context.Context, name, state string, err error) error {
	text := ""
	if err != nil {
		text = err.Error()
	}
	return l.desk.Store.TouchMailbox(ctx, name, state, text, err == nil && (state == "connected" || state == "idle"))
}
