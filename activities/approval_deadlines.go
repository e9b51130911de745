package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// RemindApproval tells those who may approve a waiting plan that its due time
// comes near, once.
func (a *Approval) RemindApproval(ctx context.Context, ref PlanRef) error {
	return a.waiting(ctx, ref, func(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) error {
		reminded, err := q.RemindPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil || reminded == 0 {
			return err
		}
		to, err := db.DeciderIDs(ctx, tx, p)
		if err != nil {
			return err
		}
		if err := announceMoment(ctx, tx, p, "plan.reminder", p.State, to); err != nil {
			return err
		}
		return auditPlan(ctx, tx, p, "plan.reminded", p.State)
	})
}

// EscalateApproval marks a plan that was not decided by its due time, once,
// raises an alert, and tells the approvers and whom the tenant named for this.
func (a *Approval) EscalateApproval(ctx context.Context, ref PlanRef) error {
	return a.waiting(ctx, ref, func(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) error {
		escalated, err := q.EscalatePlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil || escalated == 0 {
			return err
		}
		if _, err := settleAlerts(ctx, tx, q, ref.TenantID, time.Now().UTC(), overdue(p, true)); err != nil {
			return err
		}
		to, err := db.DeciderIDs(ctx, tx, p)
		if err != nil {
			return err
		}
		rules, err := q.GetGovernance(ctx, tx, ref.TenantID)
		if err != nil {
			return fmt.Errorf("load rules: %w", err)
		}
		if rules.EscalateTo != nil {
			to = append(to, *rules.EscalateTo)
		}
		if err := announceMoment(ctx, tx, p, "plan.escalated", p.State, to); err != nil {
			return err
		}
		return auditPlan(ctx, tx, p, "plan.escalated", p.State)
	})
}

// ExpireApproval ends the wait of a plan that nobody decided.
func (a *Approval) ExpireApproval(ctx context.Context, ref PlanRef) (Recorded, error) {
	var recorded Recorded
	err := a.waiting(ctx, ref, func(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) error {
		decisions, err := q.CountDecisions(ctx, tx, ref.TenantID, ref.PlanID)
		recorded = Recorded{State: p.State, Decisions: int(decisions)}
		if err != nil || p.State != PlanProposed {
			return err
		}
		recorded.State = PlanExpired
		if err := settlePlan(ctx, tx, q, p, PlanExpired); err != nil {
			return err
		}
		if err := announceMoment(ctx, tx, p, "plan.expired", PlanExpired, []uuid.UUID{p.LaunchedBy, p.ProposedBy}); err != nil {
			return err
		}
		return auditPlan(ctx, tx, p, "plan.expired", PlanExpired)
	})
	return recorded, err
}

// waiting locks a plan for work on its deadlines.
func (a *Approval) waiting(ctx context.Context, ref PlanRef, work func(context.Context, pgx.Tx, *db.Queries, db.Plan) error) error {
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return fmt.Errorf("lock plan: %w", err)
		}
		return work(ctx, tx, q, p)
	})
	if err != nil {
		return fmt.Errorf("deadline of plan: %w", err)
	}
	return nil
}

// announceMoment announces what time brought about, once for each plan.
func announceMoment(ctx context.Context, tx pgx.Tx, p db.Plan, kind, state string, to []uuid.UUID) error {
	return db.AnnouncePlan(ctx, tx, p, db.PlanEvent{Kind: kind, Key: p.ID.String(), State: state, To: to})
}

func auditPlan(ctx context.Context, tx pgx.Tx, p db.Plan, action, state string) error {
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: p.TenantID, Actor: db.SystemActor("approval"), Action: action, ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": p.State}, After: map[string]any{"state": state},
	})
}
