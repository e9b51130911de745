package activities

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/runs"
)

// scoredPlant is a plant whose assets have all been scored.
func scoredPlant(t *testing.T) (*plantFixture, Batch) {
	t.Helper()
	f := newPlant(t)
	batch, _ := f.sweep(time.Now())
	f.do(nil, f.set.Scoring.ScoreBatch, batch)
	return f, batch
}

// preview runs both steps of a preview.
func (f *plantFixture) preview(in EditInput) (p reliability.Preview) {
	f.t.Helper()
	var scores ScoredEdit
	f.do(&scores, f.set.Preview.ScoreEdit, in)
	f.do(&p, f.set.Preview.PlanEdit, PlanEditInput{EditInput: in, Scores: scores})
	return p
}

// asset reads the row of an asset.
func (f *plantFixture) asset(id uuid.UUID) (a db.Asset) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListScoredAssets(ctx, tx, f.tenant, []uuid.UUID{id})
		require.Len(f.t, rows, 1)
		a = rows[0]
		return err
	})
	return a
}

// deferred returns an asset whose job the plan defers.
func (f *plantFixture) deferred(at time.Time) uuid.UUID {
	f.t.Helper()
	ids := f.ids(`SELECT id FROM core.assets WHERE tenant_id = $1 AND archived_at IS NULL ORDER BY tag`, f.tenant)
	for _, id := range ids {
		p := f.preview(EditInput{TenantID: f.tenant, AssetID: id, At: at})
		if p.Plans.OwnBefore != nil && !p.Plans.OwnBefore.Do {
			return id
		}
	}
	require.Fail(f.t, "every job is planned")
	return uuid.Nil
}

func (f *plantFixture) ids(sql string, args ...any) (ids []uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	return ids
}

func TestPreviewOfNothingChangesNothing(t *testing.T) {
	f, batch := scoredPlant(t)
	asset := f.id(`SELECT id FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1`, f.tenant)
	in := EditInput{TenantID: f.tenant, AssetID: asset, At: batch.AsOf.Add(time.Minute)}
	p := f.preview(in)
	require.Equal(t, p.Before, p.After)
	require.True(t, p.Before.AsOf.Equal(batch.AsOf), "the readings of the newest score")
	require.NotNil(t, p.Plans)
	require.Empty(t, p.Plans.Differences)
	require.Equal(t, p.Plans.CostBefore, p.Plans.CostAfter)
	require.True(t, p.Plans.Exact, "a small plant is planned to the proven best")
	stored := f.count(`SELECT round(health_score * 1e6)::bigint FROM ai.asset_scores WHERE tenant_id = $1 AND asset_id = $2`, f.tenant, asset)
	require.InDelta(t, float64(stored), p.Before.Health*1e6, 1, "the score before is the stored one")
	require.Equal(t, p, f.preview(in), "the same question has the same answer")
}

