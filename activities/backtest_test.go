package activities

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/backtest"
)

// yesterday is its midnight, UTC: the demo plant has lived up to then.
func yesterday() time.Time { return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1) }

func (f *plantFixture) backtest(days int) BacktestRef {
	f.t.Helper()
	to := yesterday()
	id := f.id(`INSERT INTO optimization.backtests (tenant_id, requested_by, from_day, to_day, step_days, horizon_days, seed)
		VALUES ($1, $2, $3, $4, 14, 30, 5) RETURNING id`, f.tenant, f.people["tenant_admin"], to.AddDate(0, 0, -days), to)
	return BacktestRef{TenantID: f.tenant, BacktestID: id}
}

func (f *plantFixture) backtested(ref BacktestRef) (row db.Backtest, result backtest.Result) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		detail, err := q.BacktestDetail(ctx, tx, ref.TenantID, ref.BacktestID)
		row = detail.Backtest
		return err
	})
	require.NoError(f.t, json.Unmarshal(row.Result, &result))
	return row, result
}

func TestBacktestReplaysAPeriod(t *testing.T) {
	f := newPlant(t)
	ref := f.backtest(240)
	f.do(nil, f.set.Backtest.ReplayDecisions, ref)
	row, result := f.backtested(ref)
	require.Equal(t, "done", row.State)
	require.Equal(t, 18, result.Origins, "one decision every fourteen days")
	require.NotEmpty(t, result.Cases)
	require.Positive(t, result.Summary.Failures, "assets did fail in that period")
	require.Positive(t, result.Summary.Jobs)
	require.Positive(t, result.Summary.Counts[backtest.Avoided], "wear that is known from many lives is seen coming")
	require.LessOrEqual(t, result.Summary.NetRange.Lo, result.Summary.NetRange.Hi)
	net := 0.0
	for _, c := range result.Cases {
		net += c.Saved
	}
	require.InDelta(t, result.Summary.Net, net, 1e-6)
	f.do(nil, f.set.Backtest.ReplayDecisions, ref)
	again, _ := f.backtested(ref)
	require.Equal(t, row, again, "one that has ended is left alone")

	second := f.backtest(240)
	f.do(nil, f.set.Backtest.ReplayDecisions, second)
	repeated, _ := f.backtested(second)
	require.Equal(t, row.ResultSha256, repeated.ResultSha256, "the same past gives the same result")
	require.Equal(t, 2, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'backtest.finished'`, f.tenant))
	f.intact()

	// An attempt that lost its worker goes on from what it heartbeat.
	third := f.backtest(240)
	env := f.env()
	past := f.past(third)
	var made decisions
	for _, at := range past.origins(row)[:9] {
		plan, _, err := past.decide(t.Context(), at, made)
		require.NoError(t, err)
		made.Plans = append(made.Plans, plan)
	}
	env.SetHeartbeatDetails(made)
	_, err := env.ExecuteActivity(f.set.Backtest.ReplayDecisions, third)
	require.NoError(t, err)
	resumed, _ := f.backtested(third)
	require.Equal(t, row.ResultSha256, resumed.ResultSha256)

	f.refuse(TypeNotFound, "db.not_found", f.set.Backtest.ReplayDecisions, BacktestRef{TenantID: f.tenant, BacktestID: uuid.New()})
}

// past loads what a backtest replays from.
func (f *plantFixture) past(ref BacktestRef) (p *past) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		detail, err := q.BacktestDetail(ctx, tx, ref.TenantID, ref.BacktestID)
		if err != nil {
			return err
		}
		p, err = loadPast(ctx, tx, q, detail.Backtest)
		return err
	})
	p.scoresAt = func(ctx context.Context, at time.Time) ([]db.ListPastScoresRow, error) {
		return f.set.Backtest.scores(ctx, f.tenant, at)
	}
	return p
}

// TestBacktestDoesNotLeak changes everything that came after a moment. No
// decision up to that moment may change, and a later one must.
func TestBacktestDoesNotLeak(t *testing.T) {
	f := newPlant(t)
	ref := f.backtest(360)
	before := f.past(ref)
	row, _ := f.backtested(ref)
	origins := before.origins(row)
	cut := origins[len(origins)/2]
	decide := func(p *past) (plans []backtest.Plan) {
		for _, at := range origins {
			plan, _, err := p.decide(t.Context(), at, decisions{Plans: plans})
			require.NoError(t, err)
			plans = append(plans, plan)
		}
		return plans
	}
	one := decide(before)
	later := cut.Add(time.Second)
	// Lives that end differently, costs, planning lives and scores, all later.
	f.exec(`INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by, source)
		SELECT tenant_id, id, $2::timestamptz + interval '1 minute', 3, 'failure', 'import' FROM core.assets WHERE tenant_id = $1`, f.tenant, later)
	f.exec(`INSERT INTO core.asset_lives (tenant_id, asset_id, ended_at, life_days, ended_by, source, recorded_at)
		SELECT tenant_id, id, $2::timestamptz - interval '20 days', 5, 'failure', 'manual', $2 FROM core.assets WHERE tenant_id = $1`, f.tenant, later)
	f.exec(`INSERT INTO optimization.optimization_cost_models (tenant_id, asset_id, kind, version, effective_from, created_at, direct_cost, outage_hours, loss_per_hour)
		SELECT tenant_id, asset_id, kind, version + 1, $2::timestamptz - interval '300 days', $2, direct_cost * 50, outage_hours, loss_per_hour FROM optimization.optimization_cost_models
		WHERE tenant_id = $1 AND kind = 'failure'`, f.tenant, later)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		assets, err := q.ListAssetsPlain(ctx, tx, f.tenant)
		if err != nil {
			return err
		}
		for _, a := range assets { // as an edit of the life writes it
			err := db.AppendAudit(ctx, tx, db.Entry{TenantID: f.tenant, Actor: db.SystemActor("test"), Action: "asset.life_changed", ObjectType: "asset", ObjectID: a.ID.String(),
				Before: map[string]any{"beta": a.WeibullBeta, "eta_days": a.WeibullEtaDays, "age_days": a.AgeDays, "age_as_of": a.AgeAsOf}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	f.exec(`UPDATE core.assets SET weibull_beta = 4, weibull_eta_days = 11, age_days = 0, age_as_of = now() WHERE tenant_id = $1`, f.tenant)

	after := f.past(ref)
	other := decide(after)
	for i, at := range origins {
		if at.After(cut) {
			require.NotEqual(t, one[i:], other[i:], "what is known later does change later decisions")
			return
		}
		require.Equal(t, one[i], other[i], "the decision of %s", at.Format(time.DateOnly))
	}
}
