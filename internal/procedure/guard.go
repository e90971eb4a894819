package procedure

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postdesk/internal/agent"
)

// guardDef is one condition a move can name. Verbs are commands of people: a condition that looks at hidden matters may not
// stand on them, because a refusal would tell.
type guardDef struct {
	name   string
	arg    string // "", "item", "template", "profile", "level", "phase", "word", "span", "role"
	hidden bool
	test   func(st *step, arg string) bool
}

func guards() []guardDef {
	return []guardDef{
		{"confident", "", false, func(st *step, _ string) bool { return st.c.Confidence >= 0.75 }},
		{"account_found", "", false, func(st *step, _ string) bool { return st.c.Account.Ref != "" }},
		{"account_looked", "", false, func(st *step, _ string) bool { return st.c.Account.Looked }},
		{"sender_matches", "", false, func(st *step, _ string) bool { return sameAddress(st.c.Identity.From, st.c.Account.Address) }},
		{"level", "level", false, func(st *step, arg string) bool { return st.set.Level(st.c, st.now).String() >= arg }},
		{"mail_level", "level", false, func(st *step, arg string) bool { return st.thisMailLevel().String() >= arg }},
		{"identity", "", false, func(st *step, _ string) bool { return st.identified() }},
		{"challenged", "", false, func(st *step, _ string) bool { return st.challenged() }},
		{"items", "phase", false, func(st *step, arg string) bool { return len(st.unsettled(arg)) == 0 }},
		{"item", "item", false, func(st *step, arg string) bool { return st.c.Items[arg].settled(st.now) }},
		{"item_failed", "item", false, func(st *step, arg string) bool { return st.c.Items[arg].State == ItemRejected }},
		{"documents", "", false, func(st *step, _ string) bool { return len(st.wanting()) > 0 }},
		{"undecided", "", false, func(st *step, _ string) bool { return st.countDocs(ItemSubmitted) > 0 }},
		{"rejected", "", false, func(st *step, _ string) bool { return st.countDocs(ItemRejected) > 0 }},
		{"exhausted", "", false, func(st *step, _ string) bool { return st.exhausted() }},
		{"new_files", "", false, func(st *step, _ string) bool { return st.e.Mail != nil && len(st.e.Mail.Files) > 0 }},
		{"accepted_now", "", false, func(st *step, _ string) bool { return st.acceptedNow() }},
		{"checks_pass", "", false, func(st *step, _ string) bool { return st.allChecks(Pass) }},
		{"blocked", "", false, func(st *step, _ string) bool { return len(st.blockers()) > 0 }},
		{"blocker", "word", false, func(st *step, arg string) bool { return st.hasBlocker(arg) }},
		{"fixable", "", false, func(st *step, _ string) bool { return st.fixable() }},
		{"fresh", "", false, func(st *step, _ string) bool { return st.fresh() }},
		{"two_people", "", false, func(st *step, _ string) bool { return st.twoPeople() == nil }},
		{"no_hold", "", true, func(st *step, _ string) bool { return st.c.Hold == nil && !st.c.HiddenBar }},
		{"cleared", "", true, func(st *step, _ string) bool { return len(st.unsettled("hidden")) == 0 }},
		{"flag", "word", false, func(st *step, arg string) bool { return st.flagged(arg) }},
		{"fact", "word", false, func(st *step, arg string) bool { return st.c.Facts[arg] != "" }},
		{"finding", "word", false, func(st *step, arg string) bool { return st.c.Finding.Code == arg }},
		{"found_twice", "word", false, func(st *step, arg string) bool { return st.c.Findings[arg] >= 2 }},
		{"code", "word", false, func(st *step, arg string) bool { return st.decisionCode() == arg }},
		{"risk", "word", false, func(st *step, arg string) bool { return string(st.c.Risk) == arg }},
		{"profile", "profile", false, func(st *step, arg string) bool { return st.p.has(arg) }},
		{"sent", "template", false, func(st *step, arg string) bool { return st.c.Sent[arg].Count > 0 }},
		{"sent_twice", "template", false, func(st *step, arg string) bool { return st.c.Sent[arg].Count >= 2 }},
		{"already_closed", "", false, func(st *step, _ string) bool { return st.status && slices.Contains(st.p.ClosedAs, st.c.Account.Status) }},
		{"funds", "", false, func(st *step, _ string) bool { return st.balancesRead() && len(nonZero(st.c.Balances)) > 0 }},
		{"no_funds", "", false, func(st *step, _ string) bool { return st.balancesRead() && len(nonZero(st.c.Balances)) == 0 }},
		{"complaint_open", "", false, func(st *step, _ string) bool { return st.c.Complaint.Open() }},
		{"complaint_proposed", "", false, func(st *step, _ string) bool { return !st.c.Complaint.Proposed.IsZero() }},
		{"reopens", "", false, func(st *step, _ string) bool { return st.reopens() }},
		{"gone", "", false, func(st *step, _ string) bool { return st.c.Closed }},
		{"result", "word", false, func(st *step, arg string) bool { return st.result == arg }},
		{"tries_left", "", false, func(st *step, _ string) bool { return st.c.Execution.Attempts < maxTries }},
		{"done_as_ordered", "", false, func(st *step, _ string) bool { return st.doneAsOrdered() }},
		{"status_read", "", false, func(st *step, _ string) bool { return st.status }},
		{"account_is", "word", false, func(st *step, arg string) bool { return st.c.Account.Status == arg }},
		{"approved", "", false, func(st *step, _ string) bool { return st.c.Approval != nil }},
		{"was_approved", "", false, func(st *step, _ string) bool { return st.c.Recommendation != nil && st.c.Approval != nil }},
		{"by", "role", false, func(st *step, arg string) bool { return st.e.Role == agent.Role(arg) }},
		{"other_person", "", false, func(st *step, _ string) bool { return st.c.Refusal != nil && st.c.Refusal.By != st.e.Actor }},
		{"not_excluded", "", false, func(st *step, _ string) bool { return !slices.Contains(st.c.Excluded, st.e.Actor) }},
		{"activity_is", "word", false, func(st *step, arg string) bool { return st.c.Activity != nil && st.c.Activity.Kind == arg }},
		{"overdue", "word", false, func(st *step, arg string) bool { return st.overdue(arg) }},
	}
}

