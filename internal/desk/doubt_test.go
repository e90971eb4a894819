package desk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/desk"
	"postdesk/internal/mailbox"
	"postdesk/internal/outbox"
	"postdesk/internal/ticket"
)

func TestTwoImportsAtOnceLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		const each, importers = 20, 4
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for i := range importers {
			wg.Go(func() {
				var files []desk.FileMail
				for n := range uint32(each) {
					raw := letter{from: fmt.Sprintf("c%d-%d@example.org", i, n), id: fmt.Sprintf("i%d-%d@example.org", i, n)}.raw(n)
					files = append(files, desk.FileMail{Raw: raw, Received: time.Now()})
				}
				n, err := r.Import(t.Context(), "support", files)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				total += n.New
				mu.Unlock()
			})
		}
		wg.Wait()
		if got := len(r.tickets()); got != each*importers || total != got {
			t.Errorf("%d mails imported, %d reported as new, %d tickets", each*importers, total, got)
		}
		r.whole()
	})
}

func TestReleasedMailKeepsItsPlaceInTheMailbox(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		m.InternalDate = time.Now().UTC().Add(-100 * time.Hour).Truncate(time.Second)
		set := r.Rules
		broken := r.Parts
		broken.Rules = nil
		if err := desk.New(broken).Receive(t.Context(), 0, []mailbox.Mail{m}); err != nil { // without rules reading fails
			t.Fatal(err)
		}
		held := r.held()
		if len(held) != 1 {
			t.Fatalf("held: %+v", held)
		}
		r.Rules = set
		if err := r.Release(t.Context(), "sam", held[0].ID); err != nil {
			t.Fatal(err)
		}
		rows, err := r.Store.InboundByUID(t.Context(), "support", 7, []uint32{m.UID})
		if err != nil || rows[m.UID].Outcome != ticket.Ticketed || !rows[m.UID].InternalDate.Equal(m.InternalDate) {
			t.Errorf("the UID's row after the release: %+v, %v", rows, err)
		}
		if n := len(r.deliveries()); n != 0 {
			t.Errorf("%d answers to a mail that is too old for one", n)
		}
		r.whole()
	})
}

func TestDecidedDeliveriesStayAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		q := r.Outbox()
		jobs, err := q.Claim(t.Context(), "test", 10, time.Minute, nil)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		if err := r.Cancel(t.Context(), "sam", jobs[0].ID); err != nil {
			t.Fatal(err)
		}
		// The server could not be reached, so the sender never asked whether the mail is still wanted.
		err = q.Finish(t.Context(), jobs[0], outbox.Result{State: ticket.Deferred, Response: "connection refused", Attempts: 1, Next: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if d := r.deliveries()[0]; d.State != ticket.Cancelled {
			t.Errorf("a cancelled delivery became %s", d.State)
		}
		if jobs, _ := q.Claim(t.Context(), "test", 10, time.Minute, nil); len(jobs) != 0 {
			t.Errorf("a cancelled delivery is claimed again: %+v", jobs)
		}
		r.whole()
	})
}

func TestBounceThatOvertakesTheAnswerStands(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		q := r.Outbox()
		jobs, _ := q.Claim(t.Context(), "test", 10, time.Minute, nil)
		if ok, err := q.Start(t.Context(), jobs[0]); err != nil || !ok {
			t.Fatal(ok, err)
		}
		r.take(r.bounce(jobs[0].MailFrom, li, "failed", "5.1.1"))
		if err := q.Finish(t.Context(), jobs[0], outbox.Result{State: ticket.Accepted, Code: 250, Attempts: 1}); err != nil {
			t.Fatal(err)
		}
		if d := r.deliveries()[0]; d.State != ticket.Bounced {
			t.Errorf("a bounced delivery became %s", d.State)
		}
		r.whole()
	})
}

func TestOneMailNeverBlocksTheMailbox(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.Settings.Automatic.AcksPerTicketPerDay = 5
		huge := func(l letter) mailbox.Mail {
			m := r.mail(l)
			m.Problem = mailbox.TooLarge
			return m
		}
		r.take(huge(letter{subject: "hello", body: "see attached", id: "a@qq.com"}))
		if s := r.tickets()[0].Stage; s != "triage" {
			t.Fatalf("the first mail should be unclear, it is %s", s)
		}
		second := huge(letter{header: "In-Reply-To: <a@qq.com>\r\n"})
		if err := r.Receive(t.Context(), 0, []mailbox.Mail{second}); err != nil {
			t.Fatalf("the mailbox is blocked: %v", err)
		}
		if v := r.tickets(); len(v) != 1 || len(v[0].Messages) != 3 {
			t.Errorf("tickets %d, messages %d, held %+v", len(v), len(v[0].Messages), r.held())
		}
		r.whole()
	})
}

