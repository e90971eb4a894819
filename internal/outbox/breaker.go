package outbox

import "time"

// breaker keeps away from something that fails: after enough failures in a row it opens for a while, longer every time.
// When the time is over it lets the caller try; a success closes it, a failure opens it again. The zero value is closed.
type breaker struct {
	failures int       // in a row
	openings int       // in a row
	since    time.Time // of the first opening in the row
	until    time.Time
	reason   string
}

// step is one kind of failure: how many in a row open the breaker and for how long, doubling from first to most.
type step struct {
	tolerate    int
	first, most time.Duration
}

func (b *breaker) open(now time.Time) bool { return now.Before(b.until) }

// trying reports whether the breaker was open and has not seen a success since.
func (b *breaker) trying() bool { return b.openings > 0 }

// fail counts a failure and reports whether it opened the breaker. Failures that arrive while it is open are echoes of the
// same trouble and do not count.
func (b *breaker) fail(now time.Time, s step, reason string) bool {
	if b.open(now) {
		return false
	}
	if b.failures++; b.failures < s.tolerate && !b.trying() {
		return false
	}
	pause := s.most
	if b.openings < 20 {
		pause = min(s.first<<b.openings, s.most)
	}
	if !b.trying() {
		b.since = now
	}
	b.openings++
	b.until, b.reason = now.Add(jitter(pause)), reason
	return true
}

func (b *breaker) succeed() { *b = breaker{} }
