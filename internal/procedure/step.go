package procedure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"postdesk/internal/ticket"
)

// Opening is what has to be known to begin a case.
type Opening struct {
	Ticket       int64
	Procedure    string // see ForCategory
	Profile      string
	Brand        string // as the customer reads it
	Jurisdiction string
	Language     string // BCP 47
	Risk         Risk   // "" is medium
	ReceivedAt   time.Time
}

// Open begins a case. The first mail is stepped afterwards like every other.
func (s *Set) Open(o Opening) (Case, error) {
	if o.Risk == "" {
		o.Risk = Medium
	}
	c := Case{Ticket: o.Ticket, Procedure: o.Procedure, Profile: o.Profile, Version: s.Version, Brand: o.Brand, Jurisdiction: o.Jurisdiction,
		Language: o.Language, Risk: o.Risk, OpenedAt: o.ReceivedAt.UTC().Truncate(time.Microsecond)}
	m := s.machine(c)
	switch {
	case m == nil:
		return c, invalid("profile %q has no procedure %q", o.Profile, o.Procedure)
	case s.jurisdictions[o.Jurisdiction] == nil:
		return c, invalid("jurisdiction %q is unknown", o.Jurisdiction)
	case !slices.Contains([]Risk{Low, Medium, High}, o.Risk):
		return c, invalid("risk %q is none of low, medium, high", o.Risk)
	}
	c = c.clone()
	c.State, c.Since = m.Initial, c.OpenedAt
	s.checklist(&c)
	return c, nil
}

// checklist brings the items in line with procedure, profile and risk; what was already decided stays.
func (s *Set) checklist(c *Case) {
	m, p := s.machine(*c), s.profiles[c.Profile]
	for key, def := range m.Items {
		it, have := c.Items[key]
		needed := def.Need == "always" || def.Need == "matrix" && slices.Contains(p.Matrix[m.Name][c.Risk], def.Doc)
		switch {
		case !have && needed:
			it = Item{State: ItemOpen}
		case !have:
			it = Item{State: ItemNA}
		case needed && it.State == ItemNA:
			it.State = ItemOpen
		case !needed && def.Need == "matrix" && it.State == ItemOpen:
			it.State = ItemNA
		}
		it.Source, it.Hidden = def.Source, def.Hidden
		c.Items[key] = it
	}
}

// step is one application of Step.
type step struct {
	set *Set
	m   *Machine
	p   *Profile
	cal *Calendar
	c   Case
	e   Event
	now time.Time
	fx  []Effect

	from     string // where the case stood before it was filed anew
	stranger bool   // the mail came from somebody else
	before   Case   // as it was, for guards about what changed
	result   string // of an execution
	status   bool   // this look into the account answered the status
	hidden   bool   // what happened is for compliance only
}

// maxHops bounds the moves that follow one event by themselves. The loader cannot prove that conditions exclude each other, so
// a loop is stopped here.
const maxHops = 8

// Step applies one event at the moment now and returns the new case and what has to be done, in order. It reads no clock, draws
// no random number and does no input or output: the same arguments give the same result. On an error the case is returned as it
// was given. An event that changes nothing (seen before, a timer that is off, an automatic mail) gives no effects.
//
// Every transition adds exactly one Record effect; one event causes one transition, and further ones when the new state can be
// left at once.
func (s *Set) Step(c Case, e Event, now time.Time) (Case, []Effect, error) {
	now = now.UTC().Truncate(time.Microsecond)
	m := s.machine(c)
	if m == nil {
		return c, nil, invalid("profile %q has no procedure %q", c.Profile, c.Procedure)
	}
	if e.ID != "" && slices.Contains(c.Seen, e.ID) {
		return c, nil, nil
	}
	if e.Expect != 0 && e.Expect != c.Visible {
		return c, nil, conflict("the ticket has changed since you looked (now %q)", c.State)
	}
	if err := permit(e); err != nil {
		return c, nil, err
	}
	st := &step{set: s, m: m, p: s.profiles[c.Profile], cal: s.Calendar(c.Jurisdiction), c: c.clone(), e: e, now: now, before: c}
	on, err := st.reduce()
	if err != nil || on == "" {
		return c, nil, err
	}
	if err := st.run(on); err != nil {
		return c, nil, err
	}
	if now := s.TicketStatus(st.c); now != s.TicketStatus(c) || st.c.State != c.State {
		st.fx = append(st.fx, Effect{Kind: SetStatus, Status: now, Stage: st.c.State})
	}
	return st.c, st.fx, nil
}

// seenLimit bounds the memory for events applied.
const seenLimit = 200

