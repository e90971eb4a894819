package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// Ledger is an account system in memory, for the demonstration and for tests. It behaves like a platform: holders log in, pay,
// withdraw and link services, and every act is reported as Activity.
type Ledger struct {
	now      func() time.Time
	mu       sync.Mutex
	accounts map[string]*Holder
	orders   map[string]Outcome // by idempotency key
	report   func(Activity)
	silent   bool
	serial   int
}

// Holder is one account of a Ledger as it is set up.
type Holder struct {
	Ref          string
	Address      string
	Name         string
	Country      string
	Opened       time.Time
	Undelivered  bool // mail to the registered address bounces
	NoPhone      bool
	Balances     []Money
	Minimum      map[string]string // smallest withdrawal
	Pending      []Pending
	Disputes     []Dispute
	Debts        []Money
	Links        []Link
	Last         Last
	Restrictions []Restriction
	Status       Status
	ClosedAs     Status // what closing leaves; "" is closed
}

// NewLedger makes an empty ledger. report, if not nil, is called after every act of a holder, outside the ledger's lock.
func NewLedger(now func() time.Time, report func(Activity)) *Ledger {
	return &Ledger{now: now, accounts: map[string]*Holder{}, orders: map[string]Outcome{}, report: report}
}

// Open adds an account. Its reference and address must be new.
func (l *Ledger) Open(h Holder) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.Ref == "" || h.Address == "" || l.accounts[h.Ref] != nil || l.byAddress(h.Address) != nil {
		return fmt.Errorf("open account %q: reference or address is missing or taken", h.Ref)
	}
	if h.Status == "" {
		h.Status = Active
	}
	for _, m := range slices.Concat(h.Balances, h.Debts) {
		if err := m.valid(); err != nil {
			return fmt.Errorf("open account %q: %w", h.Ref, err)
		}
	}
	l.accounts[h.Ref] = &h
	return nil
}

// Silence makes the ledger answer nothing, like a system that is down, until it is called with false.
func (l *Ledger) Silence(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = on
}

func (l *Ledger) byAddress(address string) *Holder {
	for _, h := range l.accounts {
		if strings.EqualFold(h.Address, address) {
			return h
		}
	}
	return nil
}

// read answers from a copy of the account, or nothing.
func read[T any](l *Ledger, ref string, get func(Holder) T) Result[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.accounts[ref]
	switch {
	case l.silent:
		return unknown[T]("the account system does not answer")
	case h == nil:
		return unknown[T]("there is no such account")
	}
	return known(get(*h), l.now())
}

func (l *Ledger) find(match func(*Holder) bool) Result[Found] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent {
		return unknown[Found]("the account system does not answer")
	}
	for _, ref := range slices.Sorted(maps.Keys(l.accounts)) {
		if match(l.accounts[ref]) {
			return known(Found{OK: true, Ref: ref}, l.now())
		}
	}
	return known(Found{}, l.now())
}

func (l *Ledger) FindByEmail(_ context.Context, address string) Result[Found] {
	return l.find(func(h *Holder) bool { return strings.EqualFold(h.Address, address) })
}

func (l *Ledger) FindByID(_ context.Context, id string) Result[Found] {
	return l.find(func(h *Holder) bool { return h.Ref == id })
}

func (l *Ledger) Contacts(_ context.Context, ref string) Result[Contacts] {
	return read(l, ref, func(h Holder) Contacts { return Contacts{h.Address, !h.Undelivered, !h.NoPhone} })
}

func (l *Ledger) Balances(_ context.Context, ref string) Result[[]Money] {
	return read(l, ref, func(h Holder) []Money { return slices.Clone(h.Balances) })
}

func (l *Ledger) Pending(_ context.Context, ref string) Result[[]Pending] {
	return read(l, ref, func(h Holder) []Pending { return slices.Clone(h.Pending) })
}

