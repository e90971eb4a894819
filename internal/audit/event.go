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

// Leaf returns the canonical bytes of the event, which the tree hashes as one record. The position in the tree is not part
// of them.
func (e Event) Leaf() []byte {
	return Leaf(e.Seq, e.At.UnixMicro(), e.Actor, e.Kind, e.Ticket, string(e.Data), RowsText(e.Rows))
}

// RowsText is the JSON text of row digests as it is stored and hashed: an array, "[]" when there are none.
func RowsText(rows []RowDigest) string {
	if len(rows) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(rows) // strings always have a JSON form
	return string(text)
}

// Leaf is the leaf of an event whose parts are given as they are stored: the time in microseconds since 1970, data and rows
// as JSON text. Every part is preceded by its length in bytes, so no two events share a form.
func Leaf(seq, at int64, actor, kind string, ticket int64, data, rows string) []byte {
	b := make([]byte, 0, 96+len(data)+len(rows))
	b = append(b, "postdesk event 1\n"...)
	b = appendPart(b, strconv.FormatInt(seq, 10))
	b = appendPart(b, strconv.FormatInt(at, 10))
	b = appendPart(b, actor)
	b = appendPart(b, kind)
	b = appendPart(b, strconv.FormatInt(ticket, 10))
	b = appendPart(b, data)
	return appendPart(b, rows)
}

func appendPart(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	b = append(b, s...)
	return append(b, '\n')
}
