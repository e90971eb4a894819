package store_test

import (
	"bytes"
	"testing"

	"postdesk/internal/store"
)

// FuzzOriginal holds that stored bytes come back as they were or not at all, whatever became of them.
func FuzzOriginal(f *testing.F) {
	f.Add([]byte("Subject: x\r\n\r\n"), 3, byte(1))
	f.Add(bytes.Repeat([]byte("abc "), 500), 12, byte(0x80))
	f.Fuzz(func(t *testing.T, raw []byte, at int, flip byte) {
		o := store.Pack(raw)
		if got, err := o.Bytes(); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("%d bytes came back as %d, %v", len(raw), len(got), err)
		}
		if len(o.Data) == 0 {
			return
		}
		o.Data[(at%len(o.Data)+len(o.Data))%len(o.Data)] ^= flip
		if got, err := o.Bytes(); err == nil && !bytes.Equal(got, raw) {
			t.Errorf("damaged bytes were taken for the mail")
		}
	})
}
