package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postdesk/internal/ticket"
)

func TestT5_13_AfterAKillSendingBecomesUncertain(t *testing.T) {
	for _, sole := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			srv, q := &server{}, newQueue(t)
			inWindow, claimed := q.put(Job{}), q.put(Job{})
			jobs, _ := q.Claim(t.Context(), "killed", 2, 15*time.Second, nil)
			if ok, err := q.Start(t.Context(), jobs[0]); !ok || err != nil {
				t.Fatal(ok, err)
			}
			cfg := srv.pipe()
			cfg.Sole = sole
			_, stop := work(t, cfg, q)
			time.Sleep(time.Second)
			synctest.Wait()
			if got := q.get(inWindow).state; sole && got != ticket.Uncertain || !sole && got != ticket.Sending {
				t.Errorf("sole %v: a second after the start it is %s", sole, got)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			stop()
			if r := q.get(inWindow); r.state != ticket.Uncertain || r.started != 1 {
				t.Errorf("the one in the window: %v, started %d", r.trace, r.started)
			}
			if r := q.get(claimed); r.state != ticket.Accepted || r.started != 1 {
				t.Errorf("the one only claimed: %v, started %d", r.trace, r.started)
			}
			if len(srv.mails()) != 1 {
				t.Errorf("%d mails", len(srv.mails()))
			}
		})
	}
}

func TestT5_13_LostLeaseDuringTheDialogueIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if line == "." {
				time.Sleep(2 * time.Minute)
			}
			return ""
		}
		q.broken = func(op string) error {
			if op == "renew" {
				return errors.New("no database")
			}
			return nil
		}
		id := q.put(Job{})
		_, stopFirst := work(t, srv.pipe(), q)
		_, stopSecond := work(t, srv.pipe(), q)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := q.get(id).state; got != ticket.Uncertain {
			t.Errorf("%s while its lease is lost", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		stopFirst()
		stopSecond()
		if r := q.get(id); r.state != ticket.Accepted || r.started != 1 || len(srv.mails()) != 1 {
			t.Errorf("%v, started %d, %d mails", r.trace, r.started, len(srv.mails()))
		}
	})
}

func TestHeartbeatKeepsTheLeaseOfALongDialogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if line == "." {
				time.Sleep(8 * time.Minute)
			}
			return ""
		}
		id := q.put(Job{})
		_, stopFirst := work(t, srv.pipe(), q)
		_, stopSecond := work(t, srv.pipe(), q)
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		stopFirst()
		stopSecond()
		if r := q.get(id); fmt.Sprint(r.trace) != "[queued leased sending accepted]" {
			t.Errorf("%v", r.trace)
		}
	})
}

func TestTwoWorkersShareAQueue(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	for i := range 500 {
		q.put(Job{To: fmt.Sprintf("kunde@d%d.test", i%50)})
	}
	cfg := srv.listen(t)
	_, stopFirst := work(t, cfg, q)
	_, stopSecond := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	stopFirst()
	stopSecond()
	q.await("started once each", func(r row) bool { return r.started == 1 })
	seen := map[string]int{}
	for _, m := range srv.mails() {
		seen[string(m.raw)]++
	}
	if len(seen) != 500 || len(srv.mails()) != 500 {
		t.Errorf("%d mails, %d different", len(srv.mails()), len(seen))
	}
}

func TestDatabaseTroubleSendsNothingTwice(t *testing.T) {
	for _, op := range []string{"start", "finish", "claim", "recover", "renew"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, q := &server{}, newQueue(t)
				broken := false
				q.broken = func(o string) error {
					if broken && o == op {
						return errors.New("disk full")
					}
					return nil
				}
				set := func(v bool) { q.mu.Lock(); broken = v; q.mu.Unlock() }
				set(op == "recover")
				_, stop := work(t, srv.pipe(), q)
				time.Sleep(10 * time.Second)
				set(true)
				for range 30 {
					q.put(Job{})
				}
				time.Sleep(30 * time.Second)
				set(false)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				stop()
				for _, r := range q.rows {
					if r.state != ticket.Accepted || r.started != 1 {
						t.Errorf("%v, started %d", r.trace, r.started)
					}
				}
				if len(srv.mails()) != 30 {
					t.Errorf("%d mails", len(srv.mails()))
				}
			})
		})
	}
}

