package activities

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// WorkOrdersResult says what a release did.
type WorkOrdersResult struct {
	Created, Cancelled int
}

// CreateWorkOrders releases an approved plan in one transaction: one work
// order per recommendation to act, numbered without gaps, each given to the
// technician of its skill with the fewest open hours.
//
// Older released plans of the tenant become superseded. Of their work orders
// only those that nobody has begun and whose asset gets a new one are
// cancelled; work on other assets stays open, because the new plan says
// nothing about it.
//
// A plan that was released before is left alone, so a repeated call creates
// nothing twice; the unique recommendation of a work order has the last word.
func (a *Release) CreateWorkOrders(ctx context.Context, ref PlanRef) (WorkOrdersResult, error) {
	var result WorkOrdersResult
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		if p.ReleasedAt != nil {
			return nil
		}
		if p.State != PlanApproved || p.ReleaseRequestedBy == nil {
			return fault.New(fault.Conflict, KeyNotApproved)
		}
		actor, err := permitted(ctx, tx, q, ref.TenantID, *p.ReleaseRequestedBy, access.ReleasePlan)
		if err != nil {
			return err
		}
		assets, err := writeWorkOrders(ctx, tx, q, ref)
		if err != nil {
			return err
		}
		result.Created = len(assets)
		if result.Cancelled, err = replaceOlder(ctx, tx, q, ref, assets); err != nil {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: ref.TenantID, Actor: actor, Action: "plan.released", ObjectType: "plan", ObjectID: ref.PlanID.String(),
			Before: map[string]any{"state": p.State},
			After:  map[string]any{"state": PlanReleased, "work_orders": result.Created, "cancelled": result.Cancelled},
		})
	})
	if err != nil {
		return WorkOrdersResult{}, fmt.Errorf("create work orders: %w", err)
	}
	return result, nil
}

// writeWorkOrders creates the work orders of a plan and returns their assets.
func writeWorkOrders(ctx context.Context, tx pgx.Tx, q *db.Queries, ref PlanRef) ([]uuid.UUID, error) {
	if err := q.LockWorkOrderNumbers(ctx, tx, ref.TenantID); err != nil {
		return nil, fmt.Errorf("lock numbers: %w", err)
	}
	number, err := q.LastWorkOrderNumber(ctx, tx, ref.TenantID)
	if err != nil {
		return nil, fmt.Errorf("read last number: %w", err)
	}
	jobs, err := q.ListJobsToRelease(ctx, tx, ref.TenantID, ref.PlanID)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	technicians, err := q.ListTechnicianLoads(ctx, tx, ref.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list technicians: %w", err)
	}
	assets := make([]uuid.UUID, 0, len(jobs))
	for _, j := range jobs {
		created, err := q.AddWorkOrder(ctx, tx, db.AddWorkOrderParams{
			TenantID: ref.TenantID, Number: number + 1, PlanID: ref.PlanID, RecommendationID: j.ID, AssetID: j.AssetID,
			TitleAr: fmt.Sprintf("صيانة مخططة: %s (%s)", j.NameAr, j.Tag), TitleEn: fmt.Sprintf("Planned maintenance: %s (%s)", j.NameEn, j.Tag),
			StartOn: *j.StartOn, DueOn: *j.EndOn, TechnicianID: assign(technicians, j.SkillCode, j.CrewHours), CrewHours: j.CrewHours,
		})
		if err != nil {
			return nil, fmt.Errorf("add work order for %s: %w", j.Tag, err)
		}
		number += created
		assets = append(assets, j.AssetID)
	}
	return assets, nil
}

// assign picks the technician of a skill with the least load and adds the job
// to it; nil when nobody has the skill.
func assign(technicians []db.ListTechnicianLoadsRow, skill string, hours float64) *uuid.UUID {
	var pick *db.ListTechnicianLoadsRow
	for i := range technicians {
		t := &technicians[i]
		if t.SkillCode == skill && (pick == nil || t.Hours < pick.Hours) {
			pick = t
		}
	}
	if pick == nil {
		return nil
	}
	pick.Hours += hours
	return &pick.ID
}

// replaceOlder marks the plan as released, supersedes older ones and cancels
// what the new work orders replace.
func replaceOlder(ctx context.Context, tx pgx.Tx, q *db.Queries, ref PlanRef, assets []uuid.UUID) (int, error) {
	cancelled, err := q.CancelReplacedWorkOrders(ctx, tx, ref.TenantID, ref.PlanID, assets)
	if err != nil {
		return 0, fmt.Errorf("cancel replaced work orders: %w", err)
	}
	if _, err := q.SupersedePlans(ctx, tx, ref.TenantID, ref.PlanID); err != nil {
		return 0, fmt.Errorf("supersede plans: %w", err)
	}
	if _, err := q.MarkReleased(ctx, tx, ref.TenantID, ref.PlanID); err != nil {
		return 0, fmt.Errorf("mark plan released: %w", err)
	}
	return int(cancelled), nil
}
