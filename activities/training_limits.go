package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// What a calibration looks at, so that it ends within minutes.
const (
	mostLabels     = 80
	mostQuiet      = 40
	quietLookBack  = 8 // weeks
	quietAroundDay = 24 * time.Hour
)

// calibrate chooses anomaly limits from the verdicts and quiet weeks before the
// training was asked for, and compares them with those in service.
func (a *Training) calibrate(ctx context.Context, run db.TrainingRun) (db.InsertCandidateParams, error) {
	out := candidateOf(run)
	var labels []db.ListAnomalyLabelsRow
	var limits learning.Limits
	var quiet []moment
	err := a.deps.DB.InTenant(ctx, run.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		var active *db.Model
		if limits, active, err = limitsOf(ctx, tx, q, run.TenantID); err != nil {
			return err
		}
		if active != nil {
			out.ComparedWith = &active.ID
		}
		if labels, err = q.ListAnomalyLabels(ctx, tx, run.TenantID, mostLabels); err != nil {
			return fmt.Errorf("list verdicts: %w", err)
		}
		quiet, err = quietWeeks(ctx, tx, q, run)
		return err
	})
	if err != nil {
		return out, err
	}
	cases, err := a.cases(ctx, run, labels, quiet)
	if err != nil {
		return out, err
	}
	report, err := learning.Calibrate(ctx, cases, limits)
	if err != nil {
		return out, err
	}
	oldest := slices.MinFunc(cases, func(x, y learning.Case) int { return x.At.Compare(y.At) })
	out.TrainedFrom, out.TrainedTo = &oldest.At, &run.StartedAt
	out.Protocol = learning.LimitsProtocol
	if out.Metrics, err = json.Marshal(report); err != nil {
		return out, err
	}
	if out.TrainedOn, err = json.Marshal(map[string]any{"labels": len(labels), "quiet_weeks": len(quiet)}); err != nil {
		return out, err
	}
	out.Parameters, err = json.Marshal(report.Chosen.Limits)
	return out, err
}

// moment is an asset at a time.
type moment struct {
	asset uuid.UUID
	at    time.Time
}

// quietWeeks picks weeks in which nothing was reported of an asset, the newest
// first, spread over the assets.
func quietWeeks(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.TrainingRun) ([]moment, error) {
	assets, err := q.ListModelAssets(ctx, tx, run.TenantID, "")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	since := run.StartedAt.Add(-(quietLookBack + 1) * learning.NormalSpan)
	spans, err := q.ListAnomalySpans(ctx, tx, run.TenantID, since)
	if err != nil {
		return nil, fmt.Errorf("list anomalies: %w", err)
	}
	loud := func(m moment) bool {
		for _, s := range spans {
			if *s.AssetID == m.asset && s.RaisedAt.Before(m.at.Add(quietAroundDay)) && s.EndedAt.After(m.at.Add(-learning.NormalSpan)) {
				return true
			}
		}
		return false
	}
	var out []moment
	for week := range quietLookBack {
		for _, id := range assets {
			m := moment{asset: id, at: run.StartedAt.Add(-time.Duration(week) * learning.NormalSpan)}
			if len(out) < mostQuiet && !loud(m) {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// cases loads what the detector saw in every case.
func (a *Training) cases(ctx context.Context, run db.TrainingRun, labels []db.ListAnomalyLabelsRow, quiet []moment) ([]learning.Case, error) {
	var out []learning.Case
	add := func(m moment, c learning.Case) error {
		input, ok, err := a.caseInput(ctx, run.TenantID, m)
		if err != nil || !ok {
			return err
		}
		c.Input, c.At = input, m.at
		out = append(out, c)
		return nil
	}
	for _, l := range labels {
		if l.GivenAt.After(run.StartedAt) {
			continue
		}
		if err := add(moment{l.AssetID, l.EpisodeTo}, learning.Case{Real: l.Verdict == "confirmed"}); err != nil {
			return nil, err
		}
	}
	if len(out) < learning.LeastLabels {
		return nil, &learning.TooLittleError{What: "labels", Have: len(out), Need: learning.LeastLabels}
	}
	for _, m := range quiet {
		if err := add(m, learning.Case{Quiet: true}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// caseInput is the input of an asset's score at a moment, false for an asset
// that is no longer there.
func (a *Training) caseInput(ctx context.Context, tenant uuid.UUID, m moment) (scoring.AssetInput, bool, error) {
	engine := &Scoring{deps: a.deps}
	batch := Batch{Sweep: Sweep{TenantID: tenant, AsOf: m.at}, Assets: []uuid.UUID{m.asset}}
	inputs, err := engine.loadBatch(ctx, batch)
	if err != nil || len(inputs) == 0 {
		return scoring.AssetInput{}, false, err
	}
	return inputs[0].input, true, nil
}
