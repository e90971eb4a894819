package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"

	"postdesk/internal/audit"
	"postdesk/internal/ticket"
)

// Tx is one transaction of Write. Insert, Update, PutOriginal and Record do not return errors: the first one is kept, the
// queries that follow return it, and Write does. It is for one goroutine.
//
// Rows handed over are buffered and written before the next query of this Tx and at the end, so a transaction that reads
// first and writes last costs the fewest statements. What a row says counts at the moment it is handed over.
type Tx struct {
	Queries // in this transaction: they see its own rows

	s     *Store
	ctx   context.Context
	conn  conn
	gorm  *gorm.DB
	job   job
	now   time.Time
	err   error
	ids   map[string]*idBlock
	rows  map[string]*bufferedRow // every row changed so far, by name
	added [][]*bufferedRow        // not yet written, by table
	moved []*bufferedRow          // updates not yet written

	originals []Original
	stored    map[string]bool // originals put; true once a row is found to name it
	events    []audit.Event
	digests   []pendingDigest // to be computed before events are written
}

// pendingDigest is the place of a row's fingerprint in tx.events, and the row as it was when it was recorded.
type pendingDigest struct {
	event, row int
	value      reflect.Value
}

// bufferedRow is a copy of a row as it was last handed over.
type bufferedRow struct {
	table    *table
	name     string
	value    reflect.Value
	pending  bool // in added or moved
	inserted bool
	recorded bool
}

func (s *Store) newTx(ctx context.Context, c conn, j job) *Tx {
	tx := &Tx{s: s, ctx: ctx, conn: c, job: j, now: s.now(), ids: make(map[string]*idBlock),
		rows: make(map[string]*bufferedRow), added: make([][]*bufferedRow, len(s.tables)), stored: make(map[string]bool)}
	tx.gorm = s.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.gorm.Statement.ConnPool = c
	tx.Queries.open = tx.read
	return tx
}

// run calls the function, writes what is buffered and checks that the audit record is whole.
func (tx *Tx) run() error {
	if err := tx.job.fn(tx); err != nil {
		return err
	}
	if err := tx.flush(); err != nil {
		return err
	}
	if err := tx.returnIDs(); err != nil {
		return err
	}
	if tx.job.volatile {
		return nil
	}
	return tx.checkRecorded()
}

func (tx *Tx) checkRecorded() error {
	var missing []string
	for name, row := range tx.rows {
		if !row.recorded {
			missing = append(missing, name)
		}
		if sha := row.table.originalOf(row.value); sha != "" {
			tx.stored[sha] = true
		}
	}
	for sha, named := range tx.stored {
		if !named {
			missing = append(missing, "original/"+sha)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrUnrecorded, strings.Join(missing[:min(len(missing), 5)], ", "))
	}
	return nil
}

// read is where the queries of the transaction come from.
func (tx *Tx) read(context.Context) (*gorm.DB, error) {
	if err := tx.job.ctx.Err(); err != nil {
		return nil, err
	}
	return tx.gorm, tx.flush()
}

// Now is the instant of the transaction: UTC, whole microseconds, the same at every call.
func (tx *Tx) Now() time.Time { return tx.now }

// fail keeps the first error.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// idBlock is a reserve of ids taken from the database at once.
type idBlock struct {
	free []int64
	size int
}

// maxIDs is how many ids are reserved at once at most.
const maxIDs = 256

// NextID returns a new id for the table ("ticket", "message", …): ascending, given once. Ticket numbers follow one another
// without a gap, except that on PostgreSQL a transaction that is rolled back leaves one. It returns 0 on an error, which
// Write then returns.
func (tx *Tx) NextID(table string) int64 {
	block := tx.ids[table]
	if block == nil {
		block = &idBlock{size: 1}
		tx.ids[table] = block
	}
	if len(block.free) == 0 {
		ids, err := tx.s.dialect.takeIDs(tx.ctx, tx.conn, table, block.size)
		if err != nil {
			tx.fail(fmt.Errorf("next id of %s: %w", table, classify(err)))
			return 0
		}
		block.free = ids
		if tx.s.dialect == sqlite || table != "ticket" {
			block.size = min(2*block.size, maxIDs)
		}
	}
	id := block.free[0]
	block.free = block.free[1:]
	return id
}

// returnIDs gives back what was reserved and not used, where the database can take it back.
func (tx *Tx) returnIDs() error {
	for table, block := range tx.ids {
		if err := tx.s.dialect.returnIDs(tx.ctx, tx.conn, table, len(block.free)); err != nil {
			return fmt.Errorf("next id of %s: %w", table, classify(err))
		}
	}
	return nil
}

