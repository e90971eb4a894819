package procedure

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/ticket"
)

// toReview plays an e-money closure with everything in order up to the review.
func toReview(t *testing.T, risk Risk) *play {
	t.Helper()
	p := begin(t, "e-money", "closure", risk)
	p.mail(Mail{Confidence: 0.97, Provided: []string{"account_id"}}).account(nil).answer()
	if p.c.Risk != Low {
		p.mail(Mail{Files: []File{picture("identity", "a"), picture("address", "b"), picture("selfie", "c")}})
	}
	p.do(p.statements()).accept(alice)
	return p.account(nil).in("review")
}

// toUndo goes on to the window in which the customer can still think again.
func toUndo(t *testing.T) *play {
	t.Helper()
	p := toReview(t, Medium).agentItems(alice)
	p.do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).in("clearance")
	return p.clear().in("undo_window")
}

func TestClosureAtLowRiskNeedsConsentOnly(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().in("info_pending").sent("closure.consent")
	p.do(p.statements()).in("checks").account(nil).in("review")
	if got := p.set.Level(p.c, p.now); got != A3 {
		t.Errorf("level %s", got)
	}
}

func TestClosureDocumentsSentWithTheFirstMailAreNotAskedForAgain(t *testing.T) {
	p := begin(t, "e-money", "closure", High)
	p.mail(Mail{Confidence: 0.97, Files: []File{picture("identity", "a")}}).account(nil).answer().in("info_pending").sent("docs.request", "closure.consent")
	items := p.vars("docs.request")["items"]
	if got := items.([]map[string]string); len(got) != 2 || got[0]["name"] != "Proof of address" {
		t.Errorf("asked for %v", got)
	}
}

func TestClosureStatementsInAMailCountOnlyFromTheOwner(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97, From: owner, Aligned: false, Provided: []string{"account_id", "zero_balance_statement"}})
	p.account(nil)
	if st := p.c.Items["cl.zero_declared"].State; st != ItemSubmitted {
		t.Errorf("an unauthenticated statement is %s", st)
	}
	p.answer()
	p.mail(Mail{Provided: []string{"zero_balance_statement"}})
	if st := p.c.Items["cl.zero_declared"].State; st != ItemSatisfied {
		t.Errorf("the owner's statement is %s", st)
	}
}

func TestClosureByAStrangerTellsTheOwnerAndNobodyElse(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97, From: "mallory@elsewhere.example", Aligned: true}).account(nil)
	p.in("identity_pending").sent("identity.use_registered", "security.other_address")
	if p.has(Issue) {
		t.Error("a stranger set off a challenge")
	}
	p.fire("challenge_1").sent()
	p.fire("challenge_2").in("expired").sent("identity.expired")
}

func TestAnUnknownAccountGetsTheSameAnswerAsAStranger(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97})
	no := false
	p.do(Event{Kind: AccountRead, Actor: "system", Role: System, Facts: &AccountFacts{ReadAt: p.now, Found: &no}}).sent("identity.use_registered")
}

func TestNotMeStopsEverything(t *testing.T) {
	for _, page := range []bool{true, false} {
		p := toReview(t, Low)
		if page {
			p.do(Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: &Page{Action: "not_me"}})
		} else {
			p.mail(Mail{Flags: []string{"not_me"}})
		}
		p.in("withdrawn").sent("security.not_me")
		if !p.has(Alert) {
			t.Error("nobody was told")
		}
	}
}

func TestChallengeLocksAfterThreeWrongAnswers(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil)
	wrong := Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: p.c.Challenge.ID, MAC: "no", Channel: "page"}}
	right := wrong
	right.Answer = &Answer{Challenge: p.c.Challenge.ID, MAC: p.c.Challenge.MAC, Channel: "page"}
	p.do(wrong).do(wrong).do(wrong).sent("identity.failed", "security.other_address")
	if err := p.try(right); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("while locked: %v", err)
	}
	p.wait(25 * time.Hour)
	if err := p.try(right); !errors.Is(err, ErrExpired) {
		t.Errorf("after three wrong answers the challenge is dead, not %v", err)
	}
	p.mail(Mail{Flags: []string{"resend"}}).sent("identity.challenge_resend").answer().in("info_pending")
}

func TestChallengeIsBoundSingleAndShortLived(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil)
	first := p.c.Challenge
	p.mail(Mail{Flags: []string{"resend"}})
	old := Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: first.ID, MAC: first.MAC, Channel: "page"}}
	if err := p.try(old); !errors.Is(err, ErrExpired) {
		t.Errorf("a replaced challenge: %v", err)
	}
	ch := p.c.Challenge
	now := Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: ch.ID, MAC: ch.MAC, Channel: "page"}}
	p.wait(72 * time.Hour)
	if err := p.try(now); !errors.Is(err, ErrExpired) {
		t.Errorf("after 72 hours: %v", err)
	}
	p.fire("challenge_1").answer().in("info_pending")
	if err := p.try(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: p.c.Challenge.ID, MAC: p.c.Challenge.MAC, Channel: "page"}}); !errors.Is(err, ErrExpired) {
		t.Errorf("used twice: %v", err)
	}
	if err := p.try(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Channel: "email_reply"}}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("by mail: %v", err)
	}
}

func TestChallengeIsSentThreeTimesADayAtMost(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil)
	for range 2 {
		p.mail(Mail{Flags: []string{"resend"}}).sent("identity.challenge_resend")
	}
	p.mail(Mail{Flags: []string{"resend"}}).sent()
	p.wait(25 * time.Hour).mail(Mail{Flags: []string{"resend"}}).sent("identity.challenge_resend")
}

