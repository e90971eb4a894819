package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
	"github.com/mattn/go-sqlite3"
	"gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"postdesk/internal/ticket"
)

// dialect holds every difference between the two databases.
type dialect string

const (
	sqlite     dialect = "sqlite"
	postgresql dialect = "postgres"
)

// PostgreSQL connections of one process.
const (
	postgresWriters = 10
	postgresReaders = 6
)

// sqliteReaders share the file with the one writer.
const sqliteReaders = 4

// openPools opens the pool for writing and the pool for reading. Readers cannot write even by mistake: the database refuses.
func openPools(target string) (d dialect, writers, readers *sql.DB, err error) {
	switch {
	case strings.HasPrefix(target, "sqlite:"):
		writers, readers, err = openSQLite(strings.TrimPrefix(target, "sqlite:"))
		return sqlite, writers, readers, err
	case strings.HasPrefix(target, "postgres://"), strings.HasPrefix(target, "postgresql://"):
		writers, readers, err = openPostgres(target)
		return postgresql, writers, readers, err
	}
	return "", nil, nil, errors.New("database url must begin with sqlite: or postgres://")
}

// openSQLite takes a path, with SQLite driver options after a question mark if wanted (say, ?_busy_timeout=200).
func openSQLite(target string) (writers, readers *sql.DB, err error) {
	path, options, _ := strings.Cut(target, "?")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, nil, errors.New("sqlite needs the path of a file")
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	common := "_busy_timeout=5000&_foreign_keys=on&_recursive_triggers=1&_stmt_cache_size=128"
	writing := common + "&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-16384"
	if writers, err = sql.Open("sqlite3", file+"?"+last(writing, options)); err != nil {
		return nil, nil, err
	}
	if readers, err = sql.Open("sqlite3", file+"?"+last(common+"&mode=ro&_query_only=1", options)); err != nil {
		return nil, nil, err
	}
	writers.SetMaxOpenConns(2) // the queue keeps one; the other migrates
	readers.SetMaxOpenConns(sqliteReaders)
	readers.SetMaxIdleConns(sqliteReaders)
	return writers, readers, nil
}

// last lets options given by the user win over ours: the driver takes the first of equal names.
func last(ours, theirs string) string {
	if theirs == "" {
		return ours
	}
	return theirs + "&" + ours
}

func openPostgres(target string) (writers, readers *sql.DB, err error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, nil, errors.New("database url cannot be parsed") // the error of net/url would repeat the password
	}
	query := u.Query()
	if query.Get("lock_timeout") == "" {
		query.Set("lock_timeout", "10000") // milliseconds; waiting longer than this means that something is stuck
	}
	u.RawQuery = query.Encode()
	if writers, err = sql.Open("pgx", u.String()); err != nil {
		return nil, nil, err
	}
	query.Set("default_transaction_read_only", "on")
	u.RawQuery = query.Encode()
	if readers, err = sql.Open("pgx", u.String()); err != nil {
		return nil, nil, err
	}
	writers.SetMaxOpenConns(postgresWriters)
	writers.SetMaxIdleConns(postgresWriters)
	readers.SetMaxOpenConns(postgresReaders)
	readers.SetMaxIdleConns(postgresReaders)
	return writers, readers, nil
}

func (d dialect) gorm(readers *sql.DB) gorm.Dialector {
	if d == sqlite {
		return gormsqlite.New(gormsqlite.Config{Conn: readers})
	}
	return postgres.New(postgres.Config{Conn: readers})
}

// placeholders writes "?, ?" or "$4, $5" for n arguments after the first `before` ones.
func (d dialect) placeholders(b *strings.Builder, before, n int) {
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if d == sqlite {
			b.WriteByte('?')
			continue
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(before + i + 1))
	}
}

