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
	ErrExists     = gorm.ErrDuplicatedKey // a row with that key exists, besides ticket.ErrConflict
)