func TestAReplyThatQuotesOurMailIsNoAnswer(t *testing.T) {
	s := loadAnew(t)
	s.profiles["e-money"].Channels = append(s.profiles["e-money"].Channels, "email_reply")
	p := begin(t, "e-money", "closure", Low)
	p.set = s
	p.mail(Mail{Confidence: 0.97}).account(nil)
	a := Answer{Challenge: p.c.Challenge.ID, MAC: p.c.Challenge.MAC, Channel: "email_reply", Quoted: true, Outside: true}
	p.do(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &a}).in("identity_pending")
	a.Quoted, a.Outside = false, false
	p.do(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &a}).in("identity_pending")
	a.Outside = true
	p.do(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &a}).in("info_pending")
}

func TestRejectedSelfieIsAskedForAloneAndThreeTimesAtMost(t *testing.T) {
	p := begin(t, "e-money", "closure", High)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer()
	p.mail(Mail{Files: []File{picture("identity", "a"), picture("address", "b"), picture("selfie", "s0")}}).sent("docs.received")
	reject := by(alice, agent.Agent, Event{Kind: ItemDecided, Item: "cl.selfie", Reject: RejectNoteDate})
	p.do(reject).sent()
	p.accept(alice).sent("docs.rejected")
	var mail Effect
	for _, f := range p.fx {
		if f.Template == "docs.rejected" {
			mail = f
		}
	}
	if items := mail.Vars["items"].([]map[string]string); len(items) != 1 || items[0]["name"] != "A photo of you with your document and a note" || mail.Vars["attempts_left"] != 2 {
		t.Errorf("asked for %v, %v left", items, mail.Vars["attempts_left"])
	}
	p.wait(time.Hour).mail(Mail{Files: []File{picture("selfie", "s0")}}).sent("docs.rejected")
	if code := p.c.Items["cl.selfie"].Reject; code != RejectDuplicate {
		t.Errorf("the same file again is rejected as %s", code)
	}
	p.wait(time.Hour).mail(Mail{Files: []File{picture("", "s2")}}).sent("docs.received")
	if f := p.c.Items["cl.selfie"].File; f == nil || f.SHA256 != "s2" {
		t.Error("a file of unknown kind answers the only open item")
	}
	p.do(reject).in("review").sent("docs.manual")
}

func TestAcceptedDocumentNeedsAFormThatHolds(t *testing.T) {
	p := begin(t, "e-money", "closure", High)
	p.mail(Mail{Confidence: 0.97, Files: []File{picture("address", "b")}}).account(nil).answer()
	form := goodForm("address", p.now)
	form.Issued = "2025-12-01"
	err := p.try(by(alice, agent.Agent, Event{Kind: ItemDecided, Item: "cl.address_doc", Accept: true, Form: form}))
	if !errors.Is(err, ticket.ErrInvalid) || !strings.Contains(err.Error(), "too_old") {
		t.Errorf("%v", err)
	}
	if err := p.try(by(alice, agent.Agent, Event{Kind: ItemDecided, Item: "cl.address_doc", Accept: true})); err == nil {
		t.Error("accepted without a form")
	}
}

func TestRemindersListWhatIsMissingStopOnAnAnswerAndEnd(t *testing.T) {
	p := begin(t, "e-money", "closure", Medium)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer()
	asked := p.now
	p.fire("reminder_1").sent("docs.reminder_1")
	if p.now.Before(asked.AddDate(0, 0, 3)) {
		t.Errorf("first reminder at %s", p.now)
	}
	p.fire("reminder_2").sent("docs.reminder_2").fire("reminder_final").sent("docs.reminder_final")
	p.fire("silence").in("silent").sent()
	p.mail(Mail{Files: []File{picture("identity", "a")}}).in("info_pending")

	q := begin(t, "e-money", "closure", Medium)
	q.mail(Mail{Confidence: 0.97}).account(nil).answer()
	q.fire("reminder_1").mail(Mail{})
	if _, on := q.c.Timers["reminder_2"]; on {
		t.Error("reminders go on after an answer")
	}
	if _, on := q.c.Timers["silence"]; !on {
		t.Error("an answer must not make the case wait for ever")
	}
	q.mail(Mail{Auto: true})
}

func TestAnAutomaticReplyAnswersNothing(t *testing.T) {
	p := begin(t, "e-money", "closure", Medium)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer()
	steps := p.c.Steps
	p.mail(Mail{Auto: true})
	if _, on := p.c.Timers["reminder_1"]; !on || p.c.Steps != steps {
		t.Error("an automatic reply changed the case")
	}
}

func TestBalanceAndDust(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().do(p.statements()).in("checks")
	p.account(func(f *AccountFacts) {
		f.Balances = &[]Money{{"EUR", "126.40"}, {"USD", "3.15"}}
		f.Links = &[]string{"BookCrate"}
	})
	p.in("customer_action_pending").sent("closure.blocked")
	for _, f := range p.fx {
		if f.Template == "closure.blocked" && strings.Contains(string(canonical(f.Vars)), "126.40") {
			t.Error("the mail tells the balance")
		}
	}
	p.wait(time.Hour).mail(Mail{})
	if !p.has(RunChecks) {
		t.Error("an answer looks into the account again")
	}
	dust := func(f *AccountFacts) { f.Balances = &[]Money{{"EUR", "0.00"}, {"USD", "3.15"}} }
	p.account(dust).in("customer_action_pending").sent("closure.dust")
	waive := func(m ...Money) Event {
		return Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: &Page{Action: "declare", Items: []string{"cl.dust_waiver"}, Amount: m}}
	}
	if err := p.try(waive(Money{"USD", "3.00"})); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("another amount was given up: %v", err)
	}
	p.do(waive(Money{"USD", "3.15"})).account(dust).in("review")
	p.agentItems(alice).do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().fire("undo")
	p.account(func(f *AccountFacts) { f.Balances = &[]Money{{"EUR", "0.00"}, {"USD", "3.16"}} }).in("checks")
	if p.c.Approval != nil {
		t.Error("another balance was not given up, and not approved")
	}
}

