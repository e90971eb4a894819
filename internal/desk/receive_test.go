package desk_test

import (
	"strings"
	"testing"
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/desk"
	"postdesk/internal/email"
	"postdesk/internal/mailbox"
	"postdesk/internal/ticket"
)

func TestReceive(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{}, letter{from: "Maria <maria@example.org>", subject: "Please close my account", body: "Please close my account OK-204417 permanently."})
		views := r.tickets()
		if len(views) != 2 || views[0].Category != ticket.Withdrawal || views[1].Category != ticket.Closure {
			t.Fatalf("tickets: %+v", views)
		}
		zh, en := r.deliveries()[0], r.deliveries()[1]
		if zh.Template != "withdrawal.guide" || en.Template != "closure.guide" || zh.To != li || en.To != "maria@example.org" {
			t.Errorf("answers: %+v %+v", zh, en)
		}
		if m := r.sent(zh); m.Language != "zh-Hans" || m.Header.First("Auto-Submitted") != "auto-replied" || !strings.HasSuffix(m.Subject, "[#1]") {
			t.Errorf("answer in %s, Auto-Submitted %q, subject %q", m.Language, m.Header.First("Auto-Submitted"), m.Subject)
		}
		if m := r.sent(en); m.Language != "en" || m.MessageID == "" || len(m.InReplyTo) != 1 {
			t.Errorf("answer in %s, id %q, in reply to %v", m.Language, m.MessageID, m.InReplyTo)
		}
		r.whole()
	})
}

func TestReceive_SameUIDAgainIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		r.take(m)
		r.take(m, r.mail(letter{from: "b@example.org"}))
		if n := len(r.tickets()); n != 2 {
			t.Errorf("%d tickets", n)
		}
		if n := len(r.deliveries()); n != 2 {
			t.Errorf("%d answers", n)
		}
		r.whole()
	})
}

func TestT1_8_RenumberedMailboxBringsNothingNew(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		var first, second []mailbox.Mail
		for range 50 {
			m := r.mail(letter{from: "x@example.org"})
			first = append(first, m)
			m.UIDValidity, m.UID, m.Reset = 8, m.UID+100, true
			second = append(second, m)
		}
		r.take(first...)
		tickets, answers := len(r.tickets()), len(r.deliveries())
		really := r.mail(letter{from: "new@example.org"})
		really.UIDValidity, really.UID, really.Reset = 8, 1000, true
		r.take(append(second, really)...)
		if n := len(r.tickets()); n != tickets+1 {
			t.Errorf("%d tickets, want %d", n, tickets+1)
		}
		if n := len(r.deliveries()); n != answers+1 {
			t.Errorf("%d answers, want %d", n, answers+1)
		}
		counts, err := r.Store.InboundCounts(t.Context(), "support")
		if err != nil || counts[ticket.Duplicate] != 50 {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

func TestT1_10_MessageIDIsNeverTheKey(t *testing.T) {
	copyFor := func(alias string) letter {
		return letter{id: "one@example.org", header: "Received: from mx by " + alias + "; Sun, 22 Nov 2026 08:00:00 +0800\r\n"}
	}
	for name, tc := range map[string]struct {
		letters []letter
		tickets int
	}{
		"same id and content, delivered twice":          {[]letter{prepend(copyFor("a")), prepend(copyFor("b"))}, 1},
		"same id, other content: somebody reuses an id": {[]letter{{id: "one@example.org"}, {id: "one@example.org", from: "eve@evil.example", body: "Payment failed, please help"}}, 2},
		"no id at all":         {[]letter{{id: " ", body: "提现没到账 1"}, {id: " ", body: "提现没到账 2"}}, 2},
		"other id, same words": {[]letter{{id: "one@example.org"}, {id: "two@example.org"}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				r.receive(tc.letters...)
				if n := len(r.tickets()); n != tc.tickets {
					t.Errorf("%d tickets, want %d", n, tc.tickets)
				}
				r.whole()
			})
		})
	}
}

// prepend leaves the letter as it is: its trace field stands in the header, where servers put it.
func prepend(l letter) letter { return l }

