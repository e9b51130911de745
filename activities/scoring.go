package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// modelKind identifies the scoring engine among the models
// of a tenant; every score names the model that made it.
const modelKind = "asset_score"

// Sweep names one sweep of a tenant as of one moment.
type Sweep struct {
	TenantID   uuid.UUID
	SweepID    uuid.UUID
	AsOf       time.Time
	WorkflowID string
}

// SweepStart is what a sweep has to score, and with which model.
type SweepStart struct {
	ModelID uuid.UUID
	Assets  []uuid.UUID
}

// Batch is one part of a sweep.
type Batch struct {
	Sweep
	ModelID uuid.UUID
	Assets  []uuid.UUID
}

// BatchResult counts what a batch did. Greyed assets were scored by age only.
type BatchResult struct {
	Scored, Greyed, Alerts int
	Rejected               int64 // readings that could not be used
}

// Add returns the sum of two results.
func (r BatchResult) Add(o BatchResult) BatchResult {
	return BatchResult{
		Scored: r.Scored + o.Scored, Greyed: r.Greyed + o.Greyed, Alerts: r.Alerts + o.Alerts, Rejected: r.Rejected + o.Rejected,
	}
}

// StartSweep opens the record of a sweep and lists the assets to score.
func (a *Scoring) StartSweep(ctx context.Context, s Sweep) (SweepStart, error) {
	start := SweepStart{Assets: []uuid.UUID{}}
	parameters, err := json.Marshal(scoring.DefaultSettings())
	if err != nil {
		return start, fmt.Errorf("encode settings: %w", err)
	}
	err = a.deps.DB.InTenant(ctx, s.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if err := q.RetireOtherModels(ctx, tx, s.TenantID, modelKind, scoring.Version); err != nil {
			return fmt.Errorf("retire models: %w", err)
		}
		model := db.EnsureModelParams{TenantID: s.TenantID, Kind: modelKind, Version: scoring.Version, Parameters: parameters}
		if start.ModelID, err = q.EnsureModel(ctx, tx, model); err != nil {
			return fmt.Errorf("ensure model: %w", err)
		}
		assets, err := q.ListAssetsPlain(ctx, tx, s.TenantID)
		if err != nil {
			return fmt.Errorf("list assets: %w", err)
		}
		for _, row := range assets {
			start.Assets = append(start.Assets, row.ID)
		}
		return q.BeginSweep(ctx, tx, db.BeginSweepParams{
			TenantID: s.TenantID, ID: s.SweepID, AsOf: s.AsOf, AssetsTotal: int32(len(assets)), WorkflowID: s.WorkflowID,
		})
	})
	if err != nil {
		return start, fmt.Errorf("start sweep: %w", err)
	}
	return start, nil
}

// progress is what ScoreBatch heartbeats: how far it came and what it counted.
type progress struct {
	Next   int
	Totals BatchResult
}

// ScoreBatch scores the assets of a batch one by one. Each score is one
// transaction keyed by asset and moment; after a crash the next attempt goes
// on where the last heartbeat was.
func (a *Scoring) ScoreBatch(ctx context.Context, b Batch) (BatchResult, error) {
	var at progress
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &at); err != nil {
			return BatchResult{}, fmt.Errorf("read heartbeat: %w", err)
		}
	}
	inputs, err := a.loadInputs(ctx, b)
	if err != nil {
		return at.Totals, err
	}
	for ; at.Next < len(inputs); at.Next++ {
		if err := ctx.Err(); err != nil {
			return at.Totals, err
		}
		activity.RecordHeartbeat(ctx, at)
		one, err := a.scoreAsset(ctx, b, inputs[at.Next])
		if err != nil {
			return at.Totals, err
		}
		at.Totals = at.Totals.Add(one)
	}
	return at.Totals, nil
}

func (a *Scoring) scoreAsset(ctx context.Context, b Batch, in scoredAsset) (BatchResult, error) {
	if err := a.readSeries(ctx, b, &in); err != nil {
		return BatchResult{}, fmt.Errorf("read series of %s: %w", in.row.Tag, err)
	}
	score := scoring.Score(in.input)
	result := BatchResult{Scored: 1}
	if !score.Trusted {
		result.Greyed = 1
	}
	for _, s := range score.Trust.Signals {
		result.Rejected += int64(s.Rows.Dropped())
	}
	err := a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		params, err := scoreRow(b, in.row.ID, score)
		if err != nil {
			return err
		}
		if err := q.UpsertAssetScore(ctx, tx, params); err != nil {
			return fmt.Errorf("store score: %w", err)
		}
		moved, err := q.MoveLatestScore(ctx, tx, b.TenantID, in.row.ID, b.AsOf)
		if err != nil {
			return fmt.Errorf("move newest score: %w", err)
		}
		if moved == 0 {
			return nil // a score of the past raises no alert today
		}
		result.Alerts, err = settleAlerts(ctx, tx, q, b.TenantID, b.AsOf, alertsOf(in.row.ID, score)...)
		return err
	})
	if err != nil {
		return BatchResult{}, fmt.Errorf("save score of %s: %w", in.row.Tag, err)
	}
	return result, nil
}

// alertsOf says which conditions hold for an asset.
func alertsOf(id uuid.UUID, s scoring.AssetScore) []alert {
	level := int16(s.Risk.Level)
	codes := make([]string, 0, len(s.Trust.Reasons))
	for _, r := range s.Trust.Reasons {
		codes = append(codes, string(r.Code))
	}
	return []alert{
		{kind: AlertAnomaly, about: id, asset: &id, holds: s.Anomaly.Flag, severity: max(level, 3), detail: map[string]any{
			"index": s.Anomaly.Value, "since": s.Anomaly.Since, "signals": contributors(s.Anomaly.Contributors),
		}},
		{kind: AlertFailureRisk, about: id, asset: &id, holds: s.Risk.Level >= 4, severity: level, detail: map[string]any{
			"probability_30": s.Failure.P30.Value, "loss_sar": s.Risk.Value, "signal": s.Failure.Evidence.Signal,
		}},
		{kind: AlertDataTrust, about: id, asset: &id, holds: !s.Trusted, severity: 2, detail: map[string]any{
			"coverage": s.Trust.Coverage, "usable": s.Trust.Usable, "expected": s.Trust.Expected, "reasons": slices.Compact(codes),
		}},
	}
}

// contributors names the signals behind a finding, strongest first.
func contributors(all []scoring.Contributor) []string {
	names := make([]string, 0, 3)
	for _, c := range all[:min(3, len(all))] {
		names = append(names, c.Signal)
	}
	return names
}

// FinishSweep closes the record of a sweep that scored everything.
func (a *Scoring) FinishSweep(ctx context.Context, s Sweep, totals BatchResult) error {
	return a.endSweep(ctx, s, totals, "done")
}

// FailSweep closes the record of a sweep that was cut short. Scores that were
// stored stay: each is whole in itself.
func (a *Scoring) FailSweep(ctx context.Context, s Sweep, totals BatchResult) error {
	return a.endSweep(ctx, s, totals, "failed")
}

func (a *Scoring) endSweep(ctx context.Context, s Sweep, totals BatchResult, state string) error {
	return a.deps.DB.InTenant(ctx, s.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.EndSweep(ctx, tx, db.EndSweepParams{
			TenantID: s.TenantID, ID: s.SweepID, State: state,
			AssetsScored: int32(totals.Scored), AssetsGreyed: int32(totals.Greyed), RowsRejected: totals.Rejected,
		})
		if err != nil {
			return fmt.Errorf("close sweep: %w", err)
		}
		return nil
	})
}
