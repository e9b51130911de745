package activities

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/recurrence"
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

// tenantCode is the demonstration plant that the tests work in.
const tenantCode = "WATER_DEMO"

// seeded is a database with one demonstration plant and a short history.
var seeded = testkit.Template{Key: "activities-" + tenantCode, Build: func(ctx context.Context, url string) error {
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

// plantFixture is a seeded database with the activities over it. Every test
// has its own, so tests that use it run in parallel.
type plantFixture struct {
	t       *testing.T
	db      *db.DB
	set     *Set
	starter *fakeStarter
	tenant  uuid.UUID
	people  map[string]uuid.UUID // by role
}

func newPlant(t *testing.T) *plantFixture {
	t.Helper()
	return newPlantOf(t, seeded)
}

func newPlantOf(t *testing.T, template testkit.Template) *plantFixture {
	t.Helper()
	t.Parallel()
	d, err := db.Open(t.Context(), testkit.Database(t, template), db.Config{MaxConns: 6})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	content, err := demo.Load()
	require.NoError(t, err)
	tenant, ok := content.Tenant(tenantCode)
	require.True(t, ok)
	starter := &fakeStarter{running: map[string]bool{}}
	f := &plantFixture{
		t: t, db: d, starter: starter, tenant: tenant.ID, people: map[string]uuid.UUID{},
		set: NewSet(Deps{DB: d, Box: box, Starter: starter, SolverThreads: 1}),
	}
	for _, p := range tenant.People {
		f.people[p.Role] = p.ID
	}
	return f
}

// env returns a fresh environment in which one activity runs, with the
// interceptor that maps faults.
func (f *plantFixture) env() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Faults{}}})
	f.set.Register(env)
	return env
}

// do runs an activity that must succeed and decodes its result.
func (f *plantFixture) do(result any, activity any, args ...any) {
	f.t.Helper()
	value, err := f.env().ExecuteActivity(activity, args...)
	require.NoError(f.t, err)
	if result != nil {
		require.NoError(f.t, value.Get(result))
	}
}

// refuse runs an activity that must fail for good with a type and a key.
func (f *plantFixture) refuse(kind, key string, activity any, args ...any) ErrorDetail {
	f.t.Helper()
	_, err := f.env().ExecuteActivity(activity, args...)
	var app *temporal.ApplicationError
	require.ErrorAs(f.t, err, &app)
	require.Equal(f.t, kind, app.Type(), "%v", err)
	require.True(f.t, app.NonRetryable())
	detail := DetailOf(err)
	require.Equal(f.t, key, detail.Key, "%v", err)
	return detail
}

// in runs work in the plant's tenant.
func (f *plantFixture) in(work db.Work) {
	f.t.Helper()
	require.NoError(f.t, f.db.InTenant(context.Background(), f.tenant, work))
}

// exec runs one statement.
func (f *plantFixture) exec(sql string, args ...any) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

// count returns the single number that a query gives.
func (f *plantFixture) count(sql string, args ...any) (n int) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&n)
	})
	return n
}

// id returns the single id that a query gives.
func (f *plantFixture) id(sql string, args ...any) (id uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&id)
	})
	return id
}

// request inserts a run as the web tier does.
func (f *plantFixture) request(by string, objective runs.Objective, constraints runs.Constraints) RunRef {
	f.t.Helper()
	o, err := json.Marshal(objective)
	require.NoError(f.t, err)
	c, err := json.Marshal(constraints)
	require.NoError(f.t, err)
	id := f.id(`INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
		window_start, window_days, time_limit_seconds)
		VALUES ($1, 'maintenance_prioritization', 'test', $2, gen_random_uuid()::text, $3, $4, current_date, 30, 2) RETURNING id`,
		f.tenant, f.people[by], o, c)
	return RunRef{TenantID: f.tenant, RunID: id}
}

// run reads the row of a run.
func (f *plantFixture) run(ref RunRef) (run db.OptimizationRun) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		run, err = q.LoadRun(ctx, tx, ref.TenantID, ref.RunID)
		return err
	})
	return run
}

// load takes a run through its first two steps.
func (f *plantFixture) load(ref RunRef) (problem LoadedProblem) {
	f.t.Helper()
	f.do(nil, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: "w", WorkflowRunID: "r"})
	f.do(&problem, f.set.Optimization.LoadProblem, ref)
	return problem
}

