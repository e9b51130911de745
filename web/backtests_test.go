package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/backtest"
)

func TestBacktestIsAskedForAndRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	engineer, viewer := f.as("WATER_DEMO", access.OptimizationEng), f.as("WATER_DEMO", access.Viewer)
	_, body := f.get(viewer, "/ledger/backtests?lang=en")
	require.Contains(t, body, "No backtest yet")
	require.NotContains(t, body, `name="horizon"`, "a viewer is shown no form")

	day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
	for name, c := range map[string]struct {
		from, to, step, horizon, want string
	}{
		"ends today":        {day(100), day(0), "7", "30", "must end before today"},
		"is too short":      {day(20), day(1), "7", "30", "thirty days"},
		"no day":            {"soon", day(1), "7", "30", "valid day"},
		"too many origins":  {day(900), day(1), "1", "30", "at most 200 decisions"},
		"horizon too short": {day(400), day(1), "60", "30", "not fewer than"},
	} {
		status, body := f.post(engineer, "/ledger/backtests?lang=en", url.Values{"from": {c.from}, "to": {c.to}, "step": {c.step}, "horizon": {c.horizon}})
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.Contains(t, body, c.want, name)
		require.Contains(t, body, c.from, "what was typed stays: %s", name)
	}
	asked := url.Values{"from": {day(400)}, "to": {day(1)}, "step": {"7"}, "horizon": {"30"}}
	status, _ := f.post(viewer, "/ledger/backtests", asked)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = f.post(engineer, "/ledger/backtests", asked)
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("backtest"))
	status, body = f.post(engineer, "/ledger/backtests?lang=en", asked)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Another backtest")

	id := f.finishBacktest("WATER_DEMO")
	_, body = f.get(viewer, "/ledger/backtests/"+id.String()+"?lang=en")
	for _, want := range []string{"avoided", "missed", "1.5", `of <span class="num">`, "needless"} {
		require.Contains(t, body, want)
	}
	_, list := f.get(viewer, "/ledger/backtests?lang=en")
	require.Contains(t, list, "/ledger/backtests/"+id.String())
	require.NotContains(t, body, "every 3s", "a page at rest asks no more")
	status, _ = f.get(f.as("POWER_DEMO", access.Viewer), "/ledger/backtests/"+id.String())
	require.Equal(t, http.StatusNotFound, status, "of another tenant")
}

// finishBacktest gives the newest backtest of a tenant a result.
func (f *fixture) finishBacktest(code string) (id uuid.UUID) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		require.NoError(f, err)
		rows, err := q.BacktestPage(ctx, tx, tenant, 1)
		require.NoError(f, err)
		id = rows[0].ID
		at := time.Now().UTC().AddDate(0, 0, -100)
		cases := []backtest.Case{
			{AssetID: assets[0].ID.String(), Began: at, Ended: &at, Failed: true, Job: &at, Verdict: backtest.Avoided, Saved: 90000, Relapse: 0.1},
			{AssetID: assets[1].ID.String(), Began: at, Ended: &at, Failed: true, Verdict: backtest.Missed},
			{AssetID: assets[2].ID.String(), Began: at, Job: &at, Verdict: backtest.Needless, Saved: -4000},
		}
		result := backtest.Result{Summary: backtest.Summarize(cases, 1), Cases: cases, Origins: 57, Assets: len(assets)}
		result.Summary.Avoided = 1.5
		text, err := json.Marshal(result)
		require.NoError(f, err)
		if _, err := q.BeginBacktest(ctx, tx, "w", tenant, id); err != nil {
			return err
		}
		_, err = q.FinishBacktest(ctx, tx, db.FinishBacktestParams{TenantID: tenant, ID: id, Result: text, ResultSha256: make([]byte, 32)})
		return err
	})
	return id
}
