package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Worker sends what its Queue gives it. Make it with New.
type Worker struct {
	cfg   Config
	queue Queue
	log   *slog.Logger
	wake  chan struct{}

	mu      sync.Mutex // guards what follows; never held over input or output
	line    *line
	link    breaker // can there be a session
	service breaker // does the server treat messages as it should
	idle    []*session
	active  int              // dialogues and probes under way
	held    map[lease]string // claimed jobs without a recorded end, and the owner of each
}

type lease struct{ id, fence int64 }

// New checks the configuration and makes a worker that does nothing until Run.
func New(cfg Config, queue Queue, log *slog.Logger) (*Worker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Worker{cfg: cfg, queue: queue, log: log, wake: make(chan struct{}, 1),
		line: newLine(cfg.PerDomain), held: map[lease]string{}}, nil
}

// Wake tells the worker that deliveries may have become due. It never blocks and may be called at any time.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. Then it claims nothing more, gives unbegun jobs back, finishes the dialogues in hand for at
// most Config.Grace, and returns nil when every result is recorded or the grace is over; what could not be recorded is
// found by Recover. Run is called once.
func (w *Worker) Run(ctx context.Context) error {
	hard, cut := outlive(ctx, w.cfg.Grace)
	defer cut()
	last, end := outlive(ctx, w.cfg.Grace+lastWrites)
	defer end()
	if !w.recoverFirst(ctx) {
		return nil
	}
	r := &run{Worker: w, soft: ctx, hard: hard, last: last, outcomes: make(chan outcome), claims: make(chan claim)}
	beating := make(chan struct{})
	heart, silence := context.WithCancel(last)
	go func() { defer close(beating); w.beat(heart) }()
	r.loop(ctx)
	r.drain()
	silence()
	<-beating
	return nil
}

// lastWrites is the time to record results after the connections were cut.
const lastWrites = 5 * time.Second

// outlive returns a context that ends d after ctx, or when it is cancelled.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(d, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, cancel
}

// recoverFirst ends the leases of an earlier life before anything is claimed.
func (w *Worker) recoverFirst(ctx context.Context) bool {
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 10*time.Second) {
		err := w.queue.Recover(ctx, w.cfg.Owner, w.cfg.Sole)
		if err == nil {
			return true
		}
		w.log.Error("outbox: recover leases", "err", err)
		pause(ctx, wait)
	}
	return false
}

// beat renews the leases in hand and ends those of others that ran out.
func (w *Worker) beat(ctx context.Context) {
	for n := 1; pause(ctx, w.cfg.Lease/3); n++ {
		for _, owner := range w.owners() {
			if err := w.queue.Renew(ctx, owner, w.cfg.Lease); err != nil && ctx.Err() == nil {
				w.log.Error("outbox: renew leases", "err", err)
			}
		}
		if n%3 != 0 {
			continue
		}
		if err := w.queue.Recover(ctx, w.cfg.Owner, false); err != nil && ctx.Err() == nil {
			w.log.Error("outbox: recover leases", "err", err)
		}
	}
}

// owners lists the names under which jobs are held.
func (w *Worker) owners() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	var list []string
	for _, o := range w.held {
		if !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
	}
	return list
}

// pause waits and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
