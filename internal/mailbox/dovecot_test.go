package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"postdesk/internal/mailbox"
	"postdesk/internal/mailtest"
)

// dovecot is a server with n mails in the INBOX of support, a configuration for it, and a ledger.
func dovecot(t *testing.T, n, size int, lines ...string) (*mailtest.Server, mailbox.Config, *ledger, map[uint32][]byte) {
	t.Helper()
	d := mailtest.Dovecot(t, lines...)
	var mails [][]byte
	for i := range n {
		mails = append(mails, sample(i+1, size))
	}
	want := map[uint32][]byte{}
	for i, uid := range d.Append(t, "support", "INBOX", mails...) {
		want[uid] = mails[i]
	}
	l := newLedger()
	l.patience = 2 * time.Minute
	return d, mailbox.Config{
		Name: "support", Host: d.Host, Port: d.Port, TLS: mailbox.TLSNone, Username: "support",
		Password: func() (string, error) { return d.Password, nil },
		Poll:     time.Second,
	}, l, want
}

func epoch(l *ledger) (v uint32) {
	l.with(func() { v = l.epochs[len(l.epochs)-1] })
	return v
}

func TestDovecotFromFolderToMarksAndIdle(t *testing.T) {
	d, cfg, l, want := dovecot(t, 500, 1000)
	cfg.Poll = time.Hour // only IDLE can bring the new one
	run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
	l.wait(t, "500 mails", func() bool { return l.count("ticketed") == 500 })
	l.idle(t)
	raw := sample(1000, 1000)
	want[d.Append(t, "support", "INBOX", raw)[0]] = raw
	l.wait(t, "the new mail", func() bool { return l.count("ticketed") == 501 })
	checkBodies(t, l, epoch(l), want)
	l.wait(t, "its mark", func() bool { return l.rows[uidKey{l.epochs[0], 501}].marked })
	c := d.Client(t, "support")
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Flag: []imap.Flag{mailbox.Keyword}, NotFlag: []imap.Flag{imap.FlagSeen}}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(found.AllUIDs()); n != 501 {
		t.Errorf("%d mails are marked and unseen, want 501", n)
	}
}

func TestDovecotOverTLSMovesAndReconciles(t *testing.T) {
	for _, mode := range []string{mailbox.TLSImplicit, mailbox.TLSStart} {
		t.Run(mode, func(t *testing.T) {
			d, cfg, l, want := dovecot(t, 60, 1000)
			cfg.TLS, cfg.TLSConfig, cfg.Done = mode, d.TLS, mailbox.DoneMove+"Processed"
			if mode == mailbox.TLSImplicit {
				cfg.Port = d.TLSPort
			}
			p := mailbox.New(cfg, l, l.deliver, logs(t))
			r, err := p.Reconcile(t.Context())
			if err != nil || r.Messages != 60 || len(r.Undecided) != 60 {
				t.Errorf("before: %+v, %v", r, err)
			}
			checked, err := p.Check(t.Context())
			if err != nil || len(checked.Warnings) > 0 || !slices.Contains(checked.Capabilities, "MOVE") {
				t.Errorf("check: %+v, %v", checked, err)
			}
			stop := run(t, p)
			l.wait(t, "60 mails moved", func() bool { return l.count("ticketed") == 60 && l.rows[uidKey{l.epochs[0], 60}].marked })
			stop()
			checkBodies(t, l, epoch(l), want)
			if r, err = p.Reconcile(t.Context()); err != nil || r.Messages != 0 || len(r.Undecided) != 0 {
				t.Errorf("after: %+v, %v", r, err)
			}
			c := d.Client(t, "support")
			data, err := c.Select("Processed", nil).Wait()
			if err != nil || data.NumMessages != 60 {
				t.Errorf("Processed: %+v, %v", data, err)
			}
		})
	}
}

// tripwire calls fn once after so many octets came from the server: in the middle of an answer.
type tripwire struct {
	net.Conn
	left int
	fn   func()
}

func (w *tripwire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.left -= n; w.left <= 0 && w.fn != nil {
		w.fn()
		w.fn = nil
	}
	return n, err
}

