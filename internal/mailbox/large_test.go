package mailbox_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"postdesk/internal/mailbox"
	"postdesk/internal/mailtest"
)

// allocated runs fn and returns the octets it allocated, the scripted server's included.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestT1_7_TwoGiBLiteralIsNeitherReadNorKept(t *testing.T) {
	zeros := make([]byte, 64<<10)
	for name, honest := range map[string]bool{"declared": true, "hidden behind a small size": false} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
				if cmd.Name != "UID FETCH" || !strings.Contains(cmd.Args, "BODY.PEEK[]") {
					return false
				}
				for _, m := range c.Matching(cmd) {
					if m.UID != 2 {
						c.Fetch(m, cmd)
						continue
					}
					asked++
					c.Raw([]byte("* 2 FETCH (UID 2 BODY[] {2147483648}\r\n")) // whatever part was asked for
					for range 2147483648 / len(zeros) {
						if c.Raw(zeros) != nil {
							return true
						}
					}
				}
				c.Line("%s OK", cmd.Tag)
				return true
			}
			scripted(t, 1, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				size := int64(1000)
				if honest {
					size = 2147483648
				}
				s.Add(mailtest.IMAPMessage{Raw: sample(2, 1000), Size: size}, mailtest.IMAPMessage{Raw: sample(3, 400)})
				octets := allocated(func() {
					run(t, mailbox.New(pipeConfig(s), l, l.deliver, logs(t)))
					l.wait(t, "three outcomes", func() bool { return l.count("ticketed") == 3 })
				})
				if octets > 32<<20 {
					t.Errorf("%d MiB were allocated", octets>>20)
				}
				if honest && asked > 0 || asked > 3 {
					t.Errorf("the body was asked for %d times", asked)
				}
				l.with(func() {
					m := l.mails[uidKey{7, 2}]
					header, _, _ := bytes.Cut(sample(2, 1000), []byte("\r\n\r\n"))
					if m.Problem != mailbox.TooLarge || !bytes.Equal(m.Raw, append(header, "\r\n\r\n"...)) {
						t.Errorf("problem %q, raw %q", m.Problem, m.Raw)
					}
					if honest && m.Size != size {
						t.Errorf("size %d", m.Size)
					}
				})
			})
		})
	}
}

func TestT1_7_SizesAroundTheLimit(t *testing.T) {
	const limit = 3 << 20
	for name, c := range map[string]struct {
		real     int
		declared int64
		problem  string
	}{
		"under":                     {limit - 100, 0, ""},
		"over":                      {limit + 5000, 0, mailbox.TooLarge},
		"over, declared small":      {limit + 5000, 1000, mailbox.TooLarge},
		"over, declared just under": {limit + 5000, limit - 1, mailbox.TooLarge},
		"under, declared too small": {2<<20 + 77, 1<<20 + 1, ""},
		"under, declared too large": {1<<20 + 77, limit - 1, ""},
		"exactly one chunk":         {1 << 20, 0, ""},
		"exactly two chunks":        {2 << 20, 2 << 20, ""},
		"small, declared a chunk":   {500, 1 << 20, ""},
		"small, declared 2 chunks":  {500, 2 << 20, ""},
	} {
		t.Run(name, func(t *testing.T) {
			scripted(t, 0, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
				raw := sample(1, c.real)
				if c.problem == "" {
					raw = raw[:min(len(raw), max(c.real, 500))]
				}
				s.Add(mailtest.IMAPMessage{Raw: raw, Size: c.declared}, mailtest.IMAPMessage{Raw: sample(2, 400)})
				cfg := pipeConfig(s)
				cfg.MaxSize = limit
				run(t, mailbox.New(cfg, l, l.deliver, logs(t)))
				l.idle(t)
				want := bodies(s)
				if c.problem != "" {
					delete(want, 1)
				}
				checkBodies(t, l, 7, want)
				l.with(func() {
					if m := l.mails[uidKey{7, 1}]; m.Problem != c.problem {
						t.Errorf("problem %q, want %q", m.Problem, c.problem)
					}
				})
			})
		})
	}
}

// A link that never carries a large mail in one piece still brings it, because each attempt goes on where the last ended.
func TestLargeMailOverALinkThatKeepsBreaking(t *testing.T) {
	pieces := 0
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK[]<") {
			if pieces++; pieces%3 == 0 {
				c.Drop()
				return true
			}
		}
		return false
	}
	scripted(t, 0, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(1, 10<<20)})
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		l.with(func() {
			if s.Dialled() < 4 || l.rows[uidKey{7, 1}].attempts > 0 {
				t.Errorf("%d connections, %d failures", s.Dialled(), l.rows[uidKey{7, 1}].attempts)
			}
		})
	})
}

func TestServerWithoutPartialAnswers(t *testing.T) {
	on := func(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
		if cmd.Name == "UID FETCH" && strings.Contains(cmd.Args, "BODY.PEEK[]<") {
			cmd.Args, _, _ = strings.Cut(cmd.Args, "<")
			c.Friendly(cmd)
			return true
		}
		return false
	}
	scripted(t, 0, mailtest.IMAPBehaviour{On: on}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		s.Add(mailtest.IMAPMessage{Raw: sample(1, 3<<20)})
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
	})
}

// endless is a folder with UIDs 1 to n that takes no memory.
type endless struct {
	n      uint32
	octets atomic.Int64 // of FETCH answers
}

