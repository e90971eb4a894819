package account

import (
	"context"
	"sync"
)

// Notebook is a Book in memory, for the demonstration and for tests. The zero value is empty and ready.
type Notebook struct {
	mu      sync.Mutex
	entries []Entry
}

// Add appends an entry.
func (n *Notebook) Add(_ context.Context, e Entry) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries = append(n.entries, e)
	return nil
}

// Latest returns the newest entry.
func (n *Notebook) Latest(_ context.Context, ref, field string) (Result[Entry], error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.entries) - 1; i >= 0; i-- {
		if e := n.entries[i]; e.Ref == ref && e.Field == field {
			return known(e, e.At), nil
		}
	}
	return Result[Entry]{}, nil
}
