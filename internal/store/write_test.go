package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

var day = time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)

// intake writes one mail as the desk does: eleven rows, three events.
func intake(tx *store.Tx, mailbox string, uid uint32, raw []byte) ticket.Ticket {
	o := store.Pack(raw)
	tx.PutOriginal(o)
	c := ticket.Customer{ID: tx.NextID("customer"), Brand: "okpay", Address: fmt.Sprintf("c%d@example.org", uid), CreatedAt: tx.Now()}
	c.AddressKey = c.Address
	t := ticket.Ticket{ID: tx.NextID("ticket"), Brand: "okpay", CustomerID: c.ID, Category: ticket.Withdrawal, Confidence: 0.75,
		Status: ticket.Open, Stage: "new", Subject: "Where is my money?", Language: "en", Flags: []string{"urgent"}, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
	m := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.In, Kind: "human", From: c.Address,
		To: []string{"support@okpay.example"}, Subject: t.Subject, MessageID: fmt.Sprintf("m%d@example.org", uid), Text: string(raw),
		NewText: string(raw), RawSHA256: o.SHA256, ReceivedAt: day, CreatedAt: tx.Now()}
	a := ticket.Attachment{ID: tx.NextID("attachment"), MessageID: m.ID, Filename: "receipt.pdf", ContentType: "application/pdf", Size: 10, SHA256: o.SHA256}
	in := ticket.Inbound{ID: tx.NextID("inbound"), Mailbox: mailbox, UIDValidity: 1, UID: uid, RawSHA256: o.SHA256, MailID: m.MessageID,
		Size: o.Size, InternalDate: day, Outcome: ticket.Ticketed, TicketID: t.ID, MessageID: m.ID, At: tx.Now()}
	answer := store.Pack(fmt.Appendf(nil, "To: %s\r\n\r\nWe have your mail, ticket %d.\r\n", c.Address, t.ID))
	tx.PutOriginal(answer)
	out := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.Out, Kind: "automatic", From: "support@okpay.example",
		To: []string{c.Address}, Subject: "Received", MessageID: fmt.Sprintf("o%d@okpay.example", t.ID), Text: "We have your mail.",
		Template: "ack", RawSHA256: answer.SHA256, ReceivedAt: tx.Now(), CreatedAt: tx.Now()}
	d := ticket.Delivery{ID: tx.NextID("delivery"), TicketID: t.ID, MessageID: out.ID, Class: ticket.ClassAck, Template: "ack",
		DedupeKey: fmt.Sprintf("ack/%d", t.ID), Automatic: true, To: c.Address, Domain: "example.org", MailID: out.MessageID,
		RawSHA256: answer.SHA256, State: ticket.Queued, NextAttemptAt: tx.Now(), CreatedAt: tx.Now()}
	tx.Insert(&c, &t, &m, &a, &in, &out, &d)
	tx.Record("mail.received", t.ID, map[string]any{"uid": uid}, &c, &m, &a, &in)
	tx.Record("ticket.opened", t.ID, nil, &t)
	tx.Record("mail.queued", t.ID, map[string]any{"template": "ack"}, &out, &d)
	return t
}

func write(t testing.TB, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), "system", fn); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// mail stores one mail and returns its ticket.
func mail(t testing.TB, s *store.Store, uid uint32) (made ticket.Ticket) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		made = intake(tx, "support", uid, fmt.Appendf(nil, "Subject: mail %d\r\n\r\nHello, this is mail %d.\r\n", uid, uid))
		return nil
	})
	return made
}

func TestWrite_RowsAreReadBackAsTheyWereWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		made := mail(t, s, 7)
		got, err := s.Ticket(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made, got); diff != "" {
			t.Error(diff)
		}
		messages, err := s.MessagesOf(ctx, made.ID)
		if err != nil || len(messages) != 2 {
			t.Fatalf("messages: %d, %v", len(messages), err)
		}
		raw, err := s.Original(ctx, messages[0].RawSHA256)
		if err != nil || string(raw) != messages[0].Text {
			t.Errorf("original %q, %v", raw, err)
		}
		events, err := s.EventsOf(ctx, made.ID)
		if err != nil || len(events) != 3 || events[0].Kind != "mail.received" || len(events[0].Rows) != 4 {
			t.Errorf("events %+v, %v", events, err)
		}
	})
}