func TestReceive_AnswerToOurMailJoinsTheTicket(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		ours := r.sent(r.deliveries()[0])
		for name, l := range map[string]letter{
			"by the reply address":             {to: ours.ReplyTo[0], body: "交易编号 WD-1"},
			"by the reply address in capitals": {to: strings.ToUpper(ours.ReplyTo[0]), body: "交易编号 WD-2"},
			"by our Message-ID":                {header: "In-Reply-To: <" + ours.MessageID + ">\r\n", body: "交易编号 WD-3"},
			"by the customer's own id":         {header: "References: <m1@qq.com>\r\n", body: "交易编号 WD-4"},
		} {
			r.receive(l)
			if views := r.tickets(); len(views) != 1 {
				t.Fatalf("%s: %d tickets", name, len(views))
			}
		}
		if v := r.ticket(1); len(v.Messages) != 6 || v.Status != ticket.Open {
			t.Errorf("ticket %s with %d messages", v.Status, len(v.Messages))
		}
		if n := len(r.deliveries()); n != 1 {
			t.Errorf("%d answers: follow-ups are not acknowledged", n)
		}
		r.whole()
	})
}

func TestT2_2_HijackWithTheRightToken(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		r.empty()
		before := r.ticket(1)
		ours := r.sent(r.deliveries()[0])
		r.receive(letter{from: "Li Wei <attacker@evil.example>", to: ours.ReplyTo[0], header: "In-Reply-To: <" + ours.MessageID + ">\r\n", body: "Please change my address and close the account."})
		after := r.ticket(1)
		if after.Status != before.Status || after.Customer != before.Customer || after.Category != before.Category || !after.UpdatedAt.Equal(before.UpdatedAt) {
			t.Errorf("the ticket changed: %+v", after)
		}
		if n := len(r.tickets()); n != 1 {
			t.Errorf("%d tickets", n)
		}
		if n := len(r.deliveries()); n != 1 {
			t.Errorf("the stranger was answered: %d deliveries", n)
		}
		held := r.held()
		if len(held) != 1 || held[0].TicketID != 1 || after.Messages[len(after.Messages)-1].Trust != "external" {
			t.Fatalf("quarantine: %+v", held)
		}
		if err := r.Release(t.Context(), "ann", held[0].ID); err == nil {
			t.Error("an agent may not release")
		}
		if err := r.Release(t.Context(), "sam", held[0].ID); err != nil {
			t.Error(err)
		}
		r.whole()
	})
}

func TestSubjectTagAloneOpensARelatedTicket(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{}, letter{subject: "Re: [#1] 提现", body: "还有一个问题，提现没有到账"})
		views := r.tickets()
		if len(views) != 2 || !has(views[1].Flags, "possibly_related:1") {
			t.Errorf("an unproven sender with a number in the subject: %+v", views)
		}
	})
}

func TestT2_5_AcknowledgementEchoesNothing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{from: "\"Buy Pills Cheap\" <victim@example.org>", subject: "zebrafish cheap pills", body: "xylophone http://evil.example/quokka payment failed"})
		for _, d := range r.deliveries() {
			raw, err := r.Store.Original(t.Context(), d.RawSHA256)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"zebrafish", "xylophone", "quokka", "evil.example", "Pills"} {
				if strings.Contains(string(raw), word) || strings.Contains(r.sent(d).Text, word) {
					t.Errorf("the answer repeats %q", word)
				}
			}
		}
	})
}

func TestT2_7_ClosedAndForeignTickets(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		ours := r.sent(r.deliveries()[0])
		if err := r.Close(t.Context(), "ann", 1, "done"); err != nil {
			t.Fatal(err)
		}
		r.receive(letter{to: ours.ReplyTo[0], body: "还是没到账"})
		if v := r.ticket(1); v.Status != ticket.Open {
			t.Errorf("a reply within the window leaves the ticket %s", v.Status)
		}
		foreign := r.mail(letter{to: "help@tenpay.example", header: "In-Reply-To: <" + ours.MessageID + ">\r\n"})
		foreign.Mailbox = "tenpay"
		r.take(foreign)
		if views := r.tickets(); len(views) != 2 || views[1].Brand != "tenpay" {
			t.Errorf("a mail to another brand: %+v", views)
		}
	})
}

func TestAutomaticMailIsKeptAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		r.empty()
		if err := r.Reply(t.Context(), "ann", 1, "请提供交易编号。"); err != nil {
			t.Fatal(err)
		}
		ours := r.sent(r.deliveries()[0])
		r.receive(letter{to: ours.ReplyTo[0], header: "Auto-Submitted: auto-replied\r\n", subject: "自动回复", body: "我正在休假。"})
		if v := r.ticket(1); v.Status != ticket.Waiting || v.Messages[len(v.Messages)-1].Kind != string(email.AutoReply) {
			t.Errorf("ticket %s, last message %s", v.Status, v.Messages[len(v.Messages)-1].Kind)
		}
		r.receive(letter{from: "robot@example.org", header: "Auto-Submitted: auto-generated\r\n", subject: "Report", body: "Your payment failed."})
		if n := len(r.deliveries()); n != 2 {
			t.Errorf("an automatic mail was answered: %d deliveries", n)
		}
	})
}

func TestT3_3_OwnMailIsRecordedOnly(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{from: support})
		if len(r.tickets()) != 0 || len(r.deliveries()) != 0 {
			t.Error("our own mail made a ticket")
		}
		counts, err := r.Store.InboundCounts(t.Context(), "support")
		if err != nil || counts[ticket.Recorded] != 1 {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

func TestT3_5_TenThousandRoundsWithAnotherDesk(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		from := "Desk B <desk@other.example>"
		const rounds, batch = 10_000, 100
		for range rounds / batch {
			letters := make([]letter, batch)
			for i := range letters { // it looks human and keeps no thread
				letters[i] = letter{from: from, subject: "We have received your request", body: "Thank you for contacting us. Your payment failed request was received."}
			}
			r.receive(letters...)
		}
		if n := len(r.deliveries()); n > 10 {
			t.Errorf("%d automatic mails to the other desk, want at most 10", n)
		}
		if n := len(r.tickets()); n > 20 {
			t.Errorf("%d tickets of the other desk", n)
		}
	})
}

func TestT3_7_BouncesCountOnlyWithOurToken(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{from: "a@gone.example"}, letter{from: "b@there.example"})
		r.empty()
		first := r.deliveries()[0]
		r.receive(letter{from: "mailer-daemon@mx.example", to: support, subject: "Undelivered", header: "Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\n", body: "The address b@there.example does not exist (5.1.1)."})
		if d := r.deliveries()[1]; d.State != ticket.Accepted {
			t.Errorf("a forged bounce made the delivery %s", d.State)
		}
		r.take(r.bounce(first.MailFrom, "a@gone.example", "delayed", "4.4.1"))
		if d := r.deliveries()[0]; d.State != ticket.Accepted {
			t.Errorf("a delay notice made the delivery %s", d.State)
		}
		r.take(r.bounce(first.MailFrom, "a@gone.example", "failed", "5.1.1"))
		if d := r.deliveries()[0]; d.State != ticket.Bounced {
			t.Errorf("the bounce left the delivery %s", d.State)
		}
		if v := r.ticket(1); !has(v.Flags, "undeliverable") {
			t.Errorf("flags %v", v.Flags)
		}
		r.receive(letter{from: "a@gone.example", subject: "again: payment failed"})
		if n := len(r.deliveries()); n != 2 {
			t.Error("a dead address was written to")
		}
		r.whole()
	})
}

// bounce is a delivery report to one of our envelope senders.
func (r *room) bounce(to, rcpt, action, status string) mailbox.Mail {
	m := r.mail(letter{})
	m.Raw = []byte(strings.ReplaceAll(`Return-Path: <>
From: MAILER-DAEMON@mx.example
To: `+to+`
Subject: Delivery report
Message-ID: <`+action+`@mx.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Report.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; `+rcpt+`
Action: `+action+`
Status: `+status+`

--b--
`, "\n", "\r\n"))
	return m
}

