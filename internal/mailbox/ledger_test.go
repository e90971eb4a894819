package mailbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"postdesk/internal/mailbox"
)

// outcome of one UID in the memory ledger.
type outcome struct {
	what     string // ticketed, duplicate, vanished, failed, quarantined
	reason   string
	sum      [32]byte
	problem  string
	attempts int
	marked   bool
}

type uidKey struct{ validity, uid uint32 }

// ledger is a mailbox.Ledger in memory with the receiver that goes with it.
type ledger struct {
	mu        sync.Mutex
	changed   chan struct{}
	rows      map[uidKey]*outcome
	order     []uidKey // of commits
	epochs    []uint32
	cursor    mailbox.Cursor
	start     string // "all" or "from_now"
	from      uint32 // UIDs below are decided by the start policy
	retry     bool   // holes are due at once
	sums      map[[32]byte]uidKey
	mails     map[uidKey]mailbox.Mail
	delivered int // mails handed in, again and again counted
	batches   [][]uint32
	states    []string
	errors    []string
	advances  int
	openErr   error
	before    func([]mailbox.Mail) error // of a commit
	after     func() error               // of a commit: the receiver's answer is lost
	markErr   error

	owner   string
	until   time.Time
	fence   int64
	holders []string
	active  int
	worst   int // most Delivers at a time

	patience time.Duration // of wait: bubble time where there is a bubble
}

func newLedger() *ledger {
	return &ledger{
		changed: make(chan struct{}), rows: map[uidKey]*outcome{}, start: "all",
		patience: 24 * time.Hour, sums: map[[32]byte]uidKey{}, mails: map[uidKey]mailbox.Mail{},
	}
}

// do changes the ledger and wakes those who wait.
func (l *ledger) do(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when cond holds; it fails the test after a long time.
func (l *ledger) wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	limit := time.After(l.patience)
	for {
		l.mu.Lock()
		ok, changed := cond(), l.changed
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("waited in vain for %s: %d rows, states %v, errors %v", what, len(l.rows), tail(l.states), tail(l.errors))
		}
	}
}

func tail[T any](s []T) []T { return s[max(0, len(s)-10):] }

