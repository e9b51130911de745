package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// startedRun makes a run through the wizard and lets a worker take it up.
func (f *fixture) startedRun(tenant string, c *http.Client) uuid.UUID {
	f.Helper()
	_, target := f.location(c, "/scenarios/new", wizardForm(f, tenant))
	id := uuid.MustParse(strings.TrimPrefix(target, "/runs/"))
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		_, err := q.BeginRun(ctx, tx, db.BeginRunParams{TenantID: t, ID: id, WorkflowID: "optimization/test"})
		return err
	})
	return id
}

func TestMonitorPollsUntilTheRunEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	id := f.startedRun("ARAMCO_DEMO", c)
	base := "/runs/" + id.String()
	_, page := f.get(c, base)
	require.Contains(t, page, `hx-get="`+base+`/status"`)
	status, fragment := f.get(c, base+"/status")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, fragment, "hx-trigger")
	require.NotContains(t, fragment, "<html")
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: tenant, ID: id, State: "failed", Stage: "load", ErrorKey: "runs.no_assets", ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
	_, fragment = f.get(c, base+"/status?lang=en")
	require.NotContains(t, fragment, "hx-trigger", "an ended run is not polled any more")
	require.Contains(t, fragment, "No asset at the chosen sites has a cost model")
	status, _ = f.post(c, base+"/stop", url.Values{})
	require.Equal(t, http.StatusConflict, status, "what has ended cannot be stopped")
}

func TestMonitorTellsTheCourse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	_, body := f.get(f.as("ARAMCO_DEMO", access.Viewer), "/runs/"+id.String()+"?lang=en")
	require.Contains(t, body, "attempt 1 failed")
	require.Contains(t, body, "attempt 2")
	require.Contains(t, body, "The work took longer than it may")
	require.Contains(t, body, "/runs/"+id.String()+"/results")
	require.Equal(t, 3, strings.Count(body, `class="ln-good" d="M`)-strings.Count(body, `class="ln-good" d="M0 5H20"`), "one bound per scenario is drawn")
}

func TestStopAndCancelAreAuditedAndAskTheWorkflow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	id := f.startedRun("ARAMCO_DEMO", c)
	for _, x := range []struct{ verb, call, action string }{{"stop", "stop-optimization", "run.stop_requested"}, {"cancel", "cancel-optimization", "run.cancel_requested"}} {
		status, target := f.location(c, "/runs/"+id.String()+"/"+x.verb, url.Values{})
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/runs/"+id.String(), target)
		require.True(t, f.flows.called(x.call))
		f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, _ *db.Queries, _ uuid.UUID) error {
			var n int
			require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM core.audit_logs WHERE action = $1 AND object_id = $2`, x.action, id.String()).Scan(&n))
			require.Equal(t, 1, n)
			return nil
		})
	}
	status, _ := f.post(f.as("ARAMCO_DEMO", access.Viewer), "/runs/"+id.String()+"/stop", url.Values{})
	require.Equal(t, http.StatusForbidden, status)
	status, _ = f.post(f.as("WATER_DEMO", access.OptimizationEng), "/runs/"+id.String()+"/stop", url.Values{})
	require.Equal(t, http.StatusNotFound, status, "another tenant does not see the run")
}
