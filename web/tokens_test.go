package web_test

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

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
