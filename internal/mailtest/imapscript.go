package mailtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// IMAPMessage is a message of a scripted folder.
type IMAPMessage struct {
	UID   uint32
	Raw   []byte
	Size  int64    // RFC822.SIZE; 0: the truth
	Date  string   // INTERNALDATE as sent, without quotes; "": a plain date
	Flags []string // of STORE; names in any case
}

// IMAPBehaviour is what a scripted server does differently from a friendly one.
type IMAPBehaviour struct {
	Caps           string      // after log-in, without IMAP4rev1; default "ID IDLE UIDPLUS MOVE"
	CapsBefore     string      // before log-in; default ""
	Password       string      // default "secret"
	UIDValidity    uint32      // default 7
	PermanentFlags string      // default `\Seen \Deleted \*`
	NoUIDNext      bool        // leave UIDNEXT out of SELECT and STATUS
	TLS            *tls.Config // implicit TLS
	STARTTLS       *tls.Config // offer STARTTLS

	// On is asked first for every command. It answers with the methods of IMAPConn and returns true, or returns false to
	// leave the answer to the friendly server. It runs in the goroutine of the connection.
	On func(c *IMAPConn, cmd IMAPCommand) bool
}

// IMAPCommand is one command line.
type IMAPCommand struct {
	Tag  string
	Name string // upper case, with UID: "UID FETCH"
	Args string // the rest of the line as it came
	Conn int    // which connection, from 1
	N    int    // the how-manieth command of this name on this server, from 1
}

// UIDs returns the ranges of the set that begins Args; 0 stands for "*".
func (cmd IMAPCommand) UIDs() (ranges [][2]uint32) {
	set, _, _ := strings.Cut(cmd.Args, " ")
	for part := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		lo, _ := strconv.ParseUint(first, 10, 32)
		hi := lo
		if ranged {
			hi, _ = strconv.ParseUint(last, 10, 32)
		}
		ranges = append(ranges, [2]uint32{uint32(lo), uint32(hi)})
	}
	return ranges
}

// IMAPServer is a scripted IMAP server on loopback with one folder, INBOX, and one more that takes what is moved or copied.
type IMAPServer struct {
	Host string
	Port int

	listener  net.Listener
	behaviour IMAPBehaviour

	mu       sync.Mutex
	messages []IMAPMessage // ascending by UID
	moved    []IMAPMessage
	uidnext  uint32
	validity uint32
	commands []string
	counts   map[string]int
	conns    map[*IMAPConn]bool
	dialled  int
	ended    chan struct{}
	once     sync.Once
	wg       sync.WaitGroup
}

// IMAPScript starts a scripted server with these messages.
func IMAPScript(t testing.TB, b IMAPBehaviour, messages ...IMAPMessage) *IMAPServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if b.TLS != nil {
		l = tls.NewListener(l, b.TLS)
	}
	s := newIMAPServer(b, messages)
	s.Host, s.Port, s.listener = "127.0.0.1", port, l
	s.wg.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// IMAPPipe is IMAPScript without a port: its clients connect with Dial, over net.Pipe, so that it works in a synctest bubble.
func IMAPPipe(t testing.TB, b IMAPBehaviour, messages ...IMAPMessage) *IMAPServer {
	t.Helper()
	s := newIMAPServer(b, messages)
	t.Cleanup(s.Close)
	return s
}

func newIMAPServer(b IMAPBehaviour, messages []IMAPMessage) *IMAPServer {
	s := &IMAPServer{
		behaviour: b.withDefaults(),
		uidnext:   1, counts: map[string]int{}, conns: map[*IMAPConn]bool{}, ended: make(chan struct{}),
	}
	s.validity = s.behaviour.UIDValidity
	s.Add(messages...)
	return s
}

// Dial connects to the server over net.Pipe.
func (s *IMAPServer) Dial(context.Context) (net.Conn, error) {
	select {
	case <-s.ended:
		return nil, net.ErrClosed
	default:
	}
	client, server := net.Pipe()
	if s.behaviour.TLS != nil {
		server = tls.Server(server, s.behaviour.TLS)
	}
	s.take(server)
	return client, nil
}

// IMAPTLS returns a server's configuration with a fresh certificate, and a client's that trusts it under the name localhost.
func IMAPTLS(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	_, _, pair, client := certificate(t, t.TempDir())
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, client
}

