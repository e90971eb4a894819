package desk

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"postdesk/internal/email"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// intake is one transaction that takes in a batch. What the batch needs to know of the database is read at once at the
// start, since a question a mail would cost more than everything else.
type intake struct {
	*Desk
	ctx context.Context
	tx  *store.Tx

	known     map[uint32]int64               // rows of UIDs that have one and no outcome yet: holes, and mails out of quarantine
	decided   map[uint32]bool                // UIDs that have an outcome already
	copies    map[string][]ticket.Inbound    // mails with the same content, by its hash
	seen      map[string][]ticket.Inbound    // raw bytes that were received before, by hash
	byMailID  map[string][]ticket.Message    // messages that this batch's ids and references name
	files     map[string][]ticket.Attachment // attachments seen before, by hash
	awaited   map[string][]ticket.Awaited    // tickets that wait for a message of this batch
	customers map[string]*ticket.Customer    // by brand and address key
	tickets   map[int64]*ticket.Ticket       // those touched so far
	fresh     map[int64]int                  // tickets opened in the last hour, by customer
	sent      sentCounts                     // automatic mails of late
}

// openIntake reads what the batch needs. All mails of a batch come from one mailbox.
func (d *Desk) openIntake(ctx context.Context, tx *store.Tx, fence int64, readings []*reading) (*intake, error) {
	in := &intake{Desk: d, ctx: ctx, tx: tx, tickets: map[int64]*ticket.Ticket{}}
	first := readings[0].mail
	if fence != 0 {
		if err := tx.CheckMailboxFence(first.Mailbox, fence); err != nil {
			return nil, err
		}
	}
	if err := in.readDecided(first.Mailbox, first.UIDValidity, readings); err != nil {
		return nil, err
	}
	if err := in.readSeen(readings); err != nil {
		return nil, err
	}
	if err := in.readThreads(readings); err != nil {
		return nil, err
	}
	if err := in.readCustomers(readings); err != nil {
		return nil, err
	}
	if err := in.readFiles(readings); err != nil {
		return nil, err
	}
	return in, in.readSent(readings)
}

func (in *intake) readDecided(mailbox string, uidvalidity uint32, readings []*reading) error {
	uids := make([]uint32, len(readings))
	for i, r := range readings {
		uids[i] = r.mail.UID
	}
	rows, err := in.tx.InboundByUID(in.ctx, mailbox, uidvalidity, uids)
	if err != nil {
		return fmt.Errorf("look up what was received: %w", err)
	}
	in.decided, in.known = map[uint32]bool{}, map[uint32]int64{}
	for uid, row := range rows {
		in.decided[uid] = row.Outcome != ticket.FailedFetch
		if row.Outcome == ticket.FailedFetch {
			in.known[uid] = row.ID
		}
	}
	return nil
}

func (in *intake) readSeen(readings []*reading) (err error) {
	shas, contents := make([]string, len(readings)), make([]string, len(readings))
	for i, r := range readings {
		shas[i], contents[i] = r.original.SHA256, r.content
	}
	if in.copies, err = in.tx.InboundByContent(in.ctx, contents); err != nil {
		return fmt.Errorf("look up copies: %w", err)
	}
	if in.seen, err = in.tx.InboundByRaw(in.ctx, shas); err != nil {
		return fmt.Errorf("look up known mails: %w", err)
	}
	return nil
}

func (in *intake) readThreads(readings []*reading) (err error) {
	var ids, own []string
	for _, r := range readings {
		if r.parsed == nil {
			continue
		}
		own = append(own, r.parsed.MessageID)
		ids = append(append(append(ids, r.parsed.MessageID), r.parsed.InReplyTo...), r.parsed.References...)
	}
	if in.byMailID, err = in.tx.MessagesByMailID(in.ctx, ids); err != nil {
		return fmt.Errorf("look up conversations: %w", err)
	}
	if in.awaited, err = in.tx.AwaitedByMailID(in.ctx, own); err != nil {
		return fmt.Errorf("look up awaited messages: %w", err)
	}
	return nil
}

func (in *intake) readCustomers(readings []*reading) error {
	keys := map[string][]string{}
	for _, r := range readings {
		if r.sender() != "" {
			keys[r.brand.ID] = append(keys[r.brand.ID], r.sender())
		}
	}
	in.customers = map[string]*ticket.Customer{}
	var ids []int64
	for brand, addresses := range keys {
		known, err := in.tx.CustomersByKey(in.ctx, brand, addresses)
		if err != nil {
			return fmt.Errorf("look up customers: %w", err)
		}
		for key, c := range known {
			in.customers[customerKey(brand, key)] = &c
			ids = append(ids, c.ID)
		}
	}
	var err error
	if in.fresh, err = in.tx.NewTicketsByCustomer(in.ctx, ids, in.tx.Now().Add(-time.Hour)); err != nil {
		return fmt.Errorf("count new tickets: %w", err)
	}
	return nil
}

func customerKey(brand, addressKey string) string { return brand + "\x00" + addressKey }

