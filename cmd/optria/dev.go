package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/optria-iq/optria/internal/devstack"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/workflows"
)

// A demonstration shows how risk developed: sweeps of the past, from what was
// known then, every few days before the epoch.
const (
	pastSweeps     = 10
	pastSweepEvery = 3 * 24 * time.Hour
)

// readyWithin is how long a start may take after databases are up.
const readyWithin = 2 * time.Minute

// stack is what `optria dev` has started and stops again.
type stack struct {
	dir   string
	env   map[string]string
	log   io.Writer
	stops []func()
}

// runDev starts the whole product on this machine and stops all of it when it
// is interrupted. What is already given by the environment is not started.
func runDev(ctx context.Context, args []string) error {
	if err := flag.NewFlagSet("dev", flag.ContinueOnError).Parse(args); err != nil {
		return err
	}
	began := time.Now()
	dir, err := filepath.Abs(dataDir())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "log", "dev.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- own data folder
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	defer file.Close()
	s := &stack{dir: dir, env: map[string]string{}, log: file}
	slog.SetDefault(slog.New(slog.NewJSONHandler(file, nil)))
	defer s.stop()
	access, err := s.start(ctx)
	if err != nil {
		return fmt.Errorf("%w (log: %s)", err, file.Name())
	}
	s.announce(access, time.Since(began))
	<-ctx.Done()
	fmt.Println("\nStopping …")
	return nil
}

func (s *stack) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
}

func (s *stack) start(ctx context.Context) (demoAccess, error) {
	if err := s.secrets(); err != nil {
		return demoAccess{}, err
	}
	url, err := s.postgres(ctx)
	if err != nil {
		return demoAccess{}, err
	}
	if err := s.temporal(ctx); err != nil {
		return demoAccess{}, err
	}
	fmt.Println("Preparing the database …")
	if err := migrate(ctx, url); err != nil {
		return demoAccess{}, err
	}
	access, err := seedDemo(ctx, url, s.dir)
	if err != nil {
		return access, fmt.Errorf("seed: %w", err)
	}
	for _, name := range []string{"worker", "web"} {
		if err := s.child(ctx, name); err != nil {
			return access, err
		}
	}
	if err := s.awaitReady(ctx); err != nil {
		return access, err
	}
	return access, s.scorePast(ctx, access)
}

// scorePast asks for the sweeps of the past; they run in the background and
// are not repeated by a later start.
func (s *stack) scorePast(ctx context.Context, a demoAccess) error {
	key, err := base64.StdEncoding.DecodeString(s.env["OPTRIA_PAYLOAD_KEY"])
	if err != nil {
		return fmt.Errorf("OPTRIA_PAYLOAD_KEY: %w", err)
	}
	client, err := workflows.Dial(ctx, workflows.ClientOptions{Address: s.env["TEMPORAL_ADDRESS"], PayloadKey: key})
	if err != nil {
		return err
	}
	defer client.Close()
	for back := 1; back <= pastSweeps; back++ {
		for tenant, epoch := range a.Epochs {
			if err := client.StartSweepAsOf(ctx, tenant, epoch.Add(-time.Duration(back)*pastSweepEvery)); err != nil {
				return fmt.Errorf("score the past: %w", err)
			}
		}
	}
	return nil
}

// set gives the children a variable unless the environment names one.
func (s *stack) set(name, value string) string {
	if v := os.Getenv(name); v != "" {
		value = v
	}
	s.env[name] = value
	return value
}

