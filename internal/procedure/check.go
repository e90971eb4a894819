package procedure

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check proves of every machine what can be proved before the first mail: see the package documentation. It returns every
// violation, with file and line.
func (s *Set) check() error {
	var errs []error
	seen := map[string]bool{}
	for _, pname := range s.Profiles() {
		for _, name := range s.Procedures() {
			c := checker{s: s, p: s.profiles[pname], m: s.machines[pname][name]}
			c.all()
			for _, e := range c.errs {
				if !seen[e] {
					seen[e] = true
					errs = append(errs, errors.New(e))
				}
			}
		}
		s.warn(s.profiles[pname])
	}
	return errors.Join(errs...)
}

// warn remarks where closing an account asks for more than opening it did: some laws call that an unreasonable condition.
func (s *Set) warn(p *Profile) {
	for _, risk := range []Risk{Low, Medium, High} {
		for _, doc := range p.Matrix["closure"][risk] {
			if slices.Contains([]string{"identity", "address", "selfie", "funds"}, doc) && !slices.Contains(p.Onboarding, doc) {
				s.Warnings = append(s.Warnings, fmt.Sprintf("%s: closing at %s risk asks for %q, which opening the account did not", p.File, risk, doc))
			}
		}
	}
}

type checker struct {
	s    *Set
	p    *Profile
	m    *Machine
	errs []string
}

