package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/alexedwards/argon2id"

	"postdesk/internal/agent"
	"postdesk/internal/store"
	"postdesk/internal/ticket"
)

// as reads the account that acts and checks that it may. Every verb of a person begins here, whoever calls it.
func (d *Desk) as(ctx context.Context, q accounts, name string, v agent.Verb) (agent.Account, error) {
	if name == "" {
		return agent.Account{}, fmt.Errorf("say who acts (--as AGENT): %w", ticket.ErrForbidden)
	}
	a, err := q.Account(ctx, strings.ToLower(name))
	if errors.Is(err, ticket.ErrNotFound) {
		return a, fmt.Errorf("there is no agent %q (postdesk agent add %s): %w", name, name, ticket.ErrForbidden)
	}
	if err != nil {
		return a, fmt.Errorf("account of %s: %w", name, err)
	}
	if !a.May(v) {
		return a, fmt.Errorf("%s (%s) may not %s: %w", a.Name, a.Role, v, ticket.ErrForbidden)
	}
	return a, nil
}

type accounts interface {
	Account(ctx context.Context, name string) (agent.Account, error)
}

// AddAgent adds a staff account. by is who does it; "" is the operator at the machine, who has the database anyway.
func (d *Desk) AddAgent(ctx context.Context, by string, a agent.Account, password string) error {
	a.Name = strings.ToLower(strings.TrimSpace(a.Name))
	if !validName(a.Name) {
		return fmt.Errorf("agent name %q: use letters, digits, dots and dashes: %w", a.Name, ticket.ErrInvalid)
	}
	if a.Name == System || a.Name == operator {
		return fmt.Errorf("agent name %q stands in the record for what no agent did: %w", a.Name, ticket.ErrInvalid)
	}
	if !slices.Contains(agent.Roles(), a.Role) {
		return fmt.Errorf("role %q is none of %v: %w", a.Role, agent.Roles(), ticket.ErrInvalid)
	}
	if err := setPassword(&a, password); err != nil {
		return err
	}
	return d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		if by != "" {
			if _, err := d.as(ctx, tx, by, agent.Staff); err != nil {
				return err
			}
		}
		if _, err := tx.Account(ctx, a.Name); err == nil {
			return fmt.Errorf("agent %q exists already: %w", a.Name, ticket.ErrConflict)
		}
		a.CreatedAt = tx.Now()
		tx.Insert(&a)
		tx.Record("agent.added", 0, map[string]any{"agent": a.Name, "role": a.Role}, &a)
		return nil
	})
}

// validName accepts letters, digits, dots, dashes and underscores, beginning with a letter or digit.
func validName(name string) bool {
	for i, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return name != ""
}

// ChangeAgent disables, enables or gives a new password to an account.
func (d *Desk) ChangeAgent(ctx context.Context, by, name string, change func(*agent.Account) error) error {
	return d.Store.Write(ctx, actorOr(by), func(tx *store.Tx) error {
		if by != "" {
			if _, err := d.as(ctx, tx, by, agent.Staff); err != nil {
				return err
			}
		}
		a, err := tx.Account(ctx, strings.ToLower(name))
		if err != nil {
			return fmt.Errorf("agent %q: %w", name, err)
		}
		if err := change(&a); err != nil {
			return err
		}
		tx.Update(&a)
		tx.Record("agent.changed", 0, map[string]any{"agent": a.Name, "disabled": a.Disabled}, &a)
		return nil
	})
}

// Password returns a change that sets a password.
func Password(password string) func(*agent.Account) error {
	return func(a *agent.Account) error { return setPassword(a, password) }
}

// Disable is a change that ends an account's rights.
func Disable(a *agent.Account) error { a.Disabled = true; return nil }

// setPassword hashes with argon2id (RFC 9106); an empty password leaves the account without log-in.
func setPassword(a *agent.Account, password string) (err error) {
	if password == "" {
		return nil
	}
	if len(password) < 10 {
		return fmt.Errorf("the password has fewer than 10 characters: %w", ticket.ErrInvalid)
	}
	a.Password, err = argon2id.CreateHash(password, argon2id.DefaultParams)
	return err
}

// operator is the actor of commands that nobody in particular gave: whoever may read the key file and the database.
const operator = "operator"

func actorOr(by string) string {
	if by == "" {
		return operator
	}
	return strings.ToLower(by)
}
