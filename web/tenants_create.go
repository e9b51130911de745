package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

func (s *Server) newTenant(w http.ResponseWriter, r *http.Request) error {
	f := tenantForm{ID: uuid.NewString(), Status: "active", Calendar: tenantCalendars[0], Currency: tenantCurrencies[0], Zone: tenantZones[0], New: true}
	return s.tenantFormPage(w, r, http.StatusOK, f, nil)
}

func (s *Server) tenantFormPage(w http.ResponseWriter, r *http.Request, status int, f tenantForm, keys map[string]string) error {
	p, err := s.page(r, "tenants.new")
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/tenants", Label: p.T("tenants.title")}, {Label: p.T("tenants.new")}}
	p.Data = f.withChoices(p, keys)
	s.render.Render(w, r, status, "tenants/new", p)
	return nil
}

// createTenant makes a tenant with its first admin. The steps lie in several
// transactions, because the platform role and a tenant's role never mix; each
// step finds out whether it was done before, so the same form sent again
// completes what a failure cut short.
func (s *Server) createTenant(w http.ResponseWriter, r *http.Request) error {
	f := readTenantForm(r, true)
	keys := f.check()
	if len(keys) == 0 {
		var err error
		if keys, err = s.checkNewTenant(r, f); err != nil {
			return err
		}
	}
	if len(keys) > 0 {
		return s.tenantFormPage(w, r, http.StatusUnprocessableEntity, f, keys)
	}
	tenant := uuid.MustParse(f.ID)
	if err := s.insertTenant(r, tenant, f); err != nil {
		return err
	}
	credential, email, err := s.firstAdmin(r, tenant, f)
	if err != nil {
		return err
	}
	if err := s.addLogin(r.Context(), email, tenant, firstAdminID(tenant)); err != nil {
		return err
	}
	toast := "tenants.created"
	if err := s.Workflows.EnsureTenantSchedules(r.Context(), tenant, nil); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "tenants.created.later"
	}
	target := "/tenants/" + f.ID
	if credential != uuid.Nil {
		target += "/credentials/" + credential.String()
	}
	return s.redirect(w, r, target, toast)
}

// usernameOf derives a first username from an address.
func usernameOf(email string) string {
	name, _, _ := strings.Cut(email, "@")
	if len(name) < minUsername {
		name += "-admin"
	}
	return bounded(name, maxUsername)
}

// firstAdminID is the same whenever the form of one tenant is sent.
func firstAdminID(tenant uuid.UUID) uuid.UUID { return uuid.NewSHA1(tenant, []byte("first-admin")) }

