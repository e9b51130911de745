package db_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

func TestFault(t *testing.T) {
	t.Parallel()
	own := fault.New(fault.Conflict, "x.y")
	cases := map[string]struct {
		err  error
		code fault.Code
		key  string
	}{
		"no rows":        {pgx.ErrNoRows, fault.NotFound, "db.not_found"},
		"wrapped":        {fmt.Errorf("load asset: %w", pgx.ErrNoRows), fault.NotFound, "db.not_found"},
		"known":          {fmt.Errorf("check: %w", own), fault.Conflict, "x.y"},
		"unique":         {&pgconn.PgError{Code: "23505"}, fault.Conflict, "db.duplicate"},
		"four eyes":      {&pgconn.PgError{Code: "23514", ConstraintName: "four_eyes"}, fault.Forbidden, "plans.four_eyes"},
		"check":          {&pgconn.PgError{Code: "23514", ConstraintName: "other"}, fault.Invalid, "db.invalid"},
		"bad uuid":       {&pgconn.PgError{Code: "22P02"}, fault.Invalid, "db.invalid"},
		"row security":   {&pgconn.PgError{Code: "42501"}, fault.Forbidden, "db.forbidden"},
		"serialization":  {&pgconn.PgError{Code: "40001"}, fault.Unavailable, "db.unavailable"},
		"timeout":        {&pgconn.PgError{Code: "57014"}, fault.Unavailable, "db.unavailable"},
		"too many conns": {&pgconn.PgError{Code: "53300"}, fault.Unavailable, "db.unavailable"},
		"server gone":    {fmt.Errorf("receive: %w", io.ErrUnexpectedEOF), fault.Unavailable, "db.unavailable"},
		"shutdown":       {&pgconn.PgError{Code: "57P01"}, fault.Unavailable, "db.unavailable"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *fault.Error
			require.ErrorAs(t, db.Fault(c.err), &f)
			require.Equal(t, []any{c.code, c.key}, []any{f.Code, f.Key})
			require.ErrorIs(t, db.Fault(c.err), c.err)
		})
	}
	require.NoError(t, db.Fault(nil))
	other := errors.New("division by zero in our own code")
	require.Equal(t, other, db.Fault(other))
}

func TestNoServerIsUnavailable(t *testing.T) {
	t.Parallel()
	started := time.Now()
	_, err := db.Open(t.Context(), "host="+t.TempDir()+" user=nobody dbname=none connect_timeout=1", db.Config{})
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
	require.Less(t, time.Since(started), 10*time.Second)
	require.Equal(t, fault.Unavailable, fault.CodeOf(db.Bootstrap(t.Context(), "host="+t.TempDir()+" user=nobody")))
	_, err = db.Migrate(t.Context(), "host="+t.TempDir()+" user=nobody")
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
}
