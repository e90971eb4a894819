package store

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"postdesk/internal/audit"
)

// digests holds, for one table, what the newest event says of each row. Rows are keyed by number or by name.
type digests struct {
	byID   map[int64]*digest
	byName map[string]*digest
}

type digest struct {
	sum  [32]byte
	seq  int64
	seen bool
}

// signedTree is a checkpoint to compare with the tree when it has grown to that size.
type signedTree struct {
	audit.Checkpoint
	kept bool
}

// events reads every event once, in the order of the tree, and compares: its bytes with its leaf hash, the hashes with one
// another, and the tree with the checkpoints. On the way it collects what the events say of the rows.
func (v *verifier) events(kept []byte) {
	v.digests = make(map[string]*digests)
	for _, t := range v.s.tables {
		v.digests[t.name] = &digests{byID: make(map[int64]*digest), byName: make(map[string]*digest)}
	}
	w := &treeWalk{v: v, checkpoints: v.checkpoints(kept), hashes: hashCursor{v: v}}
	if err := w.sealed(); err != nil {
		v.fail(Failure{Kind: "event", Seq: w.last, What: fmt.Sprintf("events after %d cannot be read: %v", w.last, err)})
		v.lostEvents()
		return
	}
	w.finish()
	if err := v.unsealedEvents(); err != nil {
		v.fail(Failure{Kind: "event", What: fmt.Sprintf("unsealed events cannot be read: %v", err)})
		v.lostEvents()
		return
	}
	v.gaps()
}

// lostEvents stops the comparison of rows with events: without all events it would call sound rows foreign.
func (v *verifier) lostEvents() { v.digests = nil }

// checkpoints returns those stored and those kept, by tree size, and reports bad signatures.
func (v *verifier) checkpoints(kept []byte) map[int64][]signedTree {
	wanted := make(map[int64][]signedTree)
	var after int64 = -1
	for {
		var rows []checkpointRow
		if err := v.db.Where("size > ?", after).Order("size").Limit(1000).Find(&rows).Error; err != nil {
			v.fail(Failure{Kind: "checkpoint", What: fmt.Sprintf("checkpoints after %d cannot be read: %v", after, err)})
			break
		}
		for _, r := range rows {
			after = r.Size
			v.report.Checkpoint = r.Note
			v.want(wanted, []byte(r.Note), fmt.Sprintf("checkpoint %d", r.Size), r.Size, false)
		}
		if len(rows) == 0 {
			break
		}
	}
	for i, signed := range audit.SplitCheckpoints(kept) {
		v.want(wanted, signed, fmt.Sprintf("kept checkpoint %d", i+1), -1, true)
	}
	return wanted
}

// want adds a checkpoint; size is what the table says of it, -1 when nothing does.
func (v *verifier) want(wanted map[int64][]signedTree, signed []byte, name string, size int64, kept bool) {
	c, err := audit.ReadCheckpoint(signed)
	if v.key != nil {
		c, err = audit.OpenCheckpoint(signed, v.key)
	}
	if err == nil && size >= 0 && c.Size != size {
		err = fmt.Errorf("it signs %d events", c.Size)
	}
	if err != nil {
		v.fail(Failure{Kind: "checkpoint", What: fmt.Sprintf("%s: %v", name, err)})
		return
	}
	wanted[c.Size] = append(wanted[c.Size], signedTree{c, kept})
}

// treeWalk follows the tree as it grows leaf by leaf. Where an event differs from its stored hash it goes on with the stored
// one, so that one changed event is one failure.
type treeWalk struct {
	v           *verifier
	checkpoints map[int64][]signedTree
	hashes      hashCursor
	tree        audit.Tree
	last        int64 // number of the last event read
	good        int64 // size of the last checkpoint that agreed
	goodSeq     int64 // last event under it
	broken      bool  // a checkpoint disagreed: later ones will as well
}

func (w *treeWalk) sealed() error {
	tree, err := audit.NewTree(0, nil)
	if err != nil {
		return err
	}
	w.tree = *tree
	w.check()
	var after int64 = -1
	for {
		var rows []eventRow
		err := w.v.db.Where("leaf > ?", after).Order("leaf").Limit(1000).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = *r.Leaf
			if err := w.event(r); err != nil {
				return err
			}
		}
	}
}

func (w *treeWalk) event(r eventRow) error {
	for w.tree.Size < *r.Leaf {
		w.v.fail(Failure{Kind: "event", What: fmt.Sprintf("the event at leaf %d, after event %d, is missing", w.tree.Size, w.last)})
		if err := w.grow(tlog.Hash{}, 0); err != nil {
			return err
		}
	}
	w.last = r.Seq
	w.v.event(r)
	return w.grow(tlog.RecordHash(r.leaf()), r.Seq)
}

// grow adds a leaf and compares the new hashes with the stored ones. seq 0 stands for a missing event.
func (w *treeWalk) grow(leaf tlog.Hash, seq int64) error {
	stored, found := w.hashes.next()
	if found && stored != leaf {
		if seq != 0 {
			w.v.fail(Failure{Kind: "event", Seq: seq, What: fmt.Sprintf("event %d was changed after it was sealed", seq)})
		}
		leaf = stored
	}
	computed, err := w.tree.AppendHash(leaf)
	if err != nil {
		return err
	}
	for _, h := range computed[1:] {
		if stored, ok := w.hashes.next(); found && ok && stored != h {
			w.v.fail(Failure{Kind: "tree", Seq: seq, What: fmt.Sprintf("a tree hash stored with event %d does not follow from those below it", seq)})
		}
	}
	if !found {
		w.v.fail(Failure{Kind: "tree", Seq: seq, What: fmt.Sprintf("the tree hash of event %d is missing", seq)})
	}
	w.check()
	return nil
}

