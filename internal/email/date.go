package email

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a Date field (RFC 5322, section 3.3) and what mailers write instead: two-digit years, named zones, missing
// seconds or zone (then UTC), ctime and ISO forms, any order, comments. The result is in UTC; ok is false if no day was found.
func parseDate(value string) (t time.Time, ok bool) {
	value, _ = cutComments(value[:min(len(value), 200)])
	value = strings.TrimSpace(value)
	if strings.Contains(value, " :") || strings.Contains(value, ": ") {
		value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' }), " ")
		value = strings.ReplaceAll(strings.ReplaceAll(value, " :", ":"), ": ", ":")
	}
	if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", value); err == nil {
		return t.UTC(), true
	}
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, value); err == nil {
			return t.UTC(), true
		}
	}
	return looseDate(value)
}

var isoLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"2006/01/02 15:04:05", "2006/1/2 15:04:05", "02.01.2006 15:04:05", "2.1.2006 15:04:05",
}

// looseDate collects day, month name, year, clock and zone from the words of the value.
func looseDate(value string) (time.Time, bool) {
	day, month, year, clock, zone := 0, time.Month(0), -1, time.Duration(0), 0
	words := strings.FieldsFunc(value, func(r rune) bool {
		return r == ' ' || r == ',' || r == '\t' || r == '-' && strings.Count(value, "-") > 1
	})
	clocked := false
	for i, w := range words {
		switch n, number := atoi(w); {
		case strings.Contains(w, ":") && !clocked:
			c, extra, ok := parseClock(w)
			if !ok {
				return time.Time{}, false
			}
			clock, clocked, zone = c, true, zone+zoneOf(extra)
		case month == 0 && monthOf(w) != 0:
			month = monthOf(w)
		case number && (w[0] == '+' || w[0] == '-') || strings.HasPrefix(strings.ToUpper(w), "GMT+") || strings.HasPrefix(strings.ToUpper(w), "GMT-"):
			zone = zoneOf(w)
		case number && day == 0 && n >= 1 && n <= 31 && len(w) <= 2:
			day = n
		case number && year < 0 && (len(w) == 4 || len(w) <= 3 && day != 0 && month != 0):
			year = fullYear(n, len(w))
		case i > 0 && clocked && strings.EqualFold(w, "PM") && clock < 12*time.Hour:
			clock += 12 * time.Hour
		case i > 0 && !number && clocked:
			zone += zoneOf(w)
		}
	}
	if day == 0 || month == 0 || year < 0 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day {
		return time.Time{}, false // 31 February
	}
	return t.Add(clock).Add(-time.Duration(zone) * time.Minute), true
}

func atoi(w string) (int, bool) {
	n, err := strconv.Atoi(w)
	return n, err == nil
}

func fullYear(n, digits int) int {
	switch {
	case digits == 3:
		return 1900 + n // RFC 5322, section 4.3
	case digits > 2:
		return n
	case n < 50:
		return 2000 + n
	}
	return 1900 + n
}

func parseClock(w string) (clock time.Duration, rest string, ok bool) {
	end := strings.IndexFunc(w, func(r rune) bool { return (r < '0' || r > '9') && r != ':' && r != '.' })
	if end >= 0 {
		w, rest = w[:end], w[end:]
	}
	w, _, _ = strings.Cut(w, ".")
	limits, units := []int{24, 59, 60}, []time.Duration{time.Hour, time.Minute, time.Second}
	pieces := strings.Split(w, ":")
	if len(pieces) < 2 {
		return 0, "", false
	}
	for i, piece := range pieces[:min(3, len(pieces))] {
		n, number := atoi(piece)
		if !number || n > limits[i] {
			return 0, "", false
		}
		clock += time.Duration(n) * units[i]
	}
	return clock, rest, true
}

func monthOf(w string) time.Month {
	if len(w) < 3 {
		return 0
	}
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(w[:3]))
	if i < 0 || i%3 != 0 {
		return 0
	}
	return time.Month(i/3 + 1)
}

// zoneOf returns the minutes east of UTC of a numeric zone or of one of the names of RFC 5322, section 4.3, and a few more that
// mailers use. Unknown names count as UTC, as the RFC says.
func zoneOf(w string) int {
	w = strings.ToUpper(strings.Trim(w, "()[]\"."))
	w = strings.TrimPrefix(strings.TrimPrefix(w, "GMT"), "UTC")
	if minutes, ok := zoneNames[w]; ok {
		return minutes
	}
	if len(w) < 2 || w[0] != '+' && w[0] != '-' {
		return 0
	}
	n, err := strconv.Atoi(strings.ReplaceAll(w[1:], ":", ""))
	if err != nil || n > 2400 {
		return 0
	}
	if len(w) <= 3 {
		n *= 100
	}
	minutes := n/100*60 + n%100
	if w[0] == '-' {
		return -minutes
	}
	return minutes
}

var zoneNames = map[string]int{
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "HST": -600,
	"CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "EET": 120, "EEST": 180, "BST": 60, "MSK": 180, "JST": 540, "KST": 540, "HKT": 480, "SGT": 480, "AEST": 600,
}
