package procedure

import (
	"slices"
	"strings"

	"postdesk/internal/agent"
)

// verbs lists who may do what. Everything that is missing here may be done by nobody.
func allowed(k Kind) []agent.Role {
	staff := []agent.Role{agent.Agent, agent.Senior, agent.Approver}
	switch k {
	case MailReceived, Answered, PageUsed:
		return []agent.Role{Customer}
	case TimerDue, ActivitySeen, PlatformDone, Bounced:
		return []agent.Role{System}
	case AccountRead, Executed, FindingMade:
		return append(staff, System)
	case ItemDecided:
		return append(staff, agent.Compliance)
	case Refuse:
		return append(staff, agent.Compliance)
	case Recommend, FileGiven, RiskSet, Withdraw, Reopen, Merge, Absorb, MarkSpam, Finish, Resend, Ask, Advance, ComplaintYes, ComplaintDone, Extend, Classified:
		return staff
	case ItemWaive:
		return []agent.Role{agent.Senior, agent.Approver}
	case Approve, Reject:
		return []agent.Role{agent.Approver, agent.Compliance}
	case ComplaintNo:
		return []agent.Role{agent.Approver}
	case HoldSet, HoldReleased:
		return []agent.Role{agent.Compliance}
	}
	return nil
}

// verb reports whether a kind is something a person decided to do, and is refused when it does not fit the state.
func verb(k Kind) bool {
	switch k {
	case Recommend, Approve, Reject, Refuse, Withdraw, Reopen, Merge, MarkSpam, Finish, Resend, Advance, Extend:
		return true
	}
	return false
}

func permit(e Event) error {
	roles := allowed(e.Kind)
	if roles == nil {
		return invalid("event %q is unknown", e.Kind)
	}
	if !slices.Contains(roles, e.Role) {
		return forbidden("%s may not %s", orNobody(string(e.Role)), e.Kind)
	}
	if strings.TrimSpace(e.Actor) == "" {
		return invalid("%s has no actor", e.Kind)
	}
	return nil
}

func orNobody(role string) string {
	if role == "" {
		return "nobody"
	}
	return role
}

// staff reports whether a role is a person of the desk.
func isStaff(r agent.Role) bool { return slices.Contains(agent.Roles(), r) }