// secrets makes the keys of a demonstration once and keeps them, so that
// sessions, tokens and sealed credentials survive a restart.
func (s *stack) secrets() error {
	for name, generate := range map[string]func() (string, error){
		"JWT_SECRET_KEY":       func() (string, error) { return rand.Text() + rand.Text(), nil },
		"OPTRIA_SECRET_KEYSET": secret.GenerateKeyset,
		"OPTRIA_PAYLOAD_KEY": func() (string, error) {
			key := make([]byte, 32)
			_, err := rand.Read(key)
			return base64.StdEncoding.EncodeToString(key), err
		},
	} {
		value, err := kept(filepath.Join(s.dir, "secrets", name), generate)
		if err != nil {
			return err
		}
		s.set(name, value)
	}
	s.set("OPTRIA_DEMO_MODE", "true")
	s.set("OPTRIA_DATA_DIR", s.dir)
	s.set("OPTRIA_ADDRESS", "127.0.0.1:8080")
	return nil
}

func (s *stack) postgres(ctx context.Context) (string, error) {
	if url := os.Getenv("OPTRIA_DB_URL"); url != "" {
		return s.set("OPTRIA_DB_URL", url), nil
	}
	fmt.Println("Starting PostgreSQL …")
	p, err := devstack.StartPostgres(ctx, devstack.PostgresConfig{Dir: filepath.Join(s.dir, "pg"), Log: s.log})
	if err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.stops = append(s.stops, func() {
		if err := p.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		}
	})
	if err := p.EnsureDatabase(ctx, "optria"); err != nil {
		return "", err
	}
	return s.set("OPTRIA_DB_URL", p.URL("optria")), nil
}

func (s *stack) temporal(ctx context.Context) error {
	if address := os.Getenv("TEMPORAL_ADDRESS"); address != "" {
		s.set("TEMPORAL_ADDRESS", address)
		return nil
	}
	fmt.Println("Starting Temporal …")
	binary, err := devstack.FindTemporal(ctx, os.Stderr)
	if err != nil {
		return err
	}
	codec := s.set("OPTRIA_CODEC_ADDRESS", "127.0.0.1:8234")
	t, err := devstack.StartTemporal(ctx, devstack.TemporalConfig{Binary: binary, Dir: s.dir, Port: freePort(7233), UIPort: freePort(8233),
		Namespace: "default", CodecEndpoint: "http://" + codec, Log: s.log})
	if err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	s.stops = append(s.stops, t.Stop)
	s.set("TEMPORAL_ADDRESS", t.Address())
	s.set("OPTRIA_TEMPORAL_UI_URL", t.UIURL())
	return nil
}

// freePort returns the wanted port of the loopback address, or 0 for any when
// another program has it: a Temporal server of another data folder has other
// payload keys and must not be joined.
func freePort(wanted int) int {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if err != nil {
		return 0
	}
	if err := l.Close(); err != nil {
		return 0
	}
	return wanted
}

// child runs this binary again as worker or web and restarts it when it dies.
func (s *stack) child(ctx context.Context, name string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	env := os.Environ()
	for k, v := range s.env {
		env = append(env, k+"="+v)
	}
	p, err := devstack.Supervise(ctx, devstack.Process{Name: name, Path: self, Args: []string{name}, Env: env, Log: s.log})
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	s.stops = append(s.stops, p.Stop)
	return nil
}

func (s *stack) base() string { return "http://" + s.env["OPTRIA_ADDRESS"] }

func (s *stack) awaitReady(ctx context.Context) error {
	fmt.Println("Waiting until everything is ready …")
	deadline := time.Now().Add(readyWithin)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base()+"/health/ready", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(250 * time.Millisecond)
	}
	return fmt.Errorf("%s/health/ready is not green", s.base())
}

func (s *stack) announce(a demoAccess, took time.Duration) {
	fmt.Printf("\nOPTRIA IQ is ready after %.1f s: %s\n\nDemo accounts (synthetic data), all with the password %s\n", took.Seconds(), s.base(), a.password)
	a.print(tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0))
	if ui := s.env["OPTRIA_TEMPORAL_UI_URL"]; ui != "" {
		fmt.Printf("\nTemporal UI (platform owners): %s\n", ui)
	}
	fmt.Println("Stop everything with Ctrl+C; data is kept in", s.dir)
}
