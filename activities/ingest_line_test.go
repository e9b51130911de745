package activities

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
)

// lineTags is how many tags of a production line are mapped.
const lineTags = 4

// lineSQL is a tenant with one asset and an integration whose tags are mapped.
const lineSQL = `
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', 'LINE', 'LINE', 'LINE', 'power');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'S', 'S', 'S');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'U', 'U', 'U');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'K', 'K', 'K');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id)
  VALUES ('{id}', '{id}', '{id}', '{id}', 'P-1', 'P', 'P', 'p', 'PUMP', 'A', '{id}');
INSERT INTO telemetry.signals (tenant_id, id, asset_id, metric, name_ar, name_en)
  SELECT '{id}', n, '{id}', 'm' || n, 'm', 'm' FROM generate_series(1, {signals}) n;
INSERT INTO core.integrations (tenant_id, id, name, kind, config) VALUES ('{id}', '{id}', 'line', '{kind}', '{"source": "{id}"}');
INSERT INTO core.integration_mappings (tenant_id, integration_id, external_tag, asset_id, signal_id)
  SELECT '{id}', '{id}', 'tag-' || n, '{id}', n FROM generate_series(1, {signals}) n;`

// empty is a database without a tenant.
var empty = testkit.Template{Key: "activities-empty", Build: db.Prepare}

// productionLine is a tenant whose one integration reads a scripted source,
// with an engine that turns fast.
type productionLine struct {
	t      *testing.T
	url    string
	db     *db.DB
	ingest *Ingest
	start  *fakeStarter
	source *source
	ref    IntegrationRef
	tags   []string
	within time.Duration // bounds one StreamIntegration
}

func newLine(t *testing.T, kind string) *productionLine {
	t.Helper()
	return newLineOf(t, kind, lineTags)
}

func newLineOf(t *testing.T, kind string, tags int) *productionLine {
	t.Helper()
	t.Parallel()
	l := &productionLine{t: t, start: &fakeStarter{}, within: time.Minute}
	l.url, l.ref = lineOf(t, kind, tags)
	l.source = newSource(t, l.ref.TenantID.String())
	for n := range tags {
		l.tags = append(l.tags, "tag-"+strconv.Itoa(n+1))
	}
	l.db, l.ingest = l.engine(l.url)
	return l
}

// lineOf makes a database with a tenant whose one integration has a number of
// mapped tags.
func lineOf(t testing.TB, kind string, tags int) (url string, ref IntegrationRef) {
	t.Helper()
	url = testkit.Database(t, empty)
	tenant := uuid.New()
	root, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	_, err = root.Exec(t.Context(), strings.NewReplacer("{id}", tenant.String(), "{kind}", kind, "{signals}", strconv.Itoa(tags)).Replace(lineSQL))
	require.NoError(t, err)
	require.NoError(t, root.Close(t.Context()))
	return url, IntegrationRef{tenant, tenant}
}

// engine is a worker's ingest over the database at an address.
func (l *productionLine) engine(url string) (*db.DB, *Ingest) {
	l.t.Helper()
	d, err := db.Open(l.t.Context(), url, db.Config{MaxConns: 6})
	require.NoError(l.t, err)
	l.t.Cleanup(d.Close)
	ingest := newIngest(Deps{DB: d, Box: testBox(l.t), Starter: l.start})
	ingest.pace = quick
	return d, ingest
}

// quick is a pace for tests.
var quick = pace{
	turn: 5 * time.Second, stream: time.Minute, pulse: 30 * time.Millisecond, record: 200 * time.Millisecond,
	firstTry: 5 * time.Millisecond, lastTry: 20 * time.Millisecond, opening: 5 * time.Second, silence: 400 * time.Millisecond,
	storing: 5 * time.Second, settle: 0,
}

func testBox(t testing.TB) *secret.Box {
	t.Helper()
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	return box
}

// runningStream is one StreamIntegration at work.
type runningStream struct {
	t      *testing.T
	stop   chan struct{} // closing it stops the worker
	ended  chan struct{}
	result StreamResult
	err    error
}

// stream starts StreamIntegration and waits until its session is up.
func (l *productionLine) stream(ingest *Ingest) *runningStream {
	l.t.Helper()
	before := l.session()
	r := l.launch(ingest)
	l.eventually(func() bool {
		i := l.integration()
		return i.StreamingSince != nil && i.Session != nil && *i.Session != before
	}, "the session is up")
	return r
}

