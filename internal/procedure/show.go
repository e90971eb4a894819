package procedure

import (
	"slices"

	"postdesk/internal/agent"
)

// Line is one checklist item as people are shown it.
type Line struct {
	Key      string
	Title    string
	How      string
	Source   Source
	State    ItemState
	Reject   RejectCode
	Reason   string // of a rejection, for the customer
	Attempts int
	Evidence string
	By       string
	Needed   bool // the procedure does not go on without it
	Platform bool // reported by the platform's own pages
}

// Checklist lists the items that apply to the case and that the role may see, in a fixed order and in the language.
func (s *Set) Checklist(c Case, role agent.Role, lang string) []Line {
	m := s.machine(c)
	if m == nil {
		return nil
	}
	var out []Line
	view := s.View(c, role)
	for _, key := range m.itemKeys() {
		it, ok := view.Items[key]
		if !ok || it.State == ItemNA {
			continue
		}
		def := m.Items[key]
		l := Line{Key: key, Title: def.Title.In(lang), How: def.How.In(lang), Source: it.Source, State: it.State, Reject: it.Reject, Attempts: it.Attempts,
			Evidence: it.Evidence, By: it.DecidedBy, Needed: def.Need == "always" || def.Need == "matrix", Platform: def.Platform}
		if it.Reject != "" {
			l.Reason = it.Reject.Reason(lang)
		}
		out = append(out, l)
	}
	return out
}

// Statements lists what the customer can still declare on the page behind the link of a "declare" mail.
func (s *Set) Statements(c Case, lang string) []Line {
	m := s.machine(c)
	var out []Line
	for _, l := range s.Checklist(c, agent.Agent, lang) {
		if l.Source == FromStatement && !l.Platform && l.State != ItemSatisfied && l.State != ItemWaived {
			out = append(out, l)
		}
	}
	if m == nil || len(c.Dust) == 0 {
		return out
	}
	for _, key := range m.itemKeys() {
		if def := m.Items[key]; def.Need == "dust" && c.Items[key].State == ItemNA {
			out = append(out, Line{Key: key, Title: def.Title.In(lang), Source: FromStatement, State: ItemOpen})
		}
	}
	return out
}

// Consent is the closure agreement of a profile: what the page shows and what is recorded.
func (s *Set) Consent(profile string) Terms {
	if p := s.profiles[profile]; p != nil {
		return p.Terms
	}
	return Terms{}
}

// Verbs lists what a person with the role can try on the case in its present state. Whether it succeeds is decided by Step.
func (s *Set) Verbs(c Case, role agent.Role) []Kind {
	m := s.machine(c)
	if m == nil {
		return nil
	}
	var out []Kind
	for _, k := range []Kind{Recommend, Approve, Reject, Refuse, Withdraw, Reopen, Merge, MarkSpam, Finish, Resend, Ask, Advance, Extend} {
		if slices.Contains(allowed(k), role) && len(m.moves(c.State, string(k))) > 0 {
			out = append(out, k)
		}
	}
	return out
}

// DueAt is the earliest moment something has to happen: the end of an open clock, or of the state's wait.
func (c Case) DueAt() (due Timer, name string) {
	for _, key := range sortedKeys(c.Timers) {
		if t := c.Timers[key]; name == "" || t.Due.Before(due.Due) {
			due, name = t, key
		}
	}
	return due, name
}
