package account

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	start  = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

// bench is one adapter under test with a way to set the facts behind it and to complete what people complete.
type bench struct {
	sys    System
	ledger *Ledger
	sync   func(t *testing.T, ref string)                    // makes the ledger's facts known to the adapter
	finish func(t *testing.T, ref, key string, order func()) // a person does what the adapter cannot
	clock  *clock
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func sampleLedger(t *testing.T, now func() time.Time) *Ledger {
	t.Helper()
	l := NewLedger(now, nil)
	for _, h := range Samples(start) {
		if err := l.Open(h); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func nothing(*testing.T, string) {}

// each runs a test on all three adapters. The same ledger is the truth behind each of them.
func each(t *testing.T, test func(t *testing.T, b bench)) {
	t.Run("ledger", func(t *testing.T) {
		c := &clock{t: start}
		l := sampleLedger(t, c.now)
		test(t, bench{l, l, nothing, func(*testing.T, string, string, func()) {}, c})
	})
	t.Run("http", func(t *testing.T) {
		c := &clock{t: start}
		l := sampleLedger(t, c.now)
		srv := httptest.NewServer(Serve(l, secret, c.now))
		t.Cleanup(srv.Close)
		h, err := NewHTTP(HTTPConfig{URL: srv.URL, Secret: secret, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		test(t, bench{h, l, nothing, func(*testing.T, string, string, func()) {}, c})
	})
	t.Run("manual", func(t *testing.T) {
		c := &clock{t: start}
		l := sampleLedger(t, c.now)
		m := NewManual(&Notebook{}, c.now)
		b := bench{sys: m, ledger: l, clock: c}
		b.sync = func(t *testing.T, ref string) { lookUp(t, m, l, ref) }
		b.finish = func(t *testing.T, ref, key string, order func()) {
			order()
			enter(t, m, Entry{Ref: ref, Field: "order:" + key, Value: json.RawMessage(`"done"`)})
			lookUp(t, m, l, ref)
		}
		test(t, b)
	})
}

func enter(t *testing.T, m *Manual, e Entry) {
	t.Helper()
	e.Evidence, e.By = "back office, page of the account", "alice"
	if err := m.Enter(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// lookUp is an agent who copies the back office into the form, field by field.
func lookUp(t *testing.T, m *Manual, l *Ledger, ref string) {
	t.Helper()
	ctx := t.Context()
	put := func(r, field string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) == "null" {
			b = []byte("[]")
		}
		enter(t, m, Entry{Ref: r, Field: field, Value: b})
	}
	s := Read(ctx, l, ref, l.now())
	if !s.Contacts.Known {
		put("", "id:"+ref, Found{})
		return
	}
	put(ref, "contacts", s.Contacts.Value)
	put(ref, "balances", s.Balances.Value)
	put(ref, "pending", s.Pending.Value)
	put(ref, "disputes", s.Disputes.Value)
	put(ref, "debts", s.Debts.Value)
	put(ref, "links", s.Links.Value)
	put(ref, "last-activity", s.Last.Value)
	put(ref, "restrictions", s.Restrictions.Value)
	put(ref, "status", s.Status.Value)
	put("", "email:"+strings.ToLower(s.Contacts.Value.Address), Found{OK: true, Ref: ref})
	put("", "id:"+ref, Found{OK: true, Ref: ref})
}

const keller = "OK-30155240"

func TestContract_FindsAnAccountByAddressAndID(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.sync(t, keller)
		for name, r := range map[string]Result[Found]{"address": b.sys.FindByEmail(t.Context(), "Maria.Keller@post.example"), "id": b.sys.FindByID(t.Context(), keller)} {
			if !r.Known || !r.Value.OK || r.Value.Ref != keller {
				t.Errorf("by %s: %+v", name, r)
			}
		}
		b.sync(t, "OK-0")
		if r := b.sys.FindByID(t.Context(), "OK-0"); !r.Known || r.Value.OK {
			t.Errorf("a look-up that finds nothing is an answer: %+v", r)
		}
	})
}

func TestContract_AnswersEveryQuestion(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.sync(t, keller)
		s := Read(t.Context(), b.sys, keller, b.clock.now())
		if !s.Complete() {
			t.Fatalf("something is unknown: %+v", s)
		}
		if s.Contacts.Value.Address != "maria.keller@post.example" || !s.Contacts.Value.Deliverable || !s.Contacts.Value.Phone {
			t.Errorf("contacts %+v", s.Contacts.Value)
		}
		if !slices.Equal(s.Balances.Value, []Money{{"EUR", "126.40"}, {"USD", "3.15"}}) {
			t.Errorf("balances %+v", s.Balances.Value)
		}
		if len(s.Links.Value) != 1 || s.Links.Value[0].Name != "BookCrate" || len(s.Pending.Value)+len(s.Disputes.Value)+len(s.Debts.Value)+len(s.Restrictions.Value) != 0 {
			t.Errorf("links %+v, pending %+v", s.Links.Value, s.Pending.Value)
		}
		if !s.Last.Value.Transaction.Equal(start.AddDate(0, 0, -12)) || s.Status.Value != Active {
			t.Errorf("last %+v, status %s", s.Last.Value, s.Status.Value)
		}
	})
}

func TestContract_AnUnknownAccountIsUnknownAndNeverEmpty(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.sync(t, "OK-0")
		if s := Read(t.Context(), b.sys, "OK-0", b.clock.now()); s.Balances.Known || s.Pending.Known || s.Disputes.Known || s.Debts.Known || s.Links.Known || s.Status.Known || s.Contacts.Known {
			t.Errorf("facts about an account that does not exist: %+v", s)
		}
	})
}

