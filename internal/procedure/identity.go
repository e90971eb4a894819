package procedure

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"time"
)

// promote accepts statements whose sender is by now sure enough.
func (st *step) promote() {
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Source != FromStatement || it.State != ItemSubmitted || st.senderLevel(it) < def.Level {
			continue
		}
		it.State, it.DecidedBy, it.DecidedAs, it.DecidedAt = ItemSatisfied, it.From, Customer, st.now
		st.c.Items[key] = it
	}
	if lvl := st.mailLevel(st.c.Identity.From, st.c.Identity.Aligned); lvl > st.c.Identity.Level {
		st.c.Identity.Level = lvl
	}
}

func (st *step) mailLevel(from string, aligned bool) Level {
	switch {
	case !sameAddress(from, st.c.Account.Address):
		return A0
	case aligned:
		return A2
	}
	return A1
}

func (st *step) senderLevel(it Item) Level {
	l := st.mailLevel(it.From, it.Aligned)
	if l >= A2 && st.c.Identity.Level >= A3 {
		return st.c.Identity.Level
	}
	return l
}

// answer judges one answer to the challenge. Only the hash of the secret is compared, in constant time.
func (st *step) answer() (string, error) {
	a, ch := st.e.Answer, &st.c.Challenge
	if a == nil {
		return "", invalid("answer event without answer")
	}
	if !slices.Contains(st.p.Channels, a.Channel) {
		return "", forbidden("a challenge cannot be answered by %s", a.Channel)
	}
	if a.Channel == "email_reply" && (a.Quoted || !a.Outside || st.c.Risk != Low) {
		return "", nil // quoting our mail is no answer
	}
	if st.now.Before(st.c.Identity.LockedUntil) {
		return "", forbidden("too many wrong answers; try again after %s", st.c.Identity.LockedUntil.Format(time.RFC3339))
	}
	if ch.ID == "" || ch.Used || a.Challenge != ch.ID || !st.now.Before(ch.ExpiresAt) || ch.Bound != st.bound(ch.Purpose) {
		return "", ErrExpired
	}
	if a.MAC == "" || subtle.ConstantTimeCompare([]byte(a.MAC), []byte(ch.MAC)) != 1 {
		ch.Attempts++
		if ch.Attempts < maxAnswers {
			return "challenge_failed", nil
		}
		ch.Used = true
		st.c.Identity.LockedUntil = st.now.Add(24 * time.Hour)
		return "challenge_locked", nil
	}
	ch.Used = true
	if st.c.Identity.Level < A3 {
		st.c.Identity.Level = A3
	}
	st.c.Identity.ProvenAt = st.now
	return map[string]string{"identity": "challenge_ok", "reconfirm": "reconfirmed", "soft": "soft_accepted"}[ch.Purpose], nil
}

const (
	maxAnswers = 3
	maxIssues  = 3 // within 24 hours
)

// bound ties a challenge to ticket, action and account: an answer for one is no answer for another.
func (st *step) bound(purpose string) string {
	return fmt.Sprintf("%d|%s|%s|%s", st.c.Ticket, st.c.Procedure, purpose, st.c.Account.Ref)
}

// page takes a button pressed by the holder of a link that went to the registered address.
func (st *step) page() (string, error) {
	p := st.e.Page
	if p == nil {
		return "", invalid("page event without page")
	}
	if !slices.Contains([]string{"declare", "undo", "withdraw", "not_me", "soft_accept", "return"}, p.Action) {
		return "", invalid("page action %q is unknown", p.Action)
	}
	if p.Action == "declare" {
		return st.declare(p)
	}
	return "page." + p.Action, nil
}

// declare takes the statements ticked on the page. Consent counts only for the terms in force, and giving up a balance only
// when amount and currency are those that were found.
func (st *step) declare(p *Page) (string, error) {
	for _, key := range p.Items {
		def, ok := st.m.Items[key]
		if !ok || def.Source != FromStatement || def.Platform {
			return "", invalid("%q is not a statement of this procedure", key)
		}
		if def.Doc == "terms" && p.Terms != st.p.Terms.Hash {
			return "", conflict("the terms have changed: please read them again")
		}
		if def.Need == "dust" && !sameMoney(p.Amount, st.c.Dust) {
			return "", invalid("the amount and currency given up are not those of the account")
		}
		it := st.c.Items[key]
		if it.State == ItemNA && def.Need != "dust" && def.Need != "optional" {
			continue
		}
		it.State, it.Evidence, it.From, it.Aligned, it.ReceivedAt = ItemSubmitted, "page:"+st.e.ID, st.c.Account.Address, true, st.now
		if def.Doc == "terms" {
			it.Note = "terms " + st.p.Terms.Version + " sha256 " + st.p.Terms.Hash
		}
		if def.Need == "dust" {
			it.Note = moneyNote(st.c.Dust)
		}
		st.c.Items[key] = it
	}
	st.c.LastMail = st.now
	return "page.declare", nil
}

func sameMoney(a, b []Money) bool {
	if len(a) == 0 || len(a) != len(b) {
		return false
	}
	for _, m := range a {
		if !slices.ContainsFunc(b, func(o Money) bool { return o.Currency == m.Currency && sameAmount(o.Amount, m.Amount) }) {
			return false
		}
	}
	return true
}
