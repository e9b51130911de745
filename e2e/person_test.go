package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// email is the address of the person who holds a role in a demonstration
// tenant.
func (s *stack) email(t *testing.T, tenant string, role access.Role) string {
	t.Helper()
	content, ok := s.demo.Tenant(tenant)
	require.True(t, ok, tenant)
	for _, p := range content.People {
		if p.Role == string(role) {
			return p.Email
		}
	}
	require.Fail(t, "nobody has the role", "%s in %s", role, tenant)
	return ""
}

// tenantID is the id of a demonstration tenant.
func (s *stack) tenantID(t *testing.T, code string) uuid.UUID {
	t.Helper()
	content, ok := s.demo.Tenant(code)
	require.True(t, ok, code)
	return content.ID
}

// count returns the single number that a query gives within a tenant, whose
// id is its first argument. It fails while the database is away.
func (s *stack) count(ctx context.Context, tenant uuid.UUID, query string, args ...any) (n int, err error) {
	err = s.db.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, query, append([]any{tenant}, args...)...).Scan(&n)
	})
	return n, err
}

// content is the hash of what a plan asks to be decided on, as its page shows it.
func (s *stack) content(t *testing.T, plan uuid.UUID) (hash string) {
	t.Helper()
	tenant := s.tenantID(t, plant)
	require.NoError(t, s.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT encode(content_sha256, 'hex') FROM optimization.plans WHERE tenant_id = $1 AND id = $2`, tenant, plan).Scan(&hash)
	}))
	return hash
}

// await asks again until a condition holds. It stays on the goroutine of the
// test, so the condition may fail the test.
func await(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); {
		require.True(t, time.Now().Before(deadline), "not within %v: %s", limit, what)
		time.Sleep(50 * time.Millisecond)
	}
}

// person is somebody signed in who sends forms, without a browser.
type person struct {
	*testing.T
	stack  *stack
	client *http.Client
}

// signIn opens a session.
func (s *stack) signIn(t *testing.T, tenant string, role access.Role) person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := person{t, s, &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	p.sends("/login", url.Values{"user": {s.email(t, tenant, role)}, "password": {s.password}})
	return p
}

func (p person) do(method, path string, form url.Values) (*http.Response, string) {
	p.Helper()
	request, err := http.NewRequestWithContext(p.Context(), method, p.stack.base+path, strings.NewReader(form.Encode()))
	require.NoError(p, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := p.client.Do(request)
	require.NoError(p, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(p, err)
	require.NoError(p, response.Body.Close())
	return response, string(body)
}

// opens reads a page that must be there.
func (p person) opens(path string) string {
	p.Helper()
	response, body := p.do(http.MethodGet, path, nil)
	require.Equal(p, http.StatusOK, response.StatusCode, "%s\n%s", path, body)
	return body
}

// sends posts a form that must be accepted and returns where it leads.
func (p person) sends(path string, form url.Values) string {
	p.Helper()
	response, body := p.do(http.MethodPost, path, form)
	require.Equal(p, http.StatusSeeOther, response.StatusCode, "%s\n%s", path, body)
	return response.Header.Get("Location")
}

// isRefused posts a form that must be answered with a status of its own.
func (p person) isRefused(path string, form url.Values, status int) {
	p.Helper()
	response, body := p.do(http.MethodPost, path, form)
	require.Equal(p, status, response.StatusCode, "%s\n%s", path, body)
}

// requestRun sends the form of a new scenario and returns the run's id.
func (p person) requestRun(seconds string) uuid.UUID {
	p.Helper()
	form := url.Values{"key": {uuid.NewString()}, "problem": {"maintenance_prioritization"}, "title": {p.Name()}, "horizon": {"30"}, "limit": {seconds},
		"start": {time.Now().AddDate(0, 0, 1).Format(time.DateOnly)}}
	for _, field := range []string{"one_train_out", "preset.cheapest", "preset.balanced", "preset.lowest_risk"} {
		form.Set("f_maintenance_prioritization."+field, "on")
	}
	first := p.sends("/scenarios/new", form)
	require.Equal(p, first, p.sends("/scenarios/new", form), "a form sent twice leads to one run")
	return idAfter(p, first, "/runs/")
}

// idAfter reads the id at the end of an address.
func idAfter(t require.TestingT, address, prefix string) uuid.UUID {
	text, ok := strings.CutPrefix(address, prefix)
	require.True(t, ok, address)
	id, err := uuid.Parse(text)
	require.NoError(t, err, address)
	return id
}
