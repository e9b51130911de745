package opcua

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// longOutages names the variable that asks for outages as long as plants have
// them.
const longOutages = "OPTRIA_LONG_OUTAGES"

// supervisor does what the product does around a connector: it opens a new one
// whenever a subscription fails, and fills the hole from the archive.
type supervisor struct {
	*record
	t        testing.TB
	host     string
	change   map[string]any
	tags     []string
	sessions atomic.Int64
	up       time.Time // first watermark of the newest session
	filled   atomic.Int64
}

func supervise(t testing.TB, host string, change map[string]any, tags ...string) (s *supervisor, stop func()) {
	s = &supervisor{record: newRecord(), t: t, host: host, change: change, tags: tags}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			s.attempt(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(300 * time.Millisecond):
			}
		}
	}()
	return s, func() {
		cancel()
		<-done
	}
}

func (s *supervisor) attempt(ctx context.Context) {
	config, secrets := settings(s.host, s.change)
	opened, err := connector.Open(Kind, config, secrets, &net.Dialer{})
	if err != nil {
		s.t.Errorf("open: %v", err)
		return
	}
	defer opened.Close()
	before, first := s.watermark(), true
	_ = opened.(connector.Subscriber).Subscribe(ctx, connector.SubscribeRequest{Tags: s.tags}, func(ctx context.Context, b connector.Batch) error {
		if first && !before.IsZero() {
			if err := s.fill(ctx, before, b.Watermark); err != nil {
				return err
			}
		}
		if first {
			s.mu.Lock()
			s.up = b.Watermark
			s.mu.Unlock()
			s.sessions.Add(1)
		}
		first = false
		return s.keep(ctx, b)
	})
}

// fill reads the archive between two watermarks through a connector of its
// own, page by page.
func (s *supervisor) fill(ctx context.Context, since, until time.Time) error {
	config, secrets := settings(s.host, s.change)
	opened, err := connector.Open(Kind, config, secrets, &net.Dialer{})
	if err != nil {
		return err
	}
	defer opened.Close()
	request := connector.PollRequest{Tags: s.tags, Since: since, Until: until, Limit: 50}
	for {
		batch, err := opened.(connector.Backfiller).Backfill(ctx, request)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.add(batch)
		s.mu.Unlock()
		s.filled.Add(int64(len(batch.Readings)))
		if !batch.More {
			return nil
		}
		request.Since = batch.Watermark
	}
}

// audit reads the server's own archive from the moment at which the first
// session was up until the last watermark, and counts what never arrived.
func (s *supervisor) audit(t testing.TB, direct *OPCUAConnector, from time.Time) (archived int) {
	t.Helper()
	request := connector.PollRequest{Tags: s.tags, Since: from, Until: s.watermark(), Limit: 100_000}
	batch, err := direct.Backfill(t.Context(), request)
	require.NoError(t, err)
	require.False(t, batch.More)
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []time.Time
	for _, r := range batch.Readings {
		if _, ok := s.readings[r.ExternalTag][r.Time]; !ok {
			missing = append(missing, r.Time)
		}
	}
	require.Empty(t, missing, "archived %d, lost %d", len(batch.Readings), len(missing))
	return len(batch.Readings)
}

// restored waits until values flow in a session after the first n.
func (s *supervisor) restored(t testing.TB, within time.Duration, n int64) {
	t.Helper()
	s.await(t, within, "values after the outage", func(r *record) bool {
		last := r.batches[max(0, len(r.batches)-1):]
		return s.sessions.Load() > n && len(last) == 1 && last[0].Watermark.After(s.up.Add(time.Second))
	})
}

// TestNothingIsLost breaks connections in the ways networks do, at a server
// with small limits, and compares with its archive.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	p := startPlant(t, "TICK=200", "HISTORY=0", "MAX_READ=10", "MAX_MONITOR=2", "MAX_HISTORY=2", "MAX_BROWSE=3", "MAX_POINTS=2", "BULK=40", "BAD_HALF=1", "COMES_AND_GOES=6")
	tags := []string{address("Pump1/Flow"), address("Pump2/Vibration"), address("Pump3/Flow")}
	outage := 9 * time.Second
	if os.Getenv(longOutages) != "" {
		outage = 10 * time.Minute
	}
	for name, harm := range map[string]func(*testkit.FaultProxy){
		"cut":       func(x *testkit.FaultProxy) { x.Cut() },
		"refused":   func(x *testkit.FaultProxy) { x.Refuse(); time.Sleep(outage); x.Heal() },
		"half-open": func(x *testkit.FaultProxy) { x.Freeze() },
		"blackhole": func(x *testkit.FaultProxy) { x.Blackhole(); time.Sleep(outage); x.Heal() },
		"slow":      func(x *testkit.FaultProxy) { x.Delay(150 * time.Millisecond); time.Sleep(2 * time.Second); x.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := testkit.NewFaultProxy(t, p.host())
			s, stop := supervise(t, proxy.Address(), nil, tags...)
			s.await(t, time.Minute, "first values", func(r *record) bool { return len(r.readings[tags[0]]) > 5 && len(r.readings) == len(tags) })
			harm(proxy)
			s.restored(t, 90*time.Second, 1)
			stop()
			archived := s.audit(t, dial(t, p.host(), nil), s.batches[0].Watermark)
			t.Logf("archived %d, lost 0, from the archive %d, sessions %d", archived, s.filled.Load(), s.sessions.Load())
		})
	}
	t.Run("half bad", func(t *testing.T) { t.Parallel(); halfBad(t, p) })
	t.Run("comes and goes", func(t *testing.T) { t.Parallel(); comesAndGoes(t, p) })
	t.Run("small limits", func(t *testing.T) { t.Parallel(); smallLimits(t, p) })
	t.Run("silence", func(t *testing.T) { t.Parallel(); silence(t, p) })
}