// launch starts StreamIntegration.
func (l *productionLine) launch(ingest *Ingest) *runningStream {
	r := &runningStream{t: l.t, stop: make(chan struct{}), ended: make(chan struct{})}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Faults{}}})
	env.SetTestTimeout(l.within)
	env.SetWorkerStopChannel(r.stop)
	env.RegisterActivity(ingest)
	go func() {
		defer close(r.ended)
		value, err := env.ExecuteActivity(ingest.StreamIntegration, l.ref)
		if r.err = err; err == nil {
			r.err = value.Get(&r.result)
		}
	}()
	l.t.Cleanup(func() { r.halt() })
	return r
}

// halt stops the worker and returns what the stream ended with.
func (r *runningStream) halt() StreamResult {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	return r.wait()
}

// wait returns what the stream ended with by itself.
func (r *runningStream) wait() StreamResult {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(30 * time.Second):
		require.Fail(r.t, "the stream does not end")
	}
	require.NoError(r.t, r.err)
	return r.result
}

// fill runs turns of FillGaps until nothing is left.
func (l *productionLine) fill() {
	l.t.Helper()
	for {
		var result FillResult
		l.do(&result, l.ingest.FillGaps)
		if !result.More {
			return
		}
		require.LessOrEqual(l.t, result.Wait, time.Second, "%v", l.gaps())
	}
}

// do runs an activity of the integration that must succeed.
func (l *productionLine) do(result any, activity any) {
	l.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(l.ingest)
	value, err := env.ExecuteActivity(activity, l.ref)
	require.NoError(l.t, err)
	require.NoError(l.t, value.Get(result))
}

func (l *productionLine) in(work db.Work) {
	l.t.Helper()
	require.NoError(l.t, l.db.InTenant(context.Background(), l.ref.TenantID, work))
}

func (l *productionLine) exec(sql string, args ...any) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, sql, append([]any{l.ref.TenantID}, args...)...)
		return err
	})
}

func (l *productionLine) integration() (i db.Integration) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		i, err = q.LoadPolledIntegration(ctx, tx, l.ref.TenantID, l.ref.IntegrationID)
		return err
	})
	return i
}

func (l *productionLine) session() uuid.UUID {
	if s := l.integration().Session; s != nil {
		return *s
	}
	return uuid.Nil
}

func rowsAs[T any](l *productionLine, sql string) (rows []T) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		found, err := tx.Query(ctx, sql, l.ref.TenantID)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByName[T])
		return err
	})
	return rows
}

func (l *productionLine) gaps() []db.IntegrationBackfill {
	return rowsAs[db.IntegrationBackfill](l, `SELECT * FROM core.integration_backfills WHERE tenant_id = $1 ORDER BY from_ts`)
}

func (l *productionLine) syncs() []db.IntegrationSync {
	return rowsAs[db.IntegrationSync](l, `SELECT * FROM core.integration_syncs WHERE tenant_id = $1 ORDER BY finished_at, id`)
}

// stored returns what the historian has, one line per reading.
func (l *productionLine) stored() []string {
	l.t.Helper()
	type row struct {
		SignalID int64
		Ts       time.Time
	}
	found := rowsAs[row](l, `SELECT signal_id, ts FROM telemetry.asset_timeseries WHERE tenant_id = $1`)
	out := make([]string, 0, len(found))
	for _, r := range found {
		out = append(out, line("tag-"+strconv.FormatInt(r.SignalID, 10), r.Ts))
	}
	slices.Sort(out)
	return out
}

// settled waits until what was measured is stored.
func (l *productionLine) settled() {
	l.t.Helper()
	l.eventually(func() bool { return len(l.stored()) >= len(l.source.held()) }, "what was measured is stored")
}

func (l *productionLine) eventually(condition func() bool, what string) {
	l.t.Helper()
	require.Eventually(l.t, condition, 20*time.Second, 10*time.Millisecond, what)
}

func (l *productionLine) number(sql string) (n int) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, sql, l.ref.TenantID).Scan(&n)
	})
	return n
}

func (l *productionLine) alerts() int {
	return l.number(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'connector_silent' AND closed_at IS NULL`)
}

func (l *productionLine) failedSyncs() int {
	return l.number(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1 AND status = 'failed'`)
}

// retryNow is a person who does not want to wait for the circuit.
func (l *productionLine) retryNow() {
	l.t.Helper()
	l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RetryIntegration(ctx, tx, l.ref.TenantID, l.ref.IntegrationID)
		return err
	})
}
