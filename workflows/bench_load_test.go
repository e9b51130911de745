package workflows

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

// The load of the benchmark: ten tenants, of which the first has asked for most
// of the runs, and before all others.
const (
	loadTenants  = 10
	loadPlans    = 50 // waiting for approval, each tenant
	loadWhale    = 110
	loadRuns     = 10 // of each other tenant
	loadDeciders = 4  // people who decide at the same time
)

// copied are the tables of the demonstration plant that another tenant needs
// for small runs, in the order of their references.
var copied = []string{"core.users", "core.governance", "core.calendars", "core.sites", "core.units", "core.skills", "core.assets", "core.crews", "core.shifts", "core.technicians",
	"core.shared_resources", "core.asset_resource_needs", "core.redundancy_groups", "core.redundancy_group_members", "core.embargoes", "optimization.optimization_cost_models"}

// BenchmarkLoad has five hundred plans wait for approval and two hundred runs
// queue at once, and measures how long a decision takes meanwhile, how fairly
// the tenants are served, and how much memory the worker keeps.
func BenchmarkLoad(b *testing.B) {
	p := newPlatform(b)
	for b.Loop() {
		l := newLoad(b, p)
		l.approvals(b)
		began := time.Now()
		l.queue(b)
		took := l.decide(b)
		l.drain(b)
		b.ReportMetric(time.Since(began).Seconds(), "s/queue")
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds()*1e3, "ms/decision-p50")
		b.ReportMetric(took[len(took)*95/100].Seconds()*1e3, "ms/decision-p95")
		b.ReportMetric(float64(l.lastOfSmall(b)), "position-small")
		b.ReportMetric(float64(len(l.runs)), "runs")
		b.ReportMetric(residentMiB(b), "MiB-rss")
	}
}

// load is the benchmark's ten tenants with what waits in them.
type load struct {
	p       *platform
	root    *pgxpool.Pool
	tenants []uuid.UUID
	plans   []waiting
	runs    []waiting
}

// waiting is a plan or a run of a tenant.
type waiting struct{ tenant, id uuid.UUID }

// newLoad copies the plant of the platform to ten tenants of their own.
func newLoad(b *testing.B, p *platform) *load {
	l := &load{p: p}
	var err error
	l.root, err = pgxpool.New(b.Context(), p.url)
	require.NoError(b, err)
	b.Cleanup(l.root.Close)
	run := p.request(2, "cheapest")
	require.NoError(b, p.client.StartOptimization(b.Context(), p.tenant, run))
	p.eventually(func() bool { return p.run(run).State == "done" }, "the pattern of all plans is solved")
	for i := range loadTenants {
		tenant := uuid.New()
		l.tenants = append(l.tenants, tenant)
		l.exec(b, `INSERT INTO core.tenants SELECT (jsonb_populate_record(t, jsonb_build_object('id', $2::uuid, 'code', $3::text))).* FROM core.tenants t WHERE id = $1`,
			p.tenant, tenant, fmt.Sprintf("LOAD_%d_%s", i, strings.ToUpper(tenant.String()[:8])))
		for _, table := range copied {
			l.exec(b, `INSERT INTO `+table+` SELECT (jsonb_populate_record(t, jsonb_build_object('tenant_id', $2::uuid))).* FROM `+table+` t WHERE tenant_id = $1`, p.tenant, tenant)
		}
		l.exec(b, `INSERT INTO ai.scoring_sweeps SELECT (jsonb_populate_record(t, jsonb_build_object('tenant_id', $2::uuid, 'started_at', now(), 'finished_at', now(), 'as_of', now()))).*
			FROM ai.scoring_sweeps t WHERE tenant_id = $1 AND state = 'done' ORDER BY started_at DESC LIMIT 1`, p.tenant, tenant)
		l.plant(b, tenant, run)
	}
	return l
}

func (l *load) exec(b *testing.B, sql string, args ...any) {
	b.Helper()
	_, err := l.root.Exec(b.Context(), sql, args...)
	require.NoError(b, err, sql)
}