// TestServerRestarts kills a server, starts it again without one of its
// nodes, and expects the others to go on.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	without := filepath.Join(t.TempDir(), "without")
	p := startPlant(t, "TICK=200", "HISTORY=0", "PUMPS=2", "WITHOUT_FILE="+without)
	s, stop := supervise(t, p.host(), nil, address("Pump1/Flow"), address("Pump2/Flow"))
	defer stop()
	s.await(t, time.Minute, "first values", func(r *record) bool { return len(r.readings) == 2 })
	p.Kill()
	require.NoError(t, os.WriteFile(without, []byte("Pump2/Flow"), 0o600))
	p.Restart()
	restarted := time.Now()
	s.restored(t, 90*time.Second, 1)
	stop()
	s.audit(t, dial(t, p.host(), nil), restarted)
	require.Contains(t, s.notices[connector.NoticeUnknownTag], address("Pump2/Flow"), "the node that is gone is named")
}

// halfBad follows a folder in which every other tag has failed.
func halfBad(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	nodes, err := c.Browse(t.Context(), address("Many"))
	require.NoError(t, err)
	require.Len(t, nodes, 40)
	var tags []string
	for _, n := range nodes {
		tags = append(tags, n.Address, n.Address+"/missing")
	}
	s := subscribe(t, c, tags...)
	s.await(t, time.Minute, "values of all", func(r *record) bool { return len(r.readings) == 40 })
	s.stop(t)
	require.Len(t, s.notices[connector.NoticeUnknownTag], 40)
	bad := 0
	for _, values := range s.readings {
		for _, r := range values {
			if r.Quality == 2 {
				bad++
				break
			}
		}
	}
	require.Equal(t, 20, bad)
}

// comesAndGoes follows a node that the server deletes and makes again.
func comesAndGoes(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	c.retry = 500 * time.Millisecond
	tag := address("Odd/ComesAndGoes")
	s := subscribe(t, c, tag, address("Pump1/Flow"))
	s.await(t, 40*time.Second, "gone and back", func(r *record) bool {
		return slices.Contains(r.notices[connector.NoticeUnknownTag], tag) && slices.Contains(r.notices[connector.NoticeResubscribed], tag)
	})
	s.await(t, 20*time.Second, "a value again", func(r *record) bool { return len(r.readings[tag]) > 0 })
	s.stop(t)
}

func smallLimits(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	nodes, err := c.Browse(t.Context(), address("Many"))
	require.NoError(t, err)
	var tags []string
	for _, n := range nodes {
		tags = append(tags, n.Address)
	}
	batch, err := c.Sample(t.Context(), tags)
	require.NoError(t, err)
	require.Len(t, batch.Readings, 40)
	require.Equal(t, limits{read: 10, browse: 3, monitor: 2, history: 2}, c.session.limits)
}

// silence stops the whole server: the subscription has to end by itself.
func silence(t *testing.T, p *plant) {
	proxy := testkit.NewFaultProxy(t, p.host())
	s := subscribe(t, dial(t, proxy.Address(), nil), address("Pump1/Flow"))
	s.await(t, time.Minute, "first values", func(r *record) bool { return len(r.readings) == 1 })
	proxy.Freeze()
	err := s.failure(t, 30*time.Second)
	require.Equal(t, connector.KeySilent, connector.MessageKey(err))
	require.False(t, connector.NeedsPerson(err))
	polling := subscribe(t, dial(t, proxy.Address(), map[string]any{"mode": ModePoll, "period_seconds": 1.0}), address("Pump1/Flow"))
	polling.await(t, time.Minute, "first values", func(r *record) bool { return len(r.readings) == 1 })
	proxy.Cut()
	err = polling.failure(t, 30*time.Second)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
}
