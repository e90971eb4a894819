package procedure

import (
	"time"

	"postdesk/internal/agent"
)

// Actors that are not staff. They stand beside the staff roles in Event.Role.
const (
	System   agent.Role = "system"   // timers, the account system, the program itself
	Customer agent.Role = "customer" // a mail, or a page opened by a link
)

// Kind of an Event.
type Kind string

const (
	MailReceived  Kind = "mail"           // Mail
	Answered      Kind = "answer"         // Answer: a challenge was answered
	PageUsed      Kind = "page"           // Page: a button on one of our pages, behind a proven link
	FileGiven     Kind = "file"           // Item, File: an agent puts a file under an item
	ItemDecided   Kind = "item"           // Item, Accept, Reject, Form, Evidence
	ItemWaive     Kind = "waive"          // Item, Reason
	AccountRead   Kind = "check"          // Facts; by a person: Evidence is mandatory
	PlatformDone  Kind = "platform"       // Item: the platform reports a password, code or factor as verified
	FindingMade   Kind = "finding"        // Code, Evidence
	Classified    Kind = "classify"       // Code = procedure
	RiskSet       Kind = "risk"           // Code = low, medium, high
	Recommend     Kind = "recommend"      // Reason
	Approve       Kind = "approve"        //
	Reject        Kind = "reject"         // the approval is denied: back to review
	Refuse        Kind = "refuse"         // Code, Reason
	Withdraw      Kind = "withdraw"       // an agent, for the customer, on a written request
	Reopen        Kind = "reopen"         //
	Merge         Kind = "merge"          // Code = main ticket
	Absorb        Kind = "absorb"         // Other: a case merged into this one; its periods began earlier
	MarkSpam      Kind = "spam"           //
	Finish        Kind = "close"          // an agent ends a ticket that changes no account
	Resend        Kind = "resend"         // a new challenge
	Ask           Kind = "ask"            // Items: ask for documents beyond the matrix; Reason
	Advance       Kind = "advance"        // an agent's "next": leaves triage, forwards a case by hand
	TimerDue      Kind = "timer"          // Timer
	ActivitySeen  Kind = "activity"       // Activity
	HoldSet       Kind = "hold_set"       // Reason
	HoldReleased  Kind = "hold_released"  // Reason
	Executed      Kind = "executed"       // Key, Code = ok | retry | error | unknown
	Bounced       Kind = "bounced"        // a hard bounce of the registered address
	ComplaintYes  Kind = "complaint"      // an agent confirms: clock from receipt; Reason may name the person complained about
	ComplaintNo   Kind = "complaint_no"   // an approver removes the classification; Reason
	ComplaintDone Kind = "complaint_done" // the final answer; Words: findings, redress
	Extend        Kind = "extend"         // the period of a request is extended; Reason
)

// Event is one thing that happened to a case. Actor is a login name, an address or "system".
type Event struct {
	ID     string     `json:"id"` // applied once: an event with an ID seen before changes nothing
	Kind   Kind       `json:"kind"`
	Actor  string     `json:"actor"`
	Role   agent.Role `json:"role"`
	Expect int        `json:"expect,omitzero"` // Case.Visible as the actor saw it; 0: not checked
	Fresh  Fresh      `json:"fresh,omitzero"`

	Mail     *Mail         `json:"mail,omitzero"`
	Answer   *Answer       `json:"answer,omitzero"`
	Page     *Page         `json:"page,omitzero"`
	Item     string        `json:"item,omitzero"`
	Items    []string      `json:"items,omitzero"`
	File     *File         `json:"file,omitzero"`
	Accept   bool          `json:"accept,omitzero"`
	Reject   RejectCode    `json:"reject,omitzero"`
	Form     *Form         `json:"form,omitzero"`
	Facts    *AccountFacts `json:"facts,omitzero"`
	Timer    string        `json:"timer,omitzero"`
	Activity *Activity     `json:"activity,omitzero"`
	Code     string        `json:"code,omitzero"`
	Reason   string        `json:"reason,omitzero"`
	Evidence string        `json:"evidence,omitzero"`
	Key      string        `json:"key,omitzero"`
	Other    *Case         `json:"other,omitzero"`
	// Words are texts a person wrote for the mail that follows, by variable: findings, redress, reason_text, scope, …
	Words map[string]string `json:"words,omitzero"`
}

