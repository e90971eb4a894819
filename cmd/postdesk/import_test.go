package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

func write(t *testing.T, file string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// mbox writes mails the way RFC 4155 says, with ">" before lines that would begin a mail.
func mbox(mails ...[]byte) []byte {
	var b bytes.Buffer
	for _, m := range mails {
		text := bytes.ReplaceAll(m, []byte("\r\n"), []byte("\n"))
		text = bytes.ReplaceAll(text, []byte("\nFrom "), []byte("\n>From "))
		fmt.Fprintf(&b, "From someone@mail.example Sun Nov 22 03:00:00 2026\n%s\n\n", bytes.TrimRight(text, "\n"))
	}
	return b.Bytes()
}

func TestImport_EveryForm(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	single := write(t, filepath.Join(o.dir, "one.eml"), letterTo(supportAddress, 1))
	quoted := letter("quoting@customer.example", "I quote", "They wrote:\nFrom here on it was broken.\n\nFrom my side that is all.")
	box := write(t, filepath.Join(o.dir, "many.mbox"), mbox(letterTo(supportAddress, 2), quoted, letterTo(supportAddress, 3)))
	dir := filepath.Join(o.dir, "Maildir")
	write(t, filepath.Join(dir, "new", "1.a"), letterTo(supportAddress, 4))
	write(t, filepath.Join(dir, "cur", "2.b:2,S"), letterTo(supportAddress, 6))
	write(t, filepath.Join(dir, "tmp", "3.c"), letterTo(supportAddress, 7)) // still being written
	write(t, filepath.Join(dir, "dovecot.index"), []byte("\x00\x01binary\nFrom: no\n"))
	write(t, filepath.Join(o.dir, "folder", "plain"), letterTo(supportAddress, 8))
	write(t, filepath.Join(o.dir, "folder", "notes.txt"), []byte("to do: buy bread\n"))

	for _, c := range []struct{ file, want string }{
		{single, "1 new, 0 duplicate, 0 quarantined\n"},
		{box, "3 new, 0 duplicate, 0 quarantined\n"},
		{dir, "2 new, 0 duplicate, 0 quarantined\nfiles in the folders that are no mails, left alone: 1\n"},
		{filepath.Join(o.dir, "folder"), "1 new, 0 duplicate, 0 quarantined\nfiles in the folders that are no mails, left alone: 1\n"},
		{box, "0 new, 3 duplicate, 0 quarantined\n"},
	} {
		if got := o.run("mail", "import", c.file); got != c.want {
			t.Errorf("mail import %s prints\n%swant\n%s", filepath.Base(c.file), got, c.want)
		}
	}
	if got := read[map[string]int](o, "mail", "import", single, dir); got["new"] != 0 || got["duplicate"] != 3 || got["quarantined"] != 0 {
		t.Errorf("mail import --json: %v", got)
	}
	for _, v := range read[[]desk.TicketView](o, "ticket", "list", "--full") {
		if v.Subject == "I quote" && !strings.Contains(v.Messages[0].Text, "\nFrom here on it was broken.") {
			t.Errorf("a line that begins with From was read as %q", v.Messages[0].Text)
		}
	}
	o.wholeRecord()
}

// TestImport_KilledAndRepeated kills an import in the middle and repeats it.
func TestImport_KilledAndRepeated(t *testing.T) {
	t.Parallel()
	const total = 1500
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	mails := make([][]byte, total)
	for n := range mails {
		mails[n] = letterTo(supportAddress, n)
	}
	box := write(t, filepath.Join(o.dir, "many.mbox"), mbox(mails...))
	cmd := o.command("mail", "import", box)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o.until("some of them are in", func() bool { return len(o.deliveries()) > 0 })
	cmd.Process.Kill()
	cmd.Wait()
	before := len(read[[]desk.TicketView](o, "ticket", "list"))
	got := read[map[string]int](o, "mail", "import", box)
	if got["new"] != total-before || got["duplicate"] != before {
		t.Errorf("after %d of %d mails the second import counts %v", before, total, got)
	}
	if n := len(read[[]desk.TicketView](o, "ticket", "list")); n != total || len(o.deliveries()) != total {
		t.Errorf("%d mails became %d tickets and %d answers", total, n, len(o.deliveries()))
	}
	t.Logf("killed after %d of %d mails", before, total)
	o.wholeRecord()
}

// TestImport_OldMailsAreNotAnswered imports the mails of a year ago: no customer wants an acknowledgement now.
func TestImport_OldMailsAreNotAnswered(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "sqlite:", nowhere, "127.0.0.1", 9, "")
	old := time.Now().AddDate(-1, 0, 0)
	raw := append([]byte("Received: from a.example by b.example; "+old.Format(time.RFC1123Z)+"\r\n"), letterTo(supportAddress, 1)...)
	o.run("mail", "import", write(t, filepath.Join(o.dir, "old.eml"), raw))
	if n := len(o.deliveries()); n != 0 {
		t.Errorf("a mail of last year has %d answers", n)
	}
	if v := read[desk.TicketView](o, "ticket", "show", "1"); v.Messages[0].At.Unix() != old.Unix() {
		t.Errorf("it is dated %v, want %v", v.Messages[0].At, old)
	}
}

// TestReconcile names the messages of a mailbox that have no outcome.
func TestReconcile(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0), letterTo(supportAddress, 1))
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	o.refused(1, "2 messages have no outcome", "mailbox", "reconcile") // before anything was read
	s := o.serve()
	o.settled(2)
	s.stop()
	if got := o.run("mailbox", "reconcile"); !strings.Contains(got, "2 messages on the server, 2 with an outcome") {
		t.Errorf("mailbox reconcile prints\n%s", got)
	}
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 2), letterTo(supportAddress, 3), letterTo(supportAddress, 4))
	out, _, _ := o.try("mailbox", "reconcile", "support")
	if !strings.Contains(out, "UIDs without an outcome: 3:5\n") {
		t.Errorf("mailbox reconcile prints\n%s", out)
	}
	o.refused(1, "other", "mailbox", "reconcile", "other")
	s = o.serve()
	o.settled(5)
	o.until("all are ticketed", func() bool { return o.box().Counts[ticket.Ticketed] == 5 })
	s.stop()
	o.run("mailbox", "reconcile")
}