// plant copies the solved run to a tenant as many times as plans are to wait.
func (l *load) plant(b *testing.B, tenant, run uuid.UUID) {
	for range loadPlans {
		id, scenario, plan := uuid.New(), uuid.New(), uuid.New()
		l.exec(b, `INSERT INTO optimization.optimization_runs SELECT (jsonb_populate_record(t, jsonb_build_object('tenant_id', $3::uuid, 'id', $4::uuid, 'idempotency_key', $4::text))).*
			FROM optimization.optimization_runs t WHERE tenant_id = $1 AND id = $2`, l.p.tenant, run, tenant, id)
		l.exec(b, `INSERT INTO optimization.optimization_scenarios SELECT (jsonb_populate_record(t, jsonb_build_object('tenant_id', $3::uuid, 'id', $5::uuid, 'run_id', $4::uuid))).*
			FROM optimization.optimization_scenarios t WHERE tenant_id = $1 AND run_id = $2`, l.p.tenant, run, tenant, id, scenario)
		l.exec(b, `INSERT INTO optimization.plans (tenant_id, id, run_id, scenario_id, launched_by, proposed_by, due_at)
			VALUES ($1, $2, $3, $4, $5, $5, now() + interval '8 hours')`, tenant, plan, id, scenario, l.p.people["optimization_engineer"])
		l.plans = append(l.plans, waiting{tenant, plan})
	}
}

// approvals starts the approval of every plan.
func (l *load) approvals(b *testing.B) {
	for _, x := range l.plans {
		require.NoError(b, l.p.client.StartApproval(b.Context(), x.tenant, x.id))
	}
}

// queue asks for all runs at once, those of the first tenant before the others.
func (l *load) queue(b *testing.B) {
	for i, tenant := range l.tenants {
		n := loadRuns
		if i == 0 {
			n = loadWhale
		}
		for range n {
			var id uuid.UUID
			err := l.p.db.InTenant(b.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
				return tx.QueryRow(ctx, `INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days, time_limit_seconds)
					SELECT $1, 'maintenance_prioritization', 'load', $2, gen_random_uuid()::text, '{"presets": ["cheapest"]}',
						jsonb_build_object('one_train_out', true, 'site_ids', jsonb_build_array((SELECT site_id FROM core.assets WHERE tenant_id = $1 GROUP BY site_id ORDER BY count(*) LIMIT 1))),
						current_date, 30, 5 RETURNING id`, tenant, l.p.people["optimization_engineer"]).Scan(&id)
			})
			require.NoError(b, err)
			require.NoError(b, l.p.client.StartOptimization(b.Context(), tenant, id))
			l.runs = append(l.runs, waiting{tenant, id})
		}
	}
}

// decide approves every plan, a few at a time, and returns how long each
// decision took until its outcome was known.
func (l *load) decide(b *testing.B) []time.Duration {
	jobs, took := make(chan waiting), make(chan time.Duration, len(l.plans))
	failed := make(chan error, len(l.plans))
	for range loadDeciders {
		go func() {
			for x := range jobs {
				began := time.Now()
				_, err := l.p.client.Decide(b.Context(), x.tenant, x.id, uuid.NewString(), Decision{ActorID: l.p.people["tenant_admin"], Kind: Approved})
				took <- time.Since(began)
				failed <- err
			}
		}()
	}
	go func() {
		defer close(jobs)
		for i := range loadPlans { // tenant after tenant, as people of all of them come
			for t := range loadTenants {
				jobs <- l.plans[t*loadPlans+i]
			}
		}
	}()
	out := make([]time.Duration, 0, len(l.plans))
	for range l.plans {
		require.NoError(b, <-failed)
		out = append(out, <-took)
	}
	return out
}

// drain waits until every run has ended well.
func (l *load) drain(b *testing.B) {
	open := func() (n int) {
		require.NoError(b, l.root.QueryRow(b.Context(), `SELECT count(*) FROM optimization.optimization_runs WHERE title = 'load' AND state IN ('requested', 'running')`).Scan(&n))
		return n
	}
	require.Eventually(b, func() bool { return open() == 0 }, 20*time.Minute, time.Second, "the queue is worked off")
	var done int
	require.NoError(b, l.root.QueryRow(b.Context(), `SELECT count(*) FROM optimization.optimization_runs WHERE title = 'load' AND state = 'done'`).Scan(&done))
	require.Equal(b, len(l.runs), done)
}

// lastOfSmall is the place in the order of endings at which the last run of the
// nine small tenants ended. First come, first served gives the number of runs.
func (l *load) lastOfSmall(b *testing.B) (place int) {
	require.NoError(b, l.root.QueryRow(b.Context(), `SELECT max(place) FROM (SELECT tenant_id, row_number() OVER (ORDER BY finished_at) AS place
		FROM optimization.optimization_runs WHERE title = 'load') x WHERE tenant_id <> $1`, l.tenants[0]).Scan(&place))
	return place
}

// residentMiB is the memory that this process, the worker, keeps.
func residentMiB(b *testing.B) float64 {
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(b, err)
	var size, resident float64
	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(b, err)
	return resident * float64(os.Getpagesize()) / (1 << 20)
}