func TestDustAboveTheCapIsNotGivenUp(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().do(p.statements())
	dust := func(f *AccountFacts) { f.Balances = &[]Money{{"EUR", "9.99"}} }
	p.account(dust)
	p.do(Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: &Page{Action: "declare", Items: []string{"cl.dust_waiver"}, Amount: []Money{{"EUR", "9.99"}}}})
	p.account(dust).in("customer_action_pending")
}

func TestRecentActivityStartsACoolingOff(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().do(p.statements())
	traded := p.now.Add(-time.Hour)
	p.account(func(f *AccountFacts) { f.Last = &LastActivity{Transaction: traded} }).in("cooling_off").sent("closure.cooling_off")
	if due := p.c.Timers["cooling"].Due; !due.Equal(traded.Add(72 * time.Hour)) {
		t.Errorf("until %s", due)
	}
	p.fire("cooling").in("checks")
	if !p.has(RunChecks) {
		t.Error("after the waiting period the account is looked at again")
	}
}

func TestUnknownNeverPasses(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer()
	p.c.Checks = map[string]Check{}
	p.do(p.statements()).in("checks")
	for _, part := range []func(*AccountFacts){
		func(f *AccountFacts) { f.Balances = nil }, func(f *AccountFacts) { f.Pending = nil }, func(f *AccountFacts) { f.Disputes = nil },
		func(f *AccountFacts) { f.Debts = nil }, func(f *AccountFacts) { f.Links = nil }, func(f *AccountFacts) { f.Last = nil },
		func(f *AccountFacts) { f.Contacts = nil }, func(f *AccountFacts) { f.Status = nil }, func(f *AccountFacts) { f.Restrictions = nil },
	} {
		q := *p
		q.account(part).in("checks")
	}
	p.account(nil).in("review")
}

func TestActivityDuringReviewSuspendsAndAsksAgain(t *testing.T) {
	p := toReview(t, Low).agentItems(alice)
	p.do(by(alice, agent.Agent, Event{Kind: Recommend}))
	seen := Event{Kind: ActivitySeen, Actor: "system", Role: System, Activity: &Activity{ID: "a1", Kind: "trade", At: p.now}}
	p.do(seen).in("suspended_activity").sent("closure.activity")
	if p.c.Recommendation != nil {
		t.Error("the recommendation stands")
	}
	p.answer().in("checks")
	if !p.has(RunChecks) {
		t.Error("every check runs again")
	}
	p.account(nil).in("review").do(seen).in("suspended_activity")
	p.fire("reconfirm").in("withdrawn").sent("closure.withdrawn")
	if reason := p.vars("closure.withdrawn")["reason"]; reason != "activity" {
		t.Errorf("reason %v", reason)
	}
}

func TestALoginWeAskedForIsExcusedAndATradeIsNot(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().do(p.statements())
	p.account(func(f *AccountFacts) { f.Balances = &[]Money{{"EUR", "50"}} }).in("customer_action_pending")
	act := func(kind string) Event {
		return Event{Kind: ActivitySeen, Actor: "system", Role: System, Activity: &Activity{ID: kind, Kind: kind, At: p.now}}
	}
	p.wait(time.Hour).do(act("login")).in("customer_action_pending")
	q := *p
	q.do(act("trade")).in("suspended_activity")
	p.wait(25 * time.Hour).do(Event{Kind: ActivitySeen, Actor: "system", Role: System, Activity: &Activity{ID: "late", Kind: "login", At: p.now}}).in("suspended_activity")
}

func TestFourEyes(t *testing.T) {
	p := toReview(t, Low).agentItems(carol)
	if err := p.try(by(carol, agent.Auditor, Event{Kind: Recommend})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("an auditor: %v", err)
	}
	p.do(by("pat", agent.Approver, Event{Kind: Recommend}))
	for who, role := range map[string]agent.Role{"pat": agent.Approver, carol: agent.Approver, alice: agent.Agent, "sam": agent.Senior, "root": agent.Admin} {
		if err := p.try(by(who, role, Event{Kind: Approve})); !errors.Is(err, ticket.ErrForbidden) {
			t.Errorf("%s as %s: %v", who, role, err)
		}
	}
	if err := p.try(by(bob, agent.Approver, Event{Kind: Approve, Evidence: "other"})); !errors.Is(err, ticket.ErrConflict) {
		t.Errorf("other evidence: %v", err)
	}
	if err := p.try(by("wei", agent.Compliance, Event{Kind: Approve})); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("compliance does not approve a closure: %v", err)
	}
	p.do(by(bob, agent.Approver, Event{Kind: Approve, Evidence: p.c.Evidence()})).in("clearance")
}

