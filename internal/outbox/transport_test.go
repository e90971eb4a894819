package outbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"postdesk/internal/ticket"
)

// Every way in which TLS cannot be had as configured ends before a mail or a password is told.
func TestT5_10_NoFallbackToPlainText(t *testing.T) {
	cert, trust := certificate(t)
	for name, c := range map[string]struct {
		server *server
		tls    TLS
		client *tls.Config
	}{
		"STARTTLS not offered":     {&server{}, StartTLS, trust},
		"STARTTLS refused":         {&server{cert: cert, script: always("STARTTLS", "454 4.7.0 not now")}, StartTLS, trust},
		"STARTTLS then nothing":    {&server{cert: cert, script: always("STARTTLS", "drop")}, StartTLS, trust},
		"unknown issuer":           {&server{cert: cert}, StartTLS, nil},
		"unknown issuer, implicit": {&server{cert: cert, implicit: true}, Implicit, nil},
		"plain server, implicit":   {&server{}, Implicit, trust},
		"other name":               {&server{cert: cert}, StartTLS, &tls.Config{RootCAs: trust.RootCAs, ServerName: "mail.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.password = "secret"
			cfg := c.server.listen(t)
			cfg.TLS, cfg.TLSConfig = c.tls, c.client
			cfg.Username, cfg.Password = "desk", func() (string, error) { return "secret", nil }
			cfg.Deadlines.Dial, cfg.Deadlines.Command = 300*time.Millisecond, 300*time.Millisecond
			if _, err := Check(context.Background(), cfg); err == nil {
				t.Error("Check found nothing wrong")
			}
			q := newQueue(t)
			q.put(Job{})
			w, stop := work(t, cfg, q)
			q.await("given back", func(r row) bool { return len(r.trace) >= 3 && r.state == ticket.Queued && r.job.Attempts == 0 })
			eventually(t, "the state shows the pause and why", func() bool { s := w.State(); return s.Paused && s.Reason != "" })
			stop()
			for _, line := range c.server.said() {
				if strings.HasPrefix(line, "AUTH") || strings.HasPrefix(line, "MAIL") {
					t.Errorf("the server heard %q", line)
				}
			}
		})
	}
}

func TestT5_10_TLSAsConfigured(t *testing.T) {
	cert, trust := certificate(t)
	for _, how := range []TLS{Implicit, StartTLS} {
		srv, q := &server{cert: cert, implicit: how == Implicit, password: "secret"}, newQueue(t)
		cfg := srv.listen(t)
		cfg.TLS, cfg.TLSConfig, cfg.Username = how, trust, "desk"
		cfg.Password = func() (string, error) { return "secret", nil }
		report, err := Check(context.Background(), cfg)
		if err != nil || report.TLS != "TLS 1.3" || !report.LoggedIn || !strings.Contains(strings.Join(report.Extensions, "\n"), "SIZE 30000000") {
			t.Errorf("Check: %+v, %v", report, err)
		}
		q.put(Job{})
		_, stop := work(t, cfg, q)
		q.awaitState(ticket.Accepted)
		stop()
		if len(srv.mails()) != 1 {
			t.Errorf("%s: %d mails", how, len(srv.mails()))
		}
	}
}

func TestT5_10_PlainTextOnlyTowardsLoopback(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "mail.example": false, "192.0.2.1": false} {
		if _, err := New(Config{Host: host, TLS: None}, newQueue(t), slog.New(slog.DiscardHandler)); (err == nil) != want {
			t.Errorf("tls none towards %s: %v", host, err)
		}
	}
	if _, err := New(Config{Host: "mail.example", TLS: None, Insecure: true}, newQueue(t), slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("insecure: %v", err)
	}
	if _, err := New(Config{Host: "mail.example", TLS: "opportunistic"}, newQueue(t), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an unknown TLS mode is accepted")
	}
}

func TestT5_10_NothingPersonalInTheLog(t *testing.T) {
	var log bytes.Buffer // slog handlers serialise their writes
	srv, q := &server{password: "right"}, newQueue(t)
	srv.script = once("RCPT", "550 5.1.1 <kunde1@example.com>: no such user")
	cfg := srv.listen(t)
	secret := "wrong-Geheim-7"
	cfg.Username, cfg.Password = "desk", func() (string, error) { return secret, nil }
	run := func(until ticket.DeliveryState) {
		w, err := New(cfg, q, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		q.await("tried", func(r row) bool { return len(r.trace) >= 3 && r.state == until })
		cancel()
		<-done
	}
	q.put(Job{})
	run(ticket.Queued)
	secret = "right"
	run(ticket.Failed)
	if !q.get(1).result.Suppress {
		t.Error("no hint that the mailbox does not exist")
	}
	for _, word := range []string{"Geheim", "kunde1", "example.com", "hello"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("%q in the log:\n%s", word, log.String())
		}
	}
}

