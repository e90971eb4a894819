package outbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postdesk/internal/ticket"
)

// attemptsOf lets a server refuse RCPT with words for the given time and returns when each attempt came, from the start.
func attemptsOf(t *testing.T, words string, length time.Duration, cfg Config, job Job) (at []time.Duration, r row) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		began := time.Now()
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if !strings.HasPrefix(line, "RCPT") {
				return ""
			}
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began))
			return words
		}
		pipe := srv.pipe()
		cfg.Host, cfg.TLS, cfg.HELO, cfg.Dial = pipe.Host, pipe.TLS, pipe.HELO, pipe.Dial
		if job.ExpiresAt.Unix() > 0 { // given as a distance
			job.ExpiresAt = began.Add(time.Duration(job.ExpiresAt.Unix()) * time.Second)
		}
		id := q.put(job)
		_, stop := work(t, cfg, q)
		time.Sleep(length)
		synctest.Wait()
		stop()
		synctest.Wait()
		r = q.get(id)
	})
	return at, r
}

func TestT5_6_BackOffGrowsAndEnds(t *testing.T) {
	at, r := attemptsOf(t, "451 4.2.0 busy", 6*24*time.Hour, Config{}, Job{})
	want := testConfig().Retry
	for i := 1; i < len(at); i++ {
		gap, planned := at[i]-at[i-1], want[min(i, len(want))-1]
		// a poll may come a second late, and an open breaker is not the case for one message
		if gap < planned*9/10 || gap > planned*11/10+2*time.Second {
			t.Errorf("attempt %d came %v after the one before, want %v within 10 %%", i+1, gap, planned)
		}
	}
	if last := at[len(at)-1]; last > 5*24*time.Hour || last < 4*24*time.Hour {
		t.Errorf("last attempt after %v, want in the fifth day", last)
	}
	if r.state != ticket.Failed || !r.result.GaveUp || r.job.Attempts != len(at) || r.result.Response != "4.2.0 busy" {
		t.Errorf("ended %s, gave up %v, attempts %d of %d, %q", r.state, r.result.GaveUp, r.job.Attempts, len(at), r.result.Response)
	}
}

func TestT5_6_GreylistingWaitsAtLeastFiveMinutes(t *testing.T) {
	at, _ := attemptsOf(t, "450 4.7.1 Greylisted", time.Hour, Config{Retry: []time.Duration{time.Second}}, Job{})
	if len(at) < 2 || at[1]-at[0] < 4*time.Minute+30*time.Second {
		t.Errorf("attempts at %v", at)
	}
}

func TestT5_6_ContentRefusalsAreNotRepeatedForDays(t *testing.T) {
	at, r := attemptsOf(t, "554 DT:SPM 163 smtp1", 24*time.Hour, Config{}, Job{})
	if len(at) != 3 || r.state != ticket.Failed || !r.result.GaveUp || !r.result.Policy {
		t.Errorf("%d attempts, %+v", len(at), r.result)
	}
}

func TestT5_6_ChallengeIsNeverSentAfterItsLinkExpired(t *testing.T) {
	expiry := 40 * time.Minute
	at, r := attemptsOf(t, "451 4.2.0 busy", 24*time.Hour, Config{}, Job{Class: ticket.ClassChallenge, ExpiresAt: time.Unix(int64(expiry/time.Second), 0)})
	if len(at) < 3 || at[len(at)-1] >= expiry {
		t.Errorf("attempts at %v for a link that lives %v", at, expiry)
	}
	if r.state != ticket.Failed || !r.result.GaveUp {
		t.Errorf("ended %s", r.state)
	}
}

func TestT5_6_ExpiredBeforeTheFirstAttemptIsNotSent(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	q.put(Job{Class: ticket.ClassChallenge, ExpiresAt: time.Now().Add(-time.Second)})
	_, stop := work(t, srv.listen(t), q)
	q.awaitState(ticket.Failed)
	stop()
	if n := len(srv.said()); n != 0 {
		t.Errorf("the server heard %d lines", n)
	}
}

func TestT5_6_ExpiredWhileTheServerMadeItWaitIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if strings.HasPrefix(line, "RCPT") {
				time.Sleep(4 * time.Minute)
			}
			return ""
		}
		q.put(Job{Class: ticket.ClassChallenge, ExpiresAt: time.Now().Add(time.Minute)})
		_, stop := work(t, srv.pipe(), q)
		time.Sleep(5 * time.Minute)
		stop()
		synctest.Wait()
		if r := q.get(1); r.state != ticket.Failed || len(srv.mails()) != 0 {
			t.Errorf("%s, %d mails", r.state, len(srv.mails()))
		}
	})
}

func TestT5_6_ServerDownBurnsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		var mu sync.Mutex
		down, dials := true, 0
		srv.script = func(_ int, line string) string {
			mu.Lock()
			defer mu.Unlock()
			if down && line == "greet" {
				dials++
				return "drop"
			}
			return ""
		}
		for range 20 {
			q.put(Job{})
		}
		w, stop := work(t, srv.pipe(), q)
		time.Sleep(7 * 24 * time.Hour) // longer than messages are tried
		synctest.Wait()
		s := w.State()
		if !s.Paused || s.Reason == "" || time.Since(s.Since) < 6*24*time.Hour {
			t.Errorf("state %+v", s)
		}
		mu.Lock()
		down = false
		if perHour := dials / (7 * 24); perHour < 11 || perHour > 16 {
			t.Errorf("%d dials an hour", perHour)
		}
		mu.Unlock()
		q.mu.Lock()
		for _, r := range q.rows {
			if r.state != ticket.Queued || r.job.Attempts != 0 {
				t.Errorf("while the server is down: %s, attempts %d", r.state, r.job.Attempts)
			}
		}
		q.mu.Unlock()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(srv.mails()); n != 20 || w.State().Paused {
			t.Errorf("%d mails after the server came back, state %+v", n, w.State())
		}
		stop()
	})
}

func TestT5_5_WrongPasswordPausesTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{password: "right"}, newQueue(t)
		cfg := srv.pipe()
		var mu sync.Mutex
		password, asked := "wrong", 0
		cfg.Username = "desk"
		cfg.Password = func() (string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return password, nil
		}
		for range 10 {
			q.put(Job{})
		}
		w, stop := work(t, cfg, q)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		mu.Lock()
		if asked < 24 || asked > 70 {
			t.Errorf("logged in %d times in a day with a wrong password", asked)
		}
		password = "right"
		mu.Unlock()
		if s := w.State(); !s.Paused || !strings.Contains(s.Reason, "535 5.7.8") {
			t.Errorf("state %+v", s)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		stop()
		q.await("all accepted at the first attempt", func(r row) bool { return r.state == ticket.Accepted && r.job.Attempts == 1 })
	})
}

func TestLosingServerIsGivenFewMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{script: func(_ int, line string) string {
			if line == "." {
				return "sink"
			}
			return ""
		}}, newQueue(t)
		for i := range 100 {
			q.put(Job{To: fmt.Sprintf("kunde@d%d.test", i)})
		}
		_, stop := work(t, srv.pipe(), q)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		stop()
		if n := len(srv.mails()); n < 4 || n > 14 {
			t.Errorf("a server that loses every reply got %d of 100 messages in ten minutes", n)
		}
	})
}