func TestMailForAMailboxThatIsNoLongerConfigured(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		m.Mailbox = "gone"
		if err := r.Receive(t.Context(), 0, []mailbox.Mail{m}); err != nil {
			t.Fatal(err)
		}
		if len(r.held()) != 1 {
			t.Errorf("held: %+v", r.held())
		}
	})
}

func TestAddressCapHoldsWhateverTheCase(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.Settings.Automatic.PerAddressPerDay = 2
		for range 4 {
			r.receive(letter{from: "Li.Wei@QQ.com"})
		}
		if n := len(r.deliveries()); n != 2 {
			t.Errorf("%d automatic mails to one address, the cap is 2", n)
		}
	})
}

func TestStrangeSendersStillGetTheirTicket(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		strange := []string{
			"用户@例子.公司", `"a b"@example.org`, "a..b@example.org", ".a@example.org", "a@example", "a@[127.0.0.1]", "=?utf-8?q?x?=@example.org",
			"a@-x-.example", "a!b%c@example.org", strings.Repeat("l", 70) + "@example.org", "üser@example.org", "a@exa_mple.org", "a@b..org", "a'@example.org", `"a\"b"@example.org`,
		}
		for i, from := range strange {
			r.receive(letter{from: "X <" + from + ">", id: fmt.Sprintf("s%d <>,;: %s@x", i, strings.Repeat("é", 600))})
		}
		if v := r.tickets(); len(v) != len(strange) {
			t.Errorf("%d tickets of %d mails", len(v), len(strange))
		}
		for _, h := range r.held() {
			t.Errorf("held: %s: %s", h.From, h.Reason)
		}
	})
}

func TestOldSecretsAreNotWarnedOf(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{body: "My password is hunter2hunter2, my card 4111 1111 1111 1111. Please unlock my account."})
		m.InternalDate = time.Now().Add(-1000 * time.Hour)
		r.take(m)
		if n := len(r.deliveries()); n != 0 {
			t.Errorf("%d automatic mails in answer to a mail of last month", n)
		}
	})
}

func TestOpeningAtOnceIsOneStart(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.Settings.Mailboxes[0].IMAP.Start = "from_now"
		d := desk.New(r.Parts)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if c, err := d.Ledger().Open(t.Context(), "support", 7, 101); err != nil || c.LastUID != 100 || c.Reset {
					t.Errorf("cursor %+v, %v", c, err)
				}
			})
		}
		wg.Wait()
		row, err := r.Store.Mailbox(t.Context(), "support")
		if err != nil || row.StartUID != 100 || row.LastUID != 100 || row.Reset {
			t.Errorf("%+v, %v", row, err)
		}
	})
}

func TestRenumberedMailboxStillLeavesAloneWhatWasThereBefore(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.Settings.Mailboxes[0].IMAP.Start = "from_now"
		l := desk.New(r.Parts).Ledger()
		if _, err := l.Open(t.Context(), "support", 7, 101); err != nil {
			t.Fatal(err)
		}
		c, err := l.Open(t.Context(), "support", 8, 101)
		if err != nil || !c.Reset || c.LastUID != 0 {
			t.Fatal(c, err)
		}
		if since := time.Since(c.Since); since < time.Hour || since > 48*time.Hour {
			t.Errorf("mails since %v are fetched; it was opened just now", c.Since)
		}
		if again, err := l.Open(t.Context(), "support", 8, 101); err != nil || !again.Since.Equal(c.Since) {
			t.Errorf("after a restart: %+v, %v", again, err)
		}
		if third, err := l.Open(t.Context(), "support", 9, 101); err != nil || !third.Since.Equal(c.Since) {
			t.Errorf("after the next renumbering: %+v, %v", third, err)
		}
	})
}

func TestReleasedMessageShowsAsReleased(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		r.empty()
		sent := r.sent(r.deliveries()[0])
		r.receive(letter{from: "stranger@evil.example", to: sent.ReplyTo[0]})
		held := r.held()
		if len(held) != 1 {
			t.Fatal(held)
		}
		if v := r.ticket(1); v.Messages[2].Trust != "external" {
			t.Errorf("trust %q before the release", v.Messages[2].Trust)
		}
		if err := r.Release(t.Context(), "sam", held[0].ID); err != nil {
			t.Fatal(err)
		}
		if v := r.ticket(1); v.Messages[2].Trust != "released" {
			t.Errorf("trust %q after the release", v.Messages[2].Trust)
		}
	})
}

