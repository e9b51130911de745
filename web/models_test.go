package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring/drift"
	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
	"github.com/optria-iq/optria/web/uitest"
)

// registered are the models that registry puts into a tenant, oldest first.
type registered struct {
	earlier, active, kept, limits uuid.UUID
}

// measuredReport is a comparison as a training stores it.
func measuredReport(rmse float64) learning.Report {
	m := learning.Measured{Lives: 6, Points: 900, Cap: 110, Metrics: prognosis.Metrics{N: 900, RMSECapped: rmse, RMSE: 1.4 * rmse, Coverage90: 0.91, MeanWidth: 38,
		BrierSkill30: 0.83, CalibrationError30: 0.031, LeadP05: 17, Missed: 0.02}}
	for i := range 10 {
		p := (float64(i) + 0.5) / 10
		m.Calibration = append(m.Calibration, prognosis.Bin{Predicted: p, Observed: p * p * (3 - 2*p), N: 120 - 10*i})
	}
	old := m
	old.RMSECapped = 1.2 * rmse
	r := learning.Report{Candidate: m, Active: &old, Baseline: learning.Baseline{Beta: 2.71, Eta: 212, RMSE: 31.4, Brier: 0.19},
		Verdict: learning.Verdict{Promote: true, Reason: learning.ReasonBeatsActive, Figure: "rmse_capped", Candidate: rmse, Reference: 1.2 * rmse, Margin: learning.Margin}}
	for i := range 300 {
		actual := float64(i) / 2
		predicted := min(actual, 110) + 6*float64(i%7-3)
		r.Scatter = append(r.Scatter, learning.Point{Life: "a", Actual: actual, Predicted: predicted, Lo: predicted - 18, Hi: predicted + 18})
	}
	return r
}

// registry gives a tenant models of every state, trainings and drift checks.
func (f *fixture) registry(code string) (ids registered) {
	f.Helper()
	tenant := f.tenant(code).ID
	encode := func(v any) json.RawMessage {
		raw, err := json.Marshal(v)
		require.NoError(f, err)
		return raw
	}
	kind := learning.RUL("ROT")
	now := time.Now().UTC()
	from, to := now.AddDate(-4, 0, 0), now.AddDate(0, -3, 0)
	require.NoError(f, f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		insert := func(version, state, decision string, age time.Duration, c db.InsertCandidateParams) uuid.UUID {
			c.TenantID, c.Version = tenant, version
			id, err := q.InsertCandidate(ctx, tx, c)
			require.NoError(f, err)
			_, err = tx.Exec(ctx, `UPDATE ai.models SET state = $3, decision = $4, decided_at = now() - $5::interval WHERE tenant_id = $1 AND id = $2`, tenant, id, state, decision, age)
			require.NoError(f, err)
			return id
		}
		memory := learning.Memory{Lives: strings.Split("abcdefghijklmnopqr", ""), Held: []string{"x"}, Rows: 2711, Cap: 110}
		fleet := func(rmse float64) db.InsertCandidateParams {
			return db.InsertCandidateParams{Kind: kind, Features: encode([]string{"feed_p", "ndp", "npf", "perm_cond"}), Parameters: encode(map[string]any{}), Metrics: encode(measuredReport(rmse)),
				TrainedFrom: &from, TrainedTo: &to, TrainedOn: encode(memory), Protocol: learning.Protocol, Artefact: []byte("stored")}
		}
		ids.earlier = insert("20261108-0a1b2c3d", "retired", "promoted", 21*24*time.Hour, fleet(14.2))
		ids.active = insert("20261122-4e5f6a7b", "active", "promoted", 7*24*time.Hour, fleet(11.8))
		ids.kept = insert("20261129-8c9d0e1f", "retired", "kept", time.Hour, fleet(12.1))
		limits := learning.LimitsReport{Candidate: learning.LimitsFigures{Limits: learning.Limits{Factor: 2, Materiality: 0.2}, F1: 0.88, Precision: 0.9, Recall: 0.86, FalseAlarms: 0.4, Confirmed: 9, Rejected: 7, QuietWeeks: 16},
			Active:  learning.LimitsFigures{F1: 0.74, Precision: 0.65, Recall: 0.86, FalseAlarms: 1.1},
			Verdict: learning.Verdict{Promote: true, Reason: learning.ReasonBeatsActive, Figure: "f1", Candidate: 0.88, Reference: 0.74}}
		ids.limits = insert("20261115-77aa88bb", "active", "promoted", 14*24*time.Hour, db.InsertCandidateParams{Kind: learning.KindAnomaly, Features: encode([]string{}),
			Parameters: encode(limits.Candidate.Limits), Metrics: encode(limits), TrainedFrom: &from, TrainedTo: &to, TrainedOn: encode(map[string]any{}), Protocol: learning.LimitsProtocol})
		for i := range 20 {
			index := 0.4 + 0.04*float64(i)
			detail := map[string]any{"lives": i / 7, "input": drift.Input{Rows: 120, Index: index, Alarm: index > 1, Features: []drift.FeatureDrift{
				{Name: "ndp", PSI: index * 0.9, PSILimit: 0.9, KS: 0.2, KSLimit: 0.5, Index: index, Judged: true},
				{Name: "feed_temp", PSI: 0.1, PSILimit: 1.4, KS: 0.1, KSLimit: 0.6, Index: 0.1, Missing: 0.02, Judged: true}}}}
			_, err := q.InsertDriftCheck(ctx, tx, db.InsertDriftCheckParams{TenantID: tenant, ID: uuid.New(), ModelID: ids.active, CheckedAt: now.AddDate(0, 0, i-20),
				InputDrift: index, ResidualDrift: 0.3, Alarm: index > 1, Detail: encode(detail)})
			require.NoError(f, err)
		}
		for _, t := range []struct {
			kind, reason, state, outcome, key string
			detail                            any
		}{
			{kind, "drift", "done", "kept", "", learning.Verdict{Reason: learning.ReasonNotBetter, Figure: "rmse_capped", Candidate: 12.1, Reference: 11.8}},
			{learning.RUL("HPP"), "schedule", "done", "too_little_data", "", learning.TooLittleError{What: "lives", Have: 3, Need: learning.LeastLives}},
			{learning.KindAnomaly, "manual", "failed", "", "models.training_cancelled", map[string]any{}},
		} {
			_, err := tx.Exec(ctx, `INSERT INTO ai.training_runs (tenant_id, kind, reason, state, outcome, error_key, detail, started_at, finished_at, requested_by)
				VALUES ($1, $2, $3, $4, $5, $6, $7, now() - interval '1 hour', now() - interval '58 minutes', $8)`,
				tenant, t.kind, t.reason, t.state, t.outcome, t.key, encode(t.detail), f.person(code, access.ReliabilityEng).ID)
			require.NoError(f, err)
		}
		return nil
	}))
	return ids
}

func TestModelPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ids := f.registry("WATER_DEMO")
	viewer, engineer := f.as("WATER_DEMO", access.Viewer), f.as("WATER_DEMO", access.ReliabilityEng)

	status, body := f.get(viewer, "/models?lang=en")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{"20261122-4e5f6a7b", "11.8 days", "Weibull life 31.4", "Drifted", "Kept the old one", "3 of 8 failures with enough daily readings", "The training was cancelled."} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "&lt;span", "numbers are markup, not text")
	require.NotContains(t, body, `action="/models/train"`, "a viewer trains nothing")
	status, body = f.get(engineer, "/models")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `action="/models/train"`)
	require.Contains(t, body, "العمر المتبقي")

	status, body = f.get(viewer, "/models/"+ids.active.String()+"?lang=en")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{"In service", "31.4 days", "11.8 against 14.2 of the model in service", "perm_cond", "Whole lives", "18 lives", "1.16"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "/roll-back")
	_, body = f.get(engineer, "/models/"+ids.active.String()+"?lang=en")
	require.Contains(t, body, "/roll-back")
	require.Contains(t, body, "20261108-0a1b2c3d comes back")
	_, body = f.get(engineer, "/models/"+ids.kept.String()+"?lang=en")
	require.Contains(t, body, "instead of 20261122-4e5f6a7b")
	status, body = f.get(viewer, "/models/"+ids.limits.String()+"?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Safety factor")
}

