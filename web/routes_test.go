package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/web/uitest"
)

// visible is the start of what a page says, for messages of tests.
func visible(body string) string {
	if _, main, ok := strings.Cut(body, `<main`); ok {
		body = main
	}
	return body[:min(len(body), 600)]
}

// TestEveryMountedRouteIsDeclared finds routes that were mounted past the
// table, and so past its capabilities.
func TestEveryMountedRouteIsDeclared(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{"GET /health/live": true, "GET /health/ready": true, "POST /hooks/{tenant}/{integration}": true}
	for _, r := range web.DeclaredRoutes() {
		declared[r.Method+" "+r.Pattern] = true
	}
	router, ok := newFixture(t).srv.Config.Handler.(chi.Routes)
	require.True(t, ok)
	require.NoError(t, chi.Walk(router, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !strings.HasPrefix(pattern, "/static/") && !strings.HasPrefix(pattern, "/api/") {
			require.True(t, declared[method+" "+pattern], "%s %s is not in the route table", method, pattern)
		}
		return nil
	}))
}

// TestNoRouteReachesAnotherTenant sends the admin of one tenant to every
// address of the product with every id of another.
func TestNoRouteReachesAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secrets := w.secrets()
	before := w.checksum(w.tables, w.foreign.id)
	admin := w.as(ownTenant, access.TenantAdmin)
	for _, r := range web.DeclaredRoutes() {
		if r.Pattern == "/logout" || r.Pattern == "/login" {
			continue // ends the session of the test
		}
		for _, path := range w.attacks(r.Pattern) {
			var form url.Values
			if r.Method == http.MethodPost {
				form = w.foreign.form()
			}
			status, body := w.do(admin, r.Method, path+query(r.Method, w.foreign), form)
			if strings.Contains(r.Pattern, "{") {
				require.True(t, status >= 400 && status < 500, "%s %s answers %d\n%s", r.Method, path, status, visible(body))
			}
			require.Less(t, status, 500, "%s %s\n%s", r.Method, path, visible(body))
			if r.Capability == access.Public {
				continue // says the same to everybody
			}
			for _, s := range secrets {
				require.False(t, strings.Contains(body, s), "%s %s shows %s of another tenant", r.Method, path, s)
			}
		}
		require.Equal(t, before, w.checksum(w.tables, w.foreign.id), "%s %s changed another tenant's rows", r.Method, r.Pattern)
	}
	require.False(t, w.flows.mentions(w.foreign.id.String()), "a workflow was asked for another tenant")
}

func query(method string, e estate) string {
	if method == http.MethodPost {
		return ""
	}
	return e.asQuery()
}

// mentions reports whether any call carried a text.
func (r *recordedFlows) mentions(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.Calls, func(call string) bool { return strings.Contains(call, text) })
}

// TestNobodyAndViewersAreHeldOff opens and sends everything as somebody not
// signed in, and as a viewer.
func TestNobodyAndViewersAreHeldOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quiet := slices.DeleteFunc(slices.Clone(w.tables), func(table string) bool {
		return strings.HasPrefix(table, "core.audit_") // refusals are recorded there
	})
	before := w.checksum(quiet, w.own.id)
	nobody, viewer := w.browser(), w.as(ownTenant, access.Viewer)
	before["core.users"] = w.checksum(quiet, w.own.id)["core.users"] // the viewer has just signed in
	others := w.ofOthers(access.Viewer)
	for _, r := range web.DeclaredRoutes() {
		if r.Pattern == "/logout" || r.Pattern == "/login" {
			continue
		}
		path, form := w.own.path(t, r.Pattern)+"?signal="+w.own.ids["telemetry.signals"], url.Values(nil)
		if r.Method == http.MethodPost {
			form = w.own.form()
		}
		name := r.Method + " " + path
		if r.Capability != access.Public {
			response := w.send(nobody, r.Method, path, form)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusSeeOther, response.StatusCode, name)
			require.True(t, strings.HasPrefix(response.Header.Get("Location"), "/login"), name)
		}
		status, body := w.do(viewer, r.Method, path, form)
		require.Less(t, status, 500, "%s\n%s", name, visible(body))
		switch {
		case r.Capability == access.SignedIn:
			require.Equal(t, others, w.ofOthers(access.Viewer), "%s changed the account of somebody else", name)
			for table := range others { // one's own account
				before[table] = w.checksum(quiet, w.own.id)[table]
			}
		case r.Capability == access.Public:
		case !access.Allows(access.Viewer, r.Capability):
			require.Equal(t, http.StatusForbidden, status, name)
		case r.Method == http.MethodPost:
			require.GreaterOrEqual(t, status, 400, "%s: a viewer changes nothing", name)
		default:
			require.Less(t, status, 400, "%s\n%s", name, visible(body))
		}
		require.Equal(t, before, w.checksum(quiet, w.own.id), "%s changed rows for a viewer", name)
	}
	require.Empty(t, w.flows.Calls)
}

