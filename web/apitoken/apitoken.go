// Package apitoken issues, rotates and revokes the tokens of a tenant, for the
// pages and for the API. It holds the rules that both obey: whose token a
// person may make, how long one lives, from where it may be used and how long
// the old one lives on after a rotation.
package apitoken

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/token"
	"github.com/optria-iq/optria/web/integration"
)

// Bounds of a token's name, of its life and of the time that the old token
// stays valid beside the new one, both in days.
const (
	MaxName    = 100
	MaxDays    = 365
	MaxOverlap = 7
)

// Message keys of the refusals.
const (
	KeySuperseded = "tokens.rotate.superseded"
	KeyRevoked    = "tokens.rotate.revoked"
	KeyOther      = "tokens.rotate.other"
)

// Draft is a token as asked for. Ranges holds IP addresses and CIDR ranges
// separated by commas or white space; empty allows every address.
type Draft struct {
	Account uuid.UUID
	Name    string
	Scopes  []string
	Days    int
	Ranges  string
}

// Problem is what is wrong with a field: a message key, and the value that it
// speaks of.
type Problem struct{ Key, Value string }

// Check returns what is wrong by field: name, days, scopes, account, addresses.
func (d Draft) Check() map[string]Problem {
	wrong := map[string]Problem{}
	if n := utf8.RuneCountInString(strings.TrimSpace(d.Name)); n == 0 {
		wrong["name"] = Problem{Key: "field.required"}
	} else if n > MaxName {
		wrong["name"] = Problem{Key: "field.long"}
	}
	if d.Days < 1 || d.Days > MaxDays {
		wrong["days"] = Problem{Key: "tokens.days.wrong"}
	}
	if len(d.Scopes) == 0 {
		wrong["scopes"] = Problem{Key: "tokens.scopes.none"}
	}
	for _, scope := range d.Scopes {
		if !slices.Contains(access.Scopes(), scope) {
			wrong["scopes"] = Problem{Key: "field.choice"}
		}
	}
	if d.Account == uuid.Nil {
		wrong["account"] = Problem{Key: "field.choice"}
	}
	ranges, unreadable := token.ParseRanges(d.Ranges)
	switch {
	case len(unreadable) > 0:
		wrong["addresses"] = Problem{Key: "tokens.addresses.wrong", Value: unreadable[0]}
	case len(ranges) > token.MaxRanges:
		wrong["addresses"] = Problem{Key: "tokens.addresses.many"}
	}
	return wrong
}

// Issued is a new token. Raw is shown once and kept nowhere. OldUntil is when
// the token that it replaces ends; zero when it replaces none.
type Issued struct {
	ID                uuid.UUID
	Raw, Name         string
	Expires, OldUntil time.Time
}

// Service issues tokens signed with a secret.
type Service struct{ Secret []byte }

// Issue makes a token inside the caller's transaction and records it. It is
// for a service account or for oneself: a token for another person would let
// its maker act in that person's name.
func (s Service) Issue(ctx context.Context, tx pgx.Tx, q *db.Queries, o integration.Origin, d Draft) (Issued, error) {
	u, err := q.GetUser(ctx, tx, o.Tenant, d.Account)
	if err != nil {
		return Issued{}, err
	}
	if !u.IsActive || u.ArchivedAt != nil || !mayHold(maker(o), u.ID, u.Roles) {
		return Issued{}, fault.New(fault.NotFound, "error.404.text")
	}
	ranges, _ := token.ParseRanges(d.Ranges)
	scopes := slices.Compact(slices.Sorted(slices.Values(d.Scopes)))
	issued, err := s.store(ctx, tx, q, o, made{account: d.Account, name: strings.TrimSpace(d.Name), scopes: scopes, ranges: ranges, life: days(d.Days)})
	if err != nil {
		return Issued{}, err
	}
	return issued, o.Audit(ctx, tx, db.Entry{Action: "api_token.created", ObjectType: "api_token", ObjectID: issued.ID.String(),
		After: map[string]any{"name": issued.Name, "account": u.Username, "scopes": scopes, "address_ranges": ranges, "expires_at": issued.Expires.UTC()}})
}

// Rotation replaces a token. The new one lives for Days, zero for as long as
// the old one was made for; the old one ends after Overlap days.
type Rotation struct{ Days, Overlap int }

// Check returns what is wrong by field: days, overlap.
func (r Rotation) Check() map[string]Problem {
	wrong := map[string]Problem{}
	if r.Days < 0 || r.Days > MaxDays {
		wrong["days"] = Problem{Key: "tokens.days.wrong"}
	}
	if r.Overlap < 0 || r.Overlap > MaxOverlap {
		wrong["overlap"] = Problem{Key: "tokens.overlap.wrong"}
	}
	return wrong
}

