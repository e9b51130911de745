package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// aged moves a released plan with its work orders into the past and finishes
// every second order on its last planned day.
func (f *fixture) aged(tenant string, plan uuid.UUID, days int) {
	f.Helper()
	root, err := pgx.Connect(f.Context(), f.url)
	require.NoError(f, err)
	defer func() { require.NoError(f, root.Close(context.Background())) }()
	require.Equal(f, tenant, f.codeOf(root, plan))
	for _, statement := range []string{
		`UPDATE optimization.optimization_runs SET window_start = window_start - $2::int WHERE id = (SELECT run_id FROM optimization.plans WHERE id = $1)`,
		`UPDATE optimization.optimization_recommendations SET start_on = start_on - $2::int, end_on = end_on - $2::int WHERE scenario_id = (SELECT scenario_id FROM optimization.plans WHERE id = $1)`,
		`UPDATE core.work_orders SET start_on = start_on - $2::int, due_on = due_on - $2::int, baseline_start_on = start_on - $2::int, baseline_due_on = due_on - $2::int,
			created_at = created_at - make_interval(days => $2) WHERE plan_id = $1`,
		`UPDATE core.work_orders SET status = 'done', found_condition = 'as_expected', done_at = (due_on + time '10:00') AT TIME ZONE 'Asia/Riyadh' WHERE plan_id = $1 AND number % 2 = 0 AND $2 > 0`,
	} {
		_, err := root.Exec(f.Context(), statement, plan, days)
		require.NoError(f, err)
	}
}

// codeOf is the tenant of a plan.
func (f *fixture) codeOf(root *pgx.Conn, plan uuid.UUID) string {
	f.Helper()
	var code string
	require.NoError(f, root.QueryRow(f.Context(), `SELECT t.code FROM core.tenants t JOIN optimization.plans p ON p.tenant_id = t.id WHERE p.id = $1`, plan).Scan(&code))
	return code
}

func TestLedgerSetsThePromiseAgainstTheOutcome(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	orders := f.orders("ARAMCO_DEMO")
	plan := orders[0].PlanID
	viewer := f.as("ARAMCO_DEMO", access.Viewer)
	_, body := f.get(viewer, "/ledger?lang=en")
	require.Contains(t, body, plan.String())
	require.Contains(t, body, "Too early to say", "while the window runs nothing is judged")
	require.NotContains(t, body, "Promise kept")

	f.aged("ARAMCO_DEMO", plan, 45)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by)
			SELECT tenant_id, asset_id, (due_on + 1 + time '08:00') AT TIME ZONE 'Asia/Riyadh', 3, 'failure' FROM core.work_orders WHERE plan_id = $1 AND due_on < current_date - 20 ORDER BY due_on LIMIT 1`, plan)
		return err
	})
	token, _ := f.issue("ARAMCO_DEMO", access.OptimizationEng, soon(), "read:results")
	status, out, _ := f.call(token, http.MethodGet, "/ledger/"+plan.String(), nil)
	require.Equal(t, http.StatusOK, status, out)
	require.NotEqual(t, "too_early", out["verdict"])
	promised, realised := out["promised"].(map[string]any), out["realised"].(map[string]any)
	done := f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.work_orders WHERE plan_id = $1 AND status = 'done'`, plan)
	require.EqualValues(t, len(orders), promised["jobs"])
	require.EqualValues(t, done, realised["done"])
	require.EqualValues(t, done, realised["orders_kept"])
	require.EqualValues(t, len(orders), realised["orders_due"])
	failures := realised["failed_before"].(float64) + realised["failed_after"].(float64)
	require.EqualValues(t, 1, failures)
	require.Positive(t, realised["failure_cost"])
	net := realised["net_value"].(map[string]any)
	require.LessOrEqual(t, net["low"], net["high"])
	require.Less(t, realised["failures_avoided"].(map[string]any)["mean"], promised["failures_avoided"].(map[string]any)["mean"], "half of the jobs avoid less")
	require.Len(t, out["cases"], f.count("ARAMCO_DEMO", `SELECT count(*) FROM optimization.optimization_recommendations r JOIN optimization.plans p ON p.scenario_id = r.scenario_id WHERE p.id = $1`, plan))
	_, body = f.get(viewer, "/ledger/"+plan.String()+"?lang=en")
	require.Regexp(t, "Failed (before|after) the job", body)
	require.NotContains(t, body, "Too early to say")

	foreign, _ := f.issue("POWER_DEMO", access.TenantAdmin, soon(), "read:results")
	status, _, _ = f.call(foreign, http.MethodGet, "/ledger/"+plan.String(), nil)
	require.Equal(t, http.StatusNotFound, status)
	status, list, _ := f.call(foreign, http.MethodGet, "/ledger", nil)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, list["items"])
	status, _ = f.get(f.as("POWER_DEMO", access.TenantAdmin), "/ledger/"+plan.String())
	require.Equal(t, http.StatusNotFound, status)
}

func TestAttainmentIsThatOfThePlannedDays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	orders := f.orders("ARAMCO_DEMO")
	f.aged("ARAMCO_DEMO", orders[0].PlanID, 45)
	token, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	from, to := time.Now().AddDate(0, 0, -60).Format(time.DateOnly), time.Now().Format(time.DateOnly)
	query := "?" + url.Values{"from": {from}, "to": {to}}.Encode()
	status, out, _ := f.call(token, http.MethodGet, "/work-orders/attainment"+query, nil)
	require.Equal(t, http.StatusOK, status, out)
	done := f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.work_orders WHERE status = 'done'`)
	require.EqualValues(t, len(orders), out["due"])
	require.EqualValues(t, done, out["kept"])
	for _, group := range []string{"sites", "technicians", "plans", "weeks"} {
		sum := 0.0
		for _, x := range out[group].([]any) {
			sum += x.(map[string]any)["due"].(float64)
		}
		require.EqualValues(t, len(orders), sum, group)
	}
	status, _, _ = f.call(token, http.MethodGet, "/work-orders/attainment?from=2020-01-01&to=2019-01-01", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	foreign, _ := f.issue("POWER_DEMO", access.TenantAdmin, soon(), "read:results")
	_, other, _ := f.call(foreign, http.MethodGet, "/work-orders/attainment"+query, nil)
	require.EqualValues(t, 0, other["due"])
	require.NotContains(t, other, "share")
}
