package activities

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

func date(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	require.NoError(t, err)
	return d
}

func TestEmbargoMeetsTheHorizon(t *testing.T) {
	t.Parallel()
	h := horizon{start: date(t, "2026-12-20"), days: 30} // to 18 January
	for name, c := range map[string]struct {
		from, to string
		yearly   bool
		want     []maintenance.Window
	}{
		"inside":                  {"2026-12-22", "2026-12-24", false, []maintenance.Window{{From: 2, To: 4}}},
		"begun before":            {"2026-12-01", "2026-12-21", false, []maintenance.Window{{From: 0, To: 1}}},
		"ends after":              {"2027-01-17", "2027-03-01", false, []maintenance.Window{{From: 28, To: 29}}},
		"another year":            {"2025-12-22", "2025-12-24", false, nil},
		"another year, yearly":    {"2023-12-22", "2023-12-24", true, []maintenance.Window{{From: 2, To: 4}}},
		"over New Year, yearly":   {"2023-12-30", "2024-01-02", true, []maintenance.Window{{From: 10, To: 13}}},
		"begun last year, yearly": {"2023-11-01", "2024-01-05", true, []maintenance.Window{{From: 0, To: 16}}},
		"outside, yearly":         {"2023-06-01", "2023-09-30", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := db.Embargo{FromDay: date(t, c.from), ToDay: date(t, c.to), RecursYearly: c.yearly}
			require.Equal(t, c.want, h.embargoWindows(e))
		})
	}
}

func TestHorizonFollowsTheCalendar(t *testing.T) {
	t.Parallel()
	cal, err := calendar.New(calendar.SaudiStandard())
	require.NoError(t, err)
	h := newHorizon(cal, date(t, "2027-02-04"), 14) // a Thursday; Ramadan 1448 begins on 8 February
	require.Equal(t, []bool{true, false, false, true}, h.working[:4])
	require.Equal(t, []float64{1, 0, 0, 1}, h.share[:4])
	require.InDelta(t, 6.0/8, h.share[5], 1e-9, "six hours instead of eight in Ramadan")
}

func TestProblemOfTheDemonstrationPlant(t *testing.T) {
	f := newPlant(t)
	site := f.id(`SELECT site_id FROM core.assets WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`, f.tenant)
	asset := f.id(`SELECT id FROM core.assets WHERE tenant_id = $1 AND site_id = $2 ORDER BY tag LIMIT 1`, f.tenant, site)
	start := time.Now().UTC().Truncate(24 * time.Hour)
	budget := 5e6
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"custom"}, Weights: map[string]float64{"weight_cost": 1, "weight_risk": 2}}, runs.Constraints{
		SiteIDs: []uuid.UUID{site}, DowntimeCaps: map[uuid.UUID]float64{site: 500}, BudgetSAR: &budget, OneTrainOut: true,
		Pins: []optimize.Pin{{Subject: asset.String(), Off: true}},
	})
	require.Equal(t, LoadedProblem{Presets: []string{"custom"}, Limit: 2 * time.Second}, f.load(ref))

	run := f.run(ref)
	var in maintenance.Input
	require.NoError(t, json.Unmarshal(run.Input, &in))
	again, err := json.Marshal(in)
	require.NoError(t, err)
	digest, err := manifest.Digest(again)
	require.NoError(t, err)
	require.Equal(t, run.InputSha256, digest, "the digest survives jsonb")
	require.NoError(t, in.Validate())
	require.Equal(t, start.Format(time.DateOnly), in.StartDate)
	require.Equal(t, f.count(`SELECT count(*) FROM core.assets WHERE tenant_id = $1 AND site_id = $2`, f.tenant, site), len(in.Actions))
	for _, a := range in.Actions {
		require.Equal(t, site.String(), a.SiteID)
		require.EqualValues(t, 1, a.Evidence, "without a score an asset is planned by age")
		require.Positive(t, a.FailureTotal)
	}
	for _, g := range in.Groups {
		require.Equal(t, 1, g.MaxOut)
		require.Greater(t, len(g.Members), 1)
	}
	require.Equal(t, []maintenance.DowntimeCap{{SiteID: site.String(), Hours: 500}}, in.DowntimeCaps)
	require.Equal(t, &budget, in.BudgetSAR)
	require.Equal(t, []maintenance.Pin{{ActionID: asset.String(), Deferred: true}}, in.Pins)
	require.Equal(t, optimize.Weights{Cost: 1, Risk: 2}, in.Weights)
	hours := 0.0
	for _, r := range in.Resources {
		for d, v := range r.Available {
			if r.Unit == "h" && !in.WorkingDay[d] {
				require.Zero(t, v, "nobody works on a day off")
			}
			hours += v
		}
	}
	require.Positive(t, hours)
}

func TestTrustedScoresAreEvidence(t *testing.T) {
	f := newPlant(t)
	batch, _ := f.sweep(time.Now())
	f.do(nil, f.set.Scoring.ScoreBatch, batch)
	f.exec(`UPDATE ai.asset_scores SET evidence_factor = 3`)
	f.exec(`UPDATE ai.asset_scores SET trusted = (asset_id IN (SELECT asset_id FROM ai.asset_scores ORDER BY asset_id LIMIT 1)) WHERE tenant_id = $1`, f.tenant)
	ref := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	require.Equal(t, []string{"cheapest", "balanced", "lowest_risk"}, f.load(ref).Presets, "a request without presets gets all three")
	var in maintenance.Input
	require.NoError(t, json.Unmarshal(f.run(ref).Input, &in))
	strong := 0
	for _, a := range in.Actions {
		if a.Evidence == 3 {
			strong++
		} else {
			require.EqualValues(t, 1, a.Evidence)
		}
	}
	require.Equal(t, 1, strong)
}

func TestBadRequestsAreRefused(t *testing.T) {
	f := newPlant(t)
	asset := f.id(`SELECT id FROM core.assets WHERE tenant_id = $1 LIMIT 1`, f.tenant)
	late := 9000.0
	for name, c := range map[string]struct {
		objective   runs.Objective
		constraints runs.Constraints
		key         string
	}{
		"unknown preset":     {runs.Objective{Presets: []string{"best"}}, runs.Constraints{}, KeyRequest},
		"preset twice":       {runs.Objective{Presets: []string{"balanced", "balanced"}}, runs.Constraints{}, KeyRequest},
		"no such site":       {runs.Objective{}, runs.Constraints{SiteIDs: []uuid.UUID{uuid.New()}}, KeyNoAssets},
		"no such asset":      {runs.Objective{}, runs.Constraints{AssetIDs: []uuid.UUID{uuid.New()}}, KeyNoAssets},
		"pin past the end":   {runs.Objective{}, runs.Constraints{Pins: []optimize.Pin{{Subject: asset.String(), Start: &late}}}, "optimize.input.invalid"},
		"pin without a date": {runs.Objective{}, runs.Constraints{Pins: []optimize.Pin{{Subject: asset.String()}}}, "optimize.input.invalid"},
		"pin of a stranger":  {runs.Objective{}, runs.Constraints{Pins: []optimize.Pin{{Subject: uuid.NewString(), Off: true}}}, "optimize.input.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &plantFixture{t: t, db: f.db, set: f.set, tenant: f.tenant, people: f.people}
			ref := f.request("optimization_engineer", c.objective, c.constraints)
			f.do(nil, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: "w"})
			f.refuse(TypeInvalid, c.key, f.set.Optimization.LoadProblem, ref)
		})
	}
}