// checkNewTenant refuses a code or an address that belongs to somebody else.
func (s *Server) checkNewTenant(r *http.Request, f tenantForm) (map[string]string, error) {
	tenant, keys := uuid.MustParse(f.ID), map[string]string{}
	err := s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		t, err := q.GetTenantByCode(ctx, tx, f.Code)
		if err == nil && t.ID != tenant {
			keys["code"] = "tenants.code.taken"
		}
		if fault.CodeOf(db.Fault(err)) == fault.NotFound {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	taken, err := s.emailTaken(r.Context(), f.AdminEmail, tenant)
	if taken {
		keys["admin_email"] = "users.email.taken"
	}
	return keys, err
}

// emailTaken reports whether an address signs in to an account elsewhere.
func (s *Server) emailTaken(ctx context.Context, email string, tenant uuid.UUID) (bool, error) {
	logins, err := s.logins(ctx, email)
	for _, l := range logins {
		if l.TenantID != tenant {
			return true, err
		}
	}
	return false, err
}

// insertTenant writes the row and its entry in the platform's audit chain.
// A form that names an existing tenant of somebody else's making is refused.
func (s *Server) insertTenant(r *http.Request, tenant uuid.UUID, f tenantForm) error {
	err := s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateTenant(ctx, tx, db.CreateTenantParams{ID: tenant, Code: f.Code, Kind: "customer", NameAr: f.NameAr, NameEn: f.NameEn, Industry: f.Industry,
			CalendarProfile: f.Calendar, TimeZone: f.Zone, Currency: f.Currency, Settings: json.RawMessage(`{}`)})
		switch {
		case err == nil:
			_, err = q.SetTenantStatus(ctx, tx, f.Status, tenant)
			return err
		case fault.CodeOf(db.Fault(err)) != fault.NotFound:
			return err
		}
		if t, err := q.GetTenant(ctx, tx, tenant); err != nil {
			return err
		} else if t.Code != f.Code || t.Kind == kindPlatform {
			return fault.New(fault.Conflict, "tenants.form.stale")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.auditPlatformOnce(r, db.Entry{Action: "tenant.created", ObjectType: "tenant", ObjectID: tenant.String(), After: f.state()})
}

// auditPlatformOnce leaves out an entry that a first attempt has written.
func (s *Server) auditPlatformOnce(r *http.Request, e db.Entry) error {
	home := access.From(r.Context()).HomeTenant
	return s.DB.InTenant(r.Context(), home, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if n, err := q.CountAuditEntries(ctx, tx, home, e.Action, e.ObjectID); err != nil || n > 0 {
			return err
		}
		return s.audit(ctx, tx, r, home, e)
	})
}

// state is what the audit log keeps of a tenant.
func (f tenantForm) state() map[string]any {
	return map[string]any{"code": f.Code, "name_ar": f.NameAr, "name_en": f.NameEn, "industry": f.Industry, "status": f.Status,
		"calendar_profile": f.Calendar, "currency": f.Currency, "time_zone": f.Zone}
}

// firstAdmin creates the admin with a sealed one-time password and returns the
// credential to show and the address that signs in.
func (s *Server) firstAdmin(r *http.Request, tenant uuid.UUID, f tenantForm) (credential uuid.UUID, email string, err error) {
	fresh, err := newPassword()
	if err != nil {
		return uuid.Nil, "", err
	}
	id, email := firstAdminID(tenant), f.AdminEmail
	err = s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if n, err := q.CountOtherUsers(ctx, tx, tenant, id); err != nil {
			return err
		} else if n > 0 {
			return fault.New(fault.Conflict, "tenants.form.stale")
		}
		u, err := q.GetUser(ctx, tx, tenant, id)
		if err == nil {
			email = u.Email
			credential, err = q.FindOpenCredential(ctx, tx, tenant, id)
			if fault.CodeOf(db.Fault(err)) == fault.NotFound {
				return nil // shown already
			}
			return err
		} else if fault.CodeOf(db.Fault(err)) != fault.NotFound {
			return err
		}
		_, err = q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: tenant, ID: id, Email: f.AdminEmail, Username: usernameOf(f.AdminEmail),
			NameAr: f.AdminAr, NameEn: f.AdminEn, PasswordHash: &fresh.hash, Roles: []string{string(access.TenantAdmin)}, MustChangePassword: true, Language: "ar"})
		if err != nil {
			return err
		}
		if _, err := q.UpsertCalendar(ctx, tx, tenant, f.Calendar, json.RawMessage(`{}`)); err != nil {
			return err
		}
		if credential, err = s.sealCredential(ctx, tx, r, q, tenant, id, fresh.plain); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "tenant.created", ObjectType: "tenant", ObjectID: tenant.String(),
			After: map[string]any{"code": f.Code, "first_admin": f.AdminEmail}})
	})
	return credential, email, err
}

// addLogin lists an account in the directory that sign-in reads.
func (s *Server) addLogin(ctx context.Context, email string, tenant, user uuid.UUID) error {
	return s.DB.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.AddLogin(ctx, tx, db.AddLoginParams{Email: email, TenantID: tenant, UserID: user, IsHome: true})
		return err
	})
}
