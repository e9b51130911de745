package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

// finish takes a loaded and solved run to its end.
func (f *plantFixture) finish(ref RunRef) manifest.Manifest {
	f.t.Helper()
	f.do(nil, f.set.Optimization.VerifyPlans, ref)
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
	return f.manifestOf(ref)
}

// manifestOf reads the sealed manifest of a run and checks its hash and that of
// everything it names.
func (f *plantFixture) manifestOf(ref RunRef) manifest.Manifest {
	f.t.Helper()
	run := f.run(ref)
	require.NotNil(f.t, run.Manifest)
	require.Equal(f.t, manifest.Sum([]byte(*run.Manifest)), run.ManifestSha256)
	m, err := manifest.Decode([]byte(*run.Manifest))
	require.NoError(f.t, err)
	require.Equal(f.t, manifest.Hex(run.InputSha256), m.Input)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		for _, hash := range []string{m.Input, m.Sources, m.Presets[0].Output} {
			if _, err := db.Snapshot(ctx, tx, q, f.tenant, hash); err != nil {
				return err
			}
		}
		return nil
	})
	return m
}

// rerun repeats a finished run and returns what came of it.
func (f *plantFixture) rerun(ref RunRef) (db.Rerun, manifest.Report) {
	f.t.Helper()
	var again RerunRef
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		asked, err := q.RequestRerun(ctx, tx, db.RequestRerunParams{TenantID: f.tenant, ID: uuid.New(), RunID: ref.RunID, RequestedBy: f.people["optimization_engineer"]})
		again = RerunRef{TenantID: f.tenant, RerunID: asked.ID}
		return err
	})
	var begun BegunRerun
	f.do(&begun, f.set.Rerun.BeginRerun, again)
	require.NotEmpty(f.t, begun.Presets)
	for _, preset := range begun.Presets {
		f.do(nil, f.set.Rerun.SolveRerun, RerunInput{RerunRef: again, Preset: preset})
	}
	f.do(nil, f.set.Rerun.FinishRerun, again)
	f.do(&begun, f.set.Rerun.BeginRerun, again)
	require.Empty(f.t, begun.Presets, "it has ended")
	var row db.Rerun
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.GetRerun(ctx, tx, f.tenant, again.RerunID)
		return err
	})
	require.Equal(f.t, rerunDone, row.State)
	require.NotNil(f.t, row.Identical)
	var report manifest.Report
	require.NoError(f.t, json.Unmarshal(row.Result, &report))
	return row, report
}

// TestChangesOfThePlantDoNotChangeTheRerun: a run is repeated from its
// snapshot, and what has changed since is told by name.
func TestChangesOfThePlantDoNotChangeTheRerun(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"cheapest", "balanced"}}, runs.Constraints{})
	f.exec(`UPDATE optimization.optimization_runs SET time_limit_seconds = 1 WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID)
	f.load(ref)
	for k, preset := range []string{"cheapest", "balanced"} {
		f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: preset, Primary: k == 0, Sharing: 2})
	}
	m := f.finish(ref)
	require.Len(t, m.Presets, 2)
	require.True(t, m.Presets[0].Prices)
	for _, p := range m.Presets {
		require.True(t, p.Ended.Repeatable(), p.Preset)
		require.Empty(t, p.Start)
	}
	row, report := f.rerun(ref)
	require.True(t, *row.Identical, "%s", row.Result)
	require.NotNil(t, report.Since)
	require.Equal(t, report.Was, report.Is)

	asset := f.id(`SELECT asset_id FROM optimization.optimization_cost_models WHERE tenant_id = $1 AND kind = 'maintenance' AND direct_cost > 0 LIMIT 1`, f.tenant)
	f.exec(`INSERT INTO optimization.optimization_cost_models (tenant_id, asset_id, kind, version, effective_from, direct_cost, outage_hours, loss_per_hour, planned_factor,
			safety_env_cost, energy_cost_per_hour)
		SELECT tenant_id, asset_id, kind, version + 1, current_date, direct_cost + 1000, outage_hours, loss_per_hour, planned_factor, safety_env_cost, energy_cost_per_hour
		FROM optimization.optimization_cost_models WHERE tenant_id = $1 AND asset_id = $2 AND kind = 'maintenance' ORDER BY version DESC LIMIT 1`, f.tenant, asset)
	f.exec(`UPDATE core.crews SET hours_per_day = 5 WHERE tenant_id = $1`, f.tenant)
	f.set.Rerun.deps.SolverThreads = 7 // the threads of the run count, not those of today
	row, report = f.rerun(ref)
	require.True(t, *row.Identical)
	told := map[string]bool{}
	for _, c := range report.Since.Changes {
		told[c.Path[0]] = true
		if c.Path[0] == "actions" && c.Path[1] == asset.String() {
			require.NotEmpty(t, report.Since.Names[asset.String()])
			told["asset"] = true
		}
	}
	require.True(t, told["asset"], "%s", row.Result)
	require.True(t, told["resources"], "%s", row.Result)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.finished' AND after_state->>'manifest_sha256' = $2`,
		f.tenant, manifest.Hex(f.run(ref).ManifestSha256)))
	require.Equal(t, 2, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.rerun_finished'`, f.tenant))
	f.intact()
}