// Fresh is randomness drawn by the caller before the step, because a step draws none: a challenge's id and the keyed hash of
// its secret. Pass one with every event: it is used only when the step issues a challenge, and the effect then carries its id.
type Fresh struct {
	Challenge string `json:"challenge,omitzero"`
	MAC       string `json:"mac,omitzero"`
}

// Mail is what the rules made of one human mail.
type Mail struct {
	Message    string            `json:"message"` // evidence reference
	From       string            `json:"from"`
	Aligned    bool              `json:"aligned"` // DMARC-aligned pass
	Auto       bool              `json:"auto,omitzero"`
	ReceivedAt time.Time         `json:"received_at"` // the server's INTERNALDATE
	Confidence float64           `json:"confidence"`
	Provided   []string          `json:"provided,omitzero"` // account_id, reason, zero_balance_statement, …
	Facts      map[string]string `json:"facts,omitzero"`
	Flags      []string          `json:"flags,omitzero"` // secret:KIND, not_me, withdraw_request, fast_track, status_question, secret, agency, complaint, unauthorised, appeal, payee_change, resend
	Files      []File            `json:"files,omitzero"`
}

// Answer to a challenge. A page answer is a POST from the page behind the link.
type Answer struct {
	Challenge string `json:"challenge"`
	MAC       string `json:"mac"`
	Channel   string `json:"channel"`          // page, app, email_reply
	Quoted    bool   `json:"quoted,omitzero"`  // the code stood in quoted text, not in the customer's own words
	Outside   bool   `json:"outside,omitzero"` // the mail is not part of the ticket's thread
}

// Page is a button pressed on one of our pages by somebody who holds the link sent to the registered address.
type Page struct {
	Action string   `json:"action"`          // declare, undo, withdraw, not_me, soft_accept
	Items  []string `json:"items,omitzero"`  // declare: the statements ticked
	Terms  string   `json:"terms,omitzero"`  // declare: hash of the terms shown
	Amount []Money  `json:"amount,omitzero"` // declare: the balance given up, in the customer's words
}

// Activity is something done with the account while a request was open.
type Activity struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"` // login, trade, transfer, withdrawal, binding, credential_change, contact_change
	At   time.Time `json:"at"`
}

// AccountFacts is one look into the account system. A nil part was not answered and is unknown, which never passes.
type AccountFacts struct {
	ReadAt       time.Time      `json:"read_at"`
	Found        *bool          `json:"found,omitzero"`
	Ref          string         `json:"ref,omitzero"`
	Contacts     *Contacts      `json:"contacts,omitzero"`
	Balances     *[]Money       `json:"balances,omitzero"` // every currency and sub-wallet, reserves and points with cash value included
	Pending      *[]string      `json:"pending,omitzero"`  // kinds of unfinished transactions
	Disputes     *int           `json:"disputes,omitzero"`
	Debts        *[]Money       `json:"debts,omitzero"`
	Links        *[]string      `json:"links,omitzero"` // linked services still on
	Last         *LastActivity  `json:"last,omitzero"`
	Restrictions *[]Restriction `json:"restrictions,omitzero"`
	Status       *string        `json:"status,omitzero"` // active, locked, restricted, dormant, closed
}

// Contacts are the registered ways to reach the customer.
type Contacts struct {
	Address     string `json:"address"`
	Deliverable bool   `json:"deliverable"` // no hard bounce known
	Phone       bool   `json:"phone"`       // a phone is on file
}

// LastActivity holds the newest moment of each kind; zero means never.
type LastActivity struct {
	Transaction time.Time `json:"transaction,omitzero"` // trade, transfer or withdrawal
	Credential  time.Time `json:"credential,omitzero"`  // mail, phone, password or second factor changed
	Login       time.Time `json:"login,omitzero"`
}

// Restriction of an account. A hidden one is known to compliance only.
type Restriction struct {
	Reason string `json:"reason,omitzero"`
	Hidden bool   `json:"hidden,omitzero"`
}
