package procedure

import (
	"testing"
	"time"

	"postdesk/internal/agent"
)

func TestClosureFromFirstMailToFinalConfirmation(t *testing.T) {
	p := begin(t, "e-money", "closure", High)
	p.mail(Mail{Confidence: 0.97, Provided: []string{"account_id", "reason"}}).in("identity_pending").sent("closure.guide")
	p.account(nil).in("identity_pending").sent("identity.challenge")
	p.answer().in("info_pending").sent("docs.request", "closure.consent")
	p.wait(time.Hour).mail(Mail{Files: []File{picture("identity", "a"), picture("address", "b"), picture("selfie", "c")}}).in("info_pending").sent("docs.received")
	p.do(Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: p.allStatements()}).in("info_pending")
	p.accept(alice).in("checks").sent("docs.all_accepted")
	p.account(nil).in("review").sent("closure.under_review")
	p.agentItems(alice).in("review")
	p.do(by(alice, agent.Agent, Event{Kind: Recommend, Reason: "complete"})).in("approval")
	p.do(by(bob, agent.Approver, Event{Kind: Approve})).in("clearance").sent()
	p.clear().in("undo_window").sent("closure.undo_window")
	p.fire("undo").in("final_checks")
	p.account(nil).in("executing")
	key := p.c.Execution.Key
	p.do(Event{Kind: Executed, Actor: "system", Role: System, Key: key, Code: "ok"}).in("verifying")
	p.account(func(f *AccountFacts) { s := "closed"; f.Status = &s }).in("closed").sent("closure.final")
}
