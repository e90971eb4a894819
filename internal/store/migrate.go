package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// migration is one numbered step. Once released, its file is never edited: databases remember its checksum.
type migration struct {
	version  int
	name     string
	sql      string
	checksum string
}

func (d dialect) migrations() ([]migration, error) {
	files, err := fs.Glob(migrationFiles, path.Join("migrations", string(d), "*.sql")) // sorted by name
	if err != nil {
		return nil, err
	}
	list := make([]migration, 0, len(files))
	for i, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(path.Base(file), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s is out of order", path.Base(file))
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{version, path.Base(file), string(text), hex.EncodeToString(sum[:])})
	}
	return list, nil
}

// checkSchema compares the database with the migrations built into this program.
func (s *Store) checkSchema(ctx context.Context) error {
	known, err := s.dialect.migrations()
	if err != nil {
		return err
	}
	have, err := s.schemaVersion(ctx, s.writers, known)
	if err != nil {
		return err
	}
	s.ready.Store(have == len(known))
	return nil
}

// schemaVersion returns the last applied migration, 0 for an empty database.
func (s *Store) schemaVersion(ctx context.Context, c conn, known []migration) (int, error) {
	exists, err := s.dialect.hasTable(ctx, c, "schema_migration")
	if err != nil || !exists {
		return 0, err
	}
	rows, err := c.QueryContext(ctx, "SELECT version, checksum FROM schema_migration ORDER BY version")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	version := 0
	for rows.Next() {
		var checksum string
		if err := rows.Scan(&version, &checksum); err != nil {
			return 0, err
		}
		if version > len(known) {
			return 0, fmt.Errorf("%w: it has version %d or later, this program knows %d", ErrSchemaNew, version, len(known))
		}
		if checksum != known[version-1].checksum {
			return 0, fmt.Errorf("migration %s was applied with other contents than this program has", known[version-1].name)
		}
	}
	return version, rows.Err()
}

// Migrate brings the schema up to date in one transaction and returns the versions before and after. Several processes may
// call it at once. It refuses a schema newer than this program with ErrSchemaNew.
func (s *Store) Migrate(ctx context.Context) (from, to int, err error) {
	known, err := s.dialect.migrations()
	if err != nil {
		return 0, 0, err
	}
	tx, err := s.writers.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate: %w", classify(err))
	}
	if from, err = s.applyMigrations(ctx, tx, known); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return from, from, fmt.Errorf("migrate: %w", errors.Join(classify(err), ignoreDone(tx.Rollback())))
	}
	s.ready.Store(true)
	return from, len(known), nil
}

func (s *Store) applyMigrations(ctx context.Context, tx conn, known []migration) (from int, err error) {
	if err := s.dialect.lockSchema(ctx, tx); err != nil {
		return 0, err
	}
	if from, err = s.schemaVersion(ctx, tx, known); err != nil {
		return 0, err
	}
	for _, m := range known[from:] {
		if _, err := tx.ExecContext(ctx, m.sql); err != nil {
			return from, fmt.Errorf("%s: %w", m.name, err)
		}
		query := s.dialect.bind("INSERT INTO schema_migration (version, name, checksum, at) VALUES (?, ?, ?, ?)")
		if _, err := tx.ExecContext(ctx, query, m.version, m.name, m.checksum, toMicros(s.now())); err != nil {
			return from, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return from, nil
}
