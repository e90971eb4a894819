package demo

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"postdesk/internal/email"
)

// World is the post office and its customers, playing.
type World struct {
	Post *Post

	hurry   bool // a hundred times as fast
	tell    func(line string)
	mu      sync.Mutex
	inboxes map[string]chan []byte
	busy    int // customers who still want to write
	sent    int // mails written to the desk
}

// Open starts the post office. tell is called with one line for everything that customers do and receive; with hurry a
// minute of theirs takes less than a second.
func Open(hurry bool, tell func(string)) (*World, error) {
	w := &World{hurry: hurry, tell: tell, inboxes: map[string]chan []byte{}}
	var err error
	w.Post, err = OpenPost(w.arrived)
	return w, err
}

// Play lets the customers write and answer until ctx ends.
func (w *World) Play(ctx context.Context, customers []Customer) error {
	w.mu.Lock()
	for _, c := range customers {
		w.inboxes[c.Address] = make(chan []byte, 100)
	}
	w.busy = len(customers)
	w.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range customers {
		g.Go(func() error { return w.live(ctx, c) })
	}
	return g.Wait()
}

// live is one customer: writes, and answers mail by mail while there is something to say.
func (w *World) live(ctx context.Context, c Customer) error {
	defer w.leave()
	if err := w.pause(ctx, c.After); err != nil {
		return nil
	}
	if err := w.write(c, c.Subject, c.Text, c.Files, nil); err != nil {
		return err
	}
	for _, a := range c.Answers {
		raw, ok := w.next(ctx, c)
		if !ok {
			return nil
		}
		if err := w.pause(ctx, a.After); err != nil {
			return nil
		}
		r, err := readMail(raw, func(raw []byte) string { return email.Parse(raw).Text })
		if err != nil {
			return err
		}
		if err := w.write(c, "", a.Text, a.Files, r); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) leave() {
	w.mu.Lock()
	w.busy--
	w.mu.Unlock()
}

func (w *World) next(ctx context.Context, c Customer) ([]byte, bool) {
	select {
	case raw := <-w.inboxes[c.Address]:
		return raw, true
	case <-ctx.Done():
		return nil, false
	}
}

func (w *World) pause(ctx context.Context, d time.Duration) error {
	if w.hurry {
		d /= 100 // still in order
	}
	select {
	case <-time.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *World) write(c Customer, subject, text string, files []File, answering *received) error {
	raw, to, err := c.mail(time.Now(), subject, text, files, answering)
	if err != nil {
		return fmt.Errorf("mail of %s: %w", c.Address, err)
	}
	if subject == "" {
		subject = "(answers)"
	}
	w.tell(fmt.Sprintf("✉  %s writes: %s — %s", c.Address, subject, oneLine(text)))
	w.mu.Lock()
	w.sent++
	w.mu.Unlock()
	return send(w.Post.SMTP.String(), c.Address, to, raw)
}

// arrived is called by the post office for every mail it put into a mailbox.
func (w *World) arrived(to string, raw []byte) {
	address := mailboxName(to)
	if address == Support {
		return
	}
	w.mu.Lock()
	inbox := w.inboxes[address]
	w.mu.Unlock()
	if r, err := readMail(raw, func([]byte) string { return "" }); err == nil {
		w.tell(fmt.Sprintf("   → %s receives: %s", address, r.subject))
	}
	if inbox == nil {
		return // somebody's own mail program
	}
	select {
	case inbox <- raw:
	default:
	}
}

// Sent is how many mails customers wrote so far, and Done whether all have said what they wanted to say.
func (w *World) Sent() (n int, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent, w.busy == 0
}

func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(r)
}
