package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

// sealKeys are those of the web tier of the fixture.
func sealKeys(t testing.TB) seal.Keys {
	t.Helper()
	key, err := seal.DeriveKey([]byte(strings.Repeat("k3Jd9fLq2Zx8", 4)))
	require.NoError(t, err)
	return seal.Keys{key.Public()}
}

// upload sends a file to the public page.
func (f *fixture) upload(c *http.Client, file []byte) (int, string) {
	f.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", "file")
	require.NoError(f, err)
	_, err = part.Write(file)
	require.NoError(f, err)
	require.NoError(f, w.Close())
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.srv.URL+"/verify?lang=en", &body)
	require.NoError(f, err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	answer, err := c.Do(r)
	require.NoError(f, err)
	page, err := io.ReadAll(answer.Body)
	require.NoError(f, err)
	require.NoError(f, answer.Body.Close())
	return answer.StatusCode, string(page)
}

func TestDossier(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, id := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	plan := id.String()
	viewer := f.as("ARAMCO_DEMO", access.Viewer)
	for _, form := range []string{"html", "pdf"} {
		for _, lang := range []string{"ar", "en"} {
			status, file := f.post(viewer, "/plans/"+plan+"/dossier", url.Values{"format": {form}, "language": {lang}})
			require.Equal(t, http.StatusOK, status, file)
			report := seal.Check([]byte(file), sealKeys(t))
			require.Equal(t, seal.Authentic, report.Verdict)
			subject, err := dossier.ReadSubject(*report.Seal)
			require.NoError(t, err)
			require.Equal(t, plan, subject.Plan)
			require.Equal(t, f.tenant("ARAMCO_DEMO").ID.String(), subject.Tenant)

			status, page := f.upload(f.browser(), []byte(file))
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, page, "Authentic, unchanged")
			require.Contains(t, page, plan)
			require.NotContains(t, page, "handed out", "nobody learns more than the file says")
			_, page = f.upload(viewer, []byte(file))
			require.Contains(t, page, "This file was handed out")
			require.Contains(t, page, "The events of the file match")
			_, page = f.upload(f.as("POWER_DEMO", access.TenantAdmin), []byte(file))
			require.NotContains(t, page, "handed out", "another organisation learns nothing either")
			changed := []byte(file)
			changed[report.Seal.Pieces[1].Offset+3] ^= 1
			_, page = f.upload(viewer, changed)
			require.Contains(t, page, "The file was changed")
			require.Contains(t, page, "differs at byte")
		}
	}
	_, page := f.get(viewer, "/plans/"+plan+"/dossier?lang=en")
	require.Equal(t, 4, strings.Count(page, "<tr><td>"), "four files were handed out")
	_, page = f.get(f.as("ARAMCO_DEMO", access.TenantAdmin), "/audit?lang=en&action=dossier.created")
	require.Contains(t, page, "Made a sealed plan dossier")

	for _, asked := range []url.Values{{"format": {"docx"}, "language": {"ar"}}, {"format": {"pdf"}, "language": {"fr"}}, nil} {
		status, _ := f.post(viewer, "/plans/"+plan+"/dossier", asked)
		require.Equal(t, http.StatusUnprocessableEntity, status)
	}
	status, _ := f.post(f.as("POWER_DEMO", access.TenantAdmin), "/plans/"+plan+"/dossier", url.Values{"format": {"pdf"}, "language": {"ar"}})
	require.Equal(t, http.StatusNotFound, status)
}

func TestLiveRecordsShowATamperedLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, id := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	plan := id.String()
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	_, file := f.post(admin, "/plans/"+plan+"/dossier", english)
	_, page := f.upload(admin, []byte(file))
	require.Contains(t, page, "The events of the file match")
	require.Equal(t, int64(1), f.asOwner(`UPDATE core.audit_logs SET actor_name = 'x' WHERE tenant_id = $1 AND object_id = $2 AND action = 'plan.proposed'`, f.tenant("ARAMCO_DEMO").ID, plan))
	_, page = f.upload(admin, []byte(file))
	require.Contains(t, page, "is no longer as the file has it")
}

// english is a dossier to read in a test.
var english = url.Values{"format": {"html"}, "language": {"en"}}

// asOwner runs a statement as somebody who holds the database, past all rules,
// and returns how many rows it met.
func (f *fixture) asOwner(sql string, args ...any) int64 {
	f.Helper()
	connection, err := pgx.Connect(f.Context(), f.url)
	require.NoError(f, err)
	defer func() { require.NoError(f, connection.Close(context.WithoutCancel(f.Context()))) }()
	met, err := connection.Exec(f.Context(), sql, args...)
	require.NoError(f, err)
	return met.RowsAffected()
}

// TestDossierRefusesWhatWasAltered: figures are printed only while they have
// the hashes that are printed beside them.
func TestDossierRefusesWhatWasAltered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run, id := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	viewer, tenant := f.as("ARAMCO_DEMO", access.Viewer), f.tenant("ARAMCO_DEMO").ID
	page := "/plans/" + id.String() + "/dossier"
	status, file := f.post(viewer, page, english)
	require.Equal(t, http.StatusOK, status)
	report := seal.Check([]byte(file), sealKeys(t))
	subject, err := dossier.ReadSubject(*report.Seal)
	require.NoError(t, err)
	require.Len(t, subject.Output, 64)
	require.Len(t, subject.Manifest, 64)
	const lower = ` SET output = jsonb_set(output, '{certificate,objective}', '1') WHERE tenant_id = $1 AND run_id = $2 AND preset = $3`
	for _, c := range []struct {
		what, alter, says string
		args              []any
	}{
		{"of the plan", `UPDATE optimization.optimization_scenarios` + lower, "The results of this run do not have the hash", []any{tenant, run, "balanced"}},
		{"of an alternative", `UPDATE optimization.optimization_scenarios` + lower, "The results of this run do not have the hash", []any{tenant, run, "cheapest"}},
		{"input", `UPDATE optimization.optimization_runs SET input = jsonb_set(input, '{days}', '31') WHERE tenant_id = $1 AND id = $2`, "The input of this run does not have its hash", []any{tenant, run}},
		{"manifest", `UPDATE optimization.optimization_runs SET manifest = replace(manifest, '"seed":7', '"seed":8') WHERE tenant_id = $1 AND id = $2`, "The manifest of this run does not have its hash", []any{tenant, run}},
	} {
		f.asOwner(`CREATE TABLE public.kept_scenarios AS SELECT id, output FROM optimization.optimization_scenarios`)
		f.asOwner(`CREATE TABLE public.kept_runs AS SELECT id, input, manifest FROM optimization.optimization_runs`)
		require.Equal(t, int64(1), f.asOwner(c.alter, c.args...), c.what)
		status, page := f.post(viewer, page+"?lang=en", english)
		require.Equal(t, http.StatusConflict, status, c.what)
		require.Contains(t, page, c.says, c.what)
		f.asOwner(`UPDATE optimization.optimization_scenarios s SET output = k.output FROM public.kept_scenarios k WHERE k.id = s.id`)
		f.asOwner(`UPDATE optimization.optimization_runs r SET input = k.input, manifest = k.manifest FROM public.kept_runs k WHERE k.id = r.id`)
		f.asOwner(`DROP TABLE public.kept_scenarios, public.kept_runs`)
	}
	status, _ = f.post(viewer, page, english)
	require.Equal(t, http.StatusOK, status, "all is as it was")
	_, handed := f.get(viewer, page+"?lang=en")
	require.Equal(t, 2, strings.Count(handed, "<tr><td>"), "what is refused is not recorded")
}

// TestDossierKeepsWhatConcernsThePlan: neither its own downloads nor a long
// record of the run push the proposal out, and a list that is cut says so.
func TestDossierKeepsWhatConcernsThePlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run := f.finishedRun("ARAMCO_DEMO", access.ReliabilityEng)
	viewer, tenant := f.as("ARAMCO_DEMO", access.Viewer), f.tenant("ARAMCO_DEMO").ID
	require.Equal(t, int64(600), f.asOwner(`INSERT INTO core.audit_logs (tenant_id, seq, occurred_at, actor_kind, actor_name, action, object_type, object_id, prev_hash, hash)
		SELECT tenant_id, seq + n, now(), 'system', 'test', 'run.rerun_requested', 'run', $2, hash, hash FROM core.audit_heads, generate_series(1, 600) n WHERE tenant_id = $1`, tenant, run.String()))
	f.asOwner(`UPDATE core.audit_heads SET seq = seq + 600 WHERE tenant_id = $1`, tenant)
	status, target := f.location(f.as("ARAMCO_DEMO", access.OptimizationEng), "/runs/"+run.String()+"/propose", url.Values{"scenario": {"balanced"}})
	require.Equal(t, http.StatusSeeOther, status)
	for range 2 {
		status, file := f.post(viewer, target+"/dossier", english)
		require.Equal(t, http.StatusOK, status)
		report := seal.Check([]byte(file), sealKeys(t))
		subject, err := dossier.ReadSubject(*report.Seal)
		require.NoError(t, err)
		require.Len(t, subject.Audit, 500)
		require.Contains(t, file, "The list is cut")
		require.Contains(t, file, "Plan proposed")
		require.NotContains(t, file, "Made a sealed plan dossier")
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	nobody := f.browser()
	status, page := f.upload(nobody, []byte("no seal here"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "carries no seal")
	status, page = f.upload(nobody, nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "Choose a file")
	status, _ = f.post(nobody, "/verify", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, page = f.upload(nobody, make([]byte, 20<<20+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, page, "larger than 20 MiB")
	for range 20 {
		status, page = f.upload(nobody, []byte("x"))
	}
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, page, "Wait a minute")
	status, page = f.get(nobody, "/verify/keys")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, sealKeys(t)[0].String())
}

func TestAuditChainLeavesAsASignedFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, who := range []*http.Client{f.as("ARAMCO_DEMO", access.TenantAdmin), f.as("", access.PlatformOwner)} {
		status, file := f.get(who, "/audit/chain")
		require.Equal(t, http.StatusOK, status)
		report, err := auditchain.Check(strings.NewReader(file), sealKeys(t))
		require.NoError(t, err)
		require.Equal(t, seal.Authentic, report.Verdict)
		require.Positive(t, report.Rows)
		require.Contains(t, file, "audit.chain_exported", "the export holds its own record")
		_, page := f.upload(who, []byte(file))
		require.Contains(t, page, "Authentic, unchanged")
		_, page = f.upload(f.browser(), []byte(strings.Replace(file, `"actor_kind":"user"`, `"actor_kind":"system"`, 1)))
		require.Contains(t, page, "First broken link")
	}
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	for _, span := range []string{"?from=yesterday", "?from=2026-02-02&to=2026-02-01"} {
		status, _ := f.get(admin, "/audit/chain"+span)
		require.Equal(t, http.StatusUnprocessableEntity, status, span)
	}
	status, _ := f.get(f.as("ARAMCO_DEMO", access.Viewer), "/audit/chain")
	require.Equal(t, http.StatusForbidden, status)
}
