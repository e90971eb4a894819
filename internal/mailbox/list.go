package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// listing is the most messages that one listing keeps in memory.
const listing = 10000

// meta is what a listing tells of a message.
type meta struct {
	uid  uint32
	size int64 // -1: unknown
	date time.Time
}

// list returns the messages with UIDs above after, ascending, up to some UID `through` that it chooses so that the answer
// stays small, and whether that reaches the end of the folder. The cost does not depend on what lies below after.
func (s *session) list(ctx context.Context, after uint32) (found []meta, through uint32, end bool, err error) {
	set(&s.span, uint32(2*s.cfg.Batch))
	first := uint64(after) + 1
	if first > math.MaxUint32 {
		return nil, after, true, nil
	}
	last := first + uint64(s.span) - 1
	end = last+1 >= uint64(s.uidnext) // beyond it lies only what arrived since
	uids := imap.UIDSet{{Start: imap.UID(first), Stop: imap.UID(last)}}
	if end {
		uids[0].Stop = 0 // "*"
	}
	found, more, err := s.listSet(ctx, uids, after)
	if err != nil {
		return nil, 0, false, s.blameListing(err)
	}
	through = uint32(min(last, math.MaxUint32))
	if end {
		through = after
	}
	if len(found) > 0 && (end || more) {
		through = found[len(found)-1].uid
	}
	s.adapt(len(found), more)
	return found, through, end && !more, nil
}

// adapt widens the span where UIDs are sparse, so that a folder with few messages and huge UIDs is not listed in millions
// of steps, and narrows it where they are dense.
func (s *session) adapt(found int, more bool) {
	switch {
	case more:
		s.span = listing / 2
	case found < listing/4 && s.span < math.MaxUint32/4:
		s.span *= 2
	case found > listing/2:
		s.span /= 2
	}
}

// blameListing makes the next session list without sizes and dates after an answer that could not be parsed: one message
// with an absurd INTERNALDATE must not hide the others.
func (s *session) blameListing(err error) error {
	var answer *imap.Error
	if !errors.As(err, &answer) && s.wire.sound() {
		s.cautious = true
	}
	return err
}

// listSet lists a set, keeping at most `listing` messages with the lowest UIDs above after; more tells that there are others.
func (s *session) listSet(ctx context.Context, uids imap.UIDSet, after uint32) (found []meta, more bool, err error) {
	options := &imap.FetchOptions{UID: true, RFC822Size: !s.cautious, InternalDate: !s.cautious}
	limit := limits{s.cfg.Silence, 30 * s.cfg.Silence, math.MaxInt64}
	err = s.wire.exchange(ctx, limit, fmt.Sprintf("list uid %v", uids), func() error {
		cmd := s.client.Fetch(uids, options)
		defer cmd.Close()
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			item := readMeta(m)
			// "n:*" also names the highest message when its UID is below n (RFC 9051, section 9, seq-range).
			if item.uid <= after {
				continue
			}
			found = append(found, item)
			if len(found) >= 2*listing {
				found, more = lowest(found), true
			}
		}
		return cmd.Close()
	})
	kept := lowest(found)
	return kept, more || len(found) > len(kept), err
}

func lowest(found []meta) []meta {
	slices.SortFunc(found, func(a, b meta) int { return cmp.Compare(a.uid, b.uid) })
	found = slices.CompactFunc(found, func(a, b meta) bool { return a.uid == b.uid })
	return found[:min(len(found), listing)]
}

// readMeta consumes one answer of a listing. An answer without UID gives uid 0.
func readMeta(m *imapclient.FetchMessageData) meta {
	item := meta{size: -1}
	for data := m.Next(); data != nil; data = m.Next() {
		switch data := data.(type) {
		case imapclient.FetchItemDataUID:
			item.uid = uint32(data.UID)
		case imapclient.FetchItemDataRFC822Size:
			item.size = data.Size
		case imapclient.FetchItemDataInternalDate:
			item.date = data.Time.UTC()
		}
	}
	return item
}
