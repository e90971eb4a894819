package procedure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"postdesk/internal/agent"
)

// Case is everything a procedure knows about one ticket. It is stored as JSON between two steps; times are UTC. A Case is
// changed by Step only, and Step never changes the value it was given.
type Case struct {
	Ticket       int64     `json:"ticket"`
	Procedure    string    `json:"procedure"` // the machine it follows
	Profile      string    `json:"profile"`   // the brand overlay
	Version      string    `json:"version"`   // of the rule files that made the last step
	Brand        string    `json:"brand"`
	Jurisdiction string    `json:"jurisdiction"`
	Language     string    `json:"language"` // BCP 47, of the customer
	Risk         Risk      `json:"risk"`
	Confidence   float64   `json:"confidence"` // of the classification; 1 when a person decided
	OpenedAt     time.Time `json:"opened_at"`  // receipt of the first mail: every legal period counts from here

	State    string    `json:"state"`
	Since    time.Time `json:"since"`   // when State was entered
	Steps    int       `json:"steps"`   // transitions so far; as many records were written
	Visible  int       `json:"visible"` // transitions that people without the compliance role may see
	Resume   string    `json:"resume,omitzero"`
	Closed   bool      `json:"closed,omitzero"`    // the account object itself is gone: a later mail opens a new ticket
	EndedAt  time.Time `json:"ended_at,omitzero"`  // when a final state was entered
	LastMail time.Time `json:"last_mail,omitzero"` // last human mail from the customer

	Account   Account            `json:"account,omitzero"`
	Identity  Identity           `json:"identity"`
	Challenge Challenge          `json:"challenge,omitzero"`
	Items     map[string]Item    `json:"items"`
	Requests  []Request          `json:"requests,omitzero"`
	Unsorted  []File             `json:"unsorted,omitzero"` // files no item could be found for: an agent assigns them
	Refused   []string           `json:"refused_files,omitzero"`
	Checks    map[string]Check   `json:"checks,omitzero"`
	Facts     map[string]string  `json:"facts,omitzero"`    // what the customer told us: txid, amount, …
	Words     map[string]string  `json:"words,omitzero"`    // what a person wrote for a coming mail, by variable
	Balances  []Money            `json:"balances,omitzero"` // as last read
	Finding   Finding            `json:"finding,omitzero"`
	Findings  map[string]int     `json:"findings,omitzero"` // how often each finding was made
	Timers    map[string]Timer   `json:"timers,omitzero"`
	Clocks    []Clock            `json:"clocks,omitzero"`
	Sent      map[string]Sending `json:"sent,omitzero"`

	Recommendation *Decision `json:"recommendation,omitzero"`
	Approval       *Decision `json:"approval,omitzero"`
	Refusal        *Decision `json:"refusal,omitzero"`
	Excluded       []string  `json:"excluded,omitzero"` // may not decide again: they refused before an appeal
	Decided        string    `json:"decided,omitzero"`  // who recommended what ended the case
	Editor         string    `json:"editor,omitzero"`   // the person who changed the evidence last
	Complaint      Complaint `json:"complaint,omitzero"`
	Execution      Execution `json:"execution,omitzero"`
	UndoUntil      time.Time `json:"undo_until,omitzero"`
	InvitedUntil   time.Time `json:"invited_until,omitzero"` // a login before this moment answers our own request
	Activity       *Activity `json:"activity,omitzero"`      // what suspended the request
	CoolingUntil   time.Time `json:"cooling_until,omitzero"`
	Dust           []Money   `json:"dust,omitzero"` // the balances too small to withdraw

	Hold      *Hold    `json:"hold,omitzero"`      // hidden: see View
	HiddenBar bool     `json:"hiddenbar,omitzero"` // hidden: the account system reports a restriction that must not be disclosed
	Seen      []string `json:"seen,omitzero"`      // the last events applied, by ID
}

// Risk decides which documents are asked for.
type Risk string

const (
	Low    Risk = "low"
	Medium Risk = "medium"
	High   Risk = "high"
)

// Level says how sure we are of the sender: A0 nothing, A1 the From address is the registered one, A2 and DMARC-aligned,
// A3 and a challenge sent to the registered address was answered, A4 and the required documents were accepted.
type Level int

const (
	A0 Level = iota
	A1
	A2
	A3
	A4
)

// String is "A0" … "A4".
func (l Level) String() string { return fmt.Sprintf("A%d", int(l)) }

// MarshalText writes "A0" … "A4".
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads "A0" … "A4".
func (l *Level) UnmarshalText(b []byte) error {
	if len(b) != 2 || b[0] != 'A' || b[1] < '0' || b[1] > '4' {
		return fmt.Errorf("identity level %q is none of A0 … A4", b)
	}
	*l = Level(b[1] - '0')
	return nil
}

