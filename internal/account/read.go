package account

import (
	"context"
	"sync"
	"time"
)

// Snapshot is one look at everything the desk judges. Its parts were read at nearly the same time and may be unknown one by one.
type Snapshot struct {
	Ref          string
	At           time.Time // the oldest of the answers, and not after the look began: what is judged for freshness
	Contacts     Result[Contacts]
	Balances     Result[[]Money]
	Pending      Result[[]Pending]
	Disputes     Result[[]Dispute]
	Debts        Result[[]Money]
	Links        Result[[]Link]
	Last         Result[Last]
	Restrictions Result[[]Restriction]
	Status       Result[Status]
}

// Read asks everything at once. It returns when all has been answered or the context ends, whichever is first; what was not
// answered by then is unknown. now is the moment the look begins.
func Read(ctx context.Context, sys System, ref string, now time.Time) Snapshot {
	s := Snapshot{Ref: ref, At: now}
	var wg sync.WaitGroup
	wg.Go(func() { s.Contacts = sys.Contacts(ctx, ref) })
	wg.Go(func() { s.Balances = sys.Balances(ctx, ref) })
	wg.Go(func() { s.Pending = sys.Pending(ctx, ref) })
	wg.Go(func() { s.Disputes = sys.Disputes(ctx, ref) })
	wg.Go(func() { s.Debts = sys.Debts(ctx, ref) })
	wg.Go(func() { s.Links = sys.Links(ctx, ref) })
	wg.Go(func() { s.Last = sys.LastActivity(ctx, ref) })
	wg.Go(func() { s.Restrictions = sys.Restrictions(ctx, ref) })
	wg.Go(func() { s.Status = sys.Status(ctx, ref) })
	wg.Wait()
	for _, at := range []time.Time{age(s.Contacts), age(s.Balances), age(s.Pending), age(s.Disputes), age(s.Debts), age(s.Links), age(s.Last), age(s.Restrictions), age(s.Status)} {
		if !at.IsZero() && at.Before(s.At) {
			s.At = at
		}
	}
	return s
}

// age is when a known answer was true; zero for an unknown one.
func age[T any](r Result[T]) time.Time {
	if !r.Known {
		return time.Time{}
	}
	return r.At
}

// Complete reports whether every part is known.
func (s Snapshot) Complete() bool {
	return s.Contacts.Known && s.Balances.Known && s.Pending.Known && s.Disputes.Known && s.Debts.Known && s.Links.Known && s.Last.Known &&
		s.Restrictions.Known && s.Status.Known
}
