package procedure

import (
	"math/big"
	"slices"
	"strings"
	"time"
)

// checkNames lists every look into the account system a machine can ask for.
func checkNames() []string {
	return []string{"contacts", "balance", "pending", "disputes", "debts", "links", "cooling", "restrictions", "status"}
}

// accountRead judges one look into the account system, or a person's with evidence.
func (st *step) accountRead() (string, error) {
	f := st.e.Facts
	if f == nil {
		return "", invalid("check event without facts")
	}
	if isStaff(st.e.Role) {
		if strings.TrimSpace(st.e.Evidence) == "" {
			return "", invalid("facts entered by a person need evidence: what was looked at, and where")
		}
		st.edited()
	}
	st.found(f)
	st.hide(f)
	if f.Status != nil {
		st.c.Account.Status, st.status = *f.Status, true
	}
	if f.Balances != nil {
		st.c.Balances = slices.Clone(*f.Balances)
	}
	at := f.ReadAt.UTC().Truncate(time.Microsecond)
	if at.After(st.now) || at.IsZero() {
		at = st.now
	}
	for _, name := range st.m.Checks {
		k := st.judge(name, f)
		k.At, k.TriedAt = at, st.now
		st.setCheck(name, k)
	}
	return "check", nil
}

// setCheck keeps the last known result when the account system did not answer: it grows stale by itself, and a stale result
// opens nothing.
func (st *step) setCheck(name string, k Check) {
	old, have := st.c.Checks[name]
	if k.Outcome == Unknown {
		k.At = time.Time{}
		if have {
			old.TriedAt = k.TriedAt
			k = old
		}
	}
	st.c.Checks[name] = k
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Check != name || def.Source != FromSystem || it.State == ItemNA {
			continue
		}
		it.State, it.Evidence = ItemOpen, "account:"+name
		if k.Outcome == Pass {
			it.State = ItemSatisfied
		}
		st.c.Items[key] = it
	}
}

func (st *step) found(f *AccountFacts) {
	if f.Found == nil {
		return
	}
	st.c.Account.Looked = true
	if !*f.Found {
		return
	}
	if st.c.Account.Ref == "" {
		st.c.Account.Ref = f.Ref
	}
	if f.Contacts != nil && f.Contacts.Address != "" {
		if st.c.Account.Address != "" && !sameAddress(st.c.Account.Address, f.Contacts.Address) {
			st.c.Identity = Identity{From: st.c.Identity.From, Aligned: st.c.Identity.Aligned} // registered address changed: prove it anew
		}
		st.c.Account.Address = f.Contacts.Address
	}
}

// hide keeps a restriction that must not be disclosed apart from everything that leads to a mail.
func (st *step) hide(f *AccountFacts) {
	if f.Restrictions == nil {
		return
	}
	st.c.HiddenBar = slices.ContainsFunc(*f.Restrictions, func(r Restriction) bool { return r.Hidden })
}

func (st *step) judge(name string, f *AccountFacts) Check {
	switch name {
	case "contacts":
		return known(f.Contacts, func(c Contacts) []Blocker {
			return blockIf(!c.Deliverable || !c.Phone, Blocker{Code: "contact"})
		})
	case "balance":
		return known(f.Balances, st.judgeBalance)
	case "pending":
		return known(f.Pending, func(kinds []string) []Blocker { return each("pending", kinds) })
	case "disputes":
		return known(f.Disputes, func(n int) []Blocker { return blockIf(n > 0, Blocker{Code: "dispute"}) })
	case "debts":
		return known(f.Debts, func(ds []Money) []Blocker {
			return blockIf(slices.ContainsFunc(ds, func(m Money) bool { return sign(m.Amount) != 0 }), Blocker{Code: "debt"})
		})
	case "links":
		return known(f.Links, func(links []string) []Blocker { return each("link", links) })
	case "cooling":
		return known(f.Last, st.judgeCooling)
	case "restrictions":
		return known(f.Restrictions, func(rs []Restriction) []Blocker {
			visible := slices.ContainsFunc(rs, func(r Restriction) bool { return !r.Hidden })
			return blockIf(visible, Blocker{Code: "restriction"})
		})
	case "status":
		return known(f.Status, func(string) []Blocker { return nil })
	}
	return Check{Outcome: Unknown}
}

// known judges an answered part; one that was not answered is unknown.
func known[T any](v *T, judge func(T) []Blocker) Check {
	if v == nil {
		return Check{Outcome: Unknown}
	}
	if b := judge(*v); len(b) > 0 {
		return Check{Outcome: Block, Blockers: b}
	}
	return Check{Outcome: Pass}
}

func blockIf(bad bool, b Blocker) []Blocker {
	if bad {
		return []Blocker{b}
	}
	return nil
}

func each(code string, details []string) []Blocker {
	var out []Blocker
	for _, d := range details {
		out = append(out, Blocker{Code: code, Detail: d})
	}
	return out
}

// judgeBalance passes zero in every currency. What is too small to withdraw is dust: neither withdrawable nor in the way for
// ever, because the customer can give it up in writing up to the brand's cap.
func (st *step) judgeBalance(all []Money) []Blocker {
	left := nonZero(all)
	st.c.Dust = nil
	if len(left) == 0 {
		return nil
	}
	for _, m := range left {
		if !less(m.Amount, st.p.Minimum[m.Currency]) || sign(m.Amount) < 0 {
			return balanceBlockers(left)
		}
	}
	st.c.Dust = left
	if st.dustSettled(left) {
		return nil
	}
	return []Blocker{{Code: "dust"}}
}

// balanceBlockers names the currencies only: the balance proves who the customer is, so it is never told.
func balanceBlockers(left []Money) []Blocker {
	var out []Blocker
	for _, m := range left {
		out = append(out, Blocker{Code: "balance", Detail: m.Currency})
	}
	return out
}

// dustSettled reports whether exactly this balance was given up, within the cap.
func (st *step) dustSettled(left []Money) bool {
	for _, m := range left {
		if limit := st.p.DustCap[m.Currency]; limit == "" || less(limit, m.Amount) {
			return false
		}
	}
	for key, def := range st.m.Items {
		if def.Need == "dust" && def.Source == FromStatement {
			it := st.c.Items[key]
			return it.State == ItemSatisfied && it.Note == moneyNote(left)
		}
	}
	return false
}

func moneyNote(ms []Money) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.String())
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (st *step) judgeCooling(l LastActivity) []Blocker {
	st.c.CoolingUntil = time.Time{}
	for _, w := range []struct {
		at      time.Time
		setting string
	}{{l.Transaction, "cooling_transaction"}, {l.Credential, "cooling_credential"}} {
		if w.at.IsZero() {
			continue
		}
		if until := st.p.Settings[w.setting].From(w.at, st.cal); until.After(st.c.CoolingUntil) {
			st.c.CoolingUntil = until.Truncate(time.Microsecond)
		}
	}
	return blockIf(st.now.Before(st.c.CoolingUntil), Blocker{Code: "cooling"})
}

func amount(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(strings.TrimSpace(s))
	if !ok {
		return nil
	}
	return r
}

// sign of an amount; an unreadable one counts as owed, which blocks.
func sign(s string) int {
	r := amount(s)
	if r == nil {
		return -1
	}
	return r.Sign()
}

// less reports a < b; false when either is unreadable or missing.
func less(a, b string) bool {
	x, y := amount(a), amount(b)
	return x != nil && y != nil && x.Cmp(y) < 0
}

func sameAmount(a, b string) bool {
	x, y := amount(a), amount(b)
	return x != nil && y != nil && x.Cmp(y) == 0
}
