package procedure

import "strings"

// templateDef is what a procedure has to know of a mail: who gets it and which variables it is given beside ticket_no and brand.
type templateDef struct {
	Key  string
	To   Recipient
	Vars []string
}

// templateTable is one line a template: key, recipient (C the ticket's address, R the registered one only, I staff), variables.
const templateTable = `
ack.received C category_hint
ack.duplicate C main_ticket
triage.clarify C
intake.wrong_channel C official_path
identity.challenge R action expires
identity.challenge_resend R action expires
identity.failed C locked_until
identity.expired C reopen_days
identity.use_registered C
security.other_address R time
security.not_me R
security.secret_received C kind
security.phishing_report C
security.phishing_advice C official_domains
security.unauthorised_tx C tx deadline
security.agency_warning C
security.freeze_done R time
docs.request C items due
docs.received C items
docs.accepted_partial C ok missing due
docs.rejected C rejected attempts_left due
docs.all_accepted C
docs.reminder_1 C missing due
docs.reminder_2 C missing due
docs.reminder_final C missing due close_date
docs.manual C
closure.guide C checklist consequences
closure.self_service C paths
closure.consent R terms_url version statements
closure.declare_zero C
closure.blocked C blockers due
closure.dust C amounts minimum options
closure.cooling_off C until
closure.under_review C due
closure.progress C
closure.activity R time activity expires
closure.withdrawn R reason
closure.undo_window R until
closure.no_fast_track C
closure.final R account closed_at linked keeps adr official_domains closed_as
closure.final_copy C account closed_at linked keeps adr official_domains closed_as
closure.refused C reason_text next adr
closure.refused_neutral C adr
closure.expired C reopen_days
closure.post C
closure.certificate R
closure.late_redemption R
soft.offer C disabled
soft.confirm R disabled time
reactivation.request R items
reactivation.done R time
reactivation.refused R adr
locked.guide C path
locked.verify R action expires
locked.unlocked R
locked.not_unlocked C adr
payment.guide C
payment.info_request C fields
payment.cause C cause
payment.incident C
withdrawal.guide C limits
withdrawal.info_request C fields
withdrawal.status R status
withdrawal.paid R
withdrawal.returned R
withdrawal.payee_change_refused C path
restriction.guide C
restriction.application C
restriction.lifted R
restriction.partly R scope
restriction.upheld R reason_text adr
neutral.under_review C
complaint.ack C ref final_due max_due
complaint.holding C reason new_due
complaint.final C findings adr
complaint.forward C addressee
privacy.ack R due
privacy.extended R due
privacy.erasure_done R
privacy.erasure_refused R keeps authority court
privacy.access_delivery R
ops.resolved C reopen_until
ops.reopened C
ops.bounced_notice C
int.approval_needed I
int.sla_breach I clock percent due
int.hold_set I
int.outbox_uncertain I
int.intake_poison I
int.fraud_flag I
int.complaint_due I clock percent due
int.retention_due I
`

func templateNamed(key string) (templateDef, bool) {
	for line := range strings.Lines(templateTable) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != key {
			continue
		}
		to := map[string]Recipient{"C": ToCustomer, "R": ToRegistered, "I": ToStaff}[f[1]]
		return templateDef{Key: key, To: to, Vars: f[2:]}, true
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
