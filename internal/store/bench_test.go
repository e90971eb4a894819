package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

// noContext is for the queries of a transaction, which look at the context of Write.
var noContext = context.Background()

// BenchmarkIntake writes batches of 100 mails of about 7 KB, eleven rows and three events each, with the look-ups intake does.
func BenchmarkIntake(b *testing.B) {
	for name, open := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			s := storetest.OpenURL(b, open(b))
			uid := uint32(0)
			var cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				mails := makeMails(&uid, 100)
				before := cpuTime()
				b.StartTimer()
				write(b, s, func(tx *store.Tx) error { return receive(tx, mails) })
				cpu += cpuTime() - before
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(100*b.N), "cpu-µs/mail")
			b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

// cpuTime is what this process has used of the processors, which says more than the clock on a busy machine.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type benchMail struct {
	uid      uint32
	text     string
	original store.Original
	answer   store.Original
}

func makeMails(uid *uint32, n int) []benchMail {
	mails := make([]benchMail, n)
	for i := range mails {
		*uid++
		var b strings.Builder
		fmt.Fprintf(&b, "Subject: mail %d\r\n\r\n", *uid)
		for b.Len() < 3500 {
			fmt.Fprintf(&b, "word%d ", rand.IntN(5000))
		}
		text := b.String()
		mails[i] = benchMail{*uid, text, store.Pack([]byte(text + text)), store.Pack(fmt.Appendf(nil, "To: c%d\r\n\r\n%s", *uid, text[:1500]))}
	}
	return mails
}

func receive(tx *store.Tx, mails []benchMail) error {
	ctx := noContext
	var uids []uint32
	var shas, keys, ids []string
	for _, m := range mails {
		uids, shas = append(uids, m.uid), append(shas, m.original.SHA256)
		keys = append(keys, fmt.Sprintf("c%d@example.org", m.uid))
		ids = append(ids, fmt.Sprintf("p%d@example.org", m.uid))
	}
	if _, err := tx.InboundByUID(ctx, "support", 1, uids); err != nil {
		return err
	}
	if _, err := tx.InboundByRaw(ctx, shas); err != nil {
		return err
	}
	if _, err := tx.CustomersByKey(ctx, "okpay", keys); err != nil {
		return err
	}
	if _, err := tx.MessagesByMailID(ctx, ids); err != nil {
		return err
	}
	if _, err := tx.AutomaticByAddress(ctx, keys, tx.Now()); err != nil {
		return err
	}
	for _, m := range mails {
		receiveOne(tx, m)
	}
	return nil
}

func receiveOne(tx *store.Tx, b benchMail) {
	tx.PutOriginal(b.original)
	tx.PutOriginal(b.answer)
	from := fmt.Sprintf("c%d@example.org", b.uid)
	c := ticket.Customer{ID: tx.NextID("customer"), Brand: "okpay", Address: from, AddressKey: from, CreatedAt: tx.Now()}
	t := ticket.Ticket{ID: tx.NextID("ticket"), Brand: "okpay", CustomerID: c.ID, Category: ticket.Withdrawal, Confidence: 0.75,
		Status: ticket.Open, Stage: "new", Subject: "Where is my money?", Language: "en", CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
	m := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.In, Kind: "human", From: from,
		To: []string{"support@okpay.example"}, Subject: t.Subject, MessageID: fmt.Sprintf("m%d@example.org", b.uid), Text: b.text,
		NewText: b.text[:len(b.text)/2], RawSHA256: b.original.SHA256, ReceivedAt: tx.Now(), CreatedAt: tx.Now()}
	a := ticket.Attachment{ID: tx.NextID("attachment"), MessageID: m.ID, Filename: "a.pdf", ContentType: "application/pdf", Size: 10, SHA256: b.original.SHA256}
	in := ticket.Inbound{ID: tx.NextID("inbound"), Mailbox: "support", UIDValidity: 1, UID: b.uid, RawSHA256: b.original.SHA256,
		MailID: m.MessageID, Size: b.original.Size, InternalDate: tx.Now(), Outcome: ticket.Ticketed, TicketID: t.ID, MessageID: m.ID, At: tx.Now()}
	out := ticket.Message{ID: tx.NextID("message"), TicketID: t.ID, Direction: ticket.Out, Kind: "automatic", From: "support@okpay.example",
		To: []string{from}, Subject: "Received", MessageID: fmt.Sprintf("o%d@okpay.example", t.ID), Text: b.text[:1000],
		Template: "ack", RawSHA256: b.answer.SHA256, ReceivedAt: tx.Now(), CreatedAt: tx.Now()}
	d := ticket.Delivery{ID: tx.NextID("delivery"), TicketID: t.ID, MessageID: out.ID, Class: ticket.ClassAck, Template: "ack",
		DedupeKey: fmt.Sprintf("ack/%d", t.ID), Automatic: true, To: from, Domain: "example.org", MailID: out.MessageID,
		RawSHA256: b.answer.SHA256, State: ticket.Queued, NextAttemptAt: tx.Now(), CreatedAt: tx.Now()}
	tx.Insert(&c, &t, &m, &a, &in, &out, &d)
	tx.Record("mail.received", t.ID, map[string]any{"uid": b.uid, "mailbox": "support", "outcome": "ticketed"}, &c, &m, &a, &in)
	tx.Record("ticket.opened", t.ID, map[string]any{"category": t.Category, "confidence": t.Confidence}, &t)
	tx.Record("mail.queued", t.ID, map[string]any{"template": "ack"}, &out, &d)
}
