package outbox

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postdesk/internal/ticket"
)

// once answers with words the first time the given line is heard.
func once(line, words string) func(int, string) string {
	var mu sync.Mutex
	return func(_ int, heard string) string {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(heard, line) || line == "" {
			return ""
		}
		line = ""
		return words
	}
}

// always answers with words whenever the given line is heard.
func always(line, words string) func(int, string) string {
	return func(_ int, heard string) string {
		if strings.HasPrefix(heard, line) {
			return words
		}
		return ""
	}
}

func TestT5_1_LostReplyIsUncertainAndNeverSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		script func(int, string) string
		took   int
	}{
		"closes after the dot, having accepted":   {once(".", "sink"), 1},
		"closes after the dot, not having stored": {once(".", "drop"), 0},
		"closes at DATA":                          {once("DATA", "drop"), 0},
		"speaks nonsense after the dot":           {once(".", "what?"), 1},
		"closes inside the reply":                 {once(".", "250-2.0.0 Ok<drop>"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			srv, q := &server{script: c.script}, newQueue(t)
			id := q.put(Job{})
			_, stop := work(t, srv.listen(t), q)
			q.awaitState(ticket.Uncertain)
			q.put(Job{}) // shows that the worker had the chance to send the first again
			q.await("the second is accepted", func(r row) bool { return r.job.ID == id || r.state == ticket.Accepted })
			stop()
			r := q.get(id)
			if r.started != 1 || r.state != ticket.Uncertain || r.job.Attempts != 1 || r.result.Response == "" {
				t.Errorf("started %d times, %s, attempts %d, response %q", r.started, r.state, r.job.Attempts, r.result.Response)
			}
			if r.result.Unsent != (name == "closes at DATA") {
				t.Errorf("unsent is %v", r.result.Unsent)
			}
			if n := taken(srv, r.job.Raw); n != c.took {
				t.Errorf("the server has %d copies, want %d", n, c.took)
			}
		})
	}
}

func TestT5_2_LateReplyIsAccepted(t *testing.T) {
	for _, delay := range []time.Duration{17 * time.Second, time.Minute, 9*time.Minute + 50*time.Second} {
		synctest.Test(t, func(t *testing.T) {
			srv, q := &server{}, newQueue(t)
			srv.script = func(_ int, line string) string {
				if line == "." {
					time.Sleep(delay)
				}
				return ""
			}
			id := q.put(Job{})
			_, stop := work(t, srv.pipe(), q)
			time.Sleep(delay + time.Second)
			synctest.Wait()
			stop()
			if r := q.get(id); r.state != ticket.Accepted || len(srv.mails()) != 1 {
				t.Errorf("250 after %v: %s, %d copies, %q", delay, r.state, len(srv.mails()), r.result.Response)
			}
		})
	}
}

func TestT5_2_SilenceAfterTheDotEndsAsUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, q := &server{}, newQueue(t)
		srv.script = func(_ int, line string) string {
			if line == "." {
				time.Sleep(time.Hour)
			}
			return ""
		}
		id, began := q.put(Job{}), time.Now()
		_, stop := work(t, srv.pipe(), q)
		q.mu.Lock()
		for q.row(id).state != ticket.Uncertain {
			changed := q.changed
			q.mu.Unlock()
			<-changed
			q.mu.Lock()
		}
		q.mu.Unlock()
		if waited := time.Since(began); waited < 10*time.Minute || waited > 11*time.Minute {
			t.Errorf("gave up waiting for the final reply after %v, want the 10 minutes of RFC 5321, 4.5.3.2.6", waited)
		}
		stop()
		time.Sleep(time.Hour) // the server's talk ends
	})
}

// thin is a connection that takes its time for every large write.
type thin struct {
	net.Conn
	each time.Duration
}

func (c thin) Write(p []byte) (int, error) {
	if len(p) > 10_000 {
		time.Sleep(c.each)
	}
	return c.Conn.Write(p)
}