func TestChangedEvidenceVoidsTheApproval(t *testing.T) {
	p := toUndo(t)
	p.account(func(f *AccountFacts) { f.Links = &[]string{"shop"} }).in("review")
	if p.c.Approval != nil || p.c.Recommendation != nil {
		t.Error("the approval stands")
	}
	for _, f := range p.fx {
		if f.Kind == Record && f.Record.Event == "voided" {
			return
		}
	}
	t.Error("the void is not recorded")
}

func TestTwoAgentsAtOnce(t *testing.T) {
	p := toReview(t, Low).agentItems(alice)
	seen := p.c.Visible
	p.do(by(alice, agent.Agent, Event{Kind: Recommend, Expect: seen}))
	if err := p.try(by(carol, agent.Agent, Event{Kind: Refuse, Code: "debt_open", Expect: seen})); !errors.Is(err, ticket.ErrConflict) {
		t.Errorf("the second one: %v", err)
	}
}

func TestUndoAndWithdraw(t *testing.T) {
	toUndo(t).do(Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: &Page{Action: "undo"}}).in("withdrawn").sent("closure.withdrawn")
	toUndo(t).mail(Mail{Flags: []string{"withdraw_request"}}).in("withdrawn")
	p := toUndo(t)
	p.do(mailOf(Mail{Flags: []string{"withdraw_request"}, From: owner, Aligned: false})).in("undo_window")
	if err := p.try(by(alice, agent.Agent, Event{Kind: Withdraw})); err == nil {
		t.Error("withdrawn without the customer's words")
	}
}

func TestExecutionRetriesWithOneKeyAndReadsTheStatus(t *testing.T) {
	p := toUndo(t).fire("undo").account(nil).in("executing")
	key := p.c.Execution.Key
	result := func(code string) Event {
		return Event{Kind: Executed, Actor: "system", Role: System, Key: key, Code: code}
	}
	p.do(result("retry")).in("executing").fire("execute_retry")
	if p.c.Execution.Key != key || !p.has(Execute) {
		t.Errorf("retried with key %s", p.c.Execution.Key)
	}
	p.do(result("unknown")).in("verifying")
	p.account(nil).in("verifying").fire("verify").in("verifying")
	p.account(func(f *AccountFacts) { s := "closed"; f.Status = &s }).in("closed").sent("closure.final")
	p.mail(Mail{}).in("closed").sent("closure.post")
	if !p.has(NewTicket) {
		t.Error("a mail after the closure begins a new ticket")
	}
}

func TestAccountThatDoesNotCloseGoesBackToPeople(t *testing.T) {
	p := toUndo(t).fire("undo").account(nil)
	first := p.c.Execution.Key
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: first, Code: "ok"}).fire("verify_late").in("review")
	if !p.has(Alert) {
		t.Error("nobody was told")
	}
	p.account(nil).do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).in("undo_window").fire("undo").account(nil).in("executing")
	if p.c.Execution.Key == first {
		t.Error("a new decision has the old key")
	}
}

