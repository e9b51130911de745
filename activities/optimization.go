package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
)

// States of a run, as stored.
const (
	RunRunning   = "running"
	RunDone      = "done"
	RunFailed    = "failed"
	RunCancelled = "cancelled"
)

// Stages of a run, as shown while it goes on.
const (
	stageLoad   = "load"
	stageScores = "scores"
	stageSolve  = "solve"
	stageVerify = "verify"
	stageSave   = "save"
	stageDone   = "done"
)

// Kinds of run events.
const (
	eventStage    = "stage"
	eventProgress = "progress"
	eventAttempt  = "attempt"
	eventFailure  = "failure"
	eventStop     = "stop"
)

// scoresFresh is how old a sweep may be before a run asks for a new one: a bit
// more than the rhythm of the sweeps.
const scoresFresh = 20 * time.Minute

// engine names this part of the product in the audit log.
const engine = "optimization"

// RunRef names a run.
type RunRef struct {
	TenantID uuid.UUID
	RunID    uuid.UUID
}

// BeginInput takes a run up for a workflow.
type BeginInput struct {
	RunRef
	WorkflowID, WorkflowRunID string
}

// BegunRun says whether there is anything to do, and whether the scores are
// too old to plan with.
type BegunRun struct {
	Final     bool   // the run had ended before; State says how
	State     string // of the row
	ScoresDue bool
}

// CloseInput ends a run that failed or was cancelled.
type CloseInput struct {
	RunRef
	State string
	Cause ErrorDetail
}

// BeginRun takes a requested run up: it checks the request, marks the row as
// running and writes the audit entry. A run that has ended is left alone.
func (a *Optimization) BeginRun(ctx context.Context, in BeginInput) (BegunRun, error) {
	var begun BegunRun
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.LockRun(ctx, tx, in.TenantID, in.RunID)
		if err != nil {
			return err
		}
		if begun.Final = before.State != "requested" && before.State != RunRunning; begun.Final {
			begun.State = before.State
			return nil
		}
		run, err := q.BeginRun(ctx, tx, db.BeginRunParams{
			TenantID: in.TenantID, ID: in.RunID, WorkflowID: in.WorkflowID, WorkflowRunID: in.WorkflowRunID,
		})
		if err != nil {
			return err
		}
		begun.State = run.State
		if run.BasedOn == nil { // a what-if keeps the scores of the run it is based on
			if begun.ScoresDue, err = scoresDue(ctx, tx, q, in.TenantID); err != nil {
				return err
			}
		}
		if before.State == RunRunning { // a repeated attempt: the entry is there
			return nil
		}
		if err := addEvent(ctx, tx, q, in.RunRef, db.AddRunEventParams{Stage: stageLoad, Kind: eventStage}); err != nil {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: in.TenantID, Actor: db.SystemActor(engine), Action: "run.started", ObjectType: "run", ObjectID: in.RunID.String(),
			Before: map[string]any{"state": before.State}, After: map[string]any{"state": run.State, "workflow_id": in.WorkflowID},
		})
	})
	if err != nil {
		return begun, fmt.Errorf("begin run: %w", err)
	}
	return begun, nil
}