// Rotate makes a token with the account, scopes and addresses of another one,
// which stays valid for the overlap and then ends. A token is replaced once:
// whoever asks again gets a conflict.
func (s Service) Rotate(ctx context.Context, tx pgx.Tx, q *db.Queries, o integration.Origin, id uuid.UUID, r Rotation) (Issued, error) {
	if _, err := q.LockAPIToken(ctx, tx, o.Tenant, id); err != nil {
		return Issued{}, err
	}
	old, err := q.GetAPIToken(ctx, tx, o.Tenant, id)
	if err != nil {
		return Issued{}, err
	}
	t := old.APIToken
	switch key := StandingOf(old).Blocked(maker(o)); key {
	case "":
	case KeyOther:
		return Issued{}, fault.New(fault.NotFound, "error.404.text")
	default:
		return Issued{}, fault.New(fault.Conflict, key)
	}
	life := days(r.Days)
	if r.Days == 0 {
		life = min(max(t.ExpiresAt.Sub(t.CreatedAt).Round(time.Hour), days(1)), days(MaxDays))
	}
	issued, err := s.store(ctx, tx, q, o, made{account: t.UserID, name: t.Name, scopes: t.Scopes, ranges: t.AddressRanges, life: life, replaces: &t.ID})
	if err != nil {
		return Issued{}, err
	}
	if issued.OldUntil, err = q.EndAPITokenBy(ctx, tx, time.Now().Add(days(r.Overlap)), o.Tenant, t.ID); err != nil {
		return Issued{}, err
	}
	moved, err := q.MoveSchedulesToToken(ctx, tx, &issued.ID, o.Tenant, &t.ID)
	if err != nil {
		return Issued{}, err
	}
	return issued, o.Audit(ctx, tx, db.Entry{Action: "api_token.rotated", ObjectType: "api_token", ObjectID: t.ID.String(),
		Before: map[string]any{"expires_at": t.ExpiresAt.UTC()},
		After: map[string]any{"name": t.Name, "account": old.Username, "replacement": issued.ID, "expires_at": issued.OldUntil.UTC(),
			"replacement_expires_at": issued.Expires.UTC(), "schedules": moved}})
}

// Revoke ends a token at once.
func (s Service) Revoke(ctx context.Context, tx pgx.Tx, q *db.Queries, o integration.Origin, id uuid.UUID) error {
	n, err := q.RevokeAPIToken(ctx, tx, o.Tenant, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "error.404.text")
	}
	return o.Audit(ctx, tx, db.Entry{Action: "api_token.revoked", ObjectType: "api_token", ObjectID: id.String(), After: map[string]bool{"revoked": true}})
}

// Standing is what decides whether a token can be replaced.
type Standing struct {
	Account             uuid.UUID
	Roles               []string // of the account
	Active              bool     // the account is in use
	Revoked, Superseded bool
}

// StandingOf reads the standing of one token.
func StandingOf(x db.GetAPITokenRow) Standing {
	return Standing{Account: x.APIToken.UserID, Roles: x.Roles, Active: x.AccountActive, Revoked: x.APIToken.RevokedAt != nil, Superseded: x.Superseded}
}

// StandingIn reads the standing of a token of the list.
func StandingIn(x db.ListAPITokensRow) Standing {
	return Standing{Account: x.UserID, Roles: x.Roles, Active: x.AccountActive, Revoked: x.RevokedAt != nil, Superseded: x.Superseded}
}

// Blocked is the message key of why somebody cannot replace the token; empty
// when they can.
func (s Standing) Blocked(by uuid.UUID) string {
	switch {
	case s.Revoked:
		return KeyRevoked
	case s.Superseded:
		return KeySuperseded
	case !s.Active || !mayHold(by, s.Account, s.Roles):
		return KeyOther
	}
	return ""
}

// mayHold reports whether somebody may make a token that acts as an account.
func mayHold(by, account uuid.UUID, roles []string) bool {
	return (account == by && account != uuid.Nil) || slices.Contains(roles, string(access.ServiceAccount))
}

// maker is the account that asks, or no account at all.
func maker(o integration.Origin) uuid.UUID {
	if o.Actor.ID == nil {
		return uuid.Nil
	}
	return *o.Actor.ID
}

// made is a token about to be signed.
type made struct {
	account        uuid.UUID
	name           string
	scopes, ranges []string
	life           time.Duration
	replaces       *uuid.UUID
}

// store signs a token and keeps its hash. It ends on a full second, because
// the token itself tells time in seconds.
func (s Service) store(ctx context.Context, tx pgx.Tx, q *db.Queries, o integration.Origin, m made) (Issued, error) {
	c := token.Claims{ID: uuid.New(), Tenant: o.Tenant, User: m.account, Scopes: m.scopes, Expires: time.Now().Add(m.life).Truncate(time.Second)}
	raw, hash, err := token.Issue(s.Secret, c)
	if err != nil {
		return Issued{}, err
	}
	_, err = q.CreateAPIToken(ctx, tx, db.CreateAPITokenParams{TenantID: o.Tenant, ID: c.ID, UserID: m.account, Name: m.name, Scopes: m.scopes,
		TokenHash: hash, CreatedBy: maker(o), ExpiresAt: c.Expires, AddressRanges: m.ranges, Replaces: m.replaces})
	return Issued{ID: c.ID, Raw: raw, Name: m.name, Expires: c.Expires}, err
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
