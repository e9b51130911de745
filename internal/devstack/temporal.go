package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// loopback is the only address the development servers listen on.
const loopback = "127.0.0.1"

// temporalDatabase names the SQLite file after the server's minor version: the
// server initialises its schema only in a new file.
const temporalDatabase = "temporal-1.32.db"

// TemporalConfig says how to run a Temporal development server.
type TemporalConfig struct {
	// Binary is the temporaldev program; see FindTemporal.
	Binary string
	// Dir holds the SQLite file; not used when Ephemeral.
	Dir string
	// Port is that of the gRPC frontend, 0 for a free one.
	Port int
	// UIPort is that of the web interface, 0 for a free one.
	UIPort int
	// Headless leaves the web interface out.
	Headless bool
	// Namespace is created when it does not exist; "default" when empty.
	Namespace string
	// Ephemeral keeps everything in memory.
	Ephemeral bool
	// CodecEndpoint decodes payloads in the web interface; may be empty.
	CodecEndpoint string
	// Log receives the server's output; nil discards it.
	Log io.Writer
}

// Temporal is a running development server.
type Temporal struct {
	address string
	uiURL   string
	server  *Supervised // nil when another process runs the server
}

// StartTemporal starts the server and waits until its frontend is healthy and
// the web interface answers. A server that already answers on the wanted port
// is used as it is.
func StartTemporal(ctx context.Context, cfg TemporalConfig) (*Temporal, error) {
	attach := cfg.Port != 0
	for _, port := range []*int{&cfg.Port, &cfg.UIPort} {
		if *port != 0 {
			continue
		}
		free, err := freePort()
		if err != nil {
			return nil, err
		}
		*port = free
	}
	t := &Temporal{address: net.JoinHostPort(loopback, strconv.Itoa(cfg.Port))}
	if !cfg.Headless {
		t.uiURL = "http://" + net.JoinHostPort(loopback, strconv.Itoa(cfg.UIPort))
	}
	if attach && healthy(ctx, t.address) == nil {
		return t, nil
	}
	args, err := cfg.arguments()
	if err != nil {
		return nil, err
	}
	t.server, err = Supervise(ctx, Process{Name: "temporal", Path: cfg.Binary, Args: args, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	if err := t.awaitReady(ctx); err != nil {
		t.Stop()
		return nil, err
	}
	return t, nil
}

// arguments is the command line of the server. The tuned dynamic configuration
// is the program's own default.
func (cfg TemporalConfig) arguments() ([]string, error) {
	args := []string{"server", "start-dev", "--ip", loopback, "--port", strconv.Itoa(cfg.Port)}
	if cfg.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(cfg.UIPort), "--ui-read-only")
	}
	if cfg.Namespace != "" {
		args = append(args, "--namespace", cfg.Namespace)
	}
	if cfg.CodecEndpoint != "" {
		args = append(args, "--ui-codec-endpoint", cfg.CodecEndpoint)
	}
	if cfg.Ephemeral {
		return append(args, "--log-level", "error"), nil
	}
	if cfg.Dir == "" {
		return nil, errors.New("a lasting Temporal server needs a directory")
	}
	return append(args, "--db-filename", filepath.Join(cfg.Dir, temporalDatabase),
		"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF"), nil
}

// Address is the host and port of the gRPC frontend.
func (t *Temporal) Address() string { return t.address }

// UIURL is the address of the web interface, empty when headless.
func (t *Temporal) UIURL() string { return t.uiURL }

// Stop ends the server unless another process runs it.
func (t *Temporal) Stop() {
	if t.server != nil {
		t.server.Stop()
	}
}

func (t *Temporal) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := errors.Join(healthy(ctx, t.address), t.uiAnswers(ctx))
		if err == nil {
			return nil
		}
		if t.server.Restarts() >= 3 {
			return fmt.Errorf("temporal server keeps dying:\n%s", t.server.LastLines())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for Temporal: %w: %w\n%s", ctx.Err(), err, t.server.LastLines())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// healthy asks the frontend for its health by the standard gRPC protocol.
func healthy(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	reply, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{
		Service: "temporal.api.workflowservice.v1.WorkflowService",
	})
	if err = errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("ask Temporal for its health: %w", err)
	}
	if reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("the Temporal frontend is %s", reply.Status)
	}
	return nil
}

func (t *Temporal) uiAnswers(ctx context.Context) error {
	if t.uiURL == "" {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.uiURL+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask the web interface: %w", err)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the web interface: %w", err)
	}
	if err := reply.Body.Close(); err != nil {
		return fmt.Errorf("ask the web interface: %w", err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the web interface answers %s", reply.Status)
	}
	return nil
}

// freePort asks the kernel for a loopback port that nothing listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("release port %d: %w", port, err)
	}
	return port, nil
}

// ErrNoTemporal means that the development server was never built here.
var ErrNoTemporal = errors.New("the Temporal development server (bin/temporaldev) is missing: `make deps` builds it")

// LocateTemporal finds the program of the development server without building
// it: OPTRIA_TEMPORAL_DEV_BIN, beside this executable, or bin/ of the module
// that contains the working directory.
func LocateTemporal() (string, error) {
	if chosen := os.Getenv("OPTRIA_TEMPORAL_DEV_BIN"); chosen != "" {
		if _, err := os.Stat(chosen); err != nil { // #nosec G703 -- named by the person who starts the stack
			return "", fmt.Errorf("OPTRIA_TEMPORAL_DEV_BIN: %w", err)
		}
		return chosen, nil
	}
	var places []string
	if self, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(self), "temporaldev"))
	}
	if root, err := moduleRoot(); err == nil {
		places = append(places, filepath.Join(root, "bin", "temporaldev"))
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() {
			return place, nil
		}
	}
	return "", ErrNoTemporal
}

// FindTemporal is LocateTemporal, but builds the program when it is missing and
// the source is here. The first build downloads about 240 MB and takes several
// minutes; its progress goes to log.
func FindTemporal(ctx context.Context, log io.Writer) (string, error) {
	path, err := LocateTemporal()
	if !errors.Is(err, ErrNoTemporal) {
		return path, err
	}
	root, rootErr := moduleRoot()
	if rootErr != nil {
		return "", errors.Join(err, rootErr)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "temporal-dev.sh"), "--build-only") // #nosec G204 -- the module's own script
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, log, log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the Temporal development server: %w", err)
	}
	return LocateTemporal()
}

// modulePath identifies the source tree of the product.
const modulePath = "module github.com/optria-iq/optria\n"

// moduleRoot is the directory of the product's go.mod above the working
// directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod")) // #nosec G304 -- only to recognise the module
		if err == nil && strings.HasPrefix(string(text), modulePath) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the working directory is not inside the source tree")
		}
		dir = filepath.Dir(dir)
	}
}
