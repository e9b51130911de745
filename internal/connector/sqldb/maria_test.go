package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// maria is a MariaDB server of one test: its own folder and port, no service.
type maria struct {
	*testkit.Program
	port int
}

const mariaReader, mariaPassword = "reader", "s3cret-wörd"

// installed is an empty data folder that servers copy; TestMain removes it.
var installed struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if installed.dir != "" {
		_ = os.RemoveAll(installed.dir)
	}
	os.Exit(code)
}

// install makes an empty data folder.
func install(t testing.TB) string {
	t.Helper()
	installed.once.Do(func() {
		if installed.dir, installed.err = os.MkdirTemp("", "optria-maria-"); installed.err != nil {
			return
		}
		args := []string{"--no-defaults", "--datadir=" + installed.dir, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
			"--innodb-log-file-size=" + logSize, "--user=" + login(t)}
		out, err := exec.Command("mariadb-install-db", args...).CombinedOutput() //nolint:gosec // fixed arguments
		if err != nil {
			installed.err = fmt.Errorf("mariadb-install-db (make deps installs it): %w: %s", err, out)
		}
	})
	require.NoError(t, installed.err)
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.CopyFS(dir, os.DirFS(installed.dir)))
	return dir
}

// logSize of the servers: small, for it is copied.
const logSize = "8M"

// login is the user of this process: the server has to be told, as root too.
func login(t testing.TB) string {
	t.Helper()
	current, err := user.Current()
	require.NoError(t, err)
	return current.Username
}

// startMaria starts a server with a login that has every right, so that only
// the connector's guard stands in the way of a change.
func startMaria(t testing.TB, options ...string) *maria {
	t.Helper()
	dir := install(t)
	server := &maria{port: testkit.FreePort(t)}
	socket := filepath.Join(dir, "s") // sockets have short names: the folder may be deep
	if len(socket) > 100 {
		socket = filepath.Join(os.TempDir(), "optria-maria-"+strconv.Itoa(server.port))
	}
	args := append([]string{"/usr/sbin/mariadbd", "--no-defaults", "--user=" + login(t), "--datadir=" + dir, "--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(server.port), "--socket=" + socket, "--pid-file=" + filepath.Join(dir, "pid"), "--skip-name-resolve", "--character-set-server=utf8mb4",
		"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=" + logSize}, options...)
	server.Program = testkit.Start(t, dir, "ready for connections", args)
	_, err := server.admin(t).ExecContext(t.Context(), "GRANT ALL ON *.* TO 'reader'@'%' IDENTIFIED BY '"+mariaPassword+"'")
	require.NoError(t, err)
	return server
}

// admin is a connection that may write.
func (m *maria) admin(t testing.TB) *sql.DB {
	t.Helper()
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.ParseTime = "tcp", "127.0.0.1:"+strconv.Itoa(m.port), "root", true
	config.Logger = &mysql.NopLogger{}
	prepared, err := mysql.NewConnector(config)
	require.NoError(t, err)
	db := sql.OpenDB(prepared)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.Eventually(t, func() bool { return db.PingContext(context.Background()) == nil }, 30*time.Second, 20*time.Millisecond)
	return db
}

// world makes a database on the server.
func (m *maria) world(t testing.TB, database string) world {
	t.Helper()
	db := m.admin(t)
	db.SetMaxOpenConns(1) // USE lasts
	w := world{secrets: connector.Secrets{"password": mariaPassword}, quote: dialects[MariaDB].quote,
		config: connector.Config{"dialect": MariaDB, "host": "127.0.0.1", "port": float64(m.port), "database": database, "user": mariaReader, "tls": TLSOff},
		exec: func(t testing.TB, statements ...string) {
			t.Helper()
			for _, text := range statements {
				_, err := db.ExecContext(t.Context(), text)
				require.NoError(t, err, text)
			}
		}}
	w.exec(t, "CREATE DATABASE "+database, "USE "+database)
	return w
}
