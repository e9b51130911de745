package web

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

func (s *Server) tenantRoutes() []route {
	return []route{
		{http.MethodGet, "/tenants", access.ManageTenants, s.listTenants},
		{http.MethodGet, "/tenants/new", access.ManageTenants, s.newTenant},
		{http.MethodPost, "/tenants/new", access.ManageTenants, s.createTenant},
		{http.MethodGet, "/tenants/{id}", access.ManageTenants, s.showTenant},
		{http.MethodPost, "/tenants/{id}", access.ManageTenants, s.updateTenant},
		{http.MethodPost, "/tenants/{id}/status", access.ManageTenants, s.setTenantStatus},
		{http.MethodPost, "/tenants/{id}/credentials", access.ManageTenants, s.renewTenantCredential},
		{http.MethodGet, "/tenants/{id}/credentials/{cid}", access.ManageTenants, s.showTenantCredential},
		{http.MethodPost, "/tenants/{id}/credentials/{cid}", access.ManageTenants, s.revealTenantCredential},
		{http.MethodPost, "/tenants/{id}/credentials/{cid}/handed", access.ManageTenants, s.handTenantCredential},
		{http.MethodPost, "/tenants/{id}/enter", access.EnterTenant, s.enterByBreakGlass},
		{http.MethodPost, "/break-glass/end", access.SignedIn, s.endBreakGlass},
	}
}

// kindPlatform marks the tenant of the platform owners themselves.
const kindPlatform = "platform"

// tenantRow is one line of the list.
type tenantRow struct {
	ID, Code, Name, OtherName, Industry         string
	Status, StatusLabel, StatusTone, StatusIcon string
	Calendar, Currency                          string
	Synthetic                                   bool
	CreatedAt                                   time.Time
}

type tenantList struct {
	Rows                     []tenantRow
	Total, Active, Suspended int
}

// How the status of a tenant looks.
var (
	tenantTones = map[string]string{"active": "ok", "suspended": "warn", "archived": "none"}
	tenantIcons = map[string]string{"active": "circle-check", "suspended": "circle-pause", "archived": "archive"}
)

// listTenants shows every customer. What is inside them the platform role
// cannot read.
func (s *Server) listTenants(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "tenants.title")
	if err != nil {
		return err
	}
	var rows []db.Tenant
	err = s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListTenants(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	var v tenantList
	for _, t := range rows {
		if t.Kind == kindPlatform {
			continue
		}
		v.Rows = append(v.Rows, newTenantRow(p, t))
		v.Total++
		switch t.Status {
		case "active":
			v.Active++
		case "suspended":
			v.Suspended++
		}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "tenants/list", p)
	return nil
}

func newTenantRow(p Page, t db.Tenant) tenantRow {
	row := tenantRow{ID: t.ID.String(), Code: t.Code, Name: localName(p.Lang, t.NameAr, t.NameEn), OtherName: localName(p.Other, t.NameAr, t.NameEn),
		Industry: p.T("industry." + t.Industry), Status: t.Status, StatusLabel: p.T("tenants.status." + t.Status), StatusTone: tenantTones[t.Status], StatusIcon: tenantIcons[t.Status],
		Calendar: t.CalendarProfile, Currency: t.Currency, Synthetic: t.Synthetic, CreatedAt: t.CreatedAt}
	if row.OtherName == row.Name {
		row.OtherName = ""
	}
	return row
}

// customer reads the tenant that the address names. The platform's own tenant
// is no customer.
func (s *Server) customer(r *http.Request) (db.Tenant, error) {
	var t db.Tenant
	id, err := pathID(r, "id")
	if err != nil {
		return t, err
	}
	err = s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		t, err = q.GetTenant(ctx, tx, id)
		return err
	})
	if fault.CodeOf(err) == fault.NotFound || (err == nil && t.Kind == kindPlatform) {
		return t, fault.New(fault.NotFound, "error.404.text")
	}
	return t, err
}

// pathID reads an id from the address; anything else does not exist.
func pathID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(chi.URLParam(r, name))
	if err != nil {
		return uuid.Nil, fault.New(fault.NotFound, "error.404.text")
	}
	return id, nil
}

// auditPlatform writes an entry into the chain of the platform owner's own
// tenant.
func (s *Server) auditPlatform(r *http.Request, e db.Entry) error {
	home := access.From(r.Context()).HomeTenant
	return s.DB.InTenant(r.Context(), home, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return s.audit(ctx, tx, r, home, e)
	})
}

// auditTenant writes an entry into the chain of a customer.
func (s *Server) auditTenant(r *http.Request, tenant uuid.UUID, e db.Entry) error {
	return s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return s.audit(ctx, tx, r, tenant, e)
	})
}
