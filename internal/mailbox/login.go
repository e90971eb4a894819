package mailbox

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// refused is an error of the log-in that trying again soon will not heal: wrong password, missing secret, no TLS.
type refused struct{ err error }

func (r refused) Error() string { return r.err.Error() }
func (r refused) Unwrap() error { return r.err }

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8])
}

// connect dials, secures, logs in and names itself. The session has no folder selected yet.
func (p *Poller) connect(ctx context.Context) (*session, error) {
	w, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{Poller: p, wire: w, news: make(chan struct{}, 1)}
	if err := s.open(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (p *Poller) dial(ctx context.Context) (*wire, error) {
	if p.cfg.TLS == TLSNone && !p.cfg.Insecure && !loopback(p.cfg.Host) {
		return nil, refused{fmt.Errorf("tls none is allowed towards loopback only, not %s", p.cfg.Host)}
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Silence)
	defer cancel()
	dial := p.cfg.Dial
	if dial == nil {
		dial = p.dialTCP
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return newWire(conn), nil
}

func (p *Poller) dialTCP(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(p.cfg.Host, strconv.Itoa(p.cfg.Port)))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *Poller) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.cfg.TLSConfig != nil {
		config = p.cfg.TLSConfig.Clone()
	}
	set(&config.ServerName, p.cfg.Host)
	return config
}

// open takes the session from the bare connection to the authenticated state.
func (s *session) open(ctx context.Context) error {
	if err := s.talk(ctx, "greeting", func() error { return s.greet(ctx) }); err != nil {
		return err
	}
	if err := s.capability(ctx); err != nil {
		return err
	}
	if s.client.State() == imap.ConnStateNotAuthenticated {
		if err := s.login(ctx); err != nil {
			return err
		}
		// The list changes with the log-in, and the library asks for the new one by itself, at the latest when it has
		// read the answer to the next command.
		if err := s.talk(ctx, "noop", func() error { return s.client.Noop().Wait() }); err != nil {
			return err
		}
		if err := s.capability(ctx); err != nil {
			return err
		}
	}
	return s.identify(ctx)
}

// greet starts IMAP in the configured TLS mode. STARTTLS that is refused is an error; nothing falls back to plain text.
func (s *session) greet(ctx context.Context) error {
	options := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: s.hear}}
	switch s.cfg.TLS {
	case TLSImplicit:
		conn := tls.Client(s.wire, s.tlsConfig())
		if err := conn.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		s.client = imapclient.New(conn, options)
	case TLSStart:
		options.TLSConfig = s.tlsConfig()
		client, err := imapclient.NewStartTLS(s.wire, options)
		if err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
		s.client = client
	case TLSNone:
		s.client = imapclient.New(s.wire, options)
	default:
		return refused{fmt.Errorf("tls mode %q is not known", s.cfg.TLS)}
	}
	return s.client.WaitGreeting()
}

func (s *session) capability(ctx context.Context) error {
	return s.talk(ctx, "capability", func() error {
		s.caps = s.client.Caps()
		if s.caps == nil {
			return errors.New("the server does not tell its capabilities")
		}
		return nil
	})
}

// login chooses XOAUTH2 where a token source is configured, else LOGIN, else AUTHENTICATE PLAIN where LOGIN is disabled.
func (s *session) login(ctx context.Context) error {
	mechanism, err := s.mechanism(ctx)
	if err != nil {
		return err
	}
	err = s.talk(ctx, "log-in", mechanism)
	var answer *imap.Error
	if errors.As(err, &answer) && !passing(answer.Code) {
		return refused{err}
	}
	return err
}

func (s *session) mechanism(ctx context.Context) (func() error, error) {
	if s.cfg.Token != nil {
		token, err := s.cfg.Token(ctx)
		if err != nil {
			return nil, refused{fmt.Errorf("access token: %w", err)}
		}
		return func() error { return s.client.Authenticate(&xoauth2{s.cfg.Username, token}) }, nil
	}
	if s.cfg.Password == nil {
		return nil, refused{errors.New("no password is configured")}
	}
	password, err := s.cfg.Password()
	if err != nil {
		return nil, refused{fmt.Errorf("password: %w", err)}
	}
	if !s.caps.Has(imap.CapLoginDisabled) {
		return func() error { return s.client.Login(s.cfg.Username, password).Wait() }, nil
	}
	// RFC 3501, section 6.2.3: a client must not send LOGIN where LOGINDISABLED is listed.
	if s.cfg.TLS != TLSNone && s.caps.Has("AUTH=PLAIN") {
		return func() error { return s.client.Authenticate(sasl.NewPlainClient("", s.cfg.Username, password)) }, nil
	}
	return nil, refused{errors.New("the server allows no log-in with a password here (LOGINDISABLED); set tls to implicit or starttls")}
}

// passing reports whether a NO to the log-in speaks of the server's trouble, not of the credentials (RFC 5530).
func passing(code imap.ResponseCode) bool {
	switch code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug:
		return true
	}
	return false
}

// identify sends ID where it is listed. NetEase (163.com, 126.com, yeah.net) answers "SELECT Unsafe Login" without it.
func (s *session) identify(ctx context.Context) error {
	if !s.caps.Has(imap.CapID) || s.noID {
		return nil
	}
	err := s.talk(ctx, "id", func() error {
		_, err := s.client.ID(&imap.IDData{Name: "postdesk", Version: "1", Vendor: "postdesk"}).Wait()
		return err
	})
	var answer *imap.Error
	if errors.As(err, &answer) {
		return nil // a courtesy that was declined
	}
	if err != nil {
		s.noID = true // an answer that cannot be parsed ends the connection: do without next time
	}
	return err
}

// xoauth2 is the SASL mechanism of Google and Microsoft.
type xoauth2 struct{ username, token string }

func (x *xoauth2) Start() (mechanism string, response []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.username + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the server's error report with an empty response, upon which it says NO.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }
