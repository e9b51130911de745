package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// grantsShown is how many break-glass entries the page of a tenant lists.
const grantsShown = 10

// adminRow is an admin of the tenant, all a platform owner sees of its people.
type adminRow struct {
	ID, Name, Email string
	Active, Waiting bool // waiting: never signed in with the one-time password
	LastLogin       *time.Time
}

// grantRow is one emergency access.
type grantRow struct {
	Actor, Reason string
	From, Until   time.Time
	Ended         *time.Time
	Running       bool
}

type tenantPage struct {
	Row        tenantRow
	Form       tenantForm
	Admins     []adminRow
	Grants     []grantRow
	Reason     string
	Errors     map[string]string // of the break-glass form
	Active     bool
	TemporalUI string // the tenant's workflows, empty without a UI
}

func (s *Server) showTenant(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	return s.tenantPage(w, r, http.StatusOK, t, formOf(t), nil, nil)
}

// tenantPage prints the page of a tenant with the errors of either form.
func (s *Server) tenantPage(w http.ResponseWriter, r *http.Request, status int, t db.Tenant, f tenantForm, keys, glass map[string]string) error {
	p, err := s.page(r, "tenants.one")
	if err != nil {
		return err
	}
	v := tenantPage{Row: newTenantRow(p, t), Form: f.withChoices(p, keys), Errors: map[string]string{}, Active: t.Status == "active"}
	if ui := s.Config.TemporalUI; ui != nil && access.From(r.Context()).Can(access.OpenTemporalUI) {
		v.TemporalUI = s.Workflows.TenantURL(ui, t.ID)
	}
	for field, key := range glass {
		v.Errors[field] = p.T(key, "Min", minReason, "Max", maxReason)
		v.Reason = bounded(r.PostFormValue("reason"), 2*maxReason)
	}
	err = s.DB.InTenant(r.Context(), t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		admins, err := q.ListRoleHolders(ctx, tx, t.ID, string(access.TenantAdmin))
		if err != nil {
			return err
		}
		for _, a := range admins {
			v.Admins = append(v.Admins, adminRow{ID: a.ID.String(), Name: localName(p.Lang, a.NameAr, a.NameEn), Email: a.Email, Active: a.IsActive,
				Waiting: a.MustChangePassword, LastLogin: a.LastLoginAt})
		}
		grants, err := q.ListBreakGlass(ctx, tx, t.ID, grantsShown)
		for _, g := range grants {
			v.Grants = append(v.Grants, grantRow{Actor: g.ActorName, Reason: g.Reason, From: g.StartsAt, Until: g.ExpiresAt, Ended: g.EndedAt,
				Running: g.EndedAt == nil && g.ExpiresAt.After(time.Now())})
		}
		return err
	})
	if err != nil {
		return err
	}
	p.Title = v.Row.Name
	p.Crumbs = []Crumb{{Href: "/tenants", Label: p.T("tenants.title")}, {Label: t.Code, Tag: true}}
	p.Data = v
	s.render.Render(w, r, status, "tenants/detail", p)
	return nil
}

func (s *Server) updateTenant(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	f := readTenantForm(r, false)
	f.ID, f.Code, f.Status = t.ID.String(), t.Code, t.Status
	if keys := f.check(); len(keys) > 0 {
		return s.tenantPage(w, r, http.StatusUnprocessableEntity, t, f, keys, nil)
	}
	err = s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.UpdateTenant(ctx, tx, db.UpdateTenantParams{NameAr: f.NameAr, NameEn: f.NameEn, Industry: f.Industry, CalendarProfile: f.Calendar,
			TimeZone: f.Zone, Currency: f.Currency, Settings: t.Settings, TenantID: t.ID})
		return err
	})
	if err != nil {
		return err
	}
	return s.tenantChanged(w, r, db.Entry{Action: "tenant.updated", ObjectID: t.ID.String(), Before: formOf(t).state(), After: f.state()}, "tenants.saved")
}

// tenantChanged records a change in both chains, the customer's and the
// platform's, and leads back to the tenant.
func (s *Server) tenantChanged(w http.ResponseWriter, r *http.Request, e db.Entry, toast string) error {
	e.ObjectType = "tenant"
	if err := s.auditTenant(r, uuid.MustParse(e.ObjectID), e); err != nil {
		return err
	}
	if err := s.auditPlatform(r, e); err != nil {
		return err
	}
	return s.redirect(w, r, "/tenants/"+e.ObjectID, toast)
}

// setTenantStatus suspends a tenant or brings it back. Its people are out with
// their next request.
func (s *Server) setTenantStatus(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	status := r.PostFormValue("status")
	if status != "active" && status != "suspended" {
		return fault.New(fault.Invalid, "field.choice")
	}
	if status == t.Status {
		return s.redirect(w, r, "/tenants/"+t.ID.String(), "")
	}
	err = s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.SetTenantStatus(ctx, tx, status, t.ID)
		return err
	})
	if err != nil {
		return err
	}
	action, toast := "tenant.activated", "tenants.activated"
	if status == "suspended" {
		action, toast = "tenant.suspended", "tenants.suspended"
	}
	return s.tenantChanged(w, r, db.Entry{Action: action, ObjectID: t.ID.String(), Before: map[string]string{"status": t.Status}, After: map[string]string{"status": status}}, toast)
}

// renewTenantCredential gives an admin of the tenant a new one-time password.
func (s *Server) renewTenantCredential(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	admin, err := uuid.Parse(r.PostFormValue("user"))
	if err != nil {
		return fault.New(fault.NotFound, "error.404.text")
	}
	credential, err := s.resetPassword(r, t.ID, admin, func(u db.User) error {
		for _, role := range u.Roles {
			if role == string(access.TenantAdmin) && u.IsActive {
				return nil
			}
		}
		return fault.New(fault.NotFound, "error.404.text")
	})
	if err != nil {
		return err
	}
	err = s.auditPlatform(r, db.Entry{Action: "user.credential_issued", ObjectType: "tenant", ObjectID: t.ID.String(), After: map[string]string{"user": admin.String()}})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/tenants/"+t.ID.String()+"/credentials/"+credential.String(), "")
}
