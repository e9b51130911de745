package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// leadsTo posts a form and returns where the answer leads.
func (f *fixture) leadsTo(c *http.Client, path string, form url.Values) string {
	f.Helper()
	response := f.send(c, http.MethodPost, path, form)
	require.NoError(f, response.Body.Close())
	require.Equal(f, http.StatusSeeOther, response.StatusCode, path)
	return response.Header.Get("Location")
}

// actions lists the actions of a tenant's audit chain about one object.
func (f *fixture) actions(tenant uuid.UUID, object string) []string {
	f.Helper()
	var out []string
	require.NoError(f, f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListAuditLogs(ctx, tx, db.ListAuditLogsParams{TenantID: tenant, ObjectID: object, PageSize: 50})
		for _, x := range rows {
			out = append(out, x.Action)
		}
		return err
	}))
	return out
}

func (f *fixture) platform() uuid.UUID {
	f.Helper()
	var id uuid.UUID
	require.NoError(f, f.db.Platform(f.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		tenants, err := q.ListTenants(ctx, tx)
		for _, t := range tenants {
			if t.Kind == "platform" {
				id = t.ID
			}
		}
		return err
	}))
	return id
}

var passwordShown = regexp.MustCompile(`id="c-password">([^<]+)<`)

func tenantForm(id uuid.UUID) url.Values {
	return url.Values{"id": {id.String()}, "code": {"COAST_WATER"}, "name_ar": {"مياه الساحل"}, "name_en": {"Coast Water"}, "industry": {"water"}, "status": {"active"},
		"calendar": {"SA-STD"}, "currency": {"SAR"}, "zone": {"Asia/Riyadh"}, "admin_ar": {"سارة الغانم"}, "admin_en": {"Sarah Al-Ghanem"}, "admin_email": {"sarah@coast.example"}}
}

func TestOnboardATenant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner := f.as("", access.PlatformOwner)
	id := uuid.New()
	credential := f.leadsTo(owner, "/tenants/new", tenantForm(id))
	require.True(t, strings.HasPrefix(credential, "/tenants/"+id.String()+"/credentials/"), credential)
	require.True(t, f.flows.called("ensure-tenant "+id.String()))
	require.Equal(t, credential, f.leadsTo(owner, "/tenants/new", tenantForm(id)), "the same form again makes nothing new")

	_, page := f.get(owner, credential)
	require.NotRegexp(t, passwordShown, page, "not before it is asked for")
	status, page := f.post(owner, credential, url.Values{})
	require.Equal(t, http.StatusOK, status)
	shown := passwordShown.FindStringSubmatch(page)
	require.NotNil(t, shown, page)
	for _, again := range []func() (int, string){func() (int, string) { return f.post(owner, credential, url.Values{}) }, func() (int, string) { return f.get(owner, credential) }} {
		status, page = again()
		require.Equal(t, http.StatusOK, status)
		require.NotRegexp(t, passwordShown, page, "shown once only")
		require.NotContains(t, page, shown[1])
	}
	require.Equal(t, "/tenants/"+id.String(), f.leadsTo(owner, credential+"/handed", url.Values{"handed_over": {"yes"}}))

	sarah := f.browser()
	require.Equal(t, "/dashboard", f.leadsTo(sarah, "/login", url.Values{"user": {"sarah@coast.example"}, "password": {shown[1]}}))
	response := f.send(sarah, http.MethodGet, "/users", nil)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "/account/password", response.Header.Get("Location"), "the one-time password has to be changed first")

	require.Equal(t, []string{"tenant.created"}, f.actions(f.platform(), id.String()))
	require.Contains(t, f.actions(id, id.String()), "tenant.created")
}

func TestNewTenantIsChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner := f.as("", access.PlatformOwner)
	cases := map[string]struct{ field, value string }{
		"code":          {"code", "9 lives"},
		"code taken":    {"code", "ARAMCO_DEMO"},
		"industry":      {"industry", "magic"},
		"email":         {"admin_email", "nobody"},
		"email taken":   {"admin_email", f.person("POWER_DEMO", access.Viewer).Email},
		"name":          {"name_ar", ""},
		"name too long": {"name_en", strings.Repeat("x", 201)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			form := tenantForm(uuid.New())
			form.Set(c.field, c.value)
			status, page := f.post(owner, "/tenants/new", form)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, page, `aria-describedby="e-`+c.field+`"`)
		})
	}
	t.Run("a tenant that exists cannot be given a first admin", func(t *testing.T) {
		form := tenantForm(f.tenant("ARAMCO_DEMO").ID)
		form.Set("code", "ARAMCO_DEMO")
		status, _ := f.post(owner, "/tenants/new", form)
		require.Equal(t, http.StatusConflict, status)
	})
}

func TestSchedulesMayWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.flows.Fail = fault.New(fault.Unavailable, "db.unavailable")
	id := uuid.New()
	require.Contains(t, f.leadsTo(f.as("", access.PlatformOwner), "/tenants/new", tenantForm(id)), "/credentials/")
}

