package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
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

func storeInput(ctx context.Context, tx pgx.Tx, q *db.Queries, ref RunRef, input json.RawMessage) error {
	digest, err := digestOf(input)
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
	return addEvent(ctx, tx, q, ref, db.AddRunEventParams{Stage: stageSolve, Kind: eventStage})
}

// digestOf returns the SHA-256 of a JSON document that does not depend on how
// it is written: PostgreSQL reorders the keys of jsonb and prints numbers its
// own way, so both sides are read and printed again, keys in order.
func digestOf(document json.RawMessage) ([]byte, error) {
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	canonical, err := json.Marshal(plainZero(v))
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return sum[:], nil
}

// plainZero replaces −0, which jsonb does not keep, by 0.
func plainZero(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainZero(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plainZero(v[i])
		}
	case float64:
		return v + 0 // −0 + 0 = 0
	}
	return v
}
