package procedure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postdesk/internal/agent"
	"postdesk/internal/ticket"
)

// world draws plausible and implausible events for a case: right and wrong answers, decisions by the right and the wrong people,
// timers that are due and that are not, an account that is clean and that is not.
type world struct {
	t   *rapid.T
	set *Set
	n   int

	helpful bool // most events lead on
}

var people = []struct {
	name string
	role agent.Role
}{{"alice", agent.Agent}, {"ann", agent.Agent}, {"sam", agent.Senior}, {"bob", agent.Approver}, {"beth", agent.Approver}, {"wei", agent.Compliance}, {"rob", agent.Auditor}, {"root", agent.Admin}}

func (w *world) bool(name string) bool { return rapid.Bool().Draw(w.t, name) }

func (w *world) often(name string) bool { return rapid.IntRange(0, 9).Draw(w.t, name) > 1 }

func pickFrom[T any](w *world, name string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(w.t, name)]
}

func (w *world) event(c Case, now time.Time) Event {
	w.n++
	trouble := 0 // of ten events, in a helpful world
	if slices.Contains([]string{"review", "approval", "clearance", "undo_window", "final_checks", "refusal_approval", "refusal_check", "verifying"}, c.State) {
		trouble = 2
	}
	if w.helpful && rapid.IntRange(0, 9).Draw(w.t, "helpful") > trouble {
		e := helpful(w.set, c, now, w.n)
		e.ID, e.Fresh = fmt.Sprint("h", w.n), Fresh{fmt.Sprint("hc", w.n), fmt.Sprint("mac-hc", w.n)}
		return e
	}
	kind := pickFrom(w, "kind", kindsFor(w, c))
	e := Event{ID: fmt.Sprint("x", w.n), Kind: kind, Actor: "system", Role: System, Fresh: Fresh{fmt.Sprint("c", w.n), fmt.Sprint("mac-c", w.n)}}
	m := w.set.machine(c)
	if slices.Contains([]Kind{MailReceived, Answered, PageUsed}, kind) {
		e.Actor, e.Role = owner, Customer
	} else if roles := allowed(kind); !slices.Contains(roles, System) || w.bool("by a person") {
		p := pickFrom(w, "who", people)
		if w.often("fitting") {
			for range 20 {
				if slices.Contains(roles, p.role) {
					break
				}
				p = pickFrom(w, "who", people)
			}
		}
		e.Actor, e.Role = p.name, p.role
		e.Evidence, e.Reason = "note", "reason"
	}
	keys := m.itemKeys()
	switch kind {
	case MailReceived:
		e.Mail = w.mail(m, now)
		e.Actor = e.Mail.From
	case Answered:
		e.Answer = &Answer{Challenge: c.Challenge.ID, MAC: c.Challenge.MAC, Channel: "page"}
		if !w.often("right") {
			e.Answer.MAC = "wrong"
		}
	case PageUsed:
		e.Page = w.page(c)
	case ItemDecided, FileGiven, ItemWaive, PlatformDone:
		if len(keys) == 0 {
			e.Item = "none"
			break
		}
		e.Item = pickFrom(w, "item", w.preferred(c, kind, keys))
		e.Accept = w.often("accept")
		e.Form = goodForm(m.Items[e.Item].Doc, c.Items[e.Item].ReceivedAt)
		if !e.Accept && m.Items[e.Item].Source == FromDocument {
			e.Reject = RejectUnreadable
		}
		if kind == FileGiven {
			f := picture(m.Items[e.Item].Doc, fmt.Sprint("f", w.n))
			e.File = &f
		}
	case AccountRead:
		e.Facts = w.facts(c, now)
	case FindingMade:
		e.Code = pickFrom(w, "finding", []string{"wrong_password", "risk", "review", "balance", "network", "our_incident", "debited_not_credited", "below_min", "processing",
			"late", "paid", "returned", "notice", "none", "freeze", "no_freeze", "takedown", "recovery", "not_ours"})
		e.Words = map[string]string{"amount": "1 EUR", "addressee": "the bank", "date": "2026-03-02"}
	case Classified:
		e.Code = pickFrom(w, "procedure", w.set.Procedures())
	case RiskSet:
		e.Code = pickFrom(w, "risk", []string{"low", "medium", "high"})
	case Recommend:
		e.Code = pickFrom(w, "code", append([]string{""}, m.Codes...))
		e.Words = map[string]string{"scope": "Payments", "remaining": "Withdrawals", "basis": "the duty to keep records", "until": "2031-03-20"}
	case Refuse:
		e.Code = pickFrom(w, "refusal", RefusalCodes())
		e.Words = map[string]string{"basis": "the duty to keep records", "until": "2031-03-20"}
	case Merge:
		e.Code = "17"
	case Absorb:
		o := c
		o.OpenedAt = c.OpenedAt.AddDate(0, 0, -rapid.IntRange(0, 5).Draw(w.t, "earlier"))
		o.Clocks = slices.Clone(c.Clocks)
		for i := range o.Clocks {
			o.Clocks[i].Start = o.OpenedAt
		}
		e.Other = &o
	case Ask:
		e.Items = []string{pickFrom(w, "ask", append(keys, "none"))}
	case TimerDue:
		e.Timer = pickFrom(w, "timer", append(sortedKeys(c.Timers), "none"))
	case ActivitySeen:
		e.Activity = &Activity{ID: e.ID, Kind: pickFrom(w, "activity", []string{"login", "trade", "contact_change"}), At: now}
	case Executed:
		e.Key = c.Execution.Key
		e.Code = pickFrom(w, "result", []string{"ok", "ok", "ok", "retry", "error", "unknown"})
	case ComplaintDone:
		e.Words = map[string]string{"findings": "All points were looked at."}
	case Extend:
		e.Words = map[string]string{"reason_text": "There are many records.", "reason": "We wait for a bank."}
	}
	if w.often("without expectation") {
		return e
	}
	e.Expect = max(1, c.Visible-rapid.IntRange(0, 2).Draw(w.t, "behind"))
	return e
}

