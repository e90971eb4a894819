package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"postdesk/internal/audit"
	"postdesk/internal/ticket"
)

// SealerConfig says how the audit record is sealed.
type SealerConfig struct {
	Key   string        // private key as note.GenerateKey makes it; its name is the origin of the checkpoints
	File  string        // signed checkpoints are appended here as well; "": nowhere. Keep it on another machine or medium
	Every time.Duration // 0: one second
	Log   *slog.Logger  // nil: slog.Default
}

// Sealer gives committed events their place in the Merkle tree and signs checkpoints of it. Several processes may run one on
// the same database: a lease lets one of them work at a time. A Sealer is for one goroutine.
type Sealer struct {
	store   *Store
	signer  note.Signer
	file    string
	every   time.Duration
	log     *slog.Logger
	owner   string
	unfiled string // signed and committed, not yet in the file
}

// sealLease is how long a sealer that died keeps others out; sealBatch is how many events one transaction takes.
const (
	sealLease = 10 * time.Second
	sealBatch = 2000
)

// NewSealer checks the key.
func NewSealer(s *Store, cfg SealerConfig) (*Sealer, error) {
	signer, err := note.NewSigner(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("sealer: signing key: %w", err)
	}
	sealer := &Sealer{store: s, signer: signer, file: cfg.File, every: cfg.Every, log: cfg.Log, owner: rand.Text()}
	if sealer.every == 0 {
		sealer.every = time.Second
	}
	if sealer.log == nil {
		sealer.log = slog.Default()
	}
	return sealer, nil
}

// Run seals at every tick until ctx ends, then once more, and gives up the lease. What goes wrong is logged and tried again
// at the next tick; Run itself returns nil.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.attempt(ctx)
		case <-ctx.Done():
			s.attempt(context.WithoutCancel(ctx))
			return s.release(context.WithoutCancel(ctx))
		}
	}
}

// attempt seals if there is anything to seal: an idle desk writes nothing.
func (s *Sealer) attempt(ctx context.Context) {
	waiting, err := s.store.unsealed(ctx)
	if err == nil && (waiting || s.unfiled != "") {
		_, err = s.seal(ctx)
	}
	if err != nil && !errors.Is(err, errSealing) && ctx.Err() == nil {
		s.log.Error("audit record not sealed, trying again", "err", err)
	}
}

// SealNow seals everything committed so far, gives up the lease, and returns the size of the tree. It fails with
// ticket.ErrConflict while another process holds the lease; that process seals.
func (s *Sealer) SealNow(ctx context.Context) (size int64, err error) {
	size, err = s.seal(ctx)
	if err != nil {
		return 0, err
	}
	return size, s.release(ctx)
}

var errSealing = fmt.Errorf("%w: another process seals the audit record", ticket.ErrConflict)

