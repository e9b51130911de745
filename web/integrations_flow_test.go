package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
)

// named finds an integration by its name.
func (f *fixture) named(code, name string) db.Integration {
	f.Helper()
	for _, x := range f.integrationsOf(code) {
		if x.Integration.Name == name {
			return x.Integration
		}
	}
	require.Fail(f, "no integration", name)
	return db.Integration{}
}

var signingSecrets = regexp.MustCompile(`whsec_[A-Za-z0-9+/]{43}=`)

// signingSecret finds the signing secret that a page shows; pages write its
// plus signs as entities.
func signingSecret(page string) string {
	return signingSecrets.FindString(html.UnescapeString(page))
}

// A signing secret that the product makes is shown on one answer and never
// again; a new one is another.
func TestMadeSecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)

	hooked := url.Values{"kind": {"webhook"}, "name": {"Laboratory hook"}, "c_tag": {"@.tag"}, "c_time": {"@.time"}}
	spec, ok := connector.Lookup("webhook")
	require.True(t, ok)
	for _, field := range spec.Fields { // as a browser sends the form
		switch standard := field.Default.(type) {
		case string:
			hooked.Set("c_"+field.Key, standard)
		case float64:
			hooked.Set("c_"+field.Key, strconv.FormatFloat(standard, 'f', -1, 64))
		}
	}
	status, body := f.post(admin, "/integrations/new", hooked)
	require.Equal(t, http.StatusOK, status, visible(body))
	first := signingSecret(body)
	require.NotEmpty(t, first)
	hook := f.named("ARAMCO_DEMO", "Laboratory hook")
	base := "/integrations/" + hook.ID.String()
	require.Contains(t, body, "/hooks/"+hook.TenantID.String()+"/"+hook.ID.String(), "where to send messages")
	for _, path := range []string{base, base + "/edit", base + "/status"} {
		status, body = f.get(admin, path)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, signingSecret(body), path)
	}
	status, body = f.post(admin, base+"/renew", url.Values{})
	require.Equal(t, http.StatusOK, status, visible(body))
	require.NotEmpty(t, signingSecret(body))
	require.NotEqual(t, first, signingSecret(body))

	form := url.Values{"kind": {"opcua"}, "name": {"Line 4"}, "c_endpoint": {"opc.tcp://127.0.0.1:4840"}, "c_security_policy": {"Basic256Sha256"},
		"c_security_mode": {"SignAndEncrypt"}, "c_authentication": {"anonymous"}, "c_mode": {"subscribe"}}
	status, body = f.post(admin, "/integrations/new", form)
	require.Equal(t, http.StatusSeeOther, status, "a private key is not shown\n%s", visible(body))
	line := "/integrations/" + f.named("ARAMCO_DEMO", "Line 4").ID.String()
	status, body = f.get(admin, line)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "BEGIN CERTIFICATE")
	require.NotContains(t, body, "PRIVATE KEY")
	status, before := f.get(admin, line+"/certificate")
	require.Equal(t, http.StatusOK, status)

	pin := strings.Repeat("ab", 32)
	status, _ = f.post(admin, line+"/accept", url.Values{"fingerprint": {pin}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Contains(t, string(f.named("ARAMCO_DEMO", "Line 4").Config), pin)
	status, _ = f.post(admin, line+"/accept", url.Values{"fingerprint": {"not a fingerprint"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	_, after := f.get(admin, line+"/certificate")
	require.Equal(t, before, after, "what was made is kept when settings change")
	status, _ = f.post(admin, line+"/renew", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	_, after = f.get(admin, line+"/certificate")
	require.NotEqual(t, before, after)
}

// Suggestions become rules, past readings are asked for, records find their
// assets, and each of it is audited.
func TestWorkOnAnIntegration(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	engineer := f.as("ARAMCO_DEMO", access.OptimizationEng)
	tenant, id := f.tenant("ARAMCO_DEMO").ID, f.integrationsOf("ARAMCO_DEMO")[0].Integration.ID
	f.listed("ARAMCO_DEMO", id)
	f.busy("ARAMCO_DEMO", id)
	base := "/integrations/" + id.String()
	var rule db.ListIntegrationMappingsRow
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rules, err := q.ListIntegrationMappings(ctx, tx, tenant, id)
		rule = rules[0]
		return err
	})
	status, _ := f.post(engineer, base+"/mappings/"+rule.IntegrationMapping.ID.String()+"/archive", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.post(engineer, base+"/mappings/accept", url.Values{"tag": {rule.IntegrationMapping.ExternalTag, "no such tag"}})
	require.Equal(t, http.StatusSeeOther, status)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		found, err := q.FindMapping(ctx, tx, tenant, id, rule.IntegrationMapping.ExternalTag)
		require.Len(t, found, 1)
		require.Equal(t, rule.IntegrationMapping.SignalID, found[0].SignalID)
		require.NotNil(t, found[0].Low, "the range that the source declares")
		return err
	})

	status, body := f.get(engineer, base+"/mappings/nodes?node="+url.QueryEscape("folder:plant"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, rule.IntegrationMapping.ExternalTag)
	status, body = f.get(engineer, base+"/mappings/live?node="+url.QueryEscape("folder:plant"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `hx-swap-oob="true"`)
	status, body = f.get(engineer, base+"/mappings/targets?q="+url.QueryEscape(rule.Tag))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, rule.Tag)
	status, _ = f.post(engineer, base+"/mappings/discover", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("discover"))

	status, _ = f.post(engineer, base+"/backfill", url.Values{"from": {"2026-11-20T00:00"}, "to": {"2026-11-21T00:00"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("start-backfill"))
	status, _ = f.post(engineer, base+"/backfill", url.Values{"from": {"2026-11-21T00:00"}, "to": {"2026-11-20T00:00"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)

	match := url.Values{"record": {"100001"}, "record_kind": {"equipment"}, "do": {"match"}, "match_tag": {rule.Tag}, "back": {"show=unmatched"}}
	status, _ = f.post(engineer, base+"/records", match)
	require.Equal(t, http.StatusSeeOther, status)
	status, body = f.get(engineer, base+"/records?view=orders&show=matched")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "4000812", "the orders of a record follow it")
	match.Set("match_tag", "NO-SUCH")
	status, _ = f.post(engineer, base+"/records", match)
	require.Equal(t, http.StatusUnprocessableEntity, status)

	report, err := f.db.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.True(t, report.Intact)
}