func tcp(cfg mailbox.Config) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	}
}

func TestDovecotKilledStoppedAndFrozenInTheMiddleOfAnswers(t *testing.T) {
	d, cfg, l, want := dovecot(t, 400, 8000)
	cfg.Silence = 500 * time.Millisecond
	r := rand.New(rand.NewPCG(1, 2))
	troubles := []func(){
		func() { d.Restart(t) },
		func() { d.Stop(); d.Start(t) },
		func() { d.Freeze(); time.AfterFunc(1500*time.Millisecond, d.Thaw) },
		func() { d.Kill(); time.AfterFunc(700*time.Millisecond, func() { d.Start(t) }) },
	}
	var mu sync.Mutex
	n := 0
	dial := tcp(cfg)
	cfg.Dial = func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		mu.Lock()
		defer mu.Unlock()
		if err != nil || n == len(troubles) {
			return conn, err
		}
		return &tripwire{Conn: conn, left: 20000 + r.IntN(400000), fn: func() {
			mu.Lock()
			fn := troubles[n]
			n++
			mu.Unlock()
			fn()
		}}, nil
	}
	cfg.Batch = 50
	run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
	l.wait(t, "400 mails", func() bool { return l.count("ticketed") == 400 })
	checkBodies(t, l, epoch(l), want)
	mu.Lock()
	defer mu.Unlock()
	if n != len(troubles) {
		t.Errorf("only %d of %d troubles happened", n, len(troubles))
	}
	l.with(func() {
		for k, o := range l.rows {
			if o.attempts > 0 {
				t.Errorf("uid %d was blamed for the server's end: %s", k.uid, o.reason)
			}
		}
	})
}

func TestDovecotWithASixtyMegabyteMailAmongOthers(t *testing.T) {
	d, cfg, l, want := dovecot(t, 50, 1000)
	const size = 60 << 20
	huge := sample(51, size)
	uid := d.Append(t, "support", "INBOX", huge)[0]
	for i := range 50 {
		raw := sample(100+i, 1000)
		want[d.Append(t, "support", "INBOX", raw)[0]] = raw
	}
	octets := allocated(func() {
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.wait(t, "101 mails", func() bool { return l.count("ticketed") == 101 })
	})
	if octets > 16<<20 {
		t.Errorf("%d MiB were allocated", octets>>20)
	}
	checkBodies(t, l, epoch(l), want)
	l.with(func() {
		m := l.mails[uidKey{l.epochs[0], uid}]
		if m.Problem != mailbox.TooLarge || m.Size < size || len(m.Raw) > 1000 {
			t.Errorf("problem %q, size %d, %d octets", m.Problem, m.Size, len(m.Raw))
		}
	})
}