func (c *checker) fail(file string, line int, format string, args ...any) {
	c.errs = append(c.errs, fmt.Sprintf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
}

func (c *checker) machine(format string, args ...any) {
	c.fail(c.m.File, c.m.Line, "procedure %s with brand %s: %s", c.m.Name, c.p.Name, fmt.Sprintf(format, args...))
}

func (c *checker) all() {
	if _, ok := c.m.States[c.m.Initial]; !ok {
		c.machine("initial state %q is not declared", c.m.Initial)
		return
	}
	if c.m.Title.En == "" {
		c.machine("there is no title")
	}
	c.names()
	if c.m.Category != "" && c.s.ForCategory(c.p.Name, c.m.Category) != c.m.Name {
		c.machine("category %s belongs to procedure %s as well", c.m.Category, c.s.ForCategory(c.p.Name, c.m.Category))
	}
	for _, mv := range slices.Concat(c.m.Moves, c.m.Asides) {
		c.move(mv)
	}
	for _, mv := range c.m.Asides {
		if mv.To != "" || mv.Into != "" {
			c.fail(mv.File, mv.Line, "an aside stays where it is")
		}
	}
	if len(c.errs) > 0 {
		return // what follows needs names that exist
	}
	c.reachable()
	c.started()
	c.waits()
	c.shadows()
	c.unproven()
}

// names checks items, checks, clocks, timers and the documents the brand asks for.
func (c *checker) names() {
	for _, name := range c.m.Checks {
		if !slices.Contains(checkNames(), name) {
			c.machine("check %q is unknown", name)
		}
	}
	for _, kind := range c.m.Clocks {
		c.clock(kind)
	}
	for _, key := range c.m.itemKeys() {
		c.item(key, c.m.Items[key])
	}
	for _, name := range sortedKeys(c.m.States) {
		st := c.m.States[name]
		for _, t := range st.Timers {
			if _, ok := c.m.Timers[t]; !ok {
				c.machine("state %s starts the unknown timer %q", name, t)
			}
		}
		if st.Void != "" && c.m.States[st.Void].Line == 0 {
			c.machine("state %s goes to the unknown state %q when the evidence changes", name, st.Void)
		}
	}
	for _, risk := range sortedKeys(c.p.Matrix[c.m.Name]) {
		for _, doc := range c.p.Matrix[c.m.Name][risk] {
			if !slices.ContainsFunc(c.m.itemKeys(), func(k string) bool { return c.m.Items[k].Doc == doc && c.m.Items[k].Need == "matrix" }) {
				c.fail(c.p.File, c.p.Line, "docs.%s.%s: no item of the procedure is for %q", c.m.Name, risk, doc)
			}
		}
	}
}

// started: a timer that nothing starts never goes off.
func (c *checker) started() {
	used := map[string]bool{}
	for _, s := range c.m.States {
		for _, t := range s.Timers {
			used[t] = true
		}
	}
	for _, mv := range c.m.Moves {
		for _, a := range mv.Do {
			if a.Verb == "restart" {
				used[a.Arg] = true
			}
		}
	}
	for _, name := range sortedKeys(c.m.Timers) {
		if !used[name] {
			c.machine("timer %s (line %d) is never started", name, c.m.Timers[name].Line)
		}
		if b := c.m.Timers[name].Behind; b != "" && c.m.Timers[b].Line == 0 {
			c.machine("timer %s (line %d) stands behind the unknown timer %q", name, c.m.Timers[name].Line, b)
		}
	}
}

func (c *checker) clock(kind string) {
	for _, name := range sortedKeys(c.s.jurisdictions) {
		if c.s.jurisdictions[name].Clocks[kind].N == 0 {
			c.machine("jurisdiction %s has no period for the clock %q", name, kind)
		}
	}
}

func (c *checker) item(key string, d ItemDef) {
	at := fmt.Sprintf("item %s (line %d)", key, d.Line)
	switch {
	case d.Title.En == "":
		c.machine("%s has no title", at)
	case d.Source == FromDocument && (d.Doc == "" || d.How.En == ""):
		c.machine("%s is a document and needs doc and how", at)
	case d.Check != "" && !slices.Contains(c.m.Checks, d.Check):
		c.machine("%s rests on the check %q, which the procedure does not run", at, d.Check)
	case d.Source == FromSystem && d.Check == "" && !d.Platform && d.Phase != "after":
		c.machine("%s is read from the account and names no check", at)
	case d.Hidden && d.Source != FromAgent:
		c.machine("%s is hidden: only a check by compliance can be", at)
	case d.Need == "matrix" && d.Doc == "":
		c.machine("%s depends on the brand's documents and names none", at)
	}
}

// events lists what can stand after `on:`, beside timer.NAME and clock.NAME.
func events() []string {
	return []string{"mail", "stranger", "challenge_ok", "challenge_failed", "challenge_locked", "reconfirmed", "soft_accepted", "page.declare",
		"page.undo", "page.withdraw", "page.not_me", "page.soft_accept", "page.return", "item", "check", "finding", "classified", "risk", "recommend",
		"approve", "reject", "refuse", "withdraw", "reopen", "merge", "spam", "close", "resend", "ask", "advance", "activity", "activity_noted",
		"hold_released", "cleared", "executed", "bounced", "complaint", "complaint_no", "complaint_done", "extend", "auto"}
}

func (c *checker) move(mv Move) {
	if len(mv.From) == 0 {
		c.fail(mv.File, mv.Line, "no state is left to start from")
	}
	for _, from := range mv.From {
		if _, ok := c.m.States[from]; !ok {
			c.fail(mv.File, mv.Line, "procedure %s: state %q is unknown", c.m.Name, from)
		}
	}
	c.event(mv)
	c.target(mv)
	for _, g := range mv.When {
		c.guard(mv, g)
	}
	for _, a := range mv.Do {
		c.action(mv, a)
	}
	if to, ok := c.m.States[mv.To]; ok && mv.Into == "" {
		c.entering(mv, to)
	}
}

func (c *checker) event(mv Move) {
	if timer, ok := strings.CutPrefix(mv.On, "timer."); ok {
		if _, known := c.m.Timers[timer]; !known {
			c.fail(mv.File, mv.Line, "procedure %s: timer %q is unknown", c.m.Name, timer)
		}
		return
	}
	if kind, ok := strings.CutPrefix(mv.On, "clock."); ok {
		c.clock(kind)
		return
	}
	if !slices.Contains(events(), mv.On) {
		c.fail(mv.File, mv.Line, "event %q is unknown", mv.On)
	}
}

func (c *checker) target(mv Move) {
	m := c.m
	if mv.Into != "" {
		if m = c.s.machines[c.p.Name][mv.Into]; m == nil {
			c.fail(mv.File, mv.Line, "procedure %q is unknown", mv.Into)
			return
		}
		if !m.States[mv.To].Entry {
			c.fail(mv.File, mv.Line, "state %q of %s is no entry", mv.To, mv.Into)
		}
		return
	}
	if _, ok := m.States[mv.To]; mv.To != "" && !ok {
		c.fail(mv.File, mv.Line, "procedure %s: state %q is unknown", m.Name, mv.To)
	}
}

// silentEvents are those on which a condition about hidden matters may stand: nobody asked, so nobody is refused.
func silentEvent(on string) bool {
	return slices.Contains([]string{"auto", "check", "executed", "hold_released", "cleared"}, on) || strings.HasPrefix(on, "timer.")
}

func (c *checker) guard(mv Move, g Guard) {
	def, ok := guardNamed(g.Name)
	if !ok {
		c.fail(mv.File, g.Line, "condition %q is unknown", g.Name)
		return
	}
	if def.hidden && !silentEvent(mv.On) {
		c.fail(mv.File, g.Line, "condition %s may not stand on %q: its refusal would tell what is hidden", g, mv.On)
	}
	if (def.arg == "") != (g.Arg == "") {
		c.fail(mv.File, g.Line, "condition %s: an argument is missing or too many", g)
		return
	}
	bad := false
	switch def.arg {
	case "item":
		_, known := c.m.Items[g.Arg]
		bad = !known
	case "template":
		_, known := templateNamed(g.Arg)
		bad = !known
	case "phase":
		bad = !slices.Contains([]string{"info", "check", "decision", "visible", "all"}, g.Arg)
	case "profile":
		bad = !slices.Contains([]string{"self_service", "benefits", "linked", "terms", "undo"}, g.Arg)
	case "level":
		bad = new(Level).UnmarshalText([]byte(g.Arg)) != nil
	}
	if bad {
		c.fail(mv.File, g.Line, "procedure %s: condition %s: %q is unknown", c.m.Name, g, g.Arg)
	}
}

func (c *checker) action(mv Move, a Action) {
	kind, ok := actionNames()[a.Verb]
	if !ok {
		c.fail(mv.File, a.Line, "action %q is unknown", a.Verb)
		return
	}
	args := strings.Fields(a.Arg)
	if len(args) != len(strings.Fields(kind)) {
		c.fail(mv.File, a.Line, "procedure %s: action %q needs: %s", c.m.Name, a.Verb, kind)
		return
	}
	for i, k := range strings.Fields(kind) {
		if err := c.argument(k, args[i]); err != nil {
			c.fail(mv.File, a.Line, "procedure %s: %s %s: %v", c.m.Name, a.Verb, a.Arg, err)
		}
	}
	if a.Verb == "execute" && !c.m.States[mv.To].Acts {
		c.fail(mv.File, a.Line, "execute stands on a move that does not enter a guarded state")
	}
	if (mv.On == "hold_released" || mv.On == "cleared") && a.Verb != "check" {
		c.fail(mv.File, a.Line, "%s may only look into the account again: anything else could be seen", mv.On)
	}
}

func (c *checker) argument(kind, arg string) error {
	ok := true
	switch kind {
	case "template":
		def, known := templateNamed(arg)
		ok = known && def.To != ToStaff
	case "alert":
		def, known := templateNamed(arg)
		ok = known && def.To == ToStaff
	case "span":
		_, err := ParseSpan(arg)
		ok = err == nil
	case "timer":
		_, ok = c.m.Timers[arg]
	case "item":
		_, ok = c.m.Items[arg]
	case "purpose":
		ok = slices.Contains([]string{"identity", "reconfirm", "soft"}, arg)
	case "action":
		ok = arg == c.m.Action && arg != "" || arg == c.m.Protective && arg != ""
	case "clock":
		ok = slices.Contains(sortedKeys(c.s.jurisdictions["EU"].Clocks), arg)
	}
	if !ok {
		return fmt.Errorf("%q is no known %s", arg, kind)
	}
	return nil
}

// guardsOfExecution must all stand on every arrow into a state that changes an account.
func guardsOfExecution() []string {
	return []string{"identity", "items(all)", "two_people", "no_hold", "fresh", "checks_pass"}
}

func (c *checker) entering(mv Move, to State) {
	if to.Acts {
		c.acting(mv)
	}
	if to.Refusal && !slices.ContainsFunc(mv.Do, func(a Action) bool { return a.Verb == "send" }) {
		c.fail(mv.File, mv.Line, "a refusal without a mail: nobody is refused in silence")
	}
}

func (c *checker) acting(mv Move) {
	var have []string
	for _, g := range mv.When {
		have = append(have, g.String())
	}
	if !slices.ContainsFunc(mv.Do, func(a Action) bool { return a.Verb == "execute" }) {
		c.fail(mv.File, mv.Line, "the state %s is entered without execute", mv.To)
	}
	if mv.On != "check" && c.m.Protective == "" {
		c.fail(mv.File, mv.Line, "an account is changed on %q: only a fresh look into the account may lead there", mv.On)
	}
	if c.m.Protective != "" {
		if !slices.Contains([]string{"advance", "finding"}, mv.On) {
			c.fail(mv.File, mv.Line, "a protective action needs a person, not %q", mv.On)
		}
		return
	}
	for _, want := range guardsOfExecution() {
		if !slices.Contains(have, want) {
			c.fail(mv.File, mv.Line, "an account is changed without the condition %s", want)
		}
	}
}

// edges lists where a state can lead, by event.
func (c *checker) edges(state string) []Move {
	var out []Move
	for _, mv := range c.m.Moves {
		if mv.To != "" && mv.Into == "" && slices.Contains(mv.From, state) {
			out = append(out, mv)
		}
	}
	if v := c.m.States[state].Void; v != "" {
		out = append(out, Move{To: v, On: "voided"})
	}
	return out
}

func (c *checker) spread(from []string, skip func(Move) bool) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		s := from[0]
		from = from[1:]
		if seen[s] {
			continue
		}
		seen[s] = true
		for _, mv := range c.edges(s) {
			if skip == nil || !skip(mv) {
				from = append(from, mv.To)
			}
		}
	}
	return seen
}