// TestResumedRunIsRepeatedFromItsStart: what an attempt after a crash started
// from is kept, and the repetition starts from it.
func TestResumedRunIsRepeatedFromItsStart(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"cheapest"}}, runs.Constraints{})
	f.load(ref)
	var in maintenance.Input
	require.NoError(t, json.Unmarshal(f.run(ref).Input, &in))
	plan := make([]maintenance.Start, len(in.Actions))
	for i, a := range in.Actions {
		plan[i] = maintenance.Start{ActionID: a.ID, StartDay: -1, Deferred: true}
	}
	encoded, err := json.Marshal(plan)
	require.NoError(t, err)
	env := f.env()
	env.SetHeartbeatDetails(checkpoint{Plan: encoded})
	_, err = env.ExecuteActivity(f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "cheapest"})
	require.NoError(t, err)
	m := f.finish(ref)
	require.NotEmpty(t, m.Presets[0].Start)
	row, report := f.rerun(ref)
	require.True(t, *row.Identical, "%s", row.Result)
	require.True(t, report.Presets["cheapest"].Repeatable())
}

// patient is a problem whose search lasts until it is stopped, and has a plan
// of little work by then.
type patient struct{ optimize.Problem }

func (p patient) Solve(ctx context.Context, input json.RawMessage, o optimize.Options, report func(optimize.Progress)) (optimize.Result, error) {
	<-ctx.Done()
	o.Solver, o.MaxIterations = optimize.SolverHeuristic, 1
	return p.Problem.Solve(context.WithoutCancel(ctx), input, o, report)
}

// TestStoppedRunIsComparedAndSaysSo: what a person stopped cannot be repeated;
// the report says that and how the whole search differs.
func TestStoppedRunIsComparedAndSaysSo(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"balanced"}}, runs.Constraints{})
	f.load(ref)
	f.do(nil, f.set.Optimization.RequestStop, ref)
	run := f.run(ref)
	problem, err := problemOf(run)
	require.NoError(t, err)
	env := f.env()
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		return f.set.Optimization.search(ctx, run, SolveInput{RunRef: ref, Preset: "balanced", Primary: true}, patient{problem})
	}, activity.RegisterOptions{Name: "search"})
	_, err = env.ExecuteActivity("search")
	require.NoError(t, err)
	m := f.finish(ref)
	require.Equal(t, manifest.EndedStopped, m.Presets[0].Ended)
	row, report := f.rerun(ref)
	require.False(t, *row.Identical)
	p := report.Presets["balanced"]
	require.Equal(t, manifest.EndedStopped, p.Ended)
	require.False(t, p.Repeatable())
	require.True(t, p.AgainEnded.Repeatable(), "the repetition is not stopped")
	require.NotNil(t, p.Difference)
	require.Positive(t, p.Difference.Touched)
	require.LessOrEqual(t, p.Difference.Total, 1e-6, "the whole search is not worse")
}

// TestRerunNamesWhatDiffers: a run whose record was made by another search is
// compared decision by decision.
func TestRerunNamesWhatDiffers(t *testing.T) {
	f := newPlant(t)
	ref := f.solved("optimization_engineer")
	m := f.manifestOf(ref)
	var other []byte
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		input, err := db.Snapshot(ctx, tx, q, f.tenant, m.Input)
		require.NoError(t, err)
		problem, _ := optimize.Lookup(m.Problem)
		weighed, err := problem.Weigh(input, "lowest_risk")
		require.NoError(t, err)
		result, err := problem.Solve(ctx, weighed, budgetOf(time.Second, 1, 1, false), nil)
		require.NoError(t, err)
		other, err = manifest.Outcome(result.Output)
		require.NoError(t, err)
		hash, err := db.KeepSnapshot(ctx, tx, q, f.tenant, other)
		m.Presets[0].Output = manifest.Hex(hash)
		return err
	})
	content, hash, err := m.Encode()
	require.NoError(t, err)
	f.exec(`UPDATE optimization.optimization_runs SET manifest = $3, manifest_sha256 = $4 WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID, string(content), hash)
	row, report := f.rerun(ref)
	require.False(t, *row.Identical)
	d := report.Presets["cheapest"].Difference
	require.NotNil(t, d)
	require.Positive(t, d.Touched)
	require.NotEmpty(t, d.Moved)
	require.NotEmpty(t, d.Moved[0].Name)
	require.Less(t, d.Total, 0., "the cheapest plan is cheaper than the safest")
}

// TestRerunRefusesWhatIsNotEvidence: a changed manifest, another tenant.
func TestRerunRefusesWhatIsNotEvidence(t *testing.T) {
	f := newPlant(t)
	ref := f.solved("optimization_engineer")
	id := f.id(`INSERT INTO optimization.reruns (tenant_id, run_id, requested_by) VALUES ($1, $2, $3) RETURNING id`, f.tenant, ref.RunID, f.people["tenant_admin"])
	again := RerunRef{TenantID: f.tenant, RerunID: id}
	foreign := RerunRef{TenantID: uuid.New(), RerunID: id}
	var begun BegunRerun
	f.do(&begun, f.set.Rerun.BeginRerun, foreign)
	require.Empty(t, begun.Presets)
	f.exec(`UPDATE optimization.optimization_runs SET manifest = replace(manifest, '"seed":', '"seed": ') WHERE tenant_id = $1`, f.tenant)
	detail := f.refuse(TypeConflict, manifest.KeyChanged, f.set.Rerun.BeginRerun, again)
	for range 2 {
		f.do(nil, f.set.Rerun.FailRerun, FailedRerun{RerunRef: again, Cause: detail})
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.reruns WHERE tenant_id = $1 AND state = 'failed' AND error_key = $2`, f.tenant, manifest.KeyChanged))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.rerun_failed'`, f.tenant))
}

