package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/approvals"
)

// Delegation lets a person approve and return plans in place of another.
type Delegation struct {
	ID        uuid.UUID  `json:"id"`
	From      uuid.UUID  `json:"from" doc:"Whose approvals"`
	To        uuid.UUID  `json:"to" doc:"Who decides in their place"`
	StartsAt  time.Time  `json:"starts_at"`
	EndsAt    time.Time  `json:"ends_at"`
	Reason    string     `json:"reason,omitempty"`
	CreatedBy uuid.UUID  `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Active    bool       `json:"active" doc:"Whether it holds now"`
}

// DelegationInput asks for a delegation. From is the caller unless given; the
// approvals of others take the capability manage_governance.
type DelegationInput struct {
	From     uuid.UUID `json:"from,omitempty"`
	To       uuid.UUID `json:"to"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at" doc:"At most 90 days after the start"`
	Reason   string    `json:"reason,omitempty" maxLength:"500"`
}

func (a *API) delegations() {
	add(a, access.ApprovePlan, route(http.MethodGet, "/delegations", "list-delegations", "Who decides in whose place; people only", "Plans"), a.listDelegations)
	create := route(http.MethodPost, "/delegations", "create-delegation", "Let somebody approve plans in your place for a time; people only", "Plans")
	create.DefaultStatus = http.StatusCreated
	add(a, access.ApprovePlan, create, a.createDelegation)
	revoke := route(http.MethodPost, "/delegations/{id}/revoke", "revoke-delegation", "End a delegation before its time; people only", "Plans")
	revoke.Errors = []int{http.StatusConflict}
	add(a, access.ApprovePlan, revoke, a.revokeDelegation)
}

func (a *API) listDelegations(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[Delegation]], error) {
	out := List[Delegation]{Items: []Delegation{}}
	var about *uuid.UUID
	if !who.Can(access.ManageGovernance) {
		about = &who.UserID
	}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListDelegations(ctx, tx, who.TenantID, about)
		for _, x := range rows {
			out.Items = append(out.Items, Delegation{ID: x.ID, From: x.FromUser, To: x.ToUser, StartsAt: x.StartsAt, EndsAt: x.EndsAt, Reason: x.Reason,
				CreatedBy: x.CreatedBy, CreatedAt: x.CreatedAt, RevokedAt: x.RevokedAt, Active: x.Active})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) createDelegation(ctx context.Context, who access.Principal, in *struct{ Body DelegationInput }) (*answer[Delegation], error) {
	b := in.Body
	if b.From == uuid.Nil {
		b.From = who.UserID
	}
	out := Delegation{From: b.From, To: b.To, StartsAt: b.StartsAt, EndsAt: b.EndsAt, Reason: b.Reason, CreatedBy: who.UserID, CreatedAt: time.Now().UTC()}
	out.Active = !out.StartsAt.After(out.CreatedAt)
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		out.ID, err = approvals.Delegation{From: b.From, To: b.To, Starts: b.StartsAt, Ends: b.EndsAt, Reason: b.Reason}.Record(ctx, act(ctx, tx, q, who))
		return err
	})
	if err != nil {
		return nil, ruled(ctx, err)
	}
	return reply(out), nil
}

func (a *API) revokeDelegation(ctx context.Context, who access.Principal, in *ByID) (*answer[Delegation], error) {
	var out Delegation
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		d, err := q.GetDelegation(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		now := time.Now().UTC()
		out = Delegation{ID: d.ID, From: d.FromUser, To: d.ToUser, StartsAt: d.StartsAt, EndsAt: d.EndsAt, Reason: d.Reason, CreatedBy: d.CreatedBy,
			CreatedAt: d.CreatedAt, RevokedAt: &now}
		return approvals.Revoke(ctx, act(ctx, tx, q, who), in.ID)
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}
