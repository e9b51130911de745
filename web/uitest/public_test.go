package uitest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/web/uitest"
)

// screens are the public pages with the data that shows most of each.
var screens = map[string]struct {
	page   string
	status int
	data   func(web.Page) any
	signed bool
}{
	"landing": {"public/landing", 200, func(p web.Page) any { return web.NewLandingView(p) }, false},
	"login": {"public/login", 401, func(p web.Page) any {
		return web.LoginView{User: "reem", Error: p.T("login.invalid")}
	}, false},
	"password": {"public/change-password", 422, func(p web.Page) any {
		return web.PasswordView{Forced: true, Errors: map[string]string{"new": p.T("password.short")}}
	}, true},
	"demo": {"public/demo-request", 422, func(p web.Page) any {
		return web.DemoView{Industries: web.Industries(p), Errors: map[string]string{"email": p.T("field.email")}}
	}, false},
	"error":  {"public/error", 404, func(web.Page) any { return web.ErrorView{Status: 404, RequestID: "8f1c2d"} }, false},
	"denied": {"public/error", 403, func(web.Page) any { return web.ErrorView{Status: 403, RequestID: "8f1c2d"} }, true},
}

func signIn(p *web.Page) {
	ar := p.Lang == i18n.Arabic
	name, tenant := "Reem Al-Harbi", "Nawras Petrochemicals"
	if ar {
		name, tenant = "ريم الحربي", "نورس للبتروكيماويات"
	}
	p.User = &web.User{Name: name, Email: "reem@nawras.example", Role: p.T("role.tenant_admin")}
	p.Tenant = &web.Tenant{ID: "1", Name: tenant, Code: "NAWRAS", Note: p.N("count.sites", 3), Current: true}
	p.Tenants = []web.Tenant{*p.Tenant, {ID: "2", Name: "Sahel Power", Code: "SAHEL"}}
	p.Alerts, p.Synthetic = 4, true
	p.Break = &web.BreakGlass{Tenant: tenant, Reason: "INC-204", Until: time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)}
	p.Toasts = []web.Toast{{Tone: "ok", Title: p.T("demo.sent"), Text: p.T("demo.sent.text")}}
	p.Nav = []web.NavSection{
		{Label: "nav.operate", Items: []web.NavItem{{Href: "/dashboard", Icon: "layout-dashboard", Label: "nav.dashboard", Active: true}, {Href: "/assets", Icon: "factory", Label: "nav.assets"}, {Href: "/plans", Icon: "clipboard-check", Label: "nav.plans", Count: 3}}},
		{Label: "nav.admin", Items: []web.NavItem{{Href: "/users", Icon: "users", Label: "nav.users"}, {Href: "/audit", Icon: "scroll-text", Label: "nav.audit"}}},
	}
	p.Crumbs = []web.Crumb{{Href: "/dashboard", Label: p.T("nav.dashboard")}, {Label: "PL-0418", Tag: true}}
}

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	static, err := web.NewStatic()
	require.NoError(t, err)
	x, err := web.NewRenderer(catalog, static)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/static/", static)
	for name, s := range screens {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			p := x.Page(r)
			if s.signed {
				signIn(&p)
			}
			p.Title, p.Data = p.T("landing.title"), s.data(p)
			x.Render(w, r, s.status, s.page, p)
		})
	}
	srv := httptest.NewServer(uitest.Policy(web.Preferences(mux)))
	t.Cleanup(srv.Close)
	return srv
}

func TestPublicPages(t *testing.T) {
	srv := serve(t)
	browser := uitest.Browser(t)
	for name := range screens {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, srv.URL+"/"+name)
			shots(t, browser, srv.URL, name)
		})
	}
}

// shots keeps pictures in the folder that SHOTS names, for a person to judge.
func shots(t *testing.T, browser context.Context, base, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	for _, v := range []struct {
		lang, theme string
		width       int64
	}{{"ar", "light", 1440}, {"en", "dark", 1440}, {"ar", "dark", 390}, {"en", "light", 390}} {
		address := fmt.Sprintf("%s/%s?lang=%s&theme=%s", base, name, v.lang, v.theme)
		uitest.Shot(t, browser, address, v.width, filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%d.png", name, v.lang, v.theme, v.width)))
	}
}