func TestRefusalHelpsOffersSleepAndIsReviewedBySomebodyElse(t *testing.T) {
	p := toReview(t, Medium)
	p.do(by(alice, agent.Agent, Event{Kind: Refuse, Code: "dispute_open"})).in("refusal_check").clear().in("refused")
	p.sent("closure.refused", "soft.offer", "identity.challenge")
	if a := p.vars("identity.challenge")["action"]; a != "deactivation" {
		t.Errorf("the challenge is about %v", a)
	}
	q := *p
	q.mail(Mail{}).in("review").agentItems(carol)
	if err := q.try(by(alice, agent.Agent, Event{Kind: Recommend})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the one who refused reviews the appeal: %v", err)
	}
	q.account(nil).do(by(carol, agent.Agent, Event{Kind: Recommend})).in("approval")
	p.answer().in("accepted")
	if p.c.Procedure != "soft_deactivation" || !p.has(RunChecks) {
		t.Errorf("procedure %s", p.c.Procedure)
	}
	p.account(nil).in("review").do(by(carol, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().in("final_checks")
	p.account(nil).in("executing").do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"})
	p.account(func(f *AccountFacts) { s := "dormant"; f.Status = &s }).in("dormant").sent("soft.confirm")
	p.mail(Mail{Flags: []string{"reactivate"}}).in("identity_pending")
	if p.c.Procedure != "reactivation" {
		t.Errorf("procedure %s", p.c.Procedure)
	}
}

func TestLegalObligationHasOneTextAndTwoPeople(t *testing.T) {
	p := toReview(t, Medium)
	p.do(by(alice, agent.Agent, Event{Kind: Refuse, Code: "legal_obligation"})).in("refusal_approval")
	if err := p.try(by(alice, agent.Approver, Event{Kind: Approve})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("approved by who refused: %v", err)
	}
	p.do(by("wei", agent.Compliance, Event{Kind: Approve})).in("refused").sent("closure.refused_neutral")
	if err := p.try(by("wei", agent.Compliance, Event{Kind: Refuse, Code: "debt_open"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("compliance gives another reason: %v", err)
	}
}

func TestHeldClosureWaitsInClearanceWithoutAWord(t *testing.T) {
	p := toReview(t, Low).agentItems(alice)
	p.do(by("wei", agent.Compliance, Event{Kind: HoldSet, Reason: "case 9"})).sent()
	for _, f := range p.fx {
		if !f.Hidden {
			t.Errorf("visible to all: %+v", f)
		}
	}
	p.do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().in("clearance").sent()
	p.fire("progress").in("clearance").sent("closure.progress")
	if got := p.set.External(p.c); got != "under_review" {
		t.Errorf("the customer is told %q", got)
	}
	if v := p.set.View(p.c, agent.Agent); v.Hold != nil || v.Items["cl.sanctions_aml"].State != "" || v.Steps != v.Visible {
		t.Errorf("an agent sees %+v", v)
	}
	p.do(by("wei", agent.Compliance, Event{Kind: HoldReleased, Reason: "done"})).in("undo_window")
}

func TestLegalObligationIsTheWayOutOfAHold(t *testing.T) {
	p := toReview(t, Low).agentItems(alice)
	p.do(by("wei", agent.Compliance, Event{Kind: HoldSet, Reason: "case 9"}))
	p.do(by(alice, agent.Agent, Event{Kind: Refuse, Code: "dispute_open"})).clear().in("refusal_check").sent()
	p.do(by("wei", agent.Compliance, Event{Kind: Refuse, Code: "legal_obligation"})).in("refusal_approval")
	p.do(by(bob, agent.Approver, Event{Kind: Approve})).in("refused").sent("closure.refused_neutral")
}

func TestTenpayClosure(t *testing.T) {
	p := begin(t, "tenpay", "closure", Medium)
	p.mail(Mail{Confidence: 0.97, Provided: []string{"account_id"}}).sent("closure.guide", "closure.self_service")
	p.account(nil).answer().in("info_pending")
	p.mail(Mail{Files: []File{picture("identity", "a")}}).accept(alice).in("info_pending")
	declare := p.statements()
	declare.Page.Items = append(declare.Page.Items, "cl.benefits_ack")
	p.do(declare).in("info_pending")
	if err := p.try(by(alice, agent.Approver, Event{Kind: ItemDecided, Item: "cl.pay_password", Accept: true, Evidence: "told me"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a person confirms a password: %v", err)
	}
	p.do(Event{Kind: PlatformDone, Actor: "system", Role: System, Item: "cl.pay_password", Accept: true}).in("checks")
	p.account(nil).in("review").agentItems(alice).do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().fire("undo").account(nil)
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"})
	p.account(func(f *AccountFacts) { s := "needs_activation"; f.Status = &s }).in("closed").sent("closure.final")
	for _, f := range p.fx {
		if f.Template == "closure.final" && f.Vars["activate_button"] != true {
			t.Error("no warning of the activate button")
		}
	}
}

func TestTermsThatChangedAreReadAgain(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97}).account(nil).answer()
	e := p.statements()
	e.Page.Terms = "older"
	if err := p.try(e); !errors.Is(err, ticket.ErrConflict) {
		t.Errorf("%v", err)
	}
	p.do(p.statements())
	if note := p.c.Items["cl.terms"].Note; !strings.Contains(note, p.set.Consent("e-money").Hash) {
		t.Errorf("recorded %q", note)
	}
}

func TestClosureBlockedSaysWhatStandsInTheWayAndGoesOn(t *testing.T) {
	p := begin(t, "e-money", "closure_blocked", Low)
	p.mail(Mail{Confidence: 0.9}).account(nil).answer().in("diagnose")
	p.account(func(f *AccountFacts) { f.Pending = &[]string{"withdrawal"}; f.Links = &[]string{"exchange"} }).in("customer_action_pending").sent("closure.blocked")
	p.mail(Mail{}).account(nil).in("checks").account(nil).in("info_pending")
	if p.c.Procedure != "closure" {
		t.Errorf("procedure %s", p.c.Procedure)
	}
}

func TestClosureBlockedByWhatMustNotBeToldReadsAsUnderReview(t *testing.T) {
	var mails [2]string
	for i, hidden := range []bool{false, true} {
		p := begin(t, "e-money", "closure_blocked", Low)
		p.mail(Mail{Confidence: 0.9}).account(nil).answer()
		p.account(func(f *AccountFacts) {
			f.Restrictions = &[]Restriction{}
			if hidden {
				f.Restrictions = &[]Restriction{{Hidden: true}}
			}
		})
		mails[i] = string(canonical(Visible(p.fx)))
	}
	if mails[0] != mails[1] || !strings.Contains(mails[0], "neutral.under_review") {
		t.Errorf("\n%s\n%s", mails[0], mails[1])
	}
}

func TestLockedAccount(t *testing.T) {
	p := begin(t, "e-money", "locked", Low)
	p.mail(Mail{Confidence: 0.9}).sent("locked.guide").account(nil).sent("locked.verify").answer().in("factor_pending")
	p.do(Event{Kind: PlatformDone, Actor: "system", Role: System, Item: "lk.second_factor", Accept: true}).in("cause_check")
	q := *p
	q.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "wrong_password", Evidence: "log"})).in("self_service").fire("self_end").in("resolved")
	p.account(nil).do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "risk", Evidence: "log"})).in("review").sent("neutral.under_review")
	p.agentItems(alice).do(by(carol, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().account(nil).in("executing")
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"}).account(nil).in("hardening").sent("locked.unlocked")
	for _, item := range []string{"lk.password_changed", "lk.2fa"} {
		p.do(Event{Kind: PlatformDone, Actor: "system", Role: System, Item: item, Accept: true})
	}
	p.in("resolved").sent("ops.resolved")
}

func TestLockedForAHiddenReasonReadsLikeAReview(t *testing.T) {
	var seen [2]string
	for i, code := range []string{"review", "hidden"} {
		p := begin(t, "e-money", "locked", Low)
		p.mail(Mail{Confidence: 0.9}).account(nil).answer().do(Event{Kind: PlatformDone, Actor: "system", Role: System, Item: "lk.second_factor", Accept: true})
		p.do(Event{Kind: FindingMade, Actor: "system", Role: System, Code: code})
		seen[i] = string(canonical(Visible(p.fx))) + string(canonical(p.set.View(p.c, agent.Approver)))
		if p.c.HiddenBar != (code == "hidden") {
			t.Errorf("%s: bar %v", code, p.c.HiddenBar)
		}
	}
	if seen[0] != seen[1] {
		t.Errorf("\n%s\n%s", seen[0], seen[1])
	}
}

func TestLockedNotMeBecomesASecurityCase(t *testing.T) {
	p := begin(t, "e-money", "locked", Low)
	p.mail(Mail{Confidence: 0.9}).account(nil).mail(Mail{Flags: []string{"not_me"}}).in("urgent")
	p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "freeze", Evidence: "log"})).in("freezing")
	if !p.has(Execute) || p.c.Execution.Action != "freeze" {
		t.Error("not frozen")
	}
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"}).in("evidence").sent("security.freeze_done", "security.phishing_advice")
	p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "recovery", Evidence: "log"})).in("identity_pending")
	if p.c.Procedure != "locked" {
		t.Errorf("procedure %s", p.c.Procedure)
	}
}

