package web_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// lock reads an alert.
func (f *fixture) lock(tenant, id uuid.UUID) (a db.Alert) {
	f.Helper()
	err := f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		a, err = q.LockAlert(ctx, tx, tenant, id)
		return err
	})
	require.NoError(f, err)
	return a
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	f := newFixture(t)

	t.Run("before the first sweep it says so", func(t *testing.T) {
		status, body := f.get(f.as("WATER_DEMO", access.Viewer), "/dashboard?lang=en")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "The first scoring sweep has not finished")
		require.Contains(t, body, "No finished run yet")
		require.NotContains(t, body, `href="/scenarios/new"`, "a viewer cannot run")
		require.NotContains(t, body, "[[")
	})

	tenant := f.scored("ARAMCO_DEMO", 3)
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	t.Run("figures, reasons and the way to a first run", func(t *testing.T) {
		status, body := f.get(c, "/dashboard?lang=en&days=90")
		require.Equal(t, http.StatusOK, status)
		for _, want := range []string{"Current risk index", "loss of the same assets when new and healthy", "Top risks", "Nothing has run yet", `href="/scenarios/new"`, "Data freshness"} {
			require.Contains(t, body, want)
		}
		status, body = f.get(c, "/dashboard?lang=ar")
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, body, "[[")
	})

	t.Run("the cost of deferral is that of the newest finished run", func(t *testing.T) {
		run := f.dueRun(tenant)
		_, body := f.get(c, "/dashboard?lang=en")
		require.Contains(t, body, "2 jobs due now")
		require.Contains(t, body, `<span class="kpi-value num">70</span>`, "30 moved by move_costs, 40 by value at stake, k SAR")
		require.Contains(t, body, "/runs/"+run.String()+"/results")
		_, body = f.get(c, "/dashboard/run?lang=en")
		require.Contains(t, body, "Weekly plan")
		require.NotContains(t, body, "<html")
	})
}

// dueRun stores a finished run with one scenario of three jobs: one whose
// cost of moving is known day by day, one that only knows its value at stake,
// and one that is not due yet.
func (f *fixture) dueRun(tenant uuid.UUID) (run uuid.UUID) {
	f.Helper()
	person := f.person("ARAMCO_DEMO", access.OptimizationEng).ID
	err := f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		err := tx.QueryRow(ctx, `INSERT INTO optimization.optimization_runs (tenant_id, problem, title, state, stage, requested_by, idempotency_key, objective,
			constraints, window_start, window_days, finished_at) VALUES ($1, 'maintenance_prioritization', 'Weekly plan', 'done', 'done', $2, 'test-key-1', '{}', '{}',
			current_date, 30, now()) RETURNING id`, tenant, person).Scan(&run)
		if err != nil {
			return err
		}
		var scenario uuid.UUID
		err = tx.QueryRow(ctx, `INSERT INTO optimization.optimization_scenarios (tenant_id, run_id, preset, status, objective, verified, seconds, total_cost, risk_cost,
			downtime_hours, labour_hours, actions_planned, actions_deferred, output) VALUES ($1, $2, 'balanced', 'feasible', 1000, true, 1, 1000, 400, 1, 1, 3, 0,
			'{"objective":{"planned_work":300,"planned_outage":200,"failure":400}}') RETURNING id`, tenant, run).Scan(&scenario)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO optimization.optimization_recommendations (tenant_id, scenario_id, asset_id, rank, decision, start_on, end_on, planned_cost,
			expected_cost, value_at_stake, failure_probability, move_costs)
			SELECT $1, $2, a.id, a.n, 'do', current_date + (ARRAY[0, 2, 20])[a.n], current_date + 25, 1, 1, 40000, 0.1,
				CASE a.n WHEN 1 THEN '[{"day":5,"delta":1000},{"day":30,"delta":30000},{"day":-1,"delta":90000}]'::jsonb ELSE '[]'::jsonb END
			FROM (SELECT id, row_number() OVER (ORDER BY tag)::int AS n FROM core.assets WHERE tenant_id = $1) a WHERE a.n <= 3`, tenant, scenario)
		return err
	})
	require.NoError(f, err)
	return run
}