// Account is the platform account the case is about, once it was found.
type Account struct {
	Ref     string `json:"ref,omitzero"`     // the account system's id
	Address string `json:"address,omitzero"` // the registered mail address, as stored there: the only place a challenge goes
	Status  string `json:"status,omitzero"`  // last status read
	Looked  bool   `json:"looked,omitzero"`  // the look-up was answered, whatever it found
}

// Identity is what the case knows of the sender.
type Identity struct {
	Level       Level     `json:"level"` // A0 … A3; A4 follows from accepted documents, see Case.Level
	From        string    `json:"from,omitzero"`
	Aligned     bool      `json:"aligned,omitzero"`
	ProvenAt    time.Time `json:"proven_at,omitzero"`
	LockedUntil time.Time `json:"locked_until,omitzero"` // after three wrong answers
}

// Challenge is the one open question "is this you?". The secret itself is never here.
type Challenge struct {
	ID        string      `json:"id,omitzero"`
	Purpose   string      `json:"purpose,omitzero"` // identity, reconfirm, undo, soft
	Bound     string      `json:"bound,omitzero"`   // ticket, action and account it was issued for
	MAC       string      `json:"mac,omitzero"`     // keyed hash of the secret
	ExpiresAt time.Time   `json:"expires_at,omitzero"`
	Attempts  int         `json:"attempts,omitzero"`
	Used      bool        `json:"used,omitzero"`
	Issued    []time.Time `json:"issued,omitzero"` // within the last 24 hours
}

// ItemState is where one checklist item stands.
type ItemState string

const (
	ItemOpen      ItemState = "open"
	ItemSubmitted ItemState = "submitted"
	ItemSatisfied ItemState = "satisfied"
	ItemRejected  ItemState = "rejected"
	ItemWaived    ItemState = "waived"
	ItemNA        ItemState = "n/a"
)

// Item is one line of the checklist.
type Item struct {
	State      ItemState  `json:"state"`
	Source     Source     `json:"source"`
	Hidden     bool       `json:"hidden,omitzero"`
	Evidence   string     `json:"evidence,omitzero"` // message, file or note that proves it
	Attempts   int        `json:"attempts,omitzero"` // rejections so far
	Reject     RejectCode `json:"reject,omitzero"`
	File       *File      `json:"file,omitzero"`
	From       string     `json:"from,omitzero"` // who stated it, and whether the mail was aligned
	Aligned    bool       `json:"aligned,omitzero"`
	DecidedBy  string     `json:"decided_by,omitzero"`
	DecidedAs  agent.Role `json:"decided_as,omitzero"`
	DecidedAt  time.Time  `json:"decided_at,omitzero"`
	ReceivedAt time.Time  `json:"received_at,omitzero"`
	ExpiresAt  time.Time  `json:"expires_at,omitzero"` // an accepted document grows old
	Note       string     `json:"note,omitzero"`
	Told       bool       `json:"told,omitzero"` // the customer knows of the last decision
}

// Request is one request for documents. A case has at most one open request per purpose.
type Request struct {
	ID       string    `json:"id"`
	Purpose  string    `json:"purpose"`
	Items    []string  `json:"items"` // keys of checklist items; their states are there
	State    string    `json:"state"` // open, answered, complete, expired, cancelled
	AskedAt  time.Time `json:"asked_at"`
	DueAt    time.Time `json:"due_at"`
	Attempts int       `json:"attempts"` // how often it was asked
}

// Outcome of a check. Unknown never passes.
type Outcome string

const (
	Pass    Outcome = "pass"
	Block   Outcome = "block"
	Unknown Outcome = "unknown"
)

// Check is the last result of one look into the account system.
type Check struct {
	Outcome  Outcome   `json:"outcome"`
	Blockers []Blocker `json:"blockers,omitzero"`
	At       time.Time `json:"at,omitzero"`       // of the last known result: what is judged for freshness
	TriedAt  time.Time `json:"tried_at,omitzero"` // of the last attempt, answered or not
}

// Blocker is one thing the customer can do something about.
type Blocker struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitzero"`
}

// Finding is a diagnosis: what a person or the account system found to be the cause.
type Finding struct {
	Code     string    `json:"code,omitzero"`
	By       string    `json:"by,omitzero"`
	At       time.Time `json:"at,omitzero"`
	Evidence string    `json:"evidence,omitzero"`
}

// Timer is something that happens when nothing else does.
type Timer struct {
	Due time.Time `json:"due"`
}

// Sending remembers when a template was last sent, and how often.
type Sending struct {
	At    time.Time `json:"at"`
	Count int       `json:"count"`
}

