package procedure

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"postdesk/internal/agent"
)

// shipped is read once: a Set is immutable.
var shipped = sync.OnceValues(func() (*Set, error) {
	return Load(os.DirFS("../../config/procedures"), os.DirFS("../../config/calendars"))
})

// load gives the procedures as they are shipped.
func load(t testing.TB) *Set {
	t.Helper()
	s, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// loadAnew reads them again, for a test that changes them.
func loadAnew(t testing.TB) *Set {
	t.Helper()
	s, err := Load(os.DirFS("../../config/procedures"), os.DirFS("../../config/calendars"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play drives one case and keeps everything that happened.
type play struct {
	t   testing.TB
	set *Set
	c   Case
	now time.Time
	fx  []Effect // of the last step
	all []Effect
	n   int
}

var noon = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC) // a Monday

const (
	owner = "lin@mail.example"
	alice = "alice"
	bob   = "bob"
	carol = "carol"
)

func begin(t testing.TB, profile, procedure string, risk Risk) *play {
	t.Helper()
	s := load(t)
	c, err := s.Open(Opening{Ticket: 10423, Procedure: procedure, Profile: profile, Brand: "OKPay", Jurisdiction: "EU", Language: "en", Risk: risk, ReceivedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	return &play{t: t, set: s, c: c, now: noon}
}

// try steps and returns the error.
func (p *play) try(e Event) error {
	p.n++
	if e.ID == "" {
		e.ID = fmt.Sprintf("e%d", p.n)
	}
	if e.Fresh.Challenge == "" {
		e.Fresh = Fresh{Challenge: fmt.Sprintf("c%d", p.n), MAC: fmt.Sprintf("mac-c%d", p.n)}
	}
	c, fx, err := p.set.Step(p.c, e, p.now)
	for _, f := range fx {
		if f.Kind == Send || f.Kind == Alert {
			if wrong := wrongVar(f); wrong != "" {
				p.t.Error(wrong)
			}
		}
	}
	p.c, p.fx = c, fx
	p.all = append(p.all, fx...)
	return err
}

func (p *play) do(e Event) *play {
	p.t.Helper()
	from := p.c.State
	if err := p.try(e); err != nil {
		p.t.Fatalf("%s in %s: %v", e.Kind, from, err)
	}
	return p
}

func (p *play) wait(d time.Duration) *play { p.now = p.now.Add(d); return p }

// in fails unless the case is in the state.
func (p *play) in(state string) *play {
	p.t.Helper()
	if p.c.State != state {
		p.t.Fatalf("state %s, want %s; blockers of checks %v", p.c.State, state, p.c.Checks)
	}
	return p
}

// sent fails unless the last step sent exactly these templates.
func (p *play) sent(want ...string) *play {
	p.t.Helper()
	var got []string
	for _, f := range p.fx {
		if f.Kind == Send {
			got = append(got, f.Template)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Fatalf("sent %v, want %v", got, want)
	}
	return p
}

func (p *play) has(kind EffectKind) bool {
	for _, f := range p.fx {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

func mailOf(m Mail) Event {
	if m.From == "" {
		m.From, m.Aligned = owner, true
	}
	if m.Message == "" {
		m.Message = "m"
	}
	m.ReceivedAt = noon
	return Event{Kind: MailReceived, Actor: m.From, Role: Customer, Mail: &m}
}

func (p *play) mail(m Mail) *play {
	p.t.Helper()
	e := mailOf(m)
	e.Mail.ReceivedAt = p.now
	return p.do(e)
}

// clean is an account with nothing in the way of closing.
func clean(at time.Time) *AccountFacts {
	yes, none, status := true, 0, "active"
	return &AccountFacts{ReadAt: at, Found: &yes, Ref: "acc-7", Contacts: &Contacts{Address: owner, Deliverable: true, Phone: true},
		Balances: &[]Money{{"EUR", "0.00"}, {"USDT", "0"}}, Pending: &[]string{}, Disputes: &none, Debts: &[]Money{}, Links: &[]string{},
		Last: &LastActivity{Transaction: at.AddDate(0, -2, 0)}, Restrictions: &[]Restriction{}, Status: &status}
}

func (p *play) account(change func(*AccountFacts)) *play {
	p.t.Helper()
	f := clean(p.now)
	if change != nil {
		change(f)
	}
	return p.do(Event{Kind: AccountRead, Actor: "system", Role: System, Facts: f})
}

func (p *play) answer() *play {
	p.t.Helper()
	ch := p.c.Challenge
	return p.do(Event{Kind: Answered, Actor: owner, Role: Customer, Answer: &Answer{Challenge: ch.ID, MAC: ch.MAC, Channel: "page"}})
}

func by(who string, role agent.Role, e Event) Event { e.Actor, e.Role = who, role; return e }

func picture(kind, sha string) File {
	return File{SHA256: sha, Type: "image/jpeg", Size: 500_000, Width: 1600, Height: 1200, Kind: kind}
}

func goodForm(doc string, at time.Time) *Form {
	day := at.Format("2006-01-02")
	f := &Form{NameMatches: true, BirthMatches: true, AddressMatches: true, Corners: true, BothSides: true, FaceVisible: true, NoteBrand: true,
		NoteTicket: true, NoteDate: day, Issued: day, Expires: at.AddDate(3, 0, 0).Format("2006-01-02"), Approved: "read"}
	f.Kind = map[string]string{"identity": "passport", "address": "utility", "selfie": "selfie"}[doc]
	return f
}

// accept decides every submitted document in favour.
func (p *play) accept(who string) *play {
	p.t.Helper()
	for _, key := range p.set.machine(p.c).itemKeys() {
		if it := p.c.Items[key]; it.Source == FromDocument && it.State == ItemSubmitted {
			doc := p.set.machine(p.c).Items[key].Doc
			p.do(by(who, agent.Agent, Event{Kind: ItemDecided, Item: key, Accept: true, Form: goodForm(doc, it.ReceivedAt)}))
		}
	}
	return p
}

// agentItems settles what people look at themselves.
func (p *play) agentItems(who string) *play {
	p.t.Helper()
	for _, key := range p.set.machine(p.c).itemKeys() {
		def, it := p.set.machine(p.c).Items[key], p.c.Items[key]
		if def.Source == FromAgent && !def.Hidden && it.State == ItemOpen && def.Phase == "decision" {
			p.do(by(who, agent.Agent, Event{Kind: ItemDecided, Item: key, Accept: true, Evidence: "note 12: compared"}))
		}
	}
	return p
}

func (p *play) clear() *play {
	p.t.Helper()
	for _, key := range p.set.machine(p.c).itemKeys() {
		if p.set.machine(p.c).Items[key].Hidden && p.c.Items[key].State == ItemOpen {
			p.do(by("wei", agent.Compliance, Event{Kind: ItemDecided, Item: key, Accept: true, Evidence: "case 9"}))
		}
	}
	return p
}

// fire moves the clock to a timer and lets it go off.
func (p *play) fire(timer string) *play {
	p.t.Helper()
	tm, on := p.c.Timers[timer]
	if !on {
		p.t.Fatalf("timer %s is not running in %s: %v", timer, p.c.State, p.c.Timers)
	}
	if p.now.Before(tm.Due) {
		p.now = tm.Due
	}
	return p.do(Event{Kind: TimerDue, Actor: "system", Role: System, Timer: timer})
}

func (p *play) statements() Event {
	return Event{Kind: PageUsed, Actor: owner, Role: Customer, Page: p.allStatements()}
}

func (p *play) allStatements() *Page {
	return &Page{Action: "declare", Items: []string{"cl.intent", "cl.zero_declared", "cl.linked_stated", "cl.backup_ack", "cl.terms"}, Terms: p.set.Consent(p.c.Profile).Hash}
}

// vars are those of a mail of the last step.
func (p *play) vars(template string) map[string]any {
	p.t.Helper()
	for _, f := range p.fx {
		if f.Template == template {
			return f.Vars
		}
	}
	p.t.Fatalf("%s was not sent", template)
	return nil
}
