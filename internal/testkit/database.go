// Package testkit gives tests the real things: a PostgreSQL database per test,
// a Temporal namespace per test and a browser tab per test. The servers behind
// them are started once per test process, on first use, and are gone when the
// process is.
//
// Nothing here skips: `make test` installs what is needed, and a test that
// cannot run is a failure.
package testkit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/devstack"
)

// Template describes the database that every test of a kind starts from.
type Template struct {
	// Key identifies the content, for example a hash of the migrations.
	Key string
	// Build fills a new, empty database, for example by migrating it. It must
	// close its connections before it returns.
	Build func(ctx context.Context, url string) error
}

// cluster is the PostgreSQL server of this process.
var cluster = sync.OnceValues(func() (*devstack.Postgres, error) {
	return devstack.StartPostgres(context.Background(), devstack.PostgresConfig{Ephemeral: true})
})

// templates holds one function per key that builds the template once.
var templates struct {
	sync.Mutex
	built map[string]func() (string, error)
}

// databases counts the databases that were handed out.
var databases atomic.Int64

// Database returns the URL of a new database that is a copy of the template.
// The database is dropped at the end of the test. The login is a superuser:
// tests of row-level security must take the application's role.
func Database(t testing.TB, template Template) string {
	t.Helper()
	server, err := cluster()
	if err != nil {
		t.Fatalf("no PostgreSQL for the test (make test installs it): %v", err)
	}
	from, err := built(server, template)
	if err != nil {
		t.Fatalf("build template database: %v", err)
	}
	name := "t_" + strconv.FormatInt(databases.Add(1), 10)
	// A copy file by file is faster than one through the log, for nothing is
	// flushed here.
	if err := onServer(server, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(from)+" STRATEGY FILE_COPY"); err != nil {
		t.Fatalf("copy template database: %v", err)
	}
	t.Cleanup(func() {
		if os.Getenv("OPTRIA_KEEP_TEST_DB") != "" && t.Failed() {
			t.Logf("kept: %s", server.URL(name))
			return
		}
		if err := onServer(server, "DROP DATABASE "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return server.URL(name)
}

// built returns the name of the finished template database of a key.
func built(server *devstack.Postgres, template Template) (string, error) {
	templates.Lock()
	if templates.built == nil {
		templates.built = map[string]func() (string, error){}
	}
	build, ok := templates.built[template.Key]
	if !ok {
		name := "tpl_" + strconv.Itoa(len(templates.built))
		build = sync.OnceValues(func() (string, error) { return name, buildTemplate(server, name, template) })
		templates.built[template.Key] = build
	}
	templates.Unlock()
	return build()
}

// buildTemplate makes the database, fills it, and closes it to connections: a
// database with a connection cannot be copied.
func buildTemplate(server *devstack.Postgres, name string, template Template) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := server.EnsureDatabase(ctx, name); err != nil {
		return err
	}
	if template.Build != nil {
		if err := template.Build(ctx, server.URL(name)); err != nil {
			return fmt.Errorf("template %s: %w", template.Key, err)
		}
	}
	return onServer(server, "ALTER DATABASE "+quote(name)+" WITH is_template true allow_connections false")
}

// onServer runs one statement in the maintenance database.
func onServer(server *devstack.Postgres, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to test server: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// As returns a database URL with another role as the login, for tests that
// must run with the rights of that role. The test server trusts every login.
func As(databaseURL, role string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("database URL: %w", err)
	}
	query := u.Query()
	query.Set("user", role)
	u.RawQuery = query.Encode()
	return u.String(), nil
}
