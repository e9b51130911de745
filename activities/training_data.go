package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// course is one asset's columns of a fleet: the signal of each metric.
type course struct {
	ids []int64
	at  map[int64]int // column of a signal
}

// loadFleet loads the completed lives of a class as they were known at a
// moment, with the daily means of the signals that all its assets have.
func (a *Training) loadFleet(ctx context.Context, tenant uuid.UUID, class string, asOf time.Time) (learning.Fleet, error) {
	fleet := learning.Fleet{Class: class}
	var rows []db.ListClassLivesRow
	var courses map[uuid.UUID]course
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if rows, err = q.ListClassLives(ctx, tx, tenant, class); err != nil {
			return fmt.Errorf("list lives: %w", err)
		}
		fleet.Signals, courses, err = coursesOf(ctx, tx, q, tenant, rows)
		return err
	})
	if err != nil {
		return fleet, fmt.Errorf("load fleet: %w", err)
	}
	for _, row := range rows {
		if row.EndedAt.After(asOf) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fleet, err
		}
		life, err := a.loadLife(ctx, tenant, row, courses[row.AssetID])
		if err != nil {
			return fleet, fmt.Errorf("load life of %s: %w", row.Tag, err)
		}
		fleet.Lives = append(fleet.Lives, life)
	}
	return fleet, nil
}

// coursesOf finds the metrics that every asset has, in alphabetical order, and
// the signals behind them.
func coursesOf(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, rows []db.ListClassLivesRow) ([]string, map[uuid.UUID]course, error) {
	assets := map[uuid.UUID]map[string]int64{}
	ids := []uuid.UUID{}
	for _, row := range rows {
		if assets[row.AssetID] == nil {
			assets[row.AssetID] = map[string]int64{}
			ids = append(ids, row.AssetID)
		}
	}
	if len(ids) == 0 {
		return nil, nil, nil
	}
	signals, err := q.ListSignals(ctx, tx, tenant, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("list signals: %w", err)
	}
	having := map[string]int{}
	for _, s := range signals {
		assets[s.AssetID][s.Metric] = s.ID
		having[s.Metric]++
	}
	var metrics []string
	for metric, n := range having {
		if n == len(ids) {
			metrics = append(metrics, metric)
		}
	}
	slices.Sort(metrics)
	return metrics, columnsOf(metrics, assets), nil
}

func columnsOf(metrics []string, assets map[uuid.UUID]map[string]int64) map[uuid.UUID]course {
	courses := make(map[uuid.UUID]course, len(assets))
	for id, signals := range assets {
		c := course{at: map[int64]int{}}
		for column, metric := range metrics {
			if signal, ok := signals[metric]; ok {
				c.ids, c.at[signal] = append(c.ids, signal), column
			}
		}
		courses[id] = c
	}
	return courses
}

// loadLife reads the whole days of one life.
func (a *Training) loadLife(ctx context.Context, tenant uuid.UUID, row db.ListClassLivesRow, c course) (learning.Life, error) {
	began := row.EndedAt.Add(-time.Duration(row.LifeDays * 24 * float64(time.Hour)))
	life := learning.Life{ID: row.ID.String(), Asset: row.Tag, End: row.EndedAt, Days: row.LifeDays, Failed: row.EndedBy == "failure"}
	life.Start = began.UTC().Add(24*time.Hour - 1).Truncate(24 * time.Hour)
	days := int(row.EndedAt.Sub(life.Start) / (24 * time.Hour))
	rows, err := a.readDays(ctx, tenant, c, len(c.ids), life.Start, days)
	life.Rows = rows
	return life, err
}

// readDays returns one row per day, NaN where nothing was measured.
func (a *Training) readDays(ctx context.Context, tenant uuid.UUID, c course, columns int, from time.Time, days int) ([][]float64, error) {
	if days <= 0 || len(c.ids) == 0 {
		return nil, nil
	}
	rows := make([][]float64, days)
	for i := range rows {
		rows[i] = slices.Repeat([]float64{math.NaN()}, columns)
	}
	var means []db.DailyMeansRow
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		means, err = q.DailyMeans(ctx, tx, db.DailyMeansParams{TenantID: tenant, SignalIds: c.ids, FromHour: from, ToHour: from.AddDate(0, 0, days)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	for _, m := range means {
		rows[m.Day][c.at[m.SignalID]] = m.MeanValue
	}
	return rows, nil
}

// limitsOf reads the anomaly limits that serve, and their model.
func limitsOf(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (learning.Limits, *db.Model, error) {
	limits := learning.DefaultLimits()
	active, err := q.LoadActiveModel(ctx, tx, tenant, learning.KindAnomaly)
	if errors.Is(err, pgx.ErrNoRows) {
		return limits, nil, nil
	}
	if err != nil {
		return limits, nil, fmt.Errorf("load limits: %w", err)
	}
	if err := json.Unmarshal(active.Parameters, &limits); err != nil {
		return limits, nil, fmt.Errorf("read limits: %w", err)
	}
	return limits, &active, nil
}
