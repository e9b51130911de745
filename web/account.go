package web

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

func (s *Server) accountRoutes() []route {
	return []route{
		{http.MethodGet, "/account", access.SignedIn, s.showAccount},
		{http.MethodPost, "/account/language", access.SignedIn, s.setLanguage},
	}
}

type accountView struct {
	NameAr, NameEn, Email, Username, Language string
	Roles                                     []roleChip
	LastLogin, PasswordChanged                *time.Time
	Languages                                 []Option
	Audit                                     bool // may read the log of own actions
	Delegates                                 bool // may let somebody else approve
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "account.title")
	if err != nil {
		return err
	}
	u := accountOf(r).user
	v := accountView{NameAr: u.NameAr, NameEn: u.NameEn, Email: u.Email, Username: u.Username, Language: u.Language,
		LastLogin: u.LastLoginAt, PasswordChanged: u.PasswordChangedAt, Languages: languages(), Audit: access.From(r.Context()).Can(access.ViewOwnActions),
		Delegates: access.From(r.Context()).Can(access.ApprovePlan)}
	for _, role := range u.Roles {
		v.Roles = append(v.Roles, roleChip{role, p.T("role." + role)})
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "account/profile", p)
	return nil
}

// setLanguage keeps the preferred language with the account and switches the
// browser to it. It belongs to the home account, also during break-glass.
func (s *Server) setLanguage(w http.ResponseWriter, r *http.Request) error {
	language := r.PostFormValue("language")
	if language != "ar" && language != "en" {
		return fault.New(fault.Invalid, "field.choice")
	}
	u := accountOf(r).user
	err := s.DB.InTenant(r.Context(), u.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.SetUserLanguage(ctx, tx, language, u.TenantID, u.ID); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, u.TenantID, db.Entry{Action: "user.language_changed", ObjectType: "user", ObjectID: u.ID.String(),
			Before: map[string]string{"language": u.Language}, After: map[string]string{"language": language}})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/account?lang="+language, "account.saved")
}
