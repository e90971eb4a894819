package outbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a small SMTP server that follows a script: everything it does not mention goes as a good server does it.
type server struct {
	extensions []string // of EHLO; nil: pipelining, DSN, 8BITMIME, SIZE, enhanced codes
	cert       *tls.Config
	implicit   bool
	password   string // what AUTH wants; "": no AUTH offered

	// script answers a command line, "." (the end of the message), "greet" or "login" in the given session (from 1):
	// "" is the usual reply, "drop" closes the connection, "sink" takes the message and then closes; a reply that ends in
	// "<drop>" is sent without it and without a line end, and then the connection is closed.
	script func(session int, line string) string

	mu       sync.Mutex
	sessions int
	conns    map[net.Conn]bool
	lines    []string
	took     []mailItem // messages whose final dot arrived and that were not refused
}

type mailItem struct {
	from, to string // with parameters
	raw      []byte
}

var allExtensions = []string{"PIPELINING", "DSN", "8BITMIME", "SIZE 30000000", "ENHANCEDSTATUSCODES"}

// listen serves on loopback until the test ends and returns a configuration that leads there.
func (s *server) listen(t testing.TB) Config {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); s.cut(); serving.Wait() })
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(c) })
		}
	})
	c := quick()
	c.Host, c.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return c
}

// pipe returns a configuration whose connections are in-memory pipes, for tests under a fake clock.
func (s *server) pipe() Config {
	c := Config{Host: "localhost", TLS: None, HELO: "desk.test"}
	c.Dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go s.serve(theirs)
		return ours, nil
	}
	return c
}

// quick is a configuration for real connections on loopback.
func quick() Config {
	return Config{TLS: None, HELO: "desk.test", Poll: 5 * time.Millisecond, Lease: 300 * time.Millisecond,
		Deadlines: Deadlines{Dial: 5 * time.Second, Command: 5 * time.Second, Block: 5 * time.Second, Final: 5 * time.Second}}
}

// cut closes every connection.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

func (s *server) serve(c net.Conn) {
	s.mu.Lock()
	s.sessions++
	n := s.sessions
	if s.conns == nil {
		s.conns = map[net.Conn]bool{}
	}
	s.conns[c] = true
	s.mu.Unlock()
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	if s.implicit {
		c = tls.Server(c, s.cert)
	}
	t := &talk{s: s, n: n, c: c, r: bufio.NewReader(c)}
	if t.reply("greet", "220 test ESMTP") {
		for t.step() {
		}
	}
}

// talk is one session.
type talk struct {
	s    *server
	n    int
	c    net.Conn
	r    *bufio.Reader
	mail mailItem
	tls  bool
}

// reply sends what the script says about line, or the usual; false: the session is over.
func (t *talk) reply(line, usual string) bool {
	words := ""
	if t.s.script != nil {
		words = t.s.script(t.n, line)
	}
	switch words {
	case "":
		words = usual
	case "drop", "sink":
		return false
	}
	return t.say(words)
}

// say sends a reply; false: the session is over.
func (t *talk) say(words string) bool {
	if head, drop := strings.CutSuffix(words, "<drop>"); drop {
		io.WriteString(t.c, head)
		return false
	}
	_, err := io.WriteString(t.c, words+"\r\n")
	return err == nil && !strings.HasPrefix(words, "421")
}

func (t *talk) step() bool {
	line, err := t.r.ReadString('\n')
	if err != nil {
		return false
	}
	line = strings.TrimRight(line, "\r\n")
	t.s.mu.Lock()
	t.s.lines = append(t.s.lines, line)
	t.s.mu.Unlock()
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		return t.reply(line, t.hello())
	case "STARTTLS":
		if !t.reply(line, "220 go ahead") {
			return false
		}
		t.c, t.tls = tls.Server(t.c, t.s.cert), true
		t.r = bufio.NewReader(t.c)
		return true
	case "AUTH":
		return t.login(rest)
	case "MAIL":
		t.mail = mailItem{from: strings.TrimPrefix(rest, "FROM:")}
		return t.reply(line, "250 2.1.0 Ok")
	case "RCPT":
		t.mail.to = strings.TrimPrefix(rest, "TO:")
		return t.reply(line, "250 2.1.5 Ok")
	case "DATA":
		return t.data(line)
	case "QUIT":
		t.reply(line, "221 2.0.0 Bye")
		return false
	}
	return t.reply(line, "250 2.0.0 Ok")
}

func (t *talk) hello() string {
	list := t.s.extensions
	if list == nil {
		list = allExtensions
	}
	lines := append([]string{"test"}, list...)
	if t.s.cert != nil && !t.tls && !t.s.implicit {
		lines = append(lines, "STARTTLS")
	}
	if t.s.password != "" {
		lines = append(lines, "AUTH PLAIN LOGIN")
	}
	for i := range lines {
		lines[i] = "250-" + lines[i]
	}
	lines[len(lines)-1] = "250 " + lines[len(lines)-1][4:]
	return strings.Join(lines, "\r\n")
}

func (t *talk) login(rest string) bool {
	_, secret, _ := strings.Cut(rest, " ")
	plain, _ := base64.StdEncoding.DecodeString(secret)
	if string(plain) == "\x00desk\x00"+t.s.password {
		return t.reply("login", "235 2.7.0 Welcome")
	}
	return t.reply("login", "535 5.7.8 Authentication credentials invalid")
}

// data reads the message itself, not with the helpers of the code under test, and undoes the dots.
func (t *talk) data(line string) bool {
	words := ""
	if t.s.script != nil {
		words = t.s.script(t.n, line)
	}
	if words == "" {
		words = "354 go on"
	}
	if words == "drop" {
		return false
	}
	io.WriteString(t.c, words+"\r\n")
	if !strings.HasPrefix(words, "354") {
		return !strings.HasPrefix(words, "421")
	}
	var raw bytes.Buffer
	for {
		line, err := t.r.ReadBytes('\n')
		if err != nil {
			return false
		}
		if string(line) == ".\r\n" {
			break
		}
		raw.Write(bytes.TrimPrefix(line, []byte(".")))
	}
	t.mail.raw = raw.Bytes()
	return t.end()
}

func (t *talk) end() bool {
	words := ""
	if t.s.script != nil {
		words = t.s.script(t.n, ".")
	}
	if words != "drop" && !strings.HasPrefix(words, "4") && !strings.HasPrefix(words, "5") {
		t.s.mu.Lock()
		t.s.took = append(t.s.took, t.mail)
		t.s.mu.Unlock()
	}
	switch words {
	case "":
		words = fmt.Sprintf("250 2.0.0 Ok: queued as %d", len(t.mail.raw))
	case "drop", "sink":
		return false
	}
	return t.say(words)
}

// mails returns what the server took so far.
func (s *server) mails() []mailItem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mailItem(nil), s.took...)
}

// said returns the lines the server heard so far.
func (s *server) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// certificate makes a certificate for 127.0.0.1 and the client configuration that trusts it.
func certificate(t testing.TB) (srv, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}
