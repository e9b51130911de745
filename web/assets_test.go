package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/web/uitest"
)

func TestAssetPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.scored("ARAMCO_DEMO", 3)
	c := f.as("ARAMCO_DEMO", access.Viewer)

	t.Run("the list filters by site, level and folded text", func(t *testing.T) {
		status, body := f.get(c, "/assets?lang=en")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "RML-P-401A")
		require.Contains(t, body, "NKL-K-101")
		require.NotContains(t, body, "[[")
		_, body = f.get(c, "/assets?q=rml-p-401")
		require.Contains(t, body, "RML-P-401B")
		require.NotContains(t, body, "NKL-K-101")
		_, body = f.get(c, "/assets?site="+f.tenant("ARAMCO_DEMO").Sites[0].ID.String())
		require.Contains(t, body, f.tenant("ARAMCO_DEMO").Sites[0].Code)
		_, body = f.get(c, "/assets?q=no-such-asset")
		require.Contains(t, body, `href="/assets"`)
		for _, sort := range []string{"tag", "-tag", "criticality", "health", "-probability", "rul", "level", "-risk", "-change", "nonsense"} {
			status, _ := f.get(c, "/assets?sort="+sort+"&page=9&level=x&criticality=Z&site=1")
			require.Equal(t, http.StatusOK, status, sort)
		}
	})

	a, ok := f.tenant("ARAMCO_DEMO").Asset("RML-P-401A")
	require.True(t, ok)
	t.Run("the page shows score, signals, modes and costs", func(t *testing.T) {
		status, body := f.get(c, "/assets/"+a.ID.String()+"?lang=en")
		require.Equal(t, http.StatusOK, status)
		for _, want := range []string{"Health score", "Failure probability", "Production risk", "Data trust", "FMECA", "Cost model", "Score history",
			"asset_score " + scoring.Version, "series.json?range=7d", "Anomaly timeline", "Similar past lives", `href="/plant"`, a.FailureModes[0].Code, a.Signals[0].Metric} {
			require.Contains(t, body, want)
		}
		require.NotContains(t, body, "[[")
		require.NotContains(t, body, `name="state"`, "a viewer cannot judge")
		require.NotContains(t, body, "/modes\"", "a viewer cannot edit")
		status, body = f.get(c, "/assets/"+a.ID.String()+"?lang=ar&range=90d&signal=0")
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, body, "[[")
	})

	t.Run("an asset of another tenant is not found", func(t *testing.T) {
		foreign := f.tenant("POWER_DEMO").Assets[0].ID.String()
		for _, path := range []string{"/assets/" + foreign, "/assets/none", "/assets/" + foreign + "/series.json?signal=1"} {
			status, _ := f.get(c, path)
			require.Equal(t, http.StatusNotFound, status, path)
		}
	})

	t.Run("the series of a signal has its limits, and only for its own asset", func(t *testing.T) {
		signal := f.signal(f.tenant("ARAMCO_DEMO").ID, a.ID, "vib")
		path := "/series.json?range=7d&signal=" + strconv.FormatInt(signal, 10)
		status, body := f.get(c, "/assets/"+a.ID.String()+path)
		require.Equal(t, http.StatusOK, status)
		var got struct {
			Time   []int64 `json:"time"`
			Series []struct {
				Kind   string     `json:"kind"`
				Values []*float64 `json:"values"`
			} `json:"series"`
			Limits []struct {
				Value float64 `json:"value"`
			} `json:"limits"`
			Index *struct {
				Values []*float64 `json:"values"`
			} `json:"index"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		require.Greater(t, len(got.Time), 100)
		require.Len(t, got.Series, 4)
		require.Equal(t, "expected", got.Series[3].Kind)
		require.NotEmpty(t, got.Index.Values)
		require.Len(t, got.Series[0].Values, len(got.Time))
		require.Len(t, got.Limits, 2)
		other, _ := f.tenant("ARAMCO_DEMO").Asset("RML-P-401B")
		status, _ = f.get(c, "/assets/"+other.ID.String()+path)
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("search finds assets in both scripts", func(t *testing.T) {
		_, body := f.get(c, "/search?q=401a")
		require.Contains(t, body, "/assets/"+a.ID.String())
		name := []rune(a.Name.AR)
		_, body = f.get(c, "/search?q="+string(name[:4]))
		require.Contains(t, body, "/assets/"+a.ID.String())
		_, body = f.get(c, "/search?q="+strings.Repeat("z", 300)+"%3Cscript%3E")
		require.NotContains(t, body, "<script>")
	})
}

// signal returns the number of a signal.
func (f *fixture) signal(tenant, asset uuid.UUID, metric string) (id int64) {
	f.Helper()
	err := f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		signals, err := q.ListSignals(ctx, tx, tenant, []uuid.UUID{asset})
		for _, g := range signals {
			if g.Metric == metric {
				id = g.ID
			}
		}
		return err
	})
	require.NoError(f, err)
	return id
}

func TestAssetPagesInTheBrowser(t *testing.T) {
	t.Parallel()
	tab := uitest.Browser(t)
	f := newFixture(t)
	tenant := f.scored("POWER_DEMO", 2)
	a := f.tenant("POWER_DEMO").Assets[0]
	f.alert(tenant, a.ID, "anomaly", `{"index":4.2,"since":"2026-11-01T00:00:00Z","signals":["vib"]}`)
	f.signIn(tab, f.person("POWER_DEMO", access.ReliabilityEng).Email)
	for _, path := range []string{"/dashboard", "/assets", "/assets?anomalous=1&greyed=1&cell=33", "/assets/" + a.ID.String(), "/plant", "/search?q=gt"} {
		uitest.CheckPage(t, tab, f.srv.URL+path)
	}
}