// preferred puts the items a decision is due on first, so that random play gets somewhere.
func (w *world) preferred(c Case, kind Kind, keys []string) []string {
	if !w.often("sensible item") {
		return keys
	}
	m := w.set.machine(c)
	var out []string
	for _, k := range keys {
		it, def := c.Items[k], m.Items[k]
		switch {
		case kind == PlatformDone && def.Platform, kind == FileGiven && def.Source == FromDocument && it.State != ItemNA && it.State != ItemSatisfied,
			kind == ItemDecided && (it.State == ItemSubmitted || def.Source == FromAgent && it.State == ItemOpen), kind == ItemWaive && def.Waive != "":
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return keys
	}
	return out
}

// helpful is the event that leads a case on when everybody does their part.
func helpful(set *Set, c Case, now time.Time, n int) Event {
	m := set.machine(c)
	e := Event{Actor: "system", Role: System, Kind: AccountRead, Facts: clean(now)}
	for _, key := range m.itemKeys() {
		it, def := c.Items[key], m.Items[key]
		info := slices.Contains([]string{"info_pending", "factor_pending"}, c.State)
		decision := slices.Contains([]string{"review", "scope"}, c.State)
		switch {
		case info && it.Source == FromDocument && it.State == ItemSubmitted:
			return by(alice, agent.Agent, Event{Kind: ItemDecided, Item: key, Accept: true, Form: goodForm(def.Doc, it.ReceivedAt)})
		case info && it.Source == FromDocument && (it.State == ItemOpen || it.State == ItemRejected):
			f := picture(def.Doc, fmt.Sprint("hf", n))
			return by(alice, agent.Agent, Event{Kind: FileGiven, Item: key, File: &f})
		case info && def.Platform && it.State == ItemOpen:
			return Event{Kind: PlatformDone, Actor: "system", Role: System, Item: key, Accept: true}
		case info && it.Source == FromStatement && it.State == ItemOpen:
			var all []string
			for _, k := range m.itemKeys() {
				if m.Items[k].Source == FromStatement && m.Items[k].Need != "dust" {
					all = append(all, k)
				}
			}
			return Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: &Page{Action: "declare", Items: all, Terms: set.profiles[c.Profile].Terms.Hash}}
		case decision && it.Source == FromAgent && !def.Hidden && it.State != ItemSatisfied:
			return by(alice, agent.Agent, Event{Kind: ItemDecided, Item: key, Accept: true, Evidence: "note"})
		case (c.State == "clearance" || c.State == "refusal_check") && def.Hidden && it.State != ItemSatisfied:
			return by("wei", agent.Compliance, Event{Kind: ItemDecided, Item: key, Accept: true, Evidence: "case"})
		}
	}
	finding := map[string]string{"cause_check": "risk", "notice_lookup": "notice", "diagnose": "balance", "status_check": "processing", "urgent": "freeze", "evidence": "takedown"}
	switch c.State {
	case "received":
		e = mailOf(Mail{Confidence: 0.9, Provided: []string{"account_id", "application"}, Facts: map[string]string{"txid": "T1", "amount": "5 EUR"}})
	case "identity_pending":
		if c.Account.Address != "" {
			e = Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: c.Challenge.ID, MAC: c.Challenge.MAC, Channel: "page"}}
		}
	case "cause_check", "notice_lookup", "status_check", "urgent", "evidence":
		e = by(alice, agent.Agent, Event{Kind: FindingMade, Code: finding[c.State], Evidence: "note"})
	case "refusal_approval":
		e = by("wei", agent.Compliance, Event{Kind: Approve})
	case "review":
		if n%5 == 0 {
			e = by(alice, agent.Agent, Event{Kind: Refuse, Code: pickCode(n), Words: map[string]string{"basis": "the duty to keep records", "until": "2031-03-20"}})
		} else if len(c.Checks) == len(m.Checks) {
			e = by(alice, agent.Agent, Event{Kind: Recommend, Reason: "complete", Words: map[string]string{"scope": "Correspondence"}})
		}
	case "approval":
		e = by("bob", agent.Approver, Event{Kind: Approve})
	case "undo_window":
		e = Event{Kind: TimerDue, Actor: "system", Role: System, Timer: "undo"}
	case "executing":
		e = Event{Kind: Executed, Actor: "system", Role: System, Key: c.Execution.Key, Code: "ok"}
	}
	return e
}