// reachable: every state can be reached, and from every state an end.
func (c *checker) reachable() {
	start := []string{c.m.Initial}
	for name, s := range c.m.States {
		if s.Entry {
			start = append(start, name)
		}
	}
	seen := c.spread(start, nil)
	for _, name := range sortedKeys(c.m.States) {
		if !seen[name] {
			c.machine("state %s (line %d) cannot be reached", name, c.m.States[name].Line)
			continue
		}
		ends := c.spread([]string{name}, nil)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(ends)), func(s string) bool { return c.m.States[s].Final }) {
			c.machine("state %s (line %d) has no way to an end", name, c.m.States[name].Line)
		}
	}
}

// waits: nothing waits for ever. Every state that is neither initial nor final starts a timer whose move always fits and either
// leaves the state or starts a timer anew, and no timer goes off unheard.
func (c *checker) waits() {
	for _, name := range sortedKeys(c.m.States) {
		s := c.m.States[name]
		if s.Final {
			if len(s.Timers) > 0 {
				c.machine("state %s (line %d) is final and starts a timer", name, s.Line)
			}
			continue
		}
		if name == c.m.Initial {
			continue
		}
		sure := false
		for _, t := range s.Timers {
			moves := c.m.moves(name, "timer."+t)
			if len(moves) == 0 {
				c.machine("state %s (line %d): nothing happens when the timer %s is due", name, s.Line, t)
			}
			sure = sure || slices.ContainsFunc(moves, func(mv Move) bool { return len(mv.When) == 0 && goesOn(mv) })
		}
		if !sure {
			c.machine("state %s (line %d) can wait for ever: no timer leads on without a condition", name, s.Line)
		}
	}
}

