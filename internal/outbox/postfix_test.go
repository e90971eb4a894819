package outbox

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"postdesk/internal/mailtest"
	"postdesk/internal/ticket"
)

func TestPostfixTakesEveryMailOnceAcrossARestart(t *testing.T) {
	mta := mailtest.Postfix(t)
	cfg := quick()
	cfg.Host, cfg.Port, cfg.TLS, cfg.TLSConfig = "localhost", mta.Port, StartTLS, mta.TLS
	q := newQueue(t)
	body := func(i int) string { return fmt.Sprintf("\r\n.mail %d\r\n..\r\n.\r\nend\r\n", i) }
	put := func(i int) {
		q.put(Job{To: fmt.Sprintf("kunde%d+t%d@example.com", i, i), Raw: []byte(fmt.Sprintf("From: desk@desk.test\r\nSubject: %d\r\n", i) + body(i))})
	}
	for i := 1; i <= 10; i++ {
		put(i)
	}
	w, stop := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	if r := q.get(1).result; r.Code != 250 || !strings.Contains(r.Response, "queued as") {
		t.Errorf("reply kept as %d %q", r.Code, r.Response)
	}
	mta.Stop()
	for i := 11; i <= 20; i++ {
		put(i)
	}
	w.Wake()
	q.await("given back while the server is away", func(r row) bool { return r.state == ticket.Accepted || len(r.trace) > 2 && r.job.Attempts == 0 })
	mta.Start(t)
	q.awaitState(ticket.Accepted)
	stop()
	ids := map[int]map[string]bool{} // of Postfix's queue, by mail
	eventually(t, "every mail in the mailbox", func() bool {
		for _, m := range mta.Received(t) {
			for i := 1; i <= 20; i++ {
				if strings.Contains(m, "\n"+strings.ReplaceAll(body(i), "\r\n", "\n")) {
					if ids[i] == nil {
						ids[i] = map[string]bool{}
					}
					ids[i][queueID.FindString(m)] = true
				}
			}
		}
		return len(ids) == 20
	})
	for i, list := range ids {
		if len(list) != 1 {
			t.Errorf("mail %d was taken %d times: %v", i, len(list), list)
		}
	}
	q.await("started once each", func(r row) bool { return r.started == 1 })
}

// queueID is in the Received field. A Postfix that is stopped while it writes to the mailbox writes that mail again, under
// the same id; a mail that was sent to it twice has two.
var queueID = regexp.MustCompile(`\bid [0-9A-Za-z]+\b`)
