package web_test

import (
	"context"
	"encoding/json"
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
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/uitest"
)

// greyed makes the newest score of an asset one that rests on age only.
func (f *fixture) greyed(code string, id uuid.UUID) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE ai.asset_scores SET trusted = false, detail = jsonb_set(jsonb_set(detail, '{trusted}', 'false'), '{trust,trusted}', 'false')
			WHERE tenant_id = $1 AND asset_id = $2`, t, id)
		return err
	})
}

func TestPlantPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("ARAMCO_DEMO", access.Viewer)
	status, body := f.get(c, "/plant?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "not scored", "a plant without scores has a tree")

	f.scored("ARAMCO_DEMO", 1)
	a, ok := f.tenant("ARAMCO_DEMO").Asset("RML-P-401A")
	require.True(t, ok)
	f.greyed("ARAMCO_DEMO", a.ID)
	status, body = f.get(c, "/plant?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "[[")
	for _, want := range []string{"One asset is scored by age only", "needs 2 of 3", "/assets/" + a.ID.String(), a.Components[0].Name.EN} {
		require.Contains(t, body, want)
	}
	site := f.tenant("ARAMCO_DEMO").Sites[1]
	_, body = f.get(c, "/plant?lang=en&site="+site.ID.String())
	require.Contains(t, body, site.Code+"-")
	require.NotContains(t, body, "RML-P-401A")
	_, body = f.get(c, "/plant?lang=en&site="+f.tenant("POWER_DEMO").Sites[0].ID.String())
	require.Contains(t, body, `href="/plant"`, "a site of another tenant has nothing to show")
}

// What rests on age only is said on every page that shows a score.
func TestGreyedScoresAreSaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.scored("ARAMCO_DEMO", 1)
	for _, a := range f.tenant("ARAMCO_DEMO").Assets {
		f.greyed("ARAMCO_DEMO", a.ID)
	}
	c := f.as("ARAMCO_DEMO", access.ReliabilityEng)
	id := f.tenant("ARAMCO_DEMO").Assets[0].ID.String()
	for _, path := range []string{"/dashboard", "/assets", "/assets/" + id, "/plant", "/search?q=rml"} {
		status, body := f.get(c, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"lang=en")
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, body, "Age only", path)
	}
	f.flows.preview = func(uuid.UUID, uuid.UUID, reliability.Change) (reliability.Preview, error) {
		aged := reliability.Figures{Health: 60, RiskLevel: 3}
		return reliability.Preview{Before: aged, After: aged}, nil
	}
	status, body := f.post(c, "/assets/"+id+"/inspections?lang=en", url.Values{"do": {"preview"}, "inspected_at": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}, "grade": {"0.5"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Age only", "in the preview of an edit")
}

func TestFleetListFiltersByChipsAndCells(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.scored("ARAMCO_DEMO", 1)
	a, _ := f.tenant("ARAMCO_DEMO").Asset("RML-P-401A")
	b, _ := f.tenant("ARAMCO_DEMO").Asset("NKL-K-101")
	f.greyed("ARAMCO_DEMO", a.ID)
	var likelihood, consequence string
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		if _, err := tx.Exec(ctx, `UPDATE ai.asset_score_latest SET risk_index_change = CASE asset_id WHEN $2 THEN 9 WHEN $3 THEN 0.2 ELSE -4 END WHERE tenant_id = $1`, t, b.ID, a.ID); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT detail #>> '{risk,likelihood}', detail #>> '{risk,consequence}' FROM ai.asset_scores WHERE tenant_id = $1 AND asset_id = $2`, t, a.ID).Scan(&likelihood, &consequence)
	})
	c := f.as("ARAMCO_DEMO", access.Viewer)
	_, body := f.get(c, "/assets?lang=en")
	rows := body[strings.Index(body, "<tbody>"+"<tr"):]
	require.Less(t, strings.Index(rows, "/assets/"+b.ID.String()), strings.Index(rows, "/assets/"+a.ID.String()), "what has risen comes first")
	_, body = f.get(c, "/assets?lang=en&greyed=1")
	require.Contains(t, body, "/assets/"+a.ID.String())
	require.NotContains(t, body, "/assets/"+b.ID.String())
	_, body = f.get(c, "/assets?lang=en&cell="+likelihood+consequence)
	require.Contains(t, body, "/assets/"+a.ID.String())
	require.Contains(t, body, "All cells")
	other := "5"
	if likelihood == "5" {
		other = "1"
	}
	_, body = f.get(c, "/assets?lang=en&cell="+other+consequence+"&greyed=1")
	require.NotContains(t, body, "/assets/"+a.ID.String())
	for _, bad := range []string{"99", "4", "444", "x1", "٤٣"} {
		status, body := f.get(c, "/assets?lang=en&cell="+bad)
		require.Equal(t, http.StatusOK, status, bad)
		require.NotContains(t, body, "All cells", bad)
	}
	status, _ := f.get(c, "/assets?anomalous=1")
	require.Equal(t, http.StatusOK, status)
}