func TestT5_11_DSNIsRequestedWhereOffered(t *testing.T) {
	for name, c := range map[string]struct {
		extensions []string
		job        Job
		mail, rcpt string
	}{
		"everything offered": {allExtensions, Job{ID: 17}, "MAIL FROM:<support@desk.test> SIZE=9 RET=HDRS ENVID=17", "RCPT TO:<kunde17@example.com> NOTIFY=FAILURE,DELAY"},
		"nothing offered":    {[]string{}, Job{ID: 17}, "MAIL FROM:<support@desk.test>", "RCPT TO:<kunde17@example.com>"},
		"null sender":        {allExtensions, Job{MailFrom: "<>"}, "MAIL FROM:<> SIZE=9", "RCPT TO:<kunde1@example.com>"},
		"8 bit":              {allExtensions, Job{Raw: []byte("A: \xc3\xa4\r\n\r\n\r\n")}, "MAIL FROM:<support@desk.test> SIZE=11 BODY=8BITMIME RET=HDRS ENVID=1", "RCPT TO:<kunde1@example.com> NOTIFY=FAILURE,DELAY"},
		"IDN":                {[]string{}, Job{To: "info@bücher.example"}, "MAIL FROM:<support@desk.test>", "RCPT TO:<info@xn--bcher-kva.example>"},
		"SMTPUTF8":           {[]string{"SMTPUTF8", "8BITMIME"}, Job{To: "用户@bücher.example"}, "MAIL FROM:<support@desk.test> SMTPUTF8", "RCPT TO:<用户@xn--bcher-kva.example>"},
		"SMTPUTF8 unneeded":  {[]string{"SMTPUTF8", "8BITMIME"}, Job{}, "MAIL FROM:<support@desk.test>", "RCPT TO:<kunde1@example.com>"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, q := &server{extensions: c.extensions}, newQueue(t)
			if c.job.Raw == nil {
				c.job.Raw = []byte("A: bc\r\n\r\n")
			}
			q.put(c.job)
			_, stop := work(t, srv.listen(t), q)
			q.awaitState(ticket.Accepted)
			stop()
			said := strings.Join(srv.said(), "\n")
			if !strings.Contains(said, "\n"+c.mail+"\n"+c.rcpt+"\n") {
				t.Errorf("the server heard\n%s\nwant\n%s\n%s", said, c.mail, c.rcpt)
			}
		})
	}
}

func TestUnsendableIsRefusedWithoutTellingTheServer(t *testing.T) {
	for name, c := range map[string]struct {
		job        Job
		extensions []string
	}{
		"bare LF":                     {Job{Raw: []byte("Subject: a\n\nb\r\n")}, nil},
		"bare CR":                     {Job{Raw: []byte("Subject: a\r\n\r\nb\rc\r\n")}, nil},
		"smuggled end":                {Job{Raw: []byte("a\r\n\n.\r\nMAIL FROM:<x@y>\r\n")}, nil},
		"no line end":                 {Job{Raw: []byte("Subject: a")}, nil},
		"empty":                       {Job{Raw: []byte{}}, nil},
		"command in the address":      {Job{To: "a@b.test>\r\nRCPT TO:<c@d.test"}, nil},
		"parameter in the address":    {Job{To: "a@b.test> NOTIFY=NEVER"}, nil},
		"no domain":                   {Job{To: "a"}, nil},
		"SMTPUTF8 needed":             {Job{To: "用户@example.com"}, []string{}},
		"8BITMIME needed":             {Job{Raw: []byte("A: \xc3\xa4\r\n")}, []string{}},
		"command in the sender":       {Job{MailFrom: "a@b.test>\nDATA"}, nil},
		"control character in sender": {Job{MailFrom: "a\x00@b.test"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv, q := &server{extensions: c.extensions}, newQueue(t)
			q.put(c.job)
			_, stop := work(t, srv.listen(t), q)
			q.awaitState(ticket.Failed)
			stop()
			if r := q.get(1); r.result.Code != 0 || r.result.Response == "" || r.job.Attempts != 0 {
				t.Errorf("%+v", r.result)
			}
			for _, line := range srv.said() {
				if !strings.HasPrefix(line, "EHLO") && line != "QUIT" {
					t.Errorf("the server heard %q", line)
				}
			}
		})
	}
}

func TestServerRestartLosesAndDoublesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // first there is no server
	q := newQueue(t)
	for range 200 {
		q.put(Job{})
	}
	cfg := quick()
	cfg.Host, cfg.Port, cfg.PerDomain.Concurrency = "127.0.0.1", l.Addr().(*net.TCPAddr).Port, -1
	w, stop := work(t, cfg, q)
	q.await("all queued after the refusal", func(r row) bool { return r.state == ticket.Queued && r.job.Attempts == 0 })
	var servers []*server
	for round := range 3 { // then it comes and goes
		srv := &server{}
		servers = append(servers, srv)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go srv.serve(c)
			}
		}()
		id := q.put(Job{})
		w.Wake()
		q.await("the last is sent", func(r row) bool { return r.job.ID != id || r.state == ticket.Accepted || r.state == ticket.Uncertain })
		if round == 2 {
			q.await("all have an end", func(r row) bool { return r.state.Final() })
		}
		l.Close()
		srv.cut()
	}
	stop()
	for _, r := range q.rows {
		copies := 0
		for _, srv := range servers {
			copies += taken(srv, r.job.Raw)
		}
		if r.started != 1 || copies > 1 || r.state == ticket.Accepted && copies != 1 || r.state == ticket.Uncertain && r.result.Unsent && copies != 0 {
			t.Errorf("%v, started %d, %d copies", r.trace, r.started, copies)
		}
	}
}
