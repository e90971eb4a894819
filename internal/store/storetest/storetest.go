// Package storetest gives tests a fresh, migrated store on each database the program supports.
package storetest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"postdesk/internal/store"
)

// Each runs fn as a subtest on a fresh SQLite file and on a fresh PostgreSQL schema.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { fn(t, OpenURL(t, url)) })
}

// EachURL is Each for tests that open the store themselves: fn gets the URL of an empty database.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, PostgresURL(t)) })
}

// Open returns a fresh store on SQLite, closed at the end of the test.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenURL(t, SQLiteURL(t))
}

// OpenURL opens and migrates the database at the URL and closes it at the end of the test.
func OpenURL(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate store: %v", err)
	}
	return s
}

// SQLiteURL returns the URL of a file that does not exist yet, in a directory removed at the end of the test.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "postdesk.db")
}