func TestPaymentFailure(t *testing.T) {
	p := begin(t, "e-money", "payment_failure", Low)
	p.mail(Mail{Confidence: 0.9}).in("collect").sent("payment.guide", "payment.info_request")
	p.mail(Mail{Facts: map[string]string{"txid": "T1", "amount": "5 EUR"}}).in("identity_pending").account(nil).answer().in("diagnose")
	p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "balance", Evidence: "log"})).in("advised").sent("payment.cause")
	p.mail(Mail{}).in("diagnose").do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "merchant", Evidence: "log"})).sent("payment.cause")
	p.mail(Mail{}).in("escalated")
	p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "debited_not_credited", Evidence: "log"})).in("tx_dispute")
	if i := len(p.c.Clocks); i != 1 || p.c.Clocks[0].Kind != "transaction" {
		t.Errorf("clocks %+v", p.c.Clocks)
	}
	p.do(by(alice, agent.Agent, Event{Kind: Finish})).in("resolved")
}

func TestWithdrawal(t *testing.T) {
	p := begin(t, "e-money", "withdrawal", Low)
	p.mail(Mail{Confidence: 0.9, Facts: map[string]string{"txid": "W1", "amount": "4.00 EUR"}, Flags: []string{"payee_change"}}).in("identity_pending").sent("withdrawal.payee_change_refused", "withdrawal.guide")
	p.account(nil).answer().in("status_check")
	p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "below_min", Evidence: "log"})).in("customer_action_pending").sent("withdrawal.status", "withdrawal.guide")
	p.mail(Mail{}).do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "paid", Evidence: "log", Words: map[string]string{"amount": "40.00 EUR", "date": "2026-03-04"}})).in("paid").sent("withdrawal.paid")
	p.mail(Mail{}).in("not_received").fire("not_received").in("tx_dispute")
}

