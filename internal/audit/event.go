// Package audit makes the record of what happened provable: events, the Merkle tree over them, and signed checkpoints.
//
// It stores nothing. The store keeps events and tree hashes; everything here is a function of bytes, so that a proof can be
// checked by someone who has only the proof and the public key.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Event says who did what to which ticket, and what the rows looked like afterwards. It never changes.
type Event struct {
	Seq    int64           `json:"seq"`
	At     time.Time       `json:"at"` // UTC, whole microseconds
	Actor  string          `json:"actor"`
	Kind   string          `json:"kind"`
	Ticket int64           `json:"ticket,omitzero"` // 0: about no single ticket
	Data   json.RawMessage `json:"data,omitzero"`
	Rows   []RowDigest     `json:"rows,omitzero"`
}

// RowDigest is the fingerprint of one row as the event left it.
type RowDigest struct {
	Row    string `json:"row"` // table and key: "ticket/17", "account/anna"
	SHA256 string `json:"sha256"`
}

// Digest returns the SHA-256, in lower-case hexadecimal, of the row's JSON form as encoding/json writes it: fields in the
// order of the struct, volatile ones (`json:"-"`) left out. So the order of fields must never change once rows exist, and a
// field added later must carry `omitzero`. It panics on a value that has no JSON form, which is a mistake in our own types.
func Digest(row any) string {
	text, err := json.Marshal(row)
	if err != nil {
		panic(fmt.Sprintf("digest of %T: %v", row, err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Leaf returns the canonical bytes of the event, which the tree hashes as one record. Every field is preceded by its length
// in bytes, so no two events share a form. The position in the tree is not part of it.
func (e Event) Leaf() []byte {
	b := make([]byte, 0, 256+len(e.Data)+96*len(e.Rows))
	b = append(b, "postdesk event 1\n"...)
	b = appendField(b, strconv.FormatInt(e.Seq, 10))
	b = appendField(b, strconv.FormatInt(e.At.UnixMicro(), 10))
	b = appendField(b, e.Actor)
	b = appendField(b, e.Kind)
	b = appendField(b, strconv.FormatInt(e.Ticket, 10))
	b = appendField(b, string(e.Data))
	for _, r := range e.Rows {
		b = appendField(b, r.Row)
		b = appendField(b, r.SHA256)
	}
	return b
}

func appendField(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	b = append(b, s...)
	return append(b, '\n')
}