func pickCode(n int) string { return RefusalCodes()[n%len(RefusalCodes())] }

// kindsFor draws from every kind, and more often from those that lead on in the present state.
func kindsFor(w *world, c Case) []Kind {
	all := []Kind{MailReceived, Answered, PageUsed, FileGiven, ItemDecided, ItemWaive, AccountRead, PlatformDone, FindingMade, Classified, RiskSet, Recommend,
		Approve, Reject, Refuse, Withdraw, Reopen, Merge, MarkSpam, Finish, Absorb, Resend, Ask, Advance, TimerDue, ActivitySeen, HoldSet, HoldReleased, Executed, Bounced,
		ComplaintYes, ComplaintNo, ComplaintDone, Extend}
	if !w.often("lead on") {
		return all
	}
	switch c.State {
	case "received":
		return []Kind{MailReceived}
	case "identity_pending", "suspended_activity", "factor_pending":
		return []Kind{AccountRead, Answered, PlatformDone, Answered, MailReceived}
	case "info_pending", "collect", "silent":
		return []Kind{FileGiven, ItemDecided, PageUsed, ItemDecided, PlatformDone, MailReceived, TimerDue}
	case "checks", "accepted", "diagnose", "customer_action_pending", "cooling_off", "scope":
		return []Kind{AccountRead, AccountRead, TimerDue, ItemDecided}
	case "review":
		return []Kind{ItemDecided, ItemDecided, Recommend, Recommend, AccountRead, Refuse}
	case "approval", "refusal_approval":
		return []Kind{Approve, Approve, Approve, Reject, ItemDecided}
	case "clearance", "refusal_check":
		return []Kind{ItemDecided, HoldReleased, TimerDue}
	case "undo_window":
		return []Kind{TimerDue, TimerDue, PageUsed, ActivitySeen}
	case "final_checks", "verifying":
		return []Kind{AccountRead, AccountRead, TimerDue, HoldReleased, ItemDecided}
	case "executing", "freezing":
		return []Kind{Executed, TimerDue}
	case "cause_check", "notice_lookup", "status_check", "urgent", "evidence", "investigating":
		return []Kind{FindingMade, ComplaintDone}
	}
	return all
}

