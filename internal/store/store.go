// Package store keeps the desk's data: all SQL is here, for SQLite and for PostgreSQL, and data changes only inside Write,
// together with the audit events that name the change.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Config of a store.
type Config struct {
	URL string           // "sqlite:path" or "postgres://user@host/database"
	Log *slog.Logger     // nil: slog.Default
	Now func() time.Time // nil: time.Now
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	Queries // outside any transaction, over connections that cannot write

	log        *slog.Logger
	clock      func() time.Time
	dialect    dialect
	writers    *sql.DB
	readers    *sql.DB
	gorm       *gorm.DB
	byType     map[reflect.Type]*table
	tables     []*table
	insertions map[string]*insertion // by table name
	queue      *queue                // SQLite only
	ready      atomic.Bool
	closed     atomic.Bool
	stats      stats
}

// conn is one connection or transaction, whichever of the two pools it came from.
type conn = gorm.ConnPool

// Open connects and checks the schema. It refuses a schema that is newer than this program (ErrSchemaNew). With an older or
// empty one it succeeds, and every query and Write answers ErrSchemaOld until Migrate has run.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{log: cfg.Log, clock: cfg.Now}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.Queries.open = s.read
	if err := s.connect(ctx, cfg.URL); err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(classify(err), s.closePools()))
	}
	if err := s.checkSchema(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(classify(err), s.closePools()))
	}
	if s.dialect == sqlite {
		s.queue = newQueue(s)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, target string) (err error) {
	if s.byType, s.tables, err = loadTables(); err != nil {
		return err
	}
	if s.dialect, s.writers, s.readers, err = openPools(target); err != nil {
		return err
	}
	s.insertions = insertions(s.dialect, s.tables)
	if err = s.writers.PingContext(ctx); err != nil { // first the writer: it makes a new SQLite file
		return err
	}
	s.gorm, err = gorm.Open(s.dialect.gorm(s.readers), &gorm.Config{
		NamingStrategy: naming, SkipDefaultTransaction: true, TranslateError: true, DisableAutomaticPing: true,
		Logger: logger.Discard, // its log would show data
	})
	if err != nil {
		return err
	}
	return refuseWrites(s.gorm)
}

// refuseWrites makes gorm reject every create, update, delete and Exec: changes go through Tx, which keeps the record.
func refuseWrites(db *gorm.DB) error {
	refuse := func(tx *gorm.DB) { _ = tx.AddError(fmt.Errorf("%w: write outside store.Write", ErrUnrecorded)) }
	return errors.Join(
		db.Callback().Create().Before("*").Register("postdesk:refuse", refuse),
		db.Callback().Update().Before("*").Register("postdesk:refuse", refuse),
		db.Callback().Delete().Before("*").Register("postdesk:refuse", refuse),
		db.Callback().Raw().Before("*").Register("postdesk:refuse", refuse),
	)
}

// read is where the queries of the store itself come from.
func (s *Store) read(ctx context.Context) (*gorm.DB, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.gorm.WithContext(ctx), nil
}

func (s *Store) usable() error {
	if s.closed.Load() {
		return ErrClosed
	}
	if !s.ready.Load() {
		return ErrSchemaOld
	}
	return nil
}

// Close waits for the transactions in hand and disconnects. Later calls answer ErrClosed.
func (s *Store) Close() error {
	s.closed.Store(true)
	if s.queue != nil {
		s.queue.close()
	}
	return s.closePools()
}

func (s *Store) closePools() error {
	var errs []error
	for _, pool := range []*sql.DB{s.readers, s.writers} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// now is the store's clock: UTC, whole microseconds.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

type stats struct{ writes, commits atomic.Int64 }

// Stats counts since Open: calls of Write that were committed, and the transactions they took (fewer on SQLite, where
// concurrent calls share one).
type Stats struct{ Writes, Commits int64 }

// Stats returns the counters.
func (s *Store) Stats() Stats {
	return Stats{Writes: s.stats.writes.Load(), Commits: s.stats.commits.Load()}
}
