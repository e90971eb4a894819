package audit

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Edge returns the positions, in the order of tlog's stored hashes, of the complete subtrees a tree of this many leaves
// consists of, largest first. Their hashes are all that is needed to compute the root or to append.
func Edge(size int64) []int64 {
	var positions []int64
	for rest := size; rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		positions = append(positions, tlog.StoredHashIndex(level, (size-rest)>>level))
		rest -= 1 << level
	}
	return positions
}

// Tree appends leaves to a Merkle tree of which it knows only the edge.
type Tree struct {
	Size int64

	edge map[int64]tlog.Hash // by position
}

// NewTree continues a tree of size leaves; hashes belong to the positions Edge(size), in that order.
func NewTree(size int64, hashes []tlog.Hash) (*Tree, error) {
	positions := Edge(size)
	if len(positions) != len(hashes) {
		return nil, fmt.Errorf("a tree of %d leaves has an edge of %d hashes, got %d", size, len(positions), len(hashes))
	}
	t := &Tree{Size: size, edge: make(map[int64]tlog.Hash, len(hashes))}
	for i, p := range positions {
		t.edge[p] = hashes[i]
	}
	return t, nil
}

// Append adds one leaf and returns the hashes to store, whose positions follow those stored before without a gap.
func (t *Tree) Append(leaf []byte) ([]tlog.Hash, error) {
	return t.AppendHash(tlog.RecordHash(leaf))
}

// AppendHash is Append for a leaf whose hash is known.
func (t *Tree) AppendHash(leaf tlog.Hash) ([]tlog.Hash, error) {
	hashes, err := tlog.StoredHashesForRecordHash(t.Size, leaf, tlog.HashReaderFunc(t.read))
	if err != nil {
		return nil, err
	}
	first := tlog.StoredHashIndex(0, t.Size)
	t.Size++
	edge := make(map[int64]tlog.Hash, len(t.edge)+1)
	for _, p := range Edge(t.Size) {
		if p >= first {
			edge[p] = hashes[p-first]
		} else {
			edge[p] = t.edge[p]
		}
	}
	t.edge = edge
	return hashes, nil
}

// Root is the hash of the whole tree.
func (t *Tree) Root() (tlog.Hash, error) {
	return tlog.TreeHash(t.Size, tlog.HashReaderFunc(t.read))
}

func (t *Tree) read(positions []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(positions))
	for i, p := range positions {
		h, ok := t.edge[p]
		if !ok {
			return nil, fmt.Errorf("hash %d is not on the edge of a tree of %d leaves", p, t.Size)
		}
		hashes[i] = h
	}
	return hashes, nil
}