// with reads the ledger.
func (l *ledger) with(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// count of UIDs with an outcome of that name.
func (l *ledger) count(what string) int {
	n := 0
	for _, o := range l.rows {
		if o.what == what {
			n++
		}
	}
	return n
}

func (l *ledger) Lease(_ context.Context, _, owner string, ttl time.Duration) (fence int64, ok bool, err error) {
	l.do(func() {
		now := time.Now()
		if l.owner != owner && now.Before(l.until) {
			return
		}
		if l.owner != owner || !now.Before(l.until) {
			l.fence++
			l.holders = append(l.holders, owner)
		}
		l.owner, l.until, fence, ok = owner, now.Add(ttl), l.fence, true
	})
	return fence, ok, nil
}

func (l *ledger) Open(_ context.Context, _ string, uidvalidity, uidnext uint32) (c mailbox.Cursor, err error) {
	l.do(func() {
		if err = l.openErr; err != nil {
			return
		}
		if n := len(l.epochs); n == 0 || l.epochs[n-1] != uidvalidity {
			l.epochs = append(l.epochs, uidvalidity)
			l.cursor = mailbox.Cursor{Reset: n > 0, Since: l.cursor.Since}
			l.from = 0
			if n == 0 && l.start == "from_now" {
				l.from, l.cursor.LastUID = uidnext, uidnext-1
			}
		}
		c = l.cursor
	})
	return c, err
}

func (l *ledger) Decided(_ context.Context, _ string, uidvalidity uint32, uids []uint32) (map[uint32]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	decided := map[uint32]bool{}
	for _, uid := range uids {
		if o := l.rows[uidKey{uidvalidity, uid}]; uid < l.from || o != nil && o.what != "failed" {
			decided[uid] = true
		}
	}
	return decided, nil
}

func (l *ledger) Holes(_ context.Context, _ string, uidvalidity uint32) (uids []uint32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, o := range l.rows {
		if l.retry && k.validity == uidvalidity && o.what == "failed" {
			uids = append(uids, k.uid)
		}
	}
	slices.Sort(uids)
	return uids, nil
}

func (l *ledger) Fail(_ context.Context, _ string, uidvalidity, uid uint32, reason string) error {
	l.do(func() {
		o := l.row(uidvalidity, uid)
		o.attempts++
		o.what, o.reason = "failed", reason
		if o.attempts >= 3 {
			o.what = "quarantined"
		}
	})
	return nil
}

func (l *ledger) row(uidvalidity, uid uint32) *outcome {
	k := uidKey{uidvalidity, uid}
	if l.rows[k] == nil {
		l.rows[k] = &outcome{}
	}
	return l.rows[k]
}

func (l *ledger) Vanished(_ context.Context, _ string, uidvalidity uint32, uids []uint32) error {
	l.do(func() {
		for _, uid := range uids {
			l.row(uidvalidity, uid).what = "vanished"
		}
	})
	return nil
}

func (l *ledger) Advance(_ context.Context, _ string, uidvalidity, lastUID uint32) error {
	l.do(func() {
		if l.epochs[len(l.epochs)-1] == uidvalidity {
			l.cursor.LastUID = max(l.cursor.LastUID, lastUID)
			l.advances++
		}
	})
	return nil
}

func (l *ledger) Unmarked(_ context.Context, _ string, uidvalidity uint32, limit int) (uids []uint32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, o := range l.rows {
		if k.validity == uidvalidity && !o.marked && (o.what == "ticketed" || o.what == "duplicate") && len(uids) < limit {
			uids = append(uids, k.uid)
		}
	}
	return uids, nil
}

func (l *ledger) Marked(_ context.Context, _ string, uidvalidity uint32, uids []uint32) (err error) {
	l.do(func() {
		if err = l.markErr; err != nil {
			return
		}
		for _, uid := range uids {
			l.row(uidvalidity, uid).marked = true
		}
	})
	return err
}

func (l *ledger) Health(_ context.Context, _, state string, cause error) error {
	l.do(func() {
		l.states = append(l.states, state)
		if cause != nil {
			l.errors = append(l.errors, cause.Error())
		}
	})
	return nil
}

// deliver commits a batch the way a database would: all of it once, with the unique key (UIDVALIDITY, UID).
func (l *ledger) deliver(ctx context.Context, fence int64, batch []mailbox.Mail) error {
	l.mu.Lock()
	l.active++
	l.worst = max(l.worst, l.active)
	before, after := l.before, l.after
	l.mu.Unlock()
	defer l.do(func() { l.active-- })
	if before != nil {
		if err := before(batch); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	l.do(func() {
		if fence != l.fence {
			err = errors.New("stale fence")
			return
		}
		var uids []uint32
		for _, m := range batch {
			uids = append(uids, m.UID)
			l.delivered++
			l.commit(m)
		}
		l.batches = append(l.batches, uids)
	})
	if err == nil && after != nil {
		err = after()
	}
	return err
}

func (l *ledger) commit(m mailbox.Mail) {
	k := uidKey{m.UIDValidity, m.UID}
	o := l.row(m.UIDValidity, m.UID)
	if o.what != "" && o.what != "failed" {
		return
	}
	o.sum, o.problem, o.what = sha256.Sum256(m.Raw), m.Problem, "ticketed"
	if _, seen := l.sums[o.sum]; seen && m.Reset {
		o.what = "duplicate"
	} else {
		l.sums[o.sum] = k
	}
	l.mails[k] = m
	l.order = append(l.order, k)
}

// sample is a mail that can be told from all others, of about size octets.
func sample(n, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: customer%d@example.com\r\nTo: support@okpay.example\r\nSubject: mail %d\r\nMessage-ID: <m%d@example.com>\r\n\r\n", n, n, n)
	line := fmt.Sprintf("This is line after line of mail %d, which says little.\r\n", n)
	for b.Len() < size {
		b.WriteString(line)
	}
	return b.Bytes()
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// logs of a poller go to the test's output.
func logs(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// run runs a poller until stop is called, which waits for it; the test's end stops it too.
func run(t testing.TB, p *mailbox.Poller) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// checkBodies compares what was committed with what was put into the folder, by UID.
func checkBodies(t testing.TB, l *ledger, uidvalidity uint32, want map[uint32][]byte) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for uid, raw := range want {
		o := l.rows[uidKey{uidvalidity, uid}]
		switch {
		case o == nil:
			t.Errorf("uid %d has no outcome", uid)
		case o.what != "ticketed":
			t.Errorf("uid %d is %s (%s), want ticketed", uid, o.what, o.reason)
		case o.sum != sha256.Sum256(raw):
			t.Errorf("uid %d has another body than it had on the server", uid)
		}
	}
	committed := map[uidKey]int{}
	for _, k := range l.order {
		if committed[k]++; committed[k] > 1 {
			t.Errorf("uid %d was committed %d times", k.uid, committed[k])
		}
	}
}

type ctxT = context.Context
