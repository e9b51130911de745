package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/oracleeam"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
	"github.com/optria-iq/optria/internal/connector/sap"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
)

// releaseLines is how many lines the plans of the release tests have.
const releaseLines = 3

// releasing is a database with the activities over it, without a Temporal
// server: the workflows run in the environment of the test suite, in which the
// waits between attempts take no time.
type releasing struct {
	t      *testing.T
	db     *db.DB
	set    *activities.Set
	box    *secret.Box
	tenant uuid.UUID
	people map[string]uuid.UUID
	assets []uuid.UUID
	killer *killer
}

// killer is an interceptor that breaks the running activity off, as the end of
// its worker does.
type killer struct {
	interceptor.WorkerInterceptorBase
	mu     sync.Mutex
	cancel context.CancelFunc
	killed bool
}

func (k *killer) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killed = true
	k.cancel()
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (k *killer) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &killable{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, k: k}
}

type killable struct {
	interceptor.ActivityInboundInterceptorBase
	k *killer
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *killable) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.k.mu.Lock()
	a.k.cancel, a.k.killed = cancel, false
	a.k.mu.Unlock()
	result, err := a.Next.ExecuteActivity(ctx, in)
	a.k.mu.Lock()
	defer a.k.mu.Unlock()
	if a.k.killed {
		return nil, errors.New("the worker died")
	}
	return result, err
}

func newReleasing(t *testing.T) *releasing {
	t.Helper()
	t.Parallel()
	d, err := db.Open(t.Context(), testkit.Database(t, seeded), db.Config{MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	content, err := demo.Load()
	require.NoError(t, err)
	plant, ok := content.Tenant(tenantCode)
	require.True(t, ok)
	f := &releasing{t: t, db: d, box: box, tenant: plant.ID, people: map[string]uuid.UUID{}, killer: &killer{},
		set: activities.NewSet(activities.Deps{DB: d, Box: box, Dialer: &net.Dialer{}, SolverThreads: 1})}
	for _, person := range plant.People {
		f.people[person.Role] = person.ID
	}
	f.loadAssets()
	return f
}

// loadAssets picks the assets that the plans are about.
func (f *releasing) loadAssets() {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		rows, err := tx.Query(ctx, `SELECT id FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT $2`, f.tenant, releaseLines)
		if err != nil {
			return err
		}
		f.assets, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
}

func (f *releasing) in(work db.Work) {
	f.t.Helper()
	require.NoError(f.t, f.db.InTenant(context.Background(), f.tenant, work))
}

func (f *releasing) exec(sql string, args ...any) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

func (f *releasing) count(sql string, args ...any) (n int) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&n)
	})
	return n
}

func (f *releasing) id(sql string, args ...any) (id uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&id)
	})
	return id
}

// approved inserts an approved plan with one job for each asset, a month ahead.
func (f *releasing) approved() activities.PlanRef {
	f.t.Helper()
	engineer := f.people["optimization_engineer"]
	run := f.id(`INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days, time_limit_seconds)
		VALUES ($1, 'maintenance_prioritization', 'test', $2, gen_random_uuid()::text, '{}', '{}', current_date, 30, 2) RETURNING id`, f.tenant, engineer)
	scenario := f.id(`INSERT INTO optimization.optimization_scenarios (tenant_id, run_id, preset, status, objective, verified, seconds, total_cost, risk_cost, downtime_hours,
		labour_hours, actions_planned, actions_deferred, output) VALUES ($1, $2, 'cheapest', 'optimal', 1, true, 1, 1, 1, 1, 1, $3, 0, '{}') RETURNING id`, f.tenant, run, releaseLines)
	for i, asset := range f.assets {
		f.exec(`INSERT INTO optimization.optimization_recommendations (tenant_id, scenario_id, asset_id, rank, decision, start_on, end_on, skill_code, crew_hours,
			planned_cost, expected_cost, value_at_stake, failure_probability) VALUES ($1, $2, $3, $4, 'do', current_date + 30 + $4::int, current_date + 31 + $4::int, 'rotating', 8, 1, 1, 1, 0.1)`,
			f.tenant, scenario, asset, i+1)
	}
	plan := f.id(`INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, state, launched_by, proposed_by, due_at, decided_at)
		VALUES ($1, $2, $3, 'approved', $4, $4, now() + interval '8 hours', now()) RETURNING id`, f.tenant, run, scenario, engineer)
	return activities.PlanRef{TenantID: f.tenant, PlanID: plan}
}

