package procedure

import (
	"fmt"
	"slices"
	"strings"
)

// reduce enters the facts of the event into the case and names what happened, the word after `on:`; "" means nothing did.
func (st *step) reduce() (string, error) {
	e := &st.e
	if st.m.States[st.c.State].Final && ignoredAtRest(e.Kind) {
		return "", nil
	}
	if isStaff(e.Role) {
		for name, w := range e.Words {
			st.c.Words[name] = w
		}
	}
	switch e.Kind {
	case MailReceived:
		return st.mail()
	case Answered:
		return st.answer()
	case PageUsed:
		return st.page()
	case FileGiven:
		return st.itemSubmitted()
	case ItemDecided:
		return st.itemDecided()
	case ItemWaive:
		return st.itemWaived()
	case AccountRead:
		return st.accountRead()
	case PlatformDone:
		return st.platformDone()
	case FindingMade:
		return st.finding()
	case Classified:
		return st.classified()
	case RiskSet:
		return st.riskSet()
	case Recommend:
		return st.recommend()
	case Approve:
		return st.approve()
	case Reject:
		st.c.Recommendation, st.c.Approval = nil, nil
		return "reject", nil
	case Refuse:
		return st.refuse()
	case Withdraw:
		return st.withEvidence("withdraw")
	case Ask:
		return st.ask()
	case TimerDue:
		return st.timerDue()
	case ActivitySeen:
		return st.activity()
	case HoldSet:
		return st.holdSet()
	case HoldReleased:
		return st.holdReleased()
	case Executed:
		return st.executed()
	case Bounced:
		return st.bounced()
	case ComplaintYes, ComplaintNo, ComplaintDone:
		return st.complaint()
	case Extend:
		return "extend", st.needReason()
	case Absorb:
		return st.absorb()
	case Merge:
		if e.Code == "" {
			return "", invalid("merge needs the main ticket")
		}
	}
	return string(e.Kind), nil
}

// ignoredAtRest lists what means nothing any more once a case has ended.
func ignoredAtRest(k Kind) bool {
	switch k {
	case AccountRead, ActivitySeen, PlatformDone, FindingMade, Bounced, Executed:
		return true
	}
	return false
}

func (st *step) needReason() error {
	if strings.TrimSpace(st.e.Reason) == "" {
		return invalid("%s needs a reason", st.e.Kind)
	}
	return nil
}

func (st *step) withEvidence(on string) (string, error) {
	if strings.TrimSpace(st.e.Evidence) == "" {
		return "", invalid("%s needs the message or note it rests on", st.e.Kind)
	}
	return on, nil
}

// keys are the item keys in a fixed order.
func (st *step) keys() []string { return st.m.itemKeys() }

// warn tells staff something whose words are all given.
func (st *step) warn(key string, vars map[string]any) {
	vars["ticket_no"], vars["brand"] = fmt.Sprint(st.c.Ticket), st.c.Brand
	st.fx = append(st.fx, Effect{Kind: Alert, Template: key, To: ToStaff, Vars: vars, Hidden: st.hidden})
}

// finding is a diagnosis. When the account system says "hidden", there is a reason that must not be told: it is kept for
// compliance, and everybody else reads "review", which people find as well.
func (st *step) finding() (string, error) {
	e := &st.e
	if e.Code == "" {
		return "", invalid("a finding needs a code")
	}
	if isStaff(e.Role) {
		if e.Code == "hidden" {
			return "", invalid("finding %q is unknown", e.Code)
		}
		if strings.TrimSpace(e.Evidence) == "" {
			return "", invalid("a finding needs evidence: what was looked at, and where")
		}
		st.edited()
	}
	if e.Code == "hidden" {
		e.Code, st.c.HiddenBar = "review", true
	}
	st.c.Finding = Finding{Code: e.Code, By: e.Actor, At: st.now, Evidence: e.Evidence}
	st.c.Findings[e.Code]++
	return "finding", nil
}