func (l *Ledger) Disputes(_ context.Context, ref string) Result[[]Dispute] {
	return read(l, ref, func(h Holder) []Dispute { return slices.Clone(h.Disputes) })
}

func (l *Ledger) Debts(_ context.Context, ref string) Result[[]Money] {
	return read(l, ref, func(h Holder) []Money { return slices.Clone(h.Debts) })
}

func (l *Ledger) Links(_ context.Context, ref string) Result[[]Link] {
	return read(l, ref, func(h Holder) []Link { return slices.Clone(h.Links) })
}

func (l *Ledger) LastActivity(_ context.Context, ref string) Result[Last] {
	return read(l, ref, func(h Holder) Last { return h.Last })
}

func (l *Ledger) Restrictions(_ context.Context, ref string) Result[[]Restriction] {
	return read(l, ref, func(h Holder) []Restriction { return slices.Clone(h.Restrictions) })
}

func (l *Ledger) Status(_ context.Context, ref string) Result[Status] {
	return read(l, ref, func(h Holder) Status { return h.Status })
}

func (l *Ledger) Close(_ context.Context, ref, key string) (Outcome, error) {
	return l.order(ref, key, func(h *Holder) error {
		if err := h.closable(); err != nil {
			return err
		}
		h.Status, h.Links = Closed, nil
		if h.ClosedAs != "" {
			h.Status = h.ClosedAs
		}
		return nil
	})
}

// closable is the platform's own last check: it does not rely on the desk.
func (h *Holder) closable() error {
	if len(h.Pending) > 0 || len(h.Disputes) > 0 {
		return errors.New("something is not finished")
	}
	for _, m := range h.Debts {
		if decimal(m.Amount).Sign() != 0 {
			return errors.New("something is owed")
		}
	}
	for _, m := range h.Balances {
		if r := decimal(m.Amount); r.Sign() != 0 && (decimal(h.Minimum[m.Currency]) == nil || r.Cmp(decimal(h.Minimum[m.Currency])) >= 0) {
			return errors.New("there is a balance")
		}
	}
	return nil
}

func (l *Ledger) Deactivate(_ context.Context, ref, key string) (Outcome, error) {
	return l.order(ref, key, func(h *Holder) error {
		h.Status, h.Links = Dormant, nil
		return nil
	})
}

func (l *Ledger) Perform(_ context.Context, action Action, ref, key string) (Outcome, error) {
	if !slices.Contains(Actions(), action) {
		return Outcome{}, fmt.Errorf("account system has no action %q", action)
	}
	if action == Payout {
		return l.order(ref, key, func(h *Holder) error {
			h.Balances = slices.Clone(h.Balances)
			for i, m := range h.Balances {
				h.Balances[i].Amount = new(big.Rat).FloatString(places(m.Amount))
			}
			return nil
		}, Closed, NeedsActivation)
	}
	return l.order(ref, key, func(h *Holder) error {
		switch action {
		case Freeze:
			h.Status = Frozen
		case Lift:
			h.Status = Active
			h.Restrictions = slices.DeleteFunc(h.Restrictions, func(r Restriction) bool { return !r.Hidden })
		case Unlock, Reactivate:
			h.Status = Active
		}
		return nil
	})
}

