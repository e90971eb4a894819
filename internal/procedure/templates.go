package procedure

import "strings"

// templateDef is what a procedure has to know of a mail: who gets it and which variables it is given beside ticket_no and brand.
type templateDef struct {
	Key  string
	To   Recipient
	Page string   // the page whose link the mail carries: the caller makes the link and adds it
	Vars []string // a name ending in ? may be left out
}

// templateTable is one line a template: key, recipient (C the ticket's address, R the registered one only, I staff), variables;
// link=page names the page behind the variable link, undo_link or secure_link.
const templateTable = `
ack.received C category_hint?
ack.duplicate C main_ticket
triage.clarify C
intake.wrong_channel C official_path
identity.challenge R action expires link=confirm
identity.challenge_resend R expires link=confirm
identity.failed C retry_after?
identity.expired C reopen_days
identity.use_registered C
security.other_address R time
security.not_me R
security.secret_received C kind
security.phishing_report C case
security.phishing_advice C official_domains
security.unauthorised_tx C tx? deadline?
security.agency_warning C
security.freeze_done R time
docs.request C items why? due
docs.received C items
docs.accepted_partial C ok missing
docs.rejected C items attempts_left
docs.all_accepted C
docs.reminder_1 C missing due
docs.reminder_2 C missing due
docs.reminder_final C missing due close_date?
docs.manual C
closure.guide C checklist? consequences?
closure.self_service C paths linked_services? benefits?
closure.consent R terms_url version expires link=declare
closure.declare_zero C
closure.blocked C blockers
closure.dust C amount options
closure.cooling_off C until
closure.under_review C range_text?
closure.progress C
closure.activity R time expires? link=confirm
closure.withdrawn R reason
closure.undo_window R until link=undo
closure.no_fast_track C
closure.final R account_last4 closed_at balances closed_services? retention complaint? adr? late_redemption? activate_button?
closure.refused C reason_text next? complaint? offer_soft?
closure.refused_neutral C complaint?
closure.expired C reopen_days
closure.post C
closure.late_redemption R amount how
soft.offer C
soft.confirm R disabled return?
reactivation.request R docs? steps
reactivation.done R
reactivation.refused R complaint?
locked.guide C path?
locked.verify R expires? link=confirm
locked.unlocked R hardening?
locked.not_unlocked C complaint?
payment.guide C
payment.info_request C fields
payment.cause C cause action
payment.incident C eta?
withdrawal.guide C limits?
withdrawal.info_request C fields
withdrawal.status R status tx? note?
withdrawal.paid R amount date reference?
withdrawal.returned R amount date reason_text?
withdrawal.payee_change_refused C path?
restriction.guide C
restriction.application C form? due?
restriction.lifted R scope?
restriction.partly R scope remaining reason_text?
restriction.upheld R reason_text? reopen_days?
neutral.under_review C
complaint.ack C ref final_due holding_rule adr?
complaint.holding C ref reason new_due
complaint.final C ref findings redress? adr? deadline?
complaint.forward C ref addressee
privacy.ack R due kind
privacy.extended R due reason_text authority?
privacy.erasure_done R scope kept?
privacy.erasure_refused R basis until authority court
privacy.access_delivery R expires? link=data
ops.resolved C reopen_until?
ops.reopened C
int.approval_needed I stage due?
int.sla_breach I clock due percent?
int.hold_set I hold
int.fraud_flag I document
int.complaint_due I ref due
`

func templateNamed(key string) (templateDef, bool) {
	for line := range strings.Lines(templateTable) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != key {
			continue
		}
		d := templateDef{Key: key, To: map[string]Recipient{"C": ToCustomer, "R": ToRegistered, "I": ToStaff}[f[1]]}
		for _, v := range f[2:] {
			if page, isLink := strings.CutPrefix(v, "link="); isLink {
				d.Page = page
				continue
			}
			d.Vars = append(d.Vars, v)
		}
		return d, true
	}
	return templateDef{}, false
}

// Templates lists every template key a procedure may send.
func Templates() []string {
	var out []string
	for line := range strings.Lines(templateTable) {
		if f := strings.Fields(line); len(f) >= 2 {
			out = append(out, f[0])
		}
	}
	return out
}
