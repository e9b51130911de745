package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

func TestAdministrationIsForAdmins(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	people := map[access.Role]*http.Client{}
	for _, role := range access.TenantRoles() {
		people[role] = f.as("ARAMCO_DEMO", role)
	}
	people[access.PlatformOwner] = f.as("", access.PlatformOwner)
	pages := map[string]access.Capability{"/users": access.ManageUsers, "/users/new": access.ManageUsers, "/tokens": access.ManageTokens, "/audit": access.ViewOwnActions,
		"/tenants": access.ManageTenants, "/tenants/new": access.ManageTenants, "/health": access.ViewPlatformHealth, "/access": access.SignedIn, "/account": access.SignedIn}
	for path, capability := range pages {
		for role, c := range people {
			want := http.StatusForbidden
			if capability == access.SignedIn || access.Allows(role, capability) {
				want = http.StatusOK
			}
			status, page := f.get(c, path)
			require.Equal(t, want, status, "%s for %s", path, role)
			require.NotContains(t, page, "[[", "an untranslated key on %s", path)
		}
	}
}

func userForm() url.Values {
	return url.Values{"id": {uuid.NewString()}, "name_ar": {"مها الراشد"}, "name_en": {"Maha Al-Rashed"}, "email": {"Maha@nawras.example"}, "username": {"maha"}, "language": {"ar"},
		"roles": {"viewer", "reliability_engineer"}}
}

func TestCreateAPerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	form := userForm()
	credential := f.leadsTo(admin, "/users/new", form)
	require.Equal(t, credential, f.leadsTo(admin, "/users/new", form), "the same form again makes nothing new")
	status, page := f.post(admin, credential, url.Values{})
	require.Equal(t, http.StatusOK, status)
	shown := passwordShown.FindStringSubmatch(page)
	require.NotNil(t, shown)
	_, page = f.post(admin, credential, url.Values{})
	require.NotRegexp(t, passwordShown, page)
	status, _ = f.post(f.browser(), "/login", url.Values{"user": {"maha@nawras.example"}, "password": {shown[1]}})
	require.Equal(t, http.StatusSeeOther, status)
	require.ElementsMatch(t, []string{"auth.signed_in", "user.credential_revealed", "user.created"}, f.actions(f.tenant("ARAMCO_DEMO").ID, form.Get("id")))

	again := userForm()
	again.Set("username", "maha2")
	status, page = f.post(admin, "/users/new", again)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-email"`)
	again.Set("email", f.person("POWER_DEMO", access.Viewer).Email)
	status, page = f.post(admin, "/users/new", again)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-email"`)
	again.Set("email", "other@nawras.example")
	again.Set("username", "maha")
	status, page = f.post(admin, "/users/new", again)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-username"`)
}

func TestRolesThatCannotBeGiven(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	for _, roles := range [][]string{nil, {"platform_owner"}, {"viewer", "platform_owner"}, {"service_account"}, {"emperor"}} {
		form := userForm()
		form["roles"] = roles
		status, _ := f.post(admin, "/users/new", form)
		require.Equal(t, http.StatusUnprocessableEntity, status, roles)
		status, _ = f.post(admin, "/users/"+f.person("ARAMCO_DEMO", access.Viewer).ID.String()+"/roles", url.Values{"roles": roles})
		require.Equal(t, http.StatusUnprocessableEntity, status, roles)
	}
}

func TestLastAdminIsProtected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	self, engineer := f.person("ARAMCO_DEMO", access.TenantAdmin).ID.String(), f.person("ARAMCO_DEMO", access.OptimizationEng).ID.String()
	for path, form := range map[string]url.Values{"/roles": {"roles": {"viewer"}}, "/active": {"active": {"off"}}, "/archive": {}, "/password": {}} {
		status, _ := f.post(admin, "/users/"+self+path, form)
		require.Equal(t, http.StatusConflict, status, path)
	}

	// A second admin may be made, and then takes the role from the first.
	f.leadsTo(admin, "/users/"+engineer+"/roles", url.Values{"roles": {"tenant_admin", "optimization_engineer"}})
	_, page := f.get(admin, "/users/"+engineer)
	require.Contains(t, page, "banner t-warn", "proposer and approver in one person")
	second := f.as("ARAMCO_DEMO", access.OptimizationEng)
	f.leadsTo(second, "/users/"+self+"/roles", url.Values{"roles": {"viewer"}})
	status, _ := f.get(admin, "/users")
	require.Equal(t, http.StatusForbidden, status, "a role taken takes effect at once")
	status, _ = f.post(second, "/users/"+engineer+"/roles", url.Values{"roles": {"optimization_engineer"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, f.actions(f.tenant("ARAMCO_DEMO").ID, self), "user.roles_changed")
}

func TestAnAccountIsSwitchedOffAndArchived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, viewer := f.as("ARAMCO_DEMO", access.TenantAdmin), f.as("ARAMCO_DEMO", access.Viewer)
	path := "/users/" + f.person("ARAMCO_DEMO", access.Viewer).ID.String()
	f.leadsTo(admin, path+"/active", url.Values{"active": {"off"}})
	response := f.send(viewer, http.MethodGet, "/account", nil)
	require.NoError(t, response.Body.Close())
	require.Contains(t, response.Header.Get("Location"), "/login")
	f.leadsTo(admin, path+"/active", url.Values{"active": {"on"}})
	f.as("ARAMCO_DEMO", access.Viewer)
	f.leadsTo(admin, path+"/archive", url.Values{})
	status, _ := f.post(admin, path+"/active", url.Values{"active": {"on"}})
	require.Equal(t, http.StatusConflict, status, "archived for good")
	_, page := f.get(admin, "/users?kind=archived")
	require.Contains(t, page, path)
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, viewer := f.as("ARAMCO_DEMO", access.TenantAdmin), f.person("ARAMCO_DEMO", access.Viewer)
	tenant := f.tenant("ARAMCO_DEMO").ID
	require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RecordLoginFailure(ctx, tx, db.RecordLoginFailureParams{AttemptLimit: 1, LockSeconds: 900, TenantID: tenant, ID: viewer.ID})
		return err
	}))
	status, _ := f.post(f.browser(), "/login", url.Values{"user": {viewer.Email}, "password": {password}})
	require.Equal(t, http.StatusUnauthorized, status)
	_, page := f.get(admin, "/users/"+viewer.ID.String())
	require.Contains(t, page, "/unlock")
	f.leadsTo(admin, "/users/"+viewer.ID.String()+"/unlock", url.Values{})
	f.as("ARAMCO_DEMO", access.Viewer)
}

func TestPeopleOfAnotherTenantDoNotExist(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	foreign := "/users/" + f.person("POWER_DEMO", access.Viewer).ID.String()
	for _, path := range []string{foreign, "/users/no-uuid"} {
		status, _ := f.get(admin, path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	forms := map[string]url.Values{"": {"name_ar": {"س"}, "name_en": {"x"}, "language": {"ar"}}, "/roles": {"roles": {"tenant_admin"}}, "/active": {"active": {"off"}},
		"/unlock": {}, "/archive": {}, "/password": {}}
	for path, form := range forms {
		status, _ := f.post(admin, foreign+path, form)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

func TestAccountLanguage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	viewer := f.as("ARAMCO_DEMO", access.Viewer)
	require.Equal(t, "/account?lang=en", f.leadsTo(viewer, "/account/language", url.Values{"language": {"en"}}))
	_, page := f.get(viewer, "/account?lang=en")
	require.Contains(t, page, "My account")
	status, _ := f.post(viewer, "/account/language", url.Values{"language": {"tlh"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
}
