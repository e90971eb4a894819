package store_test

import (
	"errors"
	"sync"
	"testing"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
)

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOpen_EmptyDatabaseWaitsForMigrate(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := open(t, url)
		if err := s.Write(t.Context(), "x", func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrSchemaOld) {
			t.Errorf("write: %v", err)
		}
		if _, err := s.Tickets(t.Context(), store.Filter{}); !errors.Is(err, store.ErrSchemaOld) {
			t.Errorf("query: %v", err)
		}
		from, to, err := s.Migrate(t.Context())
		if err != nil || from != 0 || to < 1 {
			t.Fatalf("migrated from %d to %d, %v", from, to, err)
		}
		mail(t, s, 1)
		if again, _, err := s.Migrate(t.Context()); err != nil || again != to {
			t.Errorf("second time from %d, %v", again, err)
		}
		mail(t, open(t, url), 2)
	})
}

func TestOpen_OlderProgramRefusesNewerSchema(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		exec(t, behind(t, url), "INSERT INTO schema_migration (version, name, checksum, at) VALUES (99, '0099_future.sql', '', 0)")
		if _, err := store.Open(t.Context(), store.Config{URL: url}); !errors.Is(err, store.ErrSchemaNew) {
			t.Errorf("open: %v", err)
		}
		if _, _, err := s.Migrate(t.Context()); !errors.Is(err, store.ErrSchemaNew) {
			t.Errorf("migrate: %v", err)
		}
	})
}

func TestOpen_EditedMigrationIsRefused(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		storetest.OpenURL(t, url)
		exec(t, behind(t, url), "UPDATE schema_migration SET checksum = 'x' WHERE version = 1")
		if _, err := store.Open(t.Context(), store.Config{URL: url}); err == nil {
			t.Error("opened")
		}
	})
}

func TestMigrate_ManyProcessesAtOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		var stores []*store.Store
		for range 4 {
			stores = append(stores, open(t, url))
		}
		var wg sync.WaitGroup
		for _, s := range stores {
			wg.Go(func() {
				if _, _, err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		mail(t, stores[0], 1)
	})
}

func TestOpen_BadURLsAreRefused(t *testing.T) {
	for _, url := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:/no/such/directory/x.db", "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"} {
		if s, err := store.Open(t.Context(), store.Config{URL: url}); err == nil {
			s.Close()
			t.Errorf("%q was opened", url)
		}
	}
}
