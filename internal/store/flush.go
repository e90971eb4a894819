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

// insertion is how rows of one table are inserted: a statement for each size.
type insertion struct {
	columns int
	sql     [len(rowsPerInsert)]string
}

// The tables that Tx fills besides those of the models.
var (
	originalColumns = []string{"sha256", "size", "codec", "data"}
	eventColumns    = []string{"seq", "at", "actor", "kind", "ticket", "data", "row_digests"}
	hashColumns     = []string{"position", "hash"}
)

// insertions writes the statements of all tables, by table name.
func insertions(d dialect, tables []*table) map[string]*insertion {
	all := map[string]*insertion{
		"original":  newInsertion(d, "original", originalColumns, " ON CONFLICT (sha256) DO NOTHING"),
		"event":     newInsertion(d, "event", eventColumns, ""),
		"tree_hash": newInsertion(d, "tree_hash", hashColumns, ""),
	}
	for _, t := range tables {
		names := make([]string, len(t.columns))
		for i, c := range t.columns {
			names[i] = c.name
		}
		all[t.name] = newInsertion(d, t.name, names, "")
	}
	return all
}

func newInsertion(d dialect, table string, columns []string, suffix string) *insertion {
	in := &insertion{columns: len(columns)}
	for i, rows := range rowsPerInsert {
		var b strings.Builder
		fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ","))
		for row := range rows {
			if row > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('(')
			d.placeholders(&b, row*len(columns), len(columns))
			b.WriteByte(')')
		}
		b.WriteString(suffix)
		in.sql[i] = b.String()
	}
	return in
}

// flush writes what is buffered: originals, new rows in the order of their references, changed rows, events. Fingerprints
// are computed meanwhile on another processor.
func (tx *Tx) flush() error {
	if tx.err != nil {
		return tx.err
	}
	digested := tx.startDigests()
	err := tx.flushRows()
	<-digested
	if err == nil {
		err = tx.flushEvents()
	}
	if err != nil {
		tx.fail(err)
	}
	return err
}

func (tx *Tx) flushRows() error {
	if err := tx.flushOriginals(); err != nil {
		return fmt.Errorf("store originals: %w", classify(err))
	}
	for i, rows := range tx.added {
		if err := tx.flushInserts(rows); err != nil {
			return fmt.Errorf("insert into %s: %w", tx.s.tables[i].name, classify(err))
		}
		tx.added[i] = rows[:0]
	}
	for _, row := range tx.moved {
		if err := tx.update(row); err != nil {
			return fmt.Errorf("update %s: %w", row.name, classify(err))
		}
	}
	tx.moved = tx.moved[:0]
	return nil
}

// startDigests fills in the fingerprints of the events to be written. The channel is closed when all are there.
func (tx *Tx) startDigests() <-chan struct{} {
	done := make(chan struct{})
	todo := tx.digests
	tx.digests = nil
	if len(todo) == 0 {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		for _, d := range todo {
			tx.events[d.event].Rows[d.row].SHA256 = audit.Digest(d.value.Interface())
		}
	}()
	return done
}

func (tx *Tx) flushInserts(rows []*bufferedRow) error {
	if len(rows) == 0 {
		return nil
	}
	t := rows[0].table
	return tx.insert(t.name, len(rows), func(i int, args []any) []any {
		rows[i].pending = false
		for _, c := range t.columns {
			args = append(args, c.value(rows[i].value))
		}
		return args
	})
}

func (tx *Tx) flushOriginals() error {
	list := tx.originals
	tx.originals = nil
	return tx.insert("original", len(list), func(i int, args []any) []any {
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
		return fmt.Errorf("number events: %w", classify(err))
	}
	err = tx.insert("event", len(events), func(i int, args []any) []any {
		e := events[i]
		return append(args, seqs[i], toMicros(e.At), e.Actor, e.Kind, e.Ticket, string(e.Data), audit.RowsText(e.Rows))
	})
	if err != nil {
		return fmt.Errorf("record events: %w", classify(err))
	}
	return nil
}

// insert writes n rows; values appends the arguments of row i.
func (tx *Tx) insert(table string, n int, values func(i int, args []any) []any) error {
	in := tx.s.insertions[table]
	args := make([]any, 0, in.columns*min(n, rowsPerInsert[0]))
	done := 0
	for i, size := range rowsPerInsert {
		for ; n-done >= size; done += size {
			args = args[:0]
			for row := range size {
				args = values(done+row, args)
			}
			if _, err := tx.conn.ExecContext(tx.ctx, in.sql[i], args...); err != nil {
				return err
			}
		}
	}
	return nil
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
