package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
)

// PlanEvent is something that happened to a plan. State is that of the plan
// after it, Key what tells it from other events of the same kind, Reason a
// comment or a note, Actor who did it, if anybody. To are the people to tell;
// the actor is never told of their own action.
type PlanEvent struct {
	Kind, Key, State, Reason string
	Actor                    *uuid.UUID
	Withheld                 int
	To                       []uuid.UUID
}

// planNotice is what an announcement about a plan carries. Money is in SAR.
type planNotice struct {
	PlanID    uuid.UUID  `json:"plan_id"`
	RunID     uuid.UUID  `json:"run_id"`
	Title     string     `json:"title"`
	Preset    string     `json:"preset"`
	Version   int32      `json:"version"`
	State     string     `json:"state"`
	TotalCost float64    `json:"total_cost_sar"`
	Jobs      int32      `json:"jobs"`
	DueAt     time.Time  `json:"due_at"`
	ActorID   *uuid.UUID `json:"actor_id,omitempty"`
	Name      string     `json:"name,omitempty"`
	NameAr    string     `json:"name_ar,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Withheld  int        `json:"withheld,omitempty"`
}

// AnnouncePlan announces an event of a plan in the caller's transaction.
func AnnouncePlan(ctx context.Context, tx pgx.Tx, p Plan, e PlanEvent) error {
	q := New()
	s, err := q.PlanSummary(ctx, tx, p.TenantID, p.ID)
	if err != nil {
		return fmt.Errorf("sum plan up: %w", err)
	}
	n := planNotice{PlanID: p.ID, RunID: s.RunID, Title: s.Title, Preset: s.Preset, Version: p.Version, State: e.State, TotalCost: s.TotalCost,
		Jobs: s.ActionsPlanned, DueAt: p.DueAt, ActorID: e.Actor, Reason: e.Reason, Withheld: e.Withheld}
	to := e.To
	if e.Actor != nil {
		actor, err := q.GetUser(ctx, tx, p.TenantID, *e.Actor)
		if err != nil {
			return fmt.Errorf("load actor: %w", err)
		}
		n.Name, n.NameAr = actor.NameEn, actor.NameAr
		to = slices.DeleteFunc(slices.Clone(to), func(id uuid.UUID) bool { return id == *e.Actor })
	}
	return Announce(ctx, tx, Announcement{TenantID: p.TenantID, Kind: e.Kind, ObjectType: "plan", ObjectID: p.ID, Key: e.Kind + "/" + e.Key, Payload: n, To: to})
}

// Decider is somebody who may approve a plan now: by their own roles, or in
// place of For.
type Decider struct {
	ListPeopleRow
	For *ListPeopleRow
}

// Deciders lists who may approve a plan now: holders of the capability and then
// their deputies, without those who launched or proposed it and without
// deputies who stand in for nobody else than them.
func Deciders(ctx context.Context, tx pgx.Tx, p Plan) ([]Decider, error) {
	q := New()
	rows, err := q.ListPeople(ctx, tx, p.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	var out []Decider
	people, holds := map[uuid.UUID]ListPeopleRow{}, map[uuid.UUID]bool{}
	for _, x := range rows {
		if x.ID == p.LaunchedBy || x.ID == p.ProposedBy {
			continue
		}
		people[x.ID], holds[x.ID] = x, access.AnyAllows(x.Roles, access.ApprovePlan)
		if holds[x.ID] {
			out = append(out, Decider{ListPeopleRow: x})
		}
	}
	delegations, err := q.ListActiveDelegations(ctx, tx, p.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list delegations: %w", err)
	}
	for _, d := range delegations {
		deputy, from := people[d.ToUser], people[d.FromUser]
		known := slices.ContainsFunc(out, func(x Decider) bool { return x.ID == d.ToUser })
		if holds[d.FromUser] && access.AnyAllows(deputy.Roles, access.CommentPlans) && !known {
			out = append(out, Decider{deputy, &from})
		}
	}
	return out, nil
}

// DeciderIDs lists the same people by their ids, for telling them.
func DeciderIDs(ctx context.Context, tx pgx.Tx, p Plan) ([]uuid.UUID, error) {
	deciders, err := Deciders(ctx, tx, p)
	ids := make([]uuid.UUID, len(deciders))
	for i, x := range deciders {
		ids[i] = x.ID
	}
	return ids, err
}

// Rules are the tenant's rules of deciding on plans.
func (g GetGovernanceRow) Rules() approval.Rules {
	return approval.Rules{DecisionHours: g.DecisionHours, ReminderHours: g.ReminderHours, ExpiryDays: int(g.ExpiryDays)}
}

// StandsInFor lists the active holders of the capability to approve plans in
// whose place a person may decide now.
func StandsInFor(ctx context.Context, tx pgx.Tx, tenant, deputy uuid.UUID) ([]uuid.UUID, error) {
	rows, err := New().ListDelegators(ctx, tx, tenant, deputy)
	if err != nil {
		return nil, fmt.Errorf("list delegators: %w", err)
	}
	out := []uuid.UUID{}
	for _, x := range rows {
		if access.AnyAllows(x.Roles, access.ApprovePlan) {
			out = append(out, x.ID)
		}
	}
	return out, nil
}
