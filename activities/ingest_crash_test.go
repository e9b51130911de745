package activities

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// tickingKind is a source that needs no state: every tag has a value every ten
// milliseconds, for ever, so that a process can be killed and started again
// while the source lives on.
const (
	tickingKind = "ticking"
	tick        = 10 * time.Millisecond
)

func init() {
	connector.Register(connector.Spec{Kind: tickingKind, Fields: []connector.Field{{Key: "source", Type: connector.Text}}},
		func(connector.Config, connector.Secrets, *net.Dialer) (connector.Connector, error) {
			return ticking{}, nil
		})
}

type ticking struct{}

func (ticking) Kind() string { return tickingKind }
func (ticking) Close() error { return nil }

// window returns the readings after since and up to until.
func (ticking) window(tags []string, since, until time.Time) (out []connector.Reading) {
	for at := since.Truncate(tick).Add(tick); !at.After(until); at = at.Add(tick) {
		for _, tag := range tags {
			out = append(out, connector.Reading{ExternalTag: tag, Time: at, Value: 1, Quality: asset.Good})
		}
	}
	return out
}

func (s ticking) Subscribe(ctx context.Context, r connector.SubscribeRequest, deliver connector.Deliver) error {
	reached := time.Now().UTC()
	batch := connector.Batch{Watermark: reached}
	for ctx.Err() == nil {
		if err := deliver(ctx, batch); err != nil {
			return err
		}
		time.Sleep(2 * tick)
		now := time.Now().UTC()
		batch = connector.Batch{Readings: s.window(r.Tags, reached, now), Watermark: now}
		reached = now
	}
	return nil
}

func (s ticking) Backfill(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	return connector.Batch{Readings: s.window(r.Tags, r.Since, r.Until), Watermark: r.Until}, nil
}

// crashVariable makes TestCrashingWorker be the worker: its value is the
// database and the integration.
const crashVariable = "OPTRIA_TEST_CRASHING_WORKER"

// TestCrashingWorker is the process that TestKilledWorkerLosesNothing kills.
func TestCrashingWorker(t *testing.T) {
	address, id, ok := strings.Cut(os.Getenv(crashVariable), " ")
	if !ok {
		require.Empty(t, address, "nothing to do in a test run")
		return
	}
	d, err := db.Open(t.Context(), address, db.Config{MaxConns: 4})
	require.NoError(t, err)
	ingest := newIngest(Deps{DB: d, Box: testBox(t), Starter: &fakeStarter{}})
	ingest.pace = quick
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterActivity(ingest)
	_, err = env.ExecuteActivity(ingest.StreamIntegration, IntegrationRef{uuid.MustParse(id), uuid.MustParse(id)})
	require.NoError(t, err)
}

// TestKilledWorkerLosesNothing kills a worker again and again, in the middle of
// what it does, while the source goes on.
func TestKilledWorkerLosesNothing(t *testing.T) {
	l := newLine(t, tickingKind)
	random := rand.New(rand.NewPCG(3, 5))
	for range 4 {
		before := l.session()
		worker := exec.Command(os.Args[0], "-test.run", "^TestCrashingWorker$") // #nosec G204 -- this very test binary
		worker.Env = append(os.Environ(), crashVariable+"="+l.url+" "+l.ref.TenantID.String())
		require.NoError(t, worker.Start())
		l.eventually(func() bool { i := l.integration(); return l.session() != before && i.StreamingSince != nil }, "the worker streams")
		time.Sleep(100*time.Millisecond + time.Duration(random.IntN(60))*time.Millisecond)
		require.NoError(t, worker.Process.Signal(syscall.SIGKILL))
		require.Error(t, worker.Wait())
	}
	s := l.stream(l.ingest)
	l.fill()
	s.halt()
	l.tickless()
}

// tickless requires that from the first stored tick to the last every tag has
// every tick.
func (l *productionLine) tickless() {
	l.t.Helper()
	rows := l.number(`SELECT count(*) FROM telemetry.asset_timeseries WHERE tenant_id = $1`)
	span := l.number(`SELECT (extract(epoch FROM max(ts) - min(ts)) * 100 + 1)::int FROM telemetry.asset_timeseries WHERE tenant_id = $1`)
	require.Positive(l.t, rows)
	require.Equal(l.t, span*lineTags, rows, "%v", l.gaps())
}

