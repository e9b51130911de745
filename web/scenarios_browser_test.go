package web_test

import (
	"context"
	"encoding/json"
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

// signedIn opens a browser in which a person of a demonstration tenant has
// signed in through the form.
func (f *fixture) signedIn(tenant string, role access.Role) context.Context {
	f.Helper()
	return f.browserAs(f.person(tenant, role).Email)
}

func TestScenarioPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	f := newFixture(t)
	run, plan := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	f.orders("ARAMCO_DEMO")
	open := f.startedRun("ARAMCO_DEMO", f.as("ARAMCO_DEMO", access.OptimizationEng))
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	results := "/runs/" + run.String() + "/results"
	for name, path := range map[string]string{
		"wizard": "/scenarios/new", "run": "/runs/" + open.String(), "table": results, "gantt": results + "?tab=gantt", "summary": results + "?tab=summary",
		"plan": "/plans/" + plan.String(), "orders": "/work-orders",
	} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
}

func TestMonitorAndDrawerLiveInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	f := newFixture(t)
	done := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	open := f.startedRun("ARAMCO_DEMO", f.as("ARAMCO_DEMO", access.OptimizationEng))
	browser := f.signedIn("ARAMCO_DEMO", access.OptimizationEng)

	tab := uitest.Tab(t, browser)
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+"/runs/"+open.String()+"?lang=en"), chromedp.WaitReady(`#run-status[hx-trigger]`),
		chromedp.Click(`[data-dialog=run-stop]`), chromedp.Sleep(3*time.Second)))
	shown, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.querySelector("#run-stop").open`))
	require.NoError(t, err)
	require.True(t, shown, "a poll leaves the dialog open")
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: tenant, ID: open, State: "failed", Stage: "load", ErrorKey: "runs.no_assets", ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
	require.NoError(t, chromedp.Do(tab, chromedp.WaitReady(`#run-status .banner`), chromedp.WaitReady(`#run-status:not([hx-trigger])`)))

	query := url.Values{"lang": {"ar"}}
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+"/runs/"+done.String()+"/results?"+query.Encode()),
		chromedp.Click(`#advice tbody tr:first-child [popovertarget=why]`), chromedp.WaitVisible(`#why-body .chart`)))
}
