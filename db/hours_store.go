package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Hour is a summary of a signal that comes from outside the historian, such as
// an archive that kept nothing finer. A coarser summary stands at its first
// hour.
type Hour struct {
	SignalID       int64
	Start          time.Time
	Mean, Min, Max float64
	Samples        int32
}

const storeHours = `
INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour, mean_value, min_value, max_value, samples, stale)
SELECT $1, u.signal_id, u.hour, u.mean, u.least, u.most, u.samples, false
FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::int[]) AS u (signal_id, hour, mean, least, most, samples)
ON CONFLICT DO NOTHING`

// StoreHours stores summaries beside those rolled up from the historian. An
// hour that is known already stays as it is.
func StoreHours(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, hours []Hour) error {
	for chunk := range slices.Chunk(hours, rowsPerInsert) {
		n := len(chunk)
		signals, starts, samples := make([]int64, n), make([]time.Time, n), make([]int32, n)
		mean, least, most := make([]float64, n), make([]float64, n), make([]float64, n)
		for i, h := range chunk {
			signals[i], starts[i], samples[i] = h.SignalID, h.Start, h.Samples
			mean[i], least[i], most[i] = h.Mean, h.Min, h.Max
		}
		if _, err := tx.Exec(ctx, storeHours, tenant, signals, starts, mean, least, most, samples); err != nil {
			return fmt.Errorf("store hours: %w", err)
		}
	}
	return nil
}
