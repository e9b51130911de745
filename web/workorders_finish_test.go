package web_test

import (
	"context"
	"fmt"
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

// found is a complete form of findings, with changes as name, value pairs.
func found(condition string, more ...string) url.Values {
	form := url.Values{"found": {condition}, "done_on": {time.Now().In(time.FixedZone("", 3*3600)).Format(time.DateOnly)}, "finding": {"Seal worn"}, "hours": {"6.5"}, "cost": {"12000"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// count answers a query that counts rows of a tenant.
func (f *fixture) count(tenant, query string, args ...any) int {
	f.Helper()
	var n int
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
		return tx.QueryRow(ctx, query, args...).Scan(&n)
	})
	return n
}

func TestFindingsTeachTheReliabilityData(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	orders := f.orders("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.ReliabilityEng)
	finish := func(i int, form url.Values) (int, string) {
		path := "/work-orders/" + orders[i].ID.String()
		status, _ := f.location(c, path+"/start", url.Values{})
		require.Equal(t, http.StatusSeeOther, status)
		return f.post(c, path+"/done?lang=en", form)
	}
	failed := orders[0]
	mode := f.modeOf("ARAMCO_DEMO", failed.AssetID)
	other := f.modeOf("ARAMCO_DEMO", orders[1].AssetID)
	status, body := finish(0, found("failed", "hours", "-3", "done_on", "2999-01-01"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, text := range []string{"Choose the mode by which the asset failed", "out of range", "That day is yet to come", "Seal worn", `value="-3"`, "12000"} {
		require.Contains(t, body, text, "each field says what is wrong and keeps what was typed")
	}
	status, _ = f.post(c, "/work-orders/"+failed.ID.String()+"/done", found("failed", "mode", other.String()))
	require.Equal(t, http.StatusUnprocessableEntity, status, "the mode of another asset")
	require.Zero(t, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.asset_lives WHERE work_order_id = $1`, failed.ID), "nothing is half done")

	form := found("failed", "mode", mode.String())
	status, _ = f.post(c, "/work-orders/"+failed.ID.String()+"/done", form)
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.post(c, "/work-orders/"+failed.ID.String()+"/done", form)
	require.Equal(t, http.StatusSeeOther, status, "the same form sent twice")
	status, _ = f.post(c, "/work-orders/"+failed.ID.String()+"/done", found("better"))
	require.Equal(t, http.StatusConflict, status)
	status, _ = finish(1, found("better", "mode", mode.String()))
	require.Equal(t, http.StatusSeeOther, status, "a mode has no place where nothing failed")

	ended := func(order uuid.UUID, by string, mode *uuid.UUID) int {
		return f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.asset_lives l JOIN core.work_orders w ON w.id = l.work_order_id
			WHERE l.work_order_id = $1 AND l.ended_by = $2 AND l.mode_id IS NOT DISTINCT FROM $3 AND l.source = 'work_order' AND l.ended_at = w.done_at`, order, by, mode)
	}
	require.Equal(t, 1, ended(failed.ID, "failure", &mode))
	require.Equal(t, 1, ended(orders[1].ID, "preventive", nil))
	for i, grade := range []float64{0, 0.9} {
		require.Equal(t, 1, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.asset_inspections WHERE asset_id = $1 AND grade = $2 AND note = 'Seal worn'`, orders[i].AssetID, grade))
		require.Equal(t, 1, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.events WHERE kind = 'work_order.done' AND object_id = $1`, orders[i].ID))
	}
	var graded []db.ListInspectionGradesRow
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		graded, err = q.ListInspectionGrades(ctx, tx, tenant, []uuid.UUID{failed.AssetID}, time.Now())
		return err
	})
	require.Empty(t, graded, "what was seen before the repair does not grade the asset after it")
	require.Positive(t, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.notifications n JOIN core.events e ON e.id = n.event_id WHERE e.object_id = $1`, failed.ID))

	path := "/work-orders/" + failed.ID.String()
	status, body = f.post(c, path+"/findings?lang=en", url.Values{"finding": {"Bearing too"}, "cost": {"a lot"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "a lot")
	status, _ = f.post(c, path+"/findings", url.Values{"finding": {"Bearing too"}, "cost": {"١٢٬٥٠٠"}, "hours": {""}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body = f.get(c, path+"?lang=en")
	require.Contains(t, body, "Bearing too")
	require.Contains(t, body, "Findings of a work order changed", "corrections stay visible")
	require.Equal(t, 1, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.work_orders WHERE id = $1 AND actual_cost = 12500 AND actual_hours IS NULL AND found_condition = 'failed'`, failed.ID))
	for name, client := range map[string]*http.Client{"viewer": f.as("ARAMCO_DEMO", access.Viewer), "neighbour": f.as("POWER_DEMO", access.TenantAdmin)} {
		want := map[string]int{"viewer": http.StatusForbidden, "neighbour": http.StatusNotFound}[name]
		for _, action := range []string{"/findings", "/done", "/cancel"} {
			status, _ = f.post(client, path+action, found("better", "reason", "none"))
			require.Equal(t, want, status, "%s %s", name, action)
		}
	}
}

func TestOrdersOfAMaintenanceSystemAreMovedThereOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	order := f.orders("ARAMCO_DEMO")[0]
	system := f.integrationsOf("ARAMCO_DEMO")[0].Integration
	state := func(status string) {
		f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
			_, err := tx.Exec(ctx, `UPDATE core.work_orders SET integration_id = $2, external_id = '4000901', external_state = 'REL', status = $3,
				done_at = CASE WHEN $3 = 'done' THEN now() - interval '2 days' END WHERE id = $1`, order.ID, system.ID, status)
			return err
		})
	}
	c, path := f.as("ARAMCO_DEMO", access.OptimizationEng), "/work-orders/"+order.ID.String()
	for _, status := range []string{"open", "in_progress"} {
		state(status)
		for _, action := range []string{"/start", "/done", "/cancel"} {
			code, body := f.post(c, path+action+"?lang=en", found("better", "reason", "no need"))
			require.Equal(t, http.StatusConflict, code, "%s %s", status, action)
			require.Contains(t, body, "follows the maintenance system")
		}
	}
	state("done")
	_, body := f.get(c, "/work-orders?status=findings&lang=en")
	require.Contains(t, body, "4000901")
	require.Contains(t, body, "Record findings")
	_, body = f.get(c, path+"?lang=en")
	require.Contains(t, body, fmt.Sprintf("This order follows %s", system.Name))
	code, _ := f.post(c, path+"/done", found("worse", "done_on", ""))
	require.Equal(t, http.StatusSeeOther, code, "findings are added once it is closed there")
	require.Equal(t, 1, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.asset_lives l JOIN core.work_orders w ON w.id = l.work_order_id
		WHERE w.id = $1 AND l.ended_at = w.done_at AND w.done_at < now() - interval '1 day'`, order.ID), "the moment is that of the system")
	code, _ = f.post(c, path+"/done", found("failed"))
	require.Equal(t, http.StatusConflict, code)
}

func TestGivingUpAnOrderNeedsAReason(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	order := f.orders("ARAMCO_DEMO")[0]
	c, path := f.as("ARAMCO_DEMO", access.ReliabilityEng), "/work-orders/"+order.ID.String()
	status, _ := f.post(c, path+"/cancel", url.Values{"reason": {" "}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _ = f.post(c, path+"/cancel", url.Values{"reason": {"The unit is being retired"}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body := f.get(c, path)
	require.Contains(t, body, "The unit is being retired")
	status, _ = f.post(c, path+"/start", url.Values{})
	require.Equal(t, http.StatusConflict, status)
}
