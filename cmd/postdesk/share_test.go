package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"postdesk/internal/desk"
	"postdesk/internal/mailtest"
	"postdesk/internal/store/storetest"
)

// TestShare_TwoServicesOneDatabase lets two services work on one mailbox and one outbox in PostgreSQL and kills now the one,
// now the other: the survivor goes on, and nothing is done twice.
func TestShare_TwoServicesOneDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	const before, during, kills = 200, 60, 4
	imap := mailtest.Dovecot(t)
	slow := func(int) mailtest.SMTPReply { return mailtest.SMTPReply{Delay: 15 * time.Millisecond} } // so that kills hit the instant between dot and 250
	sink := mailtest.SMTPScript(t, mailtest.SMTPBehaviour{mailtest.StageDOT: slow})
	o := openOffice(t, url, imap, sink.Host, sink.Port, "")
	for n := range before {
		imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, n))
	}
	pair := []*serving{o.serve(), o.serve()}
	for k := range kills {
		o.until("both run", func() bool { return pair[0].log.has("postdesk runs") && pair[1].log.has("postdesk runs") })
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond) // the instant of the kill, not a wait for something
		pair[k%2].kill()
		for n := range during / kills {
			imap.Append(t, supportUser, "INBOX", letterTo(supportAddress, before+k*(during/kills)+n))
		}
		pair[k%2] = o.serve()
	}
	total := before + during/kills*kills
	o.until("every mail has its outcome and every answer its end", func() bool {
		return taken(o) >= total && allFinal(read[[]desk.DeliveryView](o, "delivery", "list"))
	})
	pair[0].stop()
	pair[1].stop()
	uncertain := checkExactlyOnce(t, o, sink, total)
	t.Logf("2 services, %d kills, %d mails, 0 lost, 0 doubled, %d answers uncertain", kills, total, uncertain)
}

// TestShare_OneServicePerFile holds that a second service refuses a SQLite file that is served, and says why.
func TestShare_OneServicePerFile(t *testing.T) {
	t.Parallel()
	sink := mailtest.SMTPScript(t, nil)
	o := openOffice(t, "sqlite:", nowhere, sink.Host, sink.Port, "")
	first := o.serve("--only", "send,seal")
	o.until("the first one runs", func() bool { return first.log.has("postdesk runs") })
	o.refused(1, "another postdesk serves", "serve", "--only", "send")
	o.run("ticket", "list") // commands work beside it
	first.stop()
	second := o.serve("--only", "send,seal")
	o.until("the next one runs", func() bool { return second.log.has("postdesk runs") })
	second.stop()
}