// Insert adds rows of the types of packages ticket and agent. A row given as a pointer is brought to the form in which it is
// stored (times in whole microseconds UTC, text as valid UTF-8 without NUL), and an id of 0 is filled in with NextID.
func (tx *Tx) Insert(rows ...any) {
	for _, row := range rows {
		t, v, err := tx.s.tableOf(row)
		if err != nil {
			tx.fail(fmt.Errorf("insert: %w", err))
			return
		}
		if key := v.Field(t.key.index); key.Kind() == reflect.Int64 && key.Int() == 0 {
			key.SetInt(tx.NextID(t.name))
		}
		t.clean(v)
		b := &bufferedRow{table: t, name: t.rowName(v), value: copyOf(v), pending: true, inserted: true}
		if tx.rows[b.name] != nil {
			tx.fail(fmt.Errorf("insert %s: %w: twice in one transaction", b.name, ticket.ErrConflict))
			return
		}
		tx.rows[b.name] = b
		tx.added[t.order] = append(tx.added[t.order], b)
	}
}

// Update replaces the row that has the same key: every column but the volatile ones. It fails with ticket.ErrNotFound, at
// the latest at commit, when there is none. Messages and attachments never change.
func (tx *Tx) Update(row any) {
	t, v, err := tx.s.tableOf(row)
	if err != nil {
		tx.fail(fmt.Errorf("update: %w", err))
		return
	}
	t.clean(v)
	b := tx.rows[t.rowName(v)]
	if b == nil {
		b = &bufferedRow{table: t, name: t.rowName(v)}
		tx.rows[b.name] = b
	}
	if b.inserted && b.pending {
		t.keepVolatile(b.value, v)
	}
	b.value, b.recorded = copyOf(v), false
	if !b.pending {
		b.pending, b.inserted = true, false
		tx.moved = append(tx.moved, b)
	}
}

// PutOriginal stores the bytes of a mail unless they are stored already. A row of the same transaction must name them by
// their SHA-256, or Write fails with ErrUnrecorded.
func (tx *Tx) PutOriginal(o Original) {
	if _, done := tx.stored[o.SHA256]; done {
		return
	}
	tx.stored[o.SHA256] = false
	tx.originals = append(tx.originals, o)
}

// Record appends an audit event with data as JSON and the fingerprint of each row named. Every row inserted or updated must
// be named by a later Record; naming a row this transaction has not changed is an error, because it is a forgotten Update.
// ticketID 0 stands for no ticket.
func (tx *Tx) Record(kind string, ticketID int64, data any, rows ...any) {
	event := audit.Event{At: tx.now, Actor: cleanText(tx.job.actor), Kind: cleanText(kind), Ticket: ticketID}
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			tx.fail(fmt.Errorf("record %s: %w", kind, err))
			return
		}
		event.Data = text
	}
	for i, row := range rows {
		b, err := tx.changed(row)
		if err != nil {
			tx.fail(fmt.Errorf("record %s: %w", kind, err))
			return
		}
		b.recorded = true
		event.Rows = append(event.Rows, audit.RowDigest{Row: b.name})
		tx.digests = append(tx.digests, pendingDigest{event: len(tx.events), row: i, value: b.value})
	}
	tx.events = append(tx.events, event)
}

// changed finds the row among those of this transaction.
func (tx *Tx) changed(row any) (*bufferedRow, error) {
	t, v, err := tx.s.tableOf(row)
	if err != nil {
		return nil, err
	}
	b := tx.rows[t.rowName(v)]
	if b == nil {
		return nil, fmt.Errorf("%w: %s was not changed in this transaction", ErrUnrecorded, t.rowName(v))
	}
	return b, nil
}

// tableOf finds the table of a struct or of a pointer to one, and an addressable value of it.
func (s *Store) tableOf(row any) (*table, reflect.Value, error) {
	v := reflect.ValueOf(row)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() || s.byType[v.Type()] == nil {
		return nil, reflect.Value{}, fmt.Errorf("%w: %T is no row", ticket.ErrInvalid, row)
	}
	if !v.CanAddr() {
		v = copyOf(v)
	}
	return s.byType[v.Type()], v, nil
}

func copyOf(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// keepVolatile copies the volatile fields: an update of a row not yet written must not lose those it was inserted with.
func (t *table) keepVolatile(from, to reflect.Value) {
	for _, c := range t.columns {
		if c.volatile {
			to.Field(c.index).Set(from.Field(c.index))
		}
	}
}