func (b IMAPBehaviour) withDefaults() IMAPBehaviour {
	if b.Caps == "" {
		b.Caps = "ID IDLE UIDPLUS MOVE"
	}
	if b.Password == "" {
		b.Password = "secret"
	}
	if b.UIDValidity == 0 {
		b.UIDValidity = 7
	}
	if b.PermanentFlags == "" {
		b.PermanentFlags = `\Seen \Deleted \*`
	}
	return b
}

// Close ends the server and its connections.
func (s *IMAPServer) Close() {
	s.once.Do(func() { close(s.ended) })
	if s.listener != nil {
		s.listener.Close()
	}
	s.Drop()
	s.wg.Wait()
}

// Drop cuts every open connection; the server goes on.
func (s *IMAPServer) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.conn.Close()
	}
}

// Add puts messages into the folder and tells the clients that idle. A zero UID takes the next one.
func (s *IMAPServer) Add(messages ...IMAPMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		if m.UID == 0 {
			m.UID = s.uidnext
		}
		s.uidnext = max(s.uidnext, m.UID+1)
		s.messages = append(s.messages, m)
	}
	slices.SortFunc(s.messages, func(a, b IMAPMessage) int { return int(int64(a.UID) - int64(b.UID)) })
	for c := range s.conns {
		c.tell(len(s.messages))
	}
}

// Remove expunges messages behind the clients' backs.
func (s *IMAPServer) Remove(uids ...uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(m IMAPMessage) bool { return slices.Contains(uids, m.UID) })
}

// Renumber gives the folder a new UIDVALIDITY and its messages new UIDs from 1.
func (s *IMAPServer) Renumber(uidvalidity uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.validity, s.uidnext = uidvalidity, uint32(len(s.messages))+1
	for i := range s.messages {
		s.messages[i].UID = uint32(i) + 1
	}
}

// Messages returns what is in INBOX; Moved what was moved or copied away.
func (s *IMAPServer) Messages() []IMAPMessage { return s.copied(&s.messages) }

// Moved returns what was moved or copied away.
func (s *IMAPServer) Moved() []IMAPMessage { return s.copied(&s.moved) }

func (s *IMAPServer) copied(l *[]IMAPMessage) []IMAPMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*l)
}

// Commands returns the command lines received so far without their tags, secrets and all.
func (s *IMAPServer) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Dialled returns how many connections were accepted.
func (s *IMAPServer) Dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialled
}

func (s *IMAPServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.take(conn)
	}
}

