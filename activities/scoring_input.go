package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// The history that a score looks at in hourly means: three months, or three
// weeks when the asset's healthy baseline is stored; and the last hours as
// stored, so that the age of the last reading is exact.
const (
	fullHistory  = 90 * 24 * time.Hour
	shortHistory = 21 * 24 * time.Hour
	scoreRecent  = 2 * time.Hour
)

// scoredAsset is one asset with the input of its score.
type scoredAsset struct {
	row     db.Asset
	signals []int64
	input   scoring.AssetInput
	renewed time.Time  // last renewal on record, zero without one
	seenTo  *time.Time // newest reading when the input was read
	dueSeen *time.Time // when the score was due then
	earlier *float64   // risk index of the last score at least a day older
	learned time.Time  // when the stored baseline was learned
	admit   []admission
	taught  bool  // the stored baseline was taught since
	broken  error // why the asset cannot be scored
}

// loadBatch reads everything that a batch needs in one transaction. What the
// newest readings are is read before the readings themselves, so that a
// reading that arrives in between counts as new next time.
func (a *Scoring) loadBatch(ctx context.Context, b Batch) ([]scoredAsset, error) {
	var assets []scoredAsset
	err := a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if assets, err = loadMasterData(ctx, tx, q, b); err != nil {
			return err
		}
		if err := loadMarks(ctx, tx, q, b, assets); err != nil {
			return err
		}
		if err := loadKnowledge(ctx, tx, q, b, assets); err != nil {
			return err
		}
		if err := loadBaselines(ctx, tx, q, b, assets); err != nil {
			return err
		}
		if err := loadReadings(ctx, tx, b, assets); err != nil {
			return err
		}
		return a.applyModels(ctx, tx, q, b, assets)
	})
	if err != nil {
		return nil, fmt.Errorf("load batch: %w", err)
	}
	for i := range assets {
		assets[i].taught = assets[i].admitted()
	}
	return assets, nil
}

