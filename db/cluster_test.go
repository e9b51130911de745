package db_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/testkit"
)

// migrated is the template that every database of these tests is cloned from.
var migrated = testkit.Template{Key: "db", Build: db.Prepare}

// openDatabase opens a fresh clone as superuser, as `optria dev` does.
func openDatabase(t *testing.T) (*db.DB, string) {
	t.Helper()
	url := testkit.Database(t, migrated)
	d, err := db.Open(t.Context(), url, db.Config{MaxConns: 8})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d, url
}

// superuser connects past row-level security to look at what is really stored.
func superuser(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}
