package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// userPage is the Data of users/detail.
type userPage struct {
	Row       userRow
	Form      userForm
	SoleAdmin bool // the only active admin: role and account are protected
	SoleDuty  bool // may propose plans that nobody else can approve
}

func (s *Server) showUser(w http.ResponseWriter, r *http.Request) error {
	return s.userPage(w, r, http.StatusOK, nil, nil)
}

// userPage prints the page of an account; change puts what was typed into the
// form before it is shown again with its errors.
func (s *Server) userPage(w http.ResponseWriter, r *http.Request, status int, change func(*userForm), keys map[string]string) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "users.one")
	if err != nil {
		return err
	}
	var u db.User
	var admins []db.ListRoleHoldersRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if u, err = q.GetUser(ctx, tx, tenant, id); err != nil {
			return err
		}
		admins, err = q.ListRoleHolders(ctx, tx, tenant, string(access.TenantAdmin))
		return err
	})
	if err != nil {
		return notFound(err)
	}
	v := userPage{Form: userForm{ID: u.ID.String(), Email: u.Email, Username: u.Username, NameAr: u.NameAr, NameEn: u.NameEn, Language: u.Language, Roles: u.Roles}}
	v.Row = newUserRow(p, db.ListUsersRow{ID: u.ID, Email: u.Email, Username: u.Username, NameAr: u.NameAr, NameEn: u.NameEn, Roles: u.Roles, IsActive: u.IsActive,
		MustChangePassword: u.MustChangePassword, LockedUntil: u.LockedUntil, LastLoginAt: u.LastLoginAt, CreatedAt: u.CreatedAt, ArchivedAt: u.ArchivedAt},
		access.From(r.Context()).UserID)
	v.Form.Service = v.Row.Service
	active := slices.DeleteFunc(admins, func(a db.ListRoleHoldersRow) bool { return !a.IsActive })
	v.SoleAdmin = len(active) == 1 && active[0].ID == u.ID
	v.SoleDuty = v.SoleAdmin && v.Row.Duty
	if change != nil {
		change(&v.Form)
	}
	v.Form = v.Form.withChoices(p, keys)
	p.Title = v.Row.Name
	p.Crumbs = []Crumb{{Href: "/users", Label: p.T("users.title")}, {Label: v.Row.Name}}
	p.Data = v
	s.render.Render(w, r, status, "users/detail", p)
	return nil
}

// notFound gives a missing row the words of a missing page.
func notFound(err error) error {
	if fault.CodeOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "error.404.text")
	}
	return err
}

// changeUser runs one change of an account with its audit entry. The active
// admins are locked first; last reports whether the account is the only one.
func (s *Server) changeUser(w http.ResponseWriter, r *http.Request, toast string, change func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, last bool) (db.Entry, error)) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		admins, err := q.LockActiveRoleHolders(ctx, tx, tenant, string(access.TenantAdmin))
		if err != nil {
			return err
		}
		u, err := q.GetUser(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if u.ArchivedAt != nil {
			return fault.New(fault.Conflict, "users.archived.fixed")
		}
		e, err := change(ctx, tx, q, u, len(admins) == 1 && admins[0] == id)
		if err != nil || e.Action == "" {
			return err
		}
		e.ObjectType, e.ObjectID = "user", id.String()
		return s.audit(ctx, tx, r, tenant, e)
	})
	if err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/users/"+id.String(), toast)
}

func (s *Server) updateUser(w http.ResponseWriter, r *http.Request) error {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	keys := map[string]string{}
	checkText(keys, "name_ar", text("name_ar"), 1, maxName)
	checkText(keys, "name_en", text("name_en"), 1, maxName)
	if l := text("language"); l != "ar" && l != "en" {
		keys["language"] = "field.choice"
	}
	if len(keys) > 0 {
		return s.userPage(w, r, http.StatusUnprocessableEntity, func(f *userForm) {
			f.NameAr, f.NameEn, f.Language = text("name_ar"), text("name_en"), text("language")
		}, keys)
	}
	return s.changeUser(w, r, "users.saved", func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, _ bool) (db.Entry, error) {
		after := map[string]string{"name_ar": text("name_ar"), "name_en": text("name_en"), "language": text("language")}
		_, err := q.UpdateUserProfile(ctx, tx, db.UpdateUserProfileParams{NameAr: after["name_ar"], NameEn: after["name_en"], Language: after["language"], TenantID: u.TenantID, ID: u.ID})
		return db.Entry{Action: "user.updated", Before: map[string]string{"name_ar": u.NameAr, "name_en": u.NameEn, "language": u.Language}, After: after}, err
	})
}

