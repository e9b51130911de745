package activities

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// whatIf asks for a what-if run on the only scenario of a run.
func (f *plantFixture) whatIf(base RunRef, pins []optimize.Pin) (RunRef, uuid.UUID) {
	f.t.Helper()
	scenario := f.id(`SELECT id FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2`, f.tenant, base.RunID)
	encoded, err := json.Marshal(pins)
	require.NoError(f.t, err)
	ref := RunRef{TenantID: f.tenant}
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		ref.RunID, err = q.RequestWhatIf(ctx, tx, db.RequestWhatIfParams{TenantID: f.tenant, ScenarioID: scenario, Title: "what if",
			RequestedBy: f.people["optimization_engineer"], IdempotencyKey: uuid.NewString(), WhatIf: encoded, Channel: "web"})
		return err
	})
	return ref, scenario
}

func TestWhatIfIsThePriceOfItsDecision(t *testing.T) {
	f := newPlant(t)
	base := f.solved("optimization_engineer")
	asset := f.id(`SELECT asset_id FROM optimization.optimization_recommendations WHERE tenant_id = $1 AND decision = 'do' ORDER BY rank LIMIT 1`, f.tenant)
	// The plant changes after the run: the question is about the plan as it was made.
	f.exec(`UPDATE core.assets SET weibull_eta_days = weibull_eta_days / 2 WHERE tenant_id = $1`, f.tenant)
	ref, scenario := f.whatIf(base, []optimize.Pin{{Subject: asset.String(), Off: true}})

	var begun BegunRun
	f.do(&begun, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: "w", WorkflowRunID: "r"})
	require.False(t, begun.ScoresDue, "a what-if keeps the scores of its base")
	var loaded LoadedProblem
	f.do(&loaded, f.set.Optimization.LoadProblem, ref)
	require.Equal(t, []string{"cheapest"}, loaded.Presets)

	var was, in maintenance.Input
	require.NoError(t, json.Unmarshal(f.run(base).Input, &was))
	require.NoError(t, json.Unmarshal(f.run(ref).Input, &in))
	require.Equal(t, was.Actions, in.Actions)
	require.Equal(t, []maintenance.Pin{{ActionID: asset.String(), Deferred: true}}, in.Pins)
	require.Len(t, in.WarmStart, len(in.Actions), "the search starts from the plan that is asked about")

	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: "cheapest", Primary: true})
	f.do(nil, f.set.Optimization.SaveScenarios, ref)
	var items []db.ScenarioWhatIfsRow
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		items, err = q.ScenarioWhatIfs(ctx, tx, f.tenant, scenario, 10)
		return err
	})
	require.Len(t, items, 1)
	require.Equal(t, RunDone, items[0].State)
	require.NotNil(t, items[0].TotalCost)

	base1, other := f.view(base), f.view(ref)
	compared := optimize.Compare(base1, other)
	require.InDelta(t, *items[0].TotalCost-base1.Total, compared.Total, 0.01)
	require.Positive(t, compared.Total, "the free plan chose otherwise because it is cheaper")
	require.NotEmpty(t, compared.Changed)
}

// view returns what is shown of the only scenario of a run.
func (f *plantFixture) view(ref RunRef) optimize.View {
	f.t.Helper()
	var output json.RawMessage
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT output FROM optimization.optimization_scenarios WHERE tenant_id = $1 AND run_id = $2`, f.tenant, ref.RunID).Scan(&output)
	})
	run := f.run(ref)
	problem, err := problemOf(run)
	require.NoError(f.t, err)
	v, err := problem.View(run.Input, output)
	require.NoError(f.t, err)
	return v
}

func TestWhatIfOfAStrangerIsRefused(t *testing.T) {
	f := newPlant(t)
	ref, _ := f.whatIf(f.solved("optimization_engineer"), []optimize.Pin{{Subject: "nobody", Off: true}})
	f.do(nil, f.set.Optimization.BeginRun, BeginInput{RunRef: ref, WorkflowID: "w", WorkflowRunID: "r"})
	f.refuse(TypeInvalid, "optimize.input.invalid", f.set.Optimization.LoadProblem, ref)
}

func TestDigestDoesNotDependOnTheWriting(t *testing.T) {
	t.Parallel()
	a, err := manifest.Digest(json.RawMessage(`{"b": [1.50, -0.0, 1e3], "a": "x"}`))
	require.NoError(t, err)
	b, err := manifest.Digest(json.RawMessage(`{"a":"x","b":[1.5,0,1000]}`))
	require.NoError(t, err)
	require.Equal(t, a, b)
	c, err := manifest.Digest(json.RawMessage(`{"a":"x","b":[1.5,0,1001]}`))
	require.NoError(t, err)
	require.NotEqual(t, a, c)
}
