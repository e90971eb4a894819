package procedure

import (
	"fmt"
	"testing"
	"time"

	"postdesk/internal/ticket"
)

// Whatever state a case is in, when nobody does anything any more something still happens: the customer's turn ends by itself,
// and staff are told again and again while it is theirs. Every timer of every procedure of every profile goes off here.
func TestSilenceInEveryStateLeadsOn(t *testing.T) {
	set := load(t)
	fired := map[string]bool{}
	for _, profile := range set.Profiles() {
		for _, name := range set.Procedures() {
			m := set.Machine(profile, name)
			for _, state := range sortedKeys(m.States) {
				if m.States[state].Final || state == m.Initial {
					continue
				}
				silence(t, set, profile, name, state, fired)
			}
		}
	}
	for _, name := range set.Procedures() {
		for timer := range set.Machine("e-money", name).Timers {
			if !fired[name+"/"+timer] {
				t.Errorf("timer %s of %s never went off", timer, name)
			}
		}
	}
}

func silence(t *testing.T, set *Set, profile, name, state string, fired map[string]bool) {
	t.Helper()
	c := placed(t, set, profile, name, state)
	now, mails, alerts := noon, 0, 0
	for range 60 {
		due, timer := c.DueAt()
		if timer == "" {
			break
		}
		now = later(now, due.Due)
		before := c
		e := Event{ID: fmt.Sprint(timer, now), Kind: TimerDue, Actor: "system", Role: System, Timer: timer, Fresh: Fresh{"c" + now.String(), "mac"}}
		next, fx, err := set.Step(c, e, now)
		if err != nil {
			t.Fatalf("%s/%s/%s: timer %s: %v", profile, name, c.State, timer, err)
		}
		fired[c.Procedure+"/"+timer] = true
		if _, still := next.Timers[timer]; still && next.Timers[timer].Due.Equal(due.Due) {
			t.Fatalf("%s/%s: timer %s goes off for ever", name, c.State, timer)
		}
		for _, f := range fx {
			switch f.Kind {
			case Send:
				mails++
			case Alert:
				alerts++
			case Execute:
				if f.Key != before.Execution.Key {
					t.Fatalf("%s/%s: silence changes an account", name, c.State)
				}
			}
		}
		c = next
		if set.Machine(profile, c.Procedure).States[c.State].Final {
			break
		}
	}
	status := set.TicketStatus(c)
	if status == ticket.Waiting {
		t.Errorf("%s/%s/%s: after %s of silence the case still waits in %s", profile, name, state, now.Sub(noon).Round(time.Hour), c.State)
	}
	if status == ticket.Open && alerts == 0 {
		t.Errorf("%s/%s/%s: nobody was told in %s", profile, name, state, now.Sub(noon).Round(time.Hour))
	}
	if mails > 40 {
		t.Errorf("%s/%s/%s: %d mails into silence", profile, name, state, mails)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// placed puts a case into a state with everything it could need there, as if it had come there by itself.
func placed(t *testing.T, set *Set, profile, name, state string) Case {
	t.Helper()
	c, err := set.Open(Opening{Ticket: 7, Procedure: name, Profile: profile, Brand: "B", Jurisdiction: "CN", Language: "zh-Hans", Risk: High, ReceivedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	m := set.machine(c)
	c.Account, c.Identity = Account{Ref: "acc-7", Address: owner, Looked: true}, Identity{Level: A3, From: owner, Aligned: true, ProvenAt: noon}
	c.Execution = Execution{Number: 1, Action: m.Action, Key: "key", State: "ordered", Attempts: 1}
	c.Words = map[string]string{"amount": "1 CNY", "scope": "x", "basis": "x", "until": "2031-01-01", "remaining": "x"}
	c.Checks["links"] = Check{Outcome: Block, Blockers: []Blocker{{Code: "link", Detail: "快捷支付"}}}
	c.Finding = Finding{Code: "balance"}
	c.CoolingUntil = noon.Add(72 * time.Hour)
	st := &step{set: set, m: m, p: set.profiles[profile], cal: set.Calendar("CN"), c: c.clone(), now: noon, e: Event{Kind: Advance}}
	for _, timer := range m.States[state].Timers {
		st.restart(timer)
	}
	if state == "info_pending" && len(st.docsIn(ItemOpen)) > 0 {
		first := st.docsIn(ItemOpen)[0]
		st.c.Items[first] = Item{State: ItemSubmitted, Source: FromDocument, File: &File{SHA256: "a"}}
		st.restart("files_sla")
	}
	st.c.State = state
	return st.c
}

func BenchmarkStep(b *testing.B) {
	set := load(b)
	c, err := set.Open(Opening{Ticket: 7, Procedure: "closure", Profile: "e-money", Brand: "B", Jurisdiction: "EU", Language: "en", Risk: High, ReceivedAt: noon})
	if err != nil {
		b.Fatal(err)
	}
	e := mailOf(Mail{Confidence: 0.9, Provided: []string{"account_id"}})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := set.Step(c, e, noon); err != nil {
			b.Fatal(err)
		}
	}
}