func (st *step) run(on string) error {
	if st.e.ID != "" {
		st.c.Seen = append(st.c.Seen, st.e.ID)
		st.c.Seen = st.c.Seen[max(0, len(st.c.Seen)-seenLimit):]
	}
	st.promote()
	if st.c.Visible == 0 && !st.hidden {
		if err := st.clocks(); err != nil {
			return err
		}
	}
	mv, err := st.pick(on)
	if err != nil {
		return err
	}
	if err := st.asides(on); err != nil {
		return err
	}
	if err := st.take(mv, on); err != nil {
		return err
	}
	for range maxHops {
		again, err := st.settle()
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("procedure %s: state %s does not come to rest", st.m.Name, st.c.State)
}

// settle takes the next move that needs no event: the one forced by evidence that changed under a decision, or an automatic one.
func (st *step) settle() (bool, error) {
	if st.hidden {
		// What follows from a hidden event is seen like any other transition, but not what it followed from.
		st.hidden = false
		st.e = Event{Kind: st.e.Kind, Actor: string(System), Role: System, Fresh: st.e.Fresh}
	}
	if st.voided() {
		if to := st.m.States[st.c.State].Void; to != "" {
			return true, st.take(Move{To: to}, "voided")
		}
	}
	for _, mv := range st.m.moves(st.c.State, "auto") {
		if st.fits(mv) == nil {
			return true, st.take(mv, "auto")
		}
	}
	return false, nil
}

// voided withdraws a recommendation, and with it an approval, that was made on other evidence.
func (st *step) voided() bool {
	if st.c.Recommendation == nil || st.c.Recommendation.Evidence == st.c.Evidence() {
		return false
	}
	st.c.Recommendation, st.c.Approval = nil, nil
	return true
}

// pick finds the first move that fits. An event of the outside world without one is still recorded; a person is told why what
// they want is not possible.
func (st *step) pick(on string) (Move, error) {
	var why error
	for _, mv := range st.m.moves(st.c.State, on) {
		err := st.fits(mv)
		if err == nil {
			return mv, nil
		}
		if why == nil {
			why = err
		}
	}
	if !verb(st.e.Kind) {
		return Move{}, nil
	}
	if why != nil {
		return Move{}, invalid("%s is not possible now: %v", st.e.Kind, why)
	}
	return Move{}, invalid("%s is not possible in state %q", st.e.Kind, st.c.State)
}

// take makes one move and records it.
func (st *step) take(mv Move, on string) error {
	from := st.c.State
	if st.from != "" {
		from, st.from = st.from, ""
	}
	if mv.To != "" {
		if err := st.enter(mv); err != nil {
			return err
		}
	}
	if err := st.doAll(mv); err != nil {
		return err
	}
	st.record(on, from)
	return nil
}

func (st *step) enter(mv Move) error {
	st.stopAll()
	if mv.Into != "" {
		if err := st.into(mv.Into); err != nil {
			return err
		}
	}
	to := st.m.States[mv.To]
	if to.Acts {
		if err := st.executable(); err != nil {
			return err
		}
	}
	st.c.State, st.c.Since = mv.To, st.now
	if to.Final {
		st.end(to)
	} else {
		st.c.EndedAt = time.Time{}
	}
	for _, t := range to.Timers {
		st.restart(t)
	}
	return nil
}

// stopAll stops what belongs to the state; the marks of clocks go on.
func (st *step) stopAll() {
	for _, name := range sortedKeys(st.c.Timers) {
		if !strings.HasPrefix(name, "clock.") {
			st.stop(name)
		}
	}
}

// into goes on with another procedure; the items both know keep their state.
func (st *step) into(name string) error {
	m := st.set.machines[st.c.Profile][name]
	if m == nil {
		return fmt.Errorf("no procedure %q", name)
	}
	st.c.Procedure, st.m = name, m
	st.set.checklist(&st.c)
	return st.clocks()
}

// clocks starts the periods that run from receipt.
func (st *step) clocks() error {
	for _, kind := range st.m.Clocks {
		if err := st.startClock(kind, st.c.OpenedAt); err != nil {
			return err
		}
	}
	return nil
}

// asides does what stands beside the move: short answers that depend on the mail, not on the state.
func (st *step) asides(on string) error {
	for _, mv := range st.m.Asides {
		if mv.On != on || !slices.Contains(mv.From, st.c.State) || st.fits(mv) != nil {
			continue
		}
		if err := st.doAll(mv); err != nil {
			return err
		}
	}
	return nil
}

func (st *step) doAll(mv Move) error {
	for _, a := range mv.Do {
		if err := st.do(a); err != nil {
			return fmt.Errorf("%s:%d: %s %s: %w", mv.File, a.Line, a.Verb, a.Arg, err)
		}
	}
	return nil
}

// end leaves nothing running: no timer, no clock of this procedure, no open request, no usable approval.
func (st *step) end(s State) {
	st.c.EndedAt, st.c.Closed = st.now, s.Gone
	for _, kind := range st.m.Clocks {
		st.endClock(kind)
	}
	for _, name := range sortedKeys(st.c.Timers) {
		if !st.clockRuns(name) {
			st.stop(name)
		}
	}
	if r := st.c.Recommendation; r != nil {
		st.c.Decided = r.By
	}
	st.c.Recommendation, st.c.Approval = nil, nil
	st.c.Challenge = Challenge{Issued: st.c.Challenge.Issued}
	for i, r := range st.c.Requests {
		if r.State == "open" || r.State == "answered" {
			st.c.Requests[i].State = "cancelled"
		}
	}
}

// clockRuns reports whether a timer belongs to a clock that goes on after the end, as a complaint's does.
func (st *step) clockRuns(timer string) bool {
	for _, k := range st.c.Clocks {
		for _, m := range clockMarks() {
			if k.open() && timer == clockTimer(k.Kind, m) {
				return true
			}
		}
	}
	return false
}

func (st *step) record(on, from string) {
	st.c.Steps++
	if !st.hidden {
		st.c.Visible++
	}
	st.c.Version = st.set.Version
	st.fx = append(st.fx, Effect{Kind: Record, Hidden: st.hidden, Record: &Entry{
		Step: st.c.Visible, Procedure: st.c.Procedure, Version: st.set.Version, Event: on, EventID: st.e.ID, From: from, To: st.c.State,
		Actor: st.e.Actor, Role: st.e.Role, At: st.now, Item: st.e.Item, Code: st.code(), Reason: st.e.Reason, Ref: st.ref(),
		Evidence: st.c.Evidence(), Hidden: st.hidden,
	}})
}

func (st *step) code() string {
	if st.e.Reject != "" {
		return string(st.e.Reject)
	}
	return st.e.Code
}

func (st *step) ref() string {
	switch {
	case st.e.Mail != nil:
		return st.e.Mail.Message
	case st.e.File != nil:
		return st.e.File.SHA256
	}
	return st.e.Evidence
}

func (st *step) start(name string, due time.Time) {
	due = due.UTC().Truncate(time.Microsecond)
	st.c.Timers[name] = Timer{Due: due}
	st.fx = append(st.fx, Effect{Kind: StartTimer, Timer: name, Due: due})
}

func (st *step) stop(name string) {
	if _, on := st.c.Timers[name]; !on {
		return
	}
	delete(st.c.Timers, name)
	st.fx = append(st.fx, Effect{Kind: StopTimer, Timer: name})
}

// restart starts a timer of the machine from now.
func (st *step) restart(name string) {
	def := st.m.Timers[name]
	due := st.span(def).From(st.now, st.cal)
	if name == "cooling" && st.c.CoolingUntil.After(st.now) {
		due = st.c.CoolingUntil
	}
	if before, on := st.c.Timers[def.Behind]; on && due.Before(before.Due.Add(48*time.Hour)) {
		due = before.Due.Add(48 * time.Hour)
	}
	if def.Polite {
		due = st.cal.Polite(due)
	}
	st.start(name, due)
}

// span is the timer's period: the brand's setting, or the one written with the timer.
func (st *step) span(def TimerDef) Span {
	if s, ok := st.p.Settings[def.Setting]; ok {
		return s
	}
	return def.After
}

// alert tells staff; vars stand before what the case itself would give.
func (st *step) alert(key string, vars map[string]any) error {
	def, ok := templateNamed(key)
	if !ok {
		return fmt.Errorf("unknown template %q", key)
	}
	all, err := st.vars(def)
	if err != nil && vars == nil {
		return err
	}
	all = orEmpty(all)
	maps.Copy(all, vars)
	st.fx = append(st.fx, Effect{Kind: Alert, Template: key, To: ToStaff, Vars: all, Hidden: st.hidden})
	return nil
}

// External is what the customer may be told of the state: received, identity, waiting_for_you, under_review, scheduled, done,
// ended, refused. A hidden hold never shows.
func (s *Set) External(c Case) string {
	m := s.machine(c)
	if m == nil {
		return ""
	}
	return m.States[c.State].Shown
}

// TicketStatus is whose turn it is. While the customer's documents wait for a decision it is ours, whatever the state says.
func (s *Set) TicketStatus(c Case) ticket.Status {
	m := s.machine(c)
	if m == nil {
		return ticket.Open
	}
	status := m.States[c.State].Status
	if status != ticket.Waiting {
		return status
	}
	for key, it := range c.Items {
		if m.Items[key].Source == FromDocument && it.State == ItemSubmitted {
			return ticket.Open
		}
	}
	return status
}
