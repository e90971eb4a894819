package mailtest

import (
	"crypto/tls"
	_ "embed"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

//go:embed dovecot.conf.tmpl
var dovecotConf string

// Server is a running Dovecot. Every user name exists and logs in with Password; user@domain and user+detail@domain are
// user. Mail is kept in Dir/mail/<user>/Maildir.
type Server struct {
	Host     string
	Port     int // IMAP with STARTTLS offered, plain log-in allowed
	TLSPort  int // IMAP over TLS
	LMTPPort int // 0 where the LMTP part is not installed
	Password string
	TLS      *tls.Config // trusts the server's certificate, for host name localhost
	Dir      string

	process *process
}

// Dovecot starts a Dovecot for the test. lines are added to the end of its configuration.
func Dovecot(t testing.TB, lines ...string) *Server {
	t.Helper()
	path := need(t, "dovecot-imapd", "dovecot", "/usr/sbin/dovecot")
	if _, err := os.Stat("/usr/lib/dovecot/imap"); err != nil {
		missing(t, "Dovecot's IMAP part is missing: apt-get install dovecot-imapd")
	}
	dir := workDir(t, "dovecot")
	s := &Server{
		Host: "127.0.0.1", Port: freePort(t), TLSPort: freePort(t), Password: "secret", Dir: dir,
		process: &process{name: "dovecot", path: path, args: []string{"-F", "-c", filepath.Join(dir, "dovecot.conf")}, log: filepath.Join(dir, "log")},
	}
	if _, err := os.Stat("/usr/lib/dovecot/lmtp"); err == nil {
		s.LMTPPort = freePort(t)
	}
	cert, key, _, client := certificate(t, dir)
	s.TLS = client
	s.configure(t, cert, key, lines)
	t.Cleanup(s.Stop)
	s.Start(t)
	return s
}

func (s *Server) configure(t testing.TB, cert, key string, lines []string) {
	t.Helper()
	owner, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	internal, login := owner, owner
	if os.Geteuid() == 0 { // Dovecot refuses mail that belongs to root
		internal, _, _ = account(t, "dovecot")
		login, _, _ = account(t, "dovenull")
		owner, _, _ = account(t, "nobody")
	}
	group, err := user.LookupGroupId(internal.Gid)
	if err != nil {
		t.Fatal(err)
	}
	mail := filepath.Join(s.Dir, "mail")
	if err := os.Mkdir(mail, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(mail, 0o777); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(s.Dir, "dovecot.conf"), dovecotConf, map[string]any{
		"Server": s, "Cert": cert, "Key": key, "Lines": lines, "Root": os.Geteuid() == 0,
		"Internal": internal.Username, "Login": login.Username, "Group": group.Name, "UID": owner.Uid, "GID": owner.Gid,
	})
}

// Start starts the server again after Stop or Kill, with the mail it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.process.start(t, s.Port)
}

// Stop ends the server the way an operator does: connections get BYE.
func (s *Server) Stop() { s.process.end() }

// Kill ends the server and all its children at once.
func (s *Server) Kill() { s.process.kill() }

// Restart kills the server and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	s.Start(t)
}

// Freeze stops all its processes with SIGSTOP: connections stand and nothing answers.
func (s *Server) Freeze() { s.process.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.process.signal(syscall.SIGCONT) }

// Log is what the server has logged.
func (s *Server) Log() string { return s.process.words() }

// Client returns a logged-in connection, which ends with the test.
func (s *Server) Client(t testing.TB, user string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(addr(s.Port), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user, s.Password).Wait(); err != nil {
		t.Fatalf("log in as %s: %v", user, err)
	}
	return c
}

// Append puts mails into a folder, which is made if need be, and returns their UIDs.
func (s *Server) Append(t testing.TB, user, folder string, mails ...[]byte) []uint32 {
	t.Helper()
	c := s.Client(t, user)
	defer c.Close()
	if folder != "INBOX" {
		c.Create(folder, nil).Wait() // may be there already
	}
	uids := make([]uint32, 0, len(mails))
	for _, raw := range mails {
		cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Time: time.Now()})
		if _, err := cmd.Write(raw); err != nil {
			t.Fatalf("append: %v", err)
		}
		if err := cmd.Close(); err != nil {
			t.Fatalf("append: %v", err)
		}
		data, err := cmd.Wait()
		if err != nil {
			t.Fatalf("append: %v", err)
		}
		uids = append(uids, uint32(data.UID))
	}
	return uids
}
