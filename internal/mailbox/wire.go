package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

var (
	errFlood = errors.New("the server sent more than it was asked for")
	errOver  = errors.New("the exchange took too long")
)

// wire is the connection under TLS and IMAP. It gives what the IMAP library lacks: a limit of silence, of time and of
// octets for every exchange, and a close that never blocks.
type wire struct {
	net.Conn

	mu    sync.Mutex
	last  time.Time // when octets last arrived
	left  int64     // octets that may still arrive in this exchange
	round int       // which exchange
	cause error     // why we closed the connection; the first reason stays
	ended error     // what the network said last, if it said anything
}

func newWire(c net.Conn) *wire { return &wire{Conn: c, last: time.Now(), left: idleOctets} }

// Octets that may arrive in one exchange that asks for no bodies, and while idle.
const (
	talkOctets = 4 << 20
	idleOctets = 16 << 20
)

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 {
		w.last = time.Now()
	}
	if err != nil {
		w.ended = err
	}
	if w.left -= int64(n); w.left < 0 {
		w.cut(errFlood)
		return n, errFlood
	}
	return n, err
}

// cut closes the connection for a reason. The caller holds mu.
func (w *wire) cut(cause error) {
	if w.cause == nil {
		w.cause = cause
	}
	w.Conn.Close()
}

func (w *wire) kill(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut(cause)
}

// sound reports that neither the network nor we ended the connection. If it is closed all the same, the library did it, over
// an answer that it could not parse.
func (w *wire) sound() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause == nil && w.ended == nil
}

// limits of one exchange.
type limits struct {
	silence time.Duration // 0: no limit
	total   time.Duration
	octets  int64
}

// exchange runs fn under limits: when one is passed, or ctx ends, the connection is closed, which ends fn. The error tells
// the reason rather than "use of closed connection".
func (w *wire) exchange(ctx context.Context, l limits, what string, fn func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.total, errOver)
	defer cancel()
	defer context.AfterFunc(ctx, func() { w.kill(context.Cause(ctx)) })()
	defer w.watch(l)()

	err := fn()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.round++
	if err != nil && w.cause != nil {
		err = w.cause
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// watch starts a new round of limits and closes the connection after too long a silence.
func (w *wire) watch(l limits) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.left = time.Now(), l.octets
	if l.silence == 0 {
		return func() {}
	}
	round := w.round
	var timer *time.Timer
	timer = time.AfterFunc(l.silence, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.round != round {
			return
		}
		rest := l.silence - time.Since(w.last)
		if rest > 0 {
			timer.Reset(rest)
			return
		}
		w.cut(fmt.Errorf("the server was silent for %s", l.silence))
	})
	return func() { timer.Stop() }
}