func (w *world) mail(m *Machine, now time.Time) *Mail {
	ml := &Mail{Message: fmt.Sprint("m", w.n), From: owner, Aligned: w.often("aligned"), ReceivedAt: now, Confidence: 0.95}
	if !w.often("known sender") {
		ml.From = "mallory@elsewhere.example"
	}
	if !w.often("confident") {
		ml.Confidence = 0.4
	}
	ml.Auto = !w.often("human")
	if w.bool("provides") {
		ml.Provided = []string{"account_id", "reason", "zero_balance_statement", "third_party_unlinked", "statement_backup", "consent", "application"}
		ml.Facts = map[string]string{"txid": "T1", "amount": "5 EUR"}
	}
	if w.bool("flagged") {
		ml.Flags = []string{pickFrom(w, "flag", []string{"not_me", "withdraw_request", "fast_track", "status_question", "secret:password", "agency", "complaint", "unauthorised",
			"payee_change", "resend", "thanks", "reactivate"})}
	}
	if w.bool("attaches") {
		for _, kind := range []string{"identity", "address", "selfie", "funds", "notice", "payment", ""} {
			if w.bool("file") {
				ml.Files = append(ml.Files, picture(kind, fmt.Sprint("f", w.n, kind)))
			}
		}
	}
	return ml
}

func (w *world) page(c Case) *Page {
	p := &Page{Action: pickFrom(w, "button", []string{"declare", "declare", "declare", "undo", "withdraw", "not_me"}), Terms: w.set.Consent(c.Profile).Hash, Amount: c.Dust}
	if p.Action == "declare" {
		for key, def := range w.set.machine(c).Items {
			if def.Source == FromStatement && (def.Need != "dust" || len(c.Dust) > 0) {
				p.Items = append(p.Items, key)
			}
		}
		slices.Sort(p.Items)
	}
	return p
}

func (w *world) facts(c Case, now time.Time) *AccountFacts {
	f := clean(now)
	if c.Execution.State == "done" || c.Execution.State == "ordered" {
		s := map[string]string{"close": w.set.profiles[c.Profile].ClosedAs[0], "deactivate": "dormant"}[c.Execution.Action]
		if s != "" && w.bool("done") {
			f.Status = &s
		}
	}
	if w.often("clean") {
		return f
	}
	switch rapid.IntRange(0, 8).Draw(w.t, "trouble") {
	case 0:
		f.Balances = &[]Money{{"EUR", "120.00"}, {"GBP", "0"}}
	case 1:
		f.Balances = &[]Money{{"EUR", "0.40"}}
	case 2:
		f.Balances = nil
	case 3:
		f.Links = &[]string{"shop"}
	case 4:
		f.Last = &LastActivity{Transaction: now.Add(-time.Hour)}
	case 5:
		f.Restrictions = &[]Restriction{{Hidden: true}}
	case 6:
		no := false
		*f = AccountFacts{ReadAt: now, Found: &no}
	case 7:
		*f = AccountFacts{ReadAt: now}
	case 8:
		f.ReadAt = now.AddDate(0, 0, -3)
	}
	return f
}

