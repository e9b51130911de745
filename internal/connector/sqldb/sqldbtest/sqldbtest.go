// Package sqldbtest lets tests of the SQL connector reach the PostgreSQL server
// of the test suite, which listens on a socket only, over TCP.
package sqldbtest

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// Plant is a database of the test with a TCP port in front of it.
type Plant struct {
	URL  string // for the owner of the data
	Name string // of the database
	Port int
}

// PostgreSQL makes an empty database and a way to it over TCP. The login
// is a superuser, so that only the connector's guard stands in the way of a
// change.
func PostgreSQL(t testing.TB) *Plant {
	t.Helper()
	address := testkit.Database(t, testkit.Template{Key: "sqldb"})
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatalf("read database URL: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go serve(listener, filepath.Join(parsed.Query().Get("host"), ".s.PGSQL.5432"))
	return &Plant{URL: address, Name: parsed.Path[1:], Port: listener.Addr().(*net.TCPAddr).Port}
}

// Config are the settings that reach the database without TLS.
func (p *Plant) Config() connector.Config {
	return connector.Config{"dialect": "postgresql", "host": "127.0.0.1", "port": float64(p.Port), "database": p.Name, "user": "postgres", "tls": "off"}
}

// Exec runs statements as the owner of the data.
func (p *Plant) Exec(t testing.TB, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(context.Background())
	for _, text := range statements {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func serve(listener net.Listener, socket string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed at the end of the test
		}
		go join(client, socket)
	}
}

// join copies bytes both ways until either side ends.
func join(client net.Conn, socket string) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	transfer := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // the end of either side ends both
		ended <- struct{}{}
	}
	go transfer(server, client)
	go transfer(client, server)
	<-ended
}