func loadMasterData(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch) ([]scoredAsset, error) {
	rows, err := q.ListScoredAssets(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	signals, err := q.ListSignals(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return nil, fmt.Errorf("list signals: %w", err)
	}
	modes, err := q.ListFailureModes(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return nil, fmt.Errorf("list failure modes: %w", err)
	}
	costs, err := q.ListCostModels(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return nil, fmt.Errorf("list cost models: %w", err)
	}
	ofSignal := groupBy(signals, func(s db.Signal) uuid.UUID { return s.AssetID })
	ofMode := groupBy(modes, func(m db.AssetFailureMode) uuid.UUID { return m.AssetID })
	ofCost := groupBy(costs, func(c db.CostModel) uuid.UUID { return c.AssetID })
	assets := make([]scoredAsset, 0, len(rows))
	for _, row := range rows {
		assets = append(assets, newScoredAsset(b.AsOf, row, ofSignal[row.ID], ofMode[row.ID], ofCost[row.ID]))
	}
	return assets, nil
}

func newScoredAsset(asOf time.Time, row db.Asset, signals []db.Signal, modes []db.AssetFailureMode, costs []db.CostModel) scoredAsset {
	s := scoredAsset{row: row, input: scoring.AssetInput{
		AssetID: row.ID.String(), AsOf: asOf,
		Life:    asset.Weibull{Beta: row.WeibullBeta, Eta: row.WeibullEtaDays},
		AgeDays: ageAt(row, asOf),
		// Redundancy stays zero: the loss per hour of the cost models is net.
		Cost: db.CostOf(costs), Settings: scoring.DefaultSettings(),
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
	s.readAttributes()
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

// limit reads a limit that may be absent.
func limit(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// loadMarks reads what incremental sweeps go by, and what risk is compared with.
func loadMarks(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, assets []scoredAsset) error {
	due, err := q.ListDueTimes(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return fmt.Errorf("list due times: %w", err)
	}
	newest, err := q.ListNewestReadings(ctx, tx, b.TenantID, b.Assets)
	if err != nil {
		return fmt.Errorf("list newest readings: %w", err)
	}
	earlier, err := q.ListEarlierIndexes(ctx, tx, b.Assets, b.TenantID, b.AsOf.Add(-24*time.Hour))
	if err != nil {
		return fmt.Errorf("list earlier scores: %w", err)
	}
	at := assetsByID(assets)
	for _, d := range due {
		if s := at[d.AssetID]; s != nil {
			s.dueSeen = &d.DueAt
		}
	}
	for _, n := range newest {
		if s := at[n.AssetID]; s != nil {
			s.seenTo = &n.SeenTo
		}
	}
	for _, e := range earlier {
		if s := at[e.AssetID]; s != nil {
			s.earlier = &e.ProductionRiskIndex
		}
	}
	return nil
}

// assetsByID finds assets by id; one that was archived meanwhile is not among
// them.
func assetsByID(assets []scoredAsset) map[uuid.UUID]*scoredAsset {
	index := make(map[uuid.UUID]*scoredAsset, len(assets))
	for i := range assets {
		index[assets[i].row.ID] = &assets[i]
	}
	return index
}

// loadKnowledge reads what is known besides measurements: completed lives of
// the equipment class, renewals and inspections.
func loadKnowledge(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, assets []scoredAsset) error {
	lives, err := q.ListPopulationLives(ctx, tx, b.TenantID, b.AsOf, b.Assets)
	if err != nil {
		return fmt.Errorf("list lives: %w", err)
	}
	renewals, err := q.ListRenewals(ctx, tx, b.TenantID, b.Assets, b.AsOf)
	if err != nil {
		return fmt.Errorf("list renewals: %w", err)
	}
	grades, err := q.ListInspectionGrades(ctx, tx, b.TenantID, b.Assets, b.AsOf)
	if err != nil {
		return fmt.Errorf("list inspections: %w", err)
	}
	ofClass := groupBy(lives, func(l db.ListPopulationLivesRow) string { return l.ClassCode })
	for i := range assets {
		in := &assets[i].input
		for _, l := range ofClass[assets[i].row.ClassCode] {
			if l.EndedBy == "failure" {
				in.Failures = append(in.Failures, l.LifeDays)
			} else {
				in.Censored = append(in.Censored, l.LifeDays)
			}
		}
	}
	at := assetsByID(assets)
	for _, r := range renewals {
		if s := at[r.AssetID]; s != nil {
			s.renewed = r.RenewedAt
		}
	}
	for _, g := range grades {
		if s := at[g.AssetID]; s != nil {
			s.input.Inspection = &g.Grade
		}
	}
	return nil
}

func loadBaselines(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, assets []scoredAsset) error {
	baselines, err := q.ListBaselines(ctx, tx, b.TenantID, b.Assets, b.AsOf)
	if err != nil {
		return fmt.Errorf("list baselines: %w", err)
	}
	admissions, err := q.ListAdmissions(ctx, tx, b.TenantID, b.Assets, b.AsOf)
	if err != nil {
		return fmt.Errorf("list admissions: %w", err)
	}
	of := groupBy(admissions, func(x db.ListAdmissionsRow) uuid.UUID { return x.AssetID })
	at := assetsByID(assets)
	for _, stored := range baselines {
		s := at[stored.AssetID]
		if s == nil {
			continue
		}
		if err := s.readBaseline(stored, of[stored.AssetID]); err != nil {
			activity.GetLogger(ctx).Warn("baseline is learned anew", "asset", stored.AssetID, "error", err)
		}
	}
	return nil
}

// loadReadings reads the series of all assets of the batch together, up to and
// including AsOf. What was measured before a renewal says nothing about the
// equipment of today.
func loadReadings(ctx context.Context, tx pgx.Tx, b Batch, assets []scoredAsset) error {
	recent := b.AsOf.Add(-scoreRecent).UTC().Truncate(time.Hour)
	var stretches []db.Stretch
	for i := range assets {
		assets[i].input.HoursUntil = recent
		since := assets[i].since(recent)
		for _, id := range assets[i].signals {
			stretches = append(stretches, db.Stretch{SignalID: id, Since: since})
		}
	}
	if len(stretches) == 0 {
		return nil
	}
	history, err := db.ReadHistory(ctx, tx, b.TenantID, stretches, recent, b.AsOf)
	if err != nil {
		return err
	}
	for i := range assets {
		for j, id := range assets[i].signals {
			assets[i].input.Series[j].Readings = history[id]
		}
	}
	return nil
}

// since is where the history of an asset begins.
func (s *scoredAsset) since(recent time.Time) time.Time {
	history := fullHistory
	if s.input.Baseline != nil {
		history = shortHistory
	}
	from := recent.Add(-history)
	if first := s.renewed.Add(time.Hour).Truncate(time.Hour); first.After(from) {
		from = first
	}
	return from
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
		AnomalyFlag: s.Anomaly.Flag, AnomalyScore: s.Anomaly.Value, EvidenceFactor: s.Failure.HazardRatio,
		ProductionRiskSar: s.Risk.Value, ProductionRiskLoSar: s.Risk.Lo, ProductionRiskHiSar: s.Risk.Hi,
		ProductionRiskIndex: s.Risk.Index.Value, RiskLevel: int16(s.Risk.Level),
		Coverage: s.Trust.Coverage, Trusted: s.Trusted, Confidence: s.Failure.Confidence, Detail: detail,
	}, nil
}
