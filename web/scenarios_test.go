package web_test

import (
	"context"
	"encoding/json"
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
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

// wizardForm is a request that the wizard accepts.
func wizardForm(f *fixture, tenant string) url.Values {
	site := f.tenant(tenant).Sites[0].ID.String()
	form := url.Values{"key": {uuid.NewString()}, "problem": {maintenance.Kind}, "title": {"Month of Rimal"}, "horizon": {"30"},
		"start": {time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}, "limit": {"30"}, "site": {site}}
	for name, value := range map[string]string{"downtime_cap." + site: "96", "budget_sar": "1,500,000", "one_train_out": "on", "preset.cheapest": "on",
		"preset.balanced": "on", "preset.lowest_risk": "on", "preset.custom": "on", "weight_cost": "1", "weight_risk": "2.5"} {
		form.Set("f_"+maintenance.Kind+"."+name, value)
	}
	return form
}

// location posts a form and returns where the answer leads.
func (f *fixture) location(c *http.Client, path string, form url.Values) (status int, target string) {
	f.Helper()
	response := f.send(c, http.MethodPost, path, form)
	require.NoError(f, response.Body.Close())
	return response.StatusCode, response.Header.Get("Location")
}

func TestWizardOffersWhatSomebodyMayRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	status, body := f.get(f.as("ARAMCO_DEMO", access.OptimizationEng), "/scenarios/new?lang=en")
	require.Equal(t, http.StatusOK, status)
	specs := optimize.Specs()
	require.Equal(t, len(specs), strings.Count(body, `name="problem"`), "every problem can be chosen")
	for _, spec := range specs {
		for _, field := range spec.Constraints {
			require.Contains(t, body, `name="f_`+spec.Kind+"."+field.Name, "the form asks for every field of a problem")
		}
	}
	for _, site := range f.tenant("ARAMCO_DEMO").Sites {
		require.Contains(t, body, "downtime_cap."+site.ID.String())
	}
	require.Contains(t, body, "not scored yet", "the data check names what is missing")
	_, limited := f.get(f.as("ARAMCO_DEMO", access.ReliabilityEng), "/scenarios/new?lang=en")
	allowed := 0
	for _, spec := range specs {
		if need, _ := runs.CapabilityOf(spec.Kind); need == access.RunPrioritization {
			allowed++
		}
	}
	require.Equal(t, allowed, strings.Count(limited, `name="problem"`), "a reliability engineer plans maintenance only")
	status, _ = f.get(f.as("ARAMCO_DEMO", access.Viewer), "/scenarios/new")
	require.Equal(t, http.StatusForbidden, status)
}

func TestWizardRecordsOneRunPerForm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("ARAMCO_DEMO", access.ReliabilityEng)
	form := wizardForm(f, "ARAMCO_DEMO")
	status, first := f.location(c, "/scenarios/new", form)
	require.Equal(t, http.StatusSeeOther, status)
	_, second := f.location(c, "/scenarios/new", form)
	require.Equal(t, first, second, "the same form leads to the same run")
	id := uuid.MustParse(strings.TrimPrefix(first, "/runs/"))
	require.True(t, f.flows.called("start-optimization "+f.tenant("ARAMCO_DEMO").ID.String()+" "+id.String()))
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		run, err := q.LoadRun(ctx, tx, tenant, id)
		require.NoError(t, err)
		require.Equal(t, "requested", run.State)
		require.JSONEq(t, `{"presets":["cheapest","balanced","lowest_risk","custom"],"weights":{"weight_cost":1,"weight_risk":2.5}}`, string(run.Objective))
		var constraints struct {
			SiteIDs      []uuid.UUID        `json:"site_ids"`
			DowntimeCaps map[string]float64 `json:"downtime_caps"`
			Budget       float64            `json:"budget_sar"`
			OneTrainOut  bool               `json:"one_train_out"`
		}
		require.NoError(t, json.Unmarshal(run.Constraints, &constraints))
		site := f.tenant("ARAMCO_DEMO").Sites[0].ID
		require.Equal(t, []uuid.UUID{site}, constraints.SiteIDs)
		require.Equal(t, map[string]float64{site.String(): 96}, constraints.DowntimeCaps)
		require.InDelta(t, 1.5e6, constraints.Budget, 0)
		require.True(t, constraints.OneTrainOut)
		var entries, runs int
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM core.audit_logs WHERE action = 'run.requested' AND object_id = $1`, id.String()).Scan(&entries))
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM optimization.optimization_runs`).Scan(&runs))
		require.Equal(t, []int{1, 1}, []int{entries, runs})
		return nil
	})
}