func TestT1_17_JunkFolderIsNeverAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		m.Mailbox, m.Junk = "junk", true
		r.take(m)
		if len(r.tickets()) != 1 || len(r.deliveries()) != 0 || !has(r.tickets()[0].Flags, "junk_folder") {
			t.Errorf("tickets %+v, %d answers", r.tickets(), len(r.deliveries()))
		}
	})
}

func TestTooLargeMailIsATicketWithItsHeaders(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{subject: "withdrawal", body: "x"})
		m.Raw, m.Problem, m.Size = m.Raw[:len(m.Raw)-3], "too_large", 90<<20
		r.take(m)
		if v := r.ticket(1); len(v.Messages) != 2 || v.Messages[0].Problems[0] != "too_large" || v.Messages[1].Template != "intake.too_large" {
			t.Errorf("%+v", v.Messages)
		}
	})
}

func TestOldMailGetsNoAcknowledgement(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		m := r.mail(letter{})
		m.InternalDate = time.Now().Add(-30 * 24 * time.Hour)
		r.take(m)
		if len(r.tickets()) != 1 || len(r.deliveries()) != 0 {
			t.Error("a mail of last month was acknowledged")
		}
	})
}

func TestT1_18_OrderOfArrivalDoesNotMatter(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{id: "second@qq.com", header: "References: <first@qq.com>\r\nIn-Reply-To: <first@qq.com>\r\n", body: "补充：交易编号 WD-9"}, letter{id: "first@qq.com"})
		if n := len(r.tickets()); n != 1 {
			t.Errorf("a reply before its parent leaves %d tickets", n)
		}
	})
}

func TestVerbsOfPeople(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		r.receive(letter{})
		for name, err := range map[string]error{
			"nobody":     r.Note(ctx, "", 1, "x"),
			"a stranger": r.Note(ctx, "eve", 1, "x"),
			"an auditor": r.Reply(ctx, "aud", 1, "x"),
			"empty":      r.Reply(ctx, "ann", 1, " "),
			"no ticket":  r.Note(ctx, "ann", 99, "x"),
			"to nobody":  r.Assign(ctx, "ann", 1, "zoe"),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		for name, err := range map[string]error{
			"note": r.Note(ctx, "ann", 1, "called the customer"), "assign": r.Assign(ctx, "ann", 1, "sam"), "reply": r.Reply(ctx, "ann", 1, "您好，已为您查询。"),
			"correct": r.Correct(ctx, "ann", 1, ticket.PaymentFailure), "close": r.Close(ctx, "ann", 1, "done"), "reopen": r.Reopen(ctx, "ann", 1, "not done"),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		v := r.ticket(1)
		if v.Status != ticket.Open || v.Assignee != "sam" || v.Category != ticket.PaymentFailure || len(v.Messages) != 4 {
			t.Errorf("%+v", v)
		}
		last := r.sent(r.deliveries()[1])
		if last.Header.Has("Auto-Submitted") || !strings.Contains(last.Text, "已为您查询") {
			t.Errorf("an agent's mail: Auto-Submitted %q, text %q", last.Header.First("Auto-Submitted"), last.Text)
		}
		r.whole()
	})
}

func TestDisabledAgentsMayNothing(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		r.receive(letter{})
		if err := r.ChangeAgent(t.Context(), "", "ann", desk.Disable); err != nil {
			t.Fatal(err)
		}
		if err := r.Note(t.Context(), "ann", 1, "x"); err == nil {
			t.Error("a disabled agent acted")
		}
		if err := r.AddAgent(t.Context(), "sam", agent.Account{Name: "eve", Role: agent.Admin}, ""); err == nil {
			t.Error("a senior made an administrator")
		}
	})
}

