package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// States of a plan, as stored.
const (
	PlanProposed = "proposed"
	PlanApproved = "approved"
	PlanReturned = "returned"
	PlanExpired  = "expired"
	PlanReleased = "released"
)

// Kinds of decisions, as stored.
const (
	kindEndorsed = "endorsed"
	kindObjected = "objected"
	kindApproved = "approved"
	kindReturned = "returned"
)

// PlanRef names a plan.
type PlanRef struct {
	TenantID uuid.UUID
	PlanID   uuid.UUID
}

// ApprovalView is what the approval workflow needs to know of a plan.
type ApprovalView struct {
	State                  string
	LaunchedBy, ProposedBy uuid.UUID
	ProposedAt, DueAt      time.Time
	Escalated              bool
	Decisions              int
}

// DecisionInput is one decision to record. Its id comes from the request, so
// that a repeated request finds its own row.
type DecisionInput struct {
	PlanRef
	DecisionID uuid.UUID
	ActorID    uuid.UUID
	Kind       string
	Comment    string
}

// Recorded is the plan after a decision.
type Recorded struct {
	State     string
	Decisions int
}

// LoadApproval notes the workflow beside the plan and returns what it says.
func (a *Approval) LoadApproval(ctx context.Context, ref PlanRef) (ApprovalView, error) {
	var view ApprovalView
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LoadApproval(ctx, tx, activity.GetInfo(ctx).WorkflowExecution.ID, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		decisions, err := q.CountDecisions(ctx, tx, ref.TenantID, ref.PlanID)
		view = ApprovalView{
			State: p.State, LaunchedBy: p.LaunchedBy, ProposedBy: p.ProposedBy,
			ProposedAt: p.ProposedAt, DueAt: p.DueAt, Escalated: p.EscalatedAt != nil, Decisions: int(decisions),
		}
		return err
	})
	if err != nil {
		return view, fmt.Errorf("load plan: %w", err)
	}
	return view, nil
}

// RecordDecision stores a decision and, when it is final, the new state of the
// plan, with the audit entry, in one transaction. The actor's roles are read
// from the row, never from the request; the constraint four_eyes refuses an
// approval by whoever launched or proposed the plan, whatever the roles.
func (a *Approval) RecordDecision(ctx context.Context, in DecisionInput) (Recorded, error) {
	var recorded Recorded
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, in.TenantID, in.PlanID)
		if err != nil {
			return err
		}
		recorded.State = p.State
		_, err = q.FindDecision(ctx, tx, in.TenantID, in.DecisionID)
		switch {
		case err == nil: // recorded by an earlier attempt
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		case p.State != PlanProposed:
			return fault.New(fault.Conflict, KeyAlreadyDecided)
		default:
			if recorded.State, err = decide(ctx, tx, q, p, in); err != nil {
				return err
			}
		}
		decisions, err := q.CountDecisions(ctx, tx, in.TenantID, in.PlanID)
		recorded.Decisions = int(decisions)
		return err
	})
	if err != nil {
		return recorded, fmt.Errorf("record decision: %w", err)
	}
	return recorded, nil
}

// decide stores a new decision and returns the state of the plan after it.
func decide(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) (string, error) {
	actor, err := permitted(ctx, tx, q, in.TenantID, in.ActorID, capabilityFor(in.Kind))
	if err != nil {
		return p.State, err
	}
	err = q.AddDecision(ctx, tx, db.AddDecisionParams{
		TenantID: in.TenantID, ID: in.DecisionID, PlanID: p.ID, LaunchedBy: p.LaunchedBy, ProposedBy: p.ProposedBy,
		ActorID: in.ActorID, Kind: in.Kind, Comment: in.Comment,
	})
	if err != nil {
		return p.State, err
	}
	state := p.State
	if in.Kind == kindApproved || in.Kind == kindReturned {
		state = in.Kind
		if err := settlePlan(ctx, tx, q, p, state); err != nil {
			return p.State, err
		}
	}
	return state, db.AppendAudit(ctx, tx, db.Entry{
		TenantID: in.TenantID, Actor: actor, Action: "plan." + in.Kind, ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": p.State}, After: map[string]any{"state": state, "comment": in.Comment},
	})
}

func capabilityFor(kind string) access.Capability {
	if kind == kindEndorsed || kind == kindObjected {
		return access.EndorsePlan
	}
	return access.ApprovePlan
}

// permitted returns the actor of an active account whose roles, as stored,
// hold the capability.
func permitted(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, user uuid.UUID, c access.Capability) (db.Actor, error) {
	account, err := q.GetUser(ctx, tx, tenant, user)
	if errors.Is(err, pgx.ErrNoRows) {
		return db.Actor{}, fault.Wrap(fault.Forbidden, KeyNotAllowed, err)
	}
	if err != nil {
		return db.Actor{}, fmt.Errorf("load actor: %w", err)
	}
	principal := access.Principal{TenantID: tenant, HomeTenant: tenant, UserID: user, Name: account.NameEn}
	for _, r := range account.Roles {
		principal.Roles = append(principal.Roles, access.Role(r))
	}
	if !account.IsActive || account.ArchivedAt != nil || !principal.Can(c) {
		return db.Actor{}, fault.New(fault.Forbidden, KeyNotAllowed)
	}
	return db.ActorOf(principal), nil
}

// settlePlan ends the wait of a proposed plan and clears its overdue alert.
func settlePlan(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, state string) error {
	settled, err := q.SettlePlan(ctx, tx, state, p.TenantID, p.ID)
	if err != nil {
		return fmt.Errorf("settle plan: %w", err)
	}
	if settled == 0 {
		return fault.New(fault.Conflict, KeyAlreadyDecided)
	}
	_, err = settleAlerts(ctx, tx, q, p.TenantID, time.Now().UTC(), overdue(p, false))
	return err
}

func overdue(p db.Plan, holds bool) alert {
	return alert{kind: AlertApprovalOverdue, about: p.ID, holds: holds, severity: 3, detail: map[string]any{"plan_id": p.ID, "due_at": p.DueAt}}
}

// EscalateApproval marks a plan that was not decided by its due time, once,
// and raises an alert.
func (a *Approval) EscalateApproval(ctx context.Context, ref PlanRef) error {
	return a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return fmt.Errorf("lock plan: %w", err)
		}
		escalated, err := q.EscalatePlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil || escalated == 0 {
			return err
		}
		if _, err := settleAlerts(ctx, tx, q, ref.TenantID, time.Now().UTC(), overdue(p, true)); err != nil {
			return err
		}
		return auditPlan(ctx, tx, p, "plan.escalated", p.State)
	})
}

// ExpireApproval ends the wait of a plan that nobody decided.
func (a *Approval) ExpireApproval(ctx context.Context, ref PlanRef) (Recorded, error) {
	var recorded Recorded
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		decisions, err := q.CountDecisions(ctx, tx, ref.TenantID, ref.PlanID)
		recorded = Recorded{State: p.State, Decisions: int(decisions)}
		if err != nil || p.State != PlanProposed {
			return err
		}
		recorded.State = PlanExpired
		if err := settlePlan(ctx, tx, q, p, PlanExpired); err != nil {
			return err
		}
		return auditPlan(ctx, tx, p, "plan.expired", PlanExpired)
	})
	if err != nil {
		return recorded, fmt.Errorf("expire plan: %w", err)
	}
	return recorded, nil
}

func auditPlan(ctx context.Context, tx pgx.Tx, p db.Plan, action, state string) error {
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: p.TenantID, Actor: db.SystemActor("approval"), Action: action, ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": p.State}, After: map[string]any{"state": state},
	})
}
