package activities

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

func TestRunIsTakenUpOnceAndClosedOnce(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	begin := BeginInput{RunRef: ref, WorkflowID: "w", WorkflowRunID: "r"}
	for range 2 {
		var begun BegunRun
		f.do(&begun, f.set.Optimization.BeginRun, begin)
		require.Equal(t, BegunRun{State: RunRunning, ScoresDue: true}, begun)
	}
	closing := CloseInput{RunRef: ref, State: RunFailed, Cause: ErrorDetail{Code: fault.Conflict, Key: "optimize.infeasible", Args: map[string]any{"conflicts": []string{"x"}}}}
	for range 2 {
		f.do(nil, f.set.Optimization.CloseRun, closing)
	}
	run := f.run(ref)
	require.Equal(t, RunFailed, run.State)
	require.Equal(t, "optimize.infeasible", run.ErrorKey)
	require.JSONEq(t, `{"conflicts": ["x"]}`, string(run.ErrorDetail))
	require.NotNil(t, run.FinishedAt)
	var begun BegunRun
	f.do(&begun, f.set.Optimization.BeginRun, begin)
	require.Equal(t, BegunRun{Final: true, State: RunFailed}, begun)
	f.refuse(TypeConflict, KeyRunEnded, f.set.Optimization.RequestStop, ref)
	for _, action := range []string{"run.started", "run.failed"} {
		require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = $2`, f.tenant, action), action)
	}
	f.intact()
}

func TestScoresAreFreshAfterASweep(t *testing.T) {
	f := newPlant(t)
	batch, _ := f.sweep(time.Now())
	f.do(nil, f.set.Scoring.FinishSweep, batch.Sweep, BatchResult{})
	ref := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	var begun BegunRun
	f.do(&begun, f.set.Optimization.BeginRun, BeginInput{RunRef: ref})
	require.False(t, begun.ScoresDue)
}

func TestSavedPlansSurviveARepeatedSave(t *testing.T) {
	f := newPlant(t)
	ref := f.solved("optimization_engineer")
	recommendations := `SELECT count(*) FROM optimization.optimization_recommendations WHERE tenant_id = $1`
	n := f.count(recommendations, f.tenant)
	require.Positive(t, n)
	var again SavedScenarios
	f.do(&again, f.set.Optimization.SaveScenarios, ref)
	require.Equal(t, n, f.count(recommendations, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1`, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.finished'`, f.tenant))
	require.Equal(t, n, f.count(`SELECT count(DISTINCT rank) FROM optimization.optimization_recommendations WHERE tenant_id = $1 AND rank BETWEEN 1 AND $2`, f.tenant, n))
	require.Zero(t, f.count(`SELECT count(*) FROM optimization.optimization_recommendations
		WHERE tenant_id = $1 AND decision = 'do' AND (jsonb_array_length(move_costs) = 0 OR start_on < current_date OR end_on >= current_date + 30)`, f.tenant))
}

func TestTamperedPlansAreNotSaved(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"cheapest"}}, runs.Constraints{})
	f.load(ref)
	f.refuse(TypeConflict, KeyNoPlan, f.set.Optimization.VerifyPlans, ref)
	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "cheapest"})
	good := f.run(ref)

	f.exec(`UPDATE optimization.optimization_runs SET solver = jsonb_set(solver, '{drafts,cheapest,output,objective,total}', '1') WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID)
	f.refuse(TypeConflict, KeyNotVerified, f.set.Optimization.SaveScenarios, ref)
	f.exec(`UPDATE optimization.optimization_runs SET solver = $3 WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID, good.Solver)
	f.exec(`UPDATE optimization.optimization_runs SET input = jsonb_set(input, '{actions,0,planned_cost}', '1') WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID)
	f.refuse(TypeConflict, KeyInputChanged, f.set.Optimization.SaveScenarios, ref)
	require.Zero(t, f.count(`SELECT count(*) FROM optimization.optimization_scenarios WHERE tenant_id = $1`, f.tenant))
	f.exec(`UPDATE optimization.optimization_runs SET input = $3 WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID, good.Input)
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
}

