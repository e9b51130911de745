package web

import (
	"context"
	"html/template"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/web/chart"
	"github.com/optria-iq/optria/web/uitest"
)

// newKit returns a renderer that also knows the page of all parts.
func newKit(t *testing.T) *Renderer {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	static, err := NewStatic()
	require.NoError(t, err)
	x, err := NewRenderer(catalog, static)
	require.NoError(t, err)
	for _, lang := range i18n.Languages() {
		page, err := x.pages[lang+"/public/change-password"]()
		require.NoError(t, err)
		kit, err := page.Clone()
		require.NoError(t, err)
		x.pages[lang+"/test/kit"] = sync.OnceValues(func() (*template.Template, error) { return kit.ParseFiles("testdata/kit.html") })
	}
	return x
}

func kitPage(x *Renderer, r *http.Request) Page {
	p := x.Page(r)
	p.User = &User{Name: "Reem Al-Harbi", Email: "reem@nawras.example", Role: p.T("role.viewer")}
	p.Tenant = &Tenant{ID: "1", Name: "Nawras", Code: "NAWRAS", Current: true}
	p.Tenants, p.Alerts, p.Synthetic, p.Title = []Tenant{*p.Tenant}, 120, true, p.T("nav.dashboard")
	p.Nav = []NavSection{{Label: "nav.operate", Items: []NavItem{{Href: "/kit", Icon: "layout-dashboard", Label: "nav.dashboard", Active: true}}}}
	p.Data = kitData(p)
	return p
}

type kitLink struct {
	Href, Label string
	Active      bool
	Count       int
}

type kitCell struct {
	N, Level  int
	Href, Tip string
	Chosen    bool
}

type kitNode struct {
	Icon, Label, Tag, Href string
	Count, Level           int
	Open, Current          bool
	Nodes                  []kitNode
}

type kitStep struct{ Label, Note, State string }

type kitEvent struct {
	Icon, Tone, Text, Note string
	Time                   time.Time
}

func kitData(p Page) map[string]any {
	dir := chart.For(p.Lang)
	now := time.Date(2026, 11, 10, 7, 0, 0, 0, time.UTC)
	var curve, high, low []chart.Point
	for i := range 40 {
		v := 50 + 12*math.Sin(float64(i)/4)
		x := float64(i)
		curve, high, low = append(curve, chart.Point{X: x, Y: v}), append(high, chart.Point{X: x, Y: v + 8}), append(low, chart.Point{X: x, Y: v - 7})
	}
	at := 1.6
	gantt := chart.GanttInput{
		Dir: dir, Alt: p.T("nav.plans"), Now: &at, LoadName: p.T("gantt.load"), Unit: p.T("gantt.hours"),
		Rows:  []chart.Row{{Tag: "K-2301", Name: p.T("asset"), Level: 5}, {Tag: "P-101A", Name: p.T("asset"), Level: 2}},
		Jobs:  []chart.Job{{ID: "a", Risk: 5, Start: 1, End: 4, Was: &[2]float64{3, 6}, Done: .4, Label: p.T("nav.plans"), Hint: p.T("cost"), Href: "/x"}, {ID: "b", Row: 1, Risk: 2, Start: 13.2, End: 13.8, Label: p.T("nav.workorders")}},
		Links: []chart.Link{{From: "a", To: "b"}},
	}
	for i := range 14 {
		day := now.AddDate(0, 0, i-2)
		gantt.Days = append(gantt.Days, chart.Day{Weekday: p.loc.Weekday(day), Number: p.loc.Int(day.Day()), Off: i == 5 || i == 6})
		gantt.Loads = append(gantt.Loads, chart.Load{Hours: float64(i * 8), Capacity: 92, Label: p.loc.Int(i * 8)})
	}
	var matrix [5][5]kitCell
	for r := range matrix {
		for c := range matrix[r] {
			matrix[r][c] = kitCell{N: r * c, Level: 1 + (4-r+c)/2, Href: "/assets", Tip: p.T("risk"), Chosen: r == c}
		}
	}
	u := &url.URL{Path: "/kit", RawQuery: "page=2"}
	pager, sorter := NewPager(u, 10, 312), NewSorter(u, "-score", "tag", "score")
	pager.Target, sorter.Target = "rows", "rows"
	return map[string]any{
		"Now": now, "Pager": pager, "Sort": sorter, "Matrix": matrix, "Gantt": chart.NewGantt(gantt),
		"Tabs":    []kitLink{{"/a", p.T("all"), true, 3}, {"/b", p.T("details"), false, 0}},
		"Options": []Option{{"a", p.T("site")}, {"b", p.T("unit")}},
		"KPIs": []map[string]any{
			{"Icon": "wallet", "Label": p.T("cost"), "Value": "4.12", "Unit": p.loc.Currency(), "Delta": "6%", "Up": false, "Good": true, "Note": p.T("today"), "Tip": p.T("brand.description"), "Href": "", "Spark": chart.NewSpark(dir, []float64{3, 5, 4, 2}), "Tone": "ok"},
			{"Icon": "factory", "Label": p.T("nav.assets"), "Value": "38", "Unit": "", "Delta": "", "Up": false, "Good": true, "Note": "", "Tip": "", "Href": "/assets", "Spark": nil, "Tone": ""},
		},
		"Plot": chart.NewPlot(chart.Input{
			Dir: dir, Alt: p.T("risk"), YFormat: func(v float64) string { return p.loc.Num(v, 0) }, Limit: &chart.Mark{At: 70, Label: p.T("chart.limit")}, Now: &chart.Mark{At: 30, Label: p.T("chart.now")}, Dot: &chart.Point{X: 30, Y: curve[30].Y},
			Lines: []chart.Line{{Class: "ln-main", Label: p.T("risk"), Points: curve}}, Areas: []chart.Area{{Class: "band", Label: p.T("unknown"), High: high, Low: low}}, XTicks: []chart.Mark{{At: 4, Label: p.loc.ShortDate(now)}, {At: 20, Label: p.loc.ShortDate(now)}},
		}),
		"Bars":   chart.NewBars(dir, p.T("cost"), []chart.Bar{{Label: p.T("nav.plans"), Total: "4.1", Best: true, Href: "/x", Parts: []chart.Part{{Class: "s1", Label: p.T("risk"), Value: 3}, {Class: "s2", Label: p.T("cost"), Value: 1.1}}}, {Label: p.T("today"), Total: "5", Note: p.T("none"), Parts: []chart.Part{{Class: "bad", Value: 5}}}}),
		"Steps":  []kitStep{{p.T("save"), "4 s", "done"}, {p.T("edit"), "", "busy"}, {p.T("confirm"), "", "next"}, {p.T("export"), "", "fail"}},
		"Events": []kitEvent{{"triangle-alert", "warn", p.T("alerts.title"), "", now}, {"check-check", "ok", p.T("save"), p.T("today"), now}},
		"Tree":   []kitNode{{Icon: "factory", Label: p.T("site"), Count: 3, Open: true, Nodes: []kitNode{{Icon: "cog", Tag: "K-2301", Label: p.T("asset"), Href: "/x", Level: 5, Current: true}, {Icon: "cog", Label: p.T("unit")}}}},
	}
}

