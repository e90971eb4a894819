package mailbox_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"postdesk/internal/mailbox"
)

// memory is go-imap's in-memory server behind net.Pipe, so that it works in a synctest bubble.
type memory struct {
	t      testing.TB
	user   *imapmemserver.User
	server *imapserver.Server
	pipes  chan net.Conn
	once   sync.Once
	mails  map[uint32][]byte // by UID, of INBOX
	n      int
}

func newMemory(t testing.TB, caps ...imap.Cap) *memory {
	t.Helper()
	m := &memory{t: t, user: imapmemserver.NewUser("support", "secret"), pipes: make(chan net.Conn), mails: map[uint32][]byte{}}
	if err := m.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	store := imapmemserver.New()
	store.AddUser(m.user)
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	m.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return store.NewSession(), nil, nil
		},
		Caps: set, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.server.Serve(m)
	}()
	t.Cleanup(func() {
		m.server.Close()
		m.Close()
		<-done
	})
	return m
}

// Accept, Close and Addr make memory a net.Listener.
func (m *memory) Accept() (net.Conn, error) {
	c, ok := <-m.pipes
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.pipes) })
	return nil
}

func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (m *memory) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.pipes <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

func (m *memory) append(raw []byte) uint32 {
	m.t.Helper()
	data, err := m.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: time.Now()})
	if err != nil {
		m.t.Fatal(err)
	}
	m.mails[uint32(data.UID)] = raw
	return uint32(data.UID)
}

func (m *memory) fill(count, size int) {
	for range count {
		m.n++
		m.append(sample(m.n, size))
	}
}

func (m *memory) config() mailbox.Config {
	return mailbox.Config{
		Name: "support", Host: "127.0.0.1", TLS: mailbox.TLSNone, Username: "support",
		Password: func() (string, error) { return "secret", nil }, Dial: m.dial,
	}
}