func (w *world) open() Case {
	c, err := w.set.Open(Opening{Ticket: 7, Procedure: pickFrom(w, "procedure", append(w.set.Procedures(), "closure", "closure", "closure")), Profile: pickFrom(w, "profile", w.set.Profiles()), Brand: "B",
		Jurisdiction: pickFrom(w, "law", []string{"EU", "UK", "CN", "OTHER"}), Language: pickFrom(w, "lang", []string{"en", "zh-Hans"}),
		Risk: pickFrom(w, "risk", []Risk{Low, Medium, High}), ReceivedAt: noon})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// later moves the clock: mostly a little, sometimes to the next timer, sometimes by days.
func (w *world) later(c Case, now time.Time) time.Time {
	switch rapid.IntRange(0, 9).Draw(w.t, "pause") {
	case 0:
		return now.AddDate(0, 0, rapid.IntRange(1, 40).Draw(w.t, "days"))
	case 1, 2:
		var next time.Time
		for _, t := range c.Timers {
			if next.IsZero() || t.Due.Before(next) {
				next = t.Due
			}
		}
		if next.After(now) {
			return next
		}
	}
	return now.Add(time.Duration(rapid.IntRange(1, 90).Draw(w.t, "minutes")) * time.Minute)
}

func canonical(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// TestNoExecutionWithoutEveryGuard plays random events and looks at each step from outside, with the case as it was before it.
func TestNoExecutionWithoutEveryGuard(t *testing.T) {
	set := load(t)
	var steps, executions, approvals, voids, refusals int
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, set: set, helpful: rapid.IntRange(0, 4).Draw(rt, "helpful world") > 0}
		c, now := w.open(), noon
		keys := map[string]bool{}
		timers := map[string]time.Time{}
		length := rapid.IntRange(40, 120).Draw(rt, "length")
		for range length {
			e := w.event(c, now)
			before := canonical(c)
			next, fx, err := set.Step(c, e, now)
			if !bytes.Equal(before, canonical(c)) {
				rt.Fatalf("%s changed the case it was given", e.Kind)
			}
			if err != nil {
				if len(fx) > 0 || !bytes.Equal(before, canonical(next)) {
					rt.Fatalf("%s failed (%v) and changed something", e.Kind, err)
				}
				byItself := e.Role == System && e.Expect == 0 && slices.Contains([]Kind{TimerDue, AccountRead, Executed, ActivitySeen, Bounced}, e.Kind)
				if byItself || !expected(err) {
					rt.Fatalf("%s in %s/%s: %v", e.Kind, c.Procedure, c.State, err)
				}
			}
			steps++
			checkRecords(rt, c, next, fx, e)
			checkExecution(rt, set, c, next, fx, e, now, keys, &executions)
			checkDecisions(rt, set, c, next, e, &approvals, &voids, &refusals)
			checkTimers(rt, set, next, fx, timers)
			checkMails(rt, next, fx)
			if again, fx2, err2 := stepCopy(set, c, e, now); !bytes.Equal(canonical(again), canonical(next)) || !bytes.Equal(canonical(fx2), canonical(fx)) || (err2 == nil) != (err == nil) {
				rt.Fatalf("%s gives something else the second time, or after being stored", e.Kind)
			}
			if same, fx3, err3 := set.Step(next, e, now); err == nil && len(fx) > 0 && (err3 != nil || len(fx3) > 0 || !bytes.Equal(canonical(same), canonical(next))) {
				rt.Fatalf("%s was applied twice", e.Kind)
			}
			c = next
			now = w.later(c, now)
		}
	})
	t.Logf("%d steps, %d executions ordered, %d approvals, %d approvals voided, %d refusals", steps, executions, approvals, voids, refusals)
	if executions == 0 || approvals == 0 || refusals == 0 {
		t.Errorf("the random play never got to an execution, an approval or a refusal: it proves nothing")
	}
}

func stepCopy(set *Set, c Case, e Event, now time.Time) (Case, []Effect, error) {
	var stored Case
	if err := json.Unmarshal(canonical(c), &stored); err != nil {
		panic(err)
	}
	return set.Step(stored, e, now)
}

// expected errors are those a person or a page acts on. What happens by itself (a timer, the account system) never fails, and
// nothing ever fails for a mistake in a file.
func expected(err error) bool {
	return errors.Is(err, ticket.ErrInvalid) || errors.Is(err, ticket.ErrForbidden) || errors.Is(err, ticket.ErrConflict) || errors.Is(err, ErrExpired)
}

func checkRecords(t *rapid.T, before, after Case, fx []Effect, e Event) {
	n, visible := 0, 0
	for _, f := range fx {
		if f.Kind != Record {
			continue
		}
		n++
		if !f.Hidden {
			visible++
		}
		secret := slices.Contains([]Kind{HoldSet, HoldReleased}, e.Kind) || e.Role == agent.Compliance && e.Kind == ItemDecided
		if secret && !f.Hidden && (f.Record.Actor == e.Actor || f.Record.Item != "" || f.Record.Reason != "" || f.Record.Ref != "") {
			t.Fatalf("what %s did in secret is in the record %+v", e.Actor, f.Record)
		}
		if f.Record.Step != before.Visible+visible || !secret && f.Record.Actor != e.Actor || f.Record.Version == "" {
			t.Fatalf("record %+v does not belong to step %d of %s", f.Record, before.Visible+visible, e.Kind)
		}
	}
	if n != after.Steps-before.Steps || (len(fx) > 0) != (n > 0) {
		t.Fatalf("%s: %d transitions, %d records, %d effects", e.Kind, after.Steps-before.Steps, n, len(fx))
	}
}

