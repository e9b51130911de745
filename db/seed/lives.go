package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/demo"
)

// past writes the completed lives of the assets and what was measured in them
// by day, up to where the detailed telemetry begins.
func past(ctx context.Context, d *db.DB, t *demo.Tenant, epoch time.Time, o Options) error {
	began, rows := time.Now(), 0
	for _, a := range t.Assets {
		err := d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			if err := pastLives(ctx, tx, q, t, a, epoch); err != nil {
				return err
			}
			n, err := pastDays(ctx, tx, q, t, a, epoch, epoch.Add(-o.History))
			rows += n
			return err
		})
		if err != nil {
			return fmt.Errorf("lives of %s: %w", a.Tag, err)
		}
	}
	o.Log.Info("demo lives seeded", "tenant", t.Code, "rows", rows, "seconds", time.Since(began).Seconds())
	return nil
}

func pastLives(ctx context.Context, tx pgx.Tx, q *db.Queries, t *demo.Tenant, a *demo.Asset, epoch time.Time) error {
	for _, l := range t.Lives(a, epoch) {
		life := db.RecordLifeParams{TenantID: t.ID, ID: l.ID, AssetID: a.ID, EndedAt: l.EndedAt, LifeDays: l.Days, EndedBy: "preventive", Source: "demo"}
		if l.Failed {
			life.EndedBy, life.ModeID = "failure", &l.Mode.UUID
		}
		if _, err := q.RecordLife(ctx, tx, life); err != nil {
			return err
		}
	}
	return nil
}

func pastDays(ctx context.Context, tx pgx.Tx, q *db.Queries, t *demo.Tenant, a *demo.Asset, epoch, until time.Time) (int, error) {
	days := t.Past(a, epoch, until)
	if len(days) == 0 {
		return 0, nil
	}
	signals, err := q.ListSignals(ctx, tx, t.ID, []uuid.UUID{a.ID})
	if err != nil {
		return 0, err
	}
	ids := map[string]int64{}
	for _, s := range signals {
		ids[s.Metric] = s.ID
	}
	hours := make([]db.Hour, 0, len(days))
	for _, day := range days {
		hours = append(hours, db.Hour{SignalID: ids[day.Signal.Metric], Start: day.Start, Mean: day.Mean, Min: day.Min, Max: day.Max, Samples: int32(day.Samples)})
	}
	return len(hours), db.StoreHours(ctx, tx, t.ID, hours)
}