// solved takes a run with preset cheapest through all its steps.
func (f *plantFixture) solved(by string) RunRef {
	f.t.Helper()
	ref := f.request(by, runs.Objective{Presets: []string{"cheapest"}}, runs.Constraints{})
	f.solve(ref)
	return ref
}

// solve takes a request with preset cheapest through all its steps.
func (f *plantFixture) solve(ref RunRef) {
	f.t.Helper()
	f.load(ref)
	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "cheapest"})
	f.do(nil, f.set.Optimization.VerifyPlans, ref)
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
}

// propose puts the scenario of a solved run forward.
func (f *plantFixture) propose(run RunRef, by string) PlanRef {
	f.t.Helper()
	id := f.id(`INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, launched_by, proposed_by, due_at)
		SELECT s.tenant_id, s.run_id, s.id, r.requested_by, $3, now() + interval '8 hours'
		FROM optimization.optimization_scenarios s JOIN optimization.optimization_runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
		WHERE s.tenant_id = $1 AND s.run_id = $2 RETURNING id`, f.tenant, run.RunID, f.people[by])
	return PlanRef{TenantID: f.tenant, PlanID: id}
}

// intact checks that the audit chain holds.
func (f *plantFixture) intact() {
	f.t.Helper()
	report, err := f.db.VerifyAudit(f.t.Context(), f.tenant)
	require.NoError(f.t, err)
	require.True(f.t, report.Intact)
}

// fakeStarter remembers what upkeep asks for.
type fakeStarter struct {
	runs, approvals, releases, scheduled []uuid.UUID
	trainings, backtests, reruns         []uuid.UUID
	mu                                   sync.Mutex // guards fillings and listings
	fillings, listings                   []uuid.UUID
	running                              map[string]bool
	firings                              []recurrence.Firing
	startErr                             error // of the next start of a due time
	triggers                             []recurrence.Trigger
	triggerErr                           map[uuid.UUID]error // by schedule
	err                                  error
}

func (s *fakeStarter) StartOptimization(_ context.Context, _, run uuid.UUID) error {
	s.runs = append(s.runs, run)
	return s.err
}

func (s *fakeStarter) StartApproval(_ context.Context, _, plan uuid.UUID) error {
	s.approvals = append(s.approvals, plan)
	return s.err
}

func (s *fakeStarter) StartRelease(_ context.Context, _, plan uuid.UUID) error {
	s.releases = append(s.releases, plan)
	return s.err
}

func (s *fakeStarter) StartTraining(_ context.Context, _, run uuid.UUID) error {
	s.trainings = append(s.trainings, run)
	return s.err
}

func (s *fakeStarter) StartRerun(_ context.Context, _, rerun uuid.UUID) error {
	s.reruns = append(s.reruns, rerun)
	return s.err
}

func (s *fakeStarter) StartBacktest(_ context.Context, _, backtest uuid.UUID) error {
	s.backtests = append(s.backtests, backtest)
	return s.err
}

func (s *fakeStarter) StartRecurring(_ context.Context, f recurrence.Firing) error {
	switch {
	case s.startErr != nil:
		err := s.startErr
		s.startErr = nil
		return err
	case !slices.Contains(s.firings, f): // as the engine, which starts a due time once
		s.firings = append(s.firings, f)
	}
	return s.err
}

func (s *fakeStarter) EnsureRecurring(_ context.Context, t recurrence.Trigger) error {
	s.triggers = append(s.triggers, t)
	return errors.Join(s.err, s.triggerErr[t.ID])
}

func (s *fakeStarter) Running(_ context.Context, workflowID string) (bool, error) {
	return s.running[workflowID], s.err
}

func (s *fakeStarter) EnsureTenantSchedules(_ context.Context, _ uuid.UUID, integrations []uuid.UUID) error {
	s.scheduled = append(s.scheduled, integrations...)
	return s.err
}

func (s *fakeStarter) StartBackfill(_ context.Context, _, integration uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fillings = append(s.fillings, integration)
	return s.err
}

func (s *fakeStarter) fillingsOf() []uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.fillings)
}

func (s *fakeStarter) Discover(_ context.Context, _, integration uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listings = append(s.listings, integration)
	return s.err
}
