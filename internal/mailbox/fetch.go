package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	headerOctets = 256 << 10        // of the header that stands for a mail that is too large
	literalSlack = 4 << 20          // a message declared to fit one chunk may turn out so large and no larger
	bodyTime     = 15 * time.Minute // for one exchange that carries bodies
)

// errTooLarge ends the reading of a message that turned out larger than Config.MaxSize.
var errTooLarge = errors.New("larger than it was declared")

// fetch reads the messages of one batch. What cannot be read becomes a hole, what is gone is recorded as vanished; both
// are missing from the result. An error is the end of the connection, with a suspect left behind.
func (s *session) fetch(ctx context.Context, part []meta) ([]Mail, error) {
	var small []meta
	for _, m := range part {
		if !s.special(m) {
			small = append(small, m)
		}
	}
	bodies := map[uint32][]byte{}
	refusals, err := s.fetchSet(ctx, small, bodies)
	if err != nil {
		return nil, err
	}
	if err := s.judge(ctx, refusals, len(part)); err != nil {
		return nil, err
	}
	present, err := s.sortOut(ctx, small, bodies)
	if err != nil {
		return nil, err
	}
	var mails []Mail
	for _, m := range part {
		switch raw, ok := bodies[m.uid]; {
		case ok:
			mails = append(mails, s.mail(m, raw))
		case s.special(m) || present[m.uid]:
			if mails, err = s.fetchAlone(ctx, &suspect{meta: m}, mails, false); err != nil {
				return nil, err
			}
		}
	}
	return mails, nil
}

// special reports whether a message is read alone, in chunks.
func (s *session) special(m meta) bool { return m.size < 0 || m.size > chunk }

func (s *session) mail(m meta, raw []byte) Mail {
	size := m.size
	if size < 0 {
		size = int64(len(raw))
	}
	return Mail{
		Mailbox: s.cfg.Name, Folder: s.cfg.Folder, UIDValidity: s.uidvalidity, UID: m.uid,
		InternalDate: m.date, Size: size, Raw: raw, Junk: s.cfg.Junk, Reset: s.cursor.Reset,
	}
}

func uidSet(part []meta) (set imap.UIDSet) {
	for _, m := range part {
		set.AddNum(imap.UID(m.uid))
	}
	return set
}

// fetchSet reads small messages with one FETCH into bodies. Where the server refuses a set, its halves are asked for, down
// to the single messages that it refuses; these are returned with its words.
func (s *session) fetchSet(ctx context.Context, part []meta, bodies map[uint32][]byte) (refusals map[uint32]error, err error) {
	if len(part) == 0 {
		return nil, nil
	}
	err = s.fetchOnce(ctx, part, bodies)
	var answer *imap.Error
	if !errors.As(err, &answer) {
		return nil, err
	}
	if len(part) == 1 {
		return map[uint32]error{part[0].uid: answer}, nil
	}
	refusals = map[uint32]error{}
	for _, half := range [][]meta{part[:len(part)/2], part[len(part)/2:]} {
		more, err := s.fetchSet(ctx, half, bodies)
		if err != nil {
			return nil, err
		}
		for uid, why := range more {
			refusals[uid] = why
		}
	}
	return refusals, nil
}

// fetchOnce sends one FETCH and adds the bodies to the map if, and only if, the whole exchange ends well.
func (s *session) fetchOnce(ctx context.Context, part []meta, bodies map[uint32][]byte) error {
	got := map[uint32][]byte{}
	var inHand uint32
	var tooLarge bool
	limit := limits{s.cfg.Silence, bodyTime, 4*s.cfg.Bytes + idleOctets}
	err := s.wire.exchange(ctx, limit, fmt.Sprintf("fetch of %d mails", len(part)), func() error {
		cmd := s.client.Fetch(uidSet(part), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
		defer cmd.Close()
		var total int64
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			uid, lit := nextBody(m)
			inHand = uid
			if lit == nil || total > 2*s.cfg.Bytes { // no body, or far more than declared: asked for alone later
				continue
			}
			if lit.Size() > min(literalSlack, s.cfg.MaxSize) {
				tooLarge = lit.Size() > s.cfg.MaxSize
				s.wire.kill(errTooLarge)
				return errTooLarge
			}
			raw, err := s.readLiteral(lit)
			if err != nil {
				return err
			}
			total += int64(len(raw))
			got[uid] = raw
			inHand = 0
		}
		return cmd.Close()
	})
	if err == nil {
		for uid, raw := range got {
			bodies[uid] = raw
		}
		return nil
	}
	s.suspectOne(ctx, err, part, got, inHand, tooLarge)
	return err
}