func TestEventsNameNoAddress(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		q := r.Outbox()
		jobs, _ := q.Claim(t.Context(), "test", 10, time.Minute, nil)
		if ok, err := q.Start(t.Context(), jobs[0]); err != nil || !ok {
			t.Fatal(ok, err)
		}
		said := "5.1.1 <LiWei@qq.com>: no such user, try li.wei+x@foxmail.com"
		if err := q.Finish(t.Context(), jobs[0], outbox.Result{State: ticket.Failed, Code: 550, Response: said, Attempts: 1}); err != nil {
			t.Fatal(err)
		}
		events, err := r.Store.Events(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if s := strings.ToLower(string(e.Data)); strings.Contains(s, "liwei") || strings.Contains(s, "foxmail") {
				t.Errorf("event %s: %s", e.Kind, s)
			}
		}
		if d := r.deliveries()[0]; d.LastResponse != said {
			t.Errorf("the delivery keeps the server's words, not %q", d.LastResponse)
		}
	})
}

func TestNobodyIsCalledLikeTheMachine(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		for _, name := range []string{"system", "Operator", "a\x1b[2J", "a\u202eb", "-x", "a<b>"} {
			if err := r.AddAgent(t.Context(), "", agent.Account{Name: name, Role: agent.Agent}, ""); err == nil {
				t.Errorf("an agent may be called %q", name)
			}
		}
		for _, name := range []string{"li.wei", "anna-2", "李伟"} {
			if err := r.AddAgent(t.Context(), "", agent.Account{Name: name, Role: agent.Agent}, ""); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSameFileInOneBatchIsFlagged(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		with := func(from string) letter {
			return letter{from: from, header: "X-Test: 1\r\n", body: "begin 644 doc.bin\r\n" + uu(6000) + "`\r\nend"}
		}
		r.receive(with("a@example.org"), with("b@example.org"))
		v := r.tickets()
		if len(v) != 2 || len(v[1].Messages[0].Attachments) != 1 {
			t.Fatalf("%+v", v)
		}
		if !has(v[1].Flags, "file_seen_in:1") {
			t.Errorf("flags %v", v[1].Flags)
		}
	})
}

// uu is n bytes as uuencoded lines.
func uu(n int) string {
	var b strings.Builder
	for ; n >= 45; n -= 45 {
		b.WriteString("M" + strings.Repeat("86)C", 15) + "\r\n")
	}
	return b.String()
}

func TestSecretsInTheSubjectAreHidden(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{subject: "my card 4111 1111 1111 1111 was refused"})
		b, err := json.Marshal(r.tickets()[0])
		if err != nil || strings.Contains(string(b), "4111 1111 1111 1111") {
			t.Errorf("shown: %s, %v", b, err)
		}
		if !has(r.tickets()[0].Flags, "secret:") {
			t.Errorf("flags %v", r.tickets()[0].Flags)
		}
	})
}

func TestForgedMailIsNeitherAnsweredNorJoinsByFlood(t *testing.T) {
	broken := "DKIM-Signature: v=1; a=rsa-sha256; d=strict.example; s=k; c=relaxed/relaxed; h=from:subject; bh=AAAA; b=AAAA\r\n"
	strict := names{"_dmarc.strict.example": {"v=DMARC1; p=reject"}, "k._domainkey.strict.example": {"v=DKIM1; k=rsa; p="}}
	each(t, func(t *testing.T, r *room) {
		r.Settings.Automatic.NewTicketsPerHour = 2
		r = r.withDNS(strict)
		r.receive(letter{from: "li@strict.example", header: broken})
		if n := len(r.deliveries()); n != 0 {
			t.Errorf("%d answers to somebody who did not write", n)
		}
		r.receive(letter{from: "li@strict.example"})
		r.receive(letter{from: "li@strict.example", header: broken})
		if v := r.tickets(); len(v) != 2 || len(r.held()) != 1 || v[1].Messages[len(v[1].Messages)-1].Trust != "external" {
			t.Errorf("%d tickets, held %+v", len(v), r.held())
		}
		r.whole()
	})
}

func TestSecondBounceIsNoDelay(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		r.empty()
		to := r.deliveries()[0].MailFrom
		first, second := r.bounce(to, li, "failed", "5.1.1"), r.bounce(to, li, "failed", "5.1.1")
		second.Raw = append(second.Raw, "again\r\n"...)
		r.take(first, second)
		kinds := map[string]int{}
		for _, e := range r.ticket(1).Events {
			kinds[e.Kind]++
		}
		if kinds["delivery.bounced"] != 1 || kinds["delivery.reported"] != 1 || kinds["delivery.delayed"] != 0 {
			t.Errorf("events %v", kinds)
		}
	})
}