// lossy commits claims and then reports that they failed, like a connection that breaks at COMMIT.
type lossy struct {
	*queue
	mu   sync.Mutex
	left int
}

func (l *lossy) Claim(ctx context.Context, owner string, max int, lease time.Duration, skip []string) ([]Job, error) {
	jobs, err := l.queue.Claim(ctx, owner, max, lease, skip)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(jobs) > 0 && l.left > 0 {
		l.left--
		return nil, errors.New("connection lost at commit")
	}
	return jobs, err
}

func TestClaimThatWasCommittedUnheardIsNotHeldForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(session int, line string) string {
			if session == 1 && line == "." {
				time.Sleep(9 * time.Minute) // one dialogue keeps the worker renewing its leases
			}
			return ""
		}
		slow := q.put(Job{})
		db := &lossy{queue: q}
		w, stop := work(t, srv.pipe(), db)
		synctest.Wait()
		db.mu.Lock()
		db.left = 2
		db.mu.Unlock()
		for range 100 {
			q.put(Job{})
		}
		w.Wake()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for _, r := range q.rows {
			if r.job.ID != slow && (r.state != ticket.Accepted || r.started != 1) {
				t.Errorf("%v, started %d", r.trace, r.started)
			}
		}
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		stop()
		q.awaitState(ticket.Accepted)
	})
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		slow  string // the line the server thinks about
		think time.Duration
		want  ticket.DeliveryState
	}{
		"finishes the dialogue in hand":                  {".", 10 * time.Second, ticket.Accepted},
		"waits no longer than the grace for the reply":   {".", 5 * time.Minute, ticket.Uncertain},
		"finishes also before the data":                  {"RCPT", 10 * time.Second, ticket.Accepted},
		"breaks off before the data after the grace":     {"RCPT", 4 * time.Minute, ticket.Queued},
		"does not wait for a server that does not greet": {"greet", 4 * time.Minute, ticket.Queued},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, q := &server{}, newQueue(t)
				srv.script = func(_ int, line string) string {
					if strings.HasPrefix(line, c.slow) {
						time.Sleep(c.think)
					}
					return ""
				}
				for i := range 40 {
					q.put(Job{To: fmt.Sprintf("kunde%d@example.com", i)})
				}
				cfg := srv.pipe()
				cfg.Workers = 1
				_, stop := work(t, cfg, q)
				time.Sleep(time.Second)
				began := time.Now()
				stop()
				if took := time.Since(began); took > cfg.withDefaults().Grace+2*time.Second {
					t.Errorf("stopping took %v", took)
				}
				if got := q.get(1).state; got != c.want {
					t.Errorf("the one in hand: %s, want %s", got, c.want)
				}
				for _, r := range q.rows[1:] {
					if r.state != ticket.Queued || r.job.Attempts != 0 {
						t.Errorf("one that had not begun: %s, attempts %d", r.state, r.job.Attempts)
					}
				}
				time.Sleep(10 * time.Minute) // the server's talk ends
			})
		})
	}
}

func TestWakeSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		cfg := srv.pipe()
		cfg.Poll = time.Hour
		w, stop := work(t, cfg, q)
		synctest.Wait()
		for range 3 {
			q.put(Job{})
			w.Wake()
			synctest.Wait()
			if n, rows := len(srv.mails()), len(q.rows); n != rows {
				t.Errorf("%d of %d mails sent without waiting", n, rows)
			}
		}
		stop()
		w.Wake() // after the stop it does nothing
		w.Wake()
	})
}

func TestUnusedConnectionIsClosedPolitely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		q.put(Job{})
		w, stop := work(t, srv.pipe(), q)
		time.Sleep(10 * time.Second)
		if n := w.State().Connections; n != 1 {
			t.Errorf("%d connections kept", n)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if said := srv.said(); w.State().Connections != 0 || said[len(said)-1] != "QUIT" {
			t.Errorf("%d connections, last line %q", w.State().Connections, said[len(said)-1])
		}
		stop()
	})
}
