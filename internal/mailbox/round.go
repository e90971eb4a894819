package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// undelivered is an error of the receiver, not of the mail server.
type undelivered struct{ err error }

func (u undelivered) Error() string { return "deliver: " + u.err.Error() }
func (u undelivered) Unwrap() error { return u.err }

// delivery is a batch on its way into the receiver while the next one is fetched.
type delivery struct {
	uids    []uint32
	through uint32 // every UID up to here has an outcome or a hole once it is committed; 0: says nothing
	done    chan error
}

// enter prepares a fresh connection: folder, epoch, way of marking, and the message that the last connection died of.
func (s *session) enter(ctx context.Context) error {
	if err := s.selectFolder(ctx, false); err != nil {
		return err
	}
	cursor, err := s.ledger.Open(ctx, s.cfg.Name, s.uidvalidity, s.uidnext)
	if err != nil {
		return undelivered{fmt.Errorf("open ledger: %w", err)}
	}
	s.cursor = cursor
	if s.epoch != s.uidvalidity {
		s.memory = memory{epoch: s.uidvalidity, noID: s.noID, failed: map[uint32]bool{}, noDate: map[uint32]bool{}}
	}
	set(&s.batch, s.cfg.Batch)
	s.chooseMark()
	return s.retrySuspect(ctx)
}

// retrySuspect reads alone what the last connection died of.
func (s *session) retrySuspect(ctx context.Context) error {
	c := s.Poller.suspect
	if c == nil {
		return nil
	}
	s.Poller.suspect = nil
	if err := s.one(ctx, c); err != nil {
		return err
	}
	return s.settle(ctx) // lest the main line, which has not passed it yet, read it again while it is committed and moved
}

func (s *session) one(ctx context.Context, c *suspect) error {
	mails, err := s.fetchAlone(ctx, c, nil, true)
	if err != nil {
		return err
	}
	return s.hand(ctx, mails, 0)
}

// round reads everything there is: what is above the cursor, then holes that are due, so that these never delay new mail.
func (s *session) round(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.cautious = false
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.retryHoles(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}

func (s *session) retryHoles(ctx context.Context) error {
	holes, err := s.ledger.Holes(ctx, s.cfg.Name, s.uidvalidity)
	if err != nil {
		return undelivered{fmt.Errorf("holes: %w", err)}
	}
	for _, uid := range holes {
		if err := s.one(ctx, &suspect{meta: meta{uid: uid, size: -1}}); err != nil {
			return err
		}
	}
	return nil
}

// catchUp reads all messages above the cursor, batch by batch.
func (s *session) catchUp(ctx context.Context) error {
	at := s.cursor.LastUID
	for {
		found, through, end, err := s.list(ctx, at)
		if err != nil {
			return err
		}
		if found, err = s.undecided(ctx, found); err != nil {
			return err
		}
		if err := s.readAll(ctx, found, through); err != nil {
			return err
		}
		if at = through; end {
			return nil
		}
	}
}

// readAll reads what one listing found, after which every UID up to through is done with.
func (s *session) readAll(ctx context.Context, found []meta, through uint32) error {
	for len(found) > 0 {
		n, octets := s.take(found)
		if octets > s.cfg.Bytes { // one huge mail: not two in memory
			if err := s.settle(ctx); err != nil {
				return err
			}
		}
		mails, err := s.fetch(ctx, found[:n])
		if err != nil {
			return err
		}
		upTo := through
		if n < len(found) {
			upTo = found[n-1].uid
		}
		if err := s.hand(ctx, mails, upTo); err != nil {
			return err
		}
		if octets > s.cfg.Bytes {
			if err := s.settle(ctx); err != nil {
				return err
			}
		}
		found = found[n:]
	}
	return s.hand(ctx, nil, through)
}

// take says how many messages make the next batch, at least one, and how many octets they are.
func (s *session) take(found []meta) (n int, octets int64) {
	for _, m := range found[:min(len(found), s.batch)] {
		size := m.size
		switch {
		case size < 0:
			size = chunk
		case size > s.cfg.MaxSize:
			size = headerOctets
		}
		if n > 0 && octets+size > s.cfg.Bytes {
			break
		}
		octets += size
		n++
	}
	return n, octets
}

// undecided leaves out the messages that have an outcome, are holes, or are older than the start policy wants.
func (s *session) undecided(ctx context.Context, found []meta) ([]meta, error) {
	var rest []meta
	for len(found) > 0 {
		part := found[:min(len(found), 1000)]
		found = found[len(part):]
		decided, err := s.ledger.Decided(ctx, s.cfg.Name, s.uidvalidity, uidsOf(part))
		if err != nil {
			return nil, undelivered{fmt.Errorf("decided: %w", err)}
		}
		for _, m := range part {
			if !decided[m.uid] && !s.failed[m.uid] && !s.cursor.leavesOut(m) {
				rest = append(rest, m)
			}
		}
	}
	return rest, nil
}

func uidsOf(part []meta) []uint32 {
	uids := make([]uint32, len(part))
	for i, m := range part {
		uids[i] = m.uid
	}
	return uids
}

// leavesOut reports whether the start policy does not want a message. One without a readable date is wanted.
func (c Cursor) leavesOut(m meta) bool {
	return !c.Since.IsZero() && !m.date.IsZero() && m.date.Before(c.Since)
}

// hand waits for the batch before, and starts to commit this one.
func (s *session) hand(ctx context.Context, mails []Mail, through uint32) error {
	if len(mails) == 0 && s.ahead != nil {
		s.ahead.through = max(s.ahead.through, through)
		return nil
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if len(mails) == 0 {
		return s.advance(ctx, through)
	}
	d := &delivery{through: through, done: make(chan error, 1)}
	for _, m := range mails {
		d.uids = append(d.uids, m.UID)
	}
	go func() { d.done <- s.deliver(s.work, s.fence, mails) }()
	s.ahead = d
	return nil
}

// settle waits for the batch that is being committed, moves the cursor and marks its mails on the server.
func (s *session) settle(ctx context.Context) error {
	d := s.ahead
	if d == nil {
		return nil
	}
	s.ahead = nil
	if err := <-d.done; err != nil {
		return undelivered{err}
	}
	s.progress = true
	if time.Since(s.spoken) > s.cfg.Poll/2 {
		s.alive(ctx, StateConnected)
	}
	s.batch = min(2*s.batch, s.cfg.Batch)
	for _, uid := range d.uids {
		delete(s.failed, uid)
	}
	if err := s.advance(ctx, d.through); err != nil {
		return err
	}
	return s.markDone(ctx, d.uids)
}

func (s *session) advance(ctx context.Context, through uint32) error {
	if through <= s.cursor.LastUID {
		return nil
	}
	if err := s.ledger.Advance(context.WithoutCancel(ctx), s.cfg.Name, s.uidvalidity, through); err != nil {
		return undelivered{fmt.Errorf("advance: %w", err)}
	}
	s.cursor.LastUID = through
	return nil
}

// abandon waits for the batch that is being committed when the session ends, and records it. The connection may be gone.
func (s *session) abandon(ctx context.Context) error {
	if s.ahead == nil {
		return nil
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	cancel(errors.New("the session is over")) // no more talk with the server
	return s.settle(ctx)
}
