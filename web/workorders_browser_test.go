package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

func TestWorkOrdersInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	orders := f.orders("ARAMCO_DEMO")
	f.aged("ARAMCO_DEMO", orders[0].PlanID, 12)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error { // give the week some people
		_, err := tx.Exec(ctx, `UPDATE core.work_orders w SET technician_id = t.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM core.technicians WHERE archived_at IS NULL) t
			WHERE w.number % 5 = t.n - 1`)
		return err
	})
	var open uuid.UUID
	for _, o := range orders {
		if o.Number%2 == 1 {
			open = o.ID
			break
		}
	}
	status, _ := f.location(f.as("ARAMCO_DEMO", access.ReliabilityEng), "/work-orders/"+open.String()+"/start", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
	status, _ = f.post(f.as("ARAMCO_DEMO", access.OptimizationEng), "/ledger/backtests", url.Values{"from": {day(400)}, "to": {day(1)}, "step": {"7"}, "horizon": {"30"}})
	require.Equal(t, http.StatusSeeOther, status)
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	for name, path := range map[string]string{
		"orders-list": "/work-orders", "orders-board": "/work-orders?view=board", "orders-week": "/work-orders?view=calendar", "order": "/work-orders/" + open.String(),
		"ledger": "/ledger", "ledger-plan": "/ledger/" + orders[0].PlanID.String(),
		"backtests": "/ledger/backtests", "backtest": "/ledger/backtests/" + f.finishBacktest("ARAMCO_DEMO").String(),
	} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			shots(t, browser, f.srv.URL+path, name)
		})
	}
	t.Run("finish", func(t *testing.T) {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 1200), chromedp.Navigate(f.srv.URL+"/work-orders?view=board&lang=en"),
			chromedp.Click(`[data-column="in_progress"] .board-card .btn`), chromedp.WaitVisible(`#findings [name=finding]`), chromedp.SetValue(`#f-cost`, "9000"),
			chromedp.SetValue(`#f-finding`, "Coupling misaligned"), chromedp.Click(`#findings button.btn-primary`), chromedp.WaitVisible(`#findings .err`)))
		typed, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector("#f-finding").value`))
		require.NoError(t, err)
		require.Equal(t, "Coupling misaligned", typed, "a condition was missing, nothing else is lost")
		require.NoError(t, chromedp.Do(tab, chromedp.Click(`#findings [name=found][value=worse]`), chromedp.Click(`#findings button.btn-primary`),
			chromedp.WaitVisible(`#toasts [data-toast]`), chromedp.Sleep(200*time.Millisecond)))
		uitest.CheckTab(t, tab)
	})
	require.Equal(t, 1, f.count("ARAMCO_DEMO", `SELECT count(*) FROM core.work_orders WHERE id = $1 AND status = 'done' AND found_condition = 'worse' AND actual_cost = 9000`, open))
}
