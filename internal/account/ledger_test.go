package account

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestLedgerReportsWhatHoldersDo(t *testing.T) {
	var seen []Activity
	l := NewLedger(func() time.Time { return start }, func(a Activity) { seen = append(seen, a) })
	for _, h := range Samples(start) {
		if err := l.Open(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(l.Login(keller), l.Withdraw(keller, Money{"EUR", "126.40"}), l.Unlink(keller, "lk-1")); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0].Kind != "login" || seen[1].Kind != "withdrawal" || seen[2].Kind != "binding" || seen[0].ID == seen[1].ID {
		t.Errorf("reported %+v", seen)
	}
	if b := l.Balances(t.Context(), keller); b.Value[0].Amount != "0.00" {
		t.Errorf("balances %+v", b.Value)
	}
	if last := l.LastActivity(t.Context(), keller).Value; !last.Login.Equal(start) || !last.Transaction.Equal(start) {
		t.Errorf("last %+v", last)
	}
}

func TestLedgerRefusesWhatAPlatformWould(t *testing.T) {
	l := sampleLedger(t, func() time.Time { return start })
	for name, err := range map[string]error{
		"below the minimum":  l.Withdraw(keller, Money{"USD", "3.15"}),
		"more than there is": l.Withdraw(keller, Money{"EUR", "500.00"}),
		"negative":           l.Withdraw(keller, Money{"EUR", "-20.00"}),
		"locked account":     l.Login("OK-44102936"),
		"same address":       l.Open(Holder{Ref: "n", Address: "MARIA.keller@post.example"}),
		"bad balance":        l.Open(Holder{Ref: "n", Address: "n@x.example", Balances: []Money{{"EUR", "much"}}}),
	} {
		if err == nil {
			t.Errorf("%s: allowed", name)
		}
	}
	for ref, want := range map[string]State{keller: Refused, "OK-35561208": Refused, "OK-18840027": Done, "OK-0": Refused} {
		if o, err := l.Close(t.Context(), ref, "k"+ref); err != nil || o.State != want {
			t.Errorf("close %s: %+v, %v, want %s", ref, o, err, want)
		}
	}
	if o, _ := l.Close(t.Context(), "OK-18840027", "another key"); o.State != Refused {
		t.Errorf("closed twice: %+v", o)
	}
}

func TestLedgerKeepsOneOutcomePerKeyUnderRace(t *testing.T) {
	l := sampleLedger(t, func() time.Time { return start })
	var wg sync.WaitGroup
	out := make([]Outcome, 20)
	for i := range out {
		wg.Go(func() { out[i], _ = l.Close(t.Context(), "OK-20418873", "one") })
	}
	wg.Wait()
	for _, o := range out {
		if o.State != Done {
			t.Fatalf("%+v", o)
		}
	}
}

func TestManualNeedsEvidenceAndForm(t *testing.T) {
	m := NewManual(&Notebook{}, func() time.Time { return start })
	good := Entry{Ref: "a", Field: "status", Value: json.RawMessage(`"active"`), Evidence: "back office", By: "alice"}
	if err := m.Enter(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Entry){
		"no evidence":     func(e *Entry) { e.Evidence = "  " },
		"nobody":          func(e *Entry) { e.By = "" },
		"unknown field":   func(e *Entry) { e.Field = "mood" },
		"no account":      func(e *Entry) { e.Ref = "" },
		"unknown status":  func(e *Entry) { e.Value = json.RawMessage(`"fine"`) },
		"null":            func(e *Entry) { e.Value = json.RawMessage(`null`) },
		"another form":    func(e *Entry) { e.Field = "balances" },
		"amount in words": func(e *Entry) { e.Field, e.Value = "balances", json.RawMessage(`[{"currency":"EUR","amount":"none"}]`) },
		"unknown outcome": func(e *Entry) { e.Field, e.Value = "order:k", json.RawMessage(`"perhaps"`) },
	} {
		e := good
		change(&e)
		if err := m.Enter(t.Context(), e); err == nil {
			t.Errorf("%s: entered", name)
		}
	}
}

func TestManualEntriesGrowOld(t *testing.T) {
	c := &clock{t: start}
	m := NewManual(&Notebook{}, c.now)
	enter(t, m, Entry{Ref: "a", Field: "status", Value: json.RawMessage(`"active"`)})
	c.add(23 * time.Hour)
	s := Read(t.Context(), m, "a", c.now())
	if !s.Status.Known || !s.At.Equal(start) {
		t.Errorf("after 23 hours: %+v, as of %s", s.Status, s.At)
	}
	c.add(time.Hour)
	if r := m.Status(t.Context(), "a"); r.Known {
		t.Errorf("after 24 hours: %+v", r)
	}
}

func TestLateMoneyIsPaidOutOfAClosedAccount(t *testing.T) {
	l := sampleLedger(t, func() time.Time { return start })
	ctx := t.Context()
	const lin = "OK-20418873"
	if o, err := l.Close(ctx, lin, "k1"); err != nil || o.State != Done {
		t.Fatalf("%+v, %v", o, err)
	}
	if err := l.Deposit(lin, Money{"EUR", "25.00"}); err != nil {
		t.Fatal(err)
	}
	if o, err := l.Perform(ctx, Payout, lin, "k2"); err != nil || o.State != Done {
		t.Fatalf("%+v, %v", o, err)
	}
	if b := l.Balances(ctx, lin).Value; b[0] != (Money{"EUR", "0.00"}) {
		t.Errorf("balances %+v", b)
	}
	if o, _ := l.Perform(ctx, Reactivate, lin, "k3"); o.State != Refused || l.Status(ctx, lin).Value != Closed {
		t.Errorf("a closed account came back: %+v", o)
	}
}