func TestSuspendedTenantIsShut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner, viewer := f.as("", access.PlatformOwner), f.as("WATER_DEMO", access.Viewer)
	id := f.tenant("WATER_DEMO").ID
	f.leadsTo(owner, "/tenants/"+id.String()+"/status", url.Values{"status": {"suspended"}})
	response := f.send(viewer, http.MethodGet, "/access", nil)
	require.NoError(t, response.Body.Close())
	require.Contains(t, response.Header.Get("Location"), "/login", "out with the next request")
	status, _ := f.post(f.browser(), "/login", url.Values{"user": {f.person("WATER_DEMO", access.Viewer).Email}, "password": {password}})
	require.Equal(t, http.StatusUnauthorized, status)
	f.leadsTo(owner, "/tenants/"+id.String()+"/status", url.Values{"status": {"active"}})
	f.as("WATER_DEMO", access.Viewer)
	require.Equal(t, []string{"tenant.activated", "tenant.suspended"}, f.actions(id, id.String()))
	require.Equal(t, []string{"tenant.activated", "tenant.suspended"}, f.actions(f.platform(), id.String()))
}

func TestPlatformOwnerSeesOnlyCredentialsOfTheirOwn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner, admin := f.as("", access.PlatformOwner), f.as("POWER_DEMO", access.TenantAdmin)
	tenant, viewer := f.tenant("POWER_DEMO").ID, f.person("POWER_DEMO", access.Viewer).ID
	issued := f.leadsTo(admin, "/users/"+viewer.String()+"/password", url.Values{})
	cid := issued[strings.LastIndex(issued, "/")+1:]
	status, _ := f.get(owner, "/tenants/"+tenant.String()+"/credentials/"+cid)
	require.Equal(t, http.StatusNotFound, status)
	status, _ = f.post(owner, "/tenants/"+tenant.String()+"/credentials/"+cid, url.Values{})
	require.Equal(t, http.StatusNotFound, status)
	status, _ = f.post(owner, "/tenants/"+tenant.String()+"/credentials", url.Values{"user": {viewer.String()}})
	require.Equal(t, http.StatusNotFound, status, "the platform resets admins only")
	status, _ = f.post(owner, "/tenants/"+tenant.String()+"/status", url.Values{"status": {"archived"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner := f.as("", access.PlatformOwner)
	tenant := f.tenant("ARAMCO_DEMO")
	enter, reason := "/tenants/"+tenant.ID.String()+"/enter", "Customer asked us to look at ticket 4711"
	status, _ := f.get(owner, "/assets")
	require.Equal(t, http.StatusForbidden, status, "nothing before it is granted")
	status, page := f.post(owner, enter, url.Values{"reason": {"short"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-reason"`)
	require.Equal(t, "/dashboard", f.leadsTo(owner, enter, url.Values{"reason": {reason}}))

	status, page = f.get(owner, "/access")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, reason, "the banner names the reason")
	for _, path := range []string{"/users", "/tokens", "/audit", "/tenants"} {
		status, _ = f.get(owner, path)
		require.Equal(t, http.StatusForbidden, status, path)
	}
	status, _ = f.post(owner, "/users/"+uuid.NewString()+"/archive", url.Values{})
	require.Equal(t, http.StatusForbidden, status, "read only")

	var open int64
	require.NoError(t, f.db.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'break_glass' AND closed_at IS NULL`, tenant.ID).Scan(&open)
	}))
	require.EqualValues(t, 1, open, "the tenant's admins are told")
	require.Equal(t, "/tenants/"+tenant.ID.String(), f.leadsTo(owner, "/break-glass/end", url.Values{}))
	status, _ = f.get(owner, "/assets")
	require.Equal(t, http.StatusForbidden, status)
	for _, chain := range []uuid.UUID{tenant.ID, f.platform()} {
		require.Equal(t, []string{"break_glass.ended", "break_glass.granted"}, f.actions(chain, tenant.ID.String()))
	}
	status, _ = f.post(f.as("ARAMCO_DEMO", access.TenantAdmin), "/break-glass/end", url.Values{})
	require.Equal(t, http.StatusForbidden, status)
}

func TestBreakGlassRunsOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	owner := f.as("", access.PlatformOwner)
	tenant := f.tenant("ARAMCO_DEMO").ID
	f.leadsTo(owner, "/tenants/"+tenant.String()+"/enter", url.Values{"reason": {"A reason long enough"}})
	require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.break_glass_grants SET starts_at = now() - interval '31 minutes', expires_at = now() - interval '1 minute' WHERE tenant_id = $1`, tenant)
		return err
	}))
	status, _ := f.get(owner, "/assets")
	require.Equal(t, http.StatusForbidden, status)
	status, page := f.get(owner, "/tenants")
	require.Equal(t, http.StatusOK, status, "back on the platform")
	require.NotContains(t, page, "/break-glass/end")
}