// Decision is one person's decision, bound to the evidence as it stood.
type Decision struct {
	By       string     `json:"by"`
	As       agent.Role `json:"as"`
	At       time.Time  `json:"at"`
	Action   string     `json:"action,omitzero"`
	Code     string     `json:"code,omitzero"`
	Reason   string     `json:"reason,omitzero"`
	Evidence string     `json:"evidence"` // hash, see Case.Evidence
}

// Complaint is the flag beside any ticket; its clock is among Clocks.
type Complaint struct {
	Proposed   time.Time `json:"proposed,omitzero"`
	ReceivedAt time.Time `json:"received_at,omitzero"` // of the mail that complained
	Confirmed  time.Time `json:"confirmed,omitzero"`
	By         string    `json:"by,omitzero"`
	About      string    `json:"about,omitzero"` // the member of staff complained about: may not investigate
	Removed    time.Time `json:"removed,omitzero"`
	Ended      time.Time `json:"ended,omitzero"`
}

// Open reports whether a complaint is confirmed and not finished.
func (c Complaint) Open() bool {
	return !c.Confirmed.IsZero() && c.Removed.IsZero() && c.Ended.IsZero()
}

// Execution is the one change of the account that was decided.
type Execution struct {
	Number   int       `json:"number,omitzero"` // of executions begun on this case; part of the key
	Action   string    `json:"action,omitzero"`
	Key      string    `json:"key,omitzero"` // idempotency key: the same for every retry of one decision
	State    string    `json:"state,omitzero"`
	Attempts int       `json:"attempts,omitzero"`
	At       time.Time `json:"at,omitzero"`
	DoneAt   time.Time `json:"done_at,omitzero"`
	Spent    bool      `json:"spent,omitzero"` // the approval was used up
}

// Hold is a hidden stop set by compliance.
type Hold struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Money is an amount in decimal notation, with its currency.
type Money struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

// String is "12.50 EUR".
func (m Money) String() string { return m.Amount + " " + m.Currency }

// Level is the identity reached: A4 when the challenge was answered and every required document that proves identity is
// accepted and not out of date.
func (s *Set) Level(c Case, now time.Time) Level {
	if c.Identity.Level < A3 {
		return c.Identity.Level
	}
	m := s.machine(c)
	if m == nil {
		return c.Identity.Level
	}
	proofs := 0
	for key, def := range m.Items {
		it, ok := c.Items[key]
		if !ok || def.Doc == "" || !def.Proves || it.State == ItemNA {
			continue
		}
		if !it.settled(now) {
			return A3
		}
		proofs++
	}
	if proofs == 0 {
		return A3
	}
	return A4
}

// settled reports whether the item is satisfied or waived, and still valid.
func (i Item) settled(now time.Time) bool {
	if i.State == ItemWaived || i.State == ItemNA {
		return true
	}
	return i.State == ItemSatisfied && (i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt))
}

// clone copies everything a step may change.
func (c Case) clone() Case {
	c.Items = maps.Clone(c.Items)
	for k, it := range c.Items {
		if it.File != nil {
			f := *it.File
			it.File = &f
			c.Items[k] = it
		}
	}
	c.Requests = slices.Clone(c.Requests)
	for i := range c.Requests {
		c.Requests[i].Items = slices.Clone(c.Requests[i].Items)
	}
	c.Unsorted = slices.Clone(c.Unsorted)
	c.Refused = slices.Clone(c.Refused)
	c.Checks = maps.Clone(c.Checks)
	c.Facts = maps.Clone(c.Facts)
	c.Words = maps.Clone(c.Words)
	c.Balances = slices.Clone(c.Balances)
	c.Findings = maps.Clone(c.Findings)
	c.Timers = maps.Clone(c.Timers)
	c.Clocks = slices.Clone(c.Clocks)
	for i := range c.Clocks {
		c.Clocks[i].Alerted = slices.Clone(c.Clocks[i].Alerted)
	}
	c.Sent = maps.Clone(c.Sent)
	c.Excluded = slices.Clone(c.Excluded)
	c.Dust = slices.Clone(c.Dust)
	c.Seen = slices.Clone(c.Seen)
	c.Challenge.Issued = slices.Clone(c.Challenge.Issued)
	c.Recommendation = clonePtr(c.Recommendation)
	c.Approval = clonePtr(c.Approval)
	c.Refusal = clonePtr(c.Refusal)
	c.Activity = clonePtr(c.Activity)
	c.Hold = clonePtr(c.Hold)
	c.Items, c.Checks, c.Timers = orEmpty(c.Items), orEmpty(c.Checks), orEmpty(c.Timers)
	c.Facts, c.Words, c.Findings, c.Sent = orEmpty(c.Facts), orEmpty(c.Words), orEmpty(c.Findings), orEmpty(c.Sent)
	return c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// sameAddress compares two mail addresses the way accounts are looked up: without regard to case, nothing else folded.
func sameAddress(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
