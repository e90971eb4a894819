package outbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"postdesk/internal/ticket"
)

const maxResponse = 2000

// result turns the meaning of an answer into what is stored: whether and when there is another attempt.
func (c Config) result(job Job, a answer, v verdict, now time.Time) Result {
	r := Result{State: v.state, Code: a.code, Enhanced: v.enhanced, Response: a.words(),
		Attempts: job.Attempts + 1, Suppress: v.suppress, Policy: v.policy,
		Unsent: a.unsent && v.state == ticket.Uncertain}
	if a.stage == stageLocal {
		r.Attempts, r.GaveUp = job.Attempts, errors.Is(a.err, errExpired)
	}
	switch r.State {
	case ticket.Queued:
		r.Attempts, r.Next = job.Attempts, now
		if a.started {
			r.State, r.Attempts = ticket.Deferred, job.Attempts+1
		}
	case ticket.Deferred:
		r.Next = now.Add(jitter(max(c.wait(job, r.Attempts, now), v.atLeast)))
		if v.attempts > 0 && r.Attempts >= v.attempts || r.Next.After(c.deadline(job)) {
			r.State, r.Next, r.GaveUp = ticket.Failed, time.Time{}, true
		}
	}
	return r
}

// wait is the time before the attempt that follows the given number of attempts.
func (c Config) wait(job Job, attempts int, now time.Time) time.Duration {
	d := c.Retry[min(max(attempts, 1), len(c.Retry))-1]
	if job.Class == ticket.ClassChallenge && !job.ExpiresAt.IsZero() {
		// Somebody waits for the code and it is soon worthless: leave time for at least one more attempt.
		d = max(min(d, job.ExpiresAt.Sub(now)/2), time.Minute)
	}
	return d
}

// deadline is the time after which no attempt is made.
func (c Config) deadline(job Job) time.Time {
	end := job.CreatedAt.Add(c.GiveUp)
	if !job.ExpiresAt.IsZero() && job.ExpiresAt.Before(end) {
		return job.ExpiresAt
	}
	return end
}

func (j Job) expired(now time.Time) bool {
	return !j.ExpiresAt.IsZero() && !now.Before(j.ExpiresAt)
}

// jitter spreads d by ten per cent either way, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(rand.Int64N(int64(d/5)+1))
}

// words is the server's reply as stored, or what was seen in its place. Bytes that are not UTF-8 (some servers answer in
// GBK) are kept as \xNN, NUL likewise.
func (a answer) words() string {
	switch {
	case a.err == nil:
		return printable(a.text)
	case a.stage == stageLocal:
		return printable(a.err.Error())
	}
	return printable(fmt.Sprintf("no reply (%s): %v", a.stage, a.err))
}

func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < maxResponse-8; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
