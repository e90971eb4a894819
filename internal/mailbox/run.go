package mailbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

var errLeaseLost = errors.New("another process holds the lease of this mailbox")

// grace is how long a batch that is being committed may take after the process was told to stop.
const grace = 10 * time.Second

// Run watches the folder until ctx ends and the batch in hand is safe; it returns nil then, and never stops by itself:
// after every error it waits, from a second up to a quarter of an hour, and tries again. Only one Run per mailbox works at
// a time, however many processes there are; the others stand by for the lease.
func (p *Poller) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		asked := time.Now()
		fence, ok, err := p.ledger.Lease(ctx, p.cfg.Name, p.cfg.Owner, p.cfg.Lease)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("lease of mailbox", "err", err)
		}
		if err == nil && ok {
			p.hold(ctx, fence, asked)
		}
		sleep(ctx, jitter(p.cfg.Lease/3))
	}
	return nil
}

// hold works while the lease lasts.
func (p *Poller) hold(ctx context.Context, fence int64, asked time.Time) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work, stop := p.shelter(ctx)
	defer stop()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		cancel(p.keepLease(work, fence, asked))
	}()
	p.log.Info("watching mailbox", "folder", p.cfg.Folder, "fence", fence)
	p.memory = memory{noID: p.noID}
	p.sessions(ctx, work, fence)
	lost := errors.Is(context.Cause(ctx), errLeaseLost)
	if !lost {
		p.health(work, StateStopped, nil)
	}
	stop()
	<-kept
	if !lost {
		p.ledger.Lease(context.WithoutCancel(ctx), p.cfg.Name, p.cfg.Owner, 0)
	}
}

// shelter returns a context for the work that must not be torn in the middle: it ends at once with the lease, and some
// time after ctx ends for another reason.
func (p *Poller) shelter(ctx context.Context) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, errLeaseLost) {
			cancel(cause)
			return
		}
		late := time.AfterFunc(grace, func() { cancel(cause) })
		context.AfterFunc(work, func() { late.Stop() })
	})
	return work, func() {
		unhook()
		cancel(context.Canceled)
	}
}

// keepLease renews the lease until work ends, and returns errLeaseLost when it was lost, or could not be renewed in time.
func (p *Poller) keepLease(work context.Context, fence int64, since time.Time) error {
	for {
		if sleep(work, p.cfg.Lease/3); work.Err() != nil {
			return nil
		}
		asked := time.Now()
		again, ok, err := p.renew(work)
		switch {
		case work.Err() != nil:
			return nil
		case err == nil && ok && again == fence:
			since = asked
		case err == nil:
			p.log.Warn("lease of mailbox lost", "fence", fence)
			return errLeaseLost
		case time.Since(since) > p.cfg.Lease*2/3:
			p.log.Warn("lease of mailbox could not be renewed", "fence", fence, "err", err)
			return errLeaseLost
		}
	}
}

// renew does not wait for a ledger longer than the lease allows.
func (p *Poller) renew(work context.Context) (fence int64, ok bool, err error) {
	ctx, cancel := context.WithTimeout(work, p.cfg.Lease/3)
	defer cancel()
	return p.ledger.Lease(ctx, p.cfg.Name, p.cfg.Owner, p.cfg.Lease)
}

// sessions connects again and again until ctx ends.
func (p *Poller) sessions(ctx, work context.Context, fence int64) {
	failures := 0
	p.health(work, StateStarting, nil)
	for ctx.Err() == nil {
		s, err := p.session(ctx, work, fence)
		if ctx.Err() != nil {
			return
		}
		if failures++; s.progress {
			failures = 1
		}
		state, delay := backoff(err, failures)
		if s.complete { // a server that hangs up after each look is still looked at in time
			delay = min(delay, p.cfg.Poll)
		}
		p.log.Warn("mailbox will be tried again", "state", state, "in", delay.String(), "err", err)
		p.health(work, state, err)
		sleep(ctx, delay)
	}
}

// session is the life of one connection. The session returned is closed; it tells what the connection was good for.
func (p *Poller) session(ctx, work context.Context, fence int64) (s *session, err error) {
	s, err = p.connect(ctx)
	if err != nil {
		return &session{}, err
	}
	defer s.close()
	s.fence, s.work = fence, work
	err = s.watch(ctx)
	if late := s.abandon(ctx); late != nil && err == nil {
		err = late
	}
	if ctx.Err() != nil && err == ctx.Err() {
		s.logout(work)
	}
	return s, err
}

// watch reads what is there and waits for more, until the connection or ctx ends.
func (s *session) watch(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.alive(ctx, StateConnected)
	for {
		if err := s.round(ctx); err != nil {
			return err
		}
		if !s.complete {
			s.complete = true
			if err := s.markLeftOver(ctx); err != nil {
				return err
			}
		}
		s.alive(ctx, StateIdle)
		if err := s.wait(ctx); err != nil {
			return err
		}
		s.progress = true // it lasted
	}
}

// alive records a success.
func (s *session) alive(ctx context.Context, state string) {
	s.spoken = time.Now()
	s.health(ctx, state, nil)
}

func (p *Poller) health(ctx context.Context, state string, cause error) {
	if cause != nil {
		cause = errors.New(words(cause))
	}
	if err := p.ledger.Health(ctx, p.cfg.Name, state, cause); err != nil && ctx.Err() == nil {
		p.log.Warn("state of mailbox not recorded", "state", state, "err", err)
	}
}

// words are the text of an error that quotes a server: valid UTF-8 without control characters, at most 500 octets, so that
// every database takes it.
func words(err error) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "?"))
	return strings.ToValidUTF8(text[:min(len(text), 500)], "")
}

// backoff says what state an error means and how long to wait after n failures in a row: doubling from one second, from
// half a minute after a refused log-in because servers lock accounts out, up to a quarter of an hour; a receiver that
// cannot commit is asked again within a minute.
func backoff(err error, n int) (state string, delay time.Duration) {
	state, first, most := StateBackoff, time.Second, 15*time.Minute
	var no refused
	var un undelivered
	switch {
	case errors.As(err, &no):
		state, first = StateAuthFailed, 30*time.Second
	case errors.As(err, &un):
		most = time.Minute
	}
	return state, jitter(min(first<<min(n-1, 20), most))
}

// jitter returns between three quarters and the whole of d.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/4+1) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