func TestT5_2_SlowUpload(t *testing.T) {
	for name, c := range map[string]struct {
		each   time.Duration
		blocks int
		want   ticket.DeliveryState
	}{
		"moving, longer than one command may take": {time.Minute, 15, ticket.Accepted},
		"one block does not move":                  {4 * time.Minute, 2, ticket.Uncertain},
		"longer than the whole transaction may":    {2 * time.Minute, 20, ticket.Uncertain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, q := &server{}, newQueue(t)
				cfg := srv.pipe()
				dial := cfg.Dial
				cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return thin{conn, c.each}, err
				}
				id := q.put(Job{Raw: append(bytes.Repeat([]byte("0123456789abcd\r\n"), c.blocks*block/16), "\r\n"...)})
				_, stop := work(t, cfg, q)
				time.Sleep(time.Hour)
				synctest.Wait()
				stop()
				if r := q.get(id); r.state != c.want {
					t.Errorf("%s %q", r.state, r.result.Response)
				}
			})
		})
	}
}

func TestRefusalInTheMiddleOfTheMessageIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		id := q.put(Job{Raw: bytes.Repeat([]byte("0123456789abcd\r\n"), 100*block/16)})
		cfg := (&server{}).pipe()
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go interrupt(theirs)
			return ours, nil
		}
		_, stop := work(t, cfg, q)
		time.Sleep(4 * time.Minute) // the block that is not read any more has three
		synctest.Wait()
		if r := q.get(id); r.state != ticket.Failed || r.result.Enhanced != "5.3.4" {
			t.Errorf("%s %q", r.state, r.result.Response)
		}
		stop()
	})
}

// interrupt is a server without pipelining that stops reading in the middle of a message and says why.
func interrupt(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for _, reply := range []string{"220 a", "250 b", "250 c", "250 d", "354 e"} {
		if reply != "220 a" {
			r.ReadString('\n')
		}
		io.WriteString(c, reply+"\r\n")
	}
	io.CopyN(io.Discard, r, 3*block)
	io.WriteString(c, "552 5.3.4 too big\r\n")
}

func TestT5_3_DropAfter250IsAccepted(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	srv.script = func(session int, line string) string {
		if session == 1 && line != "." && !strings.HasPrefix(line, "greet") && len(srv.mails()) > 0 {
			return "drop"
		}
		return ""
	}
	first := q.put(Job{})
	cfg := srv.listen(t)
	cfg.Workers = 1
	w, _ := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	if r := q.get(first).result; r.Code != 250 || !strings.HasPrefix(r.Response, "2.0.0 Ok: queued as ") || r.Enhanced != "2.0.0" {
		t.Errorf("reply kept as %d %q (%s)", r.Code, r.Response, r.Enhanced)
	}
	second := q.put(Job{})
	w.Wake()
	q.awaitState(ticket.Accepted)
	if r := q.get(second); r.job.Attempts != 1 || r.started != 1 || len(srv.mails()) != 2 || srv.count() != 2 {
		t.Errorf("the next mail: attempts %d, started %d, %d mails in %d sessions", r.job.Attempts, r.started, len(srv.mails()), srv.count())
	}
}

func TestSendingIsRecordedBeforeTheServerHearsDATA(t *testing.T) {
	for _, extensions := range [][]string{allExtensions, {}} { // with and without pipelining
		srv, q := &server{extensions: extensions}, newQueue(t)
		id := q.put(Job{})
		srv.script = func(_ int, line string) string {
			state := q.get(id).state
			if want := line == "DATA" || line == "." || line == "QUIT"; want == (state == ticket.Leased) {
				t.Errorf("%s is heard while the delivery is %s", line, state)
			}
			return ""
		}
		_, stop := work(t, srv.listen(t), q)
		q.awaitState(ticket.Accepted)
		stop()
	}
}

func TestRefusalAfterDataIsDefinite(t *testing.T) {
	for words, want := range map[string]ticket.DeliveryState{
		"451 4.3.0 queue file write error":     ticket.Deferred,
		"421 4.3.2 shutting down":              ticket.Deferred,
		"554 5.6.0 message refused":            ticket.Failed,
		"552 5.3.4 message too big":            ticket.Failed,
		"250":                                  ticket.Accepted,
		"250-2.0.0 two\r\n250 2.0.0 lines":     ticket.Accepted,
		"250 \xd3\xca\xbc\xfe\xd2\xd1\xca\xd5": ticket.Accepted,
	} {
		srv, q := &server{script: once(".", words)}, newQueue(t)
		q.put(Job{})
		_, stop := work(t, srv.listen(t), q)
		q.awaitState(want)
		stop()
		if r := q.get(1); r.job.Attempts != 1 || r.result.Code == 0 {
			t.Errorf("%q: %s with code %d, attempts %d", words, r.state, r.result.Code, r.job.Attempts)
		}
	}
}