func kitServer(t *testing.T) *httptest.Server {
	t.Helper()
	x := newKit(t)
	mux := http.NewServeMux()
	mux.Handle("/static/", x.static)
	mux.HandleFunc("GET /kit", func(w http.ResponseWriter, r *http.Request) { x.Render(w, r, http.StatusOK, "test/kit", kitPage(x, r)) })
	mux.HandleFunc("GET /part", func(w http.ResponseWriter, r *http.Request) {
		p := x.Page(r)
		p.Data, p.Toasts = 1284500, []Toast{{Tone: "ok", Title: "حُفظت الخطة"}}
		x.RenderPart(w, r, http.StatusOK, "test/kit", "kit-part", p)
	})
	srv := httptest.NewServer(uitest.Policy(Preferences(mux)))
	t.Cleanup(srv.Close)
	return srv
}

func TestKitInBrowser(t *testing.T) {
	t.Parallel()
	srv := kitServer(t)
	browser := uitest.Browser(t)
	uitest.CheckPage(t, browser, srv.URL+"/kit")
	if dir := os.Getenv("SHOTS"); dir != "" {
		uitest.Shot(t, browser, srv.URL+"/kit?lang=ar&theme=light", 1440, filepath.Join(dir, "kit-ar.png"))
		uitest.Shot(t, browser, srv.URL+"/kit?lang=en&theme=dark", 1440, filepath.Join(dir, "kit-en.png"))
		uitest.Shot(t, browser, srv.URL+"/kit?lang=ar&theme=dark", 390, filepath.Join(dir, "kit-ar-390.png"))
	}
	t.Run("htmx swaps under the policy and toasts arrive", func(t *testing.T) {
		ctx := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(srv.URL+"/kit?lang=ar"), chromedp.WaitVisible(`#main`), chromedp.Sleep(300*time.Millisecond),
			chromedp.Click(`#poke`), chromedp.WaitVisible(`#arrived`), chromedp.WaitVisible(`#toasts .toast`)))
		require.Equal(t, "1,284,500", read(ctx, t, `document.getElementById("arrived").textContent`))
		require.Equal(t, "حُفظت الخطة", read(ctx, t, `document.querySelector("#toasts [data-title]").textContent`))
	})
	t.Run("dialog opens and closes", func(t *testing.T) {
		ctx := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(srv.URL+"/kit?lang=en"), chromedp.WaitVisible(`#main`), chromedp.Sleep(200*time.Millisecond),
			chromedp.Click(`[data-dialog=stop]`), chromedp.WaitVisible(`#stop`), chromedp.Click(`#stop [data-close]`), chromedp.WaitNotVisible(`#stop`)))
	})
	for lang, side := range map[string]string{"ar": "right", "en": "left"} {
		t.Run("menu slides in from the "+side, func(t *testing.T) {
			ctx := uitest.Tab(t, browser)
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 800), chromedp.Navigate(srv.URL+"/kit?lang="+lang), chromedp.WaitVisible(`#main`), chromedp.Click(`[popovertarget=drawer]`), chromedp.WaitVisible(`#drawer a`), chromedp.Sleep(300*time.Millisecond)))
			require.Equal(t, side, read(ctx, t, `document.getElementById("drawer").getBoundingClientRect().left > 0 ? "right" : "left"`))
		})
	}
}

