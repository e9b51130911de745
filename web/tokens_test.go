package web_test

import (
	"context"
	"crypto/subtle"
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
	"github.com/optria-iq/optria/internal/token"
)

var tokenShown = regexp.MustCompile(`id="new-token"[^>]*>([^<]+)<`)

func TestTokenIsShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	tenant := f.tenant("ARAMCO_DEMO")
	form := url.Values{"account": {tenant.ServiceAccounts[0].ID.String()}, "name": {"weekly"}, "days": {"30"}, "scopes": {"runs:create", "read:results"}}
	status, page := f.post(admin, "/tokens", form)
	require.Equal(t, http.StatusOK, status, page)
	shown := tokenShown.FindStringSubmatch(page)
	require.NotNil(t, shown)
	_, page = f.get(admin, "/tokens")
	require.NotRegexp(t, tokenShown, page)
	require.NotContains(t, page, shown[1])

	c, err := token.Verify([]byte(strings.Repeat("k3Jd9fLq2Zx8", 4)), shown[1])
	require.NoError(t, err)
	require.Equal(t, tenant.ID, c.Tenant)
	require.Equal(t, tenant.ServiceAccounts[0].ID, c.User)
	require.Equal(t, []string{"read:results", "runs:create"}, c.Scopes)
	usable := func() error {
		return f.db.InTenant(t.Context(), c.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			row, err := q.GetUsableAPIToken(ctx, tx, c.Tenant, c.ID)
			if err == nil {
				require.Equal(t, 1, subtle.ConstantTimeCompare(row.APIToken.TokenHash, token.Hash(shown[1])))
			}
			return err
		})
	}
	require.NoError(t, usable())
	f.leadsTo(admin, "/tokens/"+c.ID.String()+"/revoke", url.Values{})
	require.Equal(t, fault.NotFound, fault.CodeOf(usable()))
	require.ElementsMatch(t, []string{"api_token.created", "api_token.revoked"}, f.actions(tenant.ID, c.ID.String()))
	status, _ = f.post(admin, "/tokens/"+c.ID.String()+"/revoke", url.Values{})
	require.Equal(t, http.StatusNotFound, status)
}

