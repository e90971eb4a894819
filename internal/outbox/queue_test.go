package outbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"postdesk/internal/ticket"
)

// queue is a Queue in memory that fails the test on every step the contract does not allow.
type queue struct {
	t testing.TB

	mu      sync.Mutex
	rows    []*row
	changed chan struct{}         // closed and renewed at every change
	wanted  func(id int64) bool   // asked by Start; nil: always
	broken  func(op string) error // a failing database; nil: never
	claims  int
}

type row struct {
	job     Job
	state   ticket.DeliveryState
	owner   string
	until   time.Time
	fence   int64
	next    time.Time
	started int // times that Start said yes
	trace   []ticket.DeliveryState
	result  Result
}

func newQueue(t testing.TB) *queue { return &queue{t: t, changed: make(chan struct{})} }

// put queues one delivery, filling in what a test does not care about.
func (q *queue) put(j Job) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.ID == 0 {
		j.ID = int64(len(q.rows) + 1)
	}
	if j.Ticket == 0 {
		j.Ticket = j.ID
	}
	if j.Class == "" {
		j.Class = ticket.ClassAck
	}
	if j.To == "" {
		j.To = fmt.Sprintf("kunde%d@example.com", j.ID)
	}
	if j.Domain == "" {
		j.Domain = domainOf(j.To)
	}
	if j.MailFrom == "" {
		j.MailFrom = "support@desk.test"
	} else if j.MailFrom == "<>" {
		j.MailFrom = ""
	}
	if j.Raw == nil {
		j.Raw = fmt.Appendf(nil, "Subject: %d\r\n\r\n.hello\r\n", j.ID)
	}
	if j.CreatedAt.IsZero() {
		j.CreatedAt = time.Now()
	}
	q.rows = append(q.rows, &row{job: j, state: ticket.Queued, next: time.Now(), trace: []ticket.DeliveryState{ticket.Queued}})
	return j.ID
}

func (q *queue) fail(ctx context.Context, op string) error {
	if q.broken == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return q.broken(op)
}

var legal = map[ticket.DeliveryState][]ticket.DeliveryState{
	ticket.Queued:   {ticket.Leased},
	ticket.Deferred: {ticket.Leased},
	ticket.Leased:   {ticket.Queued, ticket.Sending, ticket.Deferred, ticket.Failed, ticket.Cancelled},
	ticket.Sending:  {ticket.Accepted, ticket.Deferred, ticket.Failed, ticket.Uncertain},
	// only by the late result of the very claim that Recover gave up
	ticket.Uncertain: {ticket.Accepted, ticket.Deferred, ticket.Failed, ticket.Uncertain},
}

// move changes the state. The lock is held.
func (q *queue) move(r *row, to ticket.DeliveryState) {
	if !slices.Contains(legal[r.state], to) {
		q.t.Errorf("delivery %d: %s -> %s is not a step (%v)", r.job.ID, r.state, to, r.trace)
	}
	r.state = to
	r.trace = append(r.trace, to)
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) Recover(ctx context.Context, owner string, all bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.fail(ctx, "recover"); err != nil {
		return err
	}
	for _, r := range q.rows {
		if !all && time.Now().Before(r.until) {
			continue
		}
		switch r.state {
		case ticket.Leased:
			q.move(r, ticket.Queued)
		case ticket.Sending:
			q.move(r, ticket.Uncertain)
		}
	}
	return nil
}

func (q *queue) Claim(ctx context.Context, owner string, max int, lease time.Duration, skip []string) ([]Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims++
	if err := q.fail(ctx, "claim"); err != nil {
		return nil, err
	}
	busy := map[int64]bool{}
	for _, r := range q.rows {
		if r.state == ticket.Leased || r.state == ticket.Sending {
			busy[r.job.Ticket] = true
		}
	}
	now := time.Now()
	due := slices.DeleteFunc(slices.Clone(q.rows), func(r *row) bool {
		return r.state != ticket.Queued && r.state != ticket.Deferred || r.next.After(now)
	})
	slices.SortStableFunc(due, func(a, b *row) int { return a.next.Compare(b.next) })
	var jobs []Job
	for _, r := range due {
		if len(jobs) == max || busy[r.job.Ticket] || slices.Contains(skip, r.job.Domain) {
			continue
		}
		busy[r.job.Ticket] = true
		r.fence++
		r.owner, r.until = owner, now.Add(lease)
		q.move(r, ticket.Leased)
		j := r.job
		j.Fence = r.fence
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func (q *queue) row(id int64) *row {
	i := slices.IndexFunc(q.rows, func(r *row) bool { return r.job.ID == id })
	return q.rows[i]
}

func (q *queue) Start(ctx context.Context, job Job) (bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.fail(ctx, "start"); err != nil {
		return false, err
	}
	r := q.row(job.ID)
	if r.fence != job.Fence || r.state != ticket.Leased {
		return false, ErrStale
	}
	if q.wanted != nil && !q.wanted(job.ID) {
		q.move(r, ticket.Cancelled)
		return false, nil
	}
	q.move(r, ticket.Sending)
	r.started++
	r.job.Attempts = job.Attempts + 1
	return true, nil
}

func (q *queue) Finish(ctx context.Context, job Job, res Result) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.fail(ctx, "finish"); err != nil {
		return err
	}
	r := q.row(job.ID)
	if r.fence != job.Fence || r.state == ticket.Queued {
		return ErrStale
	}
	if (res.State == ticket.Deferred || res.State == ticket.Queued) == res.Next.IsZero() {
		q.t.Errorf("delivery %d: %s with next attempt at %v", job.ID, res.State, res.Next)
	}
	r.result, r.next, r.job.Attempts = res, res.Next, res.Attempts
	q.move(r, res.State)
	return nil
}

func (q *queue) Renew(ctx context.Context, owner string, lease time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.fail(ctx, "renew"); err != nil {
		return err
	}
	for _, r := range q.rows {
		if r.owner == owner && (r.state == ticket.Leased || r.state == ticket.Sending) {
			r.until = time.Now().Add(lease)
		}
	}
	return nil
}

// get returns a copy of a delivery as it stands.
func (q *queue) get(id int64) row {
	q.mu.Lock()
	defer q.mu.Unlock()
	return *q.row(id)
}

// await waits until every delivery satisfies ok, and fails the test after a while.
func (q *queue) await(what string, ok func(r row) bool) {
	q.t.Helper()
	late := time.After(20 * time.Second)
	for {
		q.mu.Lock()
		changed, all := q.changed, true
		for _, r := range q.rows {
			all = all && ok(*r)
		}
		q.mu.Unlock()
		if all {
			return
		}
		select {
		case <-changed:
		case <-late:
			q.mu.Lock()
			for _, r := range q.rows {
				if !ok(*r) {
					q.t.Errorf("delivery %d is %s %q after %v", r.job.ID, r.state, r.result.Response, r.trace)
				}
			}
			q.mu.Unlock()
			q.t.Fatalf("not reached: %s", what)
		}
	}
}

func (q *queue) awaitState(s ticket.DeliveryState) {
	q.t.Helper()
	q.await("all "+string(s), func(r row) bool { return r.state == s })
}
