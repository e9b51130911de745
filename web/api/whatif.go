package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// WhatIfInput asks what decisions would cost. The subjects are those of the
// scenario's lines.
type WhatIfInput struct {
	Title string         `json:"title" minLength:"1" maxLength:"200"`
	Pins  []optimize.Pin `json:"pins" minItems:"1" maxItems:"20" doc:"Decisions to force, each on a subject of the scenario"`
}

// WhatIf is one what-if run on a scenario, with its answer once it is done.
type WhatIf struct {
	RunID      uuid.UUID      `json:"run_id"`
	Title      string         `json:"title"`
	State      string         `json:"state"`
	Pins       []optimize.Pin `json:"pins"`
	ScenarioID *uuid.UUID     `json:"scenario_id,omitempty"`
	TotalCost  *float64       `json:"total_cost,omitempty"`
	RiskCost   *float64       `json:"risk_cost,omitempty"`
	Status     *string        `json:"status,omitempty"`
	Error      string         `json:"error,omitempty" doc:"Why there is no plan"`
	// Conflicts are the constraints that forbid the decisions.
	Conflicts   []optimize.Conflict `json:"conflicts,omitempty" doc:"Constraints that cannot hold together with the decisions"`
	RequestedAt time.Time           `json:"requested_at"`
	FinishedAt  *time.Time          `json:"finished_at,omitempty"`
}

// createWhatIf checks the decisions against the stored input of the scenario's
// run and asks for a run on it.
func (a *API) createWhatIf(ctx context.Context, who access.Principal, in *struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"The same key gives the same run"`
	Body WhatIfInput
}) (*runCreated, error) {
	pins, err := json.Marshal(in.Body.Pins)
	if err != nil {
		return nil, err
	}
	var id uuid.UUID
	var replay bool
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		base, err := q.ScenarioWithRun(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		run := base.OptimizationRun
		if err := mayRun(ctx, who, run.Problem); err != nil {
			return err
		}
		if err := runs.CheckWhatIf(run.Problem, run.Input, in.Body.Pins); err != nil {
			return err
		}
		id, replay, err = askWhatIf(ctx, tx, q, who, idempotent(who, in.Key), in.ID, in.Body.Title, pins)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created(id, replay), a.start(ctx, who, id, replay)
}

// askWhatIf stores the question with its audit entry, or finds the run that
// the same key already made.
func askWhatIf(ctx context.Context, tx pgx.Tx, q *db.Queries, who access.Principal, key string, scenario uuid.UUID, title string, pins json.RawMessage) (id uuid.UUID, replay bool, err error) {
	id, err = q.RequestWhatIf(ctx, tx, db.RequestWhatIfParams{TenantID: who.TenantID, ScenarioID: scenario, Title: title, RequestedBy: who.UserID,
		IdempotencyKey: key, WhatIf: pins, Channel: "api"})
	if errors.Is(err, pgx.ErrNoRows) {
		id, err = replayed(ctx, tx, q, who, key, func(known db.RunDetailRow) bool {
			return known.BasedOn != nil && *known.BasedOn == scenario && known.Title == title && sameJSON(known.WhatIf, pins)
		})
		return id, true, err
	}
	if err != nil {
		return id, false, err
	}
	err = origin(ctx).Audit(ctx, tx, db.Entry{Action: "run.requested", ObjectType: "optimization_run", ObjectID: id.String(),
		After: map[string]any{"title": title, "based_on": scenario, "what_if": pins, "channel": "api"}})
	return id, false, err
}

func (a *API) listWhatIfs(ctx context.Context, who access.Principal, in *struct {
	ByID
	Limit int32 `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Newest rows at most"`
}) (*answer[List[WhatIf]], error) {
	out := List[WhatIf]{Items: []WhatIf{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.APIScenario(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err := q.ScenarioWhatIfs(ctx, tx, who.TenantID, in.ID, in.Limit)
		for _, x := range rows {
			w := WhatIf{RunID: x.ID, Title: x.Title, State: x.State, ScenarioID: x.ScenarioID, TotalCost: x.TotalCost, RiskCost: x.RiskCost, Status: x.Status,
				RequestedAt: x.RequestedAt, FinishedAt: x.FinishedAt}
			w.Error, w.Conflicts = a.failure(ctx, x.ErrorKey, x.ErrorDetail)
			if err := json.Unmarshal(x.WhatIf, &w.Pins); err != nil {
				return err
			}
			out.Items = append(out.Items, w)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}
