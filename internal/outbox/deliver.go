package outbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"postdesk/internal/ticket"
)

// deliver brings one job to its end on the session given, or on a new one.
func (r *run) deliver(job Job, s *session) {
	began := time.Now()
	s, a, err := r.attempt(job, s)
	switch {
	case errors.Is(err, errExpired):
		r.conclude(job, s, answer{stage: stageLocal, err: err}, began)
	case errors.Is(err, errUnwanted):
		r.release(job)
		r.outcomes <- outcome{job: job, session: usable(s)}
	case errors.Is(err, ErrStale):
		r.log.Warn("outbox: the lease was lost before the mail went out", "delivery", job.ID)
		r.release(job)
		r.outcomes <- outcome{job: job, session: usable(s)}
	case err != nil:
		r.log.Error("outbox: start delivery", "delivery", job.ID, "err", err)
		r.record(job, Result{State: ticket.Queued, Attempts: job.Attempts, Next: time.Now().Add(time.Second), Response: "could not be started"})
		r.outcomes <- outcome{job: job, session: usable(s)}
	default:
		r.conclude(job, s, a, began)
	}
}

// attempt sends the job. A reused session on which the server gives up before it knows the recipient says nothing about
// the job or the server: sessions end for being old or long, so one more attempt is made on a new one.
func (r *run) attempt(job Job, s *session) (*session, answer, error) {
	if job.expired(time.Now()) {
		return s, answer{}, errExpired
	}
	start := func() (bool, error) { return r.start(job) }
	if s != nil {
		a, err := s.send(job, start)
		if err != nil || !endOfSession(a) {
			return s, a, err
		}
		s.quit()
	}
	s, err := r.cfg.connect(r.soft, r.hard)
	if t := (*trouble)(nil); errors.As(err, &t) {
		return nil, t.answer, nil
	}
	a, err := s.send(job, start)
	return s, a, err
}

// endOfSession: hung up, or refused MAIL for now, or 421 ("too many messages in this session").
func endOfSession(a answer) bool {
	early := a.stage == stageMail || a.stage == stageRcpt && (a.code == 0 || a.code == 421)
	return early && !a.started && (a.code == 0 || a.code/100 == 4)
}

var errExpired = errors.New("expired before it could be sent")

// start is the last question before the data goes out.
func (r *run) start(job Job) (bool, error) {
	if job.expired(time.Now()) { // the connection may have taken minutes
		return false, errExpired
	}
	return r.queue.Start(r.hard, job)
}

// conclude records what the answer means and tells the loop.
func (r *run) conclude(job Job, s *session, a answer, began time.Time) {
	now := time.Now()
	v := judge(a)
	if v.state == ticket.Deferred && a.code == 0 && r.hard.Err() != nil {
		v.state = ticket.Queued // we cut the connection ourselves, before the data
	}
	result := r.cfg.result(job, a, v, now)
	r.log.Info("outbox: delivery", "delivery", job.ID, "ticket", job.Ticket, "state", result.State, "attempts", result.Attempts,
		"code", a.code, "status", v.enhanced, "stage", a.stage.String(), "took", now.Sub(began))
	r.record(job, result)
	if v.hangUp && s != nil {
		s.broken = true
	}
	r.outcomes <- outcome{job: job, session: usable(s), verdict: v, reason: reason(a), brief: brief(a), told: a.stage != stageLocal}
}

// usable is the session if it can take another message; otherwise it is closed.
func usable(s *session) *session {
	if s != nil && s.broken {
		s.close()
		return nil
	}
	return s
}

// reason is what the status output shows for a pause. The words of a refusal at MAIL or later may name a customer.
func reason(a answer) string {
	if a.code != 0 && a.stage < stageMail {
		return fmt.Sprintf("%s: %d %s", a.stage, a.code, printable(a.text))
	}
	return brief(a)
}

func brief(a answer) string {
	if a.code != 0 {
		return strings.TrimSpace(fmt.Sprintf("%s was answered with %d %s", a.stage, a.code, enhancedStatus(a.text)))
	}
	return fmt.Sprintf("%s: %v", a.stage, a.err)
}

// probe tries the connection without a mail.
func (r *run) probe() {
	s, err := r.cfg.connect(r.soft, r.hard)
	o := outcome{probe: true, session: s, told: true, verdict: verdict{state: ticket.Accepted}}
	if t := (*trouble)(nil); errors.As(err, &t) {
		o.session, o.verdict, o.reason, o.brief = nil, judge(t.answer), reason(t.answer), brief(t.answer)
	}
	r.outcomes <- o
}

// How much trouble pauses what, and for how long.
var (
	pauseConnection  = step{tolerate: 1, first: time.Second, most: 5 * time.Minute}
	pauseCredentials = step{tolerate: 1, first: time.Minute, most: 30 * time.Minute}
	pauseService     = step{tolerate: 3, first: 5 * time.Second, most: 5 * time.Minute}
	pauseDomain      = step{tolerate: 5, first: time.Minute, most: 30 * time.Minute}
	pausePolicy      = step{tolerate: 1, first: 10 * time.Minute, most: 2 * time.Hour}
)

// settle takes back the connection and learns from the outcome.
func (r *run) settle(o outcome) {
	r.mu.Lock()
	now := time.Now()
	r.active--
	if o.session != nil {
		o.session.idle = now
		r.idle = append(r.idle, o.session)
	}
	if !o.probe {
		r.line.done(o.job)
	}
	paused := false
	if o.told && r.soft.Err() == nil { // what breaks because we stop is nobody's fault
		paused = r.learn(o, now)
	}
	next := now
	if paused {
		next = later(r.link.until, r.service.until)
		r.hangUp()
	}
	r.mu.Unlock()
	if paused {
		r.log.Warn("outbox: sending is paused", "until", next, "why", o.brief)
		r.giveBackAll(next, "sending is paused: "+o.reason)
	}
	r.giveBackSurplus()
}

// learn moves the breakers and reports whether all sending was paused just now. The lock is held.
func (r *run) learn(o outcome, now time.Time) (paused bool) {
	switch o.verdict.blame {
	case connection:
		return r.link.fail(now, pauseConnection, o.reason)
	case credentials:
		return r.link.fail(now, pauseCredentials, o.reason)
	}
	r.link.succeed() // there was a session
	switch o.verdict.blame {
	case theServer:
		return r.service.fail(now, pauseService, o.reason)
	case serverNow:
		return r.service.fail(now, pausePolicy, o.reason)
	}
	if !o.probe {
		r.service.succeed()
		r.learnDomain(o, now)
	}
	return false
}

// learnDomain moves the breaker of the recipient's domain. The lock is held.
func (r *run) learnDomain(o outcome, now time.Time) {
	b, opened := &r.line.domain(o.job.Domain).breaker, false
	switch {
	case o.verdict.blame == theDomain:
		opened = b.fail(now, pauseDomain, o.reason)
	case o.verdict.blame == domainNow:
		opened = b.fail(now, pausePolicy, o.reason)
	case o.verdict.state != ticket.Deferred: // a domain that accepts or refuses for good is at work
		b.succeed()
	}
	if opened {
		r.log.Warn("outbox: a recipient domain is paused", "delivery", o.job.ID, "until", b.until, "why", o.brief)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
