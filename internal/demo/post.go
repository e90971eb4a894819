// Package demo is a small world around the real desk: a post office with IMAP and SMTP on loopback, and customers who write
// and answer. Nothing in it is used outside `postdesk demo` and tests, and nothing of the desk knows that it is a demo.
package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// Password opens every mailbox of the post office, so that any mail client can join as a customer.
const Password = "demo"

// Post is an IMAP and an SMTP server in memory. Every address has a mailbox as soon as somebody writes to it or logs in.
type Post struct {
	IMAP, SMTP net.Addr

	imap     *imapserver.Server
	smtp     *smtp.Server
	received func(to string, raw []byte) // called after each mail was put into a mailbox

	mu    sync.Mutex
	users map[string]*imapmemserver.User
}

// OpenPost starts both servers on free ports of 127.0.0.1. received may be nil.
func OpenPost(received func(to string, raw []byte)) (*Post, error) {
	p := &Post{users: map[string]*imapmemserver.User{}, received: received}
	imapLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for IMAP: %w", err)
	}
	smtpLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		imapLn.Close()
		return nil, fmt.Errorf("listen for SMTP: %w", err)
	}
	p.IMAP, p.SMTP = imapLn.Addr(), smtpLn.Addr()
	p.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{post: p}, nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true, // loopback only
	})
	p.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &submission{post: p}, nil }))
	p.smtp.Domain = "post.example"
	p.smtp.AllowInsecureAuth = true
	p.smtp.EnableSMTPUTF8 = true
	go p.imap.Serve(imapLn)
	go p.smtp.Serve(smtpLn)
	return p, nil
}

// Close stops both servers and ends their connections.
func (p *Post) Close() error { return errors.Join(p.imap.Close(), p.smtp.Close()) }

// Deliver puts a mail into the mailbox of an address; a "+tag" in the local part belongs to the same mailbox.
func (p *Post) Deliver(to string, raw []byte) error {
	box, err := p.user(to)
	if err != nil {
		return err
	}
	_, err = box.Append("INBOX", literal{bytes.NewReader(raw), int64(len(raw))}, &imap.AppendOptions{Time: time.Now()})
	if err != nil {
		return fmt.Errorf("put a mail into a mailbox: %w", err)
	}
	if p.received != nil {
		p.received(to, raw)
	}
	return nil
}

func (p *Post) user(address string) (*imapmemserver.User, error) {
	name := mailboxName(address)
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, ok := p.users[name]; ok {
		return u, nil
	}
	u := imapmemserver.NewUser(name, Password)
	if err := u.Create("INBOX", nil); err != nil {
		return nil, fmt.Errorf("create a mailbox: %w", err)
	}
	p.users[name] = u
	return u, nil
}

func mailboxName(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

// session becomes the session of whoever logs in.
type session struct {
	*imapmemserver.UserSession
	post *Post
}

func (s *session) Login(username, password string) error {
	u, err := s.post.user(username)
	if err != nil {
		return err
	}
	if err := u.Login(mailboxName(username), password); err != nil {
		return err
	}
	s.UserSession = imapmemserver.NewUserSession(u)
	return nil
}

func (s *session) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

// submission is one SMTP connection.
type submission struct {
	post *Post
	from string
	to   []string
}

func (s *submission) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *submission) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = append(s.to, to); return nil }
func (s *submission) Reset()                                      { s.from, s.to = "", nil }
func (s *submission) Logout() error                               { return nil }

func (s *submission) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	raw = append([]byte("Return-Path: <"+s.from+">\r\n"), raw...)
	for _, to := range s.to {
		if strings.HasSuffix(strings.ToLower(to), "@"+Gone) {
			if err := s.giveBack(to, raw); err != nil {
				return err
			}
			continue
		}
		if err := s.post.Deliver(to, append([]byte("Delivered-To: "+to+"\r\n"), raw...)); err != nil {
			return err
		}
	}
	return nil
}

// giveBack returns a mail that cannot be delivered to its envelope sender; one without a sender is dropped (RFC 5321 §4.5.5).
func (s *submission) giveBack(to string, raw []byte) error {
	if s.from == "" {
		return nil
	}
	return s.post.Deliver(s.from, append([]byte("Return-Path: <>\r\nDelivered-To: "+s.from+"\r\n"), returned(to, s.from, raw)...))
}
