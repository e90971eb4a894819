package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Manual is the account system of a desk that has none: people look it up in the platform's back office and enter what they
// saw. What nobody entered is unknown, and so is what was entered too long ago.
type Manual struct {
	book Book
	now  func() time.Time
}

// Book keeps the entries. Latest returns the newest entry for an account and field, Known false when there is none.
type Book interface {
	Latest(ctx context.Context, ref, field string) (Result[Entry], error)
	Add(ctx context.Context, e Entry) error
}

// Entry is one fact a person looked up.
type Entry struct {
	Ref      string          `json:"ref"`
	Field    string          `json:"field"` // see Fields; "email:…" and "id:…" for look-ups; "order:KEY" for a change
	Value    json.RawMessage `json:"value"` // the same JSON as the HTTP service gives
	Evidence string          `json:"evidence"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
}

// Fields lists what can be entered about an account.
func Fields() []string {
	return []string{"contacts", "balances", "pending", "disputes", "debts", "links", "last-activity", "restrictions", "status"}
}

// entryLife is how long an entry counts: the checks of an account must be less than a day old when it is changed.
const entryLife = 24 * time.Hour

// NewManual asks the book.
func NewManual(book Book, now func() time.Time) *Manual { return &Manual{book: book, now: now} }

// Enter records what a person saw. Evidence and the person are mandatory, and the value has to be of the field's form.
func (m *Manual) Enter(ctx context.Context, e Entry) error {
	if strings.TrimSpace(e.Evidence) == "" || strings.TrimSpace(e.By) == "" {
		return ErrNoEvidence
	}
	kind, _, _ := strings.Cut(e.Field, ":")
	if !slices.Contains(append(Fields(), "email", "id", "order"), kind) || e.Ref == "" && kind != "email" && kind != "id" {
		return fmt.Errorf("enter %q: there is no such field", e.Field)
	}
	if err := validEntry(kind, e.Value); err != nil {
		return fmt.Errorf("enter %s: %w", e.Field, err)
	}
	e.At = m.now()
	return m.book.Add(ctx, e)
}

func validEntry(kind string, value json.RawMessage) error {
	switch kind {
	case "balances", "debts":
		return eachOf(value, Money.valid)
	case "pending":
		return eachOf(value, func(p Pending) error { return named(p.Kind) })
	case "disputes":
		return eachOf(value, func(d Dispute) error { return named(d.ID) })
	case "links":
		return eachOf(value, func(l Link) error { return named(l.Name) })
	case "restrictions":
		return eachOf(value, func(Restriction) error { return nil })
	case "contacts":
		return one(value, func(c Contacts) error {
			if !strings.Contains(c.Address, "@") {
				return errors.New("there is no address")
			}
			return nil
		})
	case "status":
		return one(value, func(s Status) error {
			if !slices.Contains(Statuses(), s) {
				return fmt.Errorf("status %q is unknown", s)
			}
			return nil
		})
	case "last-activity":
		return one(value, func(Last) error { return nil })
	case "order":
		return one(value, func(s State) error {
			if !slices.Contains([]State{Done, Retry, Refused}, s) {
				return fmt.Errorf("outcome %q is unknown", s)
			}
			return nil
		})
	}
	return one(value, func(Found) error { return nil })
}

func one[T any](value json.RawMessage, valid func(T) error) error {
	var v *T
	if err := json.Unmarshal(value, &v); err != nil || v == nil {
		return errors.New("the value has another form")
	}
	return valid(*v)
}

func eachOf[T any](value json.RawMessage, valid func(T) error) error {
	return one(value, func(items []T) error {
		for _, it := range items {
			if err := valid(it); err != nil {
				return err
			}
		}
		return nil
	})
}

// entered reads one field from the book.
func entered[T any](ctx context.Context, m *Manual, ref, field string) Result[T] {
	r, err := m.book.Latest(ctx, ref, field)
	switch {
	case err != nil:
		return unknown[T](err.Error())
	case !r.Known:
		return unknown[T]("nobody has looked this up")
	case m.now().Sub(r.Value.At) >= entryLife:
		return unknown[T]("this was looked up too long ago")
	}
	var v T
	if err := json.Unmarshal(r.Value.Value, &v); err != nil {
		return unknown[T]("the entry cannot be read")
	}
	return known(v, r.Value.At)
}

func (m *Manual) FindByEmail(ctx context.Context, address string) Result[Found] {
	return entered[Found](ctx, m, "", "email:"+strings.ToLower(address))
}

func (m *Manual) FindByID(ctx context.Context, id string) Result[Found] {
	return entered[Found](ctx, m, "", "id:"+id)
}

func (m *Manual) Contacts(ctx context.Context, ref string) Result[Contacts] {
	return entered[Contacts](ctx, m, ref, "contacts")
}

func (m *Manual) Balances(ctx context.Context, ref string) Result[[]Money] {
	return entered[[]Money](ctx, m, ref, "balances")
}

func (m *Manual) Pending(ctx context.Context, ref string) Result[[]Pending] {
	return entered[[]Pending](ctx, m, ref, "pending")
}

func (m *Manual) Disputes(ctx context.Context, ref string) Result[[]Dispute] {
	return entered[[]Dispute](ctx, m, ref, "disputes")
}

func (m *Manual) Debts(ctx context.Context, ref string) Result[[]Money] {
	return entered[[]Money](ctx, m, ref, "debts")
}

func (m *Manual) Links(ctx context.Context, ref string) Result[[]Link] {
	return entered[[]Link](ctx, m, ref, "links")
}

func (m *Manual) LastActivity(ctx context.Context, ref string) Result[Last] {
	return entered[Last](ctx, m, ref, "last-activity")
}

func (m *Manual) Restrictions(ctx context.Context, ref string) Result[[]Restriction] {
	return entered[[]Restriction](ctx, m, ref, "restrictions")
}

func (m *Manual) Status(ctx context.Context, ref string) Result[Status] {
	return entered[Status](ctx, m, ref, "status")
}

func (m *Manual) Close(ctx context.Context, ref, key string) (Outcome, error) {
	return m.order(ctx, ref, "close", key)
}

func (m *Manual) Deactivate(ctx context.Context, ref, key string) (Outcome, error) {
	return m.order(ctx, ref, "deactivate", key)
}

func (m *Manual) Perform(ctx context.Context, action Action, ref, key string) (Outcome, error) {
	if !slices.Contains(Actions(), action) {
		return Outcome{}, fmt.Errorf("account system has no action %q", action)
	}
	return m.order(ctx, ref, string(action), key)
}

// order returns what a person entered about the change with this key. Until then the outcome is unclear: a task for a person.
func (m *Manual) order(ctx context.Context, ref, action, key string) (Outcome, error) {
	if key == "" {
		return Outcome{}, ErrNoKey
	}
	r, err := m.book.Latest(ctx, ref, "order:"+key)
	if err != nil {
		return Outcome{State: Unclear, Problem: err.Error()}, nil
	}
	if !r.Known {
		return Outcome{State: Unclear, Problem: action + " waits for a person to do it on the platform"}, nil
	}
	var s State
	if err := json.Unmarshal(r.Value.Value, &s); err != nil {
		return Outcome{State: Unclear, Problem: "the entry cannot be read"}, nil
	}
	return Outcome{State: s, At: r.Value.At}, nil
}
