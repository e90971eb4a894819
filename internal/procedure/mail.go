package procedure

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"postdesk/internal/agent"
)

// mail takes what the rules found in one human mail. Whoever wrote it, it changes the case only: no state that acts on an
// account can be entered by it.
func (st *step) mail() (string, error) {
	ml := st.e.Mail
	if ml == nil {
		return "", invalid("mail event without mail")
	}
	if ml.Auto { // an automatic reply answers nothing and stops nothing
		return "", nil
	}
	if st.isStranger(ml.From) {
		st.stranger = true
		return "stranger", nil
	}
	if st.c.Identity.From == "" || sameAddress(ml.From, st.c.Account.Address) {
		st.c.Identity.From, st.c.Identity.Aligned = ml.From, ml.Aligned
	}
	st.c.LastMail = st.now
	if st.c.State == st.m.Initial {
		st.c.Confidence = ml.Confidence
	}
	for k, v := range ml.Facts {
		if v != "" {
			st.c.Facts[k] = v
		}
	}
	if slices.Contains(ml.Flags, "complaint") && st.c.Complaint.Proposed.IsZero() {
		st.c.Complaint.Proposed, st.c.Complaint.ReceivedAt = st.now, ml.ReceivedAt.UTC().Truncate(time.Microsecond)
		st.warn("int.complaint_due", map[string]any{"ref": fmt.Sprintf("C-%d", st.c.Ticket), "due": Span{1, "bd"}.From(st.now, st.cal).In(st.cal.Zone)})
	}
	st.provided(ml)
	st.files(ml)
	st.sawAnswer()
	return "mail", nil
}

// isStranger reports whether the mail is from an address that is neither the registered one nor the one that opened the ticket.
func (st *step) isStranger(from string) bool {
	if st.c.Account.Address != "" {
		return !sameAddress(from, st.c.Account.Address) && st.c.Identity.Level >= A1
	}
	return st.c.Identity.From != "" && !sameAddress(from, st.c.Identity.From)
}

// provided marks the statements found in the customer's own words. They count when their sender is sure enough: see promote.
func (st *step) provided(ml *Mail) {
	for key, def := range st.m.Items {
		if def.Source != FromStatement || def.Platform || !gave(ml, def.Provided) {
			continue
		}
		it := st.c.Items[key]
		if it.settled(st.now) && it.State != ItemNA {
			continue
		}
		it.State, it.Evidence, it.From, it.Aligned, it.ReceivedAt = ItemSubmitted, ml.Message, ml.From, ml.Aligned, ml.ReceivedAt
		st.c.Items[key] = it
	}
}

// gave reports whether the mail provides what an item asks for: a statement by name, or a fact ("fact:txid").
func gave(ml *Mail, what string) bool {
	if fact, ok := strings.CutPrefix(what, "fact:"); ok {
		return ml.Facts[fact] != ""
	}
	return what != "" && slices.Contains(ml.Provided, what)
}

// files puts the attachments under the items they answer.
func (st *step) files(ml *Mail) {
	beyond := CheckMail(ml.Files, st.p.Files)
	for i, f := range ml.Files {
		f.Message = ml.Message
		if st.c.Account.Address != "" && !sameAddress(ml.From, st.c.Account.Address) {
			st.c.Unsorted = append(st.c.Unsorted, f) // kept, but it answers nothing we asked the owner for
			continue
		}
		if _, tooMuch := beyond[i]; tooMuch {
			f.Size = max(f.Size, st.p.Files.MaxSize+1)
		}
		st.file(f, ml.ReceivedAt)
	}
}

func (st *step) file(f File, received time.Time) {
	key := st.itemFor(f)
	if key == "" {
		st.c.Unsorted = append(st.c.Unsorted, f)
		return
	}
	st.submit(key, f, received)
}

// itemFor finds the item a file answers: the one of its kind, or, when the kind is not known, the only one still asked for.
func (st *step) itemFor(f File) string {
	var wanting []string
	for _, key := range st.keys() {
		def, it := st.m.Items[key], st.c.Items[key]
		if def.Source != FromDocument || it.State == ItemNA || it.settled(st.now) {
			continue
		}
		if f.Kind != "" && def.Doc == f.Kind {
			return key
		}
		if it.State != ItemSubmitted {
			wanting = append(wanting, key)
		}
	}
	if f.Kind == "" && len(wanting) == 1 {
		return wanting[0]
	}
	return ""
}

// submit takes a file for an item after the checks that need no person.
func (st *step) submit(key string, f File, received time.Time) {
	it := st.c.Items[key]
	it.File, it.Evidence, it.ReceivedAt = &f, "file:"+f.SHA256, received.UTC().Truncate(time.Microsecond)
	it.DecidedBy, it.DecidedAs, it.DecidedAt, it.Told = "", "", time.Time{}, false
	codes := CheckFile(f, st.p.Files)
	if slices.Contains(st.c.Refused, f.SHA256) {
		codes = append([]RejectCode{RejectDuplicate}, codes...)
	}
	if f.Elsewhere {
		st.warn("int.fraud_flag", map[string]any{"document": f.Attachment})
	}
	if len(codes) > 0 {
		st.c.Items[key] = it
		st.rejectItem(key, codes[0], System)
		return
	}
	it.State, it.Reject = ItemSubmitted, ""
	st.c.Items[key] = it
}

func (st *step) rejectItem(key string, code RejectCode, by agent.Role) {
	it := st.c.Items[key]
	it.State, it.Reject, it.Told = ItemRejected, code, false
	it.DecidedBy, it.DecidedAs, it.DecidedAt = st.e.Actor, by, st.now
	if by == System {
		it.DecidedBy = string(System)
	}
	if it.Source == FromDocument {
		it.Attempts++
		if it.File != nil {
			st.c.Refused = append(st.c.Refused, it.File.SHA256)
		}
	}
	st.c.Items[key] = it
}

// sawAnswer ends the reminders: the customer has answered.
func (st *step) sawAnswer() {
	for _, name := range st.m.States[st.c.State].Timers {
		if _, on := st.c.Timers[name]; !on {
			continue
		}
		switch st.m.Timers[name].Until {
		case "answer":
			st.stop(name)
		case "restart":
			st.restart(name)
		}
	}
	for i, r := range st.c.Requests {
		if r.State == "open" && len(st.e.Mail.Files) > 0 {
			st.c.Requests[i].State = "answered"
		}
	}
}
