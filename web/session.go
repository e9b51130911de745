package web

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Keys of the session: the account, its home tenant, the tenant acted in and
// when the session began, in Unix microseconds.
const (
	keyUser   = "user"
	keyHome   = "home"
	keyTenant = "tenant"
	keySince  = "since"
)

// Session lifetimes: half an hour idle, half a day at most.
const (
	sessionIdle     = 30 * time.Minute
	sessionLifetime = 12 * time.Hour
)

func newSessions(d Deps) *scs.SessionManager {
	m := scs.New()
	m.Store = d.DB.Sessions()
	m.IdleTimeout, m.Lifetime = sessionIdle, sessionLifetime
	m.HashTokenInStore = true
	m.Cookie.Name = "optria_session"
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Secure = true, http.SameSiteLaxMode, d.Config.Secure()
	return m
}

// account is what a request knows of the signed-in person beside the principal.
type account struct {
	user       db.User
	breakGlass *db.BreakGlassGrant
}

type accountKey struct{}

func accountOf(r *http.Request) account {
	a, _ := r.Context().Value(accountKey{}).(account)
	return a
}

// open makes the session that of an account. The caller renews the token.
func (s *Server) open(ctx context.Context, tenant, user uuid.UUID) {
	s.sessions.Put(ctx, keyUser, user.String())
	s.sessions.Put(ctx, keyHome, tenant.String())
	s.sessions.Put(ctx, keySince, time.Now().UnixMicro())
	s.sessions.Remove(ctx, keyTenant)
}

// loadPrincipal reads the account behind the session on every request, so a
// role or an account switched off takes effect at once.
func (s *Server) loadPrincipal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		user, home := s.sessionID(ctx, keyUser), s.sessionID(ctx, keyHome)
		if user == uuid.Nil || home == uuid.Nil {
			next.ServeHTTP(w, r)
			return
		}
		p, a, err := s.principal(ctx, home, user, s.sessionID(ctx, keyTenant))
		if err == nil && a.user.PasswordChangedAt != nil && a.user.PasswordChangedAt.UnixMicro() > s.sessions.GetInt64(ctx, keySince) {
			err = fault.New(fault.NotFound, "login.expired") // the password was changed elsewhere since
		}
		switch {
		case fault.CodeOf(err) == fault.NotFound:
			if err := s.sessions.Destroy(ctx); err != nil {
				s.fail(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
			return
		case err != nil:
			s.fail(w, r, err)
			return
		}
		r = r.WithContext(context.WithValue(access.With(ctx, p), accountKey{}, a))
		if a.user.MustChangePassword && r.URL.Path != "/account/password" && r.URL.Path != "/logout" {
			http.Redirect(w, r, "/account/password", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// principal loads an account and, for a platform owner inside a tenant, the
// running break-glass grant. It answers NotFound for an account that may not
// act any more.
func (s *Server) principal(ctx context.Context, home, user, tenant uuid.UUID) (access.Principal, account, error) {
	var a account
	err := s.DB.InTenant(ctx, home, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if t, err := q.GetTenant(ctx, tx, home); err != nil {
			return err
		} else if t.Status != "active" {
			return fault.New(fault.NotFound, "login.expired")
		}
		a.user, err = q.GetUser(ctx, tx, home, user)
		return err
	})
	if err != nil {
		return access.Principal{}, a, err
	}
	if !a.user.IsActive || a.user.ArchivedAt != nil {
		return access.Principal{}, a, fault.New(fault.NotFound, "login.expired")
	}
	p := access.Principal{TenantID: home, HomeTenant: home, UserID: user, Name: a.user.NameEn}
	for _, role := range a.user.Roles {
		p.Roles = append(p.Roles, access.Role(role))
	}
	if tenant == uuid.Nil || tenant == home || !p.Can(access.EnterTenant) {
		return p, a, nil
	}
	return s.enterTenant(ctx, p, a, tenant)
}

// enterTenant turns a platform owner into a reader of one tenant while the
// grant runs; when it has ended they are back on the platform.
func (s *Server) enterTenant(ctx context.Context, p access.Principal, a account, tenant uuid.UUID) (access.Principal, account, error) {
	var g db.BreakGlassGrant
	err := s.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		g, err = q.GetActiveBreakGlass(ctx, tx, tenant, p.UserID)
		return err
	})
	if fault.CodeOf(err) == fault.NotFound {
		s.sessions.Remove(ctx, keyTenant)
		return p, a, nil
	}
	if err != nil {
		return access.Principal{}, a, err
	}
	p.TenantID, p.BreakGlass, a.breakGlass = tenant, true, &g
	return p, a, nil
}

func (s *Server) sessionID(ctx context.Context, key string) uuid.UUID {
	id, err := uuid.Parse(s.sessions.GetString(ctx, key))
	if err != nil {
		return uuid.Nil
	}
	return id
}
