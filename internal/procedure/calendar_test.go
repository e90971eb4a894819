package procedure

import (
	"os"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

func calendars(t testing.TB) map[string]*Calendar {
	t.Helper()
	cals, err := LoadCalendars(os.DirFS("../../config/calendars"))
	if err != nil {
		t.Fatal(err)
	}
	return cals
}

func date(t testing.TB, c *Calendar, s string) time.Time {
	t.Helper()
	d, err := time.ParseInLocation("2006-01-02 15:04", s, c.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWorkingDays(t *testing.T) {
	cals := calendars(t)
	for _, c := range []struct {
		cal, day string
		works    bool
	}{
		{"CN", "2026-02-14", true},  // a Saturday worked for Spring Festival
		{"CN", "2026-02-16", false}, // New Year's Eve
		{"CN", "2026-02-23", false},
		{"CN", "2026-02-24", true},
		{"CN", "2026-02-28", true}, // a Saturday worked
		{"CN", "2026-03-01", false},
		{"CN", "2025-09-28", true}, // a Sunday worked
		{"CN", "2025-10-08", false},
		{"CN", "2026-10-10", true},
		{"CN", "2026-10-11", false},
		{"EU", "2026-04-03", false}, // Good Friday
		{"EU", "2026-04-06", false}, // Easter Monday
		{"EU", "2026-05-01", false},
		{"EU", "2026-12-28", true},
		{"EU", "2025-04-21", false},
		{"EU", "2027-03-26", false},
		{"UK", "2026-12-28", false}, // substitute day
		{"UK", "2026-05-01", true},
		{"UK", "2026-05-04", false},
		{"UK", "2027-12-27", false},
		{"UK", "2027-12-28", false},
	} {
		if got := cals[c.cal].Working(date(t, cals[c.cal], c.day+" 10:00")); got != c.works {
			t.Errorf("%s %s: working %v", c.cal, c.day, got)
		}
	}
}

func TestTheDayIsThatOfTheCalendarsZone(t *testing.T) {
	cn := calendars(t)["CN"]
	if cn.Working(time.Date(2026, 3, 6, 17, 0, 0, 0, time.UTC)) {
		t.Error("17:00 UTC on Friday is Saturday in Shanghai")
	}
}

func TestBusinessDaysCountFromTheDayAfterReceipt(t *testing.T) {
	cals := calendars(t)
	for _, c := range []struct {
		cal, from string
		n         int
		want      string
	}{
		{"EU", "2026-03-02 11:00", 15, "2026-03-23 23:59"},
		{"EU", "2026-03-02 11:00", 35, "2026-04-22 23:59"}, // Easter in between
		{"EU", "2026-03-27 23:30", 1, "2026-03-30 23:59"},  // received on Friday night, summer time begins on Sunday
		{"CN", "2026-02-13 09:00", 15, "2026-03-12 23:59"}, // Spring Festival with two worked Saturdays
		{"UK", "2026-12-24 09:00", 1, "2026-12-29 23:59"},
		{"EU", "2026-03-07 10:00", 1, "2026-03-09 23:59"},
	} {
		cal := cals[c.cal]
		got := cal.AddBusinessDays(date(t, cal, c.from), c.n).In(cal.Zone).Format("2006-01-02 15:04")
		if got != c.want {
			t.Errorf("%s + %d working days in %s: %s, want %s", c.from, c.n, c.cal, got, c.want)
		}
	}
}

func TestMonthsAreClamped(t *testing.T) {
	eu := calendars(t)["EU"]
	for from, want := range map[string]string{"2026-01-31 10:00": "2026-02-28 10:00", "2026-03-15 10:00": "2026-04-15 10:00", "2026-12-31 10:00": "2027-01-31 10:00"} {
		if got := (Span{1, "mo"}).From(date(t, eu, from), eu).In(eu.Zone).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s + 1 month: %s, want %s", from, got, want)
		}
	}
	if got := AddMonths(time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC), -3); got.Format("2006-01-02") != "2024-02-29" {
		t.Errorf("three months before 31 May 2024: %s", got)
	}
}

func TestProvisionalYearsAreNotCovered(t *testing.T) {
	cals := calendars(t)
	if cals["CN"].Covers(date(t, cals["CN"], "2027-03-01 10:00")) || !cals["CN"].Covers(date(t, cals["CN"], "2026-03-01 10:00")) || cals["EU"].Covers(date(t, cals["EU"], "2031-03-01 10:00")) {
		t.Error("a year is taken for known that is not, or the other way round")
	}
}

// A reminder never goes out on a day off or in the quiet hours, never before it is due, and at the first moment that is left.
func TestPoliteTimes(t *testing.T) {
	cals := calendars(t)
	rapid.Check(t, func(rt *rapid.T) {
		cal := cals[rapid.SampledFrom([]string{"CN", "EU", "UK"}).Draw(rt, "calendar")]
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 3*365*24*60).Draw(rt, "minute")) * time.Minute)
		got := cal.Polite(at)
		local := got.In(cal.Zone)
		quiet := local.Hour() >= cal.Quiet[0] || local.Hour() < cal.Quiet[1]
		if got.Before(at) || !cal.Working(got) || quiet {
			rt.Fatalf("%s becomes %s", at.In(cal.Zone), local)
		}
		if !got.Equal(at) && (local.Hour() != cal.Quiet[1] || local.Minute() != 0) {
			rt.Fatalf("%s becomes %s, which is not the first moment", at.In(cal.Zone), local)
		}
		if again := cal.Polite(got); !again.Equal(got) {
			rt.Fatalf("%s moves again to %s", got, again)
		}
	})
}

