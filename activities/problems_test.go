package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/production"
	"github.com/optria-iq/optria/internal/runs"
	"github.com/optria-iq/optria/internal/testkit"
)

// everyTenant is a database with the three demonstration plants and hardly any
// history: their problems are built from the plant alone.
var everyTenant = testkit.Template{Key: "activities-every-tenant", Build: func(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = seed.Run(ctx, d, seed.Options{
		Epoch: time.Now().UTC(), History: time.Hour, Period: time.Hour, Password: "not-used-in-tests", Log: slog.New(slog.DiscardHandler),
	})
	return err
}}

// visit returns the fixture in another demonstration tenant.
func (f *plantFixture) visit(t *testing.T, tenant *demo.Tenant) *plantFixture {
	visitor := &plantFixture{t: t, db: f.db, set: f.set, starter: f.starter, tenant: tenant.ID, people: map[string]uuid.UUID{}}
	for _, p := range tenant.People {
		visitor.people[p.Role] = p.ID
	}
	return visitor
}

// requestOf inserts a run of any problem over the next days.
func (f *plantFixture) requestOf(problem string, days, limit int, c runs.Constraints) RunRef {
	f.t.Helper()
	constraints, err := json.Marshal(c)
	require.NoError(f.t, err)
	id := f.id(`INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
		window_start, window_days, time_limit_seconds)
		VALUES ($1, $2, 'test', $3, gen_random_uuid()::text, '{"presets": ["cheapest"]}', $4, current_date + 1, $5, $6) RETURNING id`,
		f.tenant, problem, f.people["optimization_engineer"], constraints, days, limit)
	return RunRef{TenantID: f.tenant, RunID: id}
}

// taken takes a run of any problem through all its steps.
func (f *plantFixture) taken(ref RunRef) optimize.View {
	f.t.Helper()
	preset := f.load(ref).Presets[0]
	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: preset})
	f.do(nil, f.set.Optimization.VerifyPlans, ref)
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
	require.Equal(f.t, RunDone, f.run(ref).State)
	return f.view(ref)
}

// inEveryTenant runs a test over each demonstration plant.
func inEveryTenant(t *testing.T, work func(f *plantFixture, tenant *demo.Tenant)) {
	t.Helper()
	f := newPlantOf(t, everyTenant)
	content, err := demo.Load()
	require.NoError(t, err)
	for _, tenant := range content.Tenants {
		t.Run(tenant.Code, func(t *testing.T) { work(f.visit(t, tenant), tenant) })
	}
}

func TestEveryProblemHasABuilder(t *testing.T) {
	t.Parallel()
	for _, spec := range optimize.Specs() {
		require.Contains(t, builders, spec.Kind)
	}
	require.Len(t, builders, len(optimize.Specs()))
}

func TestDeferralOfEveryPlant(t *testing.T) {
	inEveryTenant(t, func(f *plantFixture, tenant *demo.Tenant) {
		v := f.taken(f.requestOf("maintenance_deferral_cost", 90, 60, runs.Constraints{}))
		require.Len(f.t, v.Lines, len(tenant.Assets))
		verdicts := map[optimize.Verdict]int{}
		for _, l := range v.Lines {
			verdicts[l.Verdict]++
		}
		require.Greater(f.t, len(verdicts), 1, "not every job gets the same answer: %v", verdicts)
		for _, c := range v.Curves {
			require.Len(f.t, c.Low, len(c.Y), "every curve has its band")
		}
		require.Zero(f.t, f.count(`SELECT count(*) FROM optimization.optimization_recommendations WHERE tenant_id = $1`, f.tenant), "nothing to release")

		one := tenant.Assets[0].ID
		v = f.taken(f.requestOf("maintenance_deferral_cost", 30, 60, runs.Constraints{AssetIDs: []uuid.UUID{one}}))
		require.Len(f.t, v.Lines, 1)
		require.Equal(f.t, one.String(), v.Lines[0].AssetID)
	})
}

