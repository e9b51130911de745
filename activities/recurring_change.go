package activities

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// runNotice is what the end of a run carries. Money is in SAR; the change is
// against the run of this schedule before, absent on the first. Schedule, its
// name and the due time are those of a recurring run.
type runNotice struct {
	RunID      uuid.UUID      `json:"run_id"`
	Problem    string         `json:"problem"`
	ScheduleID *uuid.UUID     `json:"schedule_id,omitempty"`
	Name       string         `json:"name,omitempty"`
	Title      string         `json:"title"`
	DueAt      *time.Time     `json:"due_at,omitempty"`
	BestCost   float64        `json:"best_cost_sar"`
	Change     *float64       `json:"change_sar,omitempty"`
	Added      int            `json:"actions_added"`
	Removed    int            `json:"actions_removed"`
	Reason     string         `json:"reason,omitempty"`      // message key of a failure
	ReasonArgs map[string]any `json:"reason_args,omitempty"` // what the message speaks of
}

// announceRun tells other systems of the end of a run that no schedule asked
// for; that of a recurring run is told of with its firing. The person who asked
// sees it on its page.
func announceRun(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, kind string, cause ErrorDetail) error {
	if run.ScheduleID != nil {
		return nil
	}
	notice := runNotice{RunID: run.ID, Problem: run.Problem, Title: run.Title, Reason: cause.Key, ReasonArgs: cause.Args}
	if kind == "run.finished" {
		plan, err := recommended(ctx, tx, q, run.TenantID, run.ID)
		if err != nil {
			return err
		}
		notice.BestCost, notice.Added = plan.cost, len(plan.jobs)
	}
	return db.Announce(ctx, tx, db.Announcement{TenantID: run.TenantID, Kind: kind, ObjectType: "run", ObjectID: run.ID,
		Key: kind + "/" + run.ID.String(), Payload: notice})
}

// announceFinished tells of the end of a recurring run: other systems of each,
// people only of one whose plan differs from the one before by at least what
// the tenant calls material, in its cost or in the value of the jobs that came
// in or went out. Nobody hears of the same plan every morning.
func announceFinished(ctx context.Context, tx pgx.Tx, q *db.Queries, s db.Schedule, f db.ScheduleFiring) error {
	run, err := q.LoadRun(ctx, tx, s.TenantID, *f.RunID)
	if err != nil {
		return fmt.Errorf("load run: %w", err)
	}
	plan, err := recommended(ctx, tx, q, s.TenantID, run.ID)
	if err != nil {
		return err
	}
	notice := runNotice{RunID: run.ID, Problem: run.Problem, ScheduleID: &s.ID, Name: s.Name, Title: run.Title, DueAt: &f.DueAt, BestCost: plan.cost, Added: len(plan.jobs)}
	material := true
	former, err := q.FormerRun(ctx, tx, s.TenantID, run.ID)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // the first plan is news
	case err != nil:
		return fmt.Errorf("look for the run before: %w", err)
	default:
		if material, err = compareRuns(ctx, tx, q, s.TenantID, former, plan, &notice); err != nil {
			return err
		}
	}
	var to []uuid.UUID
	if material {
		if to, err = db.Holders(ctx, tx, s.TenantID, access.ProposePlan); err != nil {
			return err
		}
		to = append(to, s.OwnerID)
	}
	return db.Announce(ctx, tx, db.Announcement{TenantID: s.TenantID, Kind: "run.finished", ObjectType: "run", ObjectID: run.ID,
		Key: "run.finished/" + run.ID.String(), Payload: notice, To: to})
}

// advised is the plan that a run recommends: its cost, and the value at stake
// of every asset with a job.
type advised struct {
	cost float64
	jobs map[uuid.UUID]float64
}

func recommended(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, run uuid.UUID) (advised, error) {
	rows, err := q.ListRunActions(ctx, tx, tenant, run)
	if err != nil {
		return advised{}, fmt.Errorf("list actions: %w", err)
	}
	plan := advised{jobs: map[uuid.UUID]float64{}}
	for _, x := range rows {
		plan.cost = x.TotalCost
		if x.Acts && x.AssetID != nil {
			plan.jobs[*x.AssetID] = x.ValueAtStake
		}
	}
	return plan, nil
}

// compareRuns fills in how a plan differs from the one before and reports
// whether that is material.
func compareRuns(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, former uuid.UUID, plan advised, notice *runNotice) (bool, error) {
	before, err := recommended(ctx, tx, q, tenant, former)
	if err != nil {
		return false, err
	}
	rules, err := q.GetGovernance(ctx, tx, tenant)
	if err != nil {
		return false, fmt.Errorf("load rules: %w", err)
	}
	change := plan.cost - before.cost
	notice.Change, notice.Added = &change, 0
	moved := 0.0
	for asset, value := range plan.jobs {
		if _, kept := before.jobs[asset]; !kept {
			notice.Added++
			moved += math.Abs(value)
		}
	}
	for asset, value := range before.jobs {
		if _, kept := plan.jobs[asset]; !kept {
			notice.Removed++
			moved += math.Abs(value)
		}
	}
	const rounding = 0.005 // SAR
	costs := math.Abs(change) > rounding && math.Abs(change) >= rules.MaterialChangeSar
	jobs := notice.Added+notice.Removed > 0 && moved >= rules.MaterialChangeSar
	return costs || jobs, nil
}
