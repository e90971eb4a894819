package store

import (
	"encoding/json"
	"fmt"

	"postdesk/internal/audit"
)

// eventRow is an event as the table holds it.
type eventRow struct {
	Seq        int64 `gorm:"primaryKey"`
	At         int64
	Actor      string
	Kind       string
	Ticket     int64
	Data       string
	RowDigests string
	Leaf       *int64
}

// TableName implements gorm's Tabler.
func (eventRow) TableName() string { return "event" }

// event restores what was recorded. It fails when the text is not the form in which the store writes it.
func (r eventRow) event() (audit.Event, error) {
	e := audit.Event{Seq: r.Seq, At: fromMicros(r.At), Actor: r.Actor, Kind: r.Kind, Ticket: r.Ticket}
	if r.Data != "" {
		e.Data = json.RawMessage(r.Data)
	}
	if err := json.Unmarshal([]byte(r.RowDigests), &e.Rows); err != nil {
		return e, fmt.Errorf("event %d: row digests: %w", r.Seq, err)
	}
	if audit.RowsText(e.Rows) != r.RowDigests {
		return e, fmt.Errorf("event %d: row digests are not as they were written", r.Seq)
	}
	return e, nil
}

// leaf is the event's leaf, from its bytes as they stand.
func (r eventRow) leaf() []byte {
	return audit.Leaf(r.Seq, r.At, r.Actor, r.Kind, r.Ticket, r.Data, r.RowDigests)
}