// setUserRoles replaces the roles of a person. Nobody takes the admin role
// from themselves, and the last active admin keeps it.
func (s *Server) setUserRoles(w http.ResponseWriter, r *http.Request) error {
	roles := postedRoles(r)
	if key := checkRoles(roles); key != "" {
		return s.userPage(w, r, http.StatusUnprocessableEntity, func(f *userForm) { f.Roles = roles }, map[string]string{"roles": key})
	}
	self := access.From(r.Context()).UserID
	return s.changeUser(w, r, "users.roles.saved", func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, last bool) (db.Entry, error) {
		loses := slices.Contains(u.Roles, string(access.TenantAdmin)) && !slices.Contains(roles, string(access.TenantAdmin))
		switch {
		case slices.Contains(u.Roles, string(access.ServiceAccount)):
			return db.Entry{}, fault.New(fault.Conflict, "users.service.fixed")
		case loses && u.ID == self:
			return db.Entry{}, fault.New(fault.Conflict, "users.self.admin")
		case loses && last:
			return db.Entry{}, fault.New(fault.Conflict, "users.last.admin")
		case slices.Equal(roles, u.Roles):
			return db.Entry{}, nil
		}
		_, err := q.SetUserRoles(ctx, tx, roles, u.TenantID, u.ID)
		return db.Entry{Action: "user.roles_changed", Before: map[string]any{"roles": u.Roles}, After: map[string]any{"roles": roles}}, err
	})
}

// setUserActive switches an account off or on again.
func (s *Server) setUserActive(w http.ResponseWriter, r *http.Request) error {
	active, toast := r.PostFormValue("active") == "on", "users.deactivated"
	if active {
		toast = "users.activated"
	}
	self := access.From(r.Context()).UserID
	return s.changeUser(w, r, toast, func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, last bool) (db.Entry, error) {
		if err := mayLose(u, self, last); !active && err != nil {
			return db.Entry{}, err
		}
		if active == u.IsActive {
			return db.Entry{}, nil
		}
		action := "user.deactivated"
		if active {
			action = "user.activated"
		}
		_, err := q.SetUserActive(ctx, tx, active, u.TenantID, u.ID)
		return db.Entry{Action: action, Before: map[string]bool{"is_active": u.IsActive}, After: map[string]bool{"is_active": active}}, err
	})
}

// mayLose refuses to take an account away from oneself or from the last admin.
func mayLose(u db.User, self uuid.UUID, last bool) error {
	switch {
	case u.ID == self:
		return fault.New(fault.Conflict, "users.self.account")
	case last:
		return fault.New(fault.Conflict, "users.last.admin")
	}
	return nil
}

func (s *Server) unlockUser(w http.ResponseWriter, r *http.Request) error {
	return s.changeUser(w, r, "users.unlocked", func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, _ bool) (db.Entry, error) {
		_, err := q.UnlockUser(ctx, tx, u.TenantID, u.ID)
		return db.Entry{Action: "user.unlocked", Before: map[string]any{"locked_until": u.LockedUntil, "failed_attempts": u.FailedAttempts}}, err
	})
}

// archiveUser takes an account out of use for good; its name stays on what it
// did.
func (s *Server) archiveUser(w http.ResponseWriter, r *http.Request) error {
	self := access.From(r.Context()).UserID
	return s.changeUser(w, r, "users.archived", func(ctx context.Context, tx pgx.Tx, q *db.Queries, u db.User, last bool) (db.Entry, error) {
		if err := mayLose(u, self, last); err != nil {
			return db.Entry{}, err
		}
		_, err := q.ArchiveUser(ctx, tx, u.TenantID, u.ID)
		return db.Entry{Action: "user.archived", Before: map[string]any{"is_active": u.IsActive, "roles": u.Roles}, After: map[string]any{"archived": true}}, err
	})
}

// renewUserPassword issues a new one-time password for somebody else.
func (s *Server) renewUserPassword(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	credential, err := s.resetPassword(r, who.TenantID, id, func(u db.User) error {
		switch {
		case u.ID == who.UserID:
			return fault.New(fault.Conflict, "users.self.password")
		case u.ArchivedAt != nil:
			return fault.New(fault.Conflict, "users.archived.fixed")
		case slices.Contains(u.Roles, string(access.ServiceAccount)):
			return fault.New(fault.Conflict, "users.service.fixed")
		}
		return nil
	})
	if err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/users/"+id.String()+"/credentials/"+credential.String(), "")
}
