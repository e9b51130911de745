package web_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

func TestAuditShowsOwnActionsOrAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, engineer := f.as("ARAMCO_DEMO", access.TenantAdmin), f.as("ARAMCO_DEMO", access.OptimizationEng)
	viewer := f.person("ARAMCO_DEMO", access.Viewer).ID.String()
	f.leadsTo(admin, "/users/"+viewer, url.Values{"name_ar": {"سالم الأول"}, "name_en": {"Salem First"}, "language": {"en"}})
	_, page := f.get(admin, "/audit?lang=en")
	require.Contains(t, page, "Account changed")
	require.Contains(t, page, "Salem First", "after")
	require.Contains(t, page, "/users/"+viewer, "links to the account")
	_, page = f.get(engineer, "/audit?lang=en&actor="+f.person("ARAMCO_DEMO", access.TenantAdmin).ID.String())
	require.NotContains(t, page, "Salem First", "a filter in the address opens nothing")
	require.Contains(t, page, "Signed in", "own actions")
	status, _ := f.post(engineer, "/audit/verify", url.Values{})
	require.Equal(t, http.StatusForbidden, status)
	_, page = f.get(admin, "/audit?lang=en&action=user.updated&from=2001-01-01&to=2001-01-02")
	require.NotContains(t, page, "/users/"+viewer, "outside the dates")
	_, page = f.get(admin, "/audit?lang=en&action=user.updated&object=user")
	require.Contains(t, page, "Salem First")
	require.Contains(t, page, `value="failure_mode"`, "changes of failure modes can be filtered for")
	_, page = f.get(f.as("POWER_DEMO", access.TenantAdmin), "/audit?lang=en")
	require.NotContains(t, page, "Salem First")
}

func TestAuditChainNamesTheBrokenLink(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	status, page := f.post(admin, "/audit/verify", url.Values{})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "banner t-ok")

	connection, err := pgx.Connect(t.Context(), f.url)
	require.NoError(t, err)
	defer func() { require.NoError(t, connection.Close(context.WithoutCancel(t.Context()))) }()
	_, err = connection.Exec(t.Context(), `UPDATE core.audit_logs SET actor_name = 'somebody else' WHERE tenant_id = $1 AND seq = 1`, f.tenant("ARAMCO_DEMO").ID)
	require.NoError(t, err)
	status, page = f.post(admin, "/audit/verify?lang=en", url.Values{})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "broken at event 1")
}

func TestAuditExport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	viewer := f.person("ARAMCO_DEMO", access.Viewer).ID.String()
	f.leadsTo(admin, "/users/"+viewer, url.Values{"name_ar": {"سالم"}, "name_en": {"=cmd()"}, "language": {"en"}})
	status, body := f.get(admin, "/audit/export?action=user.updated")
	require.Equal(t, http.StatusOK, status)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "user.updated", rows[1][5])
	require.Len(t, rows[1][13], 64, "the hash is exported")
}

func TestAuditPagesByKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	for range 45 {
		f.leadsTo(admin, "/account/language", url.Values{"language": {"ar"}})
	}
	_, first := f.get(admin, "/audit?action=user.language_changed")
	require.Equal(t, 40, strings.Count(first, `<tr class="align-top">`))
	at := strings.Index(first, "before=")
	require.Positive(t, at)
	before := first[at+len("before="):]
	before = before[:strings.IndexAny(before, `"&`)]
	_, second := f.get(admin, "/audit?action=user.language_changed&before="+before)
	require.Equal(t, 5, strings.Count(second, `<tr class="align-top">`))
}
