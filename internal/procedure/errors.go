package procedure

import (
	"errors"
	"fmt"

	"postdesk/internal/ticket"
)

// What a caller can act on, beside ticket.ErrInvalid, ticket.ErrForbidden and ticket.ErrConflict.
var (
	// ErrExpired: the challenge was used, replaced or is too old; the page offers a new one.
	ErrExpired = errors.New("challenge is no longer valid")
	// ErrFresh: the step issues a challenge and Event.Fresh was empty.
	ErrFresh = errors.New("the step needs a fresh challenge")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ticket.ErrInvalid, fmt.Sprintf(format, args...))
}

func forbidden(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ticket.ErrForbidden, fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ticket.ErrConflict, fmt.Sprintf(format, args...))
}
