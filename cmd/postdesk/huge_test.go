package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
)

// mostMemory is what the service may ever hold, in MB of resident memory.
const mostMemory = 150

// frugal holds the high-water mark of a service's memory against its limit.
func frugal(t *testing.T, s *serving) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc on this system: ", err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak memory %d MB", kb>>10)
	if kb>>10 > mostMemory {
		t.Errorf("the service needed %d MB, want at most %d", kb>>10, mostMemory)
	}
}

// TestT1_7_HugeMailAmongMany puts a mail of 60 MB between ordinary ones.
func TestT1_7_HugeMailAmongMany(t *testing.T) {
	t.Parallel()
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	for n := range 10 {
		imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, n))
	}
	dropFile(t, imap, supportUser, fmt.Sprintf("%d.huge", time.Now().Unix()), func(f *os.File) error { return writeHuge(f, 60<<20) })
	for n := range 10 {
		imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 10+n))
	}
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	s := o.serve()
	o.settled(21)
	frugal(t, s)
	s.stop()
	checkExactlyOnce(t, o, sink, 21)
	big := slices.DeleteFunc(read[[]desk.TicketView](o, "ticket", "list", "--full"), func(v desk.TicketView) bool {
		return v.Customer.Address != "photographer@pictures.example"
	})
	if len(big) != 1 || !slices.Contains(big[0].Messages[0].Problems, "too_large") || big[0].Subject != "All my photographs" {
		t.Fatalf("the big mail became %+v", big)
	}
	if answer := big[0].Messages[1]; answer.Template != "intake.too_large" {
		t.Errorf("the big mail was answered with %s", answer.Template)
	}
}

// writeHuge writes a mail with one attachment of about that many octets.
func writeHuge(f *os.File, octets int) error {
	w := bufio.NewWriter(f)
	fmt.Fprint(w, "From: Photographer <photographer@pictures.example>\nTo: support@okpay.example\nSubject: All my photographs\n"+
		"Message-ID: <huge@pictures.example>\nDate: "+time.Now().UTC().Format(time.RFC1123Z)+"\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHere they are.\n\n"+
		"--b\nContent-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\n")
	line := append(bytes.Repeat([]byte("QUJD"), 19), '\n')
	for written := 0; written < octets; written += len(line) {
		w.Write(line)
	}
	fmt.Fprint(w, "--b--\n")
	return w.Flush()
}

// TestHuge_Mailbox starts on a mailbox with 100,000 messages that were there before.
func TestHuge_Mailbox(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 files take a while")
	}
	t.Parallel()
	const old = 100_000
	imap := mailtest.Dovecot(t)
	sink := mailtest.SMTPScript(t, nil)
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 0))
	fillWithLinks(t, imap, old-1)
	o := openOffice(t, "sqlite:", imap, sink.Host, sink.Port, "")
	o.edit("start: all", "start: from_now")
	s := o.serve()
	o.until("the mailbox is watched", func() bool { return o.box().State == "idle" })
	if b := o.box(); b.LastUID != old || taken(o) != 0 {
		t.Fatalf("with start: from_now the service began at UID %d of %d and took %d mails", b.LastUID, old, taken(o))
	}
	imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, 1))
	o.settled(1)
	frugal(t, s)
	s.stop()
	checkExactlyOnce(t, o, sink, 1)
}

// fillWithLinks makes n messages of a few files with many names each, which is quick; a file system allows some ten thousand.
func fillWithLinks(t *testing.T, s *mailtest.Server, n int) {
	t.Helper()
	dir := filepath.Join(maildir(s, supportUser), "new")
	for i := range n {
		name := fmt.Sprintf("%d.M%dP1.old", 1_600_000_000+i, i)
		if i%10_000 == 0 {
			dropFile(t, s, supportUser, name, func(f *os.File) error {
				_, err := f.WriteString("From: a@b.example\nSubject: old\n\nold\n")
				return err
			})
			continue
		}
		first := fmt.Sprintf("%d.M%dP1.old", 1_600_000_000+i-i%10_000, i-i%10_000)
		if err := os.Link(filepath.Join(dir, first), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