func TestRestrictionLiftedPartlyAndUpheld(t *testing.T) {
	review := func() *play {
		p := begin(t, "e-money", "restriction", Medium)
		p.mail(Mail{Confidence: 0.9}).sent("restriction.guide").account(nil).answer().in("notice_lookup")
		p.do(by(alice, agent.Agent, Event{Kind: FindingMade, Code: "notice", Evidence: "notice of 1 March"})).in("info_pending").sent("docs.request", "restriction.application")
		p.mail(Mail{Files: []File{picture("notice", "n"), picture("identity", "i")}, Provided: []string{"application"}}).accept(alice).in("review")
		return p.account(nil).agentItems(alice)
	}
	lift := func(p *play, code string, words map[string]string) *play {
		p.do(by(carol, agent.Agent, Event{Kind: Recommend, Code: code, Words: words})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().account(nil).in("executing")
		return p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"}).account(nil)
	}
	lift(review(), "lift", nil).in("lifted").sent("restriction.lifted")
	lift(review(), "partly", map[string]string{"scope": "Payments", "remaining": "Withdrawals"}).in("partly").sent("restriction.partly")
	p := review()
	p.do(by(carol, agent.Agent, Event{Kind: Recommend, Code: "upheld", Words: map[string]string{"reason_text": "The documents are not enough."}})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().in("upheld").sent("restriction.upheld")
	if p.has(Execute) {
		t.Error("something was executed")
	}
	p.mail(Mail{}).in("review")
	if err := p.try(by(carol, agent.Agent, Event{Kind: Recommend, Code: "upheld"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the same person reviews the appeal: %v", err)
	}
}

func TestComplaintClockStartsAtReceiptAndRunsBesideAnything(t *testing.T) {
	p := toReview(t, Low)
	received := p.now
	p.mail(Mail{Flags: []string{"complaint"}})
	p.wait(20 * time.Hour).do(by(alice, agent.Agent, Event{Kind: ComplaintYes})).sent("complaint.ack")
	k := p.c.Clocks[len(p.c.Clocks)-1]
	if k.Kind != "complaint" || !k.Start.Equal(received) || !k.Due.Equal(p.set.Calendar("EU").AddBusinessDays(received, 15)) {
		t.Errorf("clock %+v", k)
	}
	p.do(by(carol, agent.Agent, Event{Kind: Refuse, Code: "debt_open"})).in("refusal_approval")
	if err := p.try(by(alice, agent.Approver, Event{Kind: ComplaintNo, Reason: "no"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("removed by who confirmed it: %v", err)
	}
	if err := p.try(by(bob, agent.Agent, Event{Kind: ComplaintNo, Reason: "no"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("removed by an agent: %v", err)
	}
	p.do(by(alice, agent.Agent, Event{Kind: ComplaintDone, Words: map[string]string{"findings": "We looked at every point."}})).sent("complaint.final")
	if p.c.Complaint.Open() || p.c.Clocks[len(p.c.Clocks)-1].open() {
		t.Error("the complaint is still open")
	}
}

func TestComplaintIsExtendedOnceInTimeWithReasons(t *testing.T) {
	p := begin(t, "e-money", "complaint", Low)
	p.mail(Mail{Confidence: 0.9}).account(nil).do(by(alice, agent.Agent, Event{Kind: ComplaintYes})).in("investigating")
	if err := p.try(by(alice, agent.Agent, Event{Kind: Extend})); err == nil {
		t.Error("extended without a reason")
	}
	p.wait(48 * time.Hour).do(by(alice, agent.Agent, Event{Kind: Extend, Reason: "x", Words: map[string]string{"reason": "We wait for a bank."}})).sent("complaint.holding")
	if err := p.try(by(alice, agent.Agent, Event{Kind: Extend, Reason: "x"})); err == nil {
		t.Error("extended twice")
	}
}

func TestErasureRefusedNamesBasisDateAuthorityAndCourt(t *testing.T) {
	p := begin(t, "e-money", "erasure", Low)
	p.mail(Mail{Confidence: 0.9}).account(nil).answer().in("scope").sent("privacy.ack")
	p.agentItems(alice).in("review").account(nil)
	if err := p.try(by(carol, agent.Agent, Event{Kind: Recommend, Code: "refused"})); !errors.Is(err, ticket.ErrInvalid) {
		t.Fatalf("a letter without its basis: %v", err)
	}
	p.do(by(carol, agent.Agent, Event{Kind: Recommend, Code: "refused", Words: map[string]string{"basis": "The duty to keep records", "until": "2031-03-20"}}))
	p.do(by(bob, agent.Approver, Event{Kind: Approve})).clear().in("refused").sent("privacy.erasure_refused")
}

func TestClassificationMovesTheCaseAndKeepsItsHistory(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.4}).in("triage").sent("ack.received")
	p.do(by(alice, agent.Agent, Event{Kind: Classified, Code: "withdrawal"})).in("collect")
	if p.c.Procedure != "withdrawal" || p.c.Confidence != 1 {
		t.Errorf("%s %v", p.c.Procedure, p.c.Confidence)
	}
}

func TestSecretsAgentsAndHasteGetOneShortAnswer(t *testing.T) {
	p := toReview(t, Low)
	p.mail(Mail{Flags: []string{"secret:sms_code", "fast_track", "agency"}}).sent("closure.no_fast_track", "security.secret_received", "security.agency_warning")
	for _, f := range p.fx {
		if f.Template == "security.secret_received" && f.Vars["kind"] != "sms_code" {
			t.Errorf("kind %v", f.Vars["kind"])
		}
	}
	p.mail(Mail{Flags: []string{"fast_track"}}).sent()
}

func TestSpamNeverSwallowsAComplaint(t *testing.T) {
	p := begin(t, "e-money", "other", Low)
	p.mail(Mail{}).in("with_agent").do(by(alice, agent.Agent, Event{Kind: ComplaintYes}))
	if err := p.try(by(alice, agent.Agent, Event{Kind: MarkSpam})); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestAnotherRegisteredAddressHasToBeProvenAnew(t *testing.T) {
	p := toReview(t, Low)
	p.account(func(f *AccountFacts) {
		f.Contacts = &Contacts{Address: "new@mail.example", Deliverable: true, Phone: true}
	})
	if p.c.Identity.Level != A0 {
		t.Errorf("level %s", p.c.Identity.Level)
	}
	if err := p.agentItems(alice).try(by(alice, agent.Agent, Event{Kind: Recommend})); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestManualFactsNeedEvidence(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97})
	e := by(alice, agent.Agent, Event{Kind: AccountRead, Facts: clean(p.now)})
	if err := p.try(e); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("%v", err)
	}
	e.Evidence = "back office, account page"
	p.do(e)
	if p.c.Editor != alice {
		t.Errorf("editor %q", p.c.Editor)
	}
}

func TestDocumentsThatGrowOldAreAskedForAgain(t *testing.T) {
	p := toUndo(t)
	it := p.c.Items["cl.identity_doc"]
	it.ExpiresAt = p.now.Add(time.Hour)
	p.c.Items["cl.identity_doc"] = it
	p.fire("undo").account(nil).in("review")
	if err := p.try(by(alice, agent.Agent, Event{Kind: Recommend})); !errors.Is(err, ticket.ErrInvalid) {
		t.Errorf("%v", err)
	}
	p.do(by(alice, agent.Agent, Event{Kind: Ask, Items: []string{"cl.identity_doc"}, Reason: "it has expired"})).in("info_pending").sent("docs.request")
}

func TestAMergedCaseKeepsTheEarliestReceipt(t *testing.T) {
	p := toReview(t, Low)
	o := p.c
	o.OpenedAt = noon.AddDate(0, 0, -9)
	o.Clocks = []Clock{{Kind: "closure", Start: o.OpenedAt, Due: noon}}
	p.do(by(alice, agent.Agent, Event{Kind: Absorb, Other: &o}))
	if k := p.c.Clocks[len(p.c.Clocks)-1]; !k.Start.Equal(o.OpenedAt) || !k.Due.Equal(AddMonths(o.OpenedAt.In(p.set.Calendar("EU").Zone), 1)) {
		t.Errorf("clock %+v", k)
	}
	if err := p.try(by(alice, agent.Agent, Event{Kind: Absorb, Other: &Case{Brand: "OKPay", Account: Account{Ref: "another"}}})); err == nil {
		t.Error("merged with another customer's case")
	}
}

func TestChineseCustomersAreToldInChinese(t *testing.T) {
	p := begin(t, "tenpay", "closure", High)
	p.c.Language = "zh-Hans"
	p.mail(Mail{Confidence: 0.97}).account(nil).answer().do(p.statements())
	p.account(func(f *AccountFacts) { f.Links = &[]string{"快捷支付"} })
	p.do(Event{Kind: PlatformDone, Actor: "system", Role: System, Item: "cl.pay_password", Accept: true})
	for _, f := range p.all {
		if f.Template == "docs.request" && !strings.Contains(string(canonical(f.Vars)), "身份证件") {
			t.Errorf("%s", canonical(f.Vars))
		}
	}
}

func TestClocksTellStaffAtHalfFourFifthsAndTheEnd(t *testing.T) {
	p := toReview(t, Low)
	told := 0
	for _, mark := range []string{"clock.closure.50", "clock.closure.80", "clock.closure.100"} {
		p.fire(mark)
		if p.has(Alert) {
			told++
		}
	}
	if told != 3 || len(p.c.Clocks[0].Alerted) != 3 {
		t.Errorf("told %d times, %+v", told, p.c.Clocks)
	}
}

func TestMoneyThatArrivesAfterClosingIsPaidOut(t *testing.T) {
	p := begin(t, "e-money", "late_redemption", Low)
	late := func(f *AccountFacts) {
		s := "closed"
		f.Status, f.Balances = &s, &[]Money{{"EUR", "25.00"}, {"USD", "0.00"}}
	}
	p.mail(Mail{Confidence: 0.9}).account(late).answer().in("funds_check").account(late).in("review").sent("closure.late_redemption")
	p.agentItems(alice).do(by(alice, agent.Agent, Event{Kind: Recommend})).do(by(bob, agent.Approver, Event{Kind: Approve})).clear().account(late).in("executing")
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: p.c.Execution.Key, Code: "ok"}).account(late).in("verifying")
	p.account(func(f *AccountFacts) { s := "closed"; f.Status = &s }).in("paid_out").sent("withdrawal.paid")
	if a := p.vars("withdrawal.paid")["amount"]; a != "25.00 EUR" {
		t.Errorf("amount %v", a)
	}
}

func TestFactsGoToTheOwnerAlsoWhenAStrangerOpenedTheTicket(t *testing.T) {
	p := begin(t, "e-money", "closure", Low)
	p.mail(Mail{Confidence: 0.97, From: "mallory@elsewhere.example", Aligned: true, Facts: map[string]string{"account_id": "acc-7"}}).account(nil)
	if f := p.fx[0]; f.Template != "identity.use_registered" || f.Address != "mallory@elsewhere.example" || p.fx[1].Address != owner {
		t.Errorf("%+v", p.fx)
	}
	p.mail(Mail{From: "mallory@elsewhere.example", Aligned: true, Files: []File{picture("identity", "forged")}})
	if p.c.Items["cl.identity_doc"].File != nil || len(p.c.Unsorted) != 1 {
		t.Error("a stranger's document answers what the owner was asked for")
	}
	p.mail(Mail{}).account(nil).sent("identity.challenge").answer().do(p.statements())
	p.account(func(f *AccountFacts) { f.Links = &[]string{"shop"} }).sent("closure.blocked")
	for _, f := range p.fx {
		if f.Kind == Send && f.Address != owner {
			t.Errorf("%s goes to %s", f.Template, f.Address)
		}
	}
	p.mail(Mail{From: "mallory@elsewhere.example", Aligned: true}).sent()
	p.wait(25*time.Hour).mail(Mail{From: "mallory@elsewhere.example", Aligned: true}).sent("identity.use_registered", "security.other_address")
	if f := p.fx[0]; f.Address != "mallory@elsewhere.example" {
		t.Errorf("answered to %s", f.Address)
	}
}

func TestEveryProcedureStartsByMailAndByClassification(t *testing.T) {
	set := load(t)
	for _, profile := range set.Profiles() {
		for _, name := range set.Procedures() {
			p := begin(t, profile, name, Medium)
			p.mail(Mail{Confidence: 0.9})
			if p.c.State == "received" || p.c.State == "triage" {
				t.Errorf("%s with %s: a mail leads to %s", name, profile, p.c.State)
			}
			q := begin(t, profile, "closure", Medium)
			q.mail(Mail{Confidence: 0.1}).in("triage").do(by(alice, agent.Agent, Event{Kind: Classified, Code: name}))
			if q.c.Procedure != name || q.c.State != p.c.State {
				t.Errorf("%s with %s: filed by hand it leads to %s, by mail to %s", name, profile, q.c.State, p.c.State)
			}
			for _, f := range q.fx {
				if f.Record != nil && f.Record.From != "triage" {
					t.Errorf("%s: recorded as coming from %s", name, f.Record.From)
				}
			}
		}
	}
}