// request asks for the release of a plan, as the web tier does.
func (f *releasing) request(plan activities.PlanRef, integration uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.RequestPlanRelease(ctx, tx, f.people["optimization_engineer"], plan.TenantID, plan.PlanID); err != nil {
			return err
		}
		row, err := q.LockPlan(ctx, tx, plan.TenantID, plan.PlanID)
		if err != nil {
			return err
		}
		_, err = db.StartRelease(ctx, tx, row, f.people["optimization_engineer"], &integration)
		return err
	})
}

// settle closes everything that an earlier case has left behind.
func (f *releasing) settle() {
	f.exec(`UPDATE core.work_orders SET status = 'cancelled', external_state = 'cancelled' WHERE tenant_id = $1`, f.tenant)
}

// counterpart is a simulated maintenance system behind a network and a gateway
// that fail on demand.
type counterpart struct {
	http.Handler
	collection string
	server     *httptest.Server
	kind       string
	config     connector.Config
	direct     connector.Config // past the gateway
	password   string
	twin       func(i int) string                 // key of the record behind asset i, from 1
	orders     func() []connector.WorkOrderRecord // all orders with a key of the product

	mu      sync.Mutex
	fault   string // how the order numbered at fails: before, lost or refused
	at      int
	changes bool // count changes of orders instead of creations
	seen    int
	down    bool
	refuses bool
	written func() // runs after each write of an order, before its answer
}

