package outbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postdesk/internal/ticket"
)

// gauge counts how many messages each domain has under way at the server.
type gauge struct {
	mu      sync.Mutex
	now     map[string]int
	most    map[string]int
	session map[int]string
}

func (g *gauge) script(hold time.Duration) func(int, string) string {
	g.now, g.most, g.session = map[string]int{}, map[string]int{}, map[int]string{}
	return func(session int, line string) string {
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case strings.HasPrefix(line, "RCPT"):
			_, domain, _ := strings.Cut(line, "@")
			domain, _, _ = strings.Cut(domain, ">")
			g.session[session] = domain
			g.now[domain]++
			g.most[domain] = max(g.most[domain], g.now[domain])
		case line == ".":
			g.mu.Unlock()
			time.Sleep(hold)
			g.mu.Lock()
			g.now[g.session[session]]--
		}
		return ""
	}
}

func TestT5_7_DomainConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gauge
		srv, q := &server{script: g.script(time.Second)}, newQueue(t)
		for i := range 40 {
			q.put(Job{To: fmt.Sprintf("kunde%d@qq.com", i)})
		}
		for i := range 4 {
			q.put(Job{To: fmt.Sprintf("kunde%d@web.de", i)})
		}
		_, stop := work(t, srv.pipe(), q)
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		if n := strings.Count(fmt.Sprint(srv.mails()), "@web.de"); n != 4 {
			t.Errorf("%d of 4 mails to another domain got past forty to a busy one", n)
		}
		time.Sleep(25 * time.Second)
		synctest.Wait()
		stop()
		if g.most["qq.com"] != 2 {
			t.Errorf("up to %d messages to one domain at once, want 2", g.most["qq.com"])
		}
		q.await("all accepted", func(r row) bool { return r.state == ticket.Accepted && r.job.Attempts == 1 })
	})
}

func TestT5_7_DomainRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		for i := range 100 {
			q.put(Job{To: fmt.Sprintf("kunde%d@qq.com", i)})
		}
		q.put(Job{To: "kunde@web.de"})
		cfg := srv.pipe()
		cfg.PerDomain.PerMinute = 10
		w, stop := work(t, cfg, q)
		time.Sleep(2 * time.Second)
		if n := strings.Count(fmt.Sprint(srv.mails()), "@web.de"); n != 1 {
			t.Error("the mail to another domain waits for the throttled one")
		}
		if n := w.State().Waiting; n > 5 {
			t.Errorf("%d jobs are held for a domain that takes one in six seconds", n)
		}
		for minute := 1; minute <= 10; minute++ {
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := len(srv.mails()) - 1; n > 10*minute+3 || n < 10*minute-3 && n < 100 {
				t.Errorf("%d messages after %d minutes at 10 a minute", n, minute)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		q.await("all accepted", func(r row) bool { return r.state == ticket.Accepted && r.job.Attempts == 1 })
	})
}

func TestT5_7_RefusingDomainIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		heard := 0
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if strings.HasPrefix(line, "RCPT") && strings.Contains(line, "@busy.test") {
				mu.Lock()
				defer mu.Unlock()
				heard++
				return "451 4.2.0 not now"
			}
			return ""
		}
		for i := range 200 {
			q.put(Job{To: fmt.Sprintf("kunde%d@busy.test", i)})
		}
		for i := range 20 {
			q.put(Job{To: fmt.Sprintf("kunde%d@web.de", i)})
		}
		w, stop := work(t, srv.pipe(), q)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(srv.mails()); n != 20 {
			t.Errorf("%d of 20 mails to a domain that accepts", n)
		}
		mu.Lock()
		if heard < 5 || heard > 14 {
			t.Errorf("a domain that defers everything was asked %d times in an hour", heard)
		}
		mu.Unlock()
		if s := w.State(); s.Paused || len(s.Domains) != 1 || s.Domains[0].Domain != "busy.test" || s.Domains[0].Reason == "" {
			t.Errorf("state %+v", s)
		}
		stop()
	})
}

func TestT5_7_PolicyRefusalPausesTheDomainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if strings.HasPrefix(line, "RCPT") {
				return "550 Domain frequency limited"
			}
			return ""
		}
		for i := range 50 {
			q.put(Job{To: fmt.Sprintf("kunde%d@qq.com", i)})
		}
		_, stop := work(t, srv.pipe(), q)
		time.Sleep(8 * time.Minute)
		synctest.Wait()
		stop()
		refused := 0
		for _, r := range q.rows {
			if r.result.Policy {
				refused++
			}
			if r.state != ticket.Queued && r.state != ticket.Deferred {
				t.Errorf("%s", r.state)
			}
		}
		if refused < 1 || refused > 2 { // two were under way together
			t.Errorf("%d messages were offered to a domain that limits us", refused)
		}
	})
}

func TestT5_7_OneTicketDoesNotKeepTheOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gauge
		srv, q := &server{script: g.script(time.Second)}, newQueue(t)
		for i := range 500 {
			q.put(Job{Ticket: 1000, To: fmt.Sprintf("kunde@d%d.test", i)})
		}
		for i := range 20 {
			q.put(Job{To: fmt.Sprintf("kunde%d@web%d.de", i, i)})
		}
		_, stop := work(t, srv.pipe(), q)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		stop()
		if n := strings.Count(fmt.Sprint(srv.mails()), "@web"); n != 20 {
			t.Errorf("%d of 20 mails of other tickets in ten seconds", n)
		}
		var last int64
		for _, r := range q.rows[:500] {
			if r.state == ticket.Accepted {
				if r.job.ID != last+1 {
					t.Errorf("delivery %d of the ticket went out after %d", r.job.ID, last)
				}
				last = r.job.ID
			}
		}
	})
}

func TestT5_7_ManyDomainsAreForgotten(t *testing.T) {
	l := newLine(Limit{Concurrency: 2, PerMinute: 60})
	now := time.Unix(1e9, 0)
	for i := range 2 * forget {
		l.add([]Job{{Ticket: int64(i), Domain: fmt.Sprintf("d%d.test", i)}})
		j, _ := l.next(now)
		l.done(j)
	}
	l.domain("paused.test").breaker.fail(now, pausePolicy, "why")
	if l.prune(now.Add(time.Minute)); len(l.domains) != 1 {
		t.Errorf("%d domains are remembered, want the paused one", len(l.domains))
	}
}

func TestMailsOfOneTicketGoOneAfterTheOther(t *testing.T) {
	l, now := newLine(Limit{Concurrency: 10}), time.Unix(1e9, 0)
	l.add([]Job{{ID: 1, Ticket: 7, Domain: "a"}, {ID: 2, Ticket: 7, Domain: "b"}, {ID: 3, Domain: "a"}, {ID: 4, Domain: "a"}})
	first, _ := l.next(now)
	var others []int64
	for j, ok := l.next(now); ok; j, ok = l.next(now) {
		others = append(others, j.ID)
	}
	if first.ID != 1 || !slices.Equal(others, []int64{3, 4}) { // those without a ticket do not wait for each other
		t.Errorf("first %d, then %v", first.ID, others)
	}
	l.done(first)
	if j, _ := l.next(now); j.ID != 2 {
		t.Errorf("after the first: %d", j.ID)
	}
}