// Dragging over the chart asks for the stretch in finer steps, in both
// directions of reading; the button leads back.
func TestTimelineZoomsInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := uitest.Browser(t)
	f := newFixture(t)
	tenant := f.scored("POWER_DEMO", 2)
	a := f.tenant("POWER_DEMO").Assets[0]
	f.alert(tenant, a.ID, "anomaly", `{"index":4.2,"since":"2026-11-01T00:00:00Z","signals":["vib"]}`)
	f.signIn(browser, f.person("POWER_DEMO", access.ReliabilityEng).Email)
	for _, lang := range []string{"ar", "en"} {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(f.srv.URL+"/assets/"+a.ID.String()+"?range=7d&lang="+lang),
			chromedp.WaitVisible(`#timeline-plot[data-step="900"] .u-over`)))
		window := func() (from, to, step float64) {
			got, err := chromedp.Run(tab, chromedp.Evaluate[string](`JSON.stringify([...["from","to","step"].map(k => Number(document.getElementById("timeline-plot").dataset[k]))])`))
			require.NoError(t, err)
			var v [3]float64
			require.NoError(t, json.Unmarshal([]byte(got), &v))
			return v[0], v[1], v[2]
		}
		from, to, _ := window()
		box, err := chromedp.Run(tab, chromedp.Evaluate[string](`(() => { const over = document.querySelector("#timeline-plot .u-over"); over.scrollIntoView({block: "center"});
			const r = over.getBoundingClientRect(); return JSON.stringify([r.left, r.width, r.top + r.height / 2]) })()`))
		require.NoError(t, err)
		var at [3]float64
		require.NoError(t, json.Unmarshal([]byte(box), &at))
		x := func(f float64) float64 { return at[0] + f*at[1] }
		require.NoError(t, chromedp.Do(tab, chromedp.MouseEvent("mouseMoved", x(.2), at[2]), chromedp.MouseEvent("mousePressed", x(.25), at[2], chromedp.ButtonLeft, chromedp.ClickCount(1)),
			chromedp.MouseEvent("mouseMoved", x(.4), at[2], chromedp.ButtonLeft), chromedp.MouseEvent("mouseMoved", x(.5), at[2], chromedp.ButtonLeft),
			chromedp.MouseEvent("mouseReleased", x(.5), at[2], chromedp.ButtonLeft, chromedp.ClickCount(1)), chromedp.WaitVisible(`#timeline-plot:not([data-step="900"]) .u-over`)))
		finer, end, step := window()
		require.Less(t, step, 900.0, lang)
		require.InDelta(t, .25*(to-from), end-finer, .05*(to-from), "a quarter of the range")
		if lang == "ar" {
			require.InDelta(t, from+.5*(to-from), finer, .05*(to-from), "time runs from the right")
		} else {
			require.InDelta(t, from+.25*(to-from), finer, .05*(to-from))
		}
		require.NoError(t, chromedp.Do(tab, chromedp.Click(`[data-uplot-reset]`), chromedp.WaitVisible(`#timeline-plot[data-step="900"] .u-over`)))
	}
}
