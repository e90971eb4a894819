package store

import (
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"postdesk/internal/audit"
	"postdesk/internal/ticket"
)

// rowsPerInsert are the sizes of multi-row INSERTs, largest first. Few sizes make few statements, which stay prepared.
var rowsPerInsert = [...]int{32, 8, 1}

// flush writes what is buffered: originals, new rows in the order of their references, changed rows, events.
func (tx *Tx) flush() error {
	if tx.err != nil {
		return tx.err
	}
	if err := tx.flushOriginals(); err != nil {
		tx.fail(fmt.Errorf("store originals: %w", classify(err)))
		return tx.err
	}
	for i, rows := range tx.added {
		if err := tx.flushInserts(rows); err != nil {
			tx.fail(fmt.Errorf("insert into %s: %w", tx.s.tables[i].name, classify(err)))
			return tx.err
		}
		tx.added[i] = rows[:0]
	}
	for _, row := range tx.moved {
		if err := tx.update(row); err != nil {
			tx.fail(fmt.Errorf("update %s: %w", row.name, classify(err)))
			return tx.err
		}
	}
	tx.moved = tx.moved[:0]
	if err := tx.flushEvents(); err != nil {
		tx.fail(fmt.Errorf("record events: %w", classify(err)))
	}
	return tx.err
}

func (tx *Tx) flushInserts(rows []*bufferedRow) error {
	if len(rows) == 0 {
		return nil
	}
	t := rows[0].table
	return tx.insert(t.name, t.columnNames(), "", len(rows), func(i int, args []any) []any {
		rows[i].pending = false
		for _, c := range t.columns {
			args = append(args, c.value(rows[i].value))
		}
		return args
	})
}

func (t *table) columnNames() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func (tx *Tx) flushOriginals() error {
	list := tx.originals
	tx.originals = nil
	columns := []string{"sha256", "size", "codec", "data"}
	return tx.insert("original", columns, " ON CONFLICT (sha256) DO NOTHING", len(list), func(i int, args []any) []any {
		return append(args, list[i].SHA256, list[i].Size, list[i].Codec, list[i].Data)
	})
}

func (tx *Tx) flushEvents() error {
	events := tx.events
	if len(events) == 0 {
		return nil
	}
	tx.events = nil
	seqs, err := tx.s.dialect.takeIDs(tx.ctx, tx.conn, "event", len(events))
	if err != nil {
		return err
	}
	columns := []string{"seq", "at", "actor", "kind", "ticket", "data", "row_digests"}
	return tx.insert("event", columns, "", len(events), func(i int, args []any) []any {
		e := events[i]
		return append(args, seqs[i], toMicros(e.At), e.Actor, e.Kind, e.Ticket, string(e.Data), audit.RowsText(e.Rows))
	})
}

// insert writes n rows; values appends the arguments of row i.
func (tx *Tx) insert(table string, columns []string, suffix string, n int, values func(i int, args []any) []any) error {
	var args []any
	for done := 0; done < n; {
		size := chunk(n - done)
		args = args[:0]
		for i := range size {
			args = values(done+i, args)
		}
		if _, err := tx.conn.ExecContext(tx.ctx, tx.insertSQL(table, columns, suffix, size), args...); err != nil {
			return err
		}
		done += size
	}
	return nil
}

func chunk(n int) int {
	for _, size := range rowsPerInsert {
		if size <= n {
			return size
		}
	}
	return 1
}

func (tx *Tx) insertSQL(table string, columns []string, suffix string, rows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ","))
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		tx.s.dialect.placeholders(&b, i*len(columns), len(columns))
		b.WriteByte(')')
	}
	b.WriteString(suffix)
	return b.String()
}

func (tx *Tx) update(row *bufferedRow) error {
	row.pending = false
	t := row.table
	var b strings.Builder
	var args []any
	fmt.Fprintf(&b, "UPDATE %s SET ", t.name)
	for _, c := range t.columns {
		if c.volatile || c.name == t.key.name {
			continue
		}
		if len(args) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " = ?")
		args = append(args, c.value(row.value))
	}
	fmt.Fprintf(&b, " WHERE %s = ?", t.key.name)
	args = append(args, t.key.value(row.value))
	return tx.execOne(b.String(), args...)
}

// execOne runs a statement that must change exactly one row.
func (tx *Tx) execOne(query string, args ...any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n != 1 {
		return ticket.ErrNotFound
	}
	return err
}

// exec runs a statement written with question marks and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	res, err := tx.conn.ExecContext(tx.ctx, tx.s.dialect.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func isDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }
