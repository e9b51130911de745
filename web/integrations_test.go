package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// integrationsOf lists the integrations of a demonstration tenant.
func (f *fixture) integrationsOf(code string) []db.IntegrationOverviewRow {
	f.Helper()
	tenant := f.tenant(code)
	var rows []db.IntegrationOverviewRow
	require.NoError(f, f.db.InTenant(f.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.IntegrationOverview(ctx, tx, time.Now(), tenant.ID, nil)
		return err
	}))
	return rows
}

// listed gives an integration the tree that a listing of its source would
// find: a folder with every tag that has a rule, and more as given.
func (f *fixture) listed(code string, id uuid.UUID, more ...string) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.integration_nodes (tenant_id, integration_id, address, parent, name, path, leaf, unit, low, high, search_text, seen_at)
			SELECT $1::uuid, $2::uuid, 'folder:plant', '', 'Plant', '', false, '', NULL::float8, NULL::float8, 'plant', now()
			UNION ALL SELECT m.tenant_id, m.integration_id, m.external_tag, 'folder:plant', m.external_tag, 'Plant', true, s.unit, -1000, 100000, lower(m.external_tag), now()
			FROM core.integration_mappings m JOIN telemetry.signals s ON s.tenant_id = m.tenant_id AND s.id = m.signal_id
			WHERE m.tenant_id = $1 AND m.integration_id = $2 AND m.archived_at IS NULL
			UNION ALL SELECT $1, $2, x, 'folder:plant', x, 'Plant', true, 'psi', 0, 10, lower(x), now() FROM unnest($3::text[]) x`, tenant, id, more)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE core.integrations SET discovered_at = now() WHERE tenant_id = $1 AND id = $2`, tenant, id)
		return err
	})
}

func TestIntegrationPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, viewer := f.as("ARAMCO_DEMO", access.TenantAdmin), f.as("ARAMCO_DEMO", access.Viewer)
	engineer, reader := f.as("ARAMCO_DEMO", access.OptimizationEng), f.as("ARAMCO_DEMO", access.ReliabilityEng)
	rows := f.integrationsOf("ARAMCO_DEMO")
	first := rows[0].Integration
	base := "/integrations/" + first.ID.String()

	t.Run("list", func(t *testing.T) {
		status, body := f.get(admin, "/integrations")
		require.Equal(t, http.StatusOK, status)
		for _, x := range rows {
			require.Contains(t, body, x.Integration.Endpoint)
		}
		require.NotContains(t, body, "[[")
	})
	t.Run("roles", func(t *testing.T) {
		for path, want := range map[string][4]int{ // admin, engineer, reliability, viewer
			"/integrations": {200, 200, 200, 403}, base: {200, 200, 200, 403}, base + "/edit": {200, 403, 403, 403},
			"/integrations/new": {200, 403, 403, 403}, base + "/mappings": {200, 200, 200, 403}, base + "/mappings/rule": {200, 200, 403, 403},
		} {
			for i, c := range []*http.Client{admin, engineer, reader, viewer} {
				status, body := f.get(c, path)
				require.Equal(t, want[i], status, "%s %d", path, i)
				require.NotContains(t, body, "[[", path)
			}
		}
		status, _ := f.post(reader, base+"/test", url.Values{})
		require.Equal(t, http.StatusForbidden, status)
		status, body := f.get(reader, base)
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, body, base+"/poll")
	})
	t.Run("another tenant's is not found", func(t *testing.T) {
		foreign := "/integrations/" + f.integrationsOf("POWER_DEMO")[0].Integration.ID.String()
		for _, path := range []string{foreign, foreign + "/edit", foreign + "/mappings", foreign + "/mappings.csv", foreign + "/mappings/rule"} {
			status, _ := f.get(admin, path)
			require.Equal(t, http.StatusNotFound, status, path)
		}
		for _, path := range []string{foreign + "/edit", foreign + "/pause", foreign + "/poll", foreign + "/archive", foreign + "/test", foreign + "/mappings/rule"} {
			status, _ := f.post(admin, path, url.Values{})
			require.Equal(t, http.StatusNotFound, status, path)
		}
	})
	t.Run("test connection", func(t *testing.T) {
		status, body := f.post(engineer, base+"/test", url.Values{})
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "tl-item")
		require.NotContains(t, body, "[[")
	})
}

func TestIntegrationLifeCycle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	form := url.Values{"kind": {"simulated"}, "name": {"مختبر الزيوت"}, "c_flavour": {"rest"}, "c_endpoint": {"https://lab.example/oil"}, "c_password": {"s3cret-lab-pass"}}

	bad := url.Values{"kind": {"simulated"}, "name": {""}, "c_flavour": {"rest"}, "c_endpoint": {""}, "c_points": {"{"}}
	status, body := f.post(admin, "/integrations/new", bad)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, field := range []string{`id="e-name"`, `id="e-c_endpoint"`, `id="e-c_points"`} {
		require.Contains(t, body, field)
	}

	status, body = f.post(admin, "/integrations/test", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "t-ok")

	status, body = f.post(admin, "/integrations/new", form)
	require.Equal(t, http.StatusSeeOther, status, body)
	require.True(t, f.flows.called("ensure-integration"))
	status, body = f.post(admin, "/integrations/new", form)
	require.Equal(t, http.StatusUnprocessableEntity, status, "the name is taken")
	require.Contains(t, body, `id="e-name"`)

	var id uuid.UUID
	for _, x := range f.integrationsOf("ARAMCO_DEMO") {
		if x.Integration.Name == "مختبر الزيوت" {
			id = x.Integration.ID
		}
	}
	require.NotEqual(t, uuid.Nil, id)
	base := "/integrations/" + id.String()
	status, body = f.get(admin, base+"/edit")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "s3cret-lab-pass", "credentials are never shown again")

	edit := url.Values{"name": {"مختبر الزيوت"}, "c_flavour": {"rest"}, "c_endpoint": {"https://lab.example/oil/v2"}, "c_password": {""}}
	status, body = f.post(admin, base+"/edit", edit)
	require.Equal(t, http.StatusSeeOther, status, body)
	tenant := f.tenant("ARAMCO_DEMO").ID
	require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		sealed, err := q.ListSealedCredentials(ctx, tx, tenant, id)
		require.NoError(t, err)
		require.Len(t, sealed, 1, "an empty field keeps the credential")
		require.NotContains(t, string(sealed[0].Ciphertext), "s3cret")
		return nil
	}))

	status, _ = f.post(admin, base+"/pause", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("pause-integration"))
	status, _ = f.post(admin, base+"/pause", url.Values{})
	require.Equal(t, http.StatusConflict, status)
	status, _ = f.post(admin, base+"/poll", url.Values{})
	require.Equal(t, http.StatusConflict, status, "a paused source is not polled")
	status, _ = f.post(admin, base+"/resume", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	f.flows.Fail = fault.New(fault.Unavailable, "error.503.text")
	status, _ = f.post(admin, base+"/poll", url.Values{})
	require.Equal(t, http.StatusSeeOther, status, "the page succeeds while the engine is away")
	status, _ = f.post(admin, base+"/archive", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.get(admin, base)
	require.Equal(t, http.StatusNotFound, status)
	f.flows.Fail = nil
	status, _ = f.post(admin, "/integrations/new", form)
	require.Equal(t, http.StatusSeeOther, status, "the name of an archived integration is free again")

	report, err := f.db.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.True(t, report.Intact)
}

func TestMappingRules(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	engineer := f.as("ARAMCO_DEMO", access.OptimizationEng)
	tenant := f.tenant("ARAMCO_DEMO").ID
	id := f.integrationsOf("ARAMCO_DEMO")[0].Integration.ID
	base := "/integrations/" + id.String() + "/mappings"
	rules := func() (out []db.ListIntegrationMappingsRow) {
		require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			out, err = q.ListIntegrationMappings(ctx, tx, tenant, id)
			return err
		}))
		return out
	}
	before := rules()
	rule := before[0]

	status, csv := f.get(engineer, base+".csv")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, len(before)+1, strings.Count(csv, "\n"))
	require.Contains(t, csv, rule.IntegrationMapping.ExternalTag)

	f.listed("ARAMCO_DEMO", id)
	status, _ = f.post(engineer, base+"/"+rule.IntegrationMapping.ID.String()+"/archive", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	require.Len(t, rules(), len(before)-1)
	status, body := f.get(engineer, base+"?show=unmapped&lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "1 tag is not mapped")
	require.Contains(t, body, "Suggested")
	require.Contains(t, body, fmt.Sprintf("signal=%d", rule.IntegrationMapping.SignalID), "the suggestion is the signal that the tag names")

	form := url.Values{"fresh": {"1"}, "external_tag": {rule.IntegrationMapping.ExternalTag}, "asset": {rule.Tag}, "metric": {rule.Metric}, "factor": {"0"}, "shift": {"x"}}
	status, body = f.post(engineer, base+"/rule", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, `id="e-factor"`)
	form["factor"], form["shift"] = []string{"0.0689476"}, []string{"1"}
	status, body = f.post(engineer, base+"/rule", form)
	require.Equal(t, http.StatusSeeOther, status, body)
	status, _ = f.post(engineer, base+"/rule", form)
	require.Equal(t, http.StatusUnprocessableEntity, status, "the tag has a rule now")
	require.Len(t, rules(), len(before))

	upload := func(text string) (int, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", "rules.csv")
		require.NoError(t, err)
		_, err = part.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.srv.URL+base+"/upload", &b)
		require.NoError(t, err)
		request.Header.Set("Content-Type", w.FormDataContentType())
		response, err := engineer.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(answer)
	}
	status, body = upload(csv + "new.tag,NO-SUCH-ASSET,,temp,degC,,1,0,,\n")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "new.tag")
	require.Len(t, rules(), len(before), "one wrong line saves nothing")
	status, body = upload(csv + "new.tag," + rule.Tag + ",,brand_new_metric,degC,degF,0.5555556,-17.7778,0,120\n")
	require.Equal(t, http.StatusSeeOther, status, body)
	after := rules()
	require.Len(t, after, len(before)+1)
	for _, x := range after {
		if x.IntegrationMapping.ExternalTag == rule.IntegrationMapping.ExternalTag {
			require.InDelta(t, 1, x.IntegrationMapping.Factor, 0, "the file puts the factor back")
		}
	}
	for _, text := range []string{"", "a,b\n1,2\n", "external_tag,asset,metric\n\"open"} {
		status, body = upload(text)
		require.Equal(t, http.StatusUnprocessableEntity, status, text)
		require.Contains(t, body, `role="alert"`)
	}
}
