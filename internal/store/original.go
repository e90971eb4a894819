package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"postdesk/internal/ticket"
)

// Original is the bytes of one mail as they are stored: compressed, under the SHA-256 of the bytes before compression.
type Original struct {
	SHA256 string // lower-case hexadecimal
	Size   int64  // bytes before compression
	Codec  string // "zstd", or "raw" where compressing gains nothing
	Data   []byte
}

// maxOriginal bounds what an original may claim to hold, in bytes; a mail is far below.
const maxOriginal = 1 << 30

// Encoder and decoder are safe for concurrent use in their whole-buffer form, and costly to make.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // our own options
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxOriginal))
		if err != nil {
			panic(err) // our own options
		}
		return d
	})
)

// Pack hashes and compresses the bytes of a mail. It touches no database: call it before the transaction, in parallel.
func Pack(raw []byte) Original {
	sum := sha256.Sum256(raw)
	o := Original{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(raw)), Codec: "zstd"}
	o.Data = encoder().EncodeAll(raw, make([]byte, 0, len(raw)/2+64))
	if len(o.Data) >= len(raw) {
		o.Codec, o.Data = "raw", append([]byte{}, raw...)
	}
	return o
}

var errDamaged = errors.New("the stored bytes are damaged")

// Bytes returns the mail's bytes and checks them against the hash.
func (o Original) Bytes() ([]byte, error) {
	raw := o.Data
	if o.Codec == "zstd" {
		var err error
		if raw, err = decoder().DecodeAll(o.Data, make([]byte, 0, min(max(o.Size, 0), 1<<20))); err != nil {
			return nil, fmt.Errorf("original %s: %w: %w", o.SHA256, errDamaged, err)
		}
	} else if o.Codec != "raw" {
		return nil, fmt.Errorf("original %s: %w: unknown codec", o.SHA256, errDamaged)
	}
	sum := sha256.Sum256(raw)
	if hex.EncodeToString(sum[:]) != o.SHA256 || int64(len(raw)) != o.Size {
		return nil, fmt.Errorf("original %s: %w: they do not have this hash", o.SHA256, errDamaged)
	}
	return raw, nil
}

// Original returns the bytes of the mail with this SHA-256, decompressed and checked against it.
func (q Queries) Original(ctx context.Context, sha256 string) ([]byte, error) {
	db, err := q.open(ctx)
	if err != nil {
		return nil, err
	}
	var found []Original
	query := "SELECT sha256, size, codec, data FROM original WHERE sha256 = ?"
	if err := db.Raw(query, sha256).Scan(&found).Error; err != nil {
		return nil, fmt.Errorf("original %s: %w", sha256, classify(err))
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("original %s: %w", sha256, ticket.ErrNotFound)
	}
	return found[0].Bytes()
}