func TestContract_HiddenRestrictionsAreMarked(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		if err := b.ledger.Change(keller, func(h *Holder) { h.Restrictions = []Restriction{{Hidden: true}} }); err != nil {
			t.Fatal(err)
		}
		b.sync(t, keller)
		if r := b.sys.Restrictions(t.Context(), keller); !r.Known || len(r.Value) != 1 || !r.Value[0].Hidden {
			t.Errorf("%+v", r)
		}
	})
}

func TestContract_ClosesOncePerKey(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		const lin = "OK-20418873"
		b.sync(t, lin)
		first, err := b.sys.Close(t.Context(), lin, "close-1-1")
		if err != nil {
			t.Fatal(err)
		}
		b.finish(t, lin, "close-1-1", func() { _, _ = b.ledger.Close(t.Context(), lin, "close-1-1") })
		for range 3 {
			again, err := b.sys.Close(t.Context(), lin, "close-1-1")
			if err != nil || again.State != Done {
				t.Fatalf("again: %+v, %v (first %+v)", again, err, first)
			}
		}
		b.sync(t, lin)
		if s := b.sys.Status(t.Context(), lin); !s.Known || s.Value != Closed {
			t.Errorf("status %+v", s)
		}
	})
}

func TestContract_ChangesNothingWithoutAKey(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		ctx := t.Context()
		if _, err := b.sys.Close(ctx, keller, ""); err == nil {
			t.Error("closed without a key")
		}
		if _, err := b.sys.Deactivate(ctx, keller, ""); err == nil {
			t.Error("deactivated without a key")
		}
		if _, err := b.sys.Perform(ctx, Freeze, keller, ""); err == nil {
			t.Error("frozen without a key")
		}
		if _, err := b.sys.Perform(ctx, "delete", keller, "k"); err == nil {
			t.Error("an unknown action was taken")
		}
		if s := b.ledger.Status(ctx, keller); s.Value != Active {
			t.Errorf("status %s", s.Value)
		}
	})
}

func TestContract_DeactivatesAndActs(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		ctx := t.Context()
		do := func(key string, want Status, order func(System) (Outcome, error)) {
			t.Helper()
			if _, err := order(b.sys); err != nil {
				t.Fatal(err)
			}
			b.finish(t, keller, key, func() { _, _ = order(b.ledger) })
			b.sync(t, keller)
			if o, err := order(b.sys); err != nil || o.State != Done {
				t.Fatalf("%s: %+v, %v", key, o, err)
			}
			if s := b.sys.Status(ctx, keller); s.Value != want {
				t.Errorf("%s: status %s, want %s", key, s.Value, want)
			}
		}
		do("k1", Dormant, func(s System) (Outcome, error) { return s.Deactivate(ctx, keller, "k1") })
		do("k2", Active, func(s System) (Outcome, error) { return s.Perform(ctx, Reactivate, keller, "k2") })
		do("k3", Frozen, func(s System) (Outcome, error) { return s.Perform(ctx, Freeze, keller, "k3") })
		do("k4", Active, func(s System) (Outcome, error) { return s.Perform(ctx, Unlock, keller, "k4") })
	})
}

// A system that is down answers nothing. For a desk without one that is the state before anybody has looked.
func TestContract_SilenceIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		b.ledger.Silence(true)
		s := Read(t.Context(), b.sys, keller, b.clock.now())
		if s.Complete() || s.Balances.Known || s.Status.Known || s.Last.Known || s.Restrictions.Known {
			t.Errorf("silence was taken for an answer: %+v", s)
		}
		if r := b.sys.FindByEmail(t.Context(), "maria.keller@post.example"); r.Known {
			t.Errorf("silence was taken for an answer: %+v", r)
		}
		if o, err := b.sys.Close(t.Context(), keller, "k"); err != nil || o.State == Done || o.State == Refused {
			t.Errorf("outcome %+v, %v", o, err)
		}
		b.ledger.Silence(false)
		if st := b.ledger.Status(t.Context(), keller); st.Value != Active {
			t.Errorf("status %s", st.Value)
		}
	})
}

func TestContract_EndedContextIsUnknown(t *testing.T) {
	c := &clock{t: start}
	srv := httptest.NewServer(Serve(sampleLedger(t, c.now), secret, c.now))
	t.Cleanup(srv.Close)
	h, err := NewHTTP(HTTPConfig{URL: srv.URL, Secret: secret, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := Read(ctx, h, keller, start); s.Balances.Known || s.Status.Known {
		t.Errorf("%+v", s)
	}
}