func TestModelsAreExchangedByThoseWhoMay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ids := f.registry("WATER_DEMO")
	viewer, engineer := f.as("WATER_DEMO", access.Viewer), f.as("WATER_DEMO", access.ReliabilityEng)
	serving := func() (id uuid.UUID) {
		require.NoError(t, f.db.InTenant(t.Context(), f.tenant("WATER_DEMO").ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			m, err := q.LoadActiveModel(ctx, tx, f.tenant("WATER_DEMO").ID, learning.RUL("ROT"))
			id = m.ID
			return err
		}))
		return id
	}
	for _, path := range []string{"/models/" + ids.kept.String() + "/promote", "/models/" + ids.active.String() + "/roll-back", "/models/train"} {
		status, _ := f.post(viewer, path, url.Values{"kind": {learning.RUL("ROT")}})
		require.Equal(t, http.StatusForbidden, status, path)
	}
	require.Equal(t, ids.active, serving())

	status, _ := f.post(engineer, "/models/"+ids.kept.String()+"/promote", nil)
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, ids.kept, serving())
	status, _ = f.post(engineer, "/models/"+ids.kept.String()+"/promote", nil)
	require.Equal(t, http.StatusConflict, status)
	status, _ = f.post(engineer, "/models/"+ids.kept.String()+"/roll-back", nil)
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, ids.active, serving())

	status, _ = f.post(engineer, "/models/train", url.Values{"kind": {learning.RUL("ROT")}})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.mentions("start-training"))
	status, body := f.get(engineer, "/models?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "A model is being trained")
	status, _ = f.post(engineer, "/models/train", url.Values{"kind": {learning.RUL("ROT")}})
	require.Equal(t, http.StatusConflict, status, "one training of a kind at a time")
	status, _ = f.post(engineer, "/models/train", url.Values{"kind": {"asset_score"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	_, after := f.lastAudit("WATER_DEMO", "model.rolled_back")
	require.Equal(t, ids.active.String(), after["model_id"])
	report, err := f.db.VerifyAudit(t.Context(), f.tenant("WATER_DEMO").ID)
	require.NoError(t, err)
	require.True(t, report.Intact)
}

func TestModelPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	ids := f.registry("WATER_DEMO")
	f.swept("WATER_DEMO")
	browser := f.signedIn("WATER_DEMO", access.ReliabilityEng)
	for name, path := range map[string]string{
		"list": "/models", "sweeps": "/models/sweeps", "active": "/models/" + ids.active.String(), "kept": "/models/" + ids.kept.String(), "limits": "/models/" + ids.limits.String(),
	} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			for _, variant := range []string{"lang=ar&theme=light", "lang=en&theme=dark"} {
				tab := uitest.Tab(t, browser)
				require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(f.srv.URL+path+"?"+variant), chromedp.WaitReady(`#main`)))
				f.shot(t, tab, "models-"+name+"-"+variant[5:7])
			}
		})
	}
	t.Run("a sweep opens", func(t *testing.T) {
		for _, width := range []int64{390, 1440} {
			for _, lang := range []string{"ar", "en"} {
				tab := uitest.Tab(t, browser)
				require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(f.srv.URL+"/models/sweeps?lang="+lang+"&theme=light"), chromedp.WaitReady(`#main`),
					chromedp.Click(`#sweeps li:nth-child(2) details:nth-of-type(1) summary`), chromedp.Click(`#sweeps li:nth-child(2) details:nth-of-type(2) summary`),
					chromedp.WaitVisible(`#sweeps li:nth-child(2) table`)))
				uitest.CheckTab(t, tab)
				f.shot(t, tab, "sweeps-open-"+lang)
			}
		}
	})
	t.Run("promotion says what happens", func(t *testing.T) {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(390, 900), chromedp.Navigate(f.srv.URL+"/models/"+ids.kept.String()+"?lang=ar&theme=light"),
			chromedp.WaitReady(`#main`), chromedp.Click(`[data-dialog=promote]`), chromedp.WaitVisible(`#promote`)))
		uitest.CheckTab(t, tab)
	})
}

func TestModelsByTheAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ids := f.registry("WATER_DEMO")
	token, _ := f.issue("WATER_DEMO", access.ServiceAccount, time.Now().Add(time.Hour), "read:results")
	status, body, _ := f.call(token, http.MethodGet, "/models?kind=rul:ROT", nil)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, body["items"], 3)
	status, body, _ = f.call(token, http.MethodGet, "/models/"+ids.active.String(), nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, learning.Protocol, body["protocol"])
	metrics, ok := body["metrics"].(map[string]any)
	require.True(t, ok, "figures are JSON, not text")
	require.Contains(t, metrics, "baseline")
	status, body, _ = f.call(token, http.MethodGet, "/models/"+ids.active.String()+"/drift", nil)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, body["items"], 20)
	status, body, _ = f.call(token, http.MethodGet, "/trainings", nil)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, body["items"], 3)
	for _, path := range []string{"/trainings", "/models/" + ids.kept.String() + "/promote", "/models/" + ids.active.String() + "/roll-back"} {
		status, _, _ = f.call(token, http.MethodPost, path, map[string]any{"kind": "rul:ROT"})
		require.Equal(t, http.StatusForbidden, status, "no service account manages models: %s", path)
	}
	engineer, _ := f.issue("WATER_DEMO", access.ReliabilityEng, time.Now().Add(time.Hour), "read:results")
	status, body, _ = f.call(engineer, http.MethodPost, "/models/"+ids.kept.String()+"/promote", map[string]any{})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "active", body["state"])
	status, body, _ = f.call(engineer, http.MethodPost, "/models/"+ids.kept.String()+"/roll-back", map[string]any{})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, ids.active.String(), body["id"], "the one that served before")
	status, body, _ = f.call(engineer, http.MethodPost, "/trainings", map[string]any{"kind": "rul:ROT"})
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "running", body["state"])
}
