package store_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"postdesk/internal/store"
)

// behind opens the database behind the store's back, on one connection.
func behind(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite3", "file:"+path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// tamper runs statements as someone would who owns the database: past triggers and foreign keys, leaving no trace of that.
func tamper(t testing.TB, url string, statements ...string) {
	t.Helper()
	db := behind(t, url)
	restore := []string{"SET session_replication_role = DEFAULT"}
	if strings.HasPrefix(url, "sqlite:") {
		restore = dropTriggers(t, db)
	} else {
		exec(t, db, "SET session_replication_role = replica")
	}
	exec(t, db, statements...)
	exec(t, db, restore...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// dropTriggers returns the statements that bring them back.
func dropTriggers(t testing.TB, db *sql.DB) (restore []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var drop []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		drop, restore = append(drop, "DROP TRIGGER "+name), append(restore, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	rows.Close()
	exec(t, db, drop...)
	return restore
}

func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// keys are a new pair for signing checkpoints.
func keys(t testing.TB) (signer, verifier string) {
	t.Helper()
	signer, verifier, err := note.GenerateKey(nil, "postdesk.example")
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func seal(t testing.TB, s *store.Store, key, file string) int64 {
	t.Helper()
	sealer, err := store.NewSealer(s, store.SealerConfig{Key: key, File: file})
	if err != nil {
		t.Fatal(err)
	}
	size, err := sealer.SealNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return size
}