// TestConnectionLostDuringFlush ends the database connection of a flush before
// it commits: the batch is stored afterwards, once.
func TestConnectionLostDuringFlush(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	root, holder := l.root(), l.root()
	held, err := holder.Begin(t.Context())
	require.NoError(t, err)
	_, err = held.Exec(t.Context(), `SELECT FROM core.integrations FOR UPDATE`) // a flush waits here with its rows written
	require.NoError(t, err)
	l.source.measure(10, l.tags...)
	l.eventually(func() bool {
		n := 0
		err := root.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE core.integrations SET watermark = greatest%'`).Scan(&n)
		return err == nil && n > 0
	}, "the flush is cut")
	require.Empty(t, l.stored(), "nothing of it is kept")
	require.NoError(t, held.Rollback(t.Context()))
	l.settled()
	s.halt()
	l.fill()
	requireSame(t, l.source.held(), l.stored())
}

// root returns a connection of the superuser.
func (l *productionLine) root() *pgx.Conn {
	l.t.Helper()
	root, err := pgx.Connect(l.t.Context(), l.url)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = root.Close(context.Background()) })
	return root
}

// TestCutBetweenStoringAndAcknowledging lets the source forget that a batch
// was taken over, so that it offers it again.
func TestCutBetweenStoringAndAcknowledging(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	l.source.change(func() { l.source.forgetOK = true })
	l.source.measure(10, l.tags...)
	l.eventually(func() bool { return l.source.count() > 1 && l.integration().StreamingSince != nil }, "a second session is up")
	l.source.measure(10, l.tags...)
	l.fill()
	l.settled()
	s.halt()
	requireSame(t, l.source.held(), l.stored())
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// socketGate stands between an engine and PostgreSQL's socket and can be shut.
type socketGate struct {
	mu   sync.Mutex
	shut bool
	open map[net.Conn]bool
}

// gated returns the address of a database through a gate.
func gated(t *testing.T, address string) (*socketGate, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	target := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	dir, err := os.MkdirTemp("", "gate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	require.NoError(t, err)
	g := &socketGate{open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = listener.Close(); g.set(true) })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go g.pass(client, target)
		}
	}()
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	return g, u.String()
}

func (g *socketGate) pass(client net.Conn, target string) {
	server, err := net.Dial("unix", target)
	if err != nil {
		_ = client.Close()
		return
	}
	g.mu.Lock()
	g.open[client], g.open[server] = true, true
	shut := g.shut
	g.mu.Unlock()
	if shut {
		g.set(true)
	}
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

func (g *socketGate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if shut {
		for c := range g.open {
			_ = c.Close()
			delete(g.open, c)
		}
	}
}

// TestDatabaseAwayForAWhile shuts the way to the database for longer than a
// batch waits, so that the session ends, and for less.
func TestDatabaseAwayForAWhile(t *testing.T) {
	for name, away := range map[string]time.Duration{"shortly": 300 * time.Millisecond, "long": 1500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, scriptedKind)
			gate, address := gated(t, l.url)
			_, ingest := l.engine(address)
			ingest.pace.storing = time.Second
			s := l.stream(ingest)
			l.source.measure(10, l.tags...)
			l.settled()
			gate.set(true)
			l.source.measure(20, l.tags...)
			time.Sleep(away)
			l.source.measure(20, l.tags...)
			gate.set(false)
			l.eventually(func() bool {
				i := l.integration()
				return i.StreamingSince != nil && !i.Watermark.Before(l.source.now())
			}, "the stream is back")
			l.source.measure(10, l.tags...)
			l.fill()
			l.settled()
			s.halt()
			requireSame(t, l.source.held(), l.stored())
			require.Zero(t, l.integration().Failures, "the source is not blamed for our database")
		})
	}
}

func (s *source) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}
