package mailtest

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Stages of an SMTP dialogue, the keys of SMTPBehaviour.
const (
	StageConnect = "CONNECT" // the greeting
	StageEHLO    = "EHLO"
	StageAUTH    = "AUTH"
	StageMAIL    = "MAIL"
	StageRCPT    = "RCPT"
	StageDATA    = "DATA" // the answer to the command
	StageDOT     = "DOT"  // the answer to the message itself
	StageRSET    = "RSET"
	StageNOOP    = "NOOP"
	StageQUIT    = "QUIT"
)

// SMTPReply is what a scripted server does at one stage. The zero value is the usual friendly answer.
type SMTPReply struct {
	Lines   []string        // whole lines without CRLF, e.g. "250-2.0.0 first", "250 2.0.0 second"; nil: the usual answer
	Before  bool            // drop the connection instead of answering; at StageDOT: after the dot, before the 250
	After   bool            // answer, then drop the connection
	Delay   time.Duration   // wait before answering
	Hold    <-chan struct{} // wait for it to be closed before answering
	Trickle time.Duration   // wait between the octets of the answer
	Lose    bool            // at StageDOT: answer as told, but do not keep the message
}

// SMTPStep says what a server does at a stage: n counts from 1 over all connections, and is the number of times that the
// stage was reached.
type SMTPStep func(n int) SMTPReply

// SMTPBehaviour maps stages to steps. Stages that are not named behave.
type SMTPBehaviour map[string]SMTPStep

// SMTPAlways answers the same lines every time.
func SMTPAlways(lines ...string) SMTPStep {
	return func(int) SMTPReply { return SMTPReply{Lines: lines} }
}

// SMTPOnce does r the first n times and behaves afterwards.
func SMTPOnce(n int, r SMTPReply) SMTPStep {
	return func(i int) SMTPReply {
		if i <= n {
			return r
		}
		return SMTPReply{}
	}
}

// SMTPMessage is a message that a scripted server took. A message whose 250 was never sent (SMTPReply.Before) is kept as
// well, as a real server would that lost its connection after the dot.
type SMTPMessage struct {
	From string // reverse-path without angle brackets
	To   []string
	Data []byte // dot-stuffing undone, line ends as received
	Conn int    // which connection, from 1
}

// SMTPServer is a scripted SMTP server on loopback.
type SMTPServer struct {
	Host string
	Port int

	listener  net.Listener
	behaviour SMTPBehaviour

	mu       sync.Mutex
	counts   map[string]int
	messages []SMTPMessage
	commands []string
	conns    map[net.Conn]bool
	dialled  int
	changed  chan struct{}
	ended    chan struct{}
	once     sync.Once
	wg       sync.WaitGroup
}

// SMTPScript starts a server that behaves except where told otherwise. It offers SIZE, 8BITMIME, PIPELINING,
// ENHANCEDSTATUSCODES, DSN and AUTH PLAIN (any password), but no STARTTLS.
func SMTPScript(t testing.TB, behaviour SMTPBehaviour) *SMTPServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &SMTPServer{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port,
		listener: l, behaviour: behaviour,
		counts: map[string]int{}, conns: map[net.Conn]bool{}, changed: make(chan struct{}), ended: make(chan struct{}),
	}
	s.wg.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Addr is host:port.
func (s *SMTPServer) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Close ends the server and its connections.
func (s *SMTPServer) Close() {
	s.once.Do(func() { close(s.ended) })
	s.listener.Close()
	s.Drop()
	s.wg.Wait()
}

// Drop cuts every open connection; the server goes on.
func (s *SMTPServer) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// Messages returns the messages taken so far.
func (s *SMTPServer) Messages() []SMTPMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]SMTPMessage(nil), s.messages...)
}

// Commands returns the command lines received so far, secrets and all.
func (s *SMTPServer) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Dialled returns how many connections were accepted.
func (s *SMTPServer) Dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialled
}

// Reached returns how often a stage was reached.
func (s *SMTPServer) Reached(stage string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[stage]
}

// WaitReached waits until a stage was reached n times, and fails the test after a minute.
func (s *SMTPServer) WaitReached(t testing.TB, stage string, n int) {
	t.Helper()
	s.wait(t, stage, func() bool { return s.counts[stage] >= n })
}

// WaitMessages waits until n messages were taken, and fails the test after a minute.
func (s *SMTPServer) WaitMessages(t testing.TB, n int) []SMTPMessage {
	t.Helper()
	s.wait(t, "messages", func() bool { return len(s.messages) >= n })
	return s.Messages()
}

func (s *SMTPServer) wait(t testing.TB, what string, done func() bool) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		s.mu.Lock()
		ok, changed := done(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// note changes the record and wakes those who wait for it.
func (s *SMTPServer) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *SMTPServer) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		var n int
		s.note(func() {
			s.dialled++
			n = s.dialled
			s.conns[c] = true
		})
		s.wg.Go(func() {
			defer func() {
				c.Close()
				s.note(func() { delete(s.conns, c) })
			}()
			(&smtpConn{server: s, conn: c, r: bufio.NewReader(c), n: n}).serve()
		})
	}
}