func (e *endless) on(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) bool {
	switch cmd.Name {
	case "SELECT", "EXAMINE":
		c.Line("* %d EXISTS", e.n)
		c.Line("* OK [UIDVALIDITY 7] ok")
		c.Line("* OK [UIDNEXT %d] ok", e.n+1)
	case "UID FETCH":
		e.fetch(c, cmd)
	default:
		return false
	}
	c.Line("%s OK done", cmd.Tag)
	return true
}

func (e *endless) fetch(c *mailtest.IMAPConn, cmd mailtest.IMAPCommand) {
	var b bytes.Buffer
	for _, r := range cmd.UIDs() {
		first, last := r[0], r[1]
		if last == 0 || last > e.n {
			last = e.n
		}
		for uid := min(first, last); uid <= last; uid++ {
			if strings.Contains(cmd.Args, "BODY.PEEK[]") {
				raw := sample(int(uid), 300)
				fmt.Fprintf(&b, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(raw), raw)
			} else {
				fmt.Fprintf(&b, "* %d FETCH (UID %d RFC822.SIZE 300 INTERNALDATE \"02-Nov-2026 09:00:00 +0000\")\r\n", uid, uid)
			}
			if b.Len() > 32<<10 {
				e.octets.Add(int64(b.Len()))
				c.Raw(b.Bytes())
				b.Reset()
			}
		}
	}
	e.octets.Add(int64(b.Len()))
	c.Raw(b.Bytes())
}

func TestT1_13_MillionMessagesFromNowOnCostNothing(t *testing.T) {
	e := &endless{n: 1_000_000}
	synctest.Test(t, func(t *testing.T) {
		s, l := mailtest.IMAPPipe(t, mailtest.IMAPBehaviour{On: e.on}), newLedger()
		l.start = "from_now"
		octets := allocated(func() { start(t, s, l) })
		if octets > 1<<20 {
			t.Errorf("%d KiB were allocated to find nothing new", octets>>10)
		}
		before := e.octets.Load()
		l.idle(t)
		if cost := e.octets.Load() - before; cost > 200 {
			t.Errorf("a poll that finds nothing new costs %d octets", cost)
		}
		l.with(func() {
			if l.advances > 0 || l.delivered > 0 {
				t.Errorf("%d advances, %d deliveries", l.advances, l.delivered)
			}
		})
	})
}

func TestT1_13_LargeFolderFromTheBeginningStaysFlat(t *testing.T) {
	e := &endless{n: 100_000}
	if testing.Short() {
		e.n = 20_000
	}
	synctest.Test(t, func(t *testing.T) {
		s, l := mailtest.IMAPPipe(t, mailtest.IMAPBehaviour{On: e.on}), newLedger()
		var base, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&base)
		var last, first uint32
		var peak uint64
		receive := func(_ context.Context, _ int64, batch []mailbox.Mail) error {
			for _, m := range batch {
				if m.UID != last+1 {
					t.Errorf("uid %d after %d", m.UID, last)
				}
				last = m.UID
			}
			if first++; first%20 == 0 {
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			}
			return nil
		}
		cfg := pipeConfig(s)
		cfg.Done = mailbox.DoneNone
		run(t, mailbox.New(cfg, l, receive, quiet()))
		l.idle(t)
		if last != e.n {
			t.Errorf("read up to %d of %d", last, e.n)
		}
		if peak > base.HeapInuse+64<<20 {
			t.Errorf("the heap grew by %d MiB", (peak-base.HeapInuse)>>20)
		}
		listings := 0
		for _, command := range s.Commands() {
			if strings.Contains(command, "RFC822.SIZE") {
				listings++
			}
		}
		if listings > 60 {
			t.Errorf("%d listings", listings)
		}
	})
}

func TestReconcileOfALargeFolderNamesTheOneThatIsMissing(t *testing.T) {
	e := &endless{n: 100_000}
	synctest.Test(t, func(t *testing.T) {
		s, l := mailtest.IMAPPipe(t, mailtest.IMAPBehaviour{On: e.on}), newLedger()
		l.epochs, l.from = []uint32{7}, e.n-1 // all below are decided
		l.row(7, e.n).what = "ticketed"
		r, err := mailbox.New(pipeConfig(s), l, nil, quiet()).Reconcile(t.Context())
		if err != nil || r.Messages != int(e.n) || fmt.Sprint(r.Undecided) != fmt.Sprintf("[%d]", e.n-1) {
			t.Errorf("report %+v, error %v", r, err)
		}
	})
}

func TestSparseUIDsAreFoundInFewSteps(t *testing.T) {
	scripted(t, 0, mailtest.IMAPBehaviour{}, func(t *testing.T, s *mailtest.IMAPServer, l *ledger) {
		for i, uid := range []uint32{3, 700_000_000, 700_000_001, 4_000_000_000, 4_294_967_290, 4_294_967_294} {
			s.Add(mailtest.IMAPMessage{UID: uid, Raw: sample(i, 400)})
		}
		start(t, s, l)
		checkBodies(t, l, 7, bodies(s))
		if n := len(s.Commands()); n > 60 {
			t.Errorf("%d commands", n)
		}
		l.idle(t)
		l.with(func() {
			if l.delivered != 6 || len(l.errors) > 0 {
				t.Errorf("%d deliveries, errors %v", l.delivered, l.errors)
			}
		})
	})
}
