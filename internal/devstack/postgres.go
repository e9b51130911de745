package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// superuser owns the private cluster. The product's own roles are made by the
// migrations.
const superuser = "postgres"

// PostgresConfig says where a private cluster lives.
type PostgresConfig struct {
	// Dir holds the cluster and, when they had to be fetched, the binaries.
	// Empty with Ephemeral: a new directory in memory.
	Dir string
	// Ephemeral trades durability for speed and removes Dir on Stop. For tests.
	Ephemeral bool
	// Log receives the server's output; nil discards it.
	Log io.Writer
}

// Postgres is a private server that listens on a Unix socket only.
type Postgres struct {
	socketDir string
	server    *Supervised // nil when another process runs the server
	remove    string      // directory of an ephemeral cluster
}

// StartPostgres makes the cluster when there is none, starts its server and
// waits until it answers. A server that already runs on the same cluster is
// used as it is. An existing cluster is never replaced: when its version does
// not match the installed binaries, that is an error.
//
// As root the server runs as user "postgres" (or "nobody"), and the cluster
// moves to /var/lib/optria when that user cannot reach Dir.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	c, err := placeCluster(cfg)
	if err != nil {
		return nil, err
	}
	p := &Postgres{socketDir: c.socketDir}
	if cfg.Ephemeral {
		p.remove = c.home
	}
	unlock, err := c.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if p.serves(ctx, c.data) {
		p.remove = ""
		return p, nil
	}
	if err := p.launch(ctx, cfg, c); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// launch initialises the cluster if needed and starts the server.
func (p *Postgres) launch(ctx context.Context, cfg PostgresConfig, c cluster) error {
	major, err := c.version()
	if err != nil {
		return err
	}
	binaries, err := c.findBinaries(ctx, major)
	if err != nil {
		return err
	}
	if major == 0 {
		if err := c.initialise(ctx, binaries); err != nil {
			return err
		}
	}
	p.server, err = Supervise(ctx, Process{
		Name: "postgres", Path: filepath.Join(binaries.dir, "postgres"), Args: c.serverArguments(cfg.Ephemeral),
		Env: binaries.environment(), Dir: "/", Log: cfg.Log, StopSignal: syscall.SIGINT, User: c.user,
	})
	if err != nil {
		return err
	}
	if cfg.Ephemeral {
		if err := RemoveAfterExit(c.home, p.server.PID()); err != nil {
			return err
		}
	}
	return p.awaitReady(ctx)
}

// URL is a connection string for one database of the cluster, as superuser.
func (p *Postgres) URL(database string) string {
	query := url.Values{"host": {p.socketDir}, "user": {superuser}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(database) + "?" + query.Encode()
}

// EnsureDatabase creates a database unless it exists.
func (p *Postgres) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to private PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	err = errors.Join(ignoreDuplicate(err), conn.Close(ctx))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// ignoreDuplicate drops the error of creating a database that is there, also
// when two processes create it at the same moment.
func ignoreDuplicate(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P04" || pg.Code == "23505") {
		return nil
	}
	return err
}

// Stop shuts the server down cleanly, unless another process runs it. An
// ephemeral cluster is removed.
func (p *Postgres) Stop() error {
	if p.server != nil {
		p.server.Stop()
	}
	if p.remove == "" {
		return nil
	}
	if err := os.RemoveAll(p.remove); err != nil {
		return fmt.Errorf("remove ephemeral cluster: %w", err)
	}
	return nil
}

// serves reports whether a server for this very cluster answers on the socket.
func (p *Postgres) serves(ctx context.Context, data string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return false
	}
	var running string
	err = conn.QueryRow(ctx, "SHOW data_directory").Scan(&running)
	return errors.Join(err, conn.Close(ctx)) == nil && running == data
}

// readyWithin bounds the wait for a new server; recovery after a crash of a
// large cluster takes the longest.
const readyWithin = 60 * time.Second

// awaitReady polls the socket. A server that died three times will not come.
func (p *Postgres) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if p.server.Restarts() >= 3 {
			return fmt.Errorf("PostgreSQL keeps dying:\n%s", p.server.LastLines())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w: %w\n%s", ctx.Err(), err, p.server.LastLines())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// serverArguments are the settings of the server; docs of each are in the
// PostgreSQL manual, chapter "Server Configuration".
func (c cluster) serverArguments(ephemeral bool) []string {
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + c.socketDir, "unix_socket_permissions=0700",
		"jit=off", "timezone=UTC", "max_connections=60", "shared_buffers=256MB",
	}
	if ephemeral {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
			"wal_level=minimal", "max_wal_senders=0", "shared_buffers=128MB", "max_wal_size=1GB",
			"checkpoint_timeout=1d", "max_connections=200", "log_min_messages=error", "log_min_error_statement=panic",
			// Not as files in /dev/shm, which a killed server would leave there.
			"dynamic_shared_memory_type=mmap")
	}
	args := []string{"-D", c.data}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// initialise runs initdb into a directory of its own and renames it, so that a
// half-made cluster never passes for a finished one.
func (c cluster) initialise(ctx context.Context, b binaries) error {
	fresh := c.data + ".init-" + strconv.Itoa(os.Getpid())
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, "initdb"), "-D", fresh, "-U", superuser, "-A", "trust", // #nosec G204 -- the binary was chosen by findBinaries
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Env, cmd.Dir = b.environment(), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.user}
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(out))), os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, c.data); err != nil {
		return fmt.Errorf("put the new cluster in place: %w", err)
	}
	return nil
}
