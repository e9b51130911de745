package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// modelKind identifies the scoring engine among the models
// of a tenant; every score names the model that made it.
const modelKind = "asset_score"

// SweepPage is how many assets one run of the sweep workflow takes on before
// it continues as a new one.
const SweepPage = 2000

// behindHours hours that wait for a roll-up mean that the historian is behind.
const behindHours = 100_000

// Sweep names one sweep of a tenant as of one moment.
type Sweep struct {
	TenantID   uuid.UUID
	SweepID    uuid.UUID
	AsOf       time.Time
	WorkflowID string
	Every      bool      // score every asset, not only those with something new
	After      uuid.UUID // assets up to this one are done, nil at the beginning
}

// SweepStart is what a sweep has to score, and with which model. More says
// that further assets follow the last one. Behind says that the historian
// should be rolled up first.
type SweepStart struct {
	ModelID uuid.UUID
	Assets  []uuid.UUID
	More    bool
	Behind  bool
}

// StartSweep opens the record of a sweep and lists the assets to score, one
// page at most. After a change of the engine every asset is to be scored.
func (a *Scoring) StartSweep(ctx context.Context, s Sweep) (SweepStart, error) {
	start := SweepStart{Assets: []uuid.UUID{}}
	err := a.deps.DB.InTenant(ctx, s.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if start.ModelID, err = activateEngine(ctx, tx, q, s.TenantID); err != nil {
			return err
		}
		due, err := q.ListDueAssets(ctx, tx, db.ListDueAssetsParams{
			TenantID: s.TenantID, AfterID: s.After, Every: s.Every, AsOf: s.AsOf, PageSize: SweepPage,
		})
		if err != nil {
			return fmt.Errorf("list due assets: %w", err)
		}
		waiting := int64(0)
		for _, row := range due {
			start.Assets, waiting = append(start.Assets, row.ID), row.Due
		}
		start.More = waiting > int64(len(due))
		total, err := q.CountActiveAssets(ctx, tx, s.TenantID)
		if err != nil {
			return fmt.Errorf("count assets: %w", err)
		}
		stale, err := q.CountStaleHours(ctx, tx, s.TenantID, behindHours)
		if err != nil {
			return fmt.Errorf("count stale hours: %w", err)
		}
		start.Behind = stale >= behindHours
		return q.BeginSweep(ctx, tx, db.BeginSweepParams{ // the first page counts: later ones find the record
			TenantID: s.TenantID, ID: s.SweepID, AsOf: s.AsOf, AssetsTotal: int32(total), AssetsSkipped: int32(total - waiting), WorkflowID: s.WorkflowID,
		})
	})
	if err != nil {
		return start, fmt.Errorf("start sweep: %w", err)
	}
	return start, nil
}

// activateEngine makes this version of the engine the one that scores. When
// another one was active, every score is due.
func activateEngine(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (uuid.UUID, error) {
	parameters, err := json.Marshal(scoring.DefaultSettings())
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode settings: %w", err)
	}
	retired, err := q.RetireOtherModels(ctx, tx, tenant, modelKind, scoring.Version)
	if err != nil {
		return uuid.Nil, fmt.Errorf("retire models: %w", err)
	}
	if retired > 0 {
		if err := q.TouchAllScores(ctx, tx, tenant); err != nil {
			return uuid.Nil, fmt.Errorf("mark scores due: %w", err)
		}
	}
	id, err := q.EnsureModel(ctx, tx, db.EnsureModelParams{TenantID: tenant, Kind: modelKind, Version: scoring.Version, Parameters: parameters})
	if err != nil {
		return uuid.Nil, fmt.Errorf("ensure model: %w", err)
	}
	return id, nil
}

// FinishSweep closes the record of a sweep that came to its end. Assets that
// could not be scored are named in it.
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
		detail, err := nameDetail(ctx, tx, q, s.TenantID, totals)
		if err != nil {
			return err
		}
		_, err = q.EndSweep(ctx, tx, db.EndSweepParams{
			TenantID: s.TenantID, ID: s.SweepID, State: state, Detail: detail,
			AssetsScored: int32(totals.Scored), AssetsGreyed: int32(totals.Greyed), RowsRejected: totals.Rejected,
		})
		if err != nil {
			return fmt.Errorf("close sweep: %w", err)
		}
		return nil
	})
}