func (s *IMAPServer) take(conn net.Conn) {
	s.mu.Lock()
	s.dialled++
	c := &IMAPConn{server: s, conn: conn, r: bufio.NewReader(conn), n: s.dialled, news: make(chan int, 1)}
	s.conns[c] = true
	s.mu.Unlock()
	s.wg.Go(func() {
		c.serve()
		c.Drop()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}

// IMAPConn is one connection to a scripted server.
type IMAPConn struct {
	server  *IMAPServer
	conn    net.Conn
	r       *bufio.Reader
	n       int
	inside  bool // logged in
	looked  bool // has sent a UID FETCH
	dropped bool
	news    chan int
}

// Raw writes octets as they are; the error is that of a client that is gone.
func (c *IMAPConn) Raw(octets []byte) error {
	_, err := c.conn.Write(octets)
	return err
}

// Line writes one line and CRLF.
func (c *IMAPConn) Line(format string, args ...any) { fmt.Fprintf(c.conn, format+"\r\n", args...) }

// Drop cuts the connection.
func (c *IMAPConn) Drop() {
	c.dropped = true
	c.conn.Close()
}

// Stall says nothing more until the client hangs up or the server ends.
func (c *IMAPConn) Stall() {
	go func() {
		<-c.server.ended
		c.conn.Close()
	}()
	for {
		if _, err := c.r.ReadByte(); err != nil {
			c.Drop()
			return
		}
	}
}

func (c *IMAPConn) tell(exists int) {
	select {
	case <-c.news:
	default:
	}
	c.news <- exists
}

func (c *IMAPConn) serve() {
	c.Line("* OK [CAPABILITY %s] script ready", c.capabilities())
	for !c.dropped {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		c.command(c.parse(strings.TrimRight(line, "\r\n")))
	}
}

func (c *IMAPConn) capabilities() string {
	b := c.server.behaviour
	caps := []string{"IMAP4rev1"}
	switch {
	case c.inside:
		caps = append(caps, strings.Fields(b.Caps)...)
	case b.STARTTLS != nil:
		caps = append(caps, "STARTTLS")
		fallthrough
	default:
		caps = append(caps, strings.Fields(b.CapsBefore)...)
	}
	return strings.Join(caps, " ")
}

func (c *IMAPConn) parse(line string) (cmd IMAPCommand) {
	cmd.Conn = c.n
	cmd.Tag, line, _ = strings.Cut(line, " ")
	whole := line
	cmd.Name, cmd.Args, _ = strings.Cut(line, " ")
	cmd.Name = strings.ToUpper(cmd.Name)
	if cmd.Name == "UID" {
		var verb string
		verb, cmd.Args, _ = strings.Cut(cmd.Args, " ")
		cmd.Name += " " + strings.ToUpper(verb)
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.commands = append(c.server.commands, whole)
	c.server.counts[cmd.Name]++
	cmd.N = c.server.counts[cmd.Name]
	return cmd
}

func (c *IMAPConn) command(cmd IMAPCommand) {
	defer func() { c.looked = c.looked || cmd.Name == "UID FETCH" }()
	if on := c.server.behaviour.On; on != nil && on(c, cmd) {
		return
	}
	c.Friendly(cmd)
}

// Friendly answers a command as a good server does.
func (c *IMAPConn) Friendly(cmd IMAPCommand) {
	switch cmd.Name {
	case "CAPABILITY":
		c.Line("* CAPABILITY %s", c.capabilities())
	case "STARTTLS":
		c.startTLS(cmd)
		return
	case "LOGIN":
		if !strings.HasSuffix(cmd.Args, ` "`+c.server.behaviour.Password+`"`) {
			c.Line("%s NO [AUTHENTICATIONFAILED] wrong password", cmd.Tag)
			return
		}
		c.inside = true
	case "AUTHENTICATE":
		if !strings.Contains(cmd.Args, " ") {
			c.Line("+ ")
			c.r.ReadString('\n')
		}
		c.inside = true
	case "ID":
		c.Line(`* ID ("name" "script")`)
	case "SELECT", "EXAMINE":
		c.choose(cmd)
	case "STATUS":
		c.status()
	case "UID FETCH":
		c.fetch(cmd)
	case "UID STORE", "UID EXPUNGE", "UID MOVE", "UID COPY":
		c.change(cmd)
	case "IDLE":
		c.idle()
	case "LOGOUT":
		c.Line("* BYE")
	case "NOOP":
		select {
		case n := <-c.news:
			c.Line("* %d EXISTS", n)
		default:
		}
	case "CREATE":
	default:
		c.Line("%s BAD not known", cmd.Tag)
		return
	}
	c.Line("%s OK done", cmd.Tag)
}

func (c *IMAPConn) startTLS(cmd IMAPCommand) {
	if c.server.behaviour.STARTTLS == nil {
		c.Line("%s BAD no TLS here", cmd.Tag)
		return
	}
	c.Line("%s OK go ahead", cmd.Tag)
	c.conn = tls.Server(c.conn, c.server.behaviour.STARTTLS)
	c.r = bufio.NewReader(c.conn)
}

// state of the folder; no lock is held while a client is written to, which may be slow to read.
func (s *IMAPServer) state() (exists int, validity, uidnext uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages), s.validity, s.uidnext
}

func (c *IMAPConn) choose(cmd IMAPCommand) {
	b := c.server.behaviour
	exists, validity, uidnext := c.server.state()
	c.Line(`* FLAGS (\Seen \Deleted)`)
	c.Line("* %d EXISTS", exists)
	c.Line("* OK [UIDVALIDITY %d] ok", validity)
	if !b.NoUIDNext {
		c.Line("* OK [UIDNEXT %d] ok", uidnext)
	}
	flags := b.PermanentFlags
	if cmd.Name == "EXAMINE" || flags == "none" {
		flags = ""
	}
	c.Line("* OK [PERMANENTFLAGS (%s)] ok", flags)
}

func (c *IMAPConn) status() {
	_, validity, uidnext := c.server.state()
	if c.server.behaviour.NoUIDNext {
		c.Line("* STATUS INBOX (UIDVALIDITY %d)", validity)
		return
	}
	c.Line("* STATUS INBOX (UIDVALIDITY %d UIDNEXT %d)", validity, uidnext)
}

func (c *IMAPConn) idle() {
	c.Line("+ idling")
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.r.ReadString('\n')
	}()
	for {
		select {
		case n := <-c.news:
			c.Line("* %d EXISTS", n)
		case <-done:
			return
		}
	}
}

// Matching returns the messages of a command's UID set. As RFC 9051 wants, "n:*" names the last message even if n is above.
func (c *IMAPConn) Matching(cmd IMAPCommand) (found []IMAPMessage) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for i, m := range c.server.messages {
		last := i == len(c.server.messages)-1
		for _, r := range cmd.UIDs() {
			if m.UID >= r[0] && m.UID <= r[1] || r[1] == 0 && (last || r[0] != 0 && m.UID >= r[0]) {
				found = append(found, m)
				break
			}
		}
	}
	return found
}

