package main

import (
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

func (o *office) box() desk.MailboxView {
	o.t.Helper()
	return read[[]desk.MailboxView](o, "mailbox", "status")[0]
}

// troubled waits until the status shows that the mailbox is out of reach, and why.
func (o *office) troubled(why string) {
	o.t.Helper()
	o.until("mailbox status shows the trouble: "+why, func() bool {
		b := o.box()
		return b.State == "backoff" && b.LastError != "" && strings.Contains(b.LastError, why)
	})
}

// settled waits until so many mails have their outcome, every answer its end and the mailbox is watched.
func (o *office) settled(mails int) {
	o.t.Helper()
	o.until(fmt.Sprintf("%d mails have their outcome and their answers have left", mails), func() bool {
		return taken(o) >= mails && allFinal(o.deliveries())
	})
	o.until("the mailbox is idle", func() bool { return o.box().State == "idle" })
}

// TestWatching_ServerComesAndGoes has one service live through everything that may happen to its IMAP server.
func TestWatching_ServerComesAndGoes(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0))
	sink := mailtest.SMTPScript(t, nil)
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "intake: {batch: 5}\n") // small batches, so that it is easily interrupted
	imap.Stop()
	s := o.serve()

	o.troubled("refused") // down at the start
	imap.Start(t)
	o.settled(1)

	killedInTheMiddle(t, o, imap, 150)
	o.settled(151)

	renumbered(t, o, imap, 151)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 151))
	o.until("mail comes in as before", func() bool { return o.box().Counts[ticket.Ticketed] == 152 })
	o.settled(152)
	s.stop()
	checkExactlyOnce(t, o, sink, 152)
}

// killedInTheMiddle kills the server while the service reads n mails, and starts it again.
func killedInTheMiddle(t *testing.T, o *office, imap *mailtest.Server, n int) {
	t.Helper()
	var mails [][]byte
	for i := range n {
		mails = append(mails, letterTo(supportAddress, 1+i))
	}
	before := taken(o)
	drop(t, imap, supportUser, mails...)
	o.until("some of them are in", func() bool { return taken(o) > before })
	imap.Kill()
	t.Logf("the server died after %d of %d mails", taken(o)-before, n)
	o.troubled("")
	imap.Start(t)
}

// renumbered gives the folder another UIDVALIDITY, as a restore from a backup does: every mail comes again under a new UID.
func renumbered(t *testing.T, o *office, imap *mailtest.Server, n int) {
	t.Helper()
	before := o.box()
	imap.Stop()
	indexes, err := filepath.Glob(filepath.Join(maildir(imap, supportUser), "dovecot*"))
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no index files in %s: %v", maildir(imap, supportUser), err)
	}
	for _, file := range indexes {
		if filepath.Base(file) == "dovecot-keywords" {
			continue
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	imap.Start(t)
	o.until("every mail is known again under its new UID", func() bool {
		b := o.box()
		return b.UIDValidity != before.UIDValidity && b.Counts[ticket.Duplicate] == n
	})
	if got := o.box().Counts[ticket.Ticketed]; got != before.Counts[ticket.Ticketed] {
		t.Errorf("%d mails were ticketed before the renumbering and %d after", before.Counts[ticket.Ticketed], got)
	}
}

// TestT1_8_RenumberedAfterFromNow renumbers a mailbox whose old mails were left alone: they still are.
func TestT1_8_RenumberedAfterFromNow(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0)) // makes the folder
	for n := range 20 {
		drop(t, imap, supportUser, letterTo(supportAddress, 100+n))
	}
	lastYear := time.Now().AddDate(-1, 0, 0)
	for _, file := range mailFilesOf(t, imap, supportUser) {
		if err := os.Chtimes(file, lastYear, lastYear); err != nil { // Dovecot's INTERNALDATE
			t.Fatal(err)
		}
	}
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	o.edit("start: all", "start: from_now")
	s := o.serve()
	o.until("the mailbox is watched", func() bool { return o.box().State == "idle" })
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 1))
	o.settled(1)
	renumbered(t, o, imap, 1)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 2))
	o.until("mail comes in as before", func() bool { return o.box().Counts[ticket.Ticketed] >= 2 })
	o.settled(3)
	s.stop()
	if n := o.box().Counts; n[ticket.Ticketed] != 2 || n[ticket.Duplicate] != 1 {
		t.Errorf("after the renumbering: %v", n)
	}
	checkExactlyOnce(t, o, sink, 2)
}

// TestWatching_FrozenServer stops the server's processes, so that connections stand and nothing answers.
func TestWatching_FrozenServer(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0), letterTo(supportAddress, 1))
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	s := o.serve()
	o.settled(2)
	imap.Freeze()
	drop(t, imap, supportUser, letterTo(supportAddress, 2))
	o.troubled("")
	if seen := o.run("mailbox", "status"); !strings.Contains(seen, "backoff") {
		t.Errorf("mailbox status prints\n%s", seen)
	}
	imap.Thaw()
	o.settled(3)
	s.stop()
	checkExactlyOnce(t, o, sink, 3)
}

// TestWatching_WrongPassword shows the refusal and goes on when the password is right, which is read anew at each log-in.
func TestWatching_WrongPassword(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0))
	sink := mailtest.SMTPScript(t, nil)
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	secret := filepath.Join(o.dir, "imap.password")
	o.edit(fmt.Sprintf("password: %q", imap.Password), "password_file: imap.password")
	if err := os.WriteFile(secret, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := o.serve()
	o.until("the status shows the refusal", func() bool { return o.box().State == "auth_failed" && o.box().LastError != "" })
	if err := os.WriteFile(secret, []byte(imap.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.settled(1)
	s.stop()
}
