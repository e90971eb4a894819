package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"postdesk/internal/ticket"
)

// run is the part of a Worker that lives as long as Run. One goroutine, loop, decides; dialogues, claims and results have
// goroutines of their own.
type run struct {
	*Worker
	soft     context.Context // ends with the stop
	hard     context.Context // ends when the grace is over: connections are cut
	last     context.Context // ends a little later: nothing more is recorded
	outcomes chan outcome
	claims   chan claim

	work     sync.WaitGroup // goroutines that record results
	asked    int            // claims
	claiming bool
	more     bool          // there may be due deliveries that we have not claimed
	penalty  time.Duration // after failed claims
	notUntil time.Time     // no claim before
}

// outcome is the end of a dialogue, or of a probe when there was no job.
type outcome struct {
	job     Job
	probe   bool
	session *session // for the next one; nil: none
	verdict verdict
	reason  string // for people who see the status
	brief   string // for the log: without the server's words, which may name somebody
	told    bool   // false: the server was not asked or did not matter
}

// claim is what a claim brought.
type claim struct {
	jobs []Job
	full bool // as many as were asked for
	err  error
}

func (r *run) loop(ctx context.Context) {
	poll := time.NewTicker(r.cfg.Poll)
	defer poll.Stop()
	r.more = true
	for ctx.Err() == nil {
		r.launch()
		r.claim()
		select {
		case <-ctx.Done():
		case <-r.wake:
			r.more = true
		case <-poll.C:
			r.more = true
			r.tidy()
		case c := <-r.claims:
			r.claimed(c)
		case o := <-r.outcomes:
			r.settle(o)
		}
	}
}

// launch starts as many dialogues as there are free connections and jobs that may go out; or a probe, when the transport
// had failed and its pause is over, so that no mail is touched before the server is known to be back.
func (r *run) launch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.link.open(now) || r.service.open(now) {
		return
	}
	if r.link.trying() {
		if r.active == 0 {
			r.active++
			go r.probe()
		}
		return
	}
	for r.active < r.width() {
		job, ok := r.line.next(now)
		if !ok {
			return
		}
		r.active++
		go r.deliver(job, r.takeIdle())
	}
}

// width is the number of connections that may be used now. The lock is held.
func (r *run) width() int {
	if r.service.trying() {
		return 1
	}
	return r.cfg.Workers
}

// takeIdle takes the session used last, so that the others become idle long enough to be closed. The lock is held.
func (r *run) takeIdle() *session {
	if len(r.idle) == 0 {
		return nil
	}
	s := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return s
}

// claim asks the queue for more if there may be more and connections could run dry. Every claim has an owner's name of its
// own: one that was committed although it reported an error took jobs that nobody here knows, and renewing the leases of
// other claims must not hold these for ever.
func (r *run) claim() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	batch := 8 * r.cfg.Workers
	if r.claiming || !r.more || now.Before(r.notUntil) || r.link.trying() || r.service.open(now) ||
		r.line.ready(now) >= r.width() || len(r.held) >= 16*batch {
		return
	}
	if r.service.trying() {
		batch = 1
	}
	r.claiming, r.more = true, false
	r.asked++
	owner, skip := fmt.Sprintf("%s/%d", r.cfg.Owner, r.asked), r.line.full(now)
	go func() {
		jobs, err := r.queue.Claim(r.last, owner, batch, r.cfg.Lease, skip)
		r.mu.Lock()
		for _, j := range jobs {
			r.held[lease{j.ID, j.Fence}] = owner
		}
		r.mu.Unlock()
		r.claims <- claim{jobs, len(jobs) >= batch, err}
	}()
}

func (r *run) claimed(c claim) {
	r.claiming = false
	if c.err != nil {
		r.claimFailed(c.err)
		return
	}
	r.penalty, r.more = 0, r.more || c.full
	r.mu.Lock()
	for i := range c.jobs {
		if c.jobs[i].Domain == "" {
			c.jobs[i].Domain = domainOf(c.jobs[i].To)
		}
	}
	r.line.add(c.jobs)
	r.mu.Unlock()
	r.giveBackSurplus()
}

func (r *run) claimFailed(err error) {
	r.log.Error("outbox: claim deliveries", "err", err)
	r.penalty = min(max(2*r.penalty, 200*time.Millisecond), 10*time.Second)
	r.notUntil, r.more = time.Now().Add(r.penalty), true
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// giveBackSurplus returns claimed jobs whose turn is far away.
func (r *run) giveBackSurplus() {
	r.mu.Lock()
	jobs, next := r.line.surplus(time.Now())
	r.mu.Unlock()
	for i, j := range jobs {
		r.record(j, Result{State: ticket.Queued, Attempts: j.Attempts, Next: next[i], Response: "waits for its domain"})
	}
}

// giveBackAll returns every claimed job that has not begun.
func (r *run) giveBackAll(next time.Time, why string) {
	r.mu.Lock()
	jobs := r.line.empty()
	r.mu.Unlock()
	for _, j := range jobs {
		r.record(j, Result{State: ticket.Queued, Attempts: j.Attempts, Next: next, Response: why})
	}
}

// tidy closes connections that nobody needed for a while.
func (r *run) tidy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.line.prune(now)
	keep := r.idle[:0]
	for _, s := range r.idle {
		if now.Sub(s.idle) >= r.cfg.Idle {
			r.work.Go(s.quit)
			continue
		}
		keep = append(keep, s)
	}
	r.idle = keep
}

// drain waits for the dialogues, the claim and the results that are under way.
func (r *run) drain() {
	if r.claiming {
		r.claimed(<-r.claims)
	}
	r.giveBackAll(time.Now(), "the service stopped")
	for r.busy() {
		r.settle(<-r.outcomes)
	}
	r.mu.Lock()
	r.hangUp()
	r.mu.Unlock()
	r.work.Wait()
}

// hangUp closes all unused connections. The lock is held.
func (r *run) hangUp() {
	for _, s := range r.idle {
		r.work.Go(s.quit)
	}
	r.idle = nil
}

func (r *run) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active > 0
}

// record writes a result, again and again until it is written: for some of them this process is the only one who knows.
func (r *run) record(job Job, result Result) {
	r.work.Go(func() {
		defer r.release(job)
		for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			err := r.queue.Finish(r.last, job, result)
			switch {
			case err == nil:
				return
			case errors.Is(err, ErrStale):
				r.log.Warn("outbox: result came too late", "delivery", job.ID, "state", result.State)
				return
			}
			r.log.Error("outbox: record result", "delivery", job.ID, "state", result.State, "err", err)
			if !pause(r.last, wait) {
				return
			}
		}
	})
}

func (r *run) release(job Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, lease{job.ID, job.Fence})
	if len(r.line.waiting) == 0 { // the ticket or the domain of this job may have been what held others back
		r.Wake()
	}
}