// seal works off the events without a leaf, batch by batch, and appends what it signed to the file.
func (s *Sealer) seal(ctx context.Context) (size int64, err error) {
	for {
		var b batch
		err := s.store.touch(ctx, func(tx *Tx) (err error) {
			b, err = s.sealBatch(tx)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("seal: %w", err)
		}
		if b.signed != "" {
			s.unfiled = b.signed // only now: a checkpoint of a transaction that failed must never leave this process
		}
		if err := s.appendFile(); err != nil {
			return 0, fmt.Errorf("seal: checkpoint file: %w", err)
		}
		if b.sealed < sealBatch {
			return b.size, nil
		}
	}
}

// batch is what one transaction sealed.
type batch struct {
	sealed int
	size   int64 // of the tree afterwards
	signed string
}

// sealBatch seals up to sealBatch events in the order of their numbers and signs the tree they make.
func (s *Sealer) sealBatch(tx *Tx) (batch, error) {
	if err := s.lease(tx); err != nil {
		return batch{}, err
	}
	tree, err := tx.readTree()
	if err != nil {
		return batch{}, fmt.Errorf("read tree: %w", classify(err))
	}
	var events []eventRow
	if err := tx.gorm.Where("leaf IS NULL").Order("seq").Limit(sealBatch).Find(&events).Error; err != nil {
		return batch{}, fmt.Errorf("read events: %w", classify(err))
	}
	if len(events) == 0 {
		return batch{size: tree.Size}, nil
	}
	if err := tx.appendLeaves(tree, events); err != nil {
		return batch{}, fmt.Errorf("append to tree: %w", classify(err))
	}
	signed, err := s.checkpoint(tx, tree)
	return batch{sealed: len(events), size: tree.Size, signed: signed}, err
}

func (s *Sealer) checkpoint(tx *Tx, tree *audit.Tree) (string, error) {
	root, err := tree.Root()
	if err != nil {
		return "", err
	}
	signed, err := audit.Sign(tree.Size, root, s.signer)
	if err != nil {
		return "", err
	}
	if _, err := tx.exec("INSERT INTO checkpoint (size, at, note) VALUES (?, ?, ?)", tree.Size, toMicros(tx.now), signed); err != nil {
		return "", fmt.Errorf("store checkpoint: %w", classify(err))
	}
	return signed, nil
}

// lease takes or extends the lease of sealing.
func (s *Sealer) lease(tx *Tx) error {
	if _, err := tx.exec("INSERT INTO lease (name, owner, until, fence) VALUES ('seal', '', 0, 0) ON CONFLICT (name) DO NOTHING"); err != nil {
		return fmt.Errorf("lease: %w", classify(err))
	}
	_, ok, err := tx.takeLease("lease", "owner", "until", "seal", s.owner, sealLease)
	if err != nil {
		return fmt.Errorf("lease: %w", classify(err))
	}
	if !ok {
		return errSealing
	}
	return nil
}

func (s *Sealer) release(ctx context.Context) error {
	return s.store.touchRow(ctx, "release sealing", "UPDATE lease SET owner = '', until = 0 WHERE name = 'seal' AND owner = ?", s.owner)
}

// appendFile appends the newest checkpoint to the file and syncs it. One that could not be written is tried again with the
// next call; an older one is not needed once a newer is there.
func (s *Sealer) appendFile() (err error) {
	if s.file == "" || s.unfiled == "" {
		return nil
	}
	f, err := os.OpenFile(s.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(s.unfiled + "\n"); err != nil {
		return err
	}
	s.unfiled = ""
	return f.Sync()
}

// unsealed reports whether any event has no place in the tree yet.
func (q Queries) unsealed(ctx context.Context) (bool, error) {
	rows, err := list[eventRow](ctx, q, "unsealed events", func(db *gorm.DB) *gorm.DB {
		return db.Select("seq").Where("leaf IS NULL").Limit(1)
	})
	return len(rows) > 0, err
}

// readTree returns the tree as far as it is sealed.
func (tx *Tx) readTree() (*audit.Tree, error) {
	var size int64
	if err := tx.gorm.Raw("SELECT coalesce(max(leaf) + 1, 0) FROM event WHERE leaf IS NOT NULL").Scan(&size).Error; err != nil {
		return nil, err
	}
	hashes, err := tx.Queries.hashes(tx.ctx, audit.Edge(size))
	if err != nil {
		return nil, err
	}
	return audit.NewTree(size, hashes)
}

// hashes reads stored tree hashes by position, in the order asked for.
func (q Queries) hashes(ctx context.Context, positions []int64) ([]tlog.Hash, error) {
	type hashRow struct {
		Position int64
		Hash     []byte
	}
	rows, err := in[hashRow](ctx, q, "tree hashes", "position", positions, func(db *gorm.DB) *gorm.DB { return db.Table("tree_hash") })
	if err != nil {
		return nil, err
	}
	found := make(map[int64]tlog.Hash, len(rows))
	for _, r := range rows {
		if len(r.Hash) == tlog.HashSize {
			found[r.Position] = tlog.Hash(r.Hash)
		}
	}
	hashes := make([]tlog.Hash, len(positions))
	for i, p := range positions {
		h, ok := found[p]
		if !ok {
			return nil, fmt.Errorf("tree hash %d: %w", p, ticket.ErrNotFound)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// appendLeaves gives the events the next places in the tree and stores its new hashes.
func (tx *Tx) appendLeaves(tree *audit.Tree, events []eventRow) error {
	leaf, position := tree.Size, tlog.StoredHashIndex(0, tree.Size)
	var hashes []tlog.Hash
	for _, e := range events {
		added, err := tree.Append(e.leaf())
		if err != nil {
			return err
		}
		hashes = append(hashes, added...)
	}
	err := tx.insert("tree_hash", len(hashes), func(i int, args []any) []any {
		return append(args, position+int64(i), hashes[i][:])
	})
	if err != nil {
		return err
	}
	return tx.numberLeaves(events, leaf)
}

// numberLeaves stores the places. Events whose numbers follow one another take one statement.
func (tx *Tx) numberLeaves(events []eventRow, leaf int64) error {
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].Seq == events[0].Seq+int64(n) {
			n++
		}
		query := "UPDATE event SET leaf = seq + ? WHERE leaf IS NULL AND seq BETWEEN ? AND ?"
		done, err := tx.exec(query, leaf-events[0].Seq, events[0].Seq, events[n-1].Seq)
		if err != nil {
			return err
		}
		if done != int64(n) {
			return fmt.Errorf("number leaves: %d events instead of %d", done, n)
		}
		leaf, events = leaf+int64(n), events[n:]
	}
	return nil
}

// Prove returns the proof that an event belongs to the record, against the newest checkpoint. An event not yet sealed is
// ticket.ErrNotFound.
func (q Queries) Prove(ctx context.Context, seq int64) (audit.Proof, error) {
	row, err := one[eventRow](ctx, q, "event", "leaf IS NOT NULL AND seq = ?", seq)
	if err != nil {
		return audit.Proof{}, err
	}
	event, err := row.event()
	if err != nil {
		return audit.Proof{}, err
	}
	newest, err := q.newestCheckpoint(ctx)
	if err != nil {
		return audit.Proof{}, err
	}
	path, err := tlog.ProveRecord(newest.Size, *row.Leaf, tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		return q.hashes(ctx, positions)
	}))
	if err != nil {
		return audit.Proof{}, fmt.Errorf("prove event %d: %w", seq, err)
	}
	return audit.Proof{Event: event, Leaf: *row.Leaf, Path: path, Checkpoint: newest.Note}, nil
}

// checkpointRow is a signed checkpoint as the table holds it.
type checkpointRow struct {
	Size int64 `gorm:"primaryKey"`
	At   int64
	Note string
}

// TableName implements gorm's Tabler.
func (checkpointRow) TableName() string { return "checkpoint" }

func (q Queries) newestCheckpoint(ctx context.Context) (checkpointRow, error) {
	rows, err := list[checkpointRow](ctx, q, "newest checkpoint", func(db *gorm.DB) *gorm.DB { return db.Order("size DESC").Limit(1) })
	if err != nil {
		return checkpointRow{}, err
	}
	if len(rows) == 0 {
		return checkpointRow{}, fmt.Errorf("newest checkpoint: %w", ticket.ErrNotFound)
	}
	return rows[0], nil
}
