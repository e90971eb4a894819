package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

// nowhere stands for a mailbox in tests that take their mails from files.
var nowhere = &mailtest.Server{Host: "127.0.0.1", Port: 9, Password: "none"}

const quickRetry = "outbox: {retry: [1s, 1s]}\n"

// senders opens an office that takes mails from files and sends to a server at this port.
func senders(t *testing.T, port int) *office {
	t.Helper()
	return openOffice(t, "sqlite:", nowhere, "127.0.0.1", port, quickRetry)
}

// takeIn imports the customer mails with these numbers; each becomes a ticket with one answer.
func (o *office) takeIn(numbers ...int) {
	o.t.Helper()
	for _, n := range numbers {
		file := filepath.Join(o.dir, fmt.Sprintf("letter-%d.eml", n))
		if err := os.WriteFile(file, letterTo(supportAddress, n), 0o600); err != nil {
			o.t.Fatal(err)
		}
		o.run("mail", "import", file)
	}
}

func (o *office) deliveries() []desk.DeliveryView {
	o.t.Helper()
	return read[[]desk.DeliveryView](o, "delivery", "list")
}

// all waits until there are so many deliveries and every one is in that state.
func (o *office) all(n int, state ticket.DeliveryState) {
	o.t.Helper()
	o.until(fmt.Sprintf("%d deliveries are %s", n, state), func() bool {
		list := o.deliveries()
		other := slices.ContainsFunc(list, func(d desk.DeliveryView) bool { return d.State != state })
		return len(list) == n && !other
	})
}

// copies is how often a delivery left.
func copies(t *testing.T, sink *mailtest.SMTPServer, d desk.DeliveryView) (n int) {
	t.Helper()
	for _, m := range sink.Messages() {
		if headerOf(t, m.Data, "Message-ID") == "<"+d.MessageID+">" {
			n++
		}
	}
	return n
}

func TestSubmission_ServerDownAtStartAndAgainLater(t *testing.T) {
	t.Parallel()
	mta := mailtest.Postfix(t)
	o := senders(t, mta.Port)
	received := 0
	s := o.serve("--only", "send,seal")
	for _, numbers := range [][]int{{1, 2, 3}, {4, 5}} {
		mta.Stop()
		o.takeIn(numbers...)
		o.until("the list shows what is wrong", func() bool {
			return slices.ContainsFunc(o.deliveries(), func(d desk.DeliveryView) bool {
				return d.State == ticket.Queued && strings.Contains(d.LastResponse, "refused") && d.NextAttemptAt != nil
			})
		})
		mta.Start(t)
		received += len(numbers)
		o.all(received, ticket.Accepted)
	}
	if got := len(mta.WaitReceived(t, received)); got != received {
		t.Errorf("%d mails arrived, want %d", got, received)
	}
	s.stop()
}

func TestSubmission_TemporaryRefusalIsTriedAgain(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	busy.Store(true)
	sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageRCPT: func(int) mailtest.SMTPReply {
		if busy.Load() {
			return mailtest.SMTPReply{Lines: []string{"451 4.2.0 mailbox busy, come back"}}
		}
		return mailtest.SMTPReply{}
	}})
	o := senders(t, sink.Port)
	s := o.serve("--only", "send,seal")
	o.takeIn(1)
	o.until("the list shows the refusal", func() bool {
		d := o.deliveries()[0]
		return d.State == ticket.Deferred && strings.Contains(d.LastResponse, "mailbox busy") && d.Attempts > 0 && d.NextAttemptAt != nil
	})
	busy.Store(false)
	o.all(1, ticket.Accepted)
	if n := copies(t, sink, o.deliveries()[0]); n != 1 {
		t.Errorf("the answer left %d times", n)
	}
	s.stop()
}

