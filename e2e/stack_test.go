// Package e2e tests the product as a whole: the real binary with its worker
// and web tier as supervised processes, a lasting PostgreSQL and the Temporal
// development server, driven only through HTTP and the browser.
package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/devstack"
	"github.com/optria-iq/optria/internal/secret"
)

// readyWithin is how long the product may take to become ready, at first and
// after something was killed. Shared machines are slow.
const readyWithin = 90 * time.Second

// stack is the whole product, started as `optria dev` starts it.
type stack struct {
	base, password string
	log            *journal
	dir            string
	demo           *demo.Content
	db             *db.DB // for looking only
	box            *secret.Box
	worker, web    *devstack.Supervised
	stops          []func() error
}

// product is shared by the tests of the package, which therefore do not run in
// parallel. The first of them starts it.
var (
	product = &stack{log: &journal{}, password: rand.Text()}
	started = sync.OnceValue(func() error { return product.start(context.Background()) })
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := product.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// running returns the product when it is ready. What it logged during a test
// that failed is printed.
func running(t *testing.T) *stack {
	t.Helper()
	s := product
	if err := started(); err != nil {
		t.Fatalf("start the product: %v\n%s", err, s.log)
	}
	from := s.log.length()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the product:\n%s", s.log.since(from))
		}
	})
	require.NoError(t, s.awaitReady(t.Context()))
	return s
}

func (s *stack) start(ctx context.Context) (err error) {
	if s.demo, err = demo.Load(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "optria-e2e-"); err != nil {
		return err
	}
	// The account that runs PostgreSQL must reach the folder.
	if err := os.Chmod(s.dir, 0o755); err != nil { // #nosec G302 -- holds nothing but test data
		return err
	}
	s.stops = append(s.stops, func() error { return os.RemoveAll(s.dir) })
	binary := filepath.Join(s.dir, "optria")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "../cmd/optria").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	environment, err := s.services(ctx)
	if err != nil {
		return err
	}
	for name, child := range map[string]**devstack.Supervised{"worker": &s.worker, "web": &s.web} {
		p, err := devstack.Supervise(ctx, devstack.Process{Name: name, Path: binary, Args: []string{name}, Env: environment, Log: s.log})
		if err != nil {
			return err
		}
		*child = p
		s.stops = append(s.stops, func() error { p.Stop(); return nil })
	}
	return s.awaitReady(ctx)
}

// services starts and fills the databases and returns the environment of the
// product's own processes. PostgreSQL is a lasting one, with fsync on: a
// killed server must not lose what it had confirmed.
func (s *stack) services(ctx context.Context) ([]string, error) {
	pg, err := devstack.StartPostgres(ctx, devstack.PostgresConfig{Dir: filepath.Join(s.dir, "pg"), Log: s.log})
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, pg.Stop)
	if err := pg.EnsureDatabase(ctx, "optria"); err != nil {
		return nil, err
	}
	url := pg.URL("optria")
	if err := s.fill(ctx, url); err != nil {
		return nil, err
	}
	program, err := devstack.LocateTemporal()
	if err != nil {
		return nil, err
	}
	temporal, err := devstack.StartTemporal(ctx, devstack.TemporalConfig{Binary: program, Dir: s.dir, Headless: true, Namespace: "default", Log: s.log})
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { temporal.Stop(); return nil })
	return s.environment(url, temporal.Address())
}

// fill migrates the database and seeds the demonstration tenants with a short
// history.
func (s *stack) fill(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{MaxConns: 4, PlatformConns: 2})
	if err != nil {
		return err
	}
	s.db = d
	s.stops = append(s.stops, func() error { d.Close(); return nil })
	_, err = seed.Run(ctx, d, seed.Options{Epoch: time.Now(), History: 7 * 24 * time.Hour, Period: time.Hour, Password: s.password,
		Log: slog.New(slog.DiscardHandler)})
	return err
}

func (s *stack) environment(databaseURL, temporalAddress string) ([]string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.base = "http://" + address
	keyset, err := secret.GenerateKeyset()
	if err != nil {
		return nil, err
	}
	if s.box, err = secret.New(keyset); err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return append(os.Environ(), "OPTRIA_DB_URL="+databaseURL, "TEMPORAL_ADDRESS="+temporalAddress, "OPTRIA_ADDRESS="+address,
		"OPTRIA_BASE_URL="+s.base, "OPTRIA_DEMO_MODE=true", "OPTRIA_DATA_DIR="+s.dir, "JWT_SECRET_KEY="+rand.Text()+rand.Text(),
		"OPTRIA_PAYLOAD_KEY="+base64.StdEncoding.EncodeToString(key), "OPTRIA_SECRET_KEYSET="+keyset), nil
}

func (s *stack) stop() error {
	var failed []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		failed = append(failed, s.stops[i]())
	}
	return errors.Join(failed...)
}

// awaitReady waits until /health/ready is green.
func (s *stack) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	last := "no answer"
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/health/ready", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			var body bytes.Buffer
			_, err = body.ReadFrom(response.Body)
			if err = errors.Join(err, response.Body.Close()); err == nil && response.StatusCode == http.StatusOK {
				return nil
			}
			last = response.Status + " " + body.String()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the product is not ready: %w: %s", ctx.Err(), last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// journal collects the output of all processes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) length() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Len()
}

// journalEnd bounds what a failed test prints.
const journalEnd = 24 << 10

func (j *journal) since(from int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := j.text.Bytes()[from:]
	if len(text) > journalEnd {
		text = text[len(text)-journalEnd:]
	}
	return strings.ToValidUTF8(string(text), "")
}

func (j *journal) String() string { return j.since(0) }