// ServeHTTP serves as the system does, or fails.
func (c *counterpart) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	creates := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, c.collection)
	writes := creates
	if c.changes {
		writes = r.Method == http.MethodPatch
	}
	c.mu.Lock()
	if writes {
		c.seen++
	}
	due := writes && c.seen == c.at && c.fault != ""
	if due && c.fault == "refused" {
		c.refuses = true
	}
	if due && c.fault == "before" {
		c.down = true
	}
	down, refuses, lost, written := c.down, c.refuses && writes, due && c.fault == "lost", c.written
	c.mu.Unlock()
	switch {
	case down:
		panic(http.ErrAbortHandler)
	case refuses:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":"IW/001","message":{"lang":"en","value":"refused"}},"title":"refused","status":"400"}`))
		return
	}
	answer := httptest.NewRecorder()
	c.Handler.ServeHTTP(answer, r)
	if lost {
		c.mu.Lock()
		c.down = true
		c.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if writes && written != nil {
		written()
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (c *counterpart) fail(fault string, at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.at, c.seen = fault, at, 0
}

func (c *counterpart) heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.down, c.refuses = "", false, false
}

// live lists the orders of the product that are not cancelled.
func (c *counterpart) live() []connector.WorkOrderRecord {
	return slices.DeleteFunc(c.orders(), func(o connector.WorkOrderRecord) bool { return o.State == connector.OrderCancelled })
}

// maintain adds the integration with a counterpart, whose records are matched
// to the assets.
func (f *releasing) maintain(c *counterpart) uuid.UUID {
	f.t.Helper()
	config, err := json.Marshal(c.config)
	require.NoError(f.t, err)
	id := f.id(`INSERT INTO core.integrations (tenant_id, name, kind, config, state) VALUES ($1, gen_random_uuid()::text, $2, $3, 'active') RETURNING id`, f.tenant, c.kind, config)
	sealed, err := f.box.Seal(f.tenant.String(), id.String(), "password", []byte(c.password))
	require.NoError(f.t, err)
	f.exec(`INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $2, 'password', $3)`, f.tenant, id, sealed)
	for i, asset := range f.assets {
		f.exec(`INSERT INTO core.external_assets (tenant_id, integration_id, kind, external_id, name, seen_at, asset_id) VALUES ($1, $2, 'equipment', $3, $3, now(), $4)`,
			f.tenant, id, c.twin(i+1), asset)
	}
	return id
}

// counterparts are the systems that the tests release to.
var counterparts = map[string]func(t *testing.T) *counterpart{"SAP": newSAP, "Oracle": newOracle}

func newSAP(t *testing.T) *counterpart {
	simulator := saptest.New(t, time.Now())
	c := &counterpart{Handler: simulator.Config.Handler, collection: "/MaintenanceOrder", kind: sap.Kind, password: saptest.Password, twin: saptest.EquipmentID,
		config: connector.Config{"username": saptest.User, "sap_client": saptest.Client}}
	return c.serve(t)
}

func newOracle(t *testing.T) *counterpart {
	simulator := oracleeamtest.New()
	simulator.Seed(10)
	c := &counterpart{Handler: simulator, collection: "/" + oracleeamtest.WorkOrders, kind: oracleeam.Kind, password: oracleeamtest.Password,
		twin:   func(i int) string { return strconv.FormatInt(oracleeamtest.AssetID(i), 10) },
		config: connector.Config{"username": oracleeamtest.User}}
	return c.serve(t)
}

// serve starts the faulty gateway. The orders are read past it.
func (c *counterpart) serve(t *testing.T) *counterpart {
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	c.config["base_url"] = c.server.URL
	direct := httptest.NewServer(c.Handler)
	t.Cleanup(direct.Close)
	c.direct = maps.Clone(c.config)
	c.direct["base_url"] = direct.URL
	c.orders = func() []connector.WorkOrderRecord {
		opened, err := connector.Open(c.kind, c.direct, connector.Secrets{"password": c.password}, &net.Dialer{})
		require.NoError(t, err)
		defer func() { require.NoError(t, opened.Close()) }()
		var all []connector.WorkOrderRecord
		for request := (connector.RecordRequest{}); ; {
			page, err := opened.(connector.WorkOrderReader).ReadWorkOrders(t.Context(), request)
			require.NoError(t, err)
			for _, o := range page.Records {
				if strings.HasPrefix(o.Key, "OPT-") {
					all = append(all, o)
				}
			}
			if request.Cursor = page.Cursor; page.Cursor == "" {
				return all
			}
		}
	}
	return c
}

// resolved is one run of the workflow in the test environment.
type resolved struct {
	*testsuite.TestWorkflowEnvironment
	answer answerTo
}

// release runs the workflow of a plan. Five hours later, when every attempt has
// been made, meanwhile runs and the choice is sent, unless it is empty.
func (f *releasing) release(plan activities.PlanRef, choice string, meanwhile func()) (ReleaseResult, *resolved) {
	f.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := &resolved{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute, Interceptors: []interceptor.WorkerInterceptor{f.killer, &activities.Faults{}}})
	f.set.Register(env)
	if choice != "" {
		env.RegisterDelayedCallback(func() {
			meanwhile()
			env.UpdateWorkflow(UpdateResolve, "decision", &env.answer, Resolution{ActorID: f.people["optimization_engineer"], Choice: choice, Reason: "the test says so"})
		}, 5*time.Hour)
	}
	env.ExecuteWorkflow(Release, ReleaseInput{TenantID: plan.TenantID, PlanID: plan.PlanID})
	require.True(f.t, env.IsWorkflowCompleted())
	require.NoError(f.t, env.GetWorkflowError())
	require.NoError(f.t, env.answer.rejected)
	require.NoError(f.t, env.answer.err)
	var result ReleaseResult
	require.NoError(f.t, env.GetWorkflowResult(&result))
	return result, env
}
