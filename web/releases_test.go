package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/release"
	"github.com/optria-iq/optria/web/uitest"
	"github.com/optria-iq/optria/workflows"
)

// TestReleaseToAMaintenanceSystem goes from the dry run to a stuck line and the
// decision about it.
func TestReleaseToAMaintenanceSystem(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const code = "ARAMCO_DEMO"
	tenant := f.tenant(code)
	plan := f.planOf(code, f.finishedRun(code, access.OptimizationEng))
	f.settled(code, plan, "approved", "approved", access.TenantAdmin)
	engineer := f.as(code, access.OptimizationEng)
	target := uuid.New()
	exec := func(sql string, args ...any) {
		f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		})
	}
	exec(`INSERT INTO core.integrations (tenant_id, id, name, kind, config, state) VALUES ($1, $2, 'SAP of the refinery', 'sap', '{}', 'active')`, tenant.ID, target)
	day := time.Now().AddDate(0, 1, 0)
	f.flows.dryRun = func(uuid.UUID, uuid.UUID) (workflows.DryRun, error) {
		return workflows.DryRun{System: "SAP of the refinery", OrderType: "YA01", Lines: []workflows.DryRunLine{
			{Tag: "P-1", Action: release.Create, TwinID: "000000000010000007", Start: day, End: day, Live: true},
			{Tag: "P-2", Action: release.Move, OrderID: "4000123", Start: day, End: day, FormerStart: day.AddDate(0, 0, 3), FormerEnd: day.AddDate(0, 0, 4), Live: true},
			{Tag: "P-3", Action: release.Conflict, Fault: release.KeyUnmatched, Start: day, End: day},
		}}, nil
	}
	path := "/plans/" + plan.String() + "/release"
	status, page := f.get(engineer, path+"?integration="+target.String())
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{"SAP of the refinery", "YA01", "4000123", "P-3"} {
		require.Contains(t, page, want)
	}
	status, _ = f.post(engineer, path, url.Values{"integration_id": {uuid.NewString()}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "an unknown target")
	status, _ = f.get(f.as(code, access.Viewer), path)
	require.Equal(t, http.StatusForbidden, status)

	status, _ = f.post(engineer, path, url.Values{"integration_id": {target.String()}})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("start-release"))
	var id uuid.UUID
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		found, err := q.ReleaseOfPlan(ctx, tx, t, plan)
		id = found.ID
		return err
	})
	exec(`UPDATE optimization.plans SET release_requested_at = NULL, release_requested_by = NULL WHERE tenant_id = $1 AND id = $2`, tenant.ID, plan)
	exec(`UPDATE optimization.releases SET state = 'stuck' WHERE tenant_id = $1 AND id = $2`, tenant.ID, id)
	exec(`INSERT INTO optimization.release_lines (tenant_id, release_id, line, recommendation_id, asset_id, action, state, idempotency_key, planned_start, planned_end, error_key, error_detail, external_id)
		SELECT c.tenant_id, $2, row_number() OVER (ORDER BY c.id), c.id, c.asset_id, 'create', (ARRAY['failed', 'undone'])[1 + (row_number() OVER (ORDER BY c.id)) % 2], 'OPT-' || row_number() OVER (ORDER BY c.id), now(), now(),
			'releases.fault.begun', '{"order": "4000777"}', '4000778' FROM optimization.optimization_recommendations c JOIN optimization.plans p ON p.tenant_id = c.tenant_id AND p.scenario_id = c.scenario_id
		WHERE c.tenant_id = $1 AND p.id = $3 ORDER BY c.id LIMIT 2`, tenant.ID, id, plan)
	exec(`INSERT INTO optimization.release_events (tenant_id, release_id, line, kind, detail) VALUES ($1, $2, 1, 'drift', '{"drift": "moved", "from": "a", "to": "b", "external_id": "4000777"}')`, tenant.ID, id)

	at := "/releases/" + id.String()
	status, page = f.get(engineer, at)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "4000777", "the fault names the order")
	require.Contains(t, page, `<s class="text-ink-3">`, "an order that was taken back is struck through")
	require.Contains(t, page, `value="undo"`)
	f.looksAt(map[string]string{"release-plan": path + "?integration=" + target.String(), "release": at})
	_, page = f.get(f.as(code, access.Viewer), at)
	require.NotContains(t, page, `value="undo"`)
	status, _ = f.get(engineer, at+"/status")
	require.Equal(t, http.StatusOK, status)
	status, _ = f.post(engineer, at+"/resolve", url.Values{"choice": {"skip"}, "reason": {" "}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.False(t, f.flows.called("resolve-release"))
	status, _ = f.post(f.as("POWER_DEMO", access.TenantAdmin), at+"/resolve", url.Values{"choice": {"undo"}, "reason": {"mine"}})
	require.Equal(t, http.StatusNotFound, status)
	require.False(t, f.flows.called("resolve-release"), "a release of another tenant never reaches the workflow")
	status, _ = f.post(engineer, at+"/resolve", url.Values{"choice": {"undo"}, "reason": {"wrong system"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("resolve-release"))
}

// looksAt checks pages in a browser, in both languages, and keeps pictures when
// asked to.
func (f *fixture) looksAt(pages map[string]string) {
	if testing.Short() {
		return
	}
	t := f.TB.(*testing.T)
	browser := f.signedIn("ARAMCO_DEMO", access.OptimizationEng)
	for name, path := range pages {
		uitest.CheckPage(t, browser, f.srv.URL+path)
		for _, lang := range []string{"ar", "en"} {
			tab := uitest.Tab(t, browser)
			require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"lang="+lang), chromedp.WaitReady("main")))
			f.shot(t, tab, name+"-"+lang)
		}
	}
}
