package procedure

import (
	"fmt"
	"slices"
	"time"
)

// Clock is a statutory or promised period. It runs from receipt, whatever state the case is in, and never pauses for the
// customer's silence.
type Clock struct {
	Kind     string    `json:"kind"` // closure, complaint, request, transaction
	Start    time.Time `json:"start"`
	Due      time.Time `json:"due"`
	Calendar string    `json:"calendar"`
	Period   string    `json:"period"`            // as written, so that an old decision can be explained
	Extended bool      `json:"extended,omitzero"` // the one extension was used
	Ended    time.Time `json:"ended,omitzero"`
	Alerted  []int     `json:"alerted,omitzero"` // percent marks staff were told of
	Stale    bool      `json:"stale,omitzero"`   // counted over days whose holidays were not announced yet
}

// Marks of a clock, in percent of its period, at which staff are told.
func clockMarks() []int { return []int{50, 80, 100} }

// at returns the moment a share of the period is over.
func (k Clock) at(percent int) time.Time {
	if percent == 100 {
		return k.Due
	}
	return k.Start.Add(k.Due.Sub(k.Start) * time.Duration(percent) / 100).Truncate(time.Microsecond)
}

func (k Clock) open() bool { return k.Ended.IsZero() }

// startClock starts a clock once; two tickets merged keep the earliest start.
func (st *step) startClock(kind string, from time.Time) error {
	j := st.set.jurisdictions[st.c.Jurisdiction]
	period, ok := j.Clocks[kind]
	if !ok {
		return fmt.Errorf("jurisdiction %s has no period for the clock %q", st.c.Jurisdiction, kind)
	}
	if i := st.clock(kind); i >= 0 && st.c.Clocks[i].open() {
		return nil
	}
	due := period.From(from, j.calendar)
	k := Clock{Kind: kind, Start: from, Due: due, Calendar: j.calendar.Name, Period: period.String(), Stale: period.Unit == "bd" && !j.calendar.Covers(due)}
	st.c.Clocks = append(st.c.Clocks, k)
	for _, mark := range clockMarks() {
		st.start(clockTimer(kind, mark), k.at(mark))
	}
	return nil
}

// clock returns the index of the newest clock of a kind, -1 when there is none.
func (st *step) clock(kind string) int {
	for i := len(st.c.Clocks) - 1; i >= 0; i-- {
		if st.c.Clocks[i].Kind == kind {
			return i
		}
	}
	return -1
}

func clockTimer(kind string, mark int) string { return fmt.Sprintf("clock.%s.%d", kind, mark) }

// endClock stops a clock and its marks.
func (st *step) endClock(kind string) {
	i := st.clock(kind)
	if i < 0 || !st.c.Clocks[i].open() {
		return
	}
	st.c.Clocks[i].Ended = st.now
	for _, mark := range clockMarks() {
		st.stop(clockTimer(kind, mark))
	}
}

// extendClock uses the longer period of the same kind, once, and only before the first one is over: a request of a person about
// their data may take two further months, a complaint up to 35 business days, if the reasons are given in time.
func (st *step) extendClock(kind string) error {
	i := st.clock(kind)
	if i < 0 || !st.c.Clocks[i].open() {
		return invalid("there is no open %s clock", kind)
	}
	k := st.c.Clocks[i]
	j := st.set.jurisdictions[st.c.Jurisdiction]
	longer, ok := j.Clocks[kind+"_max"]
	switch {
	case !ok:
		return invalid("a %s period cannot be extended in %s", kind, st.c.Jurisdiction)
	case k.Extended:
		return invalid("the %s period was extended before", kind)
	case st.now.After(k.Due):
		return invalid("the %s period is over: an extension has to be announced within it", kind)
	}
	k.Extended, k.Period, k.Due, k.Alerted = true, longer.String(), longer.From(k.Start, j.calendar), nil
	st.c.Clocks[i] = k
	for _, mark := range clockMarks() {
		if at := k.at(mark); at.After(st.now) {
			st.start(clockTimer(kind, mark), at)
		}
	}
	return nil
}

// mark records that a share of a clock's period is over and tells staff.
func (st *step) mark(kind string, percent int) bool {
	i := st.clock(kind)
	if i < 0 || !st.c.Clocks[i].open() || slices.Contains(st.c.Clocks[i].Alerted, percent) {
		return false
	}
	st.c.Clocks[i].Alerted = append(st.c.Clocks[i].Alerted, percent)
	due := st.c.Clocks[i].Due.In(st.cal.Zone)
	if kind == "complaint" {
		return st.alert("int.complaint_due", map[string]any{"ref": fmt.Sprintf("C-%d", st.c.Ticket), "due": due}) == nil
	}
	return st.alert("int.sla_breach", map[string]any{"clock": kind, "percent": percent, "due": due}) == nil
}

// absorb takes over the periods of a case that was merged into this one: the earlier receipt counts, because the customer has
// waited since then.
func (st *step) absorb() (string, error) {
	o := st.e.Other
	if o == nil || o.Brand != st.c.Brand || o.Account.Ref != st.c.Account.Ref {
		return "", invalid("a case is merged with one of the same brand and account")
	}
	for _, k := range o.Clocks {
		if !k.open() {
			continue
		}
		if i := st.clock(k.Kind); i >= 0 && st.c.Clocks[i].open() {
			if !k.Start.Before(st.c.Clocks[i].Start) {
				continue
			}
			st.endClock(k.Kind)
			st.c.Clocks = append(st.c.Clocks[:i], st.c.Clocks[i+1:]...)
		}
		if err := st.startClock(k.Kind, k.Start); err != nil {
			return "", err
		}
	}
	if o.OpenedAt.Before(st.c.OpenedAt) {
		st.c.OpenedAt = o.OpenedAt
	}
	return "absorb", nil
}
