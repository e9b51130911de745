package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/backtest"
)

// States of a backtest, as stored.
const (
	backtestRunning = "running"
	backtestEntity  = "backtest"
)

// Backtest replays past decisions and keeps what they had been worth.
type Backtest struct{ deps Deps }

// BacktestRef names a backtest.
type BacktestRef struct {
	TenantID   uuid.UUID
	BacktestID uuid.UUID
}

// FailedBacktest ends a backtest that could not be replayed.
type FailedBacktest struct {
	BacktestRef
	Cause ErrorDetail
}

// ReplayDecisions decides anew at every origin of the period, from what was
// known then, judges the plans by what really happened and stores the result.
// An attempt goes on from the decisions that the one before heartbeat. A
// backtest that has ended is left alone.
func (a *Backtest) ReplayDecisions(ctx context.Context, ref BacktestRef) error {
	past, row, err := a.begin(ctx, ref)
	if err != nil || row.State != backtestRunning {
		return err
	}
	var made decisions
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &made); err != nil {
			return fmt.Errorf("read heartbeat: %w", err)
		}
	}
	origins := past.origins(row)
	for i := len(made.Plans); i < len(origins); i++ {
		plan, cut, err := past.decide(ctx, origins[i], made)
		if err != nil {
			return fmt.Errorf("decide as of %s: %w", origins[i].Format(time.DateOnly), err)
		}
		made.Plans = append(made.Plans, plan)
		if cut {
			made.Cut++
		}
		activity.RecordHeartbeat(ctx, made)
		if err := a.note(ctx, ref, float64(i+1)/float64(len(origins)+1)); err != nil {
			return err
		}
	}
	return a.finish(ctx, ref, row, past.judge(row, made))
}

// decisions are the plans that were made so far. It is what is heartbeat.
type decisions struct {
	Plans []backtest.Plan
	Cut   int
}

func (a *Backtest) begin(ctx context.Context, ref BacktestRef) (*past, db.Backtest, error) {
	var row db.Backtest
	var p *past
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.BeginBacktest(ctx, tx, activity.GetInfo(ctx).WorkflowExecution.ID, ref.TenantID, ref.BacktestID)
		if err != nil || row.State != backtestRunning {
			return err
		}
		p, err = loadPast(ctx, tx, q, row)
		return err
	})
	if err != nil {
		return nil, row, fmt.Errorf("begin backtest: %w", err)
	}
	if p != nil {
		p.scoresAt = func(ctx context.Context, at time.Time) ([]db.ListPastScoresRow, error) {
			return a.scores(ctx, ref.TenantID, at)
		}
	}
	return p, row, nil
}

func (a *Backtest) scores(ctx context.Context, tenant uuid.UUID, at time.Time) ([]db.ListPastScoresRow, error) {
	var rows []db.ListPastScoresRow
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListPastScores(ctx, tx, tenant, at)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list past scores: %w", err)
	}
	return rows, nil
}

func (a *Backtest) note(ctx context.Context, ref BacktestRef, progress float64) error {
	return a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.NoteBacktest(ctx, tx, progress, ref.TenantID, ref.BacktestID); err != nil {
			return fmt.Errorf("note progress: %w", err)
		}
		return nil
	})
}

// finish stores the result with its hash and the audit entry.
func (a *Backtest) finish(ctx context.Context, ref BacktestRef, row db.Backtest, result backtest.Result) error {
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	digest := sha256.Sum256(text)
	return a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		n, err := q.FinishBacktest(ctx, tx, db.FinishBacktestParams{TenantID: ref.TenantID, ID: ref.BacktestID, Result: text, ResultSha256: digest[:]})
		if err != nil || n == 0 { // somebody else ended it
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: ref.TenantID, Actor: db.SystemActor(backtestEntity), Action: "backtest.finished", ObjectType: backtestEntity, ObjectID: ref.BacktestID.String(),
			Before: map[string]any{"state": row.State}, After: map[string]any{"state": "done", "sha256": fmt.Sprintf("%x", digest), "net_sar": result.Summary.Net},
		})
	})
}

// FailBacktest ends a backtest that could not be replayed, with the reason.
func (a *Backtest) FailBacktest(ctx context.Context, in FailedBacktest) error {
	detail, err := encodeArgs(in.Cause.Args)
	if err != nil {
		return fmt.Errorf("encode cause: %w", err)
	}
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		n, err := q.FailBacktest(ctx, tx, db.FailBacktestParams{TenantID: in.TenantID, ID: in.BacktestID, ErrorKey: in.Cause.Key, ErrorDetail: detail})
		if err != nil || n == 0 {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: in.TenantID, Actor: db.SystemActor(backtestEntity), Action: "backtest.failed", ObjectType: backtestEntity, ObjectID: in.BacktestID.String(),
			After: map[string]any{"state": "failed", "error": in.Cause.Key},
		})
	})
}
