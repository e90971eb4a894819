package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"postdesk/internal/ticket"
)

// Write runs fn in one transaction and returns after the commit: nil means that everything fn did is durable, an error that
// nothing of it happened (but see below). actor is who acts, in the audit record.
//
// fn must do all its reading and writing through tx, must not call Write, must do no network traffic, and must not keep tx.
// On PostgreSQL fn runs again, from the start, when another transaction came first; so it must not count on what an earlier
// run left in its variables. ctx is looked at before fn and at each query; a commit once begun is awaited.
//
// Errors: those of fn, ErrUnrecorded when a row was changed that no later Record names, ticket.ErrConflict for a key that
// exists already, ticket.ErrInvalid for a reference to a row that does not, ErrFull, ErrBusy, ErrSchemaOld, ErrClosed. When
// a connection to PostgreSQL dies during the commit its outcome is unknown, and the error says so.
func (s *Store) Write(ctx context.Context, actor string, fn func(tx *Tx) error) error {
	return s.transact(ctx, job{actor: actor, fn: fn})
}

// touch is Write for volatile columns and for the sealer's own tables, which need no event.
func (s *Store) touch(ctx context.Context, fn func(tx *Tx) error) error {
	return s.transact(ctx, job{fn: fn, volatile: true})
}

func (s *Store) transact(ctx context.Context, j job) error {
	if err := s.usable(); err != nil {
		return err
	}
	j.ctx = ctx
	if s.dialect == sqlite {
		return s.queue.do(ctx, j)
	}
	return s.transactPostgres(ctx, j)
}

// attempts of one transaction that others keep overtaking.
const attempts = 12

func (s *Store) transactPostgres(ctx context.Context, j job) (err error) {
	for n := range attempts {
		if n > 0 {
			if err := pause(ctx, n); err != nil {
				return err
			}
		}
		if err = s.tryPostgres(ctx, j); !overtaken(err) {
			break
		}
		if n >= 2 && errors.Is(err, ticket.ErrConflict) && isDuplicate(err) {
			break // not a race: the key is really taken
		}
	}
	return err
}

// pause lets the other transaction finish first: a few milliseconds, more each time, never the same.
func pause(ctx context.Context, n int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(time.Duration(n) * 4 * time.Millisecond)):
		return nil
	}
}

func (s *Store) tryPostgres(ctx context.Context, j job) error {
	pgtx, err := s.writers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("begin: %w", classify(err))
	}
	defer pgtx.Rollback() // after a panic of fn; does nothing after Commit
	if err := s.newTx(ctx, pgtx, j).run(); err != nil {
		return err
	}
	if err := pgtx.Commit(); err != nil {
		return fmt.Errorf("commit, outcome unknown if the connection was lost: %w", classify(err))
	}
	s.stats.commits.Add(1)
	if !j.volatile {
		s.stats.writes.Add(1)
	}
	return nil
}

// ignoreDone drops the complaint of a rollback that had nothing left to roll back.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
