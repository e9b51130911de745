package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.person("ARAMCO_DEMO", access.TenantAdmin)
	c := f.browser()
	response := f.send(c, http.MethodPost, "/login", url.Values{"user": {strings.ToUpper(admin.Email)}, "password": {password}})
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSeeOther, response.StatusCode)
	require.Equal(t, "/dashboard", response.Header.Get("Location"))
	var cookie *http.Cookie
	for _, k := range response.Cookies() {
		if k.Name == "optria_session" {
			cookie = k
		}
	}
	require.NotNil(t, cookie)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	status, _ := f.get(c, "/account/password")
	require.Equal(t, http.StatusOK, status)
	status, _ = f.post(c, "/logout", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.get(c, "/account/password")
	require.Equal(t, http.StatusSeeOther, status, "the session has ended")
}

func TestSignInFailsInTheSameWords(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.person("POWER_DEMO", access.TenantAdmin)
	s1, wrong := f.post(f.browser(), "/login", url.Values{"user": {admin.Email}, "password": {"not the password"}})
	s2, unknown := f.post(f.browser(), "/login", url.Values{"user": {"nobody@nowhere.example"}, "password": {"not the password"}})
	require.Equal(t, http.StatusUnauthorized, s1)
	require.Equal(t, http.StatusUnauthorized, s2)
	strip := func(body, email string) string {
		body = strings.ReplaceAll(body, email, "")
		return strings.Join(strings.FieldsFunc(body, func(r rune) bool { return r == '"' }), "")
	}
	require.Equal(t, len(strip(wrong, admin.Email)), len(strip(unknown, "nobody@nowhere.example")))
}

func TestAccountLocksAndIsAudited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	viewer := f.person("WATER_DEMO", access.Viewer)
	for range 8 {
		status, _ := f.post(f.browser(), "/login", url.Values{"user": {viewer.Email}, "password": {"wrong wrong wrong"}})
		require.Equal(t, http.StatusUnauthorized, status)
	}
	status, _ := f.post(f.browser(), "/login", url.Values{"user": {viewer.Email}, "password": {password}})
	require.Equal(t, http.StatusUnauthorized, status, "a locked account stays closed to the right password")
	tenant := f.tenant("WATER_DEMO").ID
	var actions []string
	err := f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		actions, err = q.ListAuditActions(ctx, tx, tenant)
		return err
	})
	require.NoError(t, err)
	require.Subset(t, actions, []string{"auth.failed", "auth.locked"})
}

func TestManySignInsFromOneAddressAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	last := 0
	for range 21 {
		last, _ = f.post(f.browser(), "/login", url.Values{"user": {"nobody@nowhere.example"}, "password": {"x"}})
	}
	require.Equal(t, http.StatusTooManyRequests, last)
}

func TestCrossSiteFormsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("ARAMCO_DEMO", access.TenantAdmin)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.srv.URL+"/logout", strings.NewReader(""))
	require.NoError(t, err)
	request.Header.Set("Origin", "https://evil.example")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := c.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestNextNeverLeadsElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.person("ARAMCO_DEMO", access.TenantAdmin)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)"} {
		response := f.send(f.browser(), http.MethodPost, "/login", url.Values{"user": {admin.Email}, "password": {password}, "next": {next}})
		require.NoError(t, response.Body.Close())
		require.Equal(t, "/dashboard", response.Header.Get("Location"), next)
	}
}

func TestPasswordChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("POWER_DEMO", access.Viewer)
	cases := []url.Values{
		{"current": {"wrong"}, "new": {"another-long-password"}, "repeat": {"another-long-password"}},
		{"current": {password}, "new": {"short"}, "repeat": {"short"}},
		{"current": {password}, "new": {password}, "repeat": {password}},
		{"current": {password}, "new": {"another-long-password"}, "repeat": {"another-long-passw0rd"}},
	}
	for _, form := range cases {
		status, _ := f.post(c, "/account/password", form)
		require.Equal(t, http.StatusUnprocessableEntity, status)
	}
	status, _ := f.post(c, "/account/password", url.Values{"current": {password}, "new": {"another-long-password"}, "repeat": {"another-long-password"}})
	require.Equal(t, http.StatusSeeOther, status)
}