func TestSubmission_PermanentRefusalIsShownAndNotTriedAgain(t *testing.T) {
	t.Parallel()
	sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{
		mailtest.StageRCPT: mailtest.SMTPOnce(1, mailtest.SMTPReply{Lines: []string{"550 5.7.1 we do not want this"}}),
	})
	o := senders(t, sink.Port)
	s := o.serve("--only", "send,seal")
	o.takeIn(1)
	o.all(1, ticket.Failed)
	o.takeIn(2) // what comes later is not held up
	o.until("the next answer is accepted", func() bool { return o.deliveries()[1].State == ticket.Accepted })
	if list := o.run("delivery", "list", "--state", "failed"); !strings.Contains(list, "we do not want this") || strings.Count(list, "\n") != 2 {
		t.Errorf("delivery list --state failed prints\n%s", list)
	}
	if n := sink.Reached(mailtest.StageRCPT); n != 2 {
		t.Errorf("%d recipients were offered, want 2: a refusal for good is final", n)
	}
	if flags := read[desk.TicketView](o, "ticket", "show", "1").Flags; !slices.Contains(flags, "undelivered") {
		t.Errorf("the ticket does not show that its answer failed: flags %v", flags)
	}
	o.run("delivery", "retry", "1")
	o.all(2, ticket.Accepted)
	s.stop()
}

// TestSubmission_DropAfterTheDot loses the connection when the mail is out and the reply is not: nobody can know, so nothing
// is sent again unless a person says so (RFC 1047).
func TestSubmission_DropAfterTheDot(t *testing.T) {
	t.Parallel()
	sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageDOT: mailtest.SMTPOnce(1, mailtest.SMTPReply{Before: true})})
	o := senders(t, sink.Port)
	s := o.serve("--only", "send,seal")
	o.takeIn(1)
	o.all(1, ticket.Uncertain)
	o.takeIn(2)
	o.until("another answer is accepted", func() bool { return o.deliveries()[1].State == ticket.Accepted })
	s.stop()
	s = o.serve("--only", "send,seal")
	o.takeIn(3)
	o.until("another one after a restart", func() bool { return o.deliveries()[2].State == ticket.Accepted })
	lost := o.deliveries()[0]
	if n := copies(t, sink, lost); lost.State != ticket.Uncertain || n != 1 {
		t.Fatalf("the lost answer is %s and left %d times", lost.State, n)
	}
	if flags := read[desk.TicketView](o, "ticket", "show", "1").Flags; !slices.Contains(flags, "delivery_uncertain") {
		t.Errorf("the ticket does not show it: flags %v", flags)
	}
	o.refused(1, "--resend", "delivery", "retry", "1")
	o.run("delivery", "retry", "--resend", "1")
	o.all(3, ticket.Accepted)
	if n := copies(t, sink, lost); n != 2 {
		t.Errorf("after --resend the answer left %d times", n)
	}
	s.stop()
}

func TestSubmission_DropAfterTheReplyIsAccepted(t *testing.T) {
	t.Parallel()
	sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageDOT: func(int) mailtest.SMTPReply { return mailtest.SMTPReply{After: true} }})
	o := senders(t, sink.Port)
	o.takeIn(1, 2, 3)
	s := o.serve("--only", "send,seal")
	o.all(3, ticket.Accepted)
	for _, d := range o.deliveries() {
		if n := copies(t, sink, d); n != 1 {
			t.Errorf("answer %d left %d times", d.ID, n)
		}
	}
	s.stop()
}

// refused runs a command that must end with this exit code and say these words on stderr, once.
func (o *office) refused(code int, words string, args ...string) {
	o.t.Helper()
	out, errOut, err := o.try(args...)
	if got := exitCode(err); got != code || !strings.Contains(errOut, words) {
		o.t.Errorf("postdesk %s: exit %d, want %d and %q on stderr\n%s%s", strings.Join(args, " "), got, code, words, out, errOut)
	}
	if code == 1 && strings.Count(strings.TrimSpace(errOut), "\n") > 0 {
		o.t.Errorf("postdesk %s says more than one line:\n%s", strings.Join(args, " "), errOut)
	}
}
