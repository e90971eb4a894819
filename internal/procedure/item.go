package procedure

import (
	"slices"
	"strings"

	"postdesk/internal/agent"
)

func (st *step) itemSubmitted() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok {
		return "", invalid("procedure %s has no item %q", st.m.Name, st.e.Item)
	}
	if def.Source != FromDocument || st.e.File == nil {
		return "", invalid("%s is not a document", st.e.Item)
	}
	if st.c.Items[st.e.Item].State == ItemNA {
		return "", invalid("%s was not asked for", st.e.Item)
	}
	st.c.Unsorted = slices.DeleteFunc(st.c.Unsorted, func(f File) bool { return f.SHA256 == st.e.File.SHA256 })
	st.edited()
	st.submit(st.e.Item, *st.e.File, st.now)
	return "item", nil
}

// edited remembers who changed the evidence last: that person does not approve.
func (st *step) edited() { st.c.Editor = st.e.Actor }

func (st *step) itemDecided() (string, error) {
	e := st.e
	def, ok := st.m.Items[e.Item]
	if !ok {
		return "", invalid("procedure %s has no item %q", st.m.Name, e.Item)
	}
	if def.Hidden != (e.Role == agent.Compliance) {
		// The same words for an item that does not exist: who may not see it learns nothing.
		return "", invalid("procedure %s has no item %q", st.m.Name, e.Item)
	}
	if st.c.Items[e.Item].State == ItemNA {
		return "", invalid("%s does not apply to this case", e.Item)
	}
	switch def.Source {
	case FromDocument:
		return st.documentDecided(def)
	case FromAgent, FromSystem:
		return st.checkDecided(def)
	}
	return "", invalid("%s is a statement of the customer: nobody can make it for them", e.Item)
}

func (st *step) documentDecided(def ItemDef) (string, error) {
	e, it := st.e, st.c.Items[st.e.Item]
	if it.File == nil || it.State != ItemSubmitted {
		return "", invalid("no document waits for a decision under %s", e.Item)
	}
	st.edited()
	if !e.Accept {
		if !slices.Contains(RejectCodes(), e.Reject) {
			return "", invalid("reject code %q is unknown", e.Reject)
		}
		st.rejectItem(e.Item, e.Reject, e.Role)
		return "item", nil
	}
	if e.Form == nil {
		return "", invalid("accepting %s needs what was read off it", e.Item)
	}
	if codes := JudgeForm(def.Doc, *e.Form, it.ReceivedAt, st.cal.Zone, st.p.Files); len(codes) > 0 {
		return "", invalid("%s cannot be accepted: %s", e.Item, joinCodes(codes))
	}
	it.State, it.Reject, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Told = ItemSatisfied, "", e.Actor, e.Role, st.now, false
	it.ExpiresAt = st.p.Files.Valid.From(st.now, st.cal)
	it.Note = strings.TrimSpace(e.Form.Kind + " " + e.Form.Issuer + " " + e.Form.Last4)
	st.c.Items[e.Item] = it
	return "item", nil
}

// checkDecided is a person's check, or a person standing in for an account system that is not connected: never without
// evidence.
func (st *step) checkDecided(def ItemDef) (string, error) {
	e, it := st.e, st.c.Items[st.e.Item]
	if def.Platform {
		return "", forbidden("%s is reported by the platform only", e.Item)
	}
	if strings.TrimSpace(e.Evidence) == "" {
		return "", invalid("%s needs evidence: what was looked at, and where", e.Item)
	}
	if !def.Hidden {
		st.edited()
	}
	st.hidden = def.Hidden
	it.State, it.Evidence, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Note = ItemSatisfied, e.Evidence, e.Actor, e.Role, st.now, e.Reason
	outcome := Pass
	if !e.Accept {
		it.State, outcome = ItemRejected, Block
	}
	st.c.Items[e.Item] = it
	if def.Check != "" {
		st.c.Checks[def.Check] = Check{Outcome: outcome, Blockers: blockersFor(outcome, def.Check), At: st.now, TriedAt: st.now}
	}
	if def.Hidden {
		return "cleared", nil
	}
	return "item", nil
}

func blockersFor(o Outcome, check string) []Blocker {
	if o == Pass {
		return nil
	}
	return []Blocker{{Code: check}}
}

// itemWaived lets an item go. What a senior waives still needs the approver who sees it; what identifies the customer or is
// read from the account is never waived.
func (st *step) itemWaived() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok || def.Hidden {
		return "", invalid("procedure %s has no item %q", st.m.Name, st.e.Item)
	}
	if def.Waive == "" {
		return "", forbidden("%s cannot be waived", st.e.Item)
	}
	if def.Waive == "approver" && st.e.Role != agent.Approver {
		return "", forbidden("%s can be waived by an approver only", st.e.Item)
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	it := st.c.Items[st.e.Item]
	if it.State == ItemNA || it.settled(st.now) {
		return "", invalid("%s is settled or does not apply", st.e.Item)
	}
	st.edited()
	it.State, it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Note = ItemWaived, st.e.Actor, st.e.Role, st.now, st.e.Reason
	st.c.Items[st.e.Item] = it
	return "item", nil
}

// platformDone is a password, code or factor the platform itself has verified, in its own pages.
func (st *step) platformDone() (string, error) {
	def, ok := st.m.Items[st.e.Item]
	if !ok || !def.Platform {
		return "", invalid("%q is not an item the platform reports", st.e.Item)
	}
	it := st.c.Items[st.e.Item]
	it.State, it.Evidence, it.DecidedBy, it.DecidedAs, it.DecidedAt = ItemSatisfied, st.e.Evidence, st.e.Actor, System, st.now
	if !st.e.Accept {
		it.State = ItemRejected
	}
	st.c.Items[st.e.Item] = it
	return "item", nil
}

func (st *step) ask() (string, error) {
	if err := st.needReason(); err != nil {
		return "", err
	}
	for _, key := range st.e.Items {
		def, ok := st.m.Items[key]
		if !ok || def.Source != FromDocument {
			return "", invalid("%q is not a document of this procedure", key)
		}
		it := st.c.Items[key]
		if it.State == ItemSubmitted {
			return "", invalid("%s waits for a decision", key)
		}
		it.State, it.Reject, it.Note = ItemOpen, "", st.e.Reason
		st.c.Items[key] = it
	}
	if len(st.e.Items) == 0 {
		return "", invalid("ask needs at least one document")
	}
	st.edited()
	return "ask", nil
}
