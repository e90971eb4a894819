package desk_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"postdesk/config"
	"postdesk/internal/agent"
	"postdesk/internal/desk"
	"postdesk/internal/email"
	"postdesk/internal/mailbox"
	"postdesk/internal/outbox"
	"postdesk/internal/reply"
	"postdesk/internal/rules"
	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
	"postdesk/templates"
)

// room is a desk over a fresh store, and the hands of a test: mails come in by post, people act, the outbox is emptied.
type room struct {
	*desk.Desk
	t      *testing.T
	tokens *email.Tokens
	uid    uint32
}

const (
	support = "support@okpay.example"
	li      = "liwei@qq.com"
)

// each runs a test on every database.
func each(t *testing.T, fn func(t *testing.T, r *room)) {
	set, err := rules.Load(config.RuleFiles(""))
	if err != nil {
		t.Fatal(err)
	}
	replies, err := reply.Load(templates.FS())
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		tokens, err := email.NewTokens(email.Key{ID: 1, Secret: []byte("0123456789abcdef0123456789abcdef")})
		if err != nil {
			t.Fatal(err)
		}
		d := desk.New(desk.Parts{Settings: settings(), Store: st, Rules: set, Replies: replies, Tokens: tokens, Log: slog.New(slog.DiscardHandler)})
		r := &room{Desk: d, t: t, tokens: tokens}
		for _, a := range []agent.Account{{Name: "ann", Role: agent.Agent}, {Name: "sam", Role: agent.Senior}, {Name: "aud", Role: agent.Auditor}} {
			if err := d.AddAgent(t.Context(), "", a, ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.KnowMailbox(t.Context(), "support"); err != nil {
			t.Fatal(err)
		}
		fn(t, r)
	})
}

func settings() *config.Config {
	c := config.Defaults()
	c.Instance = "okpay"
	c.Brands = []config.Brand{
		{ID: "okpay", Name: "OKPay", Languages: []string{"zh-Hans", "en"}, Domains: []string{"okpay.example"}},
		{ID: "tenpay", Name: "Tenpay", Languages: []string{"zh-Hans"}, Domains: []string{"tenpay.example"}},
	}
	c.Mailboxes = []config.Mailbox{
		{Name: "support", Brand: "okpay", Address: support},
		{Name: "junk", Brand: "okpay", Address: support, Junk: true},
		{Name: "tenpay", Brand: "tenpay", Address: "help@tenpay.example"},
	}
	return &c
}

// letter is a mail as a test writes it; empty fields get believable values.
type letter struct {
	from, to, subject, body, id string
	header                      string // further fields, each line ending with CRLF
}

func (l letter) raw(n uint32) []byte {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&l.from, "Li Wei <"+li+">")
	set(&l.to, support)
	set(&l.subject, "提现一直没到账")
	set(&l.body, "你好，我前天提现的 500 USDT 到现在还没有到账，请帮忙查一下。")
	set(&l.id, fmt.Sprintf("m%d@qq.com", n))
	return []byte("From: " + l.from + "\r\nTo: " + l.to + "\r\nSubject: " + l.subject + "\r\nMessage-ID: <" + l.id + ">\r\nDate: Sun, 22 Nov 2026 08:00:00 +0800\r\n" +
		l.header + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + l.body + "\r\n")
}

// mail numbers a letter as the next one of the mailbox.
func (r *room) mail(l letter) mailbox.Mail {
	r.uid++
	raw := l.raw(r.uid)
	return mailbox.Mail{Mailbox: "support", Folder: "INBOX", UIDValidity: 7, UID: r.uid, InternalDate: time.Now().UTC().Truncate(time.Second), Size: int64(len(raw)), Raw: raw}
}

// receive takes letters in as one batch.
func (r *room) receive(letters ...letter) {
	r.t.Helper()
	batch := make([]mailbox.Mail, len(letters))
	for i, l := range letters {
		batch[i] = r.mail(l)
	}
	r.take(batch...)
}

func (r *room) take(batch ...mailbox.Mail) {
	r.t.Helper()
	if err := r.Receive(r.t.Context(), 0, batch); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) tickets() []desk.TicketView {
	r.t.Helper()
	views, err := r.Tickets(r.t.Context(), store.Filter{}, true)
	if err != nil {
		r.t.Fatal(err)
	}
	return views
}

func (r *room) ticket(number int64) desk.TicketView {
	r.t.Helper()
	v, err := r.Ticket(r.t.Context(), number)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func (r *room) deliveries() []ticket.Delivery {
	r.t.Helper()
	list, err := r.Store.Deliveries(r.t.Context(), store.DeliveryFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func (r *room) held() []ticket.Held {
	r.t.Helper()
	list, err := r.Store.HeldList(r.t.Context(), store.HeldFilter{State: "held"})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// sent parses the bytes of a delivery as its reader's program would.
func (r *room) sent(d ticket.Delivery) *email.Mail {
	r.t.Helper()
	raw, err := r.Store.Original(r.t.Context(), d.RawSHA256)
	if err != nil {
		r.t.Fatal(err)
	}
	return email.Parse(raw)
}

// empty submits everything that is due to a server that takes it.
func (r *room) empty() {
	r.t.Helper()
	q := r.Outbox()
	jobs, err := q.Claim(r.t.Context(), "test", 1000, time.Minute, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, j := range jobs {
		if ok, err := q.Start(r.t.Context(), j); err != nil || !ok {
			r.t.Fatalf("start %d: %v %v", j.ID, ok, err)
		}
		if err := q.Finish(r.t.Context(), j, outbox.Result{State: ticket.Accepted, Code: 250, Response: "2.0.0 OK", Attempts: j.Attempts + 1}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// whole fails unless the record proves itself.
func (r *room) whole() {
	r.t.Helper()
	report, err := r.Store.Verify(r.t.Context(), store.VerifyOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range report.Failures {
		r.t.Errorf("record: %s: %s", f.Kind, f.What)
	}
}

func has(list []string, item string) bool {
	for _, s := range list {
		if strings.HasPrefix(s, item) {
			return true
		}
	}
	return false
}
