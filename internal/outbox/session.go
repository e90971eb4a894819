package outbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// session is one connection to the server, greeted, protected and logged in as configured. It is used by one goroutine at
// a time; only close may be called by others.
type session struct {
	cfg    *Config
	wire   wire
	unbind func() bool // from the context that closes it
	client *smtp.Client
	can    offer
	sent   int       // transactions begun
	broken bool      // not to be used again
	idle   time.Time // since when nobody uses it
}

// trouble is why there is no session: an answer with stage connect or auth.
type trouble struct{ answer }

func (t *trouble) Error() string { return t.stage.String() + ": " + t.plain() }
func (t *trouble) Unwrap() error { return t.err }

func (t *trouble) plain() string {
	if t.err != nil {
		return t.err.Error()
	}
	return fmt.Sprintf("%d %s", t.code, printable(t.text))
}

// errLogin: we have nothing to log in with that the server would take.
var errLogin = errors.New("cannot log in")

// connect dials, greets, protects and logs in. The error is a *trouble. The connection is closed when ctx ends before the
// session is ready, and when life ends afterwards.
func (c *Config) connect(ctx, life context.Context) (*session, error) {
	s := &session{cfg: c}
	defer context.AfterFunc(ctx, s.close)()
	client, err := s.dial(ctx)
	if err != nil {
		return nil, s.fail(stageConnect, err)
	}
	s.client = client
	if err := s.login(); err != nil {
		return nil, s.fail(stageAuth, err)
	}
	s.learn()
	s.unbind = context.AfterFunc(life, s.close)
	return s, nil
}

// dial leaves TCP, greeting, EHLO and TLS to go-mail. The log-in is ours, because go-mail would not offer PLAIN on a
// connection that a dial function has already protected.
func (s *session) dial(ctx context.Context) (*smtp.Client, error) {
	c := s.cfg
	options := []mail.Option{
		mail.WithPort(c.Port),
		mail.WithTimeout(c.Deadlines.Command),
		mail.WithTLSPolicy(mail.NoTLS),
		mail.WithTLSConfig(c.tlsConfig()),
		mail.WithDialContextFunc(s.open),
		mail.WithoutSMTPUTF8(),
	}
	if c.TLS == StartTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.HELO != "" {
		options = append(options, mail.WithHELO(c.HELO))
	}
	m, err := mail.NewClient(c.Host, options...)
	if err != nil {
		return nil, err
	}
	return m.DialToSMTPClientWithContext(ctx)
}

// open keeps hold of the connection: go-mail drops it without closing it when the greeting fails.
func (s *session) open(ctx context.Context, network, addr string) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, s.cfg.Deadlines.Dial)
	defer cancel()
	conn, err := s.cfg.Dial(dialing, network, addr)
	if err != nil {
		return nil, err
	}
	s.wire.hold(conn)
	s.expect(s.cfg.Deadlines.Command)
	if s.cfg.TLS != Implicit {
		return &s.wire, nil
	}
	protected := tls.Client(&s.wire, s.cfg.tlsConfig())
	return protected, protected.HandshakeContext(dialing)
}

func (c *Config) tlsConfig() *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSConfig != nil {
		t = c.TLSConfig.Clone()
	}
	if t.ServerName == "" {
		t.ServerName = c.Host
	}
	return t
}

func (s *session) login() error {
	if s.cfg.Username == "" {
		return nil
	}
	password, err := s.cfg.Password()
	if err != nil {
		return fmt.Errorf("%w: read the password: %w", errLogin, err)
	}
	_, offered := s.client.Extension("AUTH")
	how := s.mechanism(offered, password)
	if how == nil {
		return fmt.Errorf("%w: the server offers the mechanisms %q", errLogin, offered)
	}
	s.expect(s.cfg.Deadlines.Command)
	return s.client.Auth(how)
}

// mechanism picks from the server's list. On a plain-text connection, which the configuration permits towards loopback or
// when it says insecure, the password travels as it is only if the server offers nothing better.
func (s *session) mechanism(offered, password string) smtp.Auth {
	user, host := s.cfg.Username, s.cfg.Host
	list := " " + strings.ToUpper(offered) + " "
	has := func(name string) bool { return strings.Contains(list, " "+name+" ") }
	switch {
	case s.cfg.XOAUTH2 && has("XOAUTH2"):
		return smtp.XOAuth2Auth(user, password)
	case s.cfg.XOAUTH2:
		return nil
	case has("SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(user, password)
	case has("CRAM-MD5") && s.cfg.TLS == None:
		return smtp.CRAMMD5Auth(user, password)
	case has("PLAIN"):
		return smtp.PlainAuth("", user, password, host, s.cfg.TLS == None)
	case has("LOGIN"):
		return smtp.LoginAuth(user, password, host, s.cfg.TLS == None)
	}
	return nil
}

func (s *session) learn() {
	has := func(name string) bool { ok, _ := s.client.Extension(name); return ok }
	s.can = offer{pipelining: has("PIPELINING"), dsn: has("DSN"), eightBit: has("8BITMIME"), utf8: has("SMTPUTF8"), size: has("SIZE")}
}

func (s *session) fail(at stage, err error) error {
	s.close()
	t := &trouble{answer{stage: at, err: err}}
	if reply := new(textproto.Error); errors.As(err, &reply) {
		t.code, t.text, t.err = reply.Code, reply.Msg, nil
	}
	return t
}

// quit says goodbye and closes; what the server answers does not matter any more.
func (s *session) quit() {
	defer s.close()
	if s.broken {
		return
	}
	s.expect(time.Second)
	if s.command("QUIT") == nil {
		_, _, _ = readReply(s.client.Text.R)
	}
}

// close ends the connection; any goroutine may call it, also while another waits in a dialogue.
func (s *session) close() {
	_ = s.wire.Close()
	if s.unbind != nil {
		s.unbind()
	}
}

// expect gives the next step d from now.
func (s *session) expect(d time.Duration) { s.wire.expect(time.Now().Add(d)) }

// wire is the TCP connection under everything. It bounds how much a server may say in one step: a reply is a few lines
// (RFC 5321, 4.5.3.1.5), a handshake a few certificates.
type wire struct {
	net.Conn
	left atomic.Int64

	mu     sync.Mutex
	closed bool // also before there was a connection
}

const maxReply = 256 << 10

var errFlood = errors.New("the server sends more than a reply")

// hold takes the connection over, and closes it at once if Close came first.
func (w *wire) hold(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Conn = conn
	if w.closed {
		_ = conn.Close()
	}
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.Conn == nil {
		return nil
	}
	return w.Conn.Close()
}

func (w *wire) expect(deadline time.Time) {
	w.left.Store(maxReply)
	_ = w.SetDeadline(deadline)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.left.Add(-int64(n)) < 0 {
		return n, errFlood
	}
	return n, err
}
