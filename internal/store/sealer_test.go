package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"postdesk/internal/audit"
	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

func TestSealer_TwoProcessesAndWritersMakeOneTree(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, c *clock) {
		signer, verifier := keys(t)
		files := [2]string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
		ctx, cancel := context.WithCancel(t.Context())
		var sealers, writers sync.WaitGroup
		for i, s := range []*store.Store{a, b} {
			sealer, err := store.NewSealer(s, store.SealerConfig{Key: signer, File: files[i], Every: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			sealers.Go(func() {
				if err := sealer.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			writers.Go(func() {
				for n := range uint32(20) {
					c.advance(time.Second) // leases run out under way
					mail(t, s, uint32(i)*100+n+1)
				}
			})
		}
		writers.Wait()
		cancel()
		sealers.Wait()
		if size := seal(t, a, signer, ""); size != 120 {
			t.Errorf("%d sealed, want 120", size)
		}
		for _, file := range files {
			kept, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if r := verify(t, a, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: kept}); !r.OK || r.TreeSize != 120 {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestSealNow_WhileAnotherProcessSealsIsAConflict(t *testing.T) {
	eachClock(t, func(t *testing.T, a, b *store.Store, c *clock) {
		signer, _ := keys(t)
		mail(t, a, 1)
		if err := a.Exec(noContext, fmt.Sprintf("INSERT INTO lease (name, owner, until, fence) VALUES ('seal', 'other', %d, 1)",
			c.Now().Add(time.Second).UnixMicro())); err != nil {
			t.Fatal(err)
		}
		sealer, err := store.NewSealer(b, store.SealerConfig{Key: signer})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sealer.SealNow(noContext); !errors.Is(err, ticket.ErrConflict) {
			t.Errorf("error %v", err)
		}
		c.advance(2 * time.Second)
		if size, err := sealer.SealNow(noContext); err != nil || size != 3 {
			t.Errorf("sealed %d, %v", size, err)
		}
	})
}

func TestSealer_ManyBatches(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		signer, verifier := keys(t)
		write(t, s, func(tx *store.Tx) error {
			for i := range 4500 {
				tx.Record("note", 0, map[string]int{"n": i})
			}
			return nil
		})
		if size := seal(t, s, signer, ""); size != 4500 {
			t.Errorf("sealed %d", size)
		}
		if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier}); !r.OK || r.TreeSize != 4500 {
			t.Errorf("%+v", r)
		}
		p, err := s.Prove(noContext, 2345)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(verifier); err != nil {
			t.Error(err)
		}
	})
}

func TestSealer_CheckpointFileIsWrittenOnceItCanBe(t *testing.T) {
	s := storetest.Open(t)
	signer, verifier := keys(t)
	dir := filepath.Join(t.TempDir(), "later")
	file := filepath.Join(dir, "checkpoints")
	sealer, err := store.NewSealer(s, store.SealerConfig{Key: signer, File: file})
	if err != nil {
		t.Fatal(err)
	}
	mail(t, s, 1)
	if _, err := sealer.SealNow(noContext); err == nil {
		t.Error("a file in no directory was written")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := sealer.SealNow(noContext); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(file)
	if err != nil || len(audit.SplitCheckpoints(kept)) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	if r := verify(t, s, store.VerifyOptions{VerifierKey: verifier, KeptCheckpoint: kept}); !r.OK {
		t.Errorf("%+v", r.Failures)
	}
}

func TestNewSealer_RefusesABadKey(t *testing.T) {
	_, verifier := keys(t)
	for _, key := range []string{"", "x", verifier} {
		if _, err := store.NewSealer(storetest.Open(t), store.SealerConfig{Key: key}); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}
