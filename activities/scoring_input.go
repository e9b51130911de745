package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// The history that a score looks at: three months in half-hour means, and the
// last hours as stored, so that the age of the last reading is exact.
const (
	scoreHistory = 90 * 24 * time.Hour
	scoreBucket  = 30 * time.Minute
	scoreRecent  = 2 * time.Hour
)

// scoredAsset is one asset with the input of its score, without readings.
type scoredAsset struct {
	row     db.Asset
	signals []int64
	input   scoring.AssetInput
}

// loadInputs loads the master data of a batch in one transaction; readings are
// read asset by asset, because they are the bulk.
func (a *Scoring) loadInputs(ctx context.Context, b Batch) ([]scoredAsset, error) {
	var inputs []scoredAsset
	err := a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		assets, err := q.ListScoredAssets(ctx, tx, b.TenantID, b.Assets)
		if err != nil {
			return fmt.Errorf("list assets: %w", err)
		}
		signals, err := q.ListSignals(ctx, tx, b.TenantID, b.Assets)
		if err != nil {
			return fmt.Errorf("list signals: %w", err)
		}
		modes, err := q.ListFailureModes(ctx, tx, b.TenantID, b.Assets)
		if err != nil {
			return fmt.Errorf("list failure modes: %w", err)
		}
		costs, err := q.ListCostModels(ctx, tx, b.TenantID, b.Assets)
		if err != nil {
			return fmt.Errorf("list cost models: %w", err)
		}
		ofSignal := groupBy(signals, func(s db.Signal) uuid.UUID { return s.AssetID })
		ofMode := groupBy(modes, func(m db.AssetFailureMode) uuid.UUID { return m.AssetID })
		ofCost := groupBy(costs, func(c db.CostModel) uuid.UUID { return c.AssetID })
		for _, row := range assets {
			inputs = append(inputs, newScoredAsset(b.AsOf, row, ofSignal[row.ID], ofMode[row.ID], ofCost[row.ID]))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load batch: %w", err)
	}
	return inputs, nil
}

func newScoredAsset(asOf time.Time, row db.Asset, signals []db.Signal, modes []db.AssetFailureMode, costs []db.CostModel) scoredAsset {
	s := scoredAsset{row: row, input: scoring.AssetInput{
		AssetID: row.ID.String(), AsOf: asOf,
		Life:    asset.Weibull{Beta: row.WeibullBeta, Eta: row.WeibullEtaDays},
		AgeDays: ageAt(row, asOf),
		// Redundancy stays zero: the loss per hour of the cost models is net.
		Cost: costOf(costs),
	}}
	for _, g := range signals {
		s.signals = append(s.signals, g.ID)
		s.input.Series = append(s.input.Series, asset.Series{Signal: signalOf(g)})
	}
	for _, m := range modes {
		s.input.Modes = append(s.input.Modes, asset.FailureMode{
			ID: m.ID.String(), Code: m.Code, Metric: m.Metric,
			Severity: int(m.Severity), Occurrence: int(m.Occurrence), Detectability: int(m.Detectability),
		})
	}
	return s
}

// signalOf converts a row. Limits that nobody has set are not a number, which
// the engine reads as absent.
func signalOf(s db.Signal) asset.Signal {
	return asset.Signal{
		ID: s.ID, Metric: s.Metric, Unit: s.Unit,
		NormalLow: limit(s.NormalLow), NormalHigh: limit(s.NormalHigh), Warn: limit(s.Warn), Alarm: limit(s.Alarm),
		Sense: asset.Sense(s.Sense), Period: time.Duration(s.PeriodSeconds) * time.Second,
	}
}

// readSeries fills in the readings of one asset up to and including AsOf.
func (a *Scoring) readSeries(ctx context.Context, b Batch, s *scoredAsset) error {
	if len(s.signals) == 0 {
		return nil
	}
	recent := b.AsOf.Add(-scoreRecent)
	return a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		past, err := db.ReadSeries(ctx, tx, b.TenantID, s.signals, recent.Add(-scoreHistory), recent, scoreBucket)
		if err != nil {
			return err
		}
		last, err := db.ReadSeries(ctx, tx, b.TenantID, s.signals, recent, b.AsOf.Add(time.Microsecond), 0)
		if err != nil {
			return err
		}
		for i, id := range s.signals {
			s.input.Series[i].Readings = append(past[id], last[id]...)
		}
		return nil
	})
}

// scoreRow spreads a score over the columns that lists sort by; the whole of
// it goes into the detail.
func scoreRow(b Batch, id uuid.UUID, s scoring.AssetScore) (db.UpsertAssetScoreParams, error) {
	detail, err := json.Marshal(s)
	if err != nil {
		return db.UpsertAssetScoreParams{}, fmt.Errorf("encode score: %w", err)
	}
	return db.UpsertAssetScoreParams{
		TenantID: b.TenantID, AssetID: id, AsOf: b.AsOf, SweepID: b.SweepID, ModelID: b.ModelID,
		HealthScore:         s.Health.Value,
		FailureProbability7: s.Failure.P7.Value, FailureProbability30: s.Failure.P30.Value, FailureProbability90: s.Failure.P90.Value,
		FailureProbability30Lo: s.Failure.P30.Lo, FailureProbability30Hi: s.Failure.P30.Hi,
		RulDays: s.RUL.Value, RulLoDays: s.RUL.Lo, RulHiDays: s.RUL.Hi,
		AnomalyFlag: s.Anomaly.Flag, AnomalyScore: s.Anomaly.Value, EvidenceFactor: s.Failure.Evidence.Multiplier.Value,
		ProductionRiskSar: s.Risk.Value, ProductionRiskLoSar: s.Risk.Lo, ProductionRiskHiSar: s.Risk.Hi,
		ProductionRiskIndex: s.Risk.Index.Value, RiskLevel: int16(s.Risk.Level),
		Coverage: s.Trust.Coverage, Trusted: s.Trusted, Confidence: s.Failure.Confidence, Detail: detail,
	}, nil
}

// limit reads a limit that may be absent.
func limit(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
