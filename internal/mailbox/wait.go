package mailbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/emersion/go-imap/v2"
)

// wait returns when the server speaks of new mail, or when it is time to look anyway. An IDLE lasts at most 5 to 9
// minutes, because middle boxes forget connections sooner than the half hour of RFC 2177.
func (s *session) wait(ctx context.Context) error {
	for {
		select {
		case <-s.news:
			return nil
		default:
		}
		length := min(s.cfg.Poll, 5*time.Minute+rand.N(4*time.Minute))
		if s.noIdle || !s.caps.Has(imap.CapIdle) {
			return s.doze(ctx, length)
		}
		begun := time.Now()
		err := s.idle(ctx, length)
		var answer *imap.Error
		if errors.As(err, &answer) {
			s.noIdle = true
			continue
		}
		s.judgeIdle(ctx, err, time.Since(begun))
		return err
	}
}

// judgeIdle does without IDLE after connections that ended twice in a row as soon as it was begun.
func (s *session) judgeIdle(ctx context.Context, err error, lasted time.Duration) {
	if err == nil || ctx.Err() != nil || lasted > 5*time.Second {
		s.torn = 0
		return
	}
	s.torn++
	s.noIdle = s.torn >= 2
}

var errHungUp = errors.New("the server closed the connection")

// hungUp reports that the connection ended while nothing was asked.
func (s *session) hungUp() bool {
	select {
	case <-s.client.Closed():
		return true
	default:
		return false
	}
}

// doze waits without IDLE, then asks: the answer to NOOP carries the news, and its absence tells of a dead connection.
func (s *session) doze(ctx context.Context, length time.Duration) error {
	s.pause(ctx, length)
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.hungUp() {
		return errHungUp
	}
	return s.talk(ctx, "noop", func() error { return s.client.Noop().Wait() })
}

func (s *session) pause(ctx context.Context, length time.Duration) {
	defer s.wire.watch(limits{octets: idleOctets})()
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.news:
	case <-s.client.Closed():
	}
}

func (s *session) idle(ctx context.Context, length time.Duration) error {
	var stop func() error
	err := s.talk(ctx, "idle", func() error {
		command, err := s.client.Idle()
		if err != nil {
			return err
		}
		stop = func() error {
			if err := command.Close(); err != nil {
				return err
			}
			return command.Wait()
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.pause(ctx, length)
	if s.hungUp() {
		stop()
		return errHungUp
	}
	// A context that is over would close the connection under DONE; the answer may take a moment.
	if err := s.talk(context.WithoutCancel(ctx), "end of idle", stop); err != nil {
		return err
	}
	return ctx.Err()
}
