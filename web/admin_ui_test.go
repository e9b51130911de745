package web_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

// browserAs signs a person in to a real browser through the sign-in page.
func (f *fixture) browserAs(email string) context.Context {
	f.Helper()
	browser := uitest.Browser(f)
	f.signIn(uitest.Tab(f, browser), email)
	return browser
}

// picture keeps a page in the folder that SHOTS names, for a person to judge.
func picture(t *testing.T, browser context.Context, address, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	uitest.Shot(t, browser, address+mark+"lang=ar&theme=light", 1440, filepath.Join(dir, name+"-ar.png"))
	uitest.Shot(t, browser, address+mark+"lang=en&theme=dark", 1440, filepath.Join(dir, name+"-en.png"))
	uitest.Shot(t, browser, address+mark+"lang=ar&theme=light", 390, filepath.Join(dir, name+"-390.png"))
}

func TestAdministrationInABrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	tenant := f.tenant("ARAMCO_DEMO")
	viewer, engineer := f.person("ARAMCO_DEMO", access.Viewer), f.person("ARAMCO_DEMO", access.OptimizationEng)
	f.leadsTo(admin, "/users/"+engineer.ID.String()+"/roles", url.Values{"roles": {"tenant_admin", "optimization_engineer"}})
	for _, name := range []string{"Weekly plan", "Write-back"} {
		_, _ = f.post(admin, "/tokens", url.Values{"account": {tenant.ServiceAccounts[0].ID.String()}, "name": {name}, "days": {"90"}, "scopes": {"read:results", "runs:create"}})
	}
	browser := f.browserAs(f.person("ARAMCO_DEMO", access.TenantAdmin).Email)
	for name, path := range map[string]string{"users": "/users", "services": "/users?kind=service", "user-new": "/users/new", "user": "/users/" + engineer.ID.String(), "access": "/access",
		"tokens": "/tokens", "audit": "/audit", "account": "/account",
		"credential": f.leadsTo(admin, "/users/"+viewer.ID.String()+"/password", url.Values{})} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			picture(t, browser, f.srv.URL+path, name)
		})
	}
}

func TestPlatformInABrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := f.tenant("ARAMCO_DEMO").ID.String()
	owner := f.as("", access.PlatformOwner)
	f.leadsTo(owner, "/tenants/"+tenant+"/enter", url.Values{"reason": {"Support ticket 4711 about late readings"}})
	browser := f.browserAs(seed.OwnerEmail)
	for name, path := range map[string]string{"tenants": "/tenants", "tenant-new": "/tenants/new", "tenant": "/tenants/" + tenant, "health": "/health", "requests": "/demo-requests"} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			picture(t, browser, f.srv.URL+path, name)
		})
	}
}