// TestPreviewIsWhatARunSaysAfterSaving shortens the life of an asset whose job
// waits: the preview must have it done, and a real run after the change was
// saved must start from the very problem that the preview solved, and give the
// same numbers.
func TestPreviewIsWhatARunSaysAfterSaving(t *testing.T) {
	f, batch := scoredPlant(t)
	at := time.Now().UTC()
	id := f.deferred(at)
	age := 1800.0
	in := EditInput{TenantID: f.tenant, AssetID: id, At: at, Change: reliability.Change{Life: &reliability.Life{Beta: 3, EtaDays: 900, AgeDays: &age}}}
	p := f.preview(in)
	require.False(t, p.Plans.OwnBefore.Do)
	require.True(t, p.Plans.OwnAfter.Do, "a life that is nearly over is renewed")
	require.NotEmpty(t, p.Plans.Differences)
	require.Equal(t, id, p.Plans.Differences[0].AssetID)
	require.True(t, p.Plans.Differences[0].Moved())
	require.Greater(t, p.After.P30, p.Before.P30)
	require.Less(t, p.After.RULDays, p.Before.RULDays)
	require.Greater(t, p.After.RiskSAR, p.Before.RiskSAR)
	require.Greater(t, p.Plans.OwnAfter.DeferCost, 0.0)
	before := f.asset(id)
	require.NotEqual(t, 3.0, before.WeibullBeta, "a preview saves nothing")

	f.exec(`UPDATE core.assets SET weibull_beta = 3, weibull_eta_days = 900, age_days = $3, age_as_of = $4 WHERE tenant_id = $1 AND id = $2`,
		f.tenant, id, age, reliability.DayOf(at))
	f.do(nil, f.set.Scoring.ScoreBatch, Batch{Sweep: batch.Sweep, ModelID: batch.ModelID, Assets: []uuid.UUID{id}})

	ref := f.request("optimization_engineer", runs.Objective{Presets: []string{optimize.PresetBalanced}}, runs.Constraints{OneTrainOut: true})
	f.exec(`UPDATE optimization.optimization_runs SET window_start = $3 WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.RunID, p.Plans.Start)
	f.load(ref)
	run := f.run(ref)
	var saved, previewed any
	_, after, err := f.set.Preview.problemsOf(t.Context(), PlanEditInput{EditInput: in, Scores: ScoredEdit{Before: p.Before, After: p.After}})
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(run.Input, &saved))
	require.NoError(t, json.Unmarshal(after, &previewed))
	require.Equal(t, saved, previewed, "the run starts from the problem that was previewed")

	f.do(nil, f.set.Optimization.SolvePlan, SolveInput{RunRef: ref, Preset: optimize.PresetBalanced})
	drafts, err := draftsOf(f.run(ref))
	require.NoError(t, err)
	problem, err := previewProblem()
	require.NoError(t, err)
	weighed, err := problem.Weigh(run.Input, optimize.PresetBalanced)
	require.NoError(t, err)
	view, err := problem.View(weighed, drafts[optimize.PresetBalanced].Output)
	require.NoError(t, err)
	require.InDelta(t, view.Total, p.Plans.CostAfter, 0.01)
	real, err := reliability.Compare(id, view, view)
	require.NoError(t, err)
	require.Equal(t, real.OwnAfter, p.Plans.OwnAfter)
}

func TestPreviewOfCostsAndModes(t *testing.T) {
	f, _ := scoredPlant(t)
	at := time.Now().UTC()
	id := f.deferred(at)
	p := f.preview(EditInput{TenantID: f.tenant, AssetID: id, At: at, Change: reliability.Change{Cost: &reliability.Cost{
		Kind: reliability.CostFailure, EffectiveFrom: at, DirectCost: 9e7, OutageHours: 400, LossPerHour: 9e4, PlannedFactor: 1}}})
	require.Greater(t, p.After.RiskSAR, p.Before.RiskSAR)
	require.Equal(t, p.Before.P30, p.After.P30, "money does not change the chance")
	require.True(t, p.Plans.OwnAfter.Do)
	require.Greater(t, p.Plans.CostAfter, p.Plans.CostBefore)

	p = f.preview(EditInput{TenantID: f.tenant, AssetID: id, At: at, Change: reliability.Change{Mode: &reliability.Mode{
		ID: uuid.New(), Code: "VIB", Severity: 9, Occurrence: 9, Detectability: 9}}})
	require.Empty(t, p.Plans.Differences, "a mode splits the chance, it does not raise it")
}

func TestPreviewWithoutPricedJobs(t *testing.T) {
	f, _ := scoredPlant(t)
	id := f.id(`SELECT id FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1`, f.tenant)
	in := EditInput{TenantID: f.tenant, AssetID: uuid.New(), At: time.Now()}
	f.refuse(TypeNotFound, KeyNoAssets, f.set.Preview.ScoreEdit, in)
	in.AssetID = id
	f.exec(`UPDATE core.assets SET archived_at = now() WHERE tenant_id = $1`, f.tenant)
	var p reliability.Preview
	f.do(&p, f.set.Preview.PlanEdit, PlanEditInput{EditInput: in})
	require.Nil(t, p.Plans)
	require.Equal(t, KeyNoAssets, p.NoPlanKey)
}
