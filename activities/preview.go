package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/scoring"
)

// How a preview plans: the horizon and objective that forms offer first, a
// search that counts iterations so that it can be repeated to the riyal, and
// the time after which a search is cut short.
const (
	previewDays       = 30
	previewIterations = 4000
	previewLimit      = 8 * time.Second
	previewSeed       = 1
)

// Preview says what an edit would change, and changes nothing.
type Preview struct{ deps Deps }

// EditInput is one edit of an asset that is proposed at a moment.
type EditInput struct {
	TenantID uuid.UUID
	AssetID  uuid.UUID
	Change   reliability.Change
	At       time.Time
}

// ScoredEdit is the score of the asset without and with an edit.
type ScoredEdit struct {
	Before, After reliability.Figures
}

// PlanEditInput asks for the plans around an edit whose scores are known.
type PlanEditInput struct {
	EditInput
	Scores ScoredEdit
}

// ScoreEdit scores the asset as it is and as the edit would have it, both from
// the same stored readings: those of its newest score, or of the moment of the
// question when that is too old to plan with.
func (a *Preview) ScoreEdit(ctx context.Context, in EditInput) (ScoredEdit, error) {
	var out ScoredEdit
	batch := Batch{Sweep: Sweep{TenantID: in.TenantID, AsOf: in.At}, Assets: []uuid.UUID{in.AssetID}}
	var costs []db.CostModel
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		last, err := q.LatestScoreAt(ctx, tx, in.TenantID, in.AssetID)
		switch {
		case err == nil && in.At.Sub(last) <= scoresUsable:
			batch.AsOf = last
		case err != nil && !errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("look for the newest score: %w", err)
		}
		if costs, err = q.ListCostModels(ctx, tx, in.TenantID, batch.Assets); err != nil {
			return fmt.Errorf("list cost models: %w", err)
		}
		return in.dropOvertaken(ctx, tx, q)
	})
	if err != nil {
		return out, fmt.Errorf("preview scores: %w", err)
	}
	engine := &Scoring{deps: a.deps}
	inputs, err := engine.loadBatch(ctx, batch)
	if err != nil {
		return out, err
	}
	if len(inputs) == 0 {
		return out, fault.New(fault.NotFound, KeyNoAssets)
	}
	one := inputs[0]
	out.Before = figuresOf(scoring.Score(one.input))
	one.revise(in, costs)
	out.After = figuresOf(scoring.Score(one.input))
	return out, nil
}

// dropOvertaken leaves out an inspection that a newer one has overtaken: it
// changes no score.
func (in *EditInput) dropOvertaken(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
	if in.Change.Inspection == nil {
		return nil
	}
	known, err := q.AssetInspections(ctx, tx, in.TenantID, in.AssetID)
	if err != nil {
		return fmt.Errorf("list inspections: %w", err)
	}
	if slices.ContainsFunc(known, func(x db.AssetInspectionsRow) bool {
		return x.AssetInspection.Grade != nil && x.AssetInspection.InspectedAt.After(in.Change.Inspection.InspectedAt)
	}) {
		in.Change.Inspection = nil
	}
	return nil
}

// figuresOf keeps what a preview shows of a score.
func figuresOf(s scoring.AssetScore) reliability.Figures {
	return reliability.Figures{
		AsOf: s.AsOf, Health: s.Health.Value, P30: s.Failure.P30.Value, RULDays: s.RUL.Value, BeyondCap: s.RUL.BeyondCap,
		RiskSAR: s.Risk.Value, RiskIndex: s.Risk.Index.Value, RiskLevel: int(s.Risk.Level), Trusted: s.Trusted,
		EvidenceFactor: s.Failure.HazardRatio,
	}
}

// PlanEdit plans the jobs of the tenant without and with an edit and compares
// the plans. A plant without a priced job has nothing to plan, which the
// preview says.
func (a *Preview) PlanEdit(ctx context.Context, in PlanEditInput) (reliability.Preview, error) {
	out := reliability.Preview{AssetID: in.AssetID, Before: in.Scores.Before, After: in.Scores.After}
	before, after, err := a.problemsOf(ctx, in)
	var nothing *fault.Error
	if errors.As(err, &nothing) && nothing.Key == KeyNoAssets {
		out.NoPlanKey = KeyNoAssets
		return out, nil
	}
	if err != nil {
		return out, err
	}
	old, err := solvePreview(ctx, before)
	if err != nil {
		return out, fmt.Errorf("plan without the edit: %w", err)
	}
	fresh, err := solvePreview(ctx, after)
	if err != nil {
		return out, fmt.Errorf("plan with the edit: %w", err)
	}
	plans, err := reliability.Compare(in.AssetID, old, fresh)
	if err != nil {
		return out, err
	}
	views := []optimize.View{old, fresh}
	plans.Preset = optimize.PresetBalanced
	plans.Exact = !slices.ContainsFunc(views, func(v optimize.View) bool { return v.Certificate.Status != optimize.StatusOptimal })
	plans.CutShort = slices.ContainsFunc(views, func(v optimize.View) bool { return v.Certificate.Status == optimize.StatusTimeLimit })
	out.Plans = &plans
	return out, nil
}

// problemsOf builds the problem of the plant without and with the edit.
func (a *Preview) problemsOf(ctx context.Context, in PlanEditInput) (before, after json.RawMessage, err error) {
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := loadPlant(ctx, tx, q, in.TenantID)
		if err != nil {
			return err
		}
		r, err := previewRequest(p.tenant, in.At)
		if err != nil {
			return err
		}
		p.score(in.AssetID, in.Scores.Before)
		if before, err = p.encoded(r); err != nil && fault.CodeOf(err) != fault.Invalid {
			return err
		}
		p.revise(in.EditInput)
		p.score(in.AssetID, in.Scores.After)
		after, err = p.encoded(r)
		return err
	})
	if err == nil && before == nil { // the edit gives the plant its first priced job
		return nil, nil, fault.New(fault.Invalid, KeyNoAssets)
	}
	return before, after, err
}

// solvePreview searches the best plan of a problem within the budget of a
// preview and returns what is shown of it.
func solvePreview(ctx context.Context, input json.RawMessage) (optimize.View, error) {
	problem, err := previewProblem()
	if err != nil {
		return optimize.View{}, err
	}
	if input, err = problem.Weigh(input, optimize.PresetBalanced); err != nil {
		return optimize.View{}, err
	}
	budget := optimize.Options{TimeLimit: previewLimit, Seed: previewSeed, Threads: 1, MaxIterations: previewIterations}
	result, err := problem.Solve(ctx, input, budget, func(optimize.Progress) { activity.RecordHeartbeat(ctx) })
	if err != nil {
		return optimize.View{}, err
	}
	return problem.View(input, result.Output)
}