func TestOwnTokenReachesWhatTheRolesMay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	own := f.person("ARAMCO_DEMO", access.TenantAdmin)
	form := url.Values{"account": {own.ID.String()}, "name": {"configure"}, "days": {"30"}, "scopes": {"read:integrations"}}
	status, page := f.post(f.as("ARAMCO_DEMO", access.TenantAdmin), "/tokens", form)
	require.Equal(t, http.StatusOK, status, page)
	shown := tokenShown.FindStringSubmatch(page)
	require.NotNil(t, shown)
	body := `{"name": "from a script", "kind": "simulated", "config": {"flavour": "opcua", "endpoint": "opc.tcp://sim:4840/x"}}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.srv.URL+"/api/v1/integrations", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+shown[1])
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusCreated, answer.StatusCode)
}

func TestTokenIsChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	valid := url.Values{"account": {f.tenant("ARAMCO_DEMO").ServiceAccounts[0].ID.String()}, "name": {"weekly"}, "days": {"30"}, "scopes": {"read:results"}}
	cases := map[string]struct {
		field, value string
		status       int
	}{
		"no name":         {"name", "", http.StatusUnprocessableEntity},
		"too long":        {"days", "366", http.StatusUnprocessableEntity},
		"no time":         {"days", "0", http.StatusUnprocessableEntity},
		"no address":      {"addresses", "10.0.0.0/8, the plant", http.StatusUnprocessableEntity},
		"every address":   {"addresses", "0.0.0.0/0", http.StatusUnprocessableEntity},
		"unknown scope":   {"scopes", "approve:plans", http.StatusUnprocessableEntity},
		"another person":  {"account", f.person("ARAMCO_DEMO", access.ReliabilityEng).ID.String(), http.StatusNotFound},
		"foreign account": {"account", f.tenant("POWER_DEMO").ServiceAccounts[0].ID.String(), http.StatusNotFound},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			form := url.Values{}
			for k, v := range valid {
				form[k] = v
			}
			form.Set(c.field, c.value)
			status, page := f.post(admin, "/tokens", form)
			require.Equal(t, c.status, status)
			require.NotRegexp(t, tokenShown, page)
		})
	}
}

// callFrom asks the API with a token from the n-th address of this machine, with a
// header that claims another one, and returns the status.
func (f *fixture) callFrom(n int, raw, claimed string) int {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.srv.URL+"/api/v1/plans", nil)
	require.NoError(f, err)
	request.Header.Set("Authorization", "Bearer "+raw)
	for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"} {
		request.Header.Set(header, claimed)
	}
	answer, err := clientAt(f, n).Do(request)
	require.NoError(f, err)
	require.NoError(f, answer.Body.Close())
	return answer.StatusCode
}

func TestTokenWorksFromItsAddressesOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	form := url.Values{"account": {f.tenant("ARAMCO_DEMO").ServiceAccounts[0].ID.String()}, "name": {"weekly"}, "days": {"30"}, "scopes": {"read:results"},
		"addresses": {"127.0.1.8, 2001:db8::/32"}}
	status, page := f.post(admin, "/tokens", form)
	require.Equal(t, http.StatusOK, status, page)
	raw := tokenShown.FindStringSubmatch(page)[1]
	require.Equal(t, http.StatusOK, f.callFrom(7, raw, "203.0.113.9"))
	require.Equal(t, http.StatusUnauthorized, f.callFrom(8, raw, "127.0.1.8"), "a header does not stand for the peer")
	_, page = f.get(admin, "/tokens?lang=en")
	require.Contains(t, page, "2001:db8::/32")
	require.Equal(t, 2, strings.Count(page, "127.0.1.8"), "as allowed address and as the last one used")
}

func TestRotationOverlaps(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, tenant := f.as("ARAMCO_DEMO", access.TenantAdmin), f.tenant("ARAMCO_DEMO")
	form := url.Values{"account": {tenant.ServiceAccounts[0].ID.String()}, "name": {"weekly"}, "days": {"30"}, "scopes": {"read:results"}, "addresses": {"127.0.1.8"}}
	_, page := f.post(admin, "/tokens", form)
	first := tokenShown.FindStringSubmatch(page)[1]
	old, err := token.Verify([]byte(strings.Repeat("k3Jd9fLq2Zx8", 4)), first)
	require.NoError(t, err)
	rotate := "/tokens/" + old.ID.String() + "/rotate"
	for _, wrong := range []url.Values{{"days": {"30"}, "overlap": {"8"}}, {"days": {"0"}, "overlap": {"7"}}, {"days": {"many"}, "overlap": {"7"}}, {"days": {"30"}}} {
		status, page := f.post(admin, rotate, wrong)
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.NotRegexp(t, tokenShown, page)
	}
	status, page := f.post(admin, rotate, url.Values{"days": {"60"}, "overlap": {"3"}})
	require.Equal(t, http.StatusOK, status, page)
	second := tokenShown.FindStringSubmatch(page)[1]
	next, err := token.Verify([]byte(strings.Repeat("k3Jd9fLq2Zx8", 4)), second)
	require.NoError(t, err)
	require.Equal(t, old.User, next.User)
	require.Equal(t, old.Scopes, next.Scopes)
	require.Equal(t, http.StatusOK, f.callFrom(7, first, ""), "both are valid in the overlap")
	require.Equal(t, http.StatusOK, f.callFrom(7, second, ""))
	require.Equal(t, http.StatusUnauthorized, f.callFrom(8, second, ""), "the addresses are inherited")
	status, _ = f.post(admin, rotate, url.Values{"days": {"60"}, "overlap": {"3"}})
	require.Equal(t, http.StatusConflict, status, "a token is replaced once")
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, id uuid.UUID) error {
		tag, err := tx.Exec(ctx, "UPDATE core.api_tokens SET expires_at = expires_at - interval '3 days' WHERE tenant_id = $1 AND id = $2", id, old.ID)
		require.EqualValues(t, 1, tag.RowsAffected())
		return err
	})
	require.Equal(t, http.StatusUnauthorized, f.callFrom(7, first, ""), "the old one ends after the overlap")
	require.Equal(t, http.StatusOK, f.callFrom(7, second, ""))
	require.ElementsMatch(t, []string{"api_token.created", "api_token.rotated"}, f.actions(tenant.ID, old.ID.String()))
	for _, role := range []access.Role{access.Viewer, access.OptimizationEng} {
		status, _ = f.post(f.as("ARAMCO_DEMO", role), "/tokens/"+next.ID.String()+"/rotate", url.Values{"days": {"60"}, "overlap": {"3"}})
		require.Equal(t, http.StatusForbidden, status)
	}
	status, _ = f.post(f.as("POWER_DEMO", access.TenantAdmin), "/tokens/"+next.ID.String()+"/rotate", url.Values{"days": {"60"}, "overlap": {"3"}})
	require.Equal(t, http.StatusNotFound, status)
}
