package web_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/config"
	_ "github.com/optria-iq/optria/internal/connector/all"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/fault"
	_ "github.com/optria-iq/optria/internal/optimize/all"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/workflows"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// password is that of every account of the fixture.
const password = "Correct-horse-battery-9"

// seeded is a migrated database with the demonstration tenants and a week of
// telemetry.
var seeded = testkit.Template{Key: "web", Build: func(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = seed.Run(ctx, d, seed.Options{Epoch: time.Now(), History: 7 * 24 * time.Hour, Period: time.Hour, Password: password, Log: slog.New(slog.DiscardHandler)})
	return err
}}

// fixture is the whole web tier on a seeded database with a workflow client
// that only remembers what it was asked.
type fixture struct {
	testing.TB
	srv   *httptest.Server
	db    *db.DB
	url   string
	flows *recordedFlows
	demo  *demo.Content
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureOn(t, seeded)
}

// newFixtureOn starts from another database.
func newFixtureOn(t testing.TB, start testkit.Template) *fixture {
	t.Helper()
	address := testkit.Database(t, start)
	d, err := db.Open(t.Context(), address, db.Config{MaxConns: 6, PlatformConns: 2})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	content, err := demo.Load()
	require.NoError(t, err)
	f := &fixture{TB: t, db: d, url: address, flows: &recordedFlows{}, demo: content}
	server, err := web.New(web.Deps{Config: config.Config{JWTSecret: []byte(strings.Repeat("k3Jd9fLq2Zx8", 4)), Demo: true, SolverThreads: 1}, DB: d,
		Workflows: f.flows, Box: box, Dialer: &net.Dialer{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	f.srv = httptest.NewServer(server.Handler())
	t.Cleanup(f.srv.Close)
	return f
}

// browser is an HTTP client that keeps cookies and does not follow redirects.
func (f *fixture) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(f, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// as signs in the person who holds a role in a demonstration tenant, or the
// platform owner when tenant is empty.
func (f *fixture) as(tenant string, role access.Role) *http.Client {
	f.Helper()
	email := seed.OwnerEmail
	if tenant != "" {
		email = f.person(tenant, role).Email
	}
	c := f.browser()
	status, body := f.post(c, "/login", url.Values{"user": {email}, "password": {password}})
	require.Equal(f, http.StatusSeeOther, status, body)
	return c
}

func (f *fixture) tenant(code string) *demo.Tenant {
	f.Helper()
	t, ok := f.demo.Tenant(code)
	require.True(f, ok, code)
	return t
}

func (f *fixture) person(tenant string, role access.Role) demo.Person {
	f.Helper()
	for _, p := range f.tenant(tenant).People {
		if p.Role == string(role) {
			return p
		}
	}
	require.Fail(f, "nobody has the role", "%s in %s", role, tenant)
	return demo.Person{}
}

func (f *fixture) get(c *http.Client, path string) (int, string) {
	f.Helper()
	return f.do(c, http.MethodGet, path, nil)
}

func (f *fixture) post(c *http.Client, path string, form url.Values) (int, string) {
	f.Helper()
	return f.do(c, http.MethodPost, path, form)
}

func (f *fixture) do(c *http.Client, method, path string, form url.Values) (int, string) {
	f.Helper()
	response := f.send(c, method, path, form)
	body, err := io.ReadAll(response.Body)
	require.NoError(f, err)
	require.NoError(f, response.Body.Close())
	return response.StatusCode, string(body)
}

// send leaves the answer open; the caller closes its body.
func (f *fixture) send(c *http.Client, method, path string, form url.Values) *http.Response {
	f.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(f.Context(), method, f.srv.URL+path, body)
	require.NoError(f, err)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := c.Do(request)
	require.NoError(f, err)
	return response
}

// recordedFlows notes what the web tier asks of workflows; Fail is answered
// to every request when set.
type recordedFlows struct {
	mu       sync.Mutex
	Calls    []string
	Fail     error
	timeline func(workflowID string) (workflows.Timeline, error)
	preview  func(tenant, asset uuid.UUID, change reliability.Change) (reliability.Preview, error)
	dryRun   func(tenant, plan uuid.UUID) (workflows.DryRun, error) // answers PreviewRelease
}

func (r *recordedFlows) note(call string, ids ...uuid.UUID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		call += " " + id.String()
	}
	r.Calls = append(r.Calls, call)
	return r.Fail
}

// called reports whether a call that begins with prefix was made.
func (r *recordedFlows) called(prefix string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.Calls {
		if strings.HasPrefix(c, prefix) {
			return true
		}
	}
	return false
}

func (r *recordedFlows) StartOptimization(_ context.Context, tenant, run uuid.UUID) error {
	return r.note("start-optimization", tenant, run)
}

func (r *recordedFlows) StopOptimization(_ context.Context, tenant, run uuid.UUID) error {
	return r.note("stop-optimization", tenant, run)
}

func (r *recordedFlows) CancelOptimization(_ context.Context, tenant, run uuid.UUID) error {
	return r.note("cancel-optimization", tenant, run)
}

func (r *recordedFlows) StartApproval(_ context.Context, tenant, plan uuid.UUID) error {
	return r.note("start-approval", tenant, plan)
}

func (r *recordedFlows) Decide(_ context.Context, tenant, plan uuid.UUID, _ string, d workflows.Decision) (workflows.PlanState, error) {
	return workflows.PlanState{State: d.Kind, Seq: 1}, r.note("decide "+d.Kind, tenant, plan)
}

func (r *recordedFlows) StartRerun(_ context.Context, tenant, rerun uuid.UUID) error {
	return r.note("rerun", tenant, rerun)
}

func (r *recordedFlows) StartRecurring(_ context.Context, f recurrence.Firing) error {
	return r.note("recurring "+f.Cause, f.TenantID, f.ScheduleID, *f.By) // pages start nothing in nobody's name
}

func (r *recordedFlows) EnsureRecurring(_ context.Context, t recurrence.Trigger) error {
	return r.note("ensure-recurring", t.TenantID, t.ID)
}

func (r *recordedFlows) StartBacktest(_ context.Context, tenant, backtest uuid.UUID) error {
	return r.note("backtest", tenant, backtest)
}

func (r *recordedFlows) StartTraining(_ context.Context, tenant, run uuid.UUID) error {
	return r.note("start-training", tenant, run)
}

func (r *recordedFlows) StartRelease(_ context.Context, tenant, plan uuid.UUID) error {
	return r.note("start-release", tenant, plan)
}

func (r *recordedFlows) ResolveRelease(_ context.Context, tenant, plan uuid.UUID, _ string, _ workflows.Resolution) (string, error) {
	return "running", r.note("resolve-release", tenant, plan)
}

// PreviewRelease answers with dryRun, or an empty dry run when there is none.
func (r *recordedFlows) PreviewRelease(_ context.Context, tenant, plan, _ uuid.UUID) (workflows.DryRun, error) {
	if err := r.note("preview-release", tenant, plan); err != nil || r.dryRun == nil {
		return workflows.DryRun{}, err
	}
	return r.dryRun(tenant, plan)
}

func (r *recordedFlows) ReconcileNow(_ context.Context, tenant uuid.UUID) error {
	return r.note("reconcile-now", tenant)
}

func (r *recordedFlows) StartSweep(_ context.Context, tenant uuid.UUID) error {
	return r.note("start-sweep", tenant)
}

// PreviewEdit answers with preview, or an empty preview when there is none.
func (r *recordedFlows) PreviewEdit(_ context.Context, tenant, asset uuid.UUID, change reliability.Change) (reliability.Preview, error) {
	if err := r.note("preview-edit", tenant, asset); err != nil || r.preview == nil {
		return reliability.Preview{AssetID: asset, NoPlanKey: "runs.no_assets"}, err
	}
	return r.preview(tenant, asset, change)
}

func (r *recordedFlows) EnsureTenantSchedules(_ context.Context, tenant uuid.UUID, _ []uuid.UUID) error {
	return r.note("ensure-tenant", tenant)
}

func (r *recordedFlows) EnsureIntegrationSchedule(_ context.Context, tenant, integration uuid.UUID) error {
	return r.note("ensure-integration", tenant, integration)
}

func (r *recordedFlows) PauseIntegration(_ context.Context, tenant, integration uuid.UUID, paused bool) error {
	if paused {
		return r.note("pause-integration", tenant, integration)
	}
	return r.note("resume-integration", tenant, integration)
}

func (r *recordedFlows) PollNow(_ context.Context, tenant, integration uuid.UUID) error {
	return r.note("poll-now", tenant, integration)
}

func (r *recordedFlows) Discover(_ context.Context, tenant, integration uuid.UUID) error {
	return r.note("discover", tenant, integration)
}

func (r *recordedFlows) StartBackfill(_ context.Context, tenant, integration uuid.UUID) error {
	return r.note("start-backfill", tenant, integration)
}

func (r *recordedFlows) Alive(context.Context) (workflows.Liveness, error) {
	return workflows.Liveness{Pollers: map[string]int{workflows.QueueControl: 1, workflows.QueueIngest: 1, workflows.QueueScoring: 1, workflows.QueueSolve: 1, workflows.QueueTraining: 1}, LastUpkeep: time.Now()}, r.note("alive")
}

func (r *recordedFlows) ExecutionURL(*url.URL, string) string { return "" }

func (r *recordedFlows) TenantURL(*url.URL, uuid.UUID) string { return "" }

// Timeline answers with timeline, or that the engine knows no such workflow.
func (r *recordedFlows) Timeline(_ context.Context, workflowID string) (workflows.Timeline, error) {
	if r.timeline == nil {
		return workflows.Timeline{}, fault.New(fault.NotFound, workflows.KeyNoHistory)
	}
	return r.timeline(workflowID)
}
