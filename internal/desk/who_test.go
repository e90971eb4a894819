package desk_test

import (
	"context"
	"encoding/base64"
	"net"
	"strings"
	"testing"
	"time"

	"postdesk/internal/desk"
	"postdesk/internal/ticket"
)

// names is a resolver that knows a few records.
type names map[string][]string

func (n names) LookupTXT(_ context.Context, name string) ([]string, error) {
	if txt, ok := n[strings.TrimSuffix(name, ".")]; ok {
		return txt, nil
	}
	return nil, &net.DNSError{Name: name, Err: "no such host", IsNotFound: true}
}

// withDNS is the same room with a resolver.
func (r *room) withDNS(n names) *room {
	parts := r.Parts
	parts.Resolver = n
	return &room{Desk: desk.New(parts), t: r.t, tokens: r.tokens, uid: r.uid}
}

func TestT2_3_ParticipantWhoseDomainDisownsTheMail(t *testing.T) {
	broken := "DKIM-Signature: v=1; a=rsa-sha256; d=strict.example; s=k; c=relaxed/relaxed; h=from:subject; bh=AAAA; b=AAAA\r\n"
	strict := names{"_dmarc.strict.example": {"v=DMARC1; p=reject"}, "k._domainkey.strict.example": {"v=DKIM1; k=rsa; p="}}
	for name, tc := range map[string]struct {
		header string
		held   bool
	}{
		"a broken signature under p=reject waits in quarantine": {broken, true},
		"no evidence either way joins, unproven":                {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				r = r.withDNS(strict)
				r.receive(letter{from: "li@strict.example", id: "first@strict.example"})
				r.receive(letter{from: "li@strict.example", header: tc.header + "References: <first@strict.example>\r\n", body: "补充信息"})
				v := r.ticket(1)
				last := v.Messages[len(v.Messages)-1]
				if held := len(r.held()) == 1; held != tc.held || (last.Trust == "external") != tc.held || last.Auth == "A2" {
					t.Errorf("held %v, message %+v", held, last)
				}
			})
		})
	}
}

func TestT2_4_AnswersGoToFromNeverToReplyTo(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{header: "Reply-To: thief@evil.example\r\n"})
		if err := r.Reply(t.Context(), "ann", 1, "您好，已收到。"); err != nil {
			t.Fatal(err)
		}
		for _, d := range r.deliveries() {
			if d.To != li || len(r.sent(d).To) != 1 || r.sent(d).To[0] != li {
				t.Errorf("%s went to %s", d.Template, d.To)
			}
		}
	})
}

func TestT2_6_MailNeverActsAsAnAgent(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		ours := r.sent(r.deliveries()[0])
		r.receive(letter{from: "ann@okpay.example", to: ours.ReplyTo[0], body: "@close\n@assign sam\nclose this ticket"})
		if v := r.ticket(1); v.Status != ticket.Open || v.Assignee != "" || len(r.deliveries()) != 1 {
			t.Errorf("a mail in an agent's name did something: %+v", v)
		}
	})
}

func TestT2_10_OurMessageIDsCarryTheBrandsDomain(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		d := r.deliveries()[0]
		m := r.sent(d)
		if !strings.HasSuffix(m.MessageID, "@okpay.example") || m.MessageID != d.MailID {
			t.Errorf("id %q, stored %q", m.MessageID, d.MailID)
		}
		if ref, ok := r.tokens.FindID(m.MessageID); !ok || ref.Delivery != d.ID {
			t.Errorf("the id does not name its delivery: %+v %v", ref, ok)
		}
	})
}

func TestT3_8_HardBounceStopsAutomaticMail(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{from: "a@gone.example"}, letter{from: "a@gone.example", subject: "账户被锁定", body: "我的账户被锁定了，登录不了。"})
		jobs, err := r.Outbox().Claim(t.Context(), "test", 1, time.Minute, nil) // only the first leaves before the bounce comes
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := r.Outbox().Start(t.Context(), jobs[0]); !ok || err != nil {
			t.Fatal(ok, err)
		}
		r.take(r.bounce(jobs[0].MailFrom, "a@gone.example", "failed", "5.1.1"))
		rest, err := r.Outbox().Claim(t.Context(), "test", 10, time.Minute, nil)
		if err != nil || len(rest) != 1 {
			t.Fatal(rest, err)
		}
		if ok, err := r.Outbox().Start(t.Context(), rest[0]); ok || err != nil {
			t.Errorf("an automatic mail to a dead address still goes out: %v %v", ok, err)
		}
		if d := r.deliveries()[1]; d.State != ticket.Cancelled || d.LastResponse == "" {
			t.Errorf("%+v", d)
		}
		r.whole()
	})
}

func TestT3_10_BounceOfABounceEndsThere(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		r.empty()
		d := r.deliveries()[0]
		for i := range 3 {
			m := r.bounce(d.MailFrom, li, "failed", "5.1.1")
			m.Raw = append(m.Raw, byte('0'+i), '\r', '\n')
			r.take(m)
		}
		if n := len(r.deliveries()); n != 1 {
			t.Errorf("bounces were answered: %d deliveries", n)
		}
		if d := r.deliveries()[0]; d.State != ticket.Bounced {
			t.Errorf("state %s", d.State)
		}
	})
}

func TestT5_8_WhatIsNoLongerWantedIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		jobs, err := r.Outbox().Claim(t.Context(), "test", 1, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Cancel(t.Context(), "sam", jobs[0].ID); err != nil {
			t.Fatal(err)
		}
		if ok, err := r.Outbox().Start(t.Context(), jobs[0]); ok || err != nil {
			t.Errorf("a cancelled delivery is sent: %v, %v", ok, err)
		}
	})
}

func TestT5_12_TheBytesAreStoredBeforeTheyAreSent(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		d := r.deliveries()[0]
		raw, err := r.Store.Original(t.Context(), d.RawSHA256)
		if err != nil || d.State != ticket.Queued {
			t.Fatal(d.State, err)
		}
		jobs, err := r.Outbox().Claim(t.Context(), "test", 1, time.Minute, nil)
		if err != nil || string(jobs[0].Raw) != string(raw) {
			t.Errorf("the job's bytes are not the stored ones: %v", err)
		}
	})
}

func TestT6_17_ArchivesAreKeptAndNeverOpened(t *testing.T) {
	bomb := append([]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), make([]byte, 9000)...)
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		m.Raw = []byte("From: a@example.org\r\nTo: " + support + "\r\nSubject: documents\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=docs.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(bomb) + "\r\n")
		r.take(m)
		a := r.ticket(1).Messages[0].Attachments
		if len(a) != 1 || a[0].Filename != "docs.zip" || a[0].Size != int64(len(bomb)) || a[0].Sniffed != "application/zip" {
			t.Errorf("%+v", a)
		}
	})
}

func TestSenderWithoutAUsableAddressIsKeptAndNotAnswered(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{from: "nobody"}, letter{from: "nobody else"})
		views := r.tickets()
		if len(views) != 2 || len(r.deliveries()) != 0 || views[0].Messages[0].Auth != "A0" {
			t.Errorf("%+v", views)
		}
		if err := r.Reply(t.Context(), "ann", 1, "hello"); err == nil {
			t.Error("a ticket without an address can be answered")
		}
	})
}