// maxTries bounds how often one order is repeated before a person looks.
const maxTries = 5

func guardNamed(name string) (guardDef, bool) {
	for _, g := range guards() {
		if g.name == name {
			return g, true
		}
	}
	return guardDef{}, false
}

// fits returns nil when every condition of a move holds, else the first that does not.
func (st *step) fits(mv Move) error {
	for _, g := range mv.When {
		if g.test(st, g.Arg) == g.Not {
			return st.explain(g)
		}
	}
	return nil
}

// explain says in words what is missing.
func (st *step) explain(g Guard) error {
	switch {
	case g.Not:
		return fmt.Errorf("%s holds", Guard{Name: g.Name, Arg: g.Arg})
	case g.Name == "items":
		return fmt.Errorf("still open: %s", strings.Join(st.unsettled(g.Arg), ", "))
	case g.Name == "identity":
		return fmt.Errorf("the sender is %s, %s is needed", st.set.Level(st.c, st.now), st.needs())
	case g.Name == "two_people":
		return st.twoPeople()
	case g.Name == "fresh":
		return errors.New("the checks of the account are older than a day")
	}
	return fmt.Errorf("%s does not hold", g)
}

// needs is the identity the procedure asks for at the case's risk.
func (st *step) needs() Level {
	if l, ok := st.m.Identity[st.c.Risk]; ok {
		return l
	}
	return A4
}

