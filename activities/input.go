package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// whatIfInput returns the input of a run that asks what a decision would cost:
// the stored input of the run behind the scenario, with the decisions forced
// upon it and the scenario's plan as the start of the search.
func whatIfInput(ctx context.Context, tx pgx.Tx, q *db.Queries, r request) (json.RawMessage, error) {
	base, err := q.ScenarioWithRun(ctx, tx, r.run.TenantID, *r.run.BasedOn)
	if err != nil {
		return nil, fmt.Errorf("load scenario %s: %w", *r.run.BasedOn, err)
	}
	scenario, run := base.OptimizationScenario, base.OptimizationRun
	if run.Problem != r.run.Problem {
		return nil, fault.New(fault.Invalid, KeyRequest).With("problem", run.Problem)
	}
	var pins []optimize.Pin
	if err := json.Unmarshal(r.run.WhatIf, &pins); err != nil {
		return nil, fault.Wrap(fault.Invalid, KeyRequest, fmt.Errorf("read what-if: %w", err))
	}
	input, err := runs.Force(run.Problem, run.Input, pins)
	if err != nil {
		return nil, err
	}
	plan, err := r.problem.Plan(scenario.Output)
	if err != nil {
		return nil, fmt.Errorf("plan of scenario %s: %w", scenario.ID, err)
	}
	return r.problem.Start(input, plan)
}

// storeInput keeps the input in the row of the run and, as evidence, under its
// hash.
func storeInput(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request, input json.RawMessage) error {
	ref := RunRef{TenantID: r.run.TenantID, RunID: r.run.ID}
	digest, err := manifest.Digest(input)
	if err != nil {
		return err
	}
	stored, err := q.StoreRunInput(ctx, tx, db.StoreRunInputParams{TenantID: ref.TenantID, ID: ref.RunID, Input: input, InputSha256: digest})
	if err != nil {
		return fmt.Errorf("store input: %w", err)
	}
	if stored == 0 {
		return fault.New(fault.Conflict, KeyRunEnded)
	}
	if err := openManifest(ctx, tx, q, p, r, input); err != nil {
		return err
	}
	return addEvent(ctx, tx, q, ref, db.AddRunEventParams{Stage: stageSolve, Kind: eventStage})
}
