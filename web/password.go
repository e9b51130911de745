package web

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

func (s *Server) showPassword(w http.ResponseWriter, r *http.Request) error {
	return s.passwordPage(w, r, http.StatusOK, nil)
}

func (s *Server) passwordPage(w http.ResponseWriter, r *http.Request, status int, keys map[string]string) error {
	p, err := s.page(r, "password.title")
	if err != nil {
		return err
	}
	v := PasswordView{Forced: accountOf(r).user.MustChangePassword, Errors: map[string]string{}}
	for field, key := range keys {
		v.Errors[field] = p.T(key, "Min", minPassword)
	}
	p.Data = v
	s.render.Render(w, r, status, "public/change-password", p)
	return nil
}

// changePassword asks for the current password, so that a borrowed session
// cannot take an account over. A forced change follows a sign-in directly.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	u := accountOf(r).user
	keys, err := checkPassword(u, r.PostFormValue("current"), r.PostFormValue("new"), r.PostFormValue("repeat"))
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		return s.passwordPage(w, r, http.StatusUnprocessableEntity, keys)
	}
	hash, err := argon2id.CreateHash(r.PostFormValue("new"), argon2id.DefaultParams)
	if err != nil {
		return err
	}
	err = s.DB.InTenant(r.Context(), u.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.SetUserPassword(ctx, tx, db.SetUserPasswordParams{PasswordHash: hash, TenantID: u.TenantID, ID: u.ID}); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, u.TenantID, db.Entry{Action: "user.password_changed", ObjectType: "user", ObjectID: u.ID.String()})
	})
	if err != nil {
		return err
	}
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.open(r.Context(), u.TenantID, u.ID)
	http.Redirect(w, r, home(access.From(r.Context())), http.StatusSeeOther)
	return nil
}

// checkPassword returns the message key of every field that is wrong.
func checkPassword(u db.User, current, next, repeat string) (map[string]string, error) {
	keys := map[string]string{}
	if u.PasswordHash == nil {
		keys["current"] = "password.elsewhere"
		return keys, nil
	}
	if !u.MustChangePassword {
		match, err := argon2id.ComparePasswordAndHash(current, *u.PasswordHash)
		if err != nil {
			return nil, err
		}
		if !match {
			keys["current"] = "password.wrong"
		}
	}
	same, err := argon2id.ComparePasswordAndHash(next, *u.PasswordHash)
	if err != nil {
		return nil, err
	}
	switch n := utf8.RuneCountInString(next); {
	case n < minPassword:
		keys["new"] = "password.short"
	case n > maxPassword:
		keys["new"] = "password.long"
	case same:
		keys["new"] = "password.same"
	}
	if next != repeat {
		keys["repeat"] = "password.mismatch"
	}
	return keys, nil
}
