package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/demo"
)

// batchRows is how many readings one transaction writes.
const batchRows = 10_000

// history writes the telemetry before the epoch.
func history(ctx context.Context, d *db.DB, t *demo.Tenant, signals map[*demo.Signal]int64, epoch time.Time, o Options) error {
	began, total := time.Now(), 0
	rows := make([]db.Row, 0, batchRows)
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := db.WriteReadings(ctx, tx, t.ID, rows)
			return err
		})
		total += len(rows)
		rows = rows[:0]
		return err
	}
	for signal, readings := range t.History(epoch.Add(-o.History), epoch, epoch, o.Period) {
		for _, r := range readings {
			rows = append(rows, db.Row{SignalID: signals[signal], Time: r.Time, Value: r.Value, Quality: r.Quality})
			if len(rows) == batchRows {
				if err := flush(); err != nil {
					return fmt.Errorf("write history: %w", err)
				}
			}
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	o.Log.Info("demo telemetry seeded", "tenant", t.Code, "rows", total, "seconds", time.Since(began).Seconds())
	return nil
}