func (st *step) identified() bool { return st.set.Level(st.c, st.now) >= st.needs() }

func (st *step) challenged() bool {
	ch := st.c.Challenge
	return ch.ID != "" && !ch.Used && st.now.Before(ch.ExpiresAt)
}

// unsettled lists the items of a phase that are needed and neither satisfied nor waived: info, check, decision, after, all
// (everything before executing), visible (the same without those for compliance), hidden.
func (st *step) unsettled(phase string) []string {
	var out []string
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if it.settled(st.now) || def.Need == "optional" || def.Need == "dust" {
			continue
		}
		switch phase {
		case "hidden":
			if !def.Hidden {
				continue
			}
		case "all":
			if def.Phase == "after" {
				continue
			}
		case "visible":
			if def.Hidden || def.Phase == "after" {
				continue
			}
		default:
			if def.Hidden || def.Phase != phase {
				continue
			}
		}
		out = append(out, key)
	}
	return out
}

// wanting lists the documents the customer still has to send.
func (st *step) wanting() []string {
	var out []string
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Source == FromDocument && !it.settled(st.now) && it.State != ItemSubmitted {
			out = append(out, key)
		}
	}
	return out
}

func (st *step) countDocs(state ItemState) int {
	n := 0
	for key, it := range st.c.Items {
		if st.m.Items[key].Source == FromDocument && it.State == state {
			n++
		}
	}
	return n
}

func (st *step) exhausted() bool {
	for key, it := range st.c.Items {
		if st.m.Items[key].Source == FromDocument && it.State == ItemRejected && it.Attempts >= st.p.Files.MaxAttempts {
			return true
		}
	}
	return false
}

// acceptedNow reports whether a document was accepted that the customer has not been told of.
func (st *step) acceptedNow() bool {
	for key, it := range st.c.Items {
		if st.m.Items[key].Source == FromDocument && it.State == ItemSatisfied && !it.Told {
			return true
		}
	}
	return false
}

func (st *step) allChecks(want Outcome) bool {
	for _, name := range st.m.Checks {
		if st.c.Checks[name].Outcome != want {
			return false
		}
	}
	return true
}

// blockers lists what stands in the way, in the order of the machine's checks.
func (st *step) blockers() []Blocker {
	var out []Blocker
	for _, name := range st.m.Checks {
		if k := st.c.Checks[name]; k.Outcome == Block {
			out = append(out, k.Blockers...)
		}
	}
	return out
}

// fixable reports a blocker the customer can remove now: neither time nor a balance too small to withdraw.
func (st *step) fixable() bool {
	return slices.ContainsFunc(st.blockers(), func(b Blocker) bool { return b.Code != "dust" && b.Code != "cooling" })
}

// thisMailLevel judges the mail of this event alone, whatever was proven before.
func (st *step) thisMailLevel() Level {
	if st.e.Mail == nil {
		return A0
	}
	return st.mailLevel(st.e.Mail.From, st.e.Mail.Aligned)
}

// flagged reports a remark of the rules on this mail: "secret" also stands for "secret:password".
func (st *step) flagged(flag string) bool {
	return st.e.Mail != nil && slices.ContainsFunc(st.e.Mail.Flags, func(f string) bool {
		return f == flag || strings.HasPrefix(f, flag+":")
	})
}

func (st *step) hasBlocker(code string) bool {
	return slices.ContainsFunc(st.blockers(), func(b Blocker) bool { return b.Code == code })
}

// freshFor is how old a look into the account may be when the account is changed.
const freshFor = 24 * time.Hour

func (st *step) fresh() bool {
	for _, name := range st.m.Checks {
		k := st.c.Checks[name]
		if k.At.IsZero() || st.now.Sub(k.At) >= freshFor {
			return false
		}
	}
	return true
}