func TestBusinessDaysBetweenIsTheInverse(t *testing.T) {
	cals := calendars(t)
	rapid.Check(t, func(rt *rapid.T) {
		cal := cals[rapid.SampledFrom([]string{"CN", "EU", "UK"}).Draw(rt, "calendar")]
		from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 2*365*24*60).Draw(rt, "minute")) * time.Minute)
		n := rapid.IntRange(1, 60).Draw(rt, "days")
		if got := cal.BusinessDaysBetween(from, cal.AddBusinessDays(from, n)); got != n {
			rt.Fatalf("%s + %d working days holds %d", from, n, got)
		}
	})
}

func TestBadCalendarsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no zone":          "calendar: X\nholidays: {2026: [\"01-01\"]}\n",
		"bad day":          "calendar: X\nzone: Europe/Berlin\nholidays: {2026: [\"02-30\"]}\n",
		"range backwards":  "calendar: X\nzone: Europe/Berlin\nholidays: {2026: [\"05-05..05-01\"]}\n",
		"worked weekday":   "calendar: X\nzone: Europe/Berlin\nworked: {2026: [\"03-02\"]}\n",
		"both":             "calendar: X\nzone: Europe/Berlin\nholidays: {2026: [\"02-14\"]}\nworked: {2026: [\"02-14\"]}\n",
		"other name":       "calendar: Y\nzone: Europe/Berlin\n",
		"unknown key":      "calendar: X\nzone: Europe/Berlin\nholiday: []\n",
		"impossible hours": "calendar: X\nzone: Europe/Berlin\nquiet: [25, 8]\n",
	} {
		if _, err := LoadCalendars(fstest.MapFS{"X.yaml": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func TestSpans(t *testing.T) {
	for _, good := range []string{"30m", "72h", "14d", "10bd", "1mo"} {
		if s, err := ParseSpan(good); err != nil || s.String() != good {
			t.Errorf("%s: %v, %v", good, s, err)
		}
	}
	for _, bad := range []string{"", "d", "0d", "3", "3w", "-3d", "3 d", "1.5h", "99999d", "3days"} {
		if s, err := ParseSpan(bad); err == nil {
			t.Errorf("%q was read as %v", bad, s)
		}
	}
}
