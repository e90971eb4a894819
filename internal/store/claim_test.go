package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

// clock is a time that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// eachClock opens two stores on one database, as two processes would, under one clock.
func eachClock(t *testing.T, fn func(t *testing.T, a, b *store.Store, c *clock)) {
	t.Helper()
	storetest.EachURL(t, func(t *testing.T, url string) {
		c := &clock{now: day}
		both := [2]*store.Store{}
		for i := range both {
			s, err := store.Open(t.Context(), store.Config{URL: url, Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			if _, _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			both[i] = s
		}
		fn(t, both[0], both[1], c)
	})
}

func TestClaimDeliveries_TwoProcessesNeverGetTheSame(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, _ *clock) {
		const mails = 40
		write(t, a, func(tx *store.Tx) error {
			for i := range uint32(mails) {
				intake(tx, "support", i+1, fmt.Append(nil, i))
			}
			return nil
		})
		var mu sync.Mutex
		got := make(map[int64]int)
		var wg sync.WaitGroup
		for i := range 4 {
			s := []*store.Store{a, b}[i%2]
			wg.Go(func() {
				for {
					claimed, err := s.ClaimDeliveries(noContext, fmt.Sprint("w", i), 3, time.Minute, nil)
					if err != nil {
						t.Error(err)
					}
					if len(claimed) == 0 {
						return
					}
					mu.Lock()
					for _, d := range claimed {
						got[d.ID]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, n := range got {
			if n != 1 {
				t.Errorf("delivery %d was claimed %d times", id, n)
			}
		}
		if len(got) == 0 || len(got) > mails {
			t.Errorf("%d claimed", len(got))
		}
	})
}

func TestClaimDeliveries_DueOnlyAndWithinMax(t *testing.T) {
	eachClock(t, func(t *testing.T, s, _ *store.Store, c *clock) {
		for uid := range uint32(4) {
			c.advance(time.Second)
			mail(t, s, uid+1)
		}
		write(t, s, func(tx *store.Tx) error {
			d, err := tx.Delivery(noContext, 4)
			d.NextAttemptAt = tx.Now().Add(time.Hour)
			d.State = ticket.Deferred
			tx.Update(&d)
			tx.Record("mail.deferred", d.TicketID, nil, &d)
			return err
		})
		claimed, err := s.ClaimDeliveries(noContext, "w", 2, time.Minute, nil)
		if err != nil || len(claimed) != 2 || claimed[0].ID != 1 || claimed[1].ID != 2 || claimed[0].LeaseOwner != "w" || claimed[0].Fence != 1 {
			t.Fatalf("claimed %+v, %v", claimed, err)
		}
		if skipped, err := s.ClaimDeliveries(noContext, "w", 9, time.Minute, []string{"example.org", "x"}); err != nil || len(skipped) != 0 {
			t.Errorf("claimed %+v, %v", skipped, err)
		}
		if rest, err := s.ClaimDeliveries(noContext, "w", 9, time.Minute, []string{"x"}); err != nil || len(rest) != 1 || rest[0].ID != 3 {
			t.Errorf("claimed %+v, %v", rest, err)
		}
		c.advance(2 * time.Hour)
		if all, err := s.ClaimDeliveries(noContext, "w2", 9, time.Minute, nil); err != nil || len(all) != 4 {
			t.Errorf("after the leases ran out: %d, %v", len(all), err)
		}
	})
}

func TestDeliveryLease_OldFenceIsRefused(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, c *clock) {
		mail(t, a, 1)
		first, err := a.ClaimDeliveries(noContext, "a", 1, time.Minute, nil)
		if err != nil || len(first) != 1 {
			t.Fatal(first, err)
		}
		c.advance(30 * time.Second)
		if n, err := a.RenewDeliveries(noContext, "a", time.Minute); err != nil || n != 1 {
			t.Errorf("renewed %d, %v", n, err)
		}
		c.advance(45 * time.Second)
		if none, err := b.ClaimDeliveries(noContext, "b", 1, time.Minute, nil); err != nil || len(none) != 0 {
			t.Errorf("a renewed lease was taken: %v, %v", none, err)
		}
		if expired, err := b.ExpiredDeliveries(noContext, false); err != nil || len(expired) != 0 {
			t.Errorf("expired %v, %v", expired, err)
		}
		if all, err := b.ExpiredDeliveries(noContext, true); err != nil || len(all) != 1 {
			t.Errorf("all leases: %v, %v", all, err)
		}
		c.advance(time.Minute)
		if expired, err := b.ExpiredDeliveries(noContext, false); err != nil || len(expired) != 1 {
			t.Errorf("expired %v, %v", expired, err)
		}
		second, err := b.ClaimDeliveries(noContext, "b", 1, time.Minute, nil)
		if err != nil || len(second) != 1 || second[0].Fence <= first[0].Fence {
			t.Fatal(second, err)
		}
		finish := func(d ticket.Delivery) error {
			return a.Write(noContext, "outbox", func(tx *store.Tx) error {
				got, err := tx.ClaimedDelivery(d.ID, d.Fence)
				if err != nil {
					return err
				}
				got.State = ticket.Accepted
				tx.Update(&got)
				tx.Record("mail.accepted", got.TicketID, nil, &got)
				tx.ReleaseDelivery(d.ID, d.Fence)
				return nil
			})
		}
		if err := finish(first[0]); !errors.Is(err, ticket.ErrConflict) {
			t.Errorf("the old lease was honoured: %v", err)
		}
		if err := finish(second[0]); err != nil {
			t.Error(err)
		}
		if err := finish(second[0]); !errors.Is(err, ticket.ErrConflict) {
			t.Errorf("a released lease was honoured: %v", err)
		}
	})
}

func TestReleaseDeliveries_MakesThemClaimableAgain(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, _ *clock) {
		mail(t, a, 1)
		first, err := a.ClaimDeliveries(noContext, "a", 1, time.Hour, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.ReleaseDeliveries(noContext, first...); err != nil {
			t.Fatal(err)
		}
		second, err := b.ClaimDeliveries(noContext, "b", 1, time.Hour, nil)
		if err != nil || len(second) != 1 {
			t.Fatal(second, err)
		}
		if err := a.ReleaseDeliveries(noContext, first...); err != nil { // no longer ours: left alone
			t.Fatal(err)
		}
		if got, err := b.Delivery(noContext, second[0].ID); err != nil || got.LeaseOwner != "b" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestLeaseMailbox_OneOwnerAtATime(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, c *clock) {
		if _, _, err := a.LeaseMailbox(noContext, "support", "a", time.Minute); !errors.Is(err, ticket.ErrNotFound) {
			t.Errorf("an unknown mailbox: %v", err)
		}
		addMailbox(t, a)
		fence, ok, err := a.LeaseMailbox(noContext, "support", "a", time.Minute)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if again, ok, err := a.LeaseMailbox(noContext, "support", "a", time.Minute); err != nil || !ok || again != fence {
			t.Errorf("renewal: fence %d → %d, %v, %v", fence, again, ok, err)
		}
		if _, ok, err := b.LeaseMailbox(noContext, "support", "b", time.Minute); err != nil || ok {
			t.Errorf("taken by another: %v, %v", ok, err)
		}
		check := func(s *store.Store, fence int64) error {
			return s.Write(noContext, "poller", func(tx *store.Tx) error { return tx.CheckMailboxFence("support", fence) })
		}
		if err := check(a, fence); err != nil {
			t.Error(err)
		}
		c.advance(2 * time.Minute)
		if err := check(a, fence); err != nil {
			t.Errorf("a lease that ran out holds until someone takes it: %v", err)
		}
		newer, ok, err := b.LeaseMailbox(noContext, "support", "b", time.Minute)
		if err != nil || !ok || newer <= fence {
			t.Fatal(newer, ok, err)
		}
		if err := check(a, fence); !errors.Is(err, ticket.ErrConflict) {
			t.Errorf("old fence: %v", err)
		}
		if err := b.ReleaseMailbox(noContext, "support", "b"); err != nil {
			t.Fatal(err)
		}
		if err := check(b, newer); !errors.Is(err, ticket.ErrConflict) {
			t.Errorf("released: %v", err)
		}
		if _, ok, err := a.LeaseMailbox(noContext, "support", "a", time.Minute); err != nil || !ok {
			t.Errorf("after release: %v, %v", ok, err)
		}
	})
}

func TestLeaseMailbox_ManyAtOnceOneWins(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, _ *clock) {
		addMailbox(t, a)
		var mu sync.Mutex
		won := 0
		var wg sync.WaitGroup
		for i := range 8 {
			s := []*store.Store{a, b}[i%2]
			wg.Go(func() {
				_, ok, err := s.LeaseMailbox(noContext, "support", fmt.Sprint("p", i), time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if ok {
					won++
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d owners", won)
		}
	})
}

func addMailbox(t *testing.T, s *store.Store) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		m := ticket.Mailbox{Name: "support", Folder: "INBOX", UIDValidity: 7}
		tx.Insert(&m)
		tx.Record("mailbox.added", 0, nil, &m)
		return nil
	})
}

func TestMailbox_CursorHealthAndMarks(t *testing.T) {
	eachClock(t, func(t *testing.T, s, _ *store.Store, c *clock) {
		addMailbox(t, s)
		write(t, s, func(tx *store.Tx) error {
			tx.StartEpoch("support", 10)
			tx.AdvanceMailbox("support", 7, 20)
			tx.AdvanceMailbox("support", 7, 15) // never back
			tx.AdvanceMailbox("support", 6, 99) // another epoch
			return nil
		})
		if err := s.AdvanceMailbox(noContext, "support", 7, 21); err != nil {
			t.Error(err)
		}
		if err := s.TouchMailbox(noContext, "support", "idle", "", true); err != nil {
			t.Error(err)
		}
		c.advance(time.Minute)
		if err := s.TouchMailbox(noContext, "support", "backoff", "no route\x00", false); err != nil {
			t.Error(err)
		}
		m, err := s.Mailbox(noContext, "support")
		if err != nil || m.LastUID != 21 || m.State != "backoff" || m.LastError != "no route\uFFFD" || !m.LastSuccessAt.Equal(day) {
			t.Errorf("%+v, %v", m, err)
		}
		write(t, s, func(tx *store.Tx) error {
			for uid := uint32(1); uid <= 5; uid++ {
				in := ticket.Inbound{Mailbox: "support", UIDValidity: 7, UID: uid, Outcome: ticket.Recorded, At: tx.Now()}
				if uid == 3 {
					in.Outcome, in.NextTryAt = ticket.FailedFetch, tx.Now().Add(time.Minute)
				}
				if uid == 4 {
					in.Outcome = ticket.Vanished
				}
				tx.Insert(&in)
				tx.Record("mail.recorded", 0, nil, &in)
			}
			return nil
		})
		if uids, err := s.Unmarked(noContext, "support", 7, 10); err != nil || fmt.Sprint(uids) != "[1 2 5]" {
			t.Errorf("unmarked %v, %v", uids, err)
		}
		if err := s.MarkInbound(noContext, "support", 7, []uint32{1, 5}); err != nil {
			t.Error(err)
		}
		if uids, err := s.Unmarked(noContext, "support", 7, 10); err != nil || fmt.Sprint(uids) != "[2]" {
			t.Errorf("unmarked %v, %v", uids, err)
		}
		if holes, err := s.HolesDue(noContext, "support", 7, c.Now()); err != nil || len(holes) != 0 {
			t.Errorf("holes %v, %v", holes, err)
		}
		holes, err := s.HolesDue(noContext, "support", 7, c.Now().Add(time.Minute))
		if err != nil || len(holes) != 1 || holes[0].UID != 3 {
			t.Fatalf("holes %v, %v", holes, err)
		}
		if err := s.TouchHole(noContext, holes[0].ID, 2, c.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		got, err := s.InboundByUID(noContext, "support", 7, []uint32{3})
		if err != nil || got[3].Attempts != 2 || !got[3].NextTryAt.Equal(c.Now().Add(time.Hour)) {
			t.Errorf("%+v, %v", got, err)
		}
		if r := verify(t, s, store.VerifyOptions{}); !r.OK {
			t.Errorf("%+v", r.Failures)
		}
	})
}