// bind turns a statement written with question marks into the dialect's form. No literal of ours contains one.
func (d dialect) bind(query string) string {
	if d == sqlite {
		return query
	}
	var b strings.Builder
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// skipLocked ends a SELECT of rows to claim. SQLite has one writer and needs nothing.
func (d dialect) skipLocked() string {
	if d == sqlite {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// share ends a SELECT whose row must not change before the transaction has ended.
func (d dialect) share() string {
	if d == sqlite {
		return ""
	}
	return " FOR SHARE"
}

// takeIDs reserves n ids of a table, ascending. On SQLite they are consecutive and a rollback gives them back; PostgreSQL
// sequences keep what they gave.
func (d dialect) takeIDs(ctx context.Context, c conn, table string, n int) ([]int64, error) {
	ids := make([]int64, 0, n)
	if d == sqlite {
		query := "INSERT INTO counter (name, next) VALUES (?1, ?2 + 1) ON CONFLICT (name) DO UPDATE SET next = next + ?2 RETURNING next"
		var next int64
		if err := c.QueryRowContext(ctx, query, table, n).Scan(&next); err != nil {
			return nil, err
		}
		for i := range n {
			ids = append(ids, next-int64(n)+int64(i))
		}
		return ids, nil
	}
	rows, err := c.QueryContext(ctx, "SELECT nextval('"+table+"_ids') FROM generate_series(1, $1::int)", n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// returnIDs gives back the last n ids taken in this transaction. Sequences take nothing back.
func (d dialect) returnIDs(ctx context.Context, c conn, table string, n int) error {
	if d == postgresql || n == 0 {
		return nil
	}
	_, err := c.ExecContext(ctx, "UPDATE counter SET next = next - ? WHERE name = ?", n, table)
	return err
}

// hasTable reports whether the database has the table in the schema in use.
func (d dialect) hasTable(ctx context.Context, c conn, name string) (bool, error) {
	query := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	if d == postgresql {
		query = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
	}
	var n int
	err := c.QueryRowContext(ctx, query, name).Scan(&n)
	return n > 0, err
}

// lockSchema keeps two processes from migrating at once, until the transaction ends. On SQLite BEGIN IMMEDIATE already does.
func (d dialect) lockSchema(ctx context.Context, c conn) error {
	if d == sqlite {
		return nil
	}
	_, err := c.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext('postdesk migrate ' || current_schema()))")
	return err
}

// classify wraps what the driver reports with the sentinel a caller can act on. It asks for codes, not for words.
func classify(err error) error {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return classifySQLite(err, lite)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return classifyPostgres(err, pg)
	}
	if lost(err) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

// lost reports whether the connection ended, rather than the statement failed.
func lost(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn)
}

func classifySQLite(err error, lite sqlite3.Error) error {
	switch {
	case lite.ExtendedCode == sqlite3.ErrConstraintUnique, lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey:
		return fmt.Errorf("%w: %w: %w", ticket.ErrConflict, gorm.ErrDuplicatedKey, err)
	case lite.ExtendedCode == sqlite3.ErrConstraintForeignKey:
		return fmt.Errorf("%w: %w: %w", ticket.ErrInvalid, gorm.ErrForeignKeyViolated, err)
	case lite.Code == sqlite3.ErrBusy, lite.Code == sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case lite.Code == sqlite3.ErrFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Codes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
func classifyPostgres(err error, pg *pgconn.PgError) error {
	if strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || pg.Code == "53300" { // connection, shutdown, too many connections
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	switch pg.Code {
	case "23505":
		return fmt.Errorf("%w: %w: %w", ticket.ErrConflict, gorm.ErrDuplicatedKey, err)
	case "23503":
		return fmt.Errorf("%w: %w: %w", ticket.ErrInvalid, gorm.ErrForeignKeyViolated, err)
	case "40001", "40P01":
		return fmt.Errorf("%w: %w", ticket.ErrConflict, err)
	case "53100":
		return fmt.Errorf("%w: %w", ErrFull, err)
	case "55P03":
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// overtaken reports whether another transaction came first, so that running the same one again may succeed: a serialization
// failure, a deadlock, or a key that was inserted meanwhile.
func overtaken(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505")
}

// snapshot makes a read-only transaction see one state of the database throughout. On SQLite every transaction does.
func (d dialect) snapshot() *sql.TxOptions {
	if d == sqlite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// selfCheck lets the database check its own structures and returns what it complains of. PostgreSQL has no such command.
func (d dialect) selfCheck(ctx context.Context, c conn) (found []string, err error) {
	if d == postgresql {
		return nil, nil
	}
	rows, err := c.QueryContext(ctx, "PRAGMA integrity_check(50)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return found, err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	return found, rows.Err()
}

// triggers lists those the migrations create.
func (d dialect) triggers() ([]string, error) {
	migrations, err := d.migrations()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range migrations {
		for _, found := range createTrigger.FindAllStringSubmatch(m.sql, -1) {
			names = append(names, found[1])
		}
	}
	return names, nil
}

var createTrigger = regexp.MustCompile(`(?m)^CREATE TRIGGER (\w+)`)

// activeTriggers lists those the database has and obeys.
func (d dialect) activeTriggers(ctx context.Context, c conn) (map[string]bool, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'trigger'"
	if d == postgresql {
		query = `SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
			WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal AND tgenabled IN ('O', 'A')`
	}
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, rows.Err()
}

// nextEvent returns the number the next event will get, where numbers have no gaps; ok is false elsewhere.
func (d dialect) nextEvent(ctx context.Context, c conn) (next int64, ok bool, err error) {
	if d == postgresql {
		return 0, false, nil
	}
	err = c.QueryRowContext(ctx, "SELECT coalesce((SELECT next FROM counter WHERE name = 'event'), 1)").Scan(&next)
	return next, err == nil, err
}
