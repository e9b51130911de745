package workflows

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/runs"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() { // the exact solver runs as a child of this binary
		return
	}
	os.Exit(m.Run())
}

// testKey encrypts payloads in tests and in the recorded histories.
var testKey = bytes.Repeat([]byte{7}, 32)

// tenantCode is the demonstration plant that the tests work in.
const tenantCode = "WATER_DEMO"

// seeded is a database with one demonstration plant and a short history.
var seeded = testkit.Template{Key: "workflows-" + tenantCode, Build: func(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = seed.Run(ctx, d, seed.Options{
		Epoch: time.Now().UTC(), History: 5 * 24 * time.Hour, Period: 30 * time.Minute,
		Password: "not-used-in-tests", Only: []string{tenantCode}, Log: slog.New(slog.DiscardHandler),
	})
	return err
}}

// platform is a database, a Temporal namespace and a worker process.
type platform struct {
	t      testing.TB
	url    string // of the database
	db     *db.DB
	client *Client
	tenant uuid.UUID
	people map[string]uuid.UUID // by role
	set    *activities.Set
	halt   func() // stops the workers
}

// newPlatform starts everything; the workers stop with the test. Tests that use
// it run in parallel, each in a namespace of its own.
func newPlatform(t testing.TB) *platform {
	t.Helper()
	if test, ok := t.(*testing.T); ok {
		test.Parallel()
	}
	url := testkit.Database(t, seeded)
	d, err := db.Open(t.Context(), url, db.Config{})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	address, namespace := testkit.Temporal(t)
	c, err := Dial(t.Context(), ClientOptions{Address: address, Namespace: namespace, PayloadKey: testKey})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.NoError(t, c.Bootstrap(t.Context()))

	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	content, err := demo.Load()
	require.NoError(t, err)
	plant, ok := content.Tenant(tenantCode)
	require.True(t, ok)
	p := &platform{
		t: t, url: url, db: d, client: c, tenant: plant.ID, people: map[string]uuid.UUID{},
		set: activities.NewSet(activities.Deps{DB: d, Box: box, Starter: c, SolverThreads: 1}),
	}
	for _, person := range plant.People {
		p.people[person.Role] = person.ID
	}
	p.work()
	t.Cleanup(func() { p.halt() })
	return p
}

// work starts a worker process's queues; halt ends them.
func (p *platform) work() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	workers := NewWorkers(p.client, p.set)
	go func() { ended <- workers.Run(ctx) }()
	p.halt = func() { stop(); require.NoError(p.t, <-ended) }
}

// in runs work in the plant's tenant.
func (p *platform) in(work db.Work) {
	p.t.Helper()
	require.NoError(p.t, p.db.InTenant(context.Background(), p.tenant, work))
}

// request inserts a run as the web tier does and returns its id.
func (p *platform) request(seconds int32, presets ...string) uuid.UUID {
	p.t.Helper()
	objective, err := json.Marshal(runs.Objective{Presets: presets})
	require.NoError(p.t, err)
	var id uuid.UUID
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key,
			objective, constraints, window_start, window_days, time_limit_seconds)
			VALUES ($1, 'maintenance_prioritization', 'test', $2, gen_random_uuid()::text, $3, '{"one_train_out": true}', current_date, 30, $4) RETURNING id`,
			p.tenant, p.people["optimization_engineer"], objective, seconds).Scan(&id)
	})
	return id
}

// run reads the row of a run.
func (p *platform) run(id uuid.UUID) (run db.OptimizationRun) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		run, err = q.LoadRun(ctx, tx, p.tenant, id)
		return err
	})
	return run
}

// count returns the single number that a query gives.
func (p *platform) count(query string, args ...any) (n int) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, query, args...).Scan(&n)
	})
	return n
}

// eventually waits for a condition on rows; searches on a busy machine take
// their time.
func (p *platform) eventually(condition func() bool, what string) {
	p.t.Helper()
	require.Eventually(p.t, condition, 3*time.Minute, 100*time.Millisecond, what)
}
