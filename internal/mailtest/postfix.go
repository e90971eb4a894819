package mailtest

import (
	"crypto/tls"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

//go:embed postfix.main.tmpl
var postfixMain string

//go:embed postfix.master.tmpl
var postfixMaster string

// MTA is a running Postfix that takes mail for every address, plus-addresses included.
type MTA struct {
	Host    string
	Port    int
	TLS     *tls.Config // trusts the server's certificate, for host name localhost
	Maildir string      // where the mail ends, with the fields Return-Path, X-Original-To and Delivered-To; "" with a Dovecot
	Dir     string

	process *process
}

// Postfix starts a Postfix for the test that keeps all mail in one Maildir. It needs root, as Postfix does. lines are added
// to main.cf.
func Postfix(t testing.TB, lines ...string) *MTA {
	t.Helper()
	return postfix(t, 0, lines)
}

// PostfixTo starts a Postfix that hands all mail to a Dovecot, which keeps it for the user named by the local part.
func PostfixTo(t testing.TB, d *Server, lines ...string) *MTA {
	t.Helper()
	if d.LMTPPort == 0 {
		missing(t, "Dovecot's LMTP part is missing: apt-get install dovecot-lmtpd")
	}
	return postfix(t, d.LMTPPort, lines)
}

func postfix(t testing.TB, lmtp int, lines []string) *MTA {
	t.Helper()
	command := need(t, "postfix", "postfix", "/usr/sbin/postfix")
	master := need(t, "postfix", "/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master")
	if os.Geteuid() != 0 {
		missing(t, "Postfix starts as root only: run this test as root")
	}
	_, uid, gid := account(t, "nobody")
	_, mta, _ := account(t, "postfix")
	dir := workDir(t, "postfix")
	m := &MTA{
		Host: "127.0.0.1", Port: freePort(t), Dir: dir,
		process: &process{name: "postfix", path: master, args: []string{"-d", "-c", filepath.Join(dir, "etc")}, log: filepath.Join(dir, "log")},
	}
	for _, sub := range []string{"etc", "spool", "data", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	own(t, filepath.Join(dir, "data"), mta, 0)
	own(t, filepath.Join(dir, "mail"), uid, gid)
	if lmtp == 0 {
		m.Maildir = filepath.Join(dir, "mail", "all")
	}
	cert, key, _, client := certificate(t, dir)
	m.TLS = client
	data := map[string]any{"MTA": m, "UID": uid, "GID": gid, "LMTP": lmtp, "Cert": cert, "Key": key, "Lines": lines}
	fill(t, filepath.Join(dir, "etc", "main.cf"), postfixMain, data)
	fill(t, filepath.Join(dir, "etc", "master.cf"), postfixMaster, data)
	// Makes the queue directories with their owners.
	if out, err := exec.Command(command, "-c", filepath.Join(dir, "etc"), "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v\n%s%s", err, out, m.process.words())
	}
	t.Cleanup(m.Stop)
	m.Start(t)
	return m
}

func own(t testing.TB, file string, uid, gid int) {
	t.Helper()
	if err := os.Chown(file, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// Start starts the server again after Stop.
func (m *MTA) Start(t testing.TB) {
	t.Helper()
	m.process.start(t, m.Port)
}

// Stop ends the server; what is queued stays queued.
func (m *MTA) Stop() { m.process.end() }

// Freeze stops all its processes with SIGSTOP: connections stand and nothing answers.
func (m *MTA) Freeze() { m.process.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (m *MTA) Thaw() { m.process.signal(syscall.SIGCONT) }

// Log is what the server has logged.
func (m *MTA) Log() string { return m.process.words() }

// Received returns the mails in the Maildir, oldest first, with line ends as Postfix stores them (LF).
func (m *MTA) Received(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.Maildir, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	mails := make([]string, 0, len(files))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, string(raw))
	}
	return mails
}

// WaitReceived waits until n mails are in the Maildir, and fails the test after a minute.
func (m *MTA) WaitReceived(t testing.TB, n int) []string {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		if mails := m.Received(t); len(mails) >= n {
			return mails
		}
	}
	t.Fatalf("waited in vain for %d mails, have %d\n%s", n, len(m.Received(t)), m.Log())
	return nil
}
