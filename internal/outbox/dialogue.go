package outbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// errUnwanted: the queue cancelled the delivery between the claim and DATA.
var errUnwanted = errors.New("the mail is no longer wanted")

// block is how much message data is written under one deadline.
const block = 64 << 10

// transaction is one message on a session. It is written on go-mail's text connection and not with its Mail, Rcpt and
// Data: those declare BODY=8BITMIME for every message, have no place for ENVID, and drop the words of positive replies.
type transaction struct {
	*session
	end     time.Time // of the whole transaction
	started bool
}

// send runs one transaction and returns the answer that decided it. start is called between the accepted recipient and
// DATA; when it says no (errUnwanted) or fails, nothing of the message has gone out and there is no answer. Afterwards the
// session is ready for the next message unless it is broken.
func (s *session) send(job Job, start func() (bool, error)) (answer, error) {
	e, err := newEnvelope(job, s.can)
	if err != nil {
		return answer{stage: stageLocal, err: err}, nil
	}
	s.sent++
	t := &transaction{session: s, end: time.Now().Add(s.cfg.Timeout)}
	a := t.address(e)
	if a.positive() {
		if err := t.start(start); err != nil {
			t.reset()
			return answer{}, err
		}
		a = t.data(job.Raw)
	}
	if !a.positive() {
		t.reset()
	}
	return a, nil
}

func (t *transaction) start(start func() (bool, error)) error {
	wanted, err := start()
	if err == nil && !wanted {
		err = errUnwanted
	}
	t.started = err == nil
	return err
}

// address sends MAIL and RCPT, in one go if the server permits (RFC 2920).
func (t *transaction) address(e envelope) answer {
	t.put(e.mail)
	if !t.can.pipelining {
		if a := t.ask(stageMail); !a.positive() {
			return a
		}
		t.put(e.rcpt)
		return t.ask(stageRcpt)
	}
	t.put(e.rcpt)
	a := t.ask(stageMail)
	if t.broken {
		return a
	}
	if b := t.answer(stageRcpt); a.positive() {
		return b
	}
	return a
}

// data sends DATA, the message and the final dot.
func (t *transaction) data(raw []byte) answer {
	t.put("DATA")
	if a := t.ask(stageData); a.code != 354 {
		return t.unasked(a)
	}
	if n, err := t.pour(stuff(raw)); err != nil {
		return t.interrupted(n, err)
	}
	t.within(t.cfg.Deadlines.Final)
	return t.answer(stageDot)
}

// unasked is a DATA that did not get its 354. A positive reply settles nothing: RFC 5321, 4.3.2 knows none here, and nobody
// can tell what the server waits for now.
func (t *transaction) unasked(a answer) answer {
	if a.err == nil && a.code >= 400 {
		return a
	}
	if a.err == nil {
		a.err = fmt.Errorf("DATA was answered with %d", a.code)
	}
	t.broken = true
	a.code, a.unsent = 0, true
	a.err = fmt.Errorf("nothing of the message was sent: %w", a.err)
	return a
}

// pour writes data in blocks, each with its own deadline, and returns how much certainly left the buffer.
func (t *transaction) pour(data []byte) (int, error) {
	w := t.client.Text.W
	for n := 0; n < len(data); n += block {
		t.within(t.cfg.Deadlines.Block)
		if _, err := w.Write(data[n:min(n+block, len(data))]); err != nil {
			return n, err
		}
	}
	return len(data), w.Flush()
}

// interrupted looks for the refusal of a server that did not want to hear the end. Only a refusal counts: the final dot has
// not been sent as far as we know, so a 250 here would be about something else.
func (t *transaction) interrupted(n int, err error) answer {
	t.broken = true
	t.within(5 * time.Second)
	if a := t.answer(stageData); a.err == nil && a.code >= 400 {
		return a
	}
	return answer{stage: stageData, started: true, err: fmt.Errorf("broke off after %d bytes of the message: %w", n, err)}
}

// reset makes the session ready for the next message after a transaction that was not completed.
func (t *transaction) reset() {
	if t.broken {
		return
	}
	t.put("RSET")
	t.end = time.Now().Add(t.cfg.Deadlines.Command)
	if a := t.ask(stageMail); !a.positive() {
		t.broken = true
	}
}

// ask sends what was put and reads the reply.
func (t *transaction) ask(at stage) answer {
	t.within(t.cfg.Deadlines.Command)
	if err := t.client.Text.W.Flush(); err != nil {
		t.broken = true
		return answer{stage: at, started: t.started, err: err}
	}
	return t.answer(at)
}

// answer reads one reply. A session whose reply is missing, garbled or 421 is broken.
func (t *transaction) answer(at stage) answer {
	code, text, err := readReply(t.client.Text.R)
	t.broken = t.broken || err != nil || code == 421
	return answer{stage: at, started: t.started, code: code, text: text, err: err}
}

// within gives the next step d, but not more than is left of the whole transaction.
func (t *transaction) within(d time.Duration) {
	deadline := time.Now().Add(d)
	if deadline.After(t.end) {
		deadline = t.end
	}
	t.wire.expect(deadline)
}

// put writes one line into the buffer; the next Flush reports what went wrong.
func (s *session) put(line string) {
	_, _ = s.client.Text.W.WriteString(line)
	_, _ = s.client.Text.W.WriteString("\r\n")
}

func (s *session) command(line string) error {
	s.put(line)
	return s.client.Text.W.Flush()
}

var errGarbled = errors.New("garbled reply")

// readReply reads one reply of one or more lines (RFC 5321, 4.2) and returns its code and its words, the lines joined by
// \n. A bare code is a reply. net/textproto's reader takes a bare code for an error, and a message would count as uncertain
// although it was accepted.
func readReply(r *bufio.Reader) (code int, text string, err error) {
	var words []byte
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return 0, "", unexpectedEOF(err)
		}
		line = bytes.TrimRight(line, "\r\n")
		n, last, rest, ok := parseLine(line)
		if !ok || code != 0 && n != code {
			return 0, "", fmt.Errorf("%w: %.60q", errGarbled, line)
		}
		words = append(words, rest...)
		if code = n; last {
			return code, string(words), nil
		}
		words = append(words, '\n')
	}
}

func parseLine(line []byte) (code int, last bool, rest []byte, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, false, nil, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, nil, false
		}
		code = code*10 + int(c-'0')
	}
	if len(line) == 3 {
		return code, true, nil, true
	}
	return code, line[3] != '-', line[4:], line[3] == ' ' || line[3] == '-'
}

// unexpectedEOF: a connection that ends where a reply belongs.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
