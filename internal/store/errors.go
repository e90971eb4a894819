package store

import (
	"errors"

	"gorm.io/gorm"
)

// What a caller of the store can act on, besides the sentinels of package ticket. All come wrapped.
var (
	ErrUnrecorded = errors.New("change without an audit event")
	ErrSchemaOld  = errors.New("database schema is older than this program; run: postdesk migrate")
	ErrSchemaNew  = errors.New("database schema is newer than this program")
	ErrBusy       = errors.New("database is locked by another process")
	ErrFull       = errors.New("no space left for the database")
	ErrClosed     = errors.New("store is closed")
	ErrLost       = errors.New("connection to the database is lost")
	ErrExists     = gorm.ErrDuplicatedKey // a row with that key exists, besides ticket.ErrConflict
)

// Unavailable reports whether the database takes nothing at all for now: another try of the same transaction may succeed later,
// and nothing is wrong with what was to be written.
func Unavailable(err error) bool {
	return errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) || errors.Is(err, ErrClosed) || errors.Is(err, ErrLost)
}
