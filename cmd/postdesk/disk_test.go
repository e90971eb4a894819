package main

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

// TestDisk_Full fills the disk of the database under a running service. Nothing is lost, the log says what is wrong, and the
// service goes on by itself when there is space again.
func TestDisk_Full(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	grow := smallDisk(t, filepath.Join(o.dir, "small"))
	o.edit("sqlite:postdesk.db", "sqlite:small/postdesk.db")
	o.run("migrate")
	s := o.serve()
	total := 0
	o.until("the disk is full and the log says so", func() bool {
		for range 20 {
			imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, total*5)) // every one with 20 KB that do not compress
			total++
		}
		return s.log.has("no space left for the database")
	})
	o.run("ticket", "list") // what is there can be read
	grow()
	o.settled(total)
	s.stop()
	checkExactlyOnce(t, o, sink, total)
}

// smallDisk mounts a file system of 2 MB, where the test may, and returns what makes it larger.
func smallDisk(t *testing.T, dir string) (grow func()) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system can be mounted as root only: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	return func() {
		if out, err := exec.Command("mount", "-o", "remount,size=200m", dir).CombinedOutput(); err != nil {
			t.Fatalf("remount: %v %s", err, out)
		}
	}
}

// TestDisk_DatabaseLocked has another program keep the database locked for longer than the service waits.
func TestDisk_DatabaseLocked(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0))
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	s := o.serve()
	o.settled(1)
	db, err := sql.Open("sqlite3", filepath.Join(o.dir, "postdesk.db")+"?_txlock=immediate&_busy_timeout=60000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 1), letterTo(supportAddress, 2))
	o.until("the log says so", func() bool { return s.log.has("database is locked by another process") })
	if n := o.box().Counts[ticket.Ticketed]; n != 1 {
		t.Errorf("%d mails were taken in behind the lock", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	o.settled(3)
	s.stop()
	checkExactlyOnce(t, o, sink, 3)
}