func TestRefusedTransactionLeavesTheSessionUsable(t *testing.T) {
	for _, line := range []string{"MAIL", "RCPT", "DATA", "."} {
		srv, q := &server{script: once(line, "550 5.7.0 no")}, newQueue(t)
		q.put(Job{})
		cfg := srv.listen(t)
		cfg.Workers = 1
		w, stop := work(t, cfg, q)
		q.awaitState(ticket.Failed)
		second := q.put(Job{})
		w.Wake()
		q.await("the second goes out", func(r row) bool { return r.job.ID != second || r.state == ticket.Accepted })
		stop()
		if srv.count() != 1 {
			t.Errorf("after a refused %s: %d sessions, want 1", line, srv.count())
		}
		if r := q.get(1); (r.started == 1) != (line == "DATA" || line == ".") {
			t.Errorf("after a refused %s: %v", line, r.trace)
		}
	}
}

func TestNothingBetweenAcceptedMessages(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	for range 20 {
		q.put(Job{})
	}
	cfg := srv.listen(t)
	cfg.Workers = 1
	_, stop := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	stop()
	for _, line := range srv.said() {
		if line == "RSET" || line == "NOOP" {
			t.Fatalf("%s between messages", line)
		}
	}
	if said := srv.said(); srv.count() != 1 || said[len(said)-1] != "QUIT" {
		t.Errorf("%d sessions for 20 messages on one connection, the last line is %q", srv.count(), said[len(said)-1])
	}
}

func TestClosingServiceInMidSessionBurnsNothing(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	srv.script = func(session int, line string) string {
		if session == 1 && strings.HasPrefix(line, "MAIL") && len(srv.mails()) == 2 {
			return "421 4.4.2 closing"
		}
		return ""
	}
	for range 5 {
		q.put(Job{})
	}
	cfg := srv.listen(t)
	cfg.Workers = 1
	_, stop := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	stop()
	q.await("one attempt each", func(r row) bool { return r.job.Attempts == 1 && r.started == 1 })
	if len(srv.mails()) != 5 || srv.count() != 2 {
		t.Errorf("%d mails in %d sessions", len(srv.mails()), srv.count())
	}
}

func TestTooManyMessagesInASessionGoesOnInAnother(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	srv.script = func(session int, line string) string {
		if strings.HasPrefix(line, "MAIL") && len(srv.mails()) >= 3*session {
			return "452 4.5.3 too many mails in this session"
		}
		return ""
	}
	for range 9 {
		q.put(Job{})
	}
	cfg := srv.listen(t)
	cfg.Workers = 1
	_, stop := work(t, cfg, q)
	q.awaitState(ticket.Accepted)
	stop()
	if srv.count() != 3 {
		t.Errorf("%d sessions, want 3", srv.count())
	}
}

func TestCancelledBetweenClaimAndDataIsNotSent(t *testing.T) {
	srv, q := &server{}, newQueue(t)
	q.wanted = func(id int64) bool { return id != 1 }
	q.put(Job{})
	q.put(Job{})
	cfg := srv.listen(t)
	cfg.Workers = 1
	w, stop := work(t, cfg, q)
	q.await("one is cancelled, the other accepted", func(r row) bool {
		return r.state == map[int64]ticket.DeliveryState{1: ticket.Cancelled, 2: ticket.Accepted}[r.job.ID]
	})
	stop()
	if len(srv.mails()) != 1 || srv.count() != 1 {
		t.Errorf("%d mails in %d sessions", len(srv.mails()), srv.count())
	}
	if n := len(w.owners()); n != 0 {
		t.Errorf("%d leases kept after everything ended", n)
	}
}

func TestEndlessReplyIsCutOff(t *testing.T) {
	for line, want := range map[string]ticket.DeliveryState{"greet": ticket.Queued, "EHLO": ticket.Queued, "RCPT": ticket.Deferred, ".": ticket.Uncertain} {
		srv, q := &server{}, newQueue(t)
		srv.script = always(line, strings.Repeat("250-and so on\r\n", 2*maxReply/15)+"250 done")
		q.put(Job{})
		_, stop := work(t, srv.listen(t), q)
		q.await("cut off", func(r row) bool { return r.state == want && len(r.trace) > 2 })
		stop()
		if r := q.get(1).result.Response; len(r) > maxResponse || !strings.Contains(r, errFlood.Error()) {
			t.Errorf("%s: response %.200q", line, r)
		}
	}
}
