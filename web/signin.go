package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/go-chi/httprate"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Limits of sign-in: per address and minute, and wrong passwords per account
// before it is locked for a while.
const (
	loginsPerMinute = 20
	wrongPasswords  = 8
	lockSeconds     = 15 * 60
	minPassword     = 12
	maxPassword     = 200
)

func (s *Server) sessionRoutes() []route {
	return []route{
		{http.MethodGet, "/login", access.Public, s.showLogin},
		{http.MethodPost, "/login", access.Public, limited(loginsPerMinute, time.Minute, s.tooManyLogins, s.login)},
		{http.MethodPost, "/logout", access.SignedIn, s.logout},
		{http.MethodGet, "/account/password", access.SignedIn, s.showPassword},
		{http.MethodPost, "/account/password", access.SignedIn, s.changePassword},
		{http.MethodPost, "/session/tenant", access.SignedIn, s.switchTenant},
	}
}

// limited refuses requests from an address beyond n in a window of time.
func limited(n int, window time.Duration, refuse http.HandlerFunc, h handler) handler {
	key := func(r *http.Request) (string, error) { return httprate.CanonicalizeIP(remoteAddress(r)), nil }
	limit := httprate.LimitBy(n, window, key, httprate.WithLimitHandler(refuse))
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = h(w, r) })).ServeHTTP(w, r)
		return err
	}
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) error {
	if access.From(r.Context()).Can(access.SignedIn) {
		http.Redirect(w, r, home(access.From(r.Context())), http.StatusSeeOther)
		return nil
	}
	p := s.render.Page(r)
	p.Title = p.T("login.title")
	p.Data = LoginView{Next: localPath(r.URL.Query().Get("next"), "")}
	s.render.Render(w, r, http.StatusOK, "public/login", p)
	return nil
}

func (s *Server) tooManyLogins(w http.ResponseWriter, r *http.Request) {
	s.showLoginError(w, r, http.StatusTooManyRequests, "login.locked")
}

func (s *Server) showLoginError(w http.ResponseWriter, r *http.Request, status int, key string) {
	p := s.render.Page(r)
	p.Title = p.T("login.title")
	p.Data = LoginView{User: r.PostFormValue("user"), Next: localPath(r.PostFormValue("next"), ""), Error: p.T(key)}
	s.render.Render(w, r, status, "public/login", p)
}

// login answers every failure with the same words and about the same time, so
// that nobody learns which addresses have an account.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	u, err := s.authenticate(r, strings.ToLower(strings.TrimSpace(r.PostFormValue("user"))), r.PostFormValue("password"))
	if code := fault.CodeOf(err); err != nil && code != fault.Forbidden {
		return err
	}
	if err != nil {
		s.showLoginError(w, r, http.StatusUnauthorized, "login.invalid")
		return nil
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.open(ctx, u.TenantID, u.ID)
	p := access.Principal{TenantID: u.TenantID, HomeTenant: u.TenantID, UserID: u.ID, Name: u.NameEn}
	for _, role := range u.Roles {
		p.Roles = append(p.Roles, access.Role(role))
	}
	http.Redirect(w, r, localPath(r.PostFormValue("next"), home(p)), http.StatusSeeOther) // #nosec G710 -- localPath keeps it on this site
	return nil
}

// refused is the one answer to every failed sign-in.
var refused = fault.New(fault.Forbidden, "login.invalid")

// dummyHash is compared when no account matches, so that the answer takes as
// long as for a wrong password.
var dummyHash = sync.OnceValue(func() string {
	h, err := argon2id.CreateHash(uuid.NewString(), argon2id.DefaultParams)
	if err != nil {
		panic("argon2id cannot hash: " + err.Error())
	}
	return h
})

func (s *Server) authenticate(r *http.Request, email, password string) (db.User, error) {
	ctx := r.Context()
	var u db.User
	logins, err := s.logins(ctx, email)
	if err != nil {
		return u, err
	}
	if len(logins) == 0 || !logins[0].IsHome || logins[0].Status != "active" {
		_, _ = argon2id.ComparePasswordAndHash(password, dummyHash())
		return u, refused
	}
	tenant := logins[0].TenantID
	err = s.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		u, err = q.GetUser(ctx, tx, tenant, logins[0].UserID)
		return err
	})
	if err != nil {
		return u, err
	}
	usable := u.IsActive && u.ArchivedAt == nil && u.PasswordHash != nil && (u.LockedUntil == nil || u.LockedUntil.Before(time.Now()))
	hash := dummyHash()
	if usable {
		hash = *u.PasswordHash
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return u, err
	}
	return u, s.recordSignIn(r, u, usable && match)
}

// recordSignIn keeps the counters and the audit entry of one attempt and
// answers refused when it failed.
func (s *Server) recordSignIn(r *http.Request, u db.User, success bool) error {
	entry := db.Entry{Action: "auth.failed", ObjectType: "user", ObjectID: u.ID.String(), Actor: db.Actor{ID: &u.ID, Kind: db.ActorUser, Name: u.NameEn}}
	err := s.DB.InTenant(r.Context(), u.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if success {
			entry.Action = "auth.signed_in"
			if err := q.RecordLoginSuccess(ctx, tx, u.TenantID, u.ID); err != nil {
				return err
			}
			return s.audit(ctx, tx, r, u.TenantID, entry)
		}
		n, err := q.RecordLoginFailure(ctx, tx, db.RecordLoginFailureParams{AttemptLimit: wrongPasswords, LockSeconds: lockSeconds, TenantID: u.TenantID, ID: u.ID})
		if err != nil {
			return err
		}
		if n.LockedUntil != nil && n.FailedAttempts == wrongPasswords {
			entry.Action = "auth.locked"
		}
		return s.audit(ctx, tx, r, u.TenantID, entry)
	})
	if err != nil {
		return err
	}
	s.Log.InfoContext(r.Context(), entry.Action, "tenant", u.TenantID, "user", u.ID)
	if !success {
		return refused
	}
	return nil
}

// logins lists the accounts of an e-mail address, the home account first.
func (s *Server) logins(ctx context.Context, email string) (rows []db.FindLoginsRow, err error) {
	err = s.DB.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.FindLogins(ctx, tx, email)
		return err
	})
	return rows, err
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	p := access.From(r.Context())
	err := s.DB.InTenant(r.Context(), p.HomeTenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return s.audit(ctx, tx, r, p.HomeTenant, db.Entry{Action: "auth.signed_out", ObjectType: "user", ObjectID: p.UserID.String()})
	})
	if err != nil {
		return err
	}
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// home is where a person lands after sign-in.
func home(p access.Principal) string {
	if p.Can(access.ManageTenants) && !p.BreakGlass {
		return "/tenants"
	}
	return "/dashboard"
}

// switchTenant moves a person to another of their own accounts.
func (s *Server) switchTenant(w http.ResponseWriter, r *http.Request) error {
	target, err := uuid.Parse(r.PostFormValue("tenant"))
	if err != nil {
		return fault.New(fault.NotFound, "error.404.text")
	}
	logins, err := s.logins(r.Context(), accountOf(r).user.Email)
	if err != nil {
		return err
	}
	for _, l := range logins {
		if l.TenantID == target && l.Status == "active" {
			if err := s.sessions.RenewToken(r.Context()); err != nil {
				return err
			}
			s.open(r.Context(), l.TenantID, l.UserID)
			http.Redirect(w, r, "/dashboard", http.StatusSeeOther)
			return nil
		}
	}
	return fault.New(fault.NotFound, "error.404.text")
}