// check compares the tree with the checkpoints of its present size.
func (w *treeWalk) check() {
	size := w.tree.Size
	for _, c := range w.checkpoints[size] {
		root, err := w.tree.Root()
		if err == nil && root == c.Root {
			w.good, w.goodSeq = size, w.last
			continue
		}
		if !w.broken || c.kept {
			w.v.fail(Failure{Kind: "checkpoint", Seq: w.goodSeq + 1, What: fmt.Sprintf(
				"%s does not fit: history was rewritten among events %d to %d", c.name(), w.goodSeq+1, w.last)})
		}
		w.broken = true
	}
	delete(w.checkpoints, size)
}

func (c signedTree) name() string {
	if c.kept {
		return fmt.Sprintf("the kept checkpoint of %d events", c.Size)
	}
	return fmt.Sprintf("the checkpoint of %d events", c.Size)
}

// finish reports checkpoints beyond the tree, events no checkpoint signs, and hashes that belong to no event.
func (w *treeWalk) finish() {
	v := w.v
	v.report.TreeSize = w.tree.Size
	for _, list := range w.checkpoints {
		for _, c := range list {
			v.fail(Failure{Kind: "checkpoint", What: fmt.Sprintf(
				"%s does not fit: the record was cut off, only %d sealed events are left", c.name(), w.tree.Size)})
		}
	}
	if w.tree.Size > w.good && !w.broken {
		v.fail(Failure{Kind: "checkpoint", Seq: w.goodSeq + 1, What: fmt.Sprintf(
			"the %d sealed events after event %d are under no checkpoint", w.tree.Size-w.good, w.goodSeq)})
	}
	if _, found := w.hashes.next(); found {
		v.fail(Failure{Kind: "tree", What: fmt.Sprintf("there are tree hashes after those of the last event, %d", w.last)})
	}
}

// hashCursor reads the stored tree hashes in order.
type hashCursor struct {
	v        *verifier
	position int64 // of the next hash
	page     []tlog.Hash
	failed   bool
}

// next returns the hash at the cursor. found is false when it is missing, unreadable or of a wrong length.
func (c *hashCursor) next() (h tlog.Hash, found bool) {
	if len(c.page) == 0 && !c.failed {
		c.read()
	}
	c.position++
	if len(c.page) == 0 {
		return h, false
	}
	h, c.page = c.page[0], c.page[1:]
	return h, h != tlog.Hash{}
}

func (c *hashCursor) read() {
	const size = 2000
	var rows []struct {
		Position int64
		Hash     []byte
	}
	err := c.v.db.Table("tree_hash").Where("position >= ? AND position < ?", c.position, c.position+size).Find(&rows).Error
	if err != nil {
		c.failed = true
		c.v.fail(Failure{Kind: "tree", What: fmt.Sprintf("tree hashes from %d on cannot be read: %v", c.position, err)})
		return
	}
	if len(rows) == 0 {
		return
	}
	page := make([]tlog.Hash, size) // the zero hash stands for a missing one
	end := 0
	for _, r := range rows {
		if len(r.Hash) == tlog.HashSize {
			page[r.Position-c.position] = tlog.Hash(r.Hash)
		}
		end = max(end, int(r.Position-c.position)+1)
	}
	c.page = page[:end]
}

func (v *verifier) unsealedEvents() error {
	var after int64
	for {
		var rows []eventRow
		err := v.db.Where("leaf IS NULL AND seq > ?", after).Order("seq").Limit(1000).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.Seq
			v.event(r)
		}
	}
}

// event notes what the event says of rows.
func (v *verifier) event(r eventRow) {
	v.report.Events++
	e, err := r.event()
	if err != nil {
		v.fail(Failure{Kind: "event", Seq: r.Seq, What: err.Error()})
	}
	for _, d := range e.Rows {
		if err := v.note(r.Seq, d); err != nil {
			v.fail(Failure{Kind: "event", Seq: r.Seq, What: fmt.Sprintf("event %d: %v", r.Seq, err)})
		}
	}
}

func (v *verifier) note(seq int64, d audit.RowDigest) error {
	name, key, _ := strings.Cut(d.Row, "/")
	known := v.digests[name]
	if known == nil {
		return fmt.Errorf("names the unknown row %q", d.Row)
	}
	fresh := &digest{seq: seq}
	if n, err := hex.Decode(fresh.sum[:], []byte(d.SHA256)); err != nil || n != len(fresh.sum) {
		return fmt.Errorf("has no proper digest of %s", d.Row)
	}
	if isNamed(name) {
		if old := known.byName[key]; old == nil || old.seq <= seq {
			known.byName[key] = fresh
		}
		return nil
	}
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return fmt.Errorf("names the unknown row %q", d.Row)
	}
	if old := known.byID[id]; old == nil || old.seq <= seq {
		known.byID[id] = fresh
	}
	return nil
}

// isNamed reports whether the table's rows are known by name instead of by number.
func isNamed(table string) bool { return table == "account" || table == "mailbox" }

// gaps looks for removed events that no leaf gives away, on the database that numbers events without gaps.
func (v *verifier) gaps() {
	next, ok, err := v.s.dialect.nextEvent(v.ctx, v.conn)
	switch {
	case err != nil:
		v.fail(Failure{Kind: "event", What: fmt.Sprintf("event numbers cannot be read: %v", err)})
	case ok && next-1 != v.report.Events:
		v.fail(Failure{Kind: "event", What: fmt.Sprintf("%d events were recorded, %d are there", next-1, v.report.Events)})
	}
}
