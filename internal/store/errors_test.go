package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

func TestUnavailableTellsTheDatabasesTroubleFromTheData(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"cut connection":        {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true},
		"end in mid-answer":     {fmt.Errorf("receive: %w", io.ErrUnexpectedEOF), true},
		"bad connection":        {driver.ErrBadConn, true},
		"server shut down":      {&pgconn.PgError{Code: "57P01"}, true},
		"connection failure":    {&pgconn.PgError{Code: "08006"}, true},
		"no space, postgres":    {&pgconn.PgError{Code: "53100"}, true},
		"locked, sqlite":        {sqlite3.Error{Code: sqlite3.ErrBusy}, true},
		"no space, sqlite":      {sqlite3.Error{Code: sqlite3.ErrFull}, true},
		"a key that exists":     {&pgconn.PgError{Code: "23505"}, false},
		"a value too long":      {&pgconn.PgError{Code: "22001"}, false},
		"anything else at hand": {errors.New("render: no such variable"), false},
	} {
		if got := Unavailable(classify(tc.err)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
