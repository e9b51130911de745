package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/web/uitest"
)

// sealed gives a finished run the evidence that the workers would have kept.
func (f *fixture) sealed(tenant string, run uuid.UUID) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		row, err := q.LoadRun(ctx, tx, t, run)
		require.NoError(f, err)
		input, err := manifest.Canonical(row.Input)
		require.NoError(f, err)
		at := time.Date(2026, 1, 5, 4, 0, 0, 0, time.UTC)
		sources, err := json.Marshal(manifest.Sources{
			Calendar: manifest.Calendar{Profile: "SA-STD", TimeZone: "Asia/Riyadh", DaysOff: []string{"2026-01-09"}},
			Assets:   map[string]manifest.Asset{"a": {Tag: "T-1", NameAR: "مضخة", NameEN: "Pump", Costs: map[string]int{"maintenance": 2}, ScoreAt: &at, Trusted: true}},
			Crews:    []manifest.Crew{{Code: "rotating", NameAR: "معدات دوارة", NameEN: "Rotating", People: 3}},
		})
		require.NoError(f, err)
		m := manifest.Manifest{Schema: manifest.Schema, RunID: run.String(), Problem: row.Problem, WindowDays: int(row.WindowDays), Objective: row.Objective,
			Seed: 7, WorkSeconds: 30, Solver: json.RawMessage(`null`), Build: manifest.ThisBuild(), ScoresAsOf: &at,
			Exact: manifest.Exact{Name: "HiGHS", Version: "1", SHA256: "00ff"}}
		for _, kept := range []struct {
			content []byte
			hash    *string
		}{{input, &m.Input}, {sources, &m.Sources}} {
			hash, err := db.KeepSnapshot(ctx, tx, q, t, kept.content)
			require.NoError(f, err)
			*kept.hash = manifest.Hex(hash)
		}
		scenarios, err := q.RunScenarios(ctx, tx, t, run)
		require.NoError(f, err)
		for _, sc := range scenarios {
			outcome, err := manifest.Outcome(sc.Output)
			require.NoError(f, err)
			m.Presets = append(m.Presets, manifest.Preset{Preset: sc.Preset, Output: manifest.Hex(manifest.Sum(outcome)), Threads: 1, Ended: manifest.EndedGap, Gap: sc.Gap})
		}
		content, hash, err := m.Encode()
		require.NoError(f, err)
		text := string(content)
		_, err = q.SealRunManifest(ctx, tx, db.SealRunManifestParams{TenantID: t, ID: run, Manifest: &text, ManifestSha256: hash})
		return err
	})
}

// report ends the open repetition of a run with a report.
func (f *fixture) report(tenant string, run uuid.UUID, r manifest.Report) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		reruns, err := q.ListReruns(ctx, tx, t, run)
		require.NoError(f, err)
		require.Equal(f, "requested", reruns[0].State)
		encoded, err := json.Marshal(r)
		require.NoError(f, err)
		identical := r.Identical()
		_, err = q.CloseRerun(ctx, tx, db.CloseRerunParams{TenantID: t, ID: reruns[0].ID, State: "done", Identical: &identical, Result: encoded, ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
}

// stoppedReport is a repetition of a run of which one search had been stopped,
// after the plant has changed.
func stoppedReport() manifest.Report {
	return manifest.Report{Presets: map[string]manifest.Compared{
		"cheapest": {Was: "aa", Is: "aa", Identical: true, Ended: manifest.EndedGap, AgainEnded: manifest.EndedGap},
		"balanced": {Was: "bb", Is: "cc", Ended: manifest.EndedStopped, AgainEnded: manifest.EndedGap, Difference: &manifest.Difference{
			Total: -1200, Count: 3, Touched: 9, Moved: []manifest.Moved{{Subject: "x", Name: "RFJ-GT11", Was: &manifest.Placement{Verdict: "do", Start: 3}, Is: &manifest.Placement{Verdict: "defer", Start: -1}}},
		}},
	}, Since: &manifest.Since{Count: 2, Records: 0, Names: map[string]string{"x": "RFJ-GT11"}, Changes: []manifest.Change{
		{Path: []string{"actions", "x", "planned_cost"}, Was: json.RawMessage("1000"), Is: json.RawMessage("2000")},
		{Path: []string{"embargoes"}, Is: json.RawMessage(`[{"site":"s"}]`)},
	}}}
}

func TestRunIsOpenedAsItWasAndRepeated(t *testing.T) {
	f := newFixture(t)
	const tenant = "POWER_DEMO"
	run := f.finishedRun(tenant, access.OptimizationEng)
	path := "/runs/" + run.String()
	engineer := f.as(tenant, access.OptimizationEng)
	status, page := f.get(engineer, path+"/snapshot?lang=en")
	require.Equal(t, http.StatusOK, status)
	for _, text := range []string{" AH", "Planned job", "Rotating", "Run again", "Gap reached", `data-copy="hash-input"`} {
		require.Contains(t, page, text)
	}
	_, page = f.get(f.as(tenant, access.TenantAdmin), path+"/snapshot?lang=ar")
	require.Contains(t, page, "كما كانت في")
	viewer := f.as(tenant, access.Viewer)
	status, page = f.get(viewer, path+"/snapshot?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, page, "Run again")
	status, _ = f.post(viewer, path+"/rerun", nil)
	require.Equal(t, http.StatusForbidden, status)
	status, content := f.get(viewer, path+"/manifest.json")
	require.Equal(t, http.StatusOK, status)
	m, err := manifest.Decode([]byte(content))
	require.NoError(t, err)
	_, input := f.get(viewer, path+"/input.json")
	require.Equal(t, m.Input, manifest.Hex(manifest.Sum([]byte(input))), "the file has the hash that the manifest names")

	for range 2 { // the second joins the first
		status, _ = f.post(engineer, path+"/rerun", nil)
		require.Equal(t, http.StatusSeeOther, status)
	}
	f.report(tenant, run, stoppedReport())
	_, page = f.get(engineer, path+"/snapshot?lang=en")
	for _, text := range []string{"Not repeatable byte for byte", "RFJ-GT11", "planned cost", "Stopped by a person", "and 2 more"} {
		require.Contains(t, page, text)
	}
}

// TestOneRepetitionAtATime: however many ask at once, one repetition is asked
// for, and everybody hears of that one as it stands.
func TestOneRepetitionAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "POWER_DEMO"
	run := f.finishedRun(tenant, access.OptimizationEng)
	first, _ := f.issue(tenant, access.OptimizationEng, soon(), access.Scopes()...)
	answers := make([]map[string]any, 6)
	var asking sync.WaitGroup
	for i := range answers {
		asking.Go(func() {
			status, body, _ := f.call(first, http.MethodPost, "/runs/"+run.String()+"/rerun", nil)
			if status == http.StatusAccepted {
				answers[i] = body
			}
		})
	}
	asking.Wait()
	for _, a := range answers {
		require.NotNil(t, a)
		require.Equal(t, answers[0]["id"], a["id"])
		require.Equal(t, answers[0]["requested_at"], a["requested_at"])
	}
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, id uuid.UUID) error {
		_, err := q.BeginRerun(ctx, tx, "v1", id, uuid.MustParse(answers[0]["id"].(string)))
		return err
	})
	second, _ := f.issue(tenant, access.TenantAdmin, soon(), access.Scopes()...)
	status, joined, _ := f.call(second, http.MethodPost, "/runs/"+run.String()+"/rerun", nil)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, answers[0]["id"], joined["id"])
	require.Equal(t, "running", joined["state"])
	require.Equal(t, "v1", joined["build"])
	require.Equal(t, f.person(tenant, access.OptimizationEng).ID.String(), joined["requested_by"], "it was asked for by the first")
	require.Equal(t, answers[0]["requested_at"], joined["requested_at"])
	require.Equal(t, int64(1), f.asOwner(`SELECT FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.rerun_requested'`, f.tenant(tenant).ID))
}

func TestSnapshotPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	run := f.finishedRun(plantTenant, access.OptimizationEng)
	status, _ := f.post(f.as(plantTenant, access.OptimizationEng), "/runs/"+run.String()+"/rerun", nil)
	require.Equal(t, http.StatusSeeOther, status)
	f.report(plantTenant, run, stoppedReport())
	browser := f.signedIn(plantTenant, access.TenantAdmin)
	uitest.CheckPage(t, browser, f.srv.URL+"/runs/"+run.String()+"/snapshot")
}