// twoPeople is nil when one person recommended and another, with the right role, approved exactly this evidence.
func (st *step) twoPeople() error {
	rec, app := st.c.Recommendation, st.c.Approval
	switch {
	case rec == nil || app == nil:
		return errors.New("it needs a recommendation and an approval")
	case rec.By == app.By:
		return errors.New("recommendation and approval are by the same person")
	case app.As != agent.Approver:
		return errors.New("the approval is not by an approver")
	case rec.Evidence != app.Evidence || rec.Evidence != st.c.Evidence():
		return errors.New("the evidence has changed since")
	}
	for _, key := range st.keys() {
		it := st.c.Items[key]
		if it.State == ItemWaived && (it.DecidedBy == rec.By || it.DecidedBy == app.By) {
			return fmt.Errorf("%s was waived by who decided", key)
		}
	}
	return nil
}

// executable is the last word before the account is changed, whatever the files say: who asked is sure, everything needed is
// settled, two people decided, nothing holds it, and what was read from the account is less than a day old.
func (st *step) executable() error {
	if st.e.Kind == MailReceived {
		return errors.New("a mail changes no account")
	}
	if st.m.Protective != "" && st.m.Action == "" {
		return nil
	}
	switch {
	case !st.identified():
		return errors.New("the sender's identity is not sure enough")
	case len(st.unsettled("all")) > 0:
		return fmt.Errorf("still open: %s", strings.Join(st.unsettled("all"), ", "))
	case st.twoPeople() != nil:
		return st.twoPeople()
	case st.c.Hold != nil || st.c.HiddenBar:
		return errors.New("not released")
	case !st.fresh() || !st.allChecks(Pass):
		return errors.New("the checks of the account are not fresh or do not pass")
	case st.c.Refusal != nil:
		return errors.New("the request was refused")
	}
	return nil
}

func (st *step) decisionCode() string {
	switch {
	case st.c.Refusal != nil:
		return st.c.Refusal.Code
	case st.c.Recommendation != nil:
		return st.c.Recommendation.Code
	}
	return st.e.Code
}

func (st *step) reopens() bool {
	window, ok := st.p.Settings["reopen"]
	if !ok {
		window = Span{30, "d"}
	}
	return !st.c.EndedAt.IsZero() && st.now.Before(window.From(st.c.EndedAt, st.cal))
}

// doneAsOrdered compares the status just read with what was ordered. It must have been read, not remembered.
func (st *step) doneAsOrdered() bool {
	if !st.status {
		return false
	}
	now := st.c.Account.Status
	switch st.c.Execution.Action {
	case "close":
		return slices.Contains(st.p.ClosedAs, now)
	case "deactivate":
		return now == "dormant"
	case "unlock":
		return now != "locked" && now != ""
	case "lift":
		return now != "restricted" && now != ""
	case "reactivate":
		return now == "active"
	case "payout":
		return st.balancesRead() && len(nonZero(st.c.Balances)) == 0
	}
	return now != ""
}

// balancesRead reports that this event brought the balances.
func (st *step) balancesRead() bool { return st.e.Facts != nil && st.e.Facts.Balances != nil }

func nonZero(all []Money) []Money {
	return slices.DeleteFunc(slices.Clone(all), func(m Money) bool { return sign(m.Amount) == 0 })
}

func (st *step) overdue(kind string) bool {
	i := st.clock(kind)
	return i >= 0 && st.now.After(st.c.Clocks[i].Due)
}

// has reports whether the profile offers something a move can depend on.
func (p *Profile) has(what string) bool {
	switch what {
	case "self_service":
		return len(p.SelfPaths) > 0
	case "benefits":
		return len(p.Benefits) > 0
	case "linked":
		return len(p.Linked) > 0
	case "terms":
		return p.Terms.Hash != ""
	case "undo":
		return p.Settings["undo_window"].N > 0
	}
	return false
}

// itemKeys lists the items in a fixed order. The list is made once, when the machine is built; nobody changes it.
func (m *Machine) itemKeys() []string { return m.order }
