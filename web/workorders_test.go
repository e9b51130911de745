package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// orders releases a plan and returns its work orders by number.
func (f *fixture) orders(tenant string) []db.WorkOrderPageRow {
	f.Helper()
	_, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	f.settled(tenant, plan, "approved", "approved", access.TenantAdmin)
	f.released(tenant, plan)
	var rows []db.WorkOrderPageRow
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) (err error) {
		rows, err = q.WorkOrderPage(ctx, tx, db.WorkOrderPageParams{TenantID: t, PageSize: 100})
		return err
	})
	require.NotEmpty(f, rows)
	return rows
}

func TestWorkOrderMovesOneStepAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested("ARAMCO_DEMO")
	order := f.orders("ARAMCO_DEMO")[0]
	path := "/work-orders/" + order.ID.String()
	c := f.as("ARAMCO_DEMO", access.ReliabilityEng)
	status, _ := f.post(c, path+"/done", url.Values{})
	require.Equal(t, http.StatusConflict, status, "what has not begun is not done")
	status, target := f.location(c, path+"/start", url.Values{"back": {"//elsewhere.example"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/work-orders", target)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE core.work_orders SET status = 'open' WHERE id = $1`, order.ID)
		return err
	})
	status, target = f.location(c, path+"/start", url.Values{"back": {"/work-orders?status=open"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/work-orders?status=open", target)
	status, body := f.post(c, path+"/start?lang=en", url.Values{})
	require.Equal(t, http.StatusConflict, status, "somebody else was first")
	require.Contains(t, body, "Someone else changed work order")
	status, _ = f.post(f.as("ARAMCO_DEMO", access.Viewer), path+"/done", url.Values{})
	require.Equal(t, http.StatusForbidden, status)
	status, _ = f.post(f.as("POWER_DEMO", access.TenantAdmin), path+"/done", url.Values{})
	require.Equal(t, http.StatusNotFound, status)
	status, _ = f.post(c, path+"/done", found("as_expected"))
	require.Equal(t, http.StatusSeeOther, status)
	_, body = f.get(c, path+"?lang=ar")
	_, timeline, _ := strings.Cut(body, `<ol class="tl">`)
	require.Contains(t, timeline, f.person("ARAMCO_DEMO", access.ReliabilityEng).Name.AR, "in the language of the reader")
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
		var state string
		var begun, done bool
		var entries int
		require.NoError(t, tx.QueryRow(ctx, `SELECT status, started_at IS NOT NULL, done_at IS NOT NULL FROM core.work_orders WHERE id = $1`, order.ID).Scan(&state, &begun, &done))
		require.Equal(t, "done", state)
		require.True(t, begun && done)
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM core.audit_logs WHERE object_id = $1 AND action LIKE 'work_order.%'`, order.ID.String()).Scan(&entries))
		require.Equal(t, 3, entries)
		var age float64
		require.NoError(t, tx.QueryRow(ctx, `SELECT a.age_days FROM core.assets a JOIN core.work_orders w ON w.asset_id = a.id WHERE w.id = $1`, order.ID).Scan(&age))
		require.Zero(t, age, "a finished job renews its asset")
		var missed, others int
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE a.class_code = o.class_code AND s.due_at > now()), count(*) FILTER (WHERE a.class_code <> o.class_code AND s.due_at <= now())
			FROM core.work_orders w JOIN core.assets o ON o.id = w.asset_id JOIN core.assets a ON a.tenant_id = o.tenant_id
			JOIN ai.asset_score_latest s ON s.asset_id = a.id WHERE w.id = $1`, order.ID).Scan(&missed, &others))
		require.Zero(t, missed, "its life teaches the whole class")
		require.Zero(t, others)
		return nil
	})
}

func TestWorkOrderIsAssignedOnlyFromWhatWasSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	order := f.orders("ARAMCO_DEMO")[0]
	people := f.tenant("ARAMCO_DEMO").Technicians
	first, second := people[0].ID.String(), people[1].ID.String()
	path := "/work-orders/" + order.ID.String() + "/assign"
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	status, _ := f.post(c, path, url.Values{"technician": {first}, "seen": {""}})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.post(c, path, url.Values{"technician": {second}, "seen": {""}})
	require.Equal(t, http.StatusConflict, status)
	status, _ = f.post(c, path, url.Values{"technician": {f.tenant("WATER_DEMO").Technicians[0].ID.String()}, "seen": {first}})
	require.GreaterOrEqual(t, status, 400, "a technician of another tenant does not exist here")
	status, _ = f.post(c, path, url.Values{"technician": {""}, "seen": {first}})
	require.Equal(t, http.StatusSeeOther, status, "an order can be given back")
	status, _ = f.post(c, path, url.Values{"technician": {"somebody"}, "seen": {""}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

func TestWorkOrderListFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rows := f.orders("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	list := func(query string) string {
		status, body := f.get(c, "/work-orders?"+query)
		require.Equal(t, http.StatusOK, status)
		return body
	}
	tag := rows[0].Tag
	require.Contains(t, list(""), tag)
	require.NotContains(t, list("status=done"), tag)
	require.Contains(t, list("status=active"), tag)
	require.Contains(t, list("q="+url.QueryEscape(tag)), tag)
	require.NotContains(t, list("q=nothing-like-it"), tag)
	require.Contains(t, list("mine=1"), tag)
	require.NotContains(t, list("plan="+uuid.NewString()), tag)
	require.Contains(t, list("view=board"), tag)
	require.NotContains(t, list("view=board&status=done"), tag)
	week := "view=calendar&week=" + rows[0].StartOn.Format(time.DateOnly)
	require.Contains(t, list(week), tag)
	require.Contains(t, list(week+"&technician=none"), tag)
	require.NotContains(t, list(week+"&technician="+f.tenant("ARAMCO_DEMO").Technicians[0].ID.String()), tag)
	require.NotContains(t, list("view=calendar&week=2020-01-05"), tag)
	require.Contains(t, list("view=board&plan="+rows[0].PlanID.String()), "view=calendar", "the way to the other views")
	_, other := f.get(f.as("ARAMCO_DEMO", access.TenantAdmin), "/work-orders?mine=1")
	require.NotContains(t, other, tag, "the plans of others are not mine")
	_, viewer := f.get(f.as("ARAMCO_DEMO", access.Viewer), "/work-orders")
	require.NotContains(t, viewer, "/start", "a viewer changes nothing")
}
