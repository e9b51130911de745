package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/apitoken"
)

// Token is an API token as its tenant's admin sees it: never the token itself.
type Token struct {
	ID          uuid.UUID  `json:"id"`
	Name        string     `json:"name"`
	AccountID   uuid.UUID  `json:"account_id"`
	Account     string     `json:"account" doc:"User name of the account that the token acts for"`
	Scopes      []string   `json:"scopes"`
	Addresses   []string   `json:"addresses" doc:"IP addresses and ranges it may be used from; none means any"`
	State       string     `json:"state" enum:"valid,expired,revoked"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
	LastUsedAt  *time.Time `json:"last_used_at,omitempty" doc:"To the minute"`
	LastAddress string     `json:"last_used_address,omitempty"`
	Replaces    *uuid.UUID `json:"replaces,omitempty" doc:"The token whose place it took"`
	Superseded  bool       `json:"superseded" doc:"Another token took its place"`
}

// NewToken is a token on the one answer that shows it.
type NewToken struct {
	ID        uuid.UUID `json:"id"`
	Token     string    `json:"token" doc:"Shown once and kept nowhere"`
	ExpiresAt time.Time `json:"expires_at"`
	OldUntil  time.Time `json:"old_until" doc:"Until then the token that it replaces stays valid"`
}

func (a *API) tokens() {
	const tag = "Tokens"
	add(a, access.ManageTokens, route(http.MethodGet, "/tokens", "list-tokens", "Tokens of the tenant, newest first", tag), a.listTokens)
	rotate := route(http.MethodPost, "/tokens/{id}/rotate", "rotate-token", "Replace a token; the old one stays valid for a few days", tag)
	rotate.DefaultStatus, rotate.Errors = http.StatusCreated, []int{http.StatusConflict}
	add(a, access.ManageTokens, rotate, a.rotateToken)
	revoke := route(http.MethodPost, "/tokens/{id}/revoke", "revoke-token", "End a token at once", tag)
	revoke.DefaultStatus = http.StatusNoContent
	add(a, access.ManageTokens, revoke, func(ctx context.Context, who access.Principal, in *ByID) (*struct{}, error) {
		return nil, a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			return a.tokenService().Revoke(ctx, tx, q, origin(ctx), in.ID)
		})
	})
}

func (a *API) tokenService() apitoken.Service { return apitoken.Service{Secret: a.Secret} }

func (a *API) listTokens(ctx context.Context, who access.Principal, in *Paging) (*answer[List[Token]], error) {
	var rows []db.ListAPITokensRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListAPITokens(ctx, tx, who.TenantID)
		return err
	})
	if err != nil {
		return nil, err
	}
	shown, next, err := in.slice(ctx, len(rows))
	if err != nil {
		return nil, err
	}
	out := List[Token]{Items: []Token{}, Next: next}
	for _, x := range rows[shown[0]:shown[1]] {
		out.Items = append(out.Items, showToken(x, time.Now()))
	}
	return reply(out), nil
}

func showToken(x db.ListAPITokensRow, now time.Time) Token {
	state := "valid"
	switch {
	case x.RevokedAt != nil:
		state = "revoked"
	case !x.ExpiresAt.After(now):
		state = "expired"
	}
	return Token{ID: x.ID, Name: x.Name, AccountID: x.UserID, Account: x.Username, Scopes: x.Scopes, Addresses: x.AddressRanges, State: state,
		CreatedAt: x.CreatedAt, ExpiresAt: x.ExpiresAt, RevokedAt: x.RevokedAt, LastUsedAt: x.LastUsedAt, LastAddress: x.LastUsedAddress,
		Replaces: x.Replaces, Superseded: x.Superseded}
}

func (a *API) rotateToken(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body struct {
		Overlap int `json:"overlap_days" minimum:"0" maximum:"7" doc:"Days that the old token stays valid"`
		Days    int `json:"days,omitempty" required:"false" minimum:"1" maximum:"365" doc:"Life of the new token in days; that of the old one unless given"`
	}
}) (*answer[NewToken], error) {
	rotation := apitoken.Rotation{Days: in.Body.Days, Overlap: in.Body.Overlap}
	var issued apitoken.Issued
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		issued, err = a.tokenService().Rotate(ctx, tx, q, origin(ctx), in.ID, rotation)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(NewToken{ID: issued.ID, Token: issued.Raw, ExpiresAt: issued.Expires.UTC(), OldUntil: issued.OldUntil.UTC()}), nil
}
