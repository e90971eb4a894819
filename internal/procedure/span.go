package procedure

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Span is a period as laws and rules write it: hours, calendar days, business days or calendar months.
type Span struct {
	N    int
	Unit string // m minutes, h hours, d days, bd business days, mo months
}

// ParseSpan reads "30m", "72h", "14d", "10bd", "1mo".
func ParseSpan(s string) (Span, error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(s[:i])
	unit := s[i:]
	if err != nil || n == 0 || n > 10_000 || !strings.Contains(" m h d bd mo ", " "+unit+" ") {
		return Span{}, fmt.Errorf("period %q is not a number followed by m, h, d, bd or mo", s)
	}
	return Span{n, unit}, nil
}

// String is the period as it is written.
func (s Span) String() string {
	if s.N == 0 {
		return ""
	}
	return strconv.Itoa(s.N) + s.Unit
}

// UnmarshalText reads what ParseSpan reads.
func (s *Span) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSpan(string(b))
	return err
}

// From returns the moment the period ends that starts at t. Business days and months are counted in the calendar's zone; a
// month that has no such day ends on its last (31 January + 1mo = 28 or 29 February).
func (s Span) From(t time.Time, cal *Calendar) time.Time {
	switch s.Unit {
	case "m":
		return t.Add(time.Duration(s.N) * time.Minute)
	case "h":
		return t.Add(time.Duration(s.N) * time.Hour)
	case "bd":
		return cal.AddBusinessDays(t, s.N)
	case "mo":
		return AddMonths(t.In(cal.Zone), s.N).UTC()
	}
	return t.In(cal.Zone).AddDate(0, 0, s.N).UTC()
}

// Rough is the period in hours, for comparing settings with each other only.
func (s Span) rough() time.Duration {
	switch s.Unit {
	case "m":
		return time.Duration(s.N) * time.Minute
	case "h":
		return time.Duration(s.N) * time.Hour
	case "bd":
		return time.Duration(s.N) * 34 * time.Hour
	case "mo":
		return time.Duration(s.N) * 30 * 24 * time.Hour
	}
	return time.Duration(s.N) * 24 * time.Hour
}

// AddMonths moves t by n calendar months and clamps to the end of a shorter month.
func AddMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1)
}