// classified moves a case to another procedure. Case and clocks go on; what both checklists know stays.
func (st *step) classified() (string, error) {
	if st.set.machines[st.c.Profile][st.e.Code] == nil {
		return "", invalid("there is no procedure %q", st.e.Code)
	}
	s := st.m.States[st.c.State]
	if s.Final || s.Acts || st.c.Approval != nil || st.c.Refusal != nil {
		return "", invalid("the category cannot change in state %q", st.c.State)
	}
	st.stopAll()
	for _, kind := range st.m.Clocks {
		st.endClock(kind)
	}
	st.c.Recommendation, st.c.Finding, st.c.Confidence = nil, Finding{}, 1
	if err := st.into(st.e.Code); err != nil {
		return "", err
	}
	st.from, st.c.State = st.c.State, st.m.Initial
	return "classified", nil
}

func (st *step) riskSet() (string, error) {
	r := Risk(st.e.Code)
	if !slices.Contains([]Risk{Low, Medium, High}, r) {
		return "", invalid("risk %q is none of low, medium, high", st.e.Code)
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	if r == st.c.Risk {
		return "", nil
	}
	st.c.Risk = r
	st.set.checklist(&st.c)
	st.edited()
	return "risk", nil
}

// timerDue ignores a timer that was stopped or moved meanwhile.
func (st *step) timerDue() (string, error) {
	t, on := st.c.Timers[st.e.Timer]
	if !on || st.now.Before(t.Due) {
		return "", nil
	}
	delete(st.c.Timers, st.e.Timer)
	if rest, isClock := strings.CutPrefix(st.e.Timer, "clock."); isClock {
		kind, percent, _ := strings.Cut(rest, ".")
		var mark int
		fmt.Sscan(percent, &mark)
		if !st.mark(kind, mark) {
			return "", nil
		}
		return "clock." + kind, nil
	}
	return "timer." + st.e.Timer, nil
}

// activity during an open request. A login alone is excused when we had asked for it; nothing else is.
func (st *step) activity() (string, error) {
	a := st.e.Activity
	if a == nil || a.Kind == "" {
		return "", invalid("activity event without activity")
	}
	if !st.m.States[st.c.State].Activity || a.At.Before(st.c.OpenedAt) {
		return "activity_noted", nil
	}
	if a.Kind == "login" && (st.p.Login == "note" || st.p.Login == "ignore_invited" && !a.At.After(st.c.InvitedUntil)) {
		return "activity_noted", nil
	}
	st.c.Activity = clonePtr(a)
	st.c.Recommendation, st.c.Approval = nil, nil
	return "activity", nil
}

func (st *step) holdSet() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	if st.c.Hold != nil {
		return "", invalid("the ticket is on hold")
	}
	st.hidden = true
	st.c.Hold = &Hold{By: st.e.Actor, At: st.now, Reason: st.e.Reason}
	st.warn("int.hold_set", map[string]any{"hold": st.c.Ticket})
	return "hold_set", nil
}

func (st *step) holdReleased() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	if st.c.Hold == nil && !st.c.HiddenBar {
		return "", invalid("the ticket is not on hold")
	}
	st.hidden = true
	st.c.Hold, st.c.HiddenBar = nil, false
	return "hold_released", nil
}

// executed is the account system's word, or a person's with evidence, on the one change that was ordered.
func (st *step) executed() (string, error) {
	x := &st.c.Execution
	if x.Key == "" || st.e.Key != x.Key || x.State != "ordered" {
		return "", nil
	}
	if !slices.Contains([]string{"ok", "retry", "error", "unknown"}, st.e.Code) {
		return "", invalid("result %q is none of ok, retry, error, unknown", st.e.Code)
	}
	if isStaff(st.e.Role) && strings.TrimSpace(st.e.Evidence) == "" {
		return "", invalid("a result needs evidence: what was done, and where")
	}
	st.result = st.e.Code
	if st.e.Code == "ok" {
		x.State, x.DoneAt = "done", st.now
	}
	return "executed", nil
}

func (st *step) bounced() (string, error) {
	for _, name := range st.m.States[st.c.State].Timers {
		if st.m.Timers[name].Until == "answer" {
			st.stop(name)
		}
	}
	if slices.Contains(st.m.Checks, "contacts") {
		st.setCheck("contacts", Check{Outcome: Block, Blockers: []Blocker{{Code: "contact"}}, At: st.now, TriedAt: st.now})
	}
	st.warn("int.sla_breach", map[string]any{"clock": "bounced", "due": st.now.In(st.cal.Zone)})
	return "bounced", nil
}
