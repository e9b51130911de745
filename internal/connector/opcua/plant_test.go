package opcua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// address names a node of the test plant.
func address(identifier string) string { return "nsu=urn:test:plant;s=" + identifier }

// plant is a running server of another stack.
type plant struct {
	*testkit.Program
	port int
}

// starting lets servers start one after another: each takes a processor for
// seconds.
var starting sync.Mutex

func startPlant(t testing.TB, env ...string) *plant {
	t.Helper()
	starting.Lock()
	defer starting.Unlock()
	port := testkit.FreePort(t)
	env = append([]string{fmt.Sprintf("PORT=%d", port), "PKI=" + filepath.Join(t.TempDir(), "own", "pki")}, env...)
	return &plant{Program: testkit.Node(t, "opcua.mjs", env...), port: port}
}

func (p *plant) host() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// ownIdentity makes the client's key pair once: that takes a while.
var ownIdentity = sync.OnceValues(func() (string, string) {
	config, secrets := connector.Config{}, connector.Secrets{}
	if err := generate(config, secrets); err != nil {
		panic(err)
	}
	return config["client_certificate"].(string), secrets["client_key"]
})

// settings of a connection without security; change adjusts them, "secret:x"
// sets a secret.
func settings(host string, change map[string]any) (connector.Config, connector.Secrets) {
	certificate, key := ownIdentity()
	config := connector.Config{
		"endpoint": "opc.tcp://" + host + "/plant", "security_policy": none, "security_mode": none, "client_certificate": certificate, "publishing_ms": 100.0,
	}
	secrets := connector.Secrets{"client_key": key}
	for name, value := range change {
		if secret, is := strings.CutPrefix(name, "secret:"); is {
			secrets[secret] = value.(string)
			continue
		}
		config[name] = value
	}
	return config, secrets
}

// dial opens a connector to host.
func dial(t testing.TB, host string, change map[string]any) *OPCUAConnector {
	t.Helper()
	config, secrets := settings(host, change)
	opened, err := connector.Open(Kind, config, secrets, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened.(*OPCUAConnector)
}

// secured are settings with security; the pin is what the server offers now.
func secured(t testing.TB, host, policy, mode string) map[string]any {
	t.Helper()
	change := map[string]any{"security_policy": policy, "security_mode": mode}
	steps := dial(t, host, change).Test(t.Context())
	last := steps[len(steps)-1]
	require.Equal(t, connector.KeyCertificate, last.Code, last.Detail)
	require.Equal(t, connector.StepSecure, last.Name)
	require.Len(t, last.Offered, 64)
	change["server_certificate_sha256"] = last.Offered
	return change
}

// record gathers what a subscription delivers.
type record struct {
	mu       sync.Mutex
	batches  []connector.Batch
	readings map[string]map[time.Time]connector.Reading
	notices  map[string][]string
	arrived  chan struct{}
}

func newRecord() *record {
	return &record{readings: map[string]map[time.Time]connector.Reading{}, notices: map[string][]string{}, arrived: make(chan struct{}, 1)}
}

func (r *record) keep(_ context.Context, b connector.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, b)
	r.add(b)
	select {
	case r.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (r *record) add(b connector.Batch) {
	for _, reading := range b.Readings {
		if r.readings[reading.ExternalTag] == nil {
			r.readings[reading.ExternalTag] = map[time.Time]connector.Reading{}
		}
		r.readings[reading.ExternalTag][reading.Time] = reading
	}
	for _, n := range b.Notices {
		r.notices[n.Key] = append(r.notices[n.Key], n.Tags...)
	}
}

func (r *record) watermark() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.batches) == 0 {
		return time.Time{}
	}
	return r.batches[len(r.batches)-1].Watermark
}

// await waits until the record satisfies a condition.
func (r *record) await(t testing.TB, within time.Duration, what string, holds func(*record) bool) {
	t.Helper()
	deadline := time.After(within)
	for {
		r.mu.Lock()
		met := holds(r)
		r.mu.Unlock()
		if met {
			return
		}
		select {
		case <-r.arrived:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("%s: not within %s; %d batches, notices %v", what, within, len(r.batches), r.notices)
		}
	}
}

// subscription runs Subscribe beside the test.
type subscription struct {
	*record
	cancel context.CancelFunc
	ended  chan error
}

func subscribe(t testing.TB, c *OPCUAConnector, tags ...string) *subscription {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &subscription{record: newRecord(), cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- c.Subscribe(ctx, connector.SubscribeRequest{Tags: tags}, s.keep) }()
	t.Cleanup(cancel)
	return s
}

// stop ends the subscription, which has to end without error.
func (s *subscription) stop(t testing.TB) {
	t.Helper()
	s.cancel()
	require.NoError(t, s.failure(t, 5*time.Second))
}

// failure waits for the end of the subscription.
func (s *subscription) failure(t testing.TB, within time.Duration) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(within):
		t.Fatalf("the subscription did not end within %s", within)
		return errors.New("not ended")
	}
}
