package runs_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

var (
	today = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	site  = uuid.MustParse("0b0b0b0b-0000-4000-8000-000000000001")
	scope = runs.Scope{Sites: []uuid.UUID{site}, Assets: []uuid.UUID{site}, Today: today}
)

// good is a request without a mistake.
func good() runs.Request {
	return runs.Request{Problem: maintenance.Kind, Title: " A plan ", Start: "2026-12-01", Days: 45, LimitSeconds: 30,
		Constraints: runs.Constraints{SiteIDs: []uuid.UUID{site}, DowntimeCaps: map[uuid.UUID]float64{site: 96}, OneTrainOut: true}}
}

func TestRequestIsStoredAsTheWorkerReadsIt(t *testing.T) {
	t.Parallel()
	r := good()
	r.Objective.Weights = map[string]float64{"weight_risk": 3}
	r.Constraints.Set("budget_sar", 5e5)
	r.Constraints.Pins = []optimize.Pin{{Subject: "a", Off: true}}
	checked, wrong := r.Check(scope)
	require.Empty(t, wrong)
	require.Equal(t, "A plan", checked.Title)
	require.Equal(t, "2026-12-01", checked.Start.Format(time.DateOnly))
	problem, _ := optimize.Lookup(maintenance.Kind)
	o, c, err := runs.Parse(problem.Spec(), checked.Objective, checked.Constraints)
	require.NoError(t, err)
	require.Equal(t, []string{"cheapest", "balanced", "lowest_risk", "custom"}, o.Presets)
	require.InDelta(t, 3, o.Weight(problem.Spec(), "weight_risk"), 0)
	require.InDelta(t, 1, o.Weight(problem.Spec(), "weight_cost"), 0, "the default of the field")
	require.InDelta(t, 5e5, *c.BudgetSAR, 0)
	require.Equal(t, r.Constraints.Pins, c.Pins)
	require.True(t, c.Covers(site, uuid.New()))
	require.False(t, c.Covers(uuid.New(), site))
}

func TestEveryMistakeNamesItsField(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	for field, spoil := range map[string]func(*runs.Request){
		"problem":                        func(r *runs.Request) { r.Problem = "chess" },
		"title":                          func(r *runs.Request) { r.Title = strings.Repeat("x", 201) },
		"start":                          func(r *runs.Request) { r.Start = "2026-11-28" },
		"days":                           func(r *runs.Request) { r.Days = 366 },
		"time_limit_seconds":             func(r *runs.Request) { r.LimitSeconds = 0 },
		"presets":                        func(r *runs.Request) { r.Objective.Presets = []string{"best"} },
		"weights":                        func(r *runs.Request) { r.Objective.Weights = map[string]float64{"weight_cost": 0, "weight_risk": 0} },
		"weights.weight_cost":            func(r *runs.Request) { r.Objective.Weights = map[string]float64{"weight_cost": math.NaN()} },
		"fields.colour":                  func(r *runs.Request) { r.Constraints.Set("colour", 1) },
		"budget_sar":                     func(r *runs.Request) { r.Constraints.Set("budget_sar", -1) },
		"sites":                          func(r *runs.Request) { r.Constraints.SiteIDs = []uuid.UUID{uuid.New()} },
		"assets":                         func(r *runs.Request) { r.Constraints.AssetIDs = []uuid.UUID{uuid.New()} },
		"pins":                           func(r *runs.Request) { r.Constraints.Pins = make([]optimize.Pin, runs.MaxPins+1) },
		"downtime_caps." + site.String(): func(r *runs.Request) { r.Constraints.DowntimeCaps[site] = -1 },
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			r := good()
			spoil(&r)
			_, wrong := r.Check(scope)
			require.Len(t, wrong, 1)
			require.Equal(t, field, wrong[0].Field)
			require.True(t, catalog.Has(wrong[0].Key), wrong[0].Key)
			require.NotContains(t, wrong[0].Text(catalog.Localizer(i18n.Arabic)), "{{")
		})
	}
}

func TestStoredRequestIsCheckedAgain(t *testing.T) {
	t.Parallel()
	problem, _ := optimize.Lookup(maintenance.Kind)
	for name, c := range map[string][2]string{
		"not an object":  {`[]`, `{}`},
		"unknown preset": {`{"presets": ["best"]}`, `{}`},
		"preset twice":   {`{"presets": ["balanced", "balanced"]}`, `{}`},
		"unknown field":  {`{}`, `{"fields": {"x": 1}}`},
		"not a site":     {`{}`, `{"site_ids": ["x"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := runs.Parse(problem.Spec(), json.RawMessage(c[0]), json.RawMessage(c[1]))
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
		})
	}
}

func TestEveryProblemHasACapability(t *testing.T) {
	t.Parallel()
	for _, spec := range optimize.Specs() {
		_, ok := runs.CapabilityOf(spec.Kind)
		require.True(t, ok, spec.Kind)
	}
	_, ok := runs.CapabilityOf("chess")
	require.False(t, ok)
}

func TestForcedPinOfAStrangerIsInvalid(t *testing.T) {
	t.Parallel()
	input := json.RawMessage(`{"start_date": "2026-12-01", "days": 3, "actions": [{"id": "a"}], "resources": [], "weights": {"preset": ""}}`)
	require.NoError(t, runs.CheckWhatIf(maintenance.Kind, input, []optimize.Pin{{Subject: "a", Off: true}}))
	err := runs.CheckWhatIf(maintenance.Kind, input, []optimize.Pin{{Subject: "b", Off: true}})
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Equal(t, fault.Invalid, fault.CodeOf(runs.CheckWhatIf("chess", input, nil)))
}
