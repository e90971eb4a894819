package main

import (
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postdesk/internal/mailtest"
)

// Customers and those who pretend to be: they write through a real Postfix and read their mail in a real Dovecot.

// post hands a mail to a mail server, the way another mail server does.
func post(t *testing.T, m *mailtest.MTA, from, to string, raw []byte) {
	t.Helper()
	if err := hand(m, from, to, raw); err != nil {
		t.Fatalf("post from %s to %s: %v", from, to, err)
	}
}

func hand(m *mailtest.MTA, from, to string, raw []byte) error {
	c, err := smtp.Dial(fmt.Sprintf("%s:%d", m.Host, m.Port))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, domain, ok := strings.Cut(from, "@"); ok {
		if err := c.Hello(domain); err != nil {
			return err
		}
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// inbox is what lies in a user's mailbox, oldest first.
func inbox(t *testing.T, s *mailtest.Server, user string) []string {
	t.Helper()
	var mails []string
	for _, file := range mailFilesOf(t, s, user) {
		raw, err := os.ReadFile(file)
		if os.IsNotExist(err) { // the server has just moved it from new to cur
			return inbox(t, s, user)
		}
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, string(raw))
	}
	return mails
}

// mailFilesOf lists the files of a user's mails, oldest first.
func mailFilesOf(t *testing.T, s *mailtest.Server, user string) (files []string) {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		found, err := filepath.Glob(filepath.Join(maildir(s, user), sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return files
}

func maildir(s *mailtest.Server, user string) string {
	return filepath.Join(s.Dir, "mail", user, "Maildir")
}

// drop puts mails straight into a user's folder, which must exist, as a delivery agent does: also while the server is down.
func drop(t *testing.T, s *mailtest.Server, user string, mails ...[]byte) {
	t.Helper()
	for i, raw := range mails {
		dropFile(t, s, user, fmt.Sprintf("%d.M%dP%d.drop", time.Now().Unix(), time.Now().UnixNano(), i), func(f *os.File) error {
			_, err := f.WriteString(strings.ReplaceAll(string(raw), "\r\n", "\n"))
			return err
		})
	}
}

// dropFile writes one mail into the tmp folder and then moves it into new, as the Maildir rules want.
func dropFile(t *testing.T, s *mailtest.Server, user, name string, write func(*os.File) error) {
	t.Helper()
	owner, err := os.Stat(filepath.Join(maildir(s, user), "new"))
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(maildir(s, user), "tmp", name)
	f, err := os.Create(tmp)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	if err := sameOwner(tmp, owner); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(maildir(s, user), "new", name)); err != nil {
		t.Fatal(err)
	}
}
