package outbox

import (
	"time"

	"golang.org/x/time/rate"
)

// line holds the claimed jobs that wait for their turn, and what each recipient domain may take. It knows no clock and
// does no input or output; the worker guards it with its lock.
type line struct {
	limit   Limit
	waiting []Job
	domains map[string]*domain
	tickets map[int64]bool // with a message on its way
}

type domain struct {
	active  int // messages on their way
	waiting int
	bucket  *rate.Limiter // nil: no limit
	breaker breaker
}

// forget is the number of domains above which quiet ones are forgotten.
const forget = 1000

// patience is how long a claimed job may wait for its domain's rate before it goes back to the queue.
const patience = 10 * time.Second

func newLine(limit Limit) *line {
	return &line{limit: limit, domains: map[string]*domain{}, tickets: map[int64]bool{}}
}

func (l *line) domain(name string) *domain {
	d := l.domains[name]
	if d == nil {
		d = &domain{}
		if l.limit.PerMinute > 0 {
			d.bucket = rate.NewLimiter(rate.Limit(l.limit.PerMinute/60), max(1, l.limit.Concurrency))
		}
		l.domains[name] = d
	}
	return d
}

func (l *line) add(jobs []Job) {
	for _, j := range jobs {
		l.domain(j.Domain).waiting++
	}
	l.waiting = append(l.waiting, jobs...)
}

// next takes the first job whose domain and ticket are free.
func (l *line) next(now time.Time) (Job, bool) {
	for i, j := range l.waiting {
		d := l.domain(j.Domain)
		if j.Ticket != 0 && l.tickets[j.Ticket] || l.room(d, now) <= 0 {
			continue
		}
		if d.bucket != nil {
			d.bucket.AllowN(now, 1)
		}
		l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
		d.waiting--
		d.active++
		l.tickets[j.Ticket] = true
		return j, true
	}
	return Job{}, false
}

// room is the number of messages the domain may take at once, now.
func (l *line) room(d *domain, now time.Time) int {
	n := 1 << 20
	if l.limit.Concurrency > 0 {
		n = l.limit.Concurrency - d.active
	}
	if d.bucket != nil {
		n = min(n, int(d.bucket.TokensAt(now)))
	}
	if d.breaker.trying() { // one message tries whether the domain takes mail again
		n = min(n, 1-d.active)
	}
	if d.breaker.open(now) {
		return 0
	}
	return n
}

// done returns the place of a job that next gave out.
func (l *line) done(j Job) {
	l.domain(j.Domain).active--
	delete(l.tickets, j.Ticket)
}

// prune forgets domains about which there is nothing to remember, if there are many.
func (l *line) prune(now time.Time) {
	if len(l.domains) <= forget {
		return
	}
	for name, d := range l.domains {
		full := d.bucket == nil || d.bucket.TokensAt(now) >= float64(d.bucket.Burst())
		if d.active == 0 && d.waiting == 0 && d.breaker == (breaker{}) && full {
			delete(l.domains, name)
		}
	}
}

// ready is the number of waiting jobs that could go out now if there were enough connections.
func (l *line) ready(now time.Time) int {
	n := 0
	for _, d := range l.domains {
		n += max(0, min(d.waiting, l.room(d, now)))
	}
	return n
}

// full names the domains of which no further job is wanted: they take nothing now, or enough already wait.
func (l *line) full(now time.Time) []string {
	var names []string
	for name, d := range l.domains {
		if l.closed(d, now) || l.limit.Concurrency > 0 && d.waiting >= l.limit.Concurrency || d.breaker.trying() && d.active+d.waiting > 0 {
			names = append(names, name)
		}
	}
	return names
}

// closed reports whether the domain takes nothing for a while, however many connections are free.
func (l *line) closed(d *domain, now time.Time) bool {
	return d.breaker.open(now) || d.bucket != nil && d.bucket.TokensAt(now) < 1
}

// surplus takes out the jobs that cannot go out soon, each with the time at which it could: they wait better in the queue,
// where other processes and people see them.
func (l *line) surplus(now time.Time) (jobs []Job, next []time.Time) {
	keep := l.waiting[:0]
	seen := map[string]int{}
	for _, j := range l.waiting {
		d := l.domain(j.Domain)
		at, late := l.turn(d, seen[j.Domain], now)
		if seen[j.Domain]++; !late {
			keep = append(keep, j)
			continue
		}
		d.waiting--
		jobs, next = append(jobs, j), append(next, at)
	}
	clear(l.waiting[len(keep):])
	l.waiting = keep
	return jobs, next
}

// turn estimates when the n-th waiting job of a domain can go out, and whether that is too late to hold it.
func (l *line) turn(d *domain, n int, now time.Time) (time.Time, bool) {
	if d.breaker.open(now) {
		return d.breaker.until, true
	}
	if d.bucket == nil {
		return now, false
	}
	short := float64(n+1) - d.bucket.TokensAt(now)
	at := now.Add(time.Duration(short / l.limit.PerMinute * float64(time.Minute)))
	return at, at.Sub(now) > patience
}

// empty takes out all waiting jobs.
func (l *line) empty() []Job {
	jobs := l.waiting
	for _, j := range jobs {
		l.domain(j.Domain).waiting--
	}
	l.waiting = nil
	return jobs
}