func scoresDue(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (bool, error) {
	last, err := q.LastSweep(ctx, tx, tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the last sweep: %w", err)
	}
	return time.Since(last) > scoresFresh, nil
}

// addEvent appends to the course of a run. Detail may be left out.
func addEvent(ctx context.Context, tx pgx.Tx, q *db.Queries, run RunRef, e db.AddRunEventParams) error {
	e.TenantID, e.RunID = run.TenantID, run.RunID
	if e.Detail == nil {
		e.Detail = json.RawMessage(`{}`)
	}
	if err := q.AddRunEvent(ctx, tx, e); err != nil {
		return fmt.Errorf("add run event: %w", err)
	}
	return nil
}

// enterStage moves a running run to a stage and notes it in its course.
func enterStage(ctx context.Context, tx pgx.Tx, q *db.Queries, run RunRef, stage string) error {
	if _, err := q.SetRunStage(ctx, tx, stage, run.TenantID, run.RunID); err != nil {
		return fmt.Errorf("enter stage %s: %w", stage, err)
	}
	return addEvent(ctx, tx, q, run, db.AddRunEventParams{Stage: stage, Kind: eventStage})
}

// RequestStop asks the searches of a run to end and keep their best plans.
// Asking twice changes nothing.
func (a *Optimization) RequestStop(ctx context.Context, run RunRef) error {
	return a.deps.DB.InTenant(ctx, run.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		asked, err := q.RunStopRequested(ctx, tx, run.TenantID, run.RunID)
		if err != nil || asked {
			return err
		}
		open, err := q.RequestRunStop(ctx, tx, run.TenantID, run.RunID)
		if err != nil {
			return fmt.Errorf("request stop: %w", err)
		}
		if open == 0 {
			return fault.New(fault.Conflict, KeyRunEnded)
		}
		return addEvent(ctx, tx, q, run, db.AddRunEventParams{Stage: stageSolve, Kind: eventStop})
	})
}

// CloseRun ends a run that failed or was cancelled, with the key of the
// message that explains it. A run that has ended is left alone.
func (a *Optimization) CloseRun(ctx context.Context, in CloseInput) error {
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return closeRun(ctx, tx, q, in)
	})
}

func closeRun(ctx context.Context, tx pgx.Tx, q *db.Queries, in CloseInput) error {
	before, err := q.LockRun(ctx, tx, in.TenantID, in.RunID)
	if err != nil {
		return fmt.Errorf("lock run: %w", err)
	}
	detail, err := encodeArgs(in.Cause.Args)
	if err != nil {
		return err
	}
	closed, err := q.FinishRun(ctx, tx, db.FinishRunParams{
		TenantID: in.TenantID, ID: in.RunID, State: in.State, Stage: before.Stage, ErrorKey: in.Cause.Key, ErrorDetail: detail,
	})
	if err != nil || closed == 0 {
		return err
	}
	event := db.AddRunEventParams{Stage: before.Stage, Kind: eventFailure}
	if in.State == RunCancelled {
		event.Kind = eventStop
	} else if event.Detail, err = json.Marshal(map[string]any{"error_key": in.Cause.Key, "args": in.Cause.Args}); err != nil {
		return err
	}
	if err := addEvent(ctx, tx, q, in.RunRef, event); err != nil {
		return err
	}
	if in.State == RunFailed {
		if err := announceRun(ctx, tx, q, before, "run.failed", in.Cause); err != nil {
			return err
		}
	}
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: in.TenantID, Actor: db.SystemActor(engine), Action: "run." + in.State, ObjectType: "run", ObjectID: in.RunID.String(),
		Before: map[string]any{"state": before.State}, After: map[string]any{"state": in.State, "error_key": in.Cause.Key},
	})
}

func encodeArgs(args map[string]any) (json.RawMessage, error) {
	if args == nil {
		return json.RawMessage(`{}`), nil
	}
	detail, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("encode error detail: %w", err)
	}
	return detail, nil
}

// draft is the output of a solved plan that waits to be verified and saved,
// with how it came about.
type draft struct {
	Output  json.RawMessage `json:"output"`
	Start   json.RawMessage `json:"start,omitempty"` // plan that a resumed attempt started from
	Threads int             `json:"threads"`
	Prices  bool            `json:"prices"`
	Ended   manifest.Ended  `json:"ended"`
	Attempt int32           `json:"attempt"`
}

// drafts is what the column solver of a running run holds.
type drafts struct {
	Drafts map[string]draft `json:"drafts"`
}

func draftsOf(run db.OptimizationRun) (map[string]draft, error) {
	var d drafts
	if len(run.Solver) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(run.Solver, &d); err != nil {
		return nil, fmt.Errorf("read drafts: %w", err)
	}
	return d.Drafts, nil
}
