package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// The rules that must hold even when the code above forgets them.
func TestConstraints(t *testing.T) {
	t.Parallel()
	const decide = `INSERT INTO optimization.plan_decisions (tenant_id, plan_id, launched_by, proposed_by, actor_id, kind, comment) VALUES ($1, $1, $1, $1, `
	const order = `INSERT INTO core.work_orders (tenant_id, number, plan_id, recommendation_id, asset_id, title_ar, title_en, start_on, due_on) VALUES ($1, `
	const approver = `(SELECT id FROM core.users WHERE tenant_id = $1 AND username = 'other')`
	cases := map[string]struct {
		sql        string
		code       fault.Code
		key        string
		constraint string
	}{
		"nobody approves a plan they launched": {decide + `$1, 'approved', '')`, fault.Forbidden, "plans.four_eyes", ""},
		"the launcher may still object":        {decide + `$1, 'objected', 'too early')`, "", "", ""},
		"another person approves":              {decide + approver + `, 'approved', '')`, "", "", ""},
		"a return needs a reason":              {decide + approver + `, 'returned', '')`, fault.Invalid, "db.invalid", "plan_decisions_check"},
		"the launcher cannot be disguised": {`INSERT INTO optimization.plan_decisions (tenant_id, plan_id, launched_by, proposed_by, actor_id, kind)
			VALUES ($1, $1, ` + approver + `, ` + approver + `, $1, 'approved')`, fault.Invalid, "db.missing_reference", "plan_decisions_tenant_id_plan_id_launched_by_proposed_by_fkey"},
		"a recommendation becomes one work order": {order + `2, $1, $1, $1, 'x', 'x', '2026-01-01', '2026-01-02')`, fault.Conflict, "db.duplicate", "work_orders_tenant_id_recommendation_id_key"},
		"work order numbers are unique":           {order + `1, $1, $1, $1, 'x', 'x', '2026-01-01', '2026-01-02')`, fault.Conflict, "db.duplicate", ""},
		"a run starts once per key": {`INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days)
			SELECT tenant_id, problem, title, requested_by, idempotency_key, objective, constraints, window_start, window_days FROM optimization.optimization_runs WHERE tenant_id = $1`,
			fault.Conflict, "db.duplicate", "optimization_runs_tenant_id_idempotency_key_key"},
		"a scenario has one open plan": {`INSERT INTO optimization.plans (tenant_id, run_id, scenario_id, launched_by, proposed_by, due_at) VALUES ($1, $1, $1, $1, $1, now())`,
			fault.Conflict, "db.duplicate", "plans_open_scenario"},
		"an asset belongs to a site of its tenant": {`INSERT INTO core.units (tenant_id, site_id, code, name_ar, name_en) VALUES ($1, '` + beta.String() + `', 'x', 'x', 'x')`,
			fault.Invalid, "db.missing_reference", "units_tenant_id_site_id_fkey"},
		"a kind of model is active once": {`INSERT INTO ai.models (tenant_id, kind, version) VALUES ($1, 'shared', 'next')`, fault.Conflict, "db.duplicate", "models_active"},
		"an open alert is not repeated": {`INSERT INTO core.alerts (tenant_id, kind, severity, dedupe_key, raised_at, last_seen_at) VALUES ($1, 'x', 1, 'shared', now(), now())`,
			fault.Conflict, "db.duplicate", "alerts_open"},
	}
	_, conn := twoTenants(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), c.sql, alpha)
			require.NoError(t, tx.Rollback(t.Context()))
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			var f *fault.Error
			require.ErrorAs(t, db.Fault(err), &f)
			require.Equal(t, []any{c.code, c.key}, []any{f.Code, f.Key})
			if c.constraint != "" {
				require.Equal(t, c.constraint, f.Args["constraint"])
			}
		})
	}
}