func TestSolveIsDoneOnceAndResumes(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"cheapest"}}, runs.Constraints{})
	f.load(ref)
	job := SolveInput{RunRef: ref, Preset: "cheapest", Primary: true}
	var in maintenance.Input
	require.NoError(t, json.Unmarshal(f.run(ref).Input, &in))
	plan := make([]maintenance.Start, len(in.Actions))
	for i, a := range in.Actions {
		plan[i] = maintenance.Start{ActionID: a.ID, StartDay: -1, Deferred: true}
	}
	env := f.env() // an attempt after a crash starts from what was heartbeat
	encoded, err := json.Marshal(plan)
	require.NoError(t, err)
	env.SetHeartbeatDetails(checkpoint{Plan: encoded})
	_, err = env.ExecuteActivity(f.set.Optimization.SolvePlan, job)
	require.NoError(t, err)
	first := f.run(ref)
	require.NotNil(t, first.Incumbent)
	require.EqualValues(t, 1, first.Attempt)
	f.do(nil, f.set.Optimization.SolvePlan, job)
	require.JSONEq(t, string(first.Solver), string(f.run(ref).Solver))
	f.do(nil, f.set.Optimization.CloseRun, CloseInput{RunRef: ref, State: RunCancelled})
	f.refuse(TypeConflict, KeyRunEnded, f.set.Optimization.SolvePlan, job)
}

func TestStopEndsTheSearchAndKeepsAPlan(t *testing.T) {
	f := newPlant(t)
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"balanced"}}, runs.Constraints{})
	f.exec(`UPDATE optimization.optimization_runs SET time_limit_seconds = 3600 WHERE tenant_id = $1`, f.tenant)
	f.load(ref)
	for range 2 {
		f.do(nil, f.set.Optimization.RequestStop, ref)
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.run_events WHERE tenant_id = $1 AND kind = 'stop'`, f.tenant))
	began := time.Now()
	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "balanced"})
	require.Less(t, time.Since(began), time.Minute, "an hour was allowed")
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
}

func TestInfeasibleRunNamesItsConflicts(t *testing.T) {
	f := newPlant(t)
	asset := f.id(`SELECT asset_id FROM optimization.optimization_cost_models WHERE tenant_id = $1 AND kind = 'maintenance' AND direct_cost > 0 LIMIT 1`, f.tenant)
	none := 0.0
	day := float64(f.firstWorkingDay())
	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{"cheapest"}}, runs.Constraints{
		BudgetSAR: &none, Pins: []optimize.Pin{{Subject: asset.String(), Start: &day}},
	})
	f.load(ref)
	detail := f.refuse(TypeConflict, "optimize.infeasible", f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "cheapest"})
	require.NotEmpty(t, detail.Args["conflicts"])
}

// firstWorkingDay returns a day of the horizon on which the calendar has work.
func (f *plantFixture) firstWorkingDay() int {
	f.t.Helper()
	probe := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
	f.load(probe)
	var in maintenance.Input
	require.NoError(f.t, json.Unmarshal(f.run(probe).Input, &in))
	for d, works := range in.WorkingDay {
		if works && d > 0 {
			return d
		}
	}
	f.t.Fatal("no working day in the horizon")
	return -1
}

func TestReportKeepsWhatIsProven(t *testing.T) {
	t.Parallel()
	s := &search{}
	s.report(optimize.Progress{Phase: optimize.PhaseSearch, Incumbent: 10, HasIncumbent: true, Bound: 6, BoundKnown: true})
	s.report(optimize.Progress{Phase: optimize.PhasePrices, Incumbent: 1, HasIncumbent: true, Bound: 1, BoundKnown: true})
	s.report(optimize.Progress{Phase: optimize.PhaseBuild}) // the second part starts without either
	s.report(optimize.Progress{Phase: optimize.PhaseExact, Incumbent: 11, HasIncumbent: true, Bound: 8, BoundKnown: true})
	incumbent, bound, gap := figures(s.last)
	require.InDelta(t, 10, *incumbent, 1e-9)
	require.InDelta(t, 8, *bound, 1e-9)
	require.InDelta(t, 0.2, *gap, 1e-9)
	require.True(t, s.dirty)
}
