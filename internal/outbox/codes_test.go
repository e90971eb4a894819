package outbox

import (
	"errors"
	"io"
	"testing"
	"time"

	"postdesk/internal/ticket"
)

func TestT5_4_NetworkErrorsByStage(t *testing.T) {
	lost := io.ErrUnexpectedEOF
	for _, c := range []struct {
		a     answer
		state ticket.DeliveryState
		blame blame
	}{
		{answer{stage: stageConnect, err: lost}, ticket.Queued, connection},
		{answer{stage: stageAuth, err: lost}, ticket.Queued, connection},
		{answer{stage: stageAuth, err: errors.Join(errLogin)}, ticket.Queued, credentials},
		{answer{stage: stageMail, err: lost}, ticket.Deferred, theServer},
		{answer{stage: stageRcpt, err: lost}, ticket.Deferred, theServer},
		{answer{stage: stageData, started: true, err: lost}, ticket.Uncertain, theServer},
		{answer{stage: stageDot, started: true, err: lost}, ticket.Uncertain, theServer},
		{answer{stage: stageDot, started: true, code: 354}, ticket.Uncertain, theServer},
		{answer{stage: stageRcpt, code: 354}, ticket.Deferred, theServer},
		{answer{stage: stageLocal, err: errAddress}, ticket.Failed, nobody},
	} {
		v := judge(c.a)
		if v.state != c.state || v.blame != c.blame {
			t.Errorf("%s, started %v, %d %v: %s, blame %d; want %s, blame %d", c.a.stage, c.a.started, c.a.code, c.a.err, v.state, v.blame, c.state, c.blame)
		}
		if !v.hangUp && c.a.stage != stageLocal {
			t.Errorf("%s: the connection would be used again", c.a.stage)
		}
	}
}

