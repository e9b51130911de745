package devstack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/devstack"
)

// exec runs one statement and returns its only value.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	var value string
	require.NoError(t, conn.QueryRow(t.Context(), statement).Scan(&value))
	return value
}

func TestPostgresKeepsDataAndIsShared(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(passableDir(t), "pg")
	first, err := devstack.StartPostgres(t.Context(), devstack.PostgresConfig{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, first.EnsureDatabase(t.Context(), "optria"))
	require.NoError(t, first.EnsureDatabase(t.Context(), "optria"))
	query(t, first.URL("optria"), "WITH made AS (SELECT set_config('x.y', 'z', false)) SELECT 'ok'")
	require.Equal(t, "on", query(t, first.URL("optria"), "SHOW fsync"))
	require.Empty(t, query(t, first.URL("optria"), "SHOW listen_addresses"))

	second, err := devstack.StartPostgres(t.Context(), devstack.PostgresConfig{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, first.URL("optria"), second.URL("optria"))
	require.NoError(t, second.Stop(), "the second user must not stop the first one's server")
	require.Equal(t, "optria", query(t, first.URL("optria"), "SELECT current_database()::text"))

	require.NoError(t, first.Stop())
	again, err := devstack.StartPostgres(t.Context(), devstack.PostgresConfig{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, "optria", query(t, again.URL("optria"), "SELECT current_database()::text"))
	require.NoError(t, again.Stop())
}

func TestPostgresComesBackAfterAKill(t *testing.T) {
	t.Parallel()
	server, err := devstack.StartPostgres(t.Context(), devstack.PostgresConfig{Ephemeral: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.Equal(t, "off", query(t, server.URL("postgres"), "SHOW fsync"))

	data := query(t, server.URL("postgres"), "SHOW data_directory")
	require.NoError(t, syscall.Kill(postmaster(t, data), syscall.SIGKILL))
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
		return err == nil && conn.Close(t.Context()) == nil
	}, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, server.Stop())
	require.NoDirExists(t, data)
}

func TestPostgresNeverReplacesAClusterOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(passableDir(t), "pg")
	data := filepath.Join(dir, "data")
	require.NoError(t, os.MkdirAll(data, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := devstack.StartPostgres(ctx, devstack.PostgresConfig{Dir: dir})
	require.ErrorContains(t, err, "needs PostgreSQL 9")
	require.FileExists(t, filepath.Join(data, "PG_VERSION"))
}

func TestPostgresWithAVeryLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(passableDir(t), "a-directory-with-a-name-that-is-rather-long", "and-one-more-of-them-to-pass-the-limit-of-a-socket", "pg")
	server, err := devstack.StartPostgres(t.Context(), devstack.PostgresConfig{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, "1", query(t, server.URL("postgres"), "SELECT '1'"))
	require.NoError(t, server.Stop())
}

// passableDir is a directory that the server's account can reach; t.TempDir is
// closed to other users.
func passableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devstack-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// postmaster reads the process id of the server from its pid file.
func postmaster(t *testing.T, data string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	require.NoError(t, err)
	return pid
}
