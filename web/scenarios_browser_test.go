package web_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
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
	t.Parallel()
	f := newFixture(t)
	run, plan := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	f.orders("ARAMCO_DEMO")
	open := f.startedRun("ARAMCO_DEMO", f.as("ARAMCO_DEMO", access.OptimizationEng))
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	results := "/runs/" + run.String() + "/results"
	why := "/runs/" + run.String() + "/why?scenario=cheapest&subject=" + f.firstJob("ARAMCO_DEMO").ActionID
	for name, path := range map[string]string{
		"wizard": "/scenarios/new", "run": "/runs/" + open.String(), "table": results, "gantt": results + "?tab=gantt", "curves": results + "?tab=curves", "summary": results + "?tab=summary",
		"why": why, "compare": "/scenarios/compare?run=" + run.String(),
		"plan": "/plans/" + plan.String(), "orders": "/work-orders",
	} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
}

func TestMonitorAndDrawerLiveInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
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
	results := f.srv.URL + "/runs/" + done.String() + "/results?" + query.Encode()
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(results),
		chromedp.Click(`#advice tbody tr:first-child [popovertarget=why]`), chromedp.WaitVisible(`#why-body .chart`)))
	f.dragsABar(tab, results+"&tab=gantt&scenario=cheapest")
}

// dragsABar pulls the first bar of a plan three days on, towards the left in
// Arabic, and expects to be asked about that day, with the plan unchanged.
func (f *fixture) dragsABar(tab context.Context, address string) {
	f.Helper()
	require.NoError(f, chromedp.Do(tab, chromedp.EmulateViewport(1440, 1600), chromedp.Navigate(address), chromedp.WaitVisible(`.gantt .job`), chromedp.Sleep(500*time.Millisecond)))
	type place struct{ X, Y, Day float64 }
	at, err := chromedp.Run(tab, chromedp.Evaluate[place](`(() => { const r = document.querySelector(".gantt .job .bar").getBoundingClientRect();
		return {X: r.right - 8, Y: r.top + 8, Day: document.querySelector(".gantt-scroll > svg").getBoundingClientRect().width / 30} })()`))
	require.NoError(f, err)
	before, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector(".gantt .job").dataset.start`))
	require.NoError(f, err)
	require.NoError(f, chromedp.Do(tab, chromedp.MouseEvent("mousePressed", at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent("mouseMoved", at.X-at.Day, at.Y, chromedp.ButtonLeft), chromedp.MouseEvent("mouseMoved", at.X-3*at.Day, at.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", at.X-3*at.Day, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)), chromedp.WaitVisible(`#what-if[open]`)))
	day, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector("#what-if [name=day]").value`))
	require.NoError(f, err)
	first, err := strconv.Atoi(before)
	require.NoError(f, err)
	require.Equal(f, horizonStart().AddDate(0, 0, first+3).Format(time.DateOnly), day, "three columns on is three days on")
	after, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector(".gantt .job").dataset.start + (document.querySelector(".gantt .job").getAttribute("transform") ?? "")`))
	require.NoError(f, err)
	require.Equal(f, before, after, "the plan itself does not move")
}
