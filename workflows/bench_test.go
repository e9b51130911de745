package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/runs"
)

// inFlight is how many runs the benchmarks keep going at a time.
const inFlight = 8

// nothing is the smallest workflow: what it costs is what Temporal costs.
func nothing(workflow.Context) error { return nil }

// BenchmarkRuns counts finished runs per second, with eight in flight: empty
// workflows, and small maintenance runs (one site, one preset) from the row
// that asks for them to the stored, verified scenario.
func BenchmarkRuns(b *testing.B) {
	p := newPlatform(b)
	b.Run("empty", p.benchEmpty)
	b.Run("maintenance", p.benchMaintenance)
}

func (p *platform) benchEmpty(b *testing.B) {
	const queue = "bench"
	w := worker.New(p.client.temporal, queue, worker.Options{})
	w.RegisterWorkflow(nothing)
	require.NoError(b, w.Start())
	defer w.Stop()
	ctx := withTenant(b.Context(), p.tenant)
	p.inParallel(b, func(i int) error {
		run, err := p.client.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fmt.Sprintf("empty/%d", i), TaskQueue: queue}, nothing)
		if err != nil {
			return err
		}
		return run.Get(ctx, nil)
	})
}

func (p *platform) benchMaintenance(b *testing.B) {
	require.NoError(b, p.client.StartSweep(b.Context(), p.tenant)) // scores are fresh, as sweeps keep them
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM ai.scoring_sweeps WHERE tenant_id = $1 AND state = 'done'`, p.tenant) > 0
	}, "first sweep")
	verified := func() int {
		return p.count(`SELECT count(*) FROM optimization.optimization_runs r JOIN optimization.optimization_scenarios s
			ON s.tenant_id = r.tenant_id AND s.run_id = r.id WHERE r.tenant_id = $1 AND r.state = 'done' AND s.verified`, p.tenant)
	}
	before := verified()
	n := p.inParallel(b, func(int) error { return p.smallRun(b.Context()) })
	require.Equal(b, before+n, verified())
}

// inParallel repeats work for the benchmark's iterations, reports how often per
// second it was done, to the end of the last one, and returns the number.
func (p *platform) inParallel(b *testing.B, work func(i int) error) int {
	var done atomic.Int64
	began := time.Now()
	g, ctx := errgroup.WithContext(b.Context())
	g.SetLimit(inFlight)
	for b.Loop() {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return work(int(done.Add(1))) })
	}
	require.NoError(b, g.Wait())
	b.ReportMetric(float64(done.Load())/time.Since(began).Seconds(), "runs/s")
	return int(done.Load())
}

// smallRun asks for one preset of the smallest site and waits for its end.
func (p *platform) smallRun(ctx context.Context) error {
	var run uuid.UUID
	objective, err := json.Marshal(runs.Objective{Presets: []string{"cheapest"}})
	if err != nil {
		return err
	}
	err = p.db.InTenant(ctx, p.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key,
			objective, constraints, window_start, window_days, time_limit_seconds)
			SELECT $1, 'maintenance_prioritization', 'bench', $2, gen_random_uuid()::text, $3,
				jsonb_build_object('one_train_out', true, 'site_ids', jsonb_build_array((SELECT site_id FROM core.assets WHERE tenant_id = $1 GROUP BY site_id ORDER BY count(*) LIMIT 1))),
				current_date, 30, 5 RETURNING id`, p.tenant, p.people["optimization_engineer"], objective).Scan(&run)
	})
	if err != nil {
		return err
	}
	if err := p.client.StartOptimization(ctx, p.tenant, run); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(withTenant(ctx, p.tenant), 2*time.Minute)
	defer cancel()
	return p.client.temporal.GetWorkflow(ctx, OptimizationID(p.tenant, run), "").Get(ctx, nil)
}
