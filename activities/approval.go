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
	"github.com/optria-iq/optria/internal/approval"
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

// ApprovalView is what the approval workflow needs to know of a plan. The
// moments follow from the tenant's rules and calendar when the plan is loaded;
// RemindAt is zero when nobody is to be reminded.
type ApprovalView struct {
	State                  string
	LaunchedBy, ProposedBy uuid.UUID
	ProposedAt, DueAt      time.Time
	RemindAt, ExpireAt     time.Time
	Reminded, Escalated    bool
	Decisions              int
}

// DecisionInput is one decision to record. Its id comes from the request, so
// that a repeated request finds its own row. Withheld are recommendations that
// an approval holds back, for HoldReason. ContentSHA256 is the hash of what the
// person saw; approvals and endorsements of a plan that has one need it.
type DecisionInput struct {
	PlanRef
	DecisionID    uuid.UUID
	ActorID       uuid.UUID
	Kind          string
	Comment       string
	Withheld      []uuid.UUID
	HoldReason    string
	ContentSHA256 []byte
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
		deadlines, err := deadlinesOf(ctx, tx, q, p)
		if err != nil {
			return err
		}
		decisions, err := q.CountDecisions(ctx, tx, ref.TenantID, ref.PlanID)
		view = ApprovalView{
			State: p.State, LaunchedBy: p.LaunchedBy, ProposedBy: p.ProposedBy, ProposedAt: p.ProposedAt, DueAt: p.DueAt,
			RemindAt: deadlines.Remind, ExpireAt: deadlines.Expire, Reminded: p.RemindedAt != nil, Escalated: p.EscalatedAt != nil,
			Decisions: int(decisions),
		}
		return err
	})
	if err != nil {
		return view, fmt.Errorf("load plan: %w", err)
	}
	return view, nil
}

// deadlinesOf applies the tenant's rules of today to a plan.
func deadlinesOf(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) (approval.Deadlines, error) {
	rules, err := q.GetGovernance(ctx, tx, p.TenantID)
	if err != nil {
		return approval.Deadlines{}, fmt.Errorf("load rules: %w", err)
	}
	days, err := db.TenantCalendar(ctx, tx, p.TenantID)
	if err != nil {
		return approval.Deadlines{}, err
	}
	return rules.Rules().Deadlines(days, p.ProposedAt, p.DueAt), nil
}

// RecordDecision stores a decision and, when it is final, the new state of the
// plan, with its announcement and audit entry, in one transaction. The actor's
// roles and delegations are read from the rows, never from the request; the
// constraints four_eyes refuse an approval by or in place of whoever launched
// or proposed the plan, whatever the roles.
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

// permitted returns the actor of an active account whose roles, as stored,
// hold the capability.
func permitted(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, user uuid.UUID, c access.Capability) (db.Actor, error) {
	by, err := person(ctx, tx, q, tenant, user)
	if errors.Is(err, pgx.ErrNoRows) {
		return db.Actor{}, fault.Wrap(fault.Forbidden, KeyNotAllowed, err)
	}
	if err != nil {
		return db.Actor{}, err
	}
	if !by.Can(c) {
		return db.Actor{}, fault.New(fault.Forbidden, KeyNotAllowed)
	}
	return db.ActorOf(by), nil
}

// person loads an account with its roles as stored; one that is closed has
// none.
func person(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, user uuid.UUID) (access.Principal, error) {
	account, err := q.GetUser(ctx, tx, tenant, user)
	if err != nil {
		return access.Principal{}, fmt.Errorf("load person: %w", err)
	}
	by := access.Principal{TenantID: tenant, HomeTenant: tenant, UserID: user, Name: account.NameEn}
	if !account.IsActive || account.ArchivedAt != nil {
		return by, nil
	}
	for _, r := range account.Roles {
		by.Roles = append(by.Roles, access.Role(r))
	}
	return by, nil
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