// rerunsVariable is how many random runs are made and repeated.
const rerunsVariable = "OPTRIA_RERUNS"

// TestRandomRunsRepeat makes runs of random problems, plants, presets, weights,
// seeds, horizons and sites and repeats each to the identical hash.
func TestRandomRunsRepeat(t *testing.T) {
	want := 8
	if text := os.Getenv(rerunsVariable); text != "" {
		var err error
		want, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	f := newPlantOf(t, everyTenant)
	content, err := demo.Load()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(7, 11))
	began, made := time.Now(), map[string]int{}
	for n := range want {
		tenant := content.Tenants[n%len(content.Tenants)]
		v := f.visit(t, tenant)
		ref, problem := v.random(rng, tenant)
		loaded := v.load(ref)
		v.set.Optimization.deps.SolverThreads = 1 + rng.IntN(3)
		for k, preset := range loaded.Presets {
			v.do(nil, v.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: preset, Primary: k == 0 && rng.IntN(3) == 0, Sharing: 1 + rng.IntN(2)})
		}
		m := v.finish(ref)
		for _, p := range m.Presets {
			require.True(t, p.Ended.Repeatable(), "run %d %s %s: %s", n, problem, p.Preset, p.Ended)
		}
		row, _ := v.rerun(ref)
		require.True(t, *row.Identical, "run %d of %s in %s: %s", n, problem, tenant.Code, row.Result)
		made[problem]++
		t.Logf("run %d: %s over %d days in %s, %s", n, problem, m.WindowDays, tenant.Code, time.Since(began).Round(time.Second))
	}
	t.Logf("identical %d/%d in %s, by problem %v", want, want, time.Since(began).Round(time.Second), made)
}

// random asks for a random run.
func (f *plantFixture) random(rng *rand.Rand, tenant *demo.Tenant) (RunRef, string) {
	f.t.Helper()
	specs := optimize.Specs()
	spec := specs[rng.IntN(len(specs))]
	var c runs.Constraints
	if sites := f.sites(); rng.IntN(2) == 0 {
		c.SiteIDs = sites[:1+rng.IntN(len(sites))]
	}
	presets := []string{optimize.PresetCheapest, optimize.PresetBalanced, optimize.PresetLowestRisk}
	objective := map[string]any{"presets": []string{presets[rng.IntN(3)]}}
	if rng.IntN(3) == 0 {
		weights := map[string]float64{}
		for _, field := range spec.Constraints {
			if field.Weight {
				weights[field.Name] = .5 + 2*rng.Float64()
			}
		}
		objective = map[string]any{"presets": []string{optimize.PresetCustom}, "weights": weights}
	}
	days := []int{7, 14, 30}[rng.IntN(3)]
	if spec.Kind == "production_risk" || spec.Kind == "workforce_dispatch" {
		days = 1 + rng.IntN(3)
	}
	o, err := json.Marshal(objective)
	require.NoError(f.t, err)
	constraints, err := json.Marshal(c)
	require.NoError(f.t, err)
	id := f.id(`INSERT INTO optimization.optimization_runs (tenant_id, problem, title, requested_by, idempotency_key, objective, constraints,
		window_start, window_days, time_limit_seconds, seed)
		VALUES ($1, $2, $3, $4, gen_random_uuid()::text, $5, $6, current_date + $7::int, $8, 1, $9) RETURNING id`,
		f.tenant, spec.Kind, fmt.Sprint("random of ", tenant.Code), f.people["optimization_engineer"], o, constraints, 1+rng.IntN(20), days, rng.Int64N(1<<40))
	return RunRef{TenantID: f.tenant, RunID: id}, spec.Kind
}

// sites lists the sites of the plant.
func (f *plantFixture) sites() (ids []uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListSites(ctx, tx, f.tenant)
		for _, s := range rows {
			ids = append(ids, s.ID)
		}
		return err
	})
	return ids
}
