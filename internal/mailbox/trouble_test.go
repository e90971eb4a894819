package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postdesk/internal/mailbox"
	"postdesk/internal/mailtest"
)

// brittle is a connection that ends after some octets, or goes silent.
type brittle struct {
	net.Conn
	left   int
	silent bool
	dead   chan struct{}
	once   sync.Once
}

func (b *brittle) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p[:min(len(p), max(1, b.left))])
	if b.left -= n; b.left > 0 || err != nil {
		return n, err
	}
	if b.silent {
		<-b.dead
	}
	b.Conn.Close()
	return n, err
}

func (b *brittle) Close() error {
	b.once.Do(func() { close(b.dead) })
	return b.Conn.Close()
}

// Whatever happens in between, every mail that stays in the folder is committed exactly once with its own body.
func TestRandomTroubleLosesAndDoublesNothing(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { trouble(t, rand.New(rand.NewPCG(uint64(seed), 1))) })
		})
	}
}

func trouble(t *testing.T, r *rand.Rand) {
	var mails []mailtest.IMAPMessage
	uid := uint32(0)
	for i := range 120 {
		uid += uint32(1 + r.IntN(3))
		size := 300 + r.IntN(3000)
		if r.IntN(30) == 0 {
			size = 1<<20 + r.IntN(1<<20)
		}
		mails = append(mails, mailtest.IMAPMessage{UID: uid, Raw: sample(i, size)})
	}
	done := []string{mailbox.DoneKeyword, mailbox.DoneMove + "Processed", mailbox.DoneNone}[r.IntN(3)]
	caps := []string{"IDLE MOVE UIDPLUS ID", "UIDPLUS", "IDLE"}[r.IntN(3)]
	s, l := mailtest.IMAPPipe(t, mailtest.IMAPBehaviour{Caps: caps}, mails...), newLedger()
	l.retry = true
	calm := time.Now().Add(20 * time.Minute)
	decide := rand.New(rand.NewPCG(r.Uint64(), 2)) // used under l.before and l.after only, which never run at the same time
	fail := func() error {
		if time.Now().Before(calm) && decide.IntN(4) == 0 {
			return errors.New("database locked")
		}
		return nil
	}
	l.before = func([]mailbox.Mail) error { return fail() }
	l.after = fail
	dials := rand.New(rand.NewPCG(r.Uint64(), 3))
	cfg := pipeConfig(s)
	cfg.Done, cfg.Batch, cfg.Bytes = done, 1+r.IntN(50), int64(2000+r.IntN(3<<20))
	cfg.Dial = func(ctx context.Context) (net.Conn, error) {
		conn, err := s.Dial(ctx)
		if err != nil || time.Now().After(calm) {
			return conn, err
		}
		left := 200 + dials.IntN(1<<(8+dials.IntN(14)))
		return &brittle{Conn: conn, left: left, silent: dials.IntN(4) == 0, dead: make(chan struct{})}, nil
	}
	var stop func()
	for time.Now().Before(calm) { // the process is stopped and started as well
		stop = run(t, mailbox.New(cfg, l, l.deliver, quiet()))
		time.Sleep(time.Duration(r.IntN(300)) * time.Second)
		if r.IntN(2) == 0 {
			s.Add(mailtest.IMAPMessage{Raw: sample(1000+r.IntN(1<<30), 400)})
		}
		stop()
	}
	run(t, mailbox.New(cfg, l, l.deliver, quiet()))
	want := func() map[uint32][]byte { return bodies(s) }
	l.wait(t, "every mail to be decided", func() bool {
		for uid := range want() {
			o := l.rows[uidKey{7, uid}]
			if o == nil || o.what == "failed" {
				return false
			}
		}
		return true
	})
	l.idle(t)
	check := want()
	l.with(func() {
		for uid := range check {
			// Three deaths in a row of the same mail are possible in such a storm, and end in quarantine, not in loss.
			if l.rows[uidKey{7, uid}].what == "quarantined" {
				delete(check, uid)
			}
		}
		if n := l.count("quarantined"); n > 12 || l.count("vanished") > 0 {
			t.Errorf("%d quarantined, %d vanished", n, l.count("vanished"))
		}
	})
	checkBodies(t, l, 7, check)
}

// A mail that ended a connection is read ahead of the others; while it is committed and moved it must not be looked for
// again and found gone.
func TestMailReadAloneAndMovedHasNotVanished(t *testing.T) {
	cuts := 0
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK") && cuts == 0 {
			cuts++
			c.Drop()
			return true
		}
		return false
	}
	scripted(t, 0, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(1, 2<<20)}, mailtest.IMAPMessage{Raw: sample(2, 400)})
		l.before = func([]mailbox.Mail) error { time.Sleep(5 * time.Second); return nil }
		cfg := pipeConfig(s)
		cfg.Done, cfg.Bytes = mailbox.DoneMove+"Processed", 1<<20
		run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
		l.idle(t)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if cuts != 1 || l.delivered != 2 {
				t.Errorf("%d cuts, %d deliveries", cuts, l.delivered)
			}
		})
	})
}
