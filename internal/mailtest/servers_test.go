package mailtest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

func TestDovecotTakesAppendsAndSurvivesARestart(t *testing.T) {
	d := Dovecot(t)
	uids := d.Append(t, "support", "INBOX", []byte("Subject: one\r\n\r\n1\r\n"), []byte("Subject: two\r\n\r\n2\r\n"))
	if fmt.Sprint(uids) != "[1 2]" {
		t.Errorf("UIDs %v", uids)
	}
	d.Restart(t)
	c := d.Client(t, "support")
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if data.NumMessages != 2 || data.UIDNext != 3 {
		t.Errorf("%d messages, uidnext %d", data.NumMessages, data.UIDNext)
	}
	conn, err := tls.Dial("tcp", addr(d.TLSPort), d.TLS)
	if err != nil {
		t.Fatalf("TLS: %v", err)
	}
	conn.Close()
	d.Stop()
}

func TestPostfixKeepsMailForEveryAddress(t *testing.T) {
	m := Postfix(t)
	send(t, m, "support+t.abc@okpay.example")
	got := m.WaitReceived(t, 1)[0]
	if !strings.Contains(got, "X-Original-To: support+t.abc@okpay.example") || !strings.Contains(got, "Return-Path: <li@example.com>") {
		t.Errorf("envelope is missing in\n%s", got)
	}
}

func TestPostfixHandsMailToDovecot(t *testing.T) {
	d := Dovecot(t)
	m := PostfixTo(t, d)
	c := d.Client(t, "support")
	send(t, m, "support+t.abc@okpay.example")
	for n, limit := uint32(0), time.Now().Add(time.Minute); n == 0; {
		if time.Now().After(limit) {
			t.Fatalf("the mail did not arrive\n%s\n%s", m.Log(), d.Log())
		}
		data, err := c.Select("INBOX", nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		n = data.NumMessages
	}
}

// send submits one mail over STARTTLS.
func send(t *testing.T, m *MTA, to string) {
	t.Helper()
	c, err := smtp.Dial(addr(m.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []func() error{
		func() error { return c.StartTLS(m.TLS) },
		func() error { return c.Mail("li@example.com") },
		func() error { return c.Rcpt(to) },
		func() error { return write(c, "Subject: hello\r\n\r\nhello\r\n") },
		c.Quit,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func write(c *smtp.Client, text string) error {
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return w.Close()
}
