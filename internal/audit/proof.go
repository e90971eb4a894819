package audit

import (
	"bytes"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that one event is part of the record a signed checkpoint commits to, without showing any other event.
type Proof struct {
	Event      Event            `json:"event"`
	Leaf       int64            `json:"leaf"` // position in the tree, from 0
	Path       tlog.RecordProof `json:"path"`
	Checkpoint string           `json:"checkpoint"` // a signed note
}

// Check verifies the proof with nothing but the public key: the checkpoint's signature, and that the event is the leaf it
// claims to be. White space in the event's data does not matter, because stored data has none.
func (p Proof) Check(verifierKey string) error {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return fmt.Errorf("verifier key: %w", err)
	}
	signed, err := OpenCheckpoint([]byte(p.Checkpoint), verifier)
	if err != nil {
		return err
	}
	event := p.Event
	if len(event.Data) > 0 {
		var data bytes.Buffer
		if err := json.Compact(&data, event.Data); err != nil {
			return fmt.Errorf("event %d: %w", event.Seq, err)
		}
		event.Data = data.Bytes()
	}
	if p.Leaf < 0 || p.Leaf >= signed.Size {
		return fmt.Errorf("event %d: leaf %d is not among the %d the checkpoint signs", event.Seq, p.Leaf, signed.Size)
	}
	if err := tlog.CheckRecord(p.Path, signed.Size, signed.Root, p.Leaf, tlog.RecordHash(event.Leaf())); err != nil {
		return fmt.Errorf("event %d is not what the checkpoint signs: %w", event.Seq, err)
	}
	return nil
}
