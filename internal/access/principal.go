package access

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Principal is who acts, in which tenant, and how they came in.
type Principal struct {
	TenantID   uuid.UUID // the tenant acted in
	HomeTenant uuid.UUID // the tenant of the account
	UserID     uuid.UUID // the account within HomeTenant
	Name       string    // shown in the audit log
	Roles      []Role
	Service    bool     // came in with an API token of a service account
	Scopes     []string // of the API token, empty for browser sessions
	BreakGlass bool     // a platform owner inside a tenant: read only
}

// Can reports whether the principal holds the capability. API tokens are
// limited to their scopes; a platform owner inside a tenant may only read.
func (p Principal) Can(c Capability) bool {
	switch {
	case c == Public:
		return true
	case p.UserID == uuid.Nil:
		return false
	case c == SignedIn:
		return true
	case p.BreakGlass:
		return Allows(breakGlass, c)
	case p.Service:
		scope := ScopeFor(c)
		return scope != "" && slices.Contains(p.Scopes, scope)
	}
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return Allows(r, c) })
}

// Has reports whether the principal carries the role.
func (p Principal) Has(r Role) bool { return slices.Contains(p.Roles, r) }

type contextKey struct{}

// With returns a context that carries the principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the principal of the context; the zero value is nobody.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(contextKey{}).(Principal)
	return p
}
