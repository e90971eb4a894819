package main

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"net/mail"
	"strings"
	"testing"
	"time"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/store"
	"postdesk/internal/store/storetest"
	"postdesk/internal/ticket"
)

func base64Lines(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var lines []string
	for len(s) > 76 {
		lines, s = append(lines, s[:76]), s[76:]
	}
	return strings.Join(append(lines, s), "\r\n")
}

// TestT1_1_KilledAtRandom kills the real program again and again while mails arrive from a real Dovecot and answers leave,
// and then holds it to its promise: every mail one outcome and one ticket, no answer twice, the record whole.
func TestT1_1_KilledAtRandom(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		const before, during, kills = 250, 150, 12
		imap := mailtest.Dovecot(t)
		slow := func(int) mailtest.SMTPReply { return mailtest.SMTPReply{Delay: 15 * time.Millisecond} } // so that kills hit the instant between dot and 250
		sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageDOT: slow})
		o := openOffice(t, url, imap, sink.Host, sink.Port, "")
		for n := range before {
			imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, n))
		}
		for k := range kills {
			s := o.serve()
			time.Sleep(time.Duration(200+rand.IntN(1200)) * time.Millisecond) // the instant of the kill, not a wait for something
			s.kill()
			for n := range during / kills {
				imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, before+k*(during/kills)+n))
			}
		}
		total := before + during/kills*kills
		s := o.serve()
		o.until("every mail has its outcome and every answer its end", func() bool {
			return taken(o) >= total && allFinal(read[[]desk.DeliveryView](o, "delivery", "list"))
		})
		s.stop()
		uncertain := checkExactlyOnce(t, o, sink, total)
		t.Logf("%d kills, %d mails, 0 lost, 0 doubled, %d answers uncertain", kills, total, uncertain)
	})
}

func taken(o *office) int {
	n := 0
	for _, m := range read[[]desk.MailboxView](o, "mailbox", "status") {
		for _, c := range m.Counts {
			n += c
		}
	}
	return n
}

func allFinal(list []desk.DeliveryView) bool {
	for _, d := range list {
		if !d.State.Final() {
			return false
		}
	}
	return true
}

// checkExactlyOnce compares what was written, what the desk has and what left it. It returns how many answers are uncertain.
func checkExactlyOnce(t *testing.T, o *office, sink *mailtest.SMTPServer, total int) (uncertain int) {
	t.Helper()
	tickets := read[[]desk.TicketView](o, "ticket", "list", "--full")
	seen := map[string]int{}
	for _, v := range tickets {
		for _, m := range v.Messages {
			if m.Direction == ticket.In {
				seen[m.MessageID]++
			}
		}
	}
	if len(tickets) != total || len(seen) != total {
		t.Errorf("%d mails became %d tickets with %d different mails", total, len(tickets), len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("mail %s is in %d tickets", id, n)
		}
	}
	left := map[string]int{}
	for _, m := range sink.Messages() {
		left[headerOf(t, m.Data, "Message-ID")]++
	}
	deliveries := read[[]desk.DeliveryView](o, "delivery", "list")
	if len(deliveries) != total {
		t.Errorf("%d mails have %d answers", total, len(deliveries))
	}
	for _, d := range deliveries {
		n := left["<"+d.MessageID+">"]
		switch {
		case d.State == ticket.Uncertain && n <= 1:
			uncertain++
		case d.State == ticket.Accepted && n == 1:
		default:
			t.Errorf("answer %d is %s and left %d times", d.ID, d.State, n)
		}
	}
	if r := read[store.Report](o, "audit", "verify"); !r.OK {
		t.Errorf("the record is damaged: %+v", r.Failures)
	}
	o.run("mailbox", "reconcile")
	return uncertain
}

func headerOf(t testing.TB, raw []byte, name string) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("a mail that left cannot be read: %v", err)
	}
	return m.Header.Get(name)
}
