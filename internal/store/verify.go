package store

import (
	"context"
	"database/sql"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"gorm.io/gorm"
)

// VerifyOptions says what to trust.
type VerifyOptions struct {
	VerifierKey    string // public key of the sealer as note.GenerateKey makes it; "": signatures are not checked
	KeptCheckpoint []byte // signed checkpoints kept outside the database, one or many; nil: none
}

// Report is what verification found. OK means that there is no failure.
type Report struct {
	OK         bool      `json:"ok"`
	Events     int64     `json:"events"`
	Originals  int64     `json:"originals"`
	Rows       int64     `json:"rows"`
	TreeSize   int64     `json:"tree_size"`
	Checkpoint string    `json:"checkpoint"` // the newest one stored, a signed note; "" when nothing was sealed yet
	Failures   []Failure `json:"failures"`
}

// Failure names one thing that is not as the record says.
type Failure struct {
	Kind   string `json:"kind"`   // database, schema, event, tree, checkpoint, original, row
	Seq    int64  `json:"seq"`    // the event concerned; 0: none in particular
	SHA256 string `json:"sha256"` // what was recorded of a row, or the name of an original; "": neither
	What   string `json:"what"`   // a sentence
}

// maxFailures keeps the report readable when a whole table is gone.
const maxFailures = 1000

// Verify checks the whole record, as it stands at one instant, while others go on writing: the database's own consistency
// (SQLite), the triggers, every event against the tree, the tree against all signed checkpoints and the kept ones, every
// original against its hash, and every row against the newest event that names it, in both directions. It changes nothing.
//
// What is wrong with the data is in the report. An error means that verification itself could not be done: a bad key, a
// database that cannot be reached, ctx.
func (s *Store) Verify(ctx context.Context, opt VerifyOptions) (Report, error) {
	v := &verifier{s: s, ctx: ctx, report: Report{Failures: []Failure{}}}
	if opt.VerifierKey != "" {
		key, err := note.NewVerifier(opt.VerifierKey)
		if err != nil {
			return Report{}, fmt.Errorf("verify: verifier key: %w", err)
		}
		v.key = key
	}
	if err := s.usable(); err != nil {
		return Report{}, fmt.Errorf("verify: %w", err)
	}
	tx, err := s.readers.BeginTx(ctx, s.dialect.snapshot())
	if err != nil {
		return Report{}, fmt.Errorf("verify: %w", classify(err))
	}
	defer tx.Rollback()
	v.useConn(tx)
	for _, step := range []func(){v.database, v.schema, func() { v.events(opt.KeptCheckpoint) }, v.originals, v.rows} {
		step()
		if err := ctx.Err(); err != nil {
			return Report{}, fmt.Errorf("verify: %w", err)
		}
	}
	return v.finish(), nil
}

// verifier is one run of Verify.
type verifier struct {
	s      *Store
	ctx    context.Context
	conn   conn
	db     *gorm.DB
	q      Queries
	key    note.Verifier // nil: unknown
	report Report
	count  int

	digests map[string]*digests // what the events say of each table's rows; nil: unknown
	bytes   map[string]bool     // originals that are there; true once a row names them
	unread  map[string]bool     // tables that could not be read to the end
}

func (v *verifier) useConn(tx *sql.Tx) {
	v.conn = tx
	v.db = v.s.gorm.Session(&gorm.Session{NewDB: true, Context: v.ctx})
	v.db.Statement.ConnPool = tx
	v.q = Queries{open: func(context.Context) (*gorm.DB, error) { return v.db, nil }}
}

func (v *verifier) fail(f Failure) {
	v.count++
	if v.count <= maxFailures {
		v.report.Failures = append(v.report.Failures, f)
	}
}

func (v *verifier) finish() Report {
	if more := v.count - maxFailures; more > 0 {
		v.report.Failures = append(v.report.Failures, Failure{Kind: "database", What: fmt.Sprintf("%d more failures", more)})
	}
	v.report.OK = v.count == 0
	return v.report
}

// database asks the database to check itself.
func (v *verifier) database() {
	found, err := v.s.dialect.selfCheck(v.ctx, v.conn)
	for _, what := range found {
		v.fail(Failure{Kind: "database", What: what})
	}
	if err != nil {
		v.fail(Failure{Kind: "database", What: "self-check: " + err.Error()})
	}
}

// schema looks for the triggers that keep the record append-only.
func (v *verifier) schema() {
	want, err := v.s.dialect.triggers()
	if err != nil {
		v.fail(Failure{Kind: "schema", What: err.Error()})
		return
	}
	have, err := v.s.dialect.activeTriggers(v.ctx, v.conn)
	if err != nil {
		v.fail(Failure{Kind: "schema", What: "triggers: " + err.Error()})
		return
	}
	for _, name := range want {
		if !have[name] {
			v.fail(Failure{Kind: "schema", What: "trigger " + name + ", which keeps the record append-only, is missing or off"})
		}
	}
}