// suspectOne blames the death of the connection on the message in hand, or else on the first that had not come.
func (s *session) suspectOne(ctx context.Context, err error, part []meta, got map[uint32][]byte, inHand uint32, big bool) {
	var answer *imap.Error
	if errors.As(err, &answer) || ctx.Err() != nil {
		return
	}
	s.batch = max(1, len(part)/4)
	for _, m := range part {
		if m.uid == inHand || inHand == 0 && got[m.uid] == nil {
			s.Poller.suspect = &suspect{meta: m, big: big}
			return
		}
	}
}

// nextBody goes to the body in one FETCH answer. lit is nil if there is none.
func nextBody(m *imapclient.FetchMessageData) (uid uint32, lit imap.LiteralReader) {
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			return uid, item.Literal
		}
	}
	return uid, nil
}

// readLiteral reads exactly the announced octets: a connection that ends early looks like the end of the literal to the
// library. After an error the connection is closed.
func (s *session) readLiteral(lit imap.LiteralReader) ([]byte, error) {
	raw := make([]byte, lit.Size())
	n, err := io.ReadFull(lit, raw)
	if err == nil {
		return raw, nil
	}
	err = fmt.Errorf("%d of %d octets: %w", n, len(raw), io.ErrUnexpectedEOF)
	s.wire.kill(err)
	<-s.client.Closed() // releasing the command reads from the literal once more, beside the library's own reader
	return nil, err
}

// judge records the refused messages as holes. A server that refuses all of several is more likely in trouble itself: then
// the connection is given up once before the messages are blamed.
func (s *session) judge(ctx context.Context, refusals map[uint32]error, asked int) error {
	if len(refusals) == 0 {
		s.refusals = 0
		return nil
	}
	if len(refusals) == asked && asked > 1 && s.refusals == 0 {
		s.refusals++
		for _, err := range refusals {
			return fmt.Errorf("the server refuses all of %d mails: %w", asked, err)
		}
	}
	for uid, err := range refusals {
		if err := s.fail(ctx, uid, err); err != nil {
			return err
		}
	}
	return nil
}

// fail records a hole.
func (s *session) fail(ctx context.Context, uid uint32, why error) error {
	s.log.Warn("mail cannot be read", "uid", uid, "uidvalidity", s.uidvalidity, "err", why)
	if err := s.ledger.Fail(ctx, s.cfg.Name, s.uidvalidity, uid, words(why)); err != nil {
		return fmt.Errorf("record hole %d: %w", uid, err)
	}
	s.failed[uid] = true
	s.progress = true
	return nil
}

// sortOut asks once more for the messages that were asked for and did not come. Those gone now have vanished; the others
// are present and to be read alone.
func (s *session) sortOut(ctx context.Context, part []meta, bodies map[uint32][]byte) (present map[uint32]bool, err error) {
	var missing []meta
	for _, m := range part {
		if bodies[m.uid] == nil && !s.failed[m.uid] {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	found, _, err := s.listSet(ctx, uidSet(missing), 0)
	if err != nil {
		return nil, s.blameListing(err)
	}
	present = map[uint32]bool{}
	for _, m := range found {
		present[m.uid] = true
	}
	var gone []uint32
	for _, m := range missing {
		if !present[m.uid] {
			gone = append(gone, m.uid)
		}
	}
	return present, s.vanished(ctx, gone)
}

func (s *session) vanished(ctx context.Context, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	s.log.Info("mails vanished before they were read", "count", len(uids), "uidvalidity", s.uidvalidity)
	s.progress = true
	if err := s.ledger.Vanished(ctx, s.cfg.Name, s.uidvalidity, uids); err != nil {
		return fmt.Errorf("record vanished: %w", err)
	}
	return nil
}