func TestUncertainDeliveriesAreNeverResentByThemselves(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		r.receive(letter{})
		q := r.Outbox()
		jobs, err := q.Claim(ctx, "a", 10, time.Minute, nil)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		if ok, err := q.Start(ctx, jobs[0]); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := q.Recover(ctx, "b", true); err != nil { // the process died here
			t.Fatal(err)
		}
		if d := r.deliveries()[0]; d.State != ticket.Uncertain {
			t.Fatalf("delivery is %s", d.State)
		}
		if again, err := q.Claim(ctx, "b", 10, time.Minute, nil); err != nil || len(again) != 0 {
			t.Fatalf("claimed again: %v %v", again, err)
		}
		if err := r.Retry(ctx, "sam", 1, false); err == nil {
			t.Error("resent without a decision")
		}
		if err := r.Retry(ctx, "sam", 1, true); err != nil {
			t.Error(err)
		}
		if d := r.deliveries()[0]; d.State != ticket.Queued {
			t.Errorf("after the decision it is %s", d.State)
		}
		r.whole()
	})
}

func TestImportMayBeRepeated(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		var files []desk.FileMail
		for n := range uint32(30) {
			files = append(files, desk.FileMail{Raw: letter{from: "x@example.org"}.raw(n), Received: time.Now()})
		}
		first, err := r.Import(t.Context(), "support", files[:20])
		if err != nil || first.New != 20 {
			t.Fatal(first, err)
		}
		second, err := r.Import(t.Context(), "support", files)
		if err != nil || second.New != 10 || second.Duplicate != 20 {
			t.Fatal(second, err)
		}
		if _, err := r.Import(t.Context(), "nowhere", files); err == nil {
			t.Error("imported into a mailbox that does not exist")
		}
		counts, err := r.Store.InboundCounts(t.Context(), "import/support")
		if err != nil || counts[ticket.Ticketed] != 30 {
			t.Error(counts, err)
		}
	})
}

func TestMailsFromBeforeTheStartAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		l := r.Ledger()
		c, err := l.Open(t.Context(), "support", 7, 101)
		if err != nil || c.LastUID != 0 { // the settings of these tests have no start policy: all
			t.Fatal(c, err)
		}
		r.Settings.Mailboxes[0].IMAP.Start = "from_now"
		fresh := desk.New(r.Parts)
		c, err = fresh.Ledger().Open(t.Context(), "support", 8, 101)
		if err != nil || c.LastUID != 0 || !c.Reset {
			t.Errorf("a renumbered mailbox is read from the start and matched by content: %+v, %v", c, err)
		}
		if err := fresh.KnowMailbox(t.Context(), "tenpay"); err != nil {
			t.Fatal(err)
		}
		r.Settings.Mailboxes[2].IMAP.Start = "from_now"
		fresh = desk.New(r.Parts)
		c, err = fresh.Ledger().Open(t.Context(), "tenpay", 1, 101)
		if err != nil || c.LastUID != 100 || c.Reset {
			t.Errorf("first time with from_now: %+v, %v", c, err)
		}
		decided, err := fresh.Ledger().Decided(t.Context(), "tenpay", 1, []uint32{1, 100, 101})
		if err != nil || !decided[1] || !decided[100] || decided[101] {
			t.Errorf("decided: %v, %v", decided, err)
		}
	})
}

func TestT1_4_HolesAreTriedAgainAndAtLastSetAside(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		l := r.Ledger()
		for range 3 {
			if err := l.Fail(t.Context(), "support", 7, 5, "connection died"); err != nil {
				t.Fatal(err)
			}
		}
		if h := r.held(); len(h) != 1 || h[0].UID != 5 {
			t.Errorf("quarantine: %+v", h)
		}
		for range 3 {
			if err := l.Fail(t.Context(), "support", 7, 6, "imap: NO [SERVERBUG] later"); err != nil {
				t.Fatal(err)
			}
		}
		counts, err := r.Store.InboundCounts(t.Context(), "support")
		if err != nil || counts[ticket.FailedFetch] != 1 || counts[ticket.Quarantined] != 1 {
			t.Errorf("counts %v, %v", counts, err)
		}
		m := r.mail(letter{})
		m.UID = 6
		r.take(m) // the server gives it after all
		counts, err = r.Store.InboundCounts(t.Context(), "support")
		if err != nil || counts[ticket.FailedFetch] != 0 || counts[ticket.Ticketed] != 1 {
			t.Errorf("after the repair: counts %v, %v", counts, err)
		}
		r.whole()
	})
}