func TestDovecotWithANewUIDValidity(t *testing.T) {
	d, cfg, l, _ := dovecot(t, 100, 1000)
	run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
	l.wait(t, "100 mails", func() bool { return l.count("ticketed") == 100 })
	l.idle(t)
	d.Stop()
	for _, pattern := range []string{"dovecot*", "maildirsize"} { // as after a restore of the mail without its index
		files, err := filepath.Glob(filepath.Join(d.Dir, "mail", "support", "Maildir", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.Start(t)
	d.Append(t, "support", "INBOX", sample(1000, 1000), sample(1001, 1000), sample(1002, 1000))
	l.wait(t, "the new epoch", func() bool { return l.cursor.Reset && len(l.rows) == 203 })
	l.with(func() {
		if got := [2]int{l.count("ticketed"), l.count("duplicate")}; got != [2]int{103, 100} {
			t.Errorf("ticketed and duplicate %v, want 103 and 100", got)
		}
	})
}

func TestDovecotWithOthersWhoFlagAndExpunge(t *testing.T) {
	d, cfg, l, want := dovecot(t, 300, 2000)
	c := d.Client(t, "support")
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	gone := map[uint32]bool{}
	meddle := func() { // at each commit, people use the folder
		for range 10 {
			op := []imap.StoreFlagsOp{imap.StoreFlagsAdd, imap.StoreFlagsDel}[r.IntN(2)]
			set := imap.UIDSetNum(imap.UID(1 + r.IntN(300)))
			c.Store(set, &imap.StoreFlags{Op: op, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
		}
		uid := uint32(200 + r.IntN(100))
		gone[uid] = true
		c.Store(imap.UIDSetNum(imap.UID(uid)), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
		c.UIDExpunge(imap.UIDSetNum(imap.UID(uid))).Close()
	}
	l.before = func([]mailbox.Mail) error { meddle(); return nil }
	cfg.Batch = 10
	run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
	l.wait(t, "the end of the folder", func() bool { return l.cursor.LastUID == 300 })
	l.idle(t)
	for uid := range gone {
		delete(want, uid)
	}
	checkBodies(t, l, epoch(l), want)
	l.with(func() {
		for uid := range gone {
			if o := l.rows[uidKey{l.epochs[0], uid}]; o != nil && o.what != "ticketed" && o.what != "vanished" {
				t.Errorf("expunged uid %d is %s", uid, o.what)
			}
		}
	})
}

// Pollers that are stopped and started at random stand in for a process that is killed: what matters is the ledger.
func TestDovecotManyShortLives(t *testing.T) {
	_, cfg, l, want := dovecot(t, 300, 4000)
	r := rand.New(rand.NewPCG(5, 6))
	cfg.Batch = 7
	l.after = func() error {
		if r.IntN(10) == 0 {
			return errors.New("the answer to COMMIT is lost")
		}
		return nil
	}
	for life := 0; ; life++ {
		cfg.Owner = fmt.Sprint(life)
		dial := tcp(cfg)
		lived := make(chan struct{})
		once := sync.OnceFunc(func() { close(lived); l.do(func() {}) })
		left := 5000 + r.IntN(150000)
		mine := cfg
		mine.Dial = func(ctx context.Context) (net.Conn, error) {
			conn, err := dial(ctx)
			return &tripwire{Conn: conn, left: left, fn: once}, err
		}
		stop := run(t, mailbox.New(mine, l, l.deliver, quiet()))
		done := 0
		l.wait(t, "the end of a life", func() bool {
			done = l.count("ticketed")
			select {
			case <-lived:
				return true
			default:
				return done == 300
			}
		})
		stop()
		if done == 300 {
			t.Logf("%d lives", life+1)
			break
		}
		if life > 300 {
			t.Fatalf("%d mails after %d lives", done, life)
		}
	}
	checkBodies(t, l, epoch(l), want)
}

func TestSecretFileIsReadAtEachLogIn(t *testing.T) {
	d, cfg, l, _ := dovecot(t, 1, 500)
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong")
	cfg.Password = func() (string, error) {
		raw, err := os.ReadFile(file)
		return strings.TrimSpace(string(raw)), err
	}
	p := mailbox.New(cfg, l, nil, quiet())
	if _, err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "log-in") {
		t.Errorf("a wrong password gave %v", err)
	}
	write(d.Password + "\n")
	if c, err := p.Check(t.Context()); err != nil || c.Messages != 1 {
		t.Errorf("the right one gave %+v, %v", c, err)
	}
}

// BenchmarkDovecot measures the way from a folder of 5,000 mails of 7 KB to a receiver that does nothing.
func BenchmarkDovecot(b *testing.B) {
	d := mailtest.Dovecot(b)
	var mails [][]byte
	for i := range 5000 {
		mails = append(mails, sample(i, 7000))
	}
	d.Append(b, "support", "INBOX", mails...)
	for b.Loop() {
		l, n := newLedger(), 0
		cfg := mailbox.Config{
			Name: "support", Host: d.Host, Port: d.Port, TLS: mailbox.TLSNone, Username: "support",
			Password: func() (string, error) { return d.Password, nil },
		}
		done := make(chan struct{})
		receive := func(_ context.Context, _ int64, batch []mailbox.Mail) error {
			if n += len(batch); n == len(mails) {
				close(done)
			}
			return nil
		}
		stop := run(b, mailbox.New(cfg, l, receive, quiet()))
		<-done
		stop()
	}
	b.ReportMetric(float64(len(mails)*b.N)/b.Elapsed().Seconds(), "mails/s")
}
