package procedure

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // periods end at local midnights: the zone data must not depend on the machine

	"go.yaml.in/yaml/v3"
)

// Calendar knows the working days of one jurisdiction.
type Calendar struct {
	Name        string
	Zone        *time.Location
	Years       []int           // years the holidays are known for
	Provisional []int           // years whose holidays were not announced when the file was written
	Quiet       [2]int          // local hours [from, to): no reminder is sent; from may be greater than to
	closed      map[string]bool // "2026-01-01"
	worked      map[string]bool // Saturdays and Sundays that are worked
}

type calendarFile struct {
	Calendar    string           `yaml:"calendar"`
	Zone        string           `yaml:"zone"`
	Quiet       [2]int           `yaml:"quiet"`
	Provisional []int            `yaml:"provisional"`
	Holidays    map[int][]string `yaml:"holidays"` // year → "01-01" or "02-15..02-23"
	Worked      map[int][]string `yaml:"worked"`
}

// LoadCalendars reads every *.yaml of a directory of calendars.
func LoadCalendars(fsys fs.FS) (map[string]*Calendar, error) {
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("look for calendars: %w", err)
	}
	out := map[string]*Calendar{}
	for _, name := range files {
		cal, err := loadCalendar(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if out[cal.Name] != nil {
			return nil, fmt.Errorf("%s: calendar %s is declared twice", name, cal.Name)
		}
		out[cal.Name] = cal
	}
	return out, nil
}

func loadCalendar(fsys fs.FS, name string) (*Calendar, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var f calendarFile
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, err
	}
	if want := strings.TrimSuffix(path.Base(name), ".yaml"); f.Calendar != want {
		return nil, fmt.Errorf("calendar is named %q, the file %q", f.Calendar, want)
	}
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "" {
		return nil, fmt.Errorf("zone %q is unknown", f.Zone)
	}
	cal := &Calendar{Name: f.Calendar, Zone: zone, Quiet: f.Quiet, Provisional: f.Provisional, closed: map[string]bool{}, worked: map[string]bool{}}
	if f.Quiet[0] < 0 || f.Quiet[0] > 23 || f.Quiet[1] < 0 || f.Quiet[1] > 24 {
		return nil, fmt.Errorf("quiet hours %v are not hours of a day", f.Quiet)
	}
	for year, days := range f.Holidays {
		cal.Years = append(cal.Years, year)
		if err := mark(cal.closed, year, days); err != nil {
			return nil, err
		}
	}
	for year, days := range f.Worked {
		if err := mark(cal.worked, year, days); err != nil {
			return nil, err
		}
	}
	slices.Sort(cal.Years)
	return cal, cal.consistent()
}

// mark enters days such as "01-01" and ranges such as "02-15..02-23".
func mark(set map[string]bool, year int, days []string) error {
	for _, d := range days {
		from, to, ranged := strings.Cut(d, "..")
		if !ranged {
			to = from
		}
		a, err1 := time.Parse("2006-01-02", fmt.Sprintf("%d-%s", year, from))
		z, err2 := time.Parse("2006-01-02", fmt.Sprintf("%d-%s", year, to))
		if err1 != nil || err2 != nil || z.Before(a) {
			return fmt.Errorf("%d: %q is not a day (MM-DD) or a range of days (MM-DD..MM-DD)", year, d)
		}
		for ; !a.After(z); a = a.AddDate(0, 0, 1) {
			set[a.Format("2006-01-02")] = true
		}
	}
	return nil
}

func (c *Calendar) consistent() error {
	for day := range c.worked {
		t, _ := time.Parse("2006-01-02", day)
		if w := t.Weekday(); w != time.Saturday && w != time.Sunday {
			return fmt.Errorf("worked day %s is a %s: only weekend days are made up", day, w)
		}
		if c.closed[day] {
			return fmt.Errorf("%s is both a holiday and a worked day", day)
		}
	}
	return nil
}

// Working reports whether the day t falls on, in the calendar's zone, is a working day.
func (c *Calendar) Working(t time.Time) bool {
	local := t.In(c.Zone)
	day := local.Format("2006-01-02")
	if c.worked[day] {
		return true
	}
	if c.closed[day] {
		return false
	}
	w := local.Weekday()
	return w != time.Saturday && w != time.Sunday
}

// Covers reports whether the holidays of the year of t are known and final.
func (c *Calendar) Covers(t time.Time) bool {
	y := t.In(c.Zone).Year()
	return slices.Contains(c.Years, y) && !slices.Contains(c.Provisional, y)
}

// AddBusinessDays returns the end of the nth working day after the day of t, in the calendar's zone: the day of receipt does
// not count, and the period runs until midnight of its last day.
func (c *Calendar) AddBusinessDays(t time.Time, n int) time.Time {
	y, m, d := t.In(c.Zone).Date()
	day := time.Date(y, m, d, 12, 0, 0, 0, c.Zone)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if c.Working(day) {
			n--
		}
	}
	y, m, d = day.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, c.Zone).Add(-time.Microsecond).UTC()
}

// BusinessDaysBetween counts the working days after the day of a up to and with the day of b.
func (c *Calendar) BusinessDaysBetween(a, b time.Time) int {
	ya, ma, da := a.In(c.Zone).Date()
	yb, mb, db := b.In(c.Zone).Date()
	end := time.Date(yb, mb, db, 12, 0, 0, 0, c.Zone)
	n := 0
	for day := time.Date(ya, ma, da+1, 12, 0, 0, 0, c.Zone); !day.After(end); day = day.AddDate(0, 0, 1) {
		if c.Working(day) {
			n++
		}
	}
	return n
}

// Polite returns t, or the next moment after it that is on a working day and outside the quiet hours: when an automatic
// reminder may be sent.
func (c *Calendar) Polite(t time.Time) time.Time {
	local := t.In(c.Zone)
	for range 60 {
		if !c.Working(local) {
			local = startOfDay(local).AddDate(0, 0, 1)
			continue
		}
		loud, ok := c.loud(local)
		if ok {
			return loud.UTC()
		}
		local = startOfDay(local).AddDate(0, 0, 1)
	}
	return local.UTC()
}

// loud returns the first moment of t's day, not before t, outside the quiet hours.
func (c *Calendar) loud(t time.Time) (time.Time, bool) {
	from, to := c.Quiet[0], c.Quiet[1]
	y, m, d := t.Date()
	at := func(h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, t.Location()) }
	h := t.Hour()
	if from == to {
		return t, true
	}
	if from < to { // quiet within the day
		if h >= from && h < to {
			return at(to), to < 24
		}
		return t, true
	}
	if h < to {
		return at(to), true
	}
	return t, h < from
}

func startOfDay(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
