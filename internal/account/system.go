package account

import (
	"context"
	"errors"
	"time"
)

// Errors of calls that cannot be made at all. What merely was not answered is Result.Known == false.
var (
	ErrNoKey      = errors.New("an account is changed with an idempotency key only")
	ErrNoEvidence = errors.New("an entry needs evidence: what was looked at, and where")
	ErrSignature  = errors.New("signature is missing, wrong or too old")
)

// System is what the desk asks of an account system. Implementations are safe for concurrent use, answer within the context's
// deadline, and never return a zero value as a fact: see Result.
type System interface {
	FindByEmail(ctx context.Context, address string) Result[Found]
	FindByID(ctx context.Context, id string) Result[Found]
	Contacts(ctx context.Context, ref string) Result[Contacts]
	Balances(ctx context.Context, ref string) Result[[]Money]   // every currency and sub-wallet, reserves included
	Pending(ctx context.Context, ref string) Result[[]Pending]  // unfinished deposits, withdrawals, transfers, orders
	Disputes(ctx context.Context, ref string) Result[[]Dispute] // open ones
	Debts(ctx context.Context, ref string) Result[[]Money]      // negative balances and unpaid fees
	Links(ctx context.Context, ref string) Result[[]Link]       // services, grants and keys that are still on
	LastActivity(ctx context.Context, ref string) Result[Last]  //
	Restrictions(ctx context.Context, ref string) Result[[]Restriction]
	Status(ctx context.Context, ref string) Result[Status]

	Close(ctx context.Context, ref, key string) (Outcome, error)
	Deactivate(ctx context.Context, ref, key string) (Outcome, error)
	Perform(ctx context.Context, action Action, ref, key string) (Outcome, error)
}

// Result is an answer. Value means something only when Known; Problem says, for people, why it is not.
type Result[T any] struct {
	Known   bool
	Value   T
	At      time.Time // when the account system said so
	Problem string
}

func known[T any](v T, at time.Time) Result[T] { return Result[T]{Known: true, Value: v, At: at} }

func unknown[T any](problem string) Result[T] { return Result[T]{Problem: problem} }

// Found is the outcome of a look-up. A look-up that was answered with "no such account" is Known and not OK.
type Found struct {
	OK  bool   `json:"found"`
	Ref string `json:"id"`
}

// Contacts are the registered ways to reach the customer: the only address an account fact or a challenge is sent to.
type Contacts struct {
	Address     string `json:"email"`
	Deliverable bool   `json:"email_deliverable"`
	Phone       bool   `json:"phone_on_file"`
}

// Money is an amount in decimal notation, as written by the account system, with its currency.
type Money struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

// Pending is one unfinished transaction.
type Pending struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // deposit, withdrawal, transfer, order
}

// Dispute is one open dispute or chargeback.
type Dispute struct {
	ID string `json:"id"`
}

// Link is a service, grant or key that is still on.
type Link struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"` // merchant, subscription, exchange, api_key, quick_payment
}

// Last holds the newest moment of each kind of activity; zero means never.
type Last struct {
	Login       time.Time `json:"login,omitzero"`
	Transaction time.Time `json:"transaction,omitzero"` // trade, transfer, withdrawal
	Credential  time.Time `json:"credential,omitzero"`  // mail, phone, password, second factor
}

// Restriction of an account. The reason of a hidden one is for compliance only.
type Restriction struct {
	Reason string `json:"reason,omitzero"`
	Hidden bool   `json:"hidden,omitzero"`
}

// Status of an account.
type Status string

const (
	Active          Status = "active"
	Locked          Status = "locked"
	Restricted      Status = "restricted"
	Frozen          Status = "frozen"
	Dormant         Status = "dormant"
	Closed          Status = "closed"
	NeedsActivation Status = "needs_activation" // how some platforms show a closed account
)

// Statuses lists every status an account system may report. Another word is not understood and therefore unknown.
func Statuses() []Status {
	return []Status{Active, Locked, Restricted, Frozen, Dormant, Closed, NeedsActivation}
}

// Action is a change other than closing and deactivating.
type Action string

const (
	Freeze     Action = "freeze"
	Unlock     Action = "unlock"
	Lift       Action = "lift"
	Reactivate Action = "reactivate"
	Erase      Action = "erase"
	Payout     Action = "payout" // everything that is left, to an account of the holder's own; works on a closed account
)

// Actions lists every action.
func Actions() []Action { return []Action{Freeze, Unlock, Lift, Reactivate, Erase, Payout} }

// State of an ordered change.
type State string

const (
	Done    State = "done"    // the account system says it is done
	Retry   State = "retry"   // it says: not now; the same key may be sent again
	Refused State = "refused" // it says no
	Unclear State = "unclear" // no answer that can be trusted: it may or may not be done
)

// Outcome of an ordered change.
type Outcome struct {
	State   State
	At      time.Time
	Problem string
}

// Activity is something done with an account, as the platform reports it. ID makes a repeated report recognisable.
type Activity struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Kind    string    `json:"kind"` // login, trade, transfer, withdrawal, binding, credential_change, contact_change
	At      time.Time `json:"at"`
}

// Kinds of Activity.
func activityKinds() []string {
	return []string{"login", "trade", "transfer", "withdrawal", "binding", "credential_change", "contact_change"}
}
