package outbox

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"postdesk/internal/ticket"
)

// work runs a worker until stop is called; stop waits for it.
func work(t testing.TB, cfg Config, q Queue) (w *Worker, stop func()) {
	t.Helper()
	w, err := New(cfg, q, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return w, stop
}

// eventually waits for something that happens right after a visible change of a delivery.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for tick := time.NewTicker(time.Millisecond); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not reached: %s", what)
		}
	}
}

func TestStoredBytesArriveExactly(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	messages := [][]byte{
		[]byte("Subject: a\r\n\r\nplain\r\n"),
		[]byte(".\r\n..\r\n...\r\n\r\n.leading\r\nend.\r\n.\r\n"),
		[]byte("\r\n"),
		append(bytes.Repeat([]byte(".0123456789\r\n"), 50_000), "last\r\n"...),
		[]byte("Subject: 8 bit\r\n\r\n\xe4\xbd\xa0\xe5\xa5\xbd \x00\x7f\xff\r\n"),
	}
	for _, m := range messages {
		q.put(Job{Raw: m})
	}
	work(t, srv.listen(t), q)
	q.awaitState(ticket.Accepted)
	for _, m := range messages {
		if n := taken(srv, m); n != 1 {
			t.Errorf("%.40q… arrived %d times as it is stored", m, n)
		}
	}
}

func taken(srv *server, raw []byte) int {
	n := 0
	for _, m := range srv.mails() {
		if bytes.Equal(m.raw, raw) {
			n++
		}
	}
	return n
}
