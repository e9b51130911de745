package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring"
)

// Batch is one part of a sweep.
type Batch struct {
	Sweep
	ModelID uuid.UUID
	Assets  []uuid.UUID
}

// outcome is what scoring one asset gave: a row to store with what goes with
// it, or the reason why there is none.
type outcome struct {
	asset   scoredAsset // without readings
	row     db.UpsertAssetScoreParams
	latest  db.MoveLatestScoreParams
	result  BatchResult
	alerts  []alert
	learnt  *learnt // a baseline to store, nil to leave it
	relearn bool    // the stored baseline no longer fits: learn anew next time
	err     error
}

// ScoreBatch scores the assets of a batch: one transaction reads everything,
// one stores everything. Scores are keyed by asset and moment, so a batch that
// is repeated after a crash writes the same again. An asset that cannot be
// scored is named in the result and holds up no other.
func (a *Scoring) ScoreBatch(ctx context.Context, b Batch) (BatchResult, error) {
	if err := a.catchUp(ctx, b); err != nil {
		return BatchResult{}, err
	}
	assets, err := a.loadBatch(ctx, b)
	if err != nil {
		return BatchResult{}, err
	}
	outcomes := make([]outcome, len(assets))
	for i := range assets {
		if err := ctx.Err(); err != nil {
			return BatchResult{}, err
		}
		activity.RecordHeartbeat(ctx, i)
		outcomes[i] = scoreAsset(b, assets[i])
		assets[i] = scoredAsset{} // its readings are not needed any more
		if err := outcomes[i].err; err != nil {
			activity.GetLogger(ctx).Error("asset not scored", "asset", outcomes[i].asset.row.ID, "error", err)
		}
	}
	return a.saveBatch(ctx, b, outcomes)
}

// catchUp rolls up the hours of the batch's signals that wait for it.
func (a *Scoring) catchUp(ctx context.Context, b Batch) error {
	signals, err := a.signalsOf(ctx, b)
	if err != nil || len(signals) == 0 {
		return err
	}
	for {
		filled, err := rollUp(ctx, a.deps.DB, b.TenantID, signals)
		if err != nil || filled < rollUpHours {
			return err
		}
		activity.RecordHeartbeat(ctx, filled)
	}
}

func (a *Scoring) signalsOf(ctx context.Context, b Batch) (ids []int64, err error) {
	err = a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		signals, err := q.ListSignals(ctx, tx, b.TenantID, b.Assets)
		for _, s := range signals {
			ids = append(ids, s.ID)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list signals: %w", err)
	}
	return ids, nil
}

// scoreAsset scores one asset in memory. A panic of the engine concerns that
// asset alone.
func scoreAsset(b Batch, in scoredAsset) (out outcome) {
	out.asset = in
	out.asset.input.Series = nil
	defer func() {
		if cause := recover(); cause != nil {
			out.err = fmt.Errorf("scoring panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	if in.broken != nil {
		out.err = in.broken
		return out
	}
	score := scoring.Score(in.input)
	if out.row, out.err = scoreRow(b, in.row.ID, score); out.err != nil {
		return out
	}
	out.result = resultOf(in.signals, score)
	out.alerts = alertsOf(in.row.ID, in.input.Settings, score)
	out.latest = db.MoveLatestScoreParams{
		TenantID: b.TenantID, AssetID: in.row.ID, AsOf: b.AsOf, SeenTo: in.seenTo, DueSeen: in.dueSeen, DueAt: dueAt(score),
	}
	if in.earlier != nil {
		out.latest.RiskIndexChange = score.Risk.Index.Value - *in.earlier
	}
	out.learnt, out.relearn, out.err = nextBaseline(b, in, score)
	if out.relearn {
		out.latest.DueAt = b.AsOf
	}
	return out
}

// A score is made again after rescoreAfter even if nothing new arrives, because
// assets age, and as soon as one of its signals becomes too old to be used.
const rescoreAfter = 6 * time.Hour

// dueAt is when a score is to be made again without new readings.
func dueAt(s scoring.AssetScore) time.Time {
	due := s.AsOf.Add(rescoreAfter)
	for _, t := range s.Trust.Signals {
		stale := t.StaleAt.Add(time.Second)
		if t.OK && stale.Before(due) {
			due = stale
		}
	}
	return due
}

// saveBatch stores what a batch gave in one transaction. When the database
// refuses a value, each asset is stored by itself, so that one alone is lost.
func (a *Scoring) saveBatch(ctx context.Context, b Batch, outcomes []outcome) (BatchResult, error) {
	var total BatchResult
	good := make([]outcome, 0, len(outcomes))
	for _, o := range outcomes {
		if o.err != nil {
			total = total.Add(failed(o, o.err))
			continue
		}
		good = append(good, o)
	}
	saved, err := a.save(ctx, b, good)
	if err == nil {
		return total.Add(saved), nil
	}
	if fault.CodeOf(err) != fault.Invalid {
		return total, err
	}
	for _, o := range good {
		one, err := a.save(ctx, b, []outcome{o})
		switch {
		case err == nil:
			total = total.Add(one)
		case fault.CodeOf(err) == fault.Invalid:
			total = total.Add(failed(o, err))
		default:
			return total, err
		}
	}
	return total, nil
}

func failed(o outcome, err error) BatchResult {
	text := err.Error()
	return BatchResult{Failed: 1, Failures: []FailedAsset{{AssetID: o.asset.row.ID, Error: text[:min(len(text), 300)]}}}
}

// save stores outcomes in one transaction: scores, the newest ones, alerts and
// baselines. A score of the past raises no alert and teaches nothing.
func (a *Scoring) save(ctx context.Context, b Batch, outcomes []outcome) (BatchResult, error) {
	var total BatchResult
	err := a.deps.DB.InTenant(ctx, b.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		total = BatchResult{}
		newest, err := storeScores(ctx, tx, q, outcomes)
		if err != nil {
			return err
		}
		var alerts []alert
		for i, o := range outcomes {
			total = total.Add(o.result)
			if newest[i] {
				alerts = append(alerts, o.alerts...)
			}
		}
		if total.Alerts, err = settleAlerts(ctx, tx, q, b.TenantID, b.AsOf, alerts...); err != nil {
			return err
		}
		return storeBaselines(ctx, tx, q, b, outcomes, newest)
	})
	if err != nil {
		return BatchResult{}, fmt.Errorf("save batch: %w", err)
	}
	return total, nil
}

// storeScores writes all scores in one round trip and reports which of them
// are the newest of their asset.
func storeScores(ctx context.Context, tx pgx.Tx, q *db.Queries, outcomes []outcome) ([]bool, error) {
	var all db.Pipeline
	for _, o := range outcomes {
		stored := q.UpsertAssetScore(ctx, &all, o.row)
		_, moved := q.MoveLatestScore(ctx, &all, o.latest)
		if err := errors.Join(stored, moved); err != nil {
			return nil, fmt.Errorf("collect scores: %w", err)
		}
	}
	touched, err := all.Send(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("store scores: %w", err)
	}
	newest := make([]bool, 0, len(outcomes))
	for pair := range slices.Chunk(touched, 2) {
		newest = append(newest, pair[1] > 0)
	}
	return newest, nil
}
