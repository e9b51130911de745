package web_test

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// scored stores a score of every asset of a demonstration tenant for each of
// the last days, as sweeps would, and raises an alert for one of them.
func (f *fixture) scored(code string, days int) uuid.UUID {
	f.Helper()
	tenant := f.tenant(code).ID
	err := f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		if err != nil {
			return err
		}
		model, err := q.EnsureModel(ctx, tx, db.EnsureModelParams{TenantID: tenant, Kind: "asset_score", Version: scoring.Version, Parameters: []byte(`{}`)})
		if err != nil {
			return err
		}
		for day := days - 1; day >= 0; day-- {
			asOf := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, -day)
			sweep := uuid.New()
			if err := q.BeginSweep(ctx, tx, db.BeginSweepParams{TenantID: tenant, ID: sweep, AsOf: asOf}); err != nil {
				return err
			}
			for _, a := range assets {
				if err := storeScore(ctx, tx, q, a, sweep, model, asOf); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.NoError(f, err)
	return tenant
}

// storeScore scores one asset by its signals of the last week and costs that
// are the same for all.
func storeScore(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset, sweep, model uuid.UUID, asOf time.Time) error {
	in := scoring.AssetInput{AssetID: a.ID.String(), AsOf: asOf, AgeDays: a.AgeDays, Life: asset.Weibull{Beta: a.WeibullBeta, Eta: a.WeibullEtaDays},
		Cost: asset.CostModel{FailureCost: 400_000, FailureHours: 48, LossPerHour: 20_000}}
	signals, err := q.ListSignals(ctx, tx, a.TenantID, []uuid.UUID{a.ID})
	if err != nil {
		return err
	}
	for _, g := range signals {
		readings, err := db.ReadSeries(ctx, tx, a.TenantID, []int64{g.ID}, asOf.AddDate(0, 0, -7), asOf)
		if err != nil {
			return err
		}
		in.Series = append(in.Series, asset.Series{Signal: asset.Signal{ID: g.ID, Metric: g.Metric, Unit: g.Unit, NormalLow: *g.NormalLow, NormalHigh: *g.NormalHigh,
			Warn: *g.Warn, Alarm: *g.Alarm, Sense: asset.Sense(g.Sense), Period: time.Hour}, Readings: readings[g.ID]})
	}
	s := scoring.Score(in)
	detail, err := json.Marshal(s)
	if err != nil {
		return err
	}
	err = q.UpsertAssetScore(ctx, tx, db.UpsertAssetScoreParams{TenantID: a.TenantID, AssetID: a.ID, AsOf: asOf, SweepID: sweep, ModelID: model,
		HealthScore: s.Health.Value, FailureProbability7: s.Failure.P7.Value, FailureProbability30: s.Failure.P30.Value, FailureProbability90: s.Failure.P90.Value,
		FailureProbability30Lo: s.Failure.P30.Lo, FailureProbability30Hi: s.Failure.P30.Hi, RulDays: s.RUL.Value, RulLoDays: s.RUL.Lo, RulHiDays: s.RUL.Hi,
		AnomalyFlag: s.Anomaly.Flag, AnomalyScore: s.Anomaly.Value, EvidenceFactor: s.Failure.HazardRatio,
		ProductionRiskSar: s.Risk.Value, ProductionRiskLoSar: s.Risk.Lo, ProductionRiskHiSar: s.Risk.Hi, ProductionRiskIndex: s.Risk.Index.Value,
		RiskLevel: int16(s.Risk.Level), Coverage: s.Trust.Coverage, Trusted: s.Trusted, Confidence: s.Failure.Confidence, Detail: detail})
	if err != nil {
		return err
	}
	_, err = q.MoveLatestScore(ctx, tx, db.MoveLatestScoreParams{TenantID: a.TenantID, AssetID: a.ID, AsOf: asOf, DueAt: asOf.Add(time.Hour)})
	return err
}

// alert raises an alert of an asset and returns its id.
func (f *fixture) alert(tenant, about uuid.UUID, kind, detail string) uuid.UUID {
	f.Helper()
	var id uuid.UUID
	err := f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RaiseAlert(ctx, tx, db.RaiseAlertParams{TenantID: tenant, AssetID: &about, Kind: kind, Severity: 4, DedupeKey: kind + ":" + about.String(),
			Detail: json.RawMessage(detail), At: time.Now()})
		if err != nil {
			return err
		}
		rows, err := q.OpenAlerts(ctx, tx, tenant, &about, 1)
		if err == nil {
			id = rows[0].Alert.ID
		}
		return err
	})
	require.NoError(f, err)
	return id
}