func TestT5_5_Codes(t *testing.T) {
	for _, c := range []struct {
		stage stage
		code  int
		text  string
		want  verdict
	}{
		{stageDot, 250, "2.0.0 Ok: queued as 4F2", verdict{state: ticket.Accepted, enhanced: "2.0.0"}},
		{stageDot, 251, "will forward", verdict{state: ticket.Accepted}},
		{stageRcpt, 450, "4.2.0 mailbox busy", verdict{state: ticket.Deferred, enhanced: "4.2.0", blame: theDomain}},
		{stageRcpt, 450, "4.2.0 <a@b>: Recipient address rejected: Greylisted", verdict{state: ticket.Deferred, enhanced: "4.2.0", atLeast: 5 * time.Minute}},
		{stageRcpt, 451, "4.7.1 try again later", verdict{state: ticket.Deferred, enhanced: "4.7.1", atLeast: 5 * time.Minute}},
		{stageMail, 452, "4.3.1 insufficient system storage", verdict{state: ticket.Deferred, enhanced: "4.3.1", blame: theServer}},
		{stageRcpt, 550, "5.1.1 <a@b>: no such user", verdict{state: ticket.Failed, enhanced: "5.1.1", suppress: true}},
		{stageRcpt, 550, "User not found: a@163.com", verdict{state: ticket.Failed, suppress: true}},
		{stageRcpt, 550, "5.7.1 not welcome", verdict{state: ticket.Failed, enhanced: "5.7.1"}},
		{stageMail, 552, "5.3.4 message size exceeds fixed limit", verdict{state: ticket.Failed, enhanced: "5.3.4"}},
		{stageDot, 552, "5.2.2 mailbox full", verdict{state: ticket.Failed, enhanced: "5.2.2"}},
		{stageMail, 421, "4.4.2 timeout", verdict{state: ticket.Queued, enhanced: "4.4.2", blame: theServer, hangUp: true}},
		{stageRcpt, 421, "4.7.0 try later", verdict{state: ticket.Deferred, enhanced: "4.7.0", blame: theServer, hangUp: true}},
		{stageDot, 421, "4.3.2 shutting down", verdict{state: ticket.Deferred, enhanced: "4.3.2", blame: theServer, hangUp: true}},
		{stageConnect, 554, "no service here", verdict{state: ticket.Queued, blame: connection, hangUp: true}},
		{stageConnect, 421, "busy", verdict{state: ticket.Queued, blame: connection, hangUp: true}},
		{stageAuth, 535, "5.7.8 bad credentials", verdict{state: ticket.Queued, enhanced: "5.7.8", blame: credentials, hangUp: true}},
		{stageAuth, 454, "4.7.0 temporary", verdict{state: ticket.Queued, enhanced: "4.7.0", blame: credentials, hangUp: true}},
		{stageMail, 530, "5.7.0 Authentication required", verdict{state: ticket.Queued, enhanced: "5.7.0", blame: credentials, hangUp: true}},
		{stageMail, 535, "Error: authentication failed", verdict{state: ticket.Queued, blame: credentials, hangUp: true}},
		{stageRcpt, 554, "5.7.1 <a@b>: Relay access denied", verdict{state: ticket.Deferred, enhanced: "5.7.1", blame: theServer}},
		{stageDot, 554, "DT:SPM 163 smtp10,DsCowAC3 please see http://mail.163.com/help", verdict{state: ticket.Deferred, blame: domainNow, policy: true, atLeast: 30 * time.Minute, attempts: 3}},
		{stageRcpt, 550, "User suspended", verdict{state: ticket.Deferred, blame: domainNow, policy: true, atLeast: 30 * time.Minute}},
		{stageRcpt, 550, "Domain frequency limited. http://service.mail.qq.com", verdict{state: ticket.Deferred, blame: domainNow, policy: true, atLeast: 30 * time.Minute}},
		{stageMail, 550, "Ip frequency limited", verdict{state: ticket.Deferred, blame: serverNow, policy: true, atLeast: 30 * time.Minute}},
		{stageRcpt, 550, "5.7.1 rate limited, too many messages", verdict{state: ticket.Deferred, enhanced: "5.7.1", blame: domainNow, policy: true, atLeast: 30 * time.Minute}},
		{stageRcpt, 550, "5.4.5 Daily user sending quota exceeded", verdict{state: ticket.Deferred, enhanced: "5.4.5", blame: serverNow, policy: true, atLeast: 30 * time.Minute}},
		{stageDot, 550, "Mail content denied", verdict{state: ticket.Deferred, blame: domainNow, policy: true, atLeast: 30 * time.Minute, attempts: 3}},
		{stageRcpt, 503, "5.5.1 bad sequence", verdict{state: ticket.Failed, enhanced: "5.5.1"}},
		{stageRcpt, 550, "5.1.1000 odd", verdict{state: ticket.Failed}},
	} {
		if got := judge(answer{stage: c.stage, code: c.code, text: c.text, started: c.stage >= stageData}); got != c.want {
			t.Errorf("%s: %d %s\n got %+v\nwant %+v", c.stage, c.code, c.text, got, c.want)
		}
	}
}

func TestT5_5_NothingAfterStartIsQueuedAgain(t *testing.T) {
	for _, at := range []stage{stageData, stageDot} {
		for code := 400; code < 600; code++ {
			a := answer{stage: at, started: true, code: code, text: "words"}
			r := testConfig().result(Job{CreatedAt: time.Now()}, a, judge(a), time.Now())
			if r.State != ticket.Deferred && r.State != ticket.Failed || r.Attempts != 1 {
				t.Errorf("%s answered with %d: %s, attempts %d", at, code, r.State, r.Attempts)
			}
		}
	}
}

func TestServerWordsAreKeptReadable(t *testing.T) {
	for in, want := range map[string]string{
		"2.0.0 Ok: queued as 4F2": "2.0.0 Ok: queued as 4F2",
		"one\ntwo":                "one\ntwo",
		"已收到":                     "已收到",
		"\xd3\xca\x00\x1b[31m":    `\xd3\xca\x00\x1b[31m`,
	} {
		if got := (answer{code: 250, text: in}).words(); got != want {
			t.Errorf("%q is kept as %q, want %q", in, got, want)
		}
	}
	if n := len((answer{code: 250, text: string(make([]byte, 1<<20))}).words()); n > maxResponse {
		t.Errorf("kept %d bytes of a long reply", n)
	}
}

func testConfig() Config { return Config{Host: "localhost"}.withDefaults() }
