package store_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"testing"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
)

func TestFault_FullDiskFailsCleanlyAndHeals(t *testing.T) {
	s := storetest.Open(t)
	mail(t, s, 1)
	if err := s.Exec(noContext, "PRAGMA max_page_count = 1"); err != nil { // SQLite rounds up to the present size
		t.Fatal(err)
	}
	var full error
	for uid := uint32(2); uid < 100 && full == nil; uid++ {
		full = s.Write(noContext, "system", func(tx *store.Tx) error {
			intake(tx, "support", uid, bytes.Repeat([]byte(fmt.Sprint(uid, " does not compress: ", store.Pack(fmt.Append(nil, uid)).SHA256)), 40))
			return nil
		})
	}
	if !errors.Is(full, store.ErrFull) {
		t.Fatalf("error %v", full)
	}
	if r := verify(t, s, store.VerifyOptions{}); !r.OK {
		t.Errorf("after the failure: %+v", r.Failures)
	}
	if err := s.Exec(noContext, "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	mail(t, s, 200)
	if r := verify(t, s, store.VerifyOptions{}); !r.OK {
		t.Errorf("after it healed: %+v", r.Failures)
	}
}

// TestFault_FullDiskInAGroup holds that when several writers share a transaction that runs into the full disk, each of them
// is told the truth about its own changes.
func TestFault_FullDiskInAGroup(t *testing.T) {
	s := storetest.Open(t)
	mail(t, s, 1)
	if err := s.Exec(noContext, "PRAGMA max_page_count = 120"); err != nil {
		t.Fatal(err)
	}
	const writers = 40
	var mu sync.Mutex
	done := make(map[uint32]bool)
	var wg sync.WaitGroup
	for uid := uint32(2); uid < 2+writers; uid++ {
		wg.Go(func() {
			err := s.Write(noContext, "system", func(tx *store.Tx) error {
				intake(tx, "support", uid, bytes.Repeat(fmt.Append(nil, uid, "x"), 3000))
				return nil
			})
			if err != nil && !errors.Is(err, store.ErrFull) {
				t.Errorf("uid %d: %v", uid, err)
			}
			mu.Lock()
			defer mu.Unlock()
			done[uid] = err == nil
		})
	}
	wg.Wait()
	rows, err := s.InboundRange(noContext, "support", 1, 2, 1000)
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[uint32]bool)
	for _, r := range rows {
		stored[r.UID] = true
	}
	failed := 0
	for uid, ok := range done {
		if stored[uid] != ok {
			t.Errorf("uid %d: told %v, stored %v", uid, ok, stored[uid])
		}
		if !ok {
			failed++
		}
	}
	if failed == 0 {
		t.Error("the disk never ran full")
	}
	if r := verify(t, s, store.VerifyOptions{}); !r.OK {
		t.Errorf("%+v", r.Failures)
	}
}

// envLock makes this test binary hold the write lock of the file named until its standard input ends.
const envLock = "POSTDESK_TEST_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(envLock); path != "" {
		holdLock(path)
		return
	}
	os.Exit(m.Run())
}

func TestFault_FileLockedByAnotherProcess(t *testing.T) {
	url := storetest.SQLiteURL(t)
	s := storetest.OpenURL(t, url+"?_busy_timeout=50")
	mail(t, s, 1)
	release := lockElsewhere(t, strings.TrimPrefix(url, "sqlite:"))
	var wg sync.WaitGroup
	for uid := uint32(2); uid < 6; uid++ {
		wg.Go(func() {
			err := s.Write(noContext, "system", func(tx *store.Tx) error {
				intake(tx, "support", uid, fmt.Append(nil, uid))
				return nil
			})
			if !errors.Is(err, store.ErrBusy) {
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if _, err := s.Ticket(noContext, 1); err != nil {
		t.Errorf("reading has to work meanwhile: %v", err)
	}
	release()
	mail(t, s, 2)
	if r := verify(t, s, store.VerifyOptions{}); !r.OK || r.Events != 6 {
		t.Errorf("%+v", r)
	}
}

// lockElsewhere starts a process that holds the write lock and returns what ends it.
func lockElsewhere(t *testing.T, path string) (release func()) {
	t.Helper()
	cmd := osexec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envLock+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("process that held the lock: %v", err)
		}
	})
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("process that should hold the lock: %q, %v", line, err)
	}
	return release
}

func holdLock(path string) {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err == nil {
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func TestFault_LostConnectionsAreReplaced(t *testing.T) {
	url := storetest.PostgresURL(t)
	s := storetest.OpenURL(t, url)
	mail(t, s, 1)
	err := s.Write(noContext, "system", func(tx *store.Tx) error {
		intake(tx, "support", 2, []byte("two"))
		if _, err := tx.Ticket(noContext, 1); err != nil {
			t.Error(err)
		}
		kill := "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%ticket%'"
		exec(t, behind(t, url), kill)
		_, err := tx.Ticket(noContext, 1)
		return err
	})
	if err == nil {
		t.Fatal("the connection was killed and nothing happened")
	}
	if rows, err := s.InboundRange(noContext, "support", 1, 0, 99); err != nil || len(rows) != 1 {
		t.Errorf("rows %v, %v", rows, err)
	}
	mail(t, s, 2)
	if r := verify(t, s, store.VerifyOptions{}); !r.OK {
		t.Errorf("%+v", r.Failures)
	}
}