func goesOn(mv Move) bool {
	return mv.To != "" || slices.ContainsFunc(mv.Do, func(a Action) bool { return a.Verb == "restart" })
}

// shadows: a move after an unconditional one of the same file, state and event is never taken.
func (c *checker) shadows() {
	for _, name := range sortedKeys(c.m.States) {
		sure := map[string]Move{}
		for _, mv := range c.m.Moves {
			if !slices.Contains(mv.From, name) {
				continue
			}
			if first, ok := sure[mv.On]; ok && first.File == mv.File {
				c.fail(mv.File, mv.Line, "in state %s the move on %s of line %d always fits: this one is never taken", name, mv.On, first.Line)
			}
			if _, ok := sure[mv.On]; !ok && len(mv.When) == 0 {
				sure[mv.On] = mv
			}
		}
	}
}

// factMails tell something about the account. They go only where the sender has answered a challenge.
func factMails() []string {
	return []string{"closure.blocked", "closure.dust", "closure.cooling_off", "closure.undo_window", "closure.late_redemption", "withdrawal.status", "withdrawal.paid",
		"withdrawal.returned", "payment.cause", "restriction.lifted", "restriction.partly", "restriction.upheld", "locked.unlocked",
		"privacy.access_delivery", "privacy.erasure_done"}
}

// proof reports that a move needs an answered challenge.
func proof(mv Move) bool {
	if slices.Contains([]string{"challenge_ok", "soft_accepted", "reconfirmed"}, mv.On) {
		return true
	}
	return slices.ContainsFunc(mv.When, func(g Guard) bool {
		return !g.Not && (g.Name == "identity" || g.Name == "level" && g.Arg >= "A3")
	})
}

// unproven: no fact about an account is mailed in a state that can be reached without an answered challenge.
func (c *checker) unproven() {
	open := c.spread([]string{c.m.Initial, "triage"}, proof)
	for _, mv := range slices.Concat(c.m.Moves, c.m.Asides) {
		if proof(mv) || !slices.ContainsFunc(mv.From, func(s string) bool { return open[s] }) {
			continue
		}
		for _, a := range mv.Do {
			key, _, _ := strings.Cut(a.Arg, " ")
			if (a.Verb == "send" || a.Verb == "reply") && slices.Contains(factMails(), key) {
				c.fail(mv.File, a.Line, "procedure %s: %s tells something about the account, and the sender may be anybody", c.m.Name, key)
			}
		}
	}
}
