package procedure

import (
	"time"

	"postdesk/internal/agent"
	"postdesk/internal/ticket"
)

// EffectKind says what the caller has to do.
type EffectKind string

const (
	Send       EffectKind = "send"       // render Template with Vars and queue it for To
	SetStatus  EffectKind = "status"     // Status and Stage of the ticket
	StartTimer EffectKind = "start"      // Timer falls due at Due
	StopTimer  EffectKind = "stop"       // Timer is off
	RunChecks  EffectKind = "check"      // look into the account system for Checks and answer with AccountRead
	Issue      EffectKind = "challenge"  // the fresh challenge was taken: Challenge
	Execute    EffectKind = "execute"    // change the account: Action with idempotency Key
	Alert      EffectKind = "alert"      // tell staff: Template is an int.* key
	NewTicket  EffectKind = "new_ticket" // the mail belongs to a new ticket linked to this one
	Record     EffectKind = "record"     // append the audit event
)

// Recipient of a mail. Registered is the address stored in the account system, whatever From or Reply-To say.
type Recipient string

const (
	ToCustomer   Recipient = "customer"
	ToRegistered Recipient = "registered"
	ToStaff      Recipient = "staff"
)

// Effect is one thing to be done, in the transaction that stores the new Case (mails are queued, checks and executions are
// queued work) and never before. Effects are data: performing one twice is prevented by its key.
type Effect struct {
	Kind      EffectKind     `json:"kind"`
	Template  string         `json:"template,omitzero"`
	To        Recipient      `json:"to,omitzero"`
	Address   string         `json:"address,omitzero"` // of Send: where exactly it goes; "" is the ticket's own address
	Vars      map[string]any `json:"vars,omitzero"`
	Status    ticket.Status  `json:"status,omitzero"`
	Stage     string         `json:"stage,omitzero"`
	Timer     string         `json:"timer,omitzero"`
	Due       time.Time      `json:"due,omitzero"`
	Checks    []string       `json:"checks,omitzero"`
	Page      string         `json:"page,omitzero"`      // of Send: the mail carries a link to this page (confirm, declare, undo, data), which the caller makes
	Challenge string         `json:"challenge,omitzero"` // on Issue, and on a Send whose link carries it
	Expires   time.Time      `json:"expires,omitzero"`
	Action    string         `json:"action,omitzero"`
	Key       string         `json:"key,omitzero"`    // of Send and Execute: unique on the case
	Hidden    bool           `json:"hidden,omitzero"` // for compliance only
	Record    *Entry         `json:"record,omitzero"`
}

// Entry is the audit record of one transition.
type Entry struct {
	Step      int        `json:"step"` // number among the transitions that are not hidden; a hidden one repeats the last
	Procedure string     `json:"procedure"`
	Version   string     `json:"version"`
	Event     string     `json:"event"`
	EventID   string     `json:"event_id,omitzero"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Actor     string     `json:"actor"`
	Role      agent.Role `json:"role"`
	At        time.Time  `json:"at"`
	Item      string     `json:"item,omitzero"`
	Code      string     `json:"code,omitzero"`
	Reason    string     `json:"reason,omitzero"`
	Ref       string     `json:"ref,omitzero"`      // message, file or note the event rests on
	Evidence  string     `json:"evidence,omitzero"` // hash of the evidence after the transition
	Hidden    bool       `json:"hidden,omitzero"`
}

// CustomerSees reports whether the customer can notice the effect.
func (e Effect) CustomerSees() bool {
	return e.Kind == Send && e.To != ToStaff || e.Kind == Execute
}