func TestProductionOfEveryPlant(t *testing.T) {
	inEveryTenant(t, func(f *plantFixture, tenant *demo.Tenant) {
		began := time.Now()
		v := f.taken(f.requestOf("production_risk", 7, 2, runs.Constraints{}))
		units := 0
		for _, target := range tenant.Targets {
			units += len(target.Units)
		}
		require.Len(f.t, v.Profiles, units)
		require.Equal(f.t, 168, v.Periods)
		baseline := 0.0
		for _, term := range v.Baseline {
			baseline += term.Money
		}
		require.LessOrEqual(f.t, v.Total, baseline*(1+1e-9), "the plan is no worse than the even split")
		require.NotEmpty(f.t, v.Frontier)
		f.t.Logf("%s: total %.0f, today %.0f, risk %.0f, gap %.4f known %v %s, %d points, %s", tenant.Code, v.Total, baseline, v.Risk, v.Certificate.Gap, v.Certificate.BoundKnown, v.Certificate.Status, len(v.Frontier), time.Since(began))
		for _, t := range v.Terms {
			f.t.Logf("  %s %.0f", t.Key, t.Money)
		}
		for i, t := range v.Baseline {
			f.t.Logf("  was %d %s %.0f", i, t.Key, t.Money)
		}
	})
}

func TestDispatchOfEveryPlant(t *testing.T) {
	inEveryTenant(t, func(f *plantFixture, tenant *demo.Tenant) {
		v := f.taken(f.requestOf("workforce_dispatch", 7, 2, runs.Constraints{}))
		require.Len(f.t, v.Lines, len(tenant.Requests))
		served := 0
		for _, l := range v.Lines {
			if l.Verdict == optimize.VerdictDo {
				served++
				require.NotEmpty(f.t, l.Resource)
			} else {
				require.NotEmpty(f.t, l.Reasons, "who stays behind is told why")
			}
		}
		f.t.Logf("%s: %d of %d, %v %v", tenant.Code, served, len(v.Lines), v.Terms, v.Figures)
		require.Greater(f.t, served, len(v.Lines)/2)
		require.Zero(f.t, f.count(`SELECT count(*) FROM optimization.optimization_recommendations WHERE tenant_id = $1`, f.tenant), "nothing to release")
	})
}

func TestLongProductionIsPlannedInLongerPeriods(t *testing.T) {
	t.Parallel()
	for days, periods := range map[int]int{7: 168, 30: 90, 90: 90, 365: 365} {
		h := horizon{start: date(t, "2026-12-01"), days: days, working: make([]bool, days)}
		require.Equal(t, periods, newGrid(h).periods)
	}
	h := horizon{start: date(t, "2026-12-01"), days: 30, working: make([]bool, 30)}
	h.working[0] = true
	var day [24]float64
	for i := range day {
		day[i] = float64(i)
	}
	spread := newGrid(h).spread(day, 0.5)
	require.Equal(t, []float64{3.5, 11.5, 19.5, 1.75, 5.75, 9.75}, spread[:6])
}

func TestCurrentProfileSharesTheDemand(t *testing.T) {
	t.Parallel()
	unit := func(id string, out ...production.Outage) production.Unit {
		return production.Unit{ID: id, MinLoad: 40, MaxLoad: 100, Running: true, Outages: out}
	}
	units := []production.Unit{unit("a", production.Outage{ID: "o", From: 3, To: 4}), unit("b")}
	share([]float64{160, 60, 0, 160, 300}, units)
	require.Equal(t, []float64{80, 60, 0, 0, 100}, units[0].Current)
	require.Equal(t, []float64{80, 0, 0, 100, 100}, units[1].Current)
	require.InDelta(t, 80, units[0].Load, 0)
}

func TestEmptyProblemsNameWhatIsMissing(t *testing.T) {
	f := newPlant(t)
	f.exec(`UPDATE core.production_targets SET archived_at = now() WHERE tenant_id = $1`, f.tenant)
	ref := f.requestOf("production_risk", 7, 1, runs.Constraints{})
	f.do(nil, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: "w"})
	detail := f.refuse(TypeInvalid, KeyNoUnits, f.set.Optimization.LoadProblem, ref)
	require.Equal(t, fault.Invalid, detail.Code)
}