func TestWizardSucceedsWhileTheWorkflowEngineIsAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.flows.Fail = fault.New(fault.Unavailable, "workflows.unavailable")
	c := f.as("WATER_DEMO", access.OptimizationEng)
	status, target := f.location(c, "/scenarios/new", wizardForm(f, "WATER_DEMO"))
	require.Equal(t, http.StatusSeeOther, status)
	_, body := f.get(c, target+"?lang=en")
	require.Contains(t, body, "starts within a minute")
}

func TestWizardKeepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("POWER_DEMO", access.OptimizationEng)
	site := f.tenant("POWER_DEMO").Sites[0].ID.String()
	field := func(name string) string { return "f_" + maintenance.Kind + "." + name }
	cases := map[string]struct{ field, value, message string }{
		"title":    {"title", strings.Repeat("x", 201), "Enter a name"},
		"horizon":  {"horizon", "12", "Choose a value from the list"},
		"no end":   {"horizon", "dates", "Choose a day after the start"},
		"past":     {"start", "2020-01-01", "Choose a day from today"},
		"cap":      {field("downtime_cap." + site), "-3", "Enter a number from 0"},
		"not":      {field("budget_sar"), "NaN", "Enter a number from 0"},
		"words":    {field("budget_sar"), "a lot", "Enter a number from 0"},
		"weights":  {field("weight_risk"), "101", "Enter a number from 0"},
		"problem":  {"problem", "no_such_problem", "not available to you"},
		"stranger": {"site", f.tenant("WATER_DEMO").Sites[0].ID.String(), "Choose a value from the list"},
		"asset":    {"asset", uuid.NewString(), "Choose a value from the list"},
	}
	for name, x := range cases {
		t.Run(name, func(t *testing.T) {
			form := wizardForm(f, "POWER_DEMO")
			form.Set(x.field, x.value)
			status, body := f.post(c, "/scenarios/new?lang=en", form)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, x.message)
			require.Contains(t, body, form.Get("key"), "the form keeps its key")
			if x.field != field("weight_risk") {
				require.Contains(t, body, `value="2.5"`, "other values stay")
			}
			require.Contains(t, body, `class="err`, "the field is named")
		})
	}
	require.False(t, f.flows.called("start-optimization"))
}

func TestWizardTakesDatesAndTheProblemsLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("POWER_DEMO", access.OptimizationEng)
	form := wizardForm(f, "POWER_DEMO")
	start := time.Now().AddDate(0, 0, 2)
	form.Set("horizon", "dates")
	form.Set("title", "")
	form.Set("end", start.AddDate(0, 0, 13).Format(time.DateOnly))
	status, target := f.location(c, "/scenarios/new", form)
	require.Equal(t, http.StatusSeeOther, status)
	f.within("POWER_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		run, err := q.LoadRun(ctx, tx, tenant, uuid.MustParse(strings.TrimPrefix(target, "/runs/")))
		require.NoError(t, err)
		require.EqualValues(t, 14, run.WindowDays)
		require.NotEmpty(t, run.Title, "a run without a name is named after its problem")
		return nil
	})
	form.Set("key", uuid.NewString())
	form.Set("end", start.AddDate(2, 0, 0).Format(time.DateOnly))
	status, body := f.post(c, "/scenarios/new?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Enter a number from 1 to")
}

func TestHistoryFiltersByState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	c := f.as("ARAMCO_DEMO", access.Viewer)
	_, all := f.get(c, "/scenarios")
	require.Contains(t, all, "Thirty days of ARAMCO_DEMO")
	require.NotContains(t, all, `href="/scenarios/new"`, "a viewer starts nothing")
	_, failed := f.get(c, "/scenarios?state=failed")
	require.NotContains(t, failed, "Thirty days of ARAMCO_DEMO")
	_, other := f.get(f.as("POWER_DEMO", access.Viewer), "/scenarios")
	require.NotContains(t, other, "Thirty days of ARAMCO_DEMO", "runs of another tenant stay there")
}
