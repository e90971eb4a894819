package procedure

import (
	"slices"
	"strings"
	"time"

	"postdesk/internal/agent"
)

func (st *step) recommend() (string, error) {
	if slices.Contains(st.c.Excluded, st.e.Actor) {
		return "", forbidden("%s refused this request before: somebody else reviews it", st.e.Actor)
	}
	if st.c.Complaint.Open() && st.c.Complaint.About == st.e.Actor {
		return "", forbidden("the complaint is about %s", st.e.Actor)
	}
	if by := st.waivedBy(st.e.Actor); by != "" {
		return "", forbidden("%s waived %s: somebody else recommends", st.e.Actor, by)
	}
	if st.e.Code == "" && len(st.m.Codes) > 0 {
		st.e.Code = st.m.Codes[0]
	}
	if st.e.Code != "" && !slices.Contains(st.m.Codes, st.e.Code) {
		return "", invalid("%q cannot be recommended here", st.e.Code)
	}
	if err := st.needWords(st.e.Code); err != nil {
		return "", err
	}
	st.c.Recommendation = &Decision{By: st.e.Actor, As: st.e.Role, At: st.now, Action: st.m.Action, Code: st.e.Code, Reason: st.e.Reason, Evidence: st.c.Evidence()}
	return "recommend", nil
}

// needWords makes sure, while the person who decides is there to be asked, that the mail which follows will be complete.
func (st *step) needWords(code string) error {
	for _, name := range st.m.Needs[code] {
		if strings.TrimSpace(st.c.Words[name]) == "" {
			return invalid("the letter needs the words %q", name)
		}
	}
	return nil
}

// waivedBy names an item the person waived.
func (st *step) waivedBy(who string) string {
	for _, key := range st.keys() {
		if it := st.c.Items[key]; it.State == ItemWaived && it.DecidedBy == who {
			return key
		}
	}
	return ""
}

// approve is the second pair of eyes, on exactly the evidence the recommendation was made on.
func (st *step) approve() (string, error) {
	rec := st.c.Recommendation
	if rec == nil {
		rec = st.c.Refusal
	}
	who := st.e.Actor
	switch {
	case rec == nil:
		return "", invalid("nothing waits for approval")
	case rec.By == who:
		return "", forbidden("%s recommended this: somebody else approves", who)
	case st.c.Editor == who:
		return "", forbidden("%s changed the evidence last: somebody else approves", who)
	case st.waivedBy(who) != "":
		return "", forbidden("%s waived %s: somebody else approves", who, st.waivedBy(who))
	case st.e.Evidence != "" && st.e.Evidence != st.c.Evidence(), rec.Evidence != st.c.Evidence():
		return "", conflict("the evidence has changed since")
	}
	st.c.Approval = &Decision{By: who, As: st.e.Role, At: st.now, Action: rec.Action, Code: rec.Code, Reason: st.e.Reason, Evidence: rec.Evidence}
	return "approve", nil
}

// RefusalCodes lists the reasons for which a request can be refused. legal_obligation has one fixed, neutral wording.
func RefusalCodes() []string {
	return []string{"docs_insufficient", "identity_not_confirmed", "balance_not_zero", "pending_transactions", "dispute_open", "debt_open",
		"legal_obligation", "not_account_holder"}
}

func (st *step) refuse() (string, error) {
	e := st.e
	if !slices.Contains(RefusalCodes(), e.Code) {
		return "", invalid("refusal code %q is unknown", e.Code)
	}
	if e.Role == agent.Compliance && e.Code != "legal_obligation" {
		return "", forbidden("compliance refuses by legal_obligation only")
	}
	if slices.Contains(st.c.Excluded, e.Actor) {
		return "", forbidden("%s refused this request before: somebody else reviews it", e.Actor)
	}
	if err := st.needWords("refuse"); err != nil {
		return "", err
	}
	st.c.Recommendation, st.c.Approval = nil, nil
	st.c.Refusal = &Decision{By: e.Actor, As: e.Role, At: st.now, Code: e.Code, Reason: e.Reason}
	st.c.Refusal.Evidence = st.c.Evidence() // the code is part of it
	return "refuse", nil
}

func (st *step) complaint() (string, error) {
	k := &st.c.Complaint
	if st.e.Kind == ComplaintYes {
		if k.Open() {
			return "", invalid("the complaint is open")
		}
		if k.ReceivedAt.IsZero() {
			k.ReceivedAt = st.c.OpenedAt
		}
		k.Confirmed, k.By, k.About, k.Removed, k.Ended = st.now, st.e.Actor, st.e.Code, time.Time{}, time.Time{}
		return "complaint", nil
	}
	if !k.Open() {
		return "", invalid("there is no open complaint")
	}
	if k.About != "" && k.About == st.e.Actor {
		return "", forbidden("the complaint is about %s", st.e.Actor)
	}
	if st.e.Kind == ComplaintDone {
		return "complaint_done", nil
	}
	if err := st.needReason(); err != nil {
		return "", err
	}
	if k.By == st.e.Actor {
		return "", forbidden("%s confirmed the complaint: somebody else removes it", st.e.Actor)
	}
	k.Removed = st.now
	st.endClock("complaint")
	return "complaint_no", nil
}
