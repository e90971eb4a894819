package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postdesk/internal/desk"
	"postdesk/internal/store"
)

// archive is an office with a few tickets whose record is sealed, at rest.
func archive(t *testing.T) *office {
	t.Helper()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "audit: {checkpoint_file: kept.checkpoints}\n")
	o.takeIn(1, 2, 3)
	o.seal()
	return o
}

// seal lets the sealer sign all there is.
func (o *office) seal() {
	o.t.Helper()
	s := o.serve("--only", "seal")
	o.until("everything is sealed", func() bool {
		r := read[store.Report](o, "audit", "verify")
		return r.TreeSize == r.Events && r.Checkpoint != ""
	})
	s.stop()
}

func (o *office) database() string { return filepath.Join(o.dir, "postdesk.db") }

// damage is what audit verify says of the database as it stands, which must not be good.
func (o *office) damage(what string) store.Report {
	o.t.Helper()
	out, errOut, err := o.try("audit", "verify", "--json")
	var r store.Report
	if exitCode(err) != 1 || !strings.Contains(errOut, "the record is damaged") {
		o.t.Fatalf("%s: exit %d\n%s%s", what, exitCode(err), out, errOut)
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.OK || len(r.Failures) == 0 {
		o.t.Fatalf("%s: %v\n%s", what, err, out)
	}
	o.t.Logf("%s: %s", what, r.Failures[0].What)
	return r
}

func names(r store.Report, kind, words string) bool {
	return slices.ContainsFunc(r.Failures, func(f store.Failure) bool { return f.Kind == kind && strings.Contains(f.What, words) })
}

// TestRecord_OneByteChanged changes one byte of the database file, at several places, and each time verification names it.
func TestRecord_OneByteChanged(t *testing.T) {
	t.Parallel()
	o := archive(t)
	if out := o.run("audit", "verify"); !strings.Contains(out, "the record is whole") {
		t.Fatalf("before: %s", out)
	}
	good, err := os.ReadFile(o.database())
	if err != nil {
		t.Fatal(err)
	}
	zstd := []byte{0x28, 0xb5, 0x2f, 0xfd}
	for _, c := range []struct {
		what, kind, words string
		at                int
	}{
		{"a customer's address", "row", "differs from what event", last(good, "customer2@mail2.example", 8)},
		{"a subject", "row", "differs from what event", last(good, "Please close my account", 4)},
		{"the data of an event", "event", "event", last(good, `"rules_version"`, 4)},
		{"the bytes of an original", "original", "original", bytes.LastIndex(good, zstd) + 40},
	} {
		if c.at < 40 {
			t.Fatalf("%s is not in the file", c.what)
		}
		bad := bytes.Clone(good)
		bad[c.at] ^= 1
		write(t, o.database(), bad)
		if r := o.damage(c.what); !names(r, c.kind, c.words) {
			t.Errorf("%s was changed, verification says %+v", c.what, r.Failures)
		}
	}
	write(t, o.database(), good)
	o.wholeRecord()
}

// last is the place within the last occurrence of some words.
func last(b []byte, words string, within int) int {
	at := bytes.LastIndex(b, []byte(words))
	if at < 0 {
		return at
	}
	return at + within
}

func TestRecord_RowsRemoved(t *testing.T) {
	t.Parallel()
	o := archive(t)
	good, err := os.ReadFile(o.database())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, kind, words string }{
		{"DELETE FROM ticket WHERE id = 2", "row", "ticket 2, which event"},
		{"DELETE FROM message WHERE id = 3", "row", "message 3, which event"},
		{"DELETE FROM event WHERE seq = 4", "event", "after event 3, is missing"},
		{"DELETE FROM original WHERE rowid = (SELECT min(rowid) FROM original)", "original", "missing"},
		{"UPDATE ticket SET assignee = 'eve' WHERE id = 1", "row", "ticket 1 differs"},
		{"INSERT INTO customer SELECT 99, brand, 'x@evil.example', 'x@evil.example', name, language, undeliverable_at, created_at FROM customer LIMIT 1", "row", "99"},
	} {
		write(t, o.database(), good)
		tamper(t, o.database(), c.statement)
		if r := o.damage(c.statement); !names(r, c.kind, c.words) {
			t.Errorf("%s: verification says %+v", c.statement, r.Failures)
		}
	}
}

// tamper runs a statement as somebody with the file in hand does: without the triggers, which come back afterwards.
func tamper(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", file+"?_foreign_keys=off")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	triggers := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		triggers[name] = text
	}
	var script []string
	for name := range triggers {
		script = append(script, "DROP TRIGGER "+name)
	}
	script = append(script, statement)
	for _, text := range triggers {
		script = append(script, text)
	}
	for _, s := range script {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if _, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
}

// TestRecord_TailTruncated puts yesterday's database in place of today's: only the checkpoints kept elsewhere can tell.
func TestRecord_TailTruncated(t *testing.T) {
	t.Parallel()
	o := archive(t)
	yesterday, err := os.ReadFile(o.database())
	if err != nil {
		t.Fatal(err)
	}
	o.takeIn(4)
	o.seal()
	write(t, o.database(), yesterday)
	if r := o.damage("the tail is gone"); !names(r, "checkpoint", "") {
		t.Errorf("verification says %+v", r.Failures)
	}
	kept := filepath.Join(o.dir, "kept.checkpoints")
	elsewhere := filepath.Join(o.dir, "elsewhere")
	if err := os.Rename(kept, elsewhere); err != nil {
		t.Fatal(err)
	}
	o.wholeRecord() // nothing else knows
	o.refused(1, "the record is damaged", "audit", "verify", "--checkpoint", elsewhere)
}

func TestRecord_Log(t *testing.T) {
	t.Parallel()
	o := archive(t)
	all := read[[]desk.EventView](o, "audit", "log")
	for i, e := range all {
		if e.Seq != int64(i+1) || e.Kind == "" || e.Actor == "" || e.At.IsZero() {
			t.Errorf("event %d: %+v", i+1, e)
		}
	}
	of := read[[]desk.EventView](o, "audit", "log", "--ticket", "2")
	if len(of) == 0 || slices.ContainsFunc(of, func(e desk.EventView) bool { return e.Ticket != 2 }) {
		t.Errorf("audit log --ticket 2: %+v", of)
	}
	text := o.run("audit", "log")
	for _, private := range []string{"OK-1", "customer1@", "close my account"} {
		if strings.Contains(text, private) {
			t.Errorf("the log tells %q of a customer", private)
		}
	}
}

// TestMigrate_NewerSchema refuses a database that a later version of the program has changed.
func TestMigrate_NewerSchema(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	if out := o.run("migrate"); !strings.Contains(out, "up to date") {
		t.Errorf("migrate again prints %q", out)
	}
	db, err := sql.Open("sqlite3", o.database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var version int
	if err := db.QueryRow("SELECT max(version) FROM schema_migration").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf("UPDATE schema_migration SET version = %d WHERE version = %d", version+1, version)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate"}, {"ticket", "list"}, {"serve"}} {
		o.refused(1, "newer than this program", args...)
	}
}

// TestMigrate_IsAskedFor tells what to do about a database without tables.
func TestMigrate_IsAskedFor(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	if err := os.Remove(o.database()); err != nil {
		t.Fatal(err)
	}
	o.refused(1, "postdesk migrate", "ticket", "list")
}
