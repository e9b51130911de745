package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
)

// SavedScenarios says how many scenarios a run ended with.
type SavedScenarios struct {
	Scenarios int
}

// VerifyPlans recomputes feasibility and cost of every drafted plan from the
// stored input, with code that the solver does not use. It changes nothing but
// the stage of the run.
func (a *Optimization) VerifyPlans(ctx context.Context, ref RunRef) error {
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadRun(ctx, tx, ref.TenantID, ref.RunID)
		if err != nil || run.State == RunDone {
			return err
		}
		if err := enterStage(ctx, tx, q, ref, stageVerify); err != nil {
			return err
		}
		if _, err := verifiedPlans(run); err != nil {
			return err
		}
		return enterStage(ctx, tx, q, ref, stageSave)
	})
	if err != nil {
		return fmt.Errorf("verify plans: %w", err)
	}
	return nil
}

// plan is one verified preset of a run, with what is shown of it.
type plan struct {
	preset string
	output json.RawMessage
	view   optimize.View
}

// verifiedPlans returns the drafted plans in the order of the request, or a
// fault when the stored input is not what was solved, a preset is missing, or
// a plan does not stand up to the verifier.
func verifiedPlans(run db.OptimizationRun) ([]plan, error) {
	digest, err := manifest.Digest(run.Input)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(digest, run.InputSha256) {
		return nil, fault.New(fault.Conflict, KeyInputChanged)
	}
	r, err := readRequest(run)
	if err != nil {
		return nil, err
	}
	drafted, err := draftsOf(run)
	if err != nil {
		return nil, err
	}
	var plans []plan
	for _, preset := range r.objective.Presets {
		d, ok := drafted[preset]
		if !ok {
			return nil, fault.New(fault.Conflict, KeyNoPlan).With("preset", preset)
		}
		p := plan{preset: preset, output: d.Output}
		input, err := r.problem.Weigh(run.Input, preset)
		if err != nil {
			return nil, fmt.Errorf("weigh %s: %w", preset, err)
		}
		if err := r.problem.Verify(input, p.output); err != nil {
			return nil, fault.Wrap(fault.Conflict, KeyNotVerified, err).With("preset", preset)
		}
		if p.view, err = r.problem.View(input, p.output); err != nil {
			return nil, fmt.Errorf("view %s: %w", preset, err)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// SaveScenarios verifies the drafted plans once more and stores them with
// their recommendations, ends the run and writes the audit entry, all in one
// transaction. Rows are keyed by run, preset and asset, and a run that is done
// is left alone, so a repeated call stores nothing twice.
func (a *Optimization) SaveScenarios(ctx context.Context, ref RunRef) (SavedScenarios, error) {
	var saved SavedScenarios
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LockRun(ctx, tx, ref.TenantID, ref.RunID)
		if err != nil {
			return err
		}
		switch run.State {
		case RunDone:
			return nil
		case RunRunning:
		default:
			return fault.New(fault.Conflict, KeyRunEnded)
		}
		plans, err := verifiedPlans(run)
		if err != nil {
			return err
		}
		scores, err := q.ListPlanningScores(ctx, tx, ref.TenantID)
		if err != nil {
			return fmt.Errorf("list scores: %w", err)
		}
		trusted := map[uuid.UUID]bool{}
		for _, s := range scores {
			trusted[s.AssetID] = usable(s, time.Now())
		}
		for _, p := range plans {
			if err := saveScenario(ctx, tx, q, run, p, trusted); err != nil {
				return fmt.Errorf("save scenario %s: %w", p.preset, err)
			}
		}
		saved.Scenarios = len(plans)
		return finishRun(ctx, tx, q, run, plans)
	})
	if err != nil {
		return saved, fmt.Errorf("save scenarios: %w", err)
	}
	return saved, nil
}

// finishRun ends a run that has its scenarios. The record of the solver
// replaces the drafts, which live on as the outputs of the scenarios.
func finishRun(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, plans []plan) error {
	solver, err := json.Marshal(plans[0].view.Certificate.Solver)
	if err != nil {
		return fmt.Errorf("encode solver: %w", err)
	}
	_, err = q.FinishRun(ctx, tx, db.FinishRunParams{
		TenantID: run.TenantID, ID: run.ID, State: RunDone, Stage: stageDone, Solver: solver, ErrorDetail: json.RawMessage(`{}`),
	})
	if err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	evidence, err := sealManifest(ctx, tx, q, run, plans, solver)
	if err != nil {
		return err
	}
	ref := RunRef{TenantID: run.TenantID, RunID: run.ID}
	if err := addEvent(ctx, tx, q, ref, db.AddRunEventParams{Stage: stageDone, Kind: eventStage}); err != nil {
		return err
	}
	if err := announceRun(ctx, tx, q, run, "run.finished", ErrorDetail{}); err != nil {
		return err
	}
	costs := map[string]any{}
	for _, p := range plans {
		costs[p.preset] = p.view.Total
	}
	after := map[string]any{"state": RunDone, "scenarios": costs, "input_sha256": manifest.Hex(run.InputSha256)}
	if evidence != nil {
		after["manifest_sha256"] = manifest.Hex(evidence)
	}
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: run.TenantID, Actor: db.SystemActor(engine), Action: "run.finished", ObjectType: "run", ObjectID: run.ID.String(),
		Before: map[string]any{"state": run.State}, After: after,
	})
}

func saveScenario(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, p plan, trusted map[uuid.UUID]bool) error {
	problem, err := problemOf(run)
	if err != nil {
		return err
	}
	id, err := q.UpsertScenario(ctx, tx, scenarioRow(run, p))
	if err != nil || !problem.Spec().Executable {
		return err // only jobs on assets can become work orders
	}
	recommendations, err := recommend(run.WindowStart, p.view.Lines, trusted)
	if err != nil {
		return err
	}
	for _, r := range recommendations {
		r.TenantID, r.ScenarioID = run.TenantID, id
		if err := q.AddRecommendation(ctx, tx, r); err != nil {
			return fmt.Errorf("add recommendation: %w", err)
		}
	}
	return nil
}

func scenarioRow(run db.OptimizationRun, p plan) db.UpsertScenarioParams {
	c := p.view.Certificate
	row := db.UpsertScenarioParams{
		TenantID: run.TenantID, RunID: run.ID, Preset: p.preset, Status: string(c.Status), Objective: c.Objective, Verified: true,
		Seconds: c.Seconds, TotalCost: p.view.Total, RiskCost: p.view.Risk, Output: p.output,
	}
	_, row.Bound, row.Gap = figures(optimize.Progress{Incumbent: c.Objective, HasIncumbent: true, Bound: c.Bound, BoundKnown: c.BoundKnown})
	for _, f := range p.view.Figures {
		switch f.Key {
		case optimize.FigureDowntime:
			row.DowntimeHours = f.Value
		case optimize.FigureLabour:
			row.LabourHours = f.Value
		case optimize.FigurePlanned:
			row.ActionsPlanned = int32(f.Value) //nolint:gosec // a count
		case optimize.FigureDeferred:
			row.ActionsDeferred = int32(f.Value) //nolint:gosec // a count
		}
	}
	return row
}
