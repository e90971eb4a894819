package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mattn/go-sqlite3"
)

// job is one call of Write.
type job struct {
	ctx      context.Context
	actor    string
	fn       func(*Tx) error
	volatile bool
	done     chan result
}

// result of a job: an error, or the panic of its function.
type result struct {
	err      error
	panicked any
}

// queue feeds SQLite's one writer. Jobs that wait while another commits share the next transaction, each inside a savepoint:
// the disk is asked to sync once for all of them, and a job that fails takes back only its own changes.
type queue struct {
	s    *Store
	jobs chan job
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup

	conn *sql.Conn // of the run goroutine; nil when it has to be opened
}

// Limits of one shared transaction: the first job in it waits for all others.
const (
	groupJobs = 64
	groupTime = 25 * time.Millisecond
)

func newQueue(s *Store) *queue {
	q := &queue{s: s, jobs: make(chan job), stop: make(chan struct{})}
	q.wg.Go(q.run)
	return q
}

// do hands over the job and waits for its commit. A job not yet begun is given up when ctx ends; one begun is awaited.
func (q *queue) do(ctx context.Context, j job) error {
	j.done = make(chan result, 1)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-q.stop:
		return ErrClosed
	case q.jobs <- j:
	}
	r := <-j.done
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.err
}

func (q *queue) close() {
	q.once.Do(func() { close(q.stop) })
	q.wg.Wait()
}

func (q *queue) run() {
	defer q.disconnect()
	for {
		select {
		case <-q.stop:
			return
		case j := <-q.jobs:
			q.group(j)
		}
	}
}

// group runs the job, and those that have queued up behind it, in one transaction.
func (q *queue) group(first job) {
	if err := q.begin(); err != nil {
		q.refuseWaiting(first, err)
		return
	}
	started := time.Now()
	var passed []job
	for j, ok := first, true; ok; j, ok = q.next(len(passed), started) {
		r, alive := q.runJob(j)
		if r.err != nil || r.panicked != nil {
			j.done <- r
		} else {
			passed = append(passed, j)
		}
		if !alive {
			q.abandon(passed, r.err)
			return
		}
	}
	q.commit(passed)
}

// refuseWaiting answers everyone who waits with the error that kept the transaction from beginning, so that a lock held by
// another process costs each of them one wait and not a queue of waits.
func (q *queue) refuseWaiting(j job, err error) {
	j.done <- result{err: err}
	for {
		select {
		case j := <-q.jobs:
			j.done <- result{err: err}
		default:
			return
		}
	}
}

func (q *queue) next(n int, started time.Time) (job, bool) {
	if n >= groupJobs || time.Since(started) > groupTime {
		return job{}, false
	}
	select {
	case j := <-q.jobs:
		return j, true
	default:
		return job{}, false
	}
}

// runJob runs one job inside a savepoint. alive is false when SQLite has given up the whole transaction (disk full, I/O
// error), which takes back the jobs before it as well.
func (q *queue) runJob(j job) (r result, alive bool) {
	ctx := context.WithoutCancel(j.ctx) // interrupting a statement would roll back everyone's transaction
	if _, err := q.conn.ExecContext(ctx, "SAVEPOINT job"); err != nil {
		return result{err: fmt.Errorf("begin: %w", classify(err))}, false
	}
	if r = q.call(ctx, j); r.err == nil && r.panicked == nil {
		if _, err := q.conn.ExecContext(ctx, "RELEASE job"); err != nil {
			return result{err: fmt.Errorf("end: %w", classify(err))}, false
		}
		return r, true
	}
	if !q.inTransaction() {
		return r, false
	}
	_, err := q.conn.ExecContext(ctx, "ROLLBACK TO job; RELEASE job")
	return r, err == nil
}

func (q *queue) call(ctx context.Context, j job) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{panicked: p}
		}
	}()
	if err := j.ctx.Err(); err != nil {
		return result{err: err}
	}
	return result{err: q.s.newTx(ctx, q.conn, j).run()}
}

func (q *queue) begin() error {
	ctx := context.Background()
	if err := q.connect(ctx); err != nil {
		return fmt.Errorf("connect: %w", classify(err))
	}
	if _, err := q.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		if !errors.Is(classify(err), ErrBusy) {
			q.disconnect()
		}
		return fmt.Errorf("begin: %w", classify(err))
	}
	return nil
}

// connect opens the connection unless it is open. A longer write-ahead log than usual (32 MB, cut back to 64 MB after a
// burst) lets pages that change again and again be copied into the database file once.
func (q *queue) connect(ctx context.Context) error {
	if q.conn != nil {
		return nil
	}
	c, err := q.s.writers.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864"); err != nil {
		return errors.Join(err, c.Close())
	}
	q.conn = c
	return nil
}

func (q *queue) commit(passed []job) {
	if _, err := q.conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		q.abandon(passed, fmt.Errorf("commit: %w", classify(err)))
		return
	}
	q.s.stats.commits.Add(1)
	for _, j := range passed {
		if !j.volatile {
			q.s.stats.writes.Add(1)
		}
		j.done <- result{}
	}
}

// abandon ends a transaction that cannot be committed and tells those whose changes went with it.
func (q *queue) abandon(passed []job, err error) {
	if q.inTransaction() {
		if _, err := q.conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			q.disconnect()
		}
	}
	for _, j := range passed {
		j.done <- result{err: fmt.Errorf("shared transaction: %w", err)}
	}
}

// inTransaction asks SQLite, which may have rolled back by itself after an error.
func (q *queue) inTransaction() (open bool) {
	if q.conn == nil {
		return false
	}
	err := q.conn.Raw(func(c any) error {
		open = !c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return err == nil && open
}

// disconnect throws the connection away; the next transaction opens a new one.
func (q *queue) disconnect() {
	if q.conn != nil {
		_ = q.conn.Close()
		q.conn = nil
	}
}