// ofOthers is the checksum of what belongs to accounts, of all accounts of the
// tenant but that of the role.
func (w *world) ofOthers(role access.Role) map[string]string {
	w.Helper()
	sums := map[string]string{}
	for table, owner := range map[string]string{"core.users": "id", "core.notifications": "user_id", "core.notification_settings": "user_id"} {
		var sum string
		require.NoError(w, w.root.QueryRow(w.Context(), fmt.Sprintf(`SELECT count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM %s r WHERE tenant_id = $1 AND %s <> $2`, table, owner),
			w.own.id, w.person(ownTenant, role).ID).Scan(&sum))
		sums[table] = sum
	}
	return sums
}

// untranslated is how a page shows a key that has no text.
var untranslated = regexp.MustCompile(`\[\[[\w.]+\]\]`)

// TestEveryPageOpensForItsRoles opens every page with ids of its own tenant,
// as every role, in both languages.
func TestEveryPageOpensForItsRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, role := range access.TenantRoles() {
		client := w.as(ownTenant, role)
		w.opensAll(client, w.own, func(c access.Capability) bool { return access.Allows(role, c) })
	}
	// A one-time credential opens only for the person who made it.
	made := estate{code: w.own.code, id: w.own.id, ids: maps.Clone(w.own.ids)}
	var credential string
	require.NoError(t, w.root.QueryRow(t.Context(), `INSERT INTO core.one_time_credentials (tenant_id, user_id, ciphertext, created_by)
		SELECT $1, $2::uuid, 'sealed', id FROM core.users WHERE email = $3 RETURNING id::text`, made.id, made.ids["core.users"], seed.OwnerEmail).Scan(&credential))
	made.ids["core.one_time_credentials"] = credential
	owner := w.as("", access.PlatformOwner)
	w.opensAll(owner, made, func(c access.Capability) bool { return access.Allows(access.PlatformOwner, c) })
}

func (w *world) opensAll(client *http.Client, e estate, allowed func(access.Capability) bool) {
	w.Helper()
	for _, r := range web.DeclaredRoutes() {
		if r.Method != http.MethodGet || r.Pattern == "/login" {
			continue
		}
		for _, lang := range []string{"ar", "en"} {
			path := e.path(w, r.Pattern) + "?lang=" + lang + "&signal=" + e.ids["telemetry.signals"]
			status, body := w.get(client, path)
			switch {
			case r.Capability == access.Public, r.Capability == access.SignedIn, allowed(r.Capability):
				require.Less(w, status, 400, "%s\n%s", path, visible(body))
			default:
				require.Equal(w, http.StatusForbidden, status, path)
			}
			require.Empty(w, untranslated.FindAllString(body, -1), path)
		}
	}
}

// TestListsInBrowser checks the pages that no test of an area opens in a
// browser.
func TestListsInBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	browser := w.signedIn(ownTenant, access.TenantAdmin)
	for name, path := range map[string]string{"scenarios": "/scenarios", "inbox": "/plans", "plans": "/plans?tab=all"} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, w.srv.URL+path) })
	}
}