func (c *IMAPConn) fetch(cmd IMAPCommand) {
	for _, m := range c.Matching(cmd) {
		c.Fetch(m, cmd)
	}
}

// Fetch writes the answer for one message to a UID FETCH, without the tagged line.
func (c *IMAPConn) Fetch(m IMAPMessage, cmd IMAPCommand) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "* %d FETCH (UID %d", c.Sequence(m.UID), m.UID)
	if strings.Contains(cmd.Args, "RFC822.SIZE") {
		fmt.Fprintf(&b, " RFC822.SIZE %d", m.size())
	}
	if strings.Contains(cmd.Args, "INTERNALDATE") {
		fmt.Fprintf(&b, " INTERNALDATE %q", m.date())
	}
	if name, body, ok := m.Section(cmd.Args); ok {
		fmt.Fprintf(&b, " %s {%d}\r\n", name, len(body))
		b.Write(body)
	}
	b.WriteString(")\r\n")
	c.Raw(b.Bytes())
}

// Sequence is the number of a message in the folder, or 1 if it is gone.
func (c *IMAPConn) Sequence(uid uint32) int {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return max(0, slices.IndexFunc(c.server.messages, func(m IMAPMessage) bool { return m.UID == uid })) + 1
}

func (m IMAPMessage) size() int64 {
	if m.Size != 0 {
		return m.Size
	}
	return int64(len(m.Raw))
}

func (m IMAPMessage) date() string {
	if m.Date != "" {
		return m.Date
	}
	return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Format("02-Jan-2006 15:04:05 -0700")
}

// Section finds BODY.PEEK[…]<offset.length> in the items of a FETCH, and returns the name to answer with and the octets.
func (m IMAPMessage) Section(items string) (name string, body []byte, ok bool) {
	_, rest, ok := strings.Cut(items, "BODY.PEEK[")
	if !ok {
		return "", nil, false
	}
	part, rest, _ := strings.Cut(rest, "]")
	name, body = "BODY["+part+"]", m.Raw
	if part == "HEADER" {
		if i := bytes.Index(body, []byte("\r\n\r\n")); i >= 0 {
			body = body[:i+4]
		}
	}
	var offset, length int
	if _, err := fmt.Sscanf(rest, "<%d.%d>", &offset, &length); err == nil {
		name += "<" + strconv.Itoa(offset) + ">"
		offset = min(offset, len(body))
		body = body[offset:min(offset+length, len(body))]
	}
	return name, body, true
}

func (c *IMAPConn) change(cmd IMAPCommand) {
	found := c.Matching(cmd)
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	hit := func(m IMAPMessage) bool {
		return slices.ContainsFunc(found, func(f IMAPMessage) bool { return f.UID == m.UID })
	}
	switch cmd.Name {
	case "UID STORE":
		_, flags, _ := strings.Cut(cmd.Args, "(")
		for i := range s.messages {
			if hit(s.messages[i]) {
				s.messages[i].Flags = append(s.messages[i].Flags, strings.TrimSuffix(flags, ")"))
			}
		}
	case "UID COPY":
		s.moved = append(s.moved, found...)
	case "UID MOVE":
		s.moved = append(s.moved, found...)
		s.messages = slices.DeleteFunc(s.messages, hit)
	case "UID EXPUNGE":
		s.messages = slices.DeleteFunc(s.messages, func(m IMAPMessage) bool {
			return hit(m) && slices.Contains(m.Flags, `\Deleted`)
		})
	}
}

// Looked reports whether the client has looked into the folder on this connection.
func (c *IMAPConn) Looked() bool { return c.looked }

// ReadLine reads one line of the client, such as DONE.
func (c *IMAPConn) ReadLine() string {
	line, _ := c.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}