// order makes a change once per key: the same key gives the same outcome, whatever happened to the account since. A closed
// account is changed only where its status is named.
func (l *Ledger) order(ref, key string, change func(*Holder) error, closed ...Status) (Outcome, error) {
	if key == "" {
		return Outcome{}, ErrNoKey
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent {
		return Outcome{State: Unclear, Problem: "the account system does not answer"}, nil
	}
	if o, again := l.orders[ref+" "+key]; again {
		return o, nil
	}
	h := l.accounts[ref]
	if h == nil {
		return Outcome{State: Refused, Problem: "there is no such account"}, nil
	}
	o := Outcome{State: Done, At: l.now()}
	if gone := h.Status == Closed || h.Status == NeedsActivation; gone && !slices.Contains(closed, h.Status) {
		o = Outcome{State: Refused, At: l.now(), Problem: "the account is closed"}
	} else if err := change(h); err != nil {
		o = Outcome{State: Refused, At: l.now(), Problem: err.Error()}
	}
	l.orders[ref+" "+key] = o
	return o, nil
}

// act is something a holder does in the app. It fails where a platform would not let it happen.
func (l *Ledger) act(ref, kind string, change func(*Holder) error) error {
	l.mu.Lock()
	h := l.accounts[ref]
	if h == nil || h.Status != Active && !(kind == "login" && h.Status == Restricted) {
		l.mu.Unlock()
		return fmt.Errorf("%s: the account is not open for it", kind)
	}
	if err := change(h); err != nil {
		l.mu.Unlock()
		return fmt.Errorf("%s: %w", kind, err)
	}
	now := l.now()
	l.serial++
	a := Activity{ID: fmt.Sprintf("act-%d", l.serial), Account: ref, Kind: kind, At: now}
	switch kind {
	case "login":
		h.Last.Login = now
	case "credential_change", "contact_change":
		h.Last.Credential = now
	case "trade", "transfer", "withdrawal":
		h.Last.Transaction = now
	}
	l.mu.Unlock()
	if l.report != nil {
		l.report(a)
	}
	return nil
}

// Login of the holder.
func (l *Ledger) Login(ref string) error {
	return l.act(ref, "login", func(*Holder) error { return nil })
}

// Withdraw pays out to the holder's own bank account or wallet. An amount below the minimum is refused.
func (l *Ledger) Withdraw(ref string, m Money) error {
	return l.act(ref, "withdrawal", func(h *Holder) error {
		least := decimal(h.Minimum[m.Currency])
		if a := decimal(m.Amount); a == nil || a.Sign() <= 0 || least != nil && a.Cmp(least) < 0 {
			return errors.New("the amount is below the minimum")
		}
		return h.add(m.Currency, "-"+m.Amount)
	})
}

// Deposit credits the account, closed accounts included: money can arrive late.
func (l *Ledger) Deposit(ref string, m Money) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.accounts[ref]
	if h == nil || decimal(m.Amount) == nil {
		return fmt.Errorf("deposit %s: no such account or no amount", m.Currency)
	}
	return h.add(m.Currency, m.Amount)
}

func (h *Holder) add(currency, delta string) error {
	d := decimal(delta)
	if d == nil {
		return fmt.Errorf("%q is not an amount", delta)
	}
	i := slices.IndexFunc(h.Balances, func(m Money) bool { return m.Currency == currency })
	if i < 0 {
		h.Balances = append(h.Balances, Money{currency, "0"})
		i = len(h.Balances) - 1
	}
	have := h.Balances[i].Amount
	sum := decimal(have)
	sum.Add(sum, d)
	if sum.Sign() < 0 {
		return errors.New("the balance does not suffice")
	}
	// A new slice: readers hold the old one.
	h.Balances = slices.Clone(h.Balances)
	h.Balances[i].Amount = sum.FloatString(max(places(have), places(delta)))
	return nil
}

// Unlink switches a service off.
func (l *Ledger) Unlink(ref, id string) error {
	return l.act(ref, "binding", func(h *Holder) error {
		n := len(h.Links)
		h.Links = slices.DeleteFunc(slices.Clone(h.Links), func(k Link) bool { return k.ID == id })
		if len(h.Links) == n {
			return fmt.Errorf("there is no link %q", id)
		}
		return nil
	})
}

// Change alters an account behind the holder's back: a transaction completes, a restriction is set.
func (l *Ledger) Change(ref string, change func(*Holder)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.accounts[ref]
	if h == nil {
		return fmt.Errorf("change account %q: there is no such account", ref)
	}
	change(h)
	return nil
}