// takeWhole is take that turns a panic into an error: the mail that causes it is set aside like any other that cannot be
// processed, and does not end the process again and again.
func (in *intake) takeWhole(r *reading) (err error) {
	defer func() {
		if p := recover(); p != nil {
			in.Log.Error("taking in a mail panicked", "mailbox", r.mail.Mailbox, "uid", r.mail.UID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return in.take(r)
}

// take gives one mail its outcome.
func (in *intake) take(r *reading) error {
	if in.decided[r.mail.UID] {
		return nil
	}
	in.decided[r.mail.UID] = true
	if first, ok := in.copyOf(r); ok {
		return in.duplicate(r, first)
	}
	if r.failed != "" {
		return in.setAside(r)
	}
	switch r.parsed.Kind {
	case email.OwnLoop, email.Report:
		return in.recordOnly(r)
	case email.Bounced:
		return in.bounce(r)
	}
	return in.converse(r)
}

// converse puts a mail into the conversation it belongs to, or opens a new one.
func (in *intake) converse(r *reading) error {
	p, err := in.place(r)
	switch {
	case err != nil:
		return err
	case p.hold != "":
		return in.holdBack(r, p)
	case p.ticket != nil:
		return in.join(r, p)
	}
	return in.open(r, p)
}

// copyOf finds an earlier receipt of the same mail: the very same bytes, or the same Message-ID and the same content apart
// from what servers added on the way (a mail to two of our addresses). The Message-ID alone proves nothing: whoever knows one
// could otherwise suppress somebody's mail by using it first.
func (in *intake) copyOf(r *reading) (ticket.Inbound, bool) {
	if known := in.seen[r.original.SHA256]; len(known) > 0 {
		return known[0], true
	}
	if r.content == "" || r.parsed == nil || r.parsed.MessageID == "" {
		return ticket.Inbound{}, false
	}
	for _, known := range in.copies[r.content] {
		if known.MailID == r.parsed.MessageID {
			return known, true
		}
	}
	return ticket.Inbound{}, false
}

// duplicate notes that these very bytes were received before: in another folder, under a new UID, or from a second alias.
func (in *intake) duplicate(r *reading, first ticket.Inbound) error {
	row := in.inbound(r, ticket.Duplicate)
	row.Reason = fmt.Sprintf("same bytes as %s/%d/%d", first.Mailbox, first.UIDValidity, first.UID)
	row.TicketID, row.MessageID = first.TicketID, first.MessageID
	in.tx.PutOriginal(r.original)
	in.settle(row)
	in.tx.Record("mail.duplicate", row.TicketID, mailData(r, nil), row)
	return nil
}

// setAside puts a mail that cannot be processed into quarantine, with its raw bytes.
func (in *intake) setAside(r *reading) error {
	in.tx.PutOriginal(r.original)
	row := in.inbound(r, ticket.Quarantined)
	row.Reason = r.failed
	held := in.held(r, row, r.failed)
	in.settle(row)
	in.tx.Insert(held)
	in.tx.Record("mail.quarantined", 0, mailData(r, map[string]any{"reason": r.failed}), row, held)
	return nil
}

// recordOnly keeps a mail that is no customer's: a report about our mail, or our own mail come back.
func (in *intake) recordOnly(r *reading) error {
	in.tx.PutOriginal(r.original)
	row := in.inbound(r, ticket.Recorded)
	row.Reason = string(r.parsed.Kind)
	in.settle(row)
	in.remember(r, row)
	in.tx.Record("mail.recorded", 0, mailData(r, nil), row)
	return nil
}

// inbound is the row that gives a UID its outcome.
func (in *intake) inbound(r *reading, outcome ticket.Outcome) *ticket.Inbound {
	id, known := in.known[r.mail.UID]
	if !known {
		id = in.tx.NextID("inbound")
	}
	row := &ticket.Inbound{
		ID: id, Mailbox: r.mail.Mailbox, UIDValidity: r.mail.UIDValidity, UID: r.mail.UID,
		RawSHA256: r.original.SHA256, ContentSHA256: r.content, Size: r.mail.Size, InternalDate: r.mail.InternalDate, Outcome: outcome, At: in.tx.Now(),
	}
	if r.parsed != nil {
		row.MailID = r.parsed.MessageID
	}
	return row
}

// settle writes the row: a new one, or the one that the UID has already.
func (in *intake) settle(row *ticket.Inbound) {
	if in.known[row.UID] == row.ID {
		in.tx.Update(row)
		return
	}
	in.tx.Insert(row)
}

func (in *intake) held(r *reading, row *ticket.Inbound, reason string) *ticket.Held {
	h := &ticket.Held{
		ID: in.tx.NextID("held"), InboundID: row.ID, Mailbox: r.mail.Mailbox, UID: r.mail.UID, Reason: reason,
		RawSHA256: r.original.SHA256, State: "held", At: in.tx.Now(),
	}
	if r.parsed != nil {
		h.From, h.Subject, h.MailID = r.parsed.From, r.parsed.Subject, r.parsed.MessageID
	}
	return h
}

// remember lets later mails of the same batch find this one.
func (in *intake) remember(r *reading, row *ticket.Inbound) {
	in.seen[r.original.SHA256] = append(in.seen[r.original.SHA256], *row)
	in.copies[r.content] = append(in.copies[r.content], *row)
}

// mailData is what an event says of a mail: ids and hashes, no words of the customer.
func mailData(r *reading, more map[string]any) map[string]any {
	data := map[string]any{"mailbox": r.mail.Mailbox, "uidvalidity": r.mail.UIDValidity, "uid": r.mail.UID, "sha256": r.original.SHA256}
	if r.parsed != nil {
		data["kind"], data["message_id"] = string(r.parsed.Kind), r.parsed.MessageID
	}
	for k, v := range more {
		data[k] = v
	}
	return data
}