func checkExecution(t *rapid.T, set *Set, before, after Case, fx []Effect, e Event, now time.Time, keys map[string]bool, count *int) {
	for _, f := range fx {
		if f.Kind != Execute {
			continue
		}
		if e.Kind == MailReceived || e.Kind == PageUsed || e.Kind == Answered {
			t.Fatalf("%s alone changes an account", e.Kind)
		}
		if after.State != "executing" && after.State != "freezing" || set.machine(after).States[after.State].Final {
			t.Fatalf("an account is changed in state %s", after.State)
		}
		if e.Kind == TimerDue && before.State == after.State {
			if f.Key != before.Execution.Key {
				t.Fatalf("a repetition has another key: %s, %s", f.Key, before.Execution.Key)
			}
			continue
		}
		if keys[f.Key] {
			t.Fatalf("key %s was used by another execution", f.Key)
		}
		keys[f.Key] = true
		*count++
		if f.Action == "freeze" {
			continue
		}
		guarded(t, set, before, after, now)
	}
}

// guarded judges an execution by itself, without the conditions of the machine.
func guarded(t *rapid.T, set *Set, before, after Case, now time.Time) {
	m := set.machine(after)
	if before.Recommendation == nil || before.Approval == nil || before.Recommendation.By == before.Approval.By || before.Approval.As != agent.Approver {
		t.Fatalf("executed without two people: %+v, %+v", before.Recommendation, before.Approval)
	}
	if before.Refusal != nil || before.Hold != nil || after.HiddenBar {
		t.Fatalf("executed although refused or held")
	}
	if after.Identity.Level < A3 || after.Challenge.MAC == "" && after.Identity.ProvenAt.IsZero() {
		t.Fatalf("executed at identity %s", after.Identity.Level)
	}
	for key, it := range after.Items {
		def, known := m.Items[key]
		if !known || def.Need == "optional" || def.Need == "dust" || def.Phase == "after" || it.State == ItemNA || it.State == ItemSatisfied || it.State == ItemWaived {
			continue
		}
		t.Fatalf("executed with %s %s", key, it.State)
	}
	for _, name := range m.Checks {
		k := after.Checks[name]
		if k.Outcome != Pass || now.Sub(k.At) >= 24*time.Hour {
			t.Fatalf("executed with check %s %s of %s at %s", name, k.Outcome, k.At, now)
		}
	}
}

func checkDecisions(t *rapid.T, set *Set, before, after Case, e Event, approvals, voids, refusals *int) {
	if after.Approval != nil && before.Approval == nil {
		*approvals++
		by := after.Approval.By
		rec := before.Recommendation
		if rec == nil {
			rec = before.Refusal
		}
		if rec == nil || rec.By == by || before.Editor == by || e.Kind != Approve {
			t.Fatalf("%s approved what is not theirs to approve: %+v", by, rec)
		}
	}
	acting := set.machine(after).States[after.State].Acts || after.State == "verifying"
	if r := after.Recommendation; r != nil && !acting && r.Evidence != after.Evidence() {
		t.Fatalf("a recommendation outlived its evidence in state %s", after.State)
	}
	if before.Approval != nil && after.Approval == nil && after.State == "review" && e.Kind != Reject {
		*voids++
	}
	if after.State == "refused" && before.State != "refused" {
		*refusals++
	}
	if set.machine(after).States[after.State].Final && (after.Approval != nil || after.Recommendation != nil) {
		t.Fatalf("an approval outlived the end %s", after.State)
	}
}

// checkTimers replays the effects: who only follows them has the same timers as the case.
func checkTimers(t *rapid.T, set *Set, after Case, fx []Effect, timers map[string]time.Time) {
	for _, f := range fx {
		switch f.Kind {
		case StartTimer:
			timers[f.Timer] = f.Due
		case StopTimer:
			delete(timers, f.Timer)
		}
	}
	for name := range timers {
		if _, on := after.Timers[name]; !on {
			delete(timers, name) // it went off
		}
	}
	cal := set.Calendar(after.Jurisdiction)
	for name, tm := range after.Timers {
		if set.machine(after).Timers[name].Polite && !cal.Polite(tm.Due).Equal(tm.Due) {
			t.Fatalf("a reminder would go out at %s", tm.Due.In(cal.Zone))
		}
		if !timers[name].Equal(tm.Due) {
			t.Fatalf("timer %s is due %s, its effect said %s", name, tm.Due, timers[name])
		}
	}
}