func read(ctx context.Context, t *testing.T, expression string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	require.NoError(t, err)
	return s
}

func TestRender(t *testing.T) {
	t.Parallel()
	x := newKit(t)
	get := func(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }
	t.Run("an error leaves no half page", func(t *testing.T) {
		t.Parallel()
		w, r := httptest.NewRecorder(), get("/kit")
		p := x.Page(r)
		p.Data = map[string]any{"Now": "not a time"}
		x.Render(w, r, http.StatusOK, "test/kit", p)
		require.Equal(t, http.StatusInternalServerError, w.Code)
		require.NotContains(t, w.Body.String(), "<html")
	})
	t.Run("data cannot carry the nonce", func(t *testing.T) {
		t.Parallel()
		r := get("/kit")
		p := kitPage(x, r)
		p.Nonce = "secret-nonce"
		p.Title = "nonce {{nonce}}"
		b, err := x.Bytes("test/kit", "layout", p)
		require.NoError(t, err)
		require.Contains(t, string(b), `nonce="secret-nonce"`)
		require.NotContains(t, string(b), x.mark)
		require.NotContains(t, string(b), "[[")
	})
	t.Run("toggles keep path and query", func(t *testing.T) {
		t.Parallel()
		p := x.Page(get("/assets?site=3&lang=ar"))
		require.Equal(t, "/assets?lang=en&site=3", p.With("lang", p.Other))
		require.Equal(t, "/assets?lang=ar", p.With("site", ""))
	})
	t.Run("choice of language sticks", func(t *testing.T) {
		t.Parallel()
		w := httptest.NewRecorder()
		var seen Page
		h := Preferences(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = x.Page(r) }))
		h.ServeHTTP(w, get("/?lang=en&theme=neon"))
		require.Equal(t, "en", seen.Lang)
		require.Equal(t, "light", seen.Theme)
		next := get("/")
		for _, c := range w.Result().Cookies() {
			require.True(t, c.HttpOnly)
			next.AddCookie(c)
		}
		h.ServeHTTP(httptest.NewRecorder(), next)
		require.Equal(t, "en", seen.Lang)
		h.ServeHTTP(httptest.NewRecorder(), get("/"))
		require.Equal(t, "ar", seen.Lang)
	})
	t.Run("toast header is ASCII", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, `"\u062d\ud83d\ude00a"`, ascii([]byte(`"ح😀a"`)))
	})
}

func TestPagerAndSorter(t *testing.T) {
	t.Parallel()
	u := &url.URL{Path: "/assets", RawQuery: "page=99&site=2&sort=drop+table"}
	p := NewPager(u, 25, 60)
	require.Equal(t, Pager{From: 51, To: 60, Total: 60, Page: 3, Size: 25, Prev: "/assets?page=2&site=2&sort=drop+table"}, p)
	require.Equal(t, 50, p.Offset())
	require.Equal(t, 0, NewPager(&url.URL{}, 25, 0).From)
	s := NewSorter(u, "-score", "tag")
	require.Equal(t, "score", s.Column)
	require.Equal(t, "descending", s.Aria("score"))
	require.Equal(t, "/assets?site=2&sort=score", s.Link("score"))
	require.Equal(t, "/assets?site=2&sort=tag", s.Link("tag"))
}

func TestStatic(t *testing.T) {
	t.Parallel()
	s, err := NewStatic()
	require.NoError(t, err)
	for path, want := range map[string]struct {
		status int
		cache  string
	}{
		s.Path("app.css"):        {200, "immutable"},
		"/static/old/app.css":    {200, "no-cache"},
		s.Path("fonts"):          {404, ""},
		s.Path("../render.go"):   {404, ""},
		"/static/app.css":        {404, ""},
		s.Path("fonts/none.ttf"): {404, ""},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, want.status, w.Code, path)
		require.True(t, strings.Contains(w.Header().Get("Cache-Control"), want.cache), path)
	}
}
