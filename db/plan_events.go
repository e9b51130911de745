package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/access"
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

// Deciders lists who may approve a plan now: holders of the capability and
// their deputies, without those who launched or proposed it and without
// deputies who stand in for nobody else than them.
func Deciders(ctx context.Context, tx pgx.Tx, p Plan) ([]uuid.UUID, error) {
	q := New()
	people, err := q.ListPeople(ctx, tx, p.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	own := func(id uuid.UUID) bool { return id == p.LaunchedBy || id == p.ProposedBy }
	var out []uuid.UUID
	active := map[uuid.UUID]bool{}
	for _, x := range people {
		active[x.ID] = hasRole(x.Roles, access.CommentPlans)
		if hasRole(x.Roles, access.ApprovePlan) && !own(x.ID) {
			out = append(out, x.ID)
		}
	}
	holders := slices.Clone(out)
	delegations, err := q.ListActiveDelegations(ctx, tx, p.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list delegations: %w", err)
	}
	for _, d := range delegations {
		if slices.Contains(holders, d.FromUser) && active[d.ToUser] && !own(d.ToUser) && !slices.Contains(out, d.ToUser) {
			out = append(out, d.ToUser)
		}
	}
	return out, nil
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
		if hasRole(x.Roles, access.ApprovePlan) {
			out = append(out, x.ID)
		}
	}
	return out, nil
}

func hasRole(roles []string, c access.Capability) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return access.Allows(access.Role(r), c) })
}