func checkMails(t *rapid.T, after Case, fx []Effect) {
	for _, f := range fx {
		if f.Kind == Send || f.Kind == Alert {
			if wrong := wrongVar(f); wrong != "" {
				t.Fatal(wrong)
			}
		}
		if f.Kind != Send {
			continue
		}
		def, ok := templateNamed(f.Template)
		if !ok || f.To != def.To || f.Key == "" {
			t.Fatalf("mail %+v", f)
		}
		if f.To == ToRegistered && after.Account.Address == "" {
			t.Fatalf("%s has nowhere to go", f.Template)
		}
		if f.Page == "confirm" && f.Challenge == "" {
			t.Fatalf("%s needs a challenge", f.Template)
		}
	}
}

// TestHiddenHoldChangesNothingVisible plays the same events on two cases, one of which compliance holds (or the account system
// bars in secret), and compares everything that a customer receives, everything an agent sees, every refusal an agent reads and
// every time. The only difference allowed is the one a hold is for: the other case goes on where compliance has to let it pass.
func TestHiddenHoldChangesNothingVisible(t *testing.T) {
	set := load(t)
	var compared, parted int
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, set: set, helpful: rapid.IntRange(0, 4).Draw(rt, "helpful world") > 0}
		free, now := w.open(), noon
		held := free
		when := rapid.IntRange(0, 25).Draw(rt, "when")
		secretly := w.bool("by the account system")
		for i := range rapid.IntRange(20, 90).Draw(rt, "length") {
			if i == when && !secretly {
				var err error
				held, _, err = set.Step(held, Event{ID: "hold", Kind: HoldSet, Actor: "wei", Role: agent.Compliance, Reason: "case 9"}, now)
				if err != nil {
					rt.Fatal(err)
				}
			}
			e := w.event(free, now)
			if e.Kind == HoldSet || e.Kind == HoldReleased {
				continue
			}
			if e.Facts != nil && e.Facts.Restrictions != nil {
				f := *e.Facts
				f.Restrictions = &[]Restriction{}
				e.Facts = &f
			}
			twin := e
			if e.Facts != nil && e.Facts.Restrictions != nil && secretly && i >= when {
				f := *e.Facts
				f.Restrictions = &[]Restriction{{Hidden: true}}
				twin.Facts = &f
			}
			from := free.State
			f1, fx1, err1 := set.Step(free, e, now)
			f2, fx2, err2 := set.Step(held, twin, now)
			if f1.State != f2.State && passes(from, f1.State) {
				parted++
				if f2.State != from && f2.State != "clearance" && f2.State != "refusal_check" && f2.State != "final_checks" {
					rt.Fatalf("the held case went from %s to %s", from, f2.State)
				}
				return
			}
			if fmt.Sprint(err1) != fmt.Sprint(err2) {
				rt.Fatalf("%s in %s tells: %v / %v", e.Kind, from, err1, err2)
			}
			v1, v2 := canonical(Visible(fx1)), canonical(Visible(fx2))
			if !bytes.Equal(v1, v2) {
				rt.Fatalf("%s in %s differs:\n%s\n%s", e.Kind, from, v1, v2)
			}
			if a, b := canonical(set.View(f1, agent.Approver)), canonical(set.View(f2, agent.Approver)); !bytes.Equal(a, b) {
				rt.Fatalf("%s in %s: an agent sees\n%s\n%s", e.Kind, from, a, b)
			}
			free, held = f1, f2
			now = w.later(free, now)
			compared++
		}
	})
	t.Logf("%d steps compared, %d times the free case passed on", compared, parted)
	if compared == 0 || parted == 0 {
		t.Error("the two never came to the point where a hold matters: it proves nothing")
	}
}

// passes reports a transition that only compliance lets happen.
func passes(from, to string) bool {
	return slices.Contains([]string{"executing", "undo_window", "final_checks", "refused", "upheld", "delivered"}, to)
}