// smtpConn is one dialogue.
type smtpConn struct {
	server *SMTPServer
	conn   net.Conn
	r      *bufio.Reader
	n      int
	mail   SMTPMessage
}

func (c *smtpConn) serve() {
	if !c.answer(StageConnect, "220 script.test ESMTP") {
		return
	}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		c.server.note(func() { c.server.commands = append(c.server.commands, line) })
		if !c.command(line) {
			return
		}
	}
}

// command answers one line and reports whether the dialogue goes on.
func (c *smtpConn) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); verb {
	case "EHLO", "HELO":
		return c.answer(StageEHLO, "250-script.test", "250-SIZE 104857600", "250-8BITMIME", "250-PIPELINING",
			"250-ENHANCEDSTATUSCODES", "250-DSN", "250 AUTH PLAIN")
	case "AUTH":
		if !strings.Contains(rest, " ") { // no initial response
			c.conn.Write([]byte("334 \r\n"))
			if _, err := c.r.ReadString('\n'); err != nil {
				return false
			}
		}
		return c.answer(StageAUTH, "235 2.7.0 welcome")
	case "MAIL":
		c.mail = SMTPMessage{From: path(rest), Conn: c.n}
		return c.answer(StageMAIL, "250 2.1.0 sender ok")
	case "RCPT":
		c.mail.To = append(c.mail.To, path(rest))
		return c.answer(StageRCPT, "250 2.1.5 recipient ok")
	case "DATA":
		return c.data()
	case "RSET":
		return c.answer(StageRSET, "250 2.0.0 flushed")
	case "NOOP":
		return c.answer(StageNOOP, "250 2.0.0 ok")
	case "QUIT":
		c.answer(StageQUIT, "221 2.0.0 bye")
		return false
	}
	return c.send(SMTPReply{Lines: []string{"502 5.5.2 not known"}})
}

func (c *smtpConn) data() bool {
	reply := c.next(StageDATA, "354 go on")
	if !c.send(reply) {
		return false
	}
	if !strings.HasPrefix(reply.Lines[len(reply.Lines)-1], "3") {
		return true
	}
	message, err := c.readMessage()
	if err != nil {
		return false
	}
	c.mail.Data = message
	reply = c.next(StageDOT, "250 2.0.0 queued as "+strconv.Itoa(len(message)))
	taken := reply.Before || strings.HasPrefix(reply.Lines[len(reply.Lines)-1], "2")
	if taken && !reply.Lose {
		c.server.note(func() { c.server.messages = append(c.server.messages, c.mail) })
	}
	return c.send(reply)
}

func (c *smtpConn) readMessage() ([]byte, error) {
	var message bytes.Buffer
	for {
		line, err := c.r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if string(line) == ".\r\n" {
			return message.Bytes(), nil
		}
		message.Write(bytes.TrimPrefix(line, []byte(".")))
	}
}

// answer sends what the script says for a stage, or the usual lines, and reports whether the dialogue goes on.
func (c *smtpConn) answer(stage string, usual ...string) bool {
	return c.send(c.next(stage, usual...))
}

func (c *smtpConn) next(stage string, usual ...string) SMTPReply {
	var n int
	c.server.note(func() {
		c.server.counts[stage]++
		n = c.server.counts[stage]
	})
	var reply SMTPReply
	if step := c.server.behaviour[stage]; step != nil {
		reply = step(n)
	}
	if reply.Lines == nil {
		reply.Lines = usual
	}
	return reply
}

func (c *smtpConn) send(r SMTPReply) bool {
	if !c.server.pause(r) || r.Before {
		return false
	}
	for _, octets := range c.pieces(r) {
		if _, err := c.conn.Write(octets); err != nil {
			return false
		}
		time.Sleep(r.Trickle)
	}
	return !r.After
}

// pause waits as told, and reports false when the server ended meanwhile.
func (s *SMTPServer) pause(r SMTPReply) bool {
	if r.Hold != nil {
		select {
		case <-r.Hold:
		case <-s.ended:
			return false
		}
	}
	select {
	case <-time.After(r.Delay):
		return true
	case <-s.ended:
		return false
	}
}

func (c *smtpConn) pieces(r SMTPReply) [][]byte {
	text := []byte(strings.Join(r.Lines, "\r\n") + "\r\n")
	if r.Trickle == 0 {
		return [][]byte{text}
	}
	var pieces [][]byte
	for i := range text {
		pieces = append(pieces, text[i:i+1])
	}
	return pieces
}

// path takes the address out of "FROM:<a@b> SIZE=1".
func path(rest string) string {
	_, rest, _ = strings.Cut(rest, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
