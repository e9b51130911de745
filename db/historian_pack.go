package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/fault"
)

const (
	// lockDay and beginPacking wait for the writers of the day; later ones mark
	// it as late. While packed_at is null readers take rows and packed form.
	lockDay = `SELECT pg_advisory_xact_lock(` + dayLock + `) FROM unnest(ARRAY[$2::date]) AS d`

	beginPacking = `
INSERT INTO telemetry.historian_days (tenant_id, day, late) VALUES ($1, $2, false)
ON CONFLICT (tenant_id, day) DO UPDATE SET late = false, packed_at = NULL`

	endPacking = `UPDATE telemetry.historian_days SET packed_at = now(), samples = $3 WHERE tenant_id = $1 AND day = $2`

	// storePacked leaves a signal alone that got no further sample: packing only
	// ever adds.
	storePacked = `
INSERT INTO telemetry.signal_days AS d (tenant_id, signal_id, day, samples, steps, readings, qualities) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, signal_id, day) DO UPDATE
SET samples = excluded.samples, steps = excluded.steps, readings = excluded.readings, qualities = excluded.qualities
WHERE d.samples < excluded.samples`

	signalPeriods = `SELECT id, period_seconds FROM telemetry.signals WHERE tenant_id = $1 ORDER BY id`

	// daysToPack are closed days with a partition that are not packed, or late.
	daysToPack = `
SELECT p.day FROM (
  SELECT to_date(substring(c.relname FROM '\d{8}'), 'YYYYMMDD') AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'telemetry.asset_timeseries'::regclass
) p
LEFT JOIN telemetry.historian_days h ON h.tenant_id = $1 AND h.day = p.day
WHERE p.day <= $2 AND (h.packed_at IS NULL OR h.late)
ORDER BY p.day`
)

// DaysToPack returns the closed days of a tenant whose readings are not all in
// packed form, in ascending order.
func DaysToPack(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) ([]time.Time, error) {
	rows, err := tx.Query(ctx, daysToPack, tenant, dayOf(time.Now()).AddDate(0, 0, -packedDays))
	if err != nil {
		return nil, fmt.Errorf("look for days to pack: %w", err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, fmt.Errorf("look for days to pack: %w", err)
	}
	return days, nil
}

// PackDay brings the readings of one closed UTC day of a tenant into packed
// form and returns how many samples that holds. Its rows stay until their
// partition is detached, and are read no more. Readings that come later are
// rows again and make the day late: packing it once more merges them. It works
// in transactions of its own, one per group of signals, reports the samples so
// far after each of them, and may be repeated after a crash.
func (d *DB) PackDay(ctx context.Context, tenant uuid.UUID, day time.Time, progress func(samples int64)) (int64, error) {
	if day = dayOf(day); day.After(dayOf(time.Now()).AddDate(0, 0, -packedDays)) {
		return 0, fault.New(fault.Invalid, "db.day_not_closed").With("day", day.Format(time.DateOnly))
	}
	var groups [][]int64
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) (err error) {
		for _, sql := range []string{lockDay, beginPacking} {
			if _, err = tx.Exec(ctx, sql, tenant, day); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
		groups, err = packGroups(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("pack %s: %w", day.Format(time.DateOnly), err)
	}
	total := int64(0)
	for _, signals := range groups {
		err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
			n, err := packSignals(ctx, tx, tenant, day, signals)
			total += n
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("pack %s: %w", day.Format(time.DateOnly), err)
		}
		progress(total)
	}
	err = d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
		_, err := tx.Exec(ctx, endPacking, tenant, day, total)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end packing of %s: %w", day.Format(time.DateOnly), err)
	}
	return total, nil
}

// packGroups splits the signals of a tenant, archived ones too, into groups
// whose day can be held in memory.
func packGroups(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) ([][]int64, error) {
	rows, err := tx.Query(ctx, signalPeriods, tenant)
	if err != nil {
		return nil, fmt.Errorf("list signals: %w", err)
	}
	var groups [][]int64
	var id int64
	var period int
	room := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &period}, func() error {
		samples := 24*3600/period + 1
		if room < samples {
			groups, room = append(groups, nil), samplesAtOnce
		}
		room -= samples
		groups[len(groups)-1] = append(groups[len(groups)-1], id)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list signals: %w", err)
	}
	return groups, nil
}

func packSignals(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, day time.Time, signals []int64) (total int64, err error) {
	all, err := readSamples(ctx, tx, tenant, signals, day, day.AddDate(0, 0, 1))
	if err != nil {
		return 0, err
	}
	batch := &pgx.Batch{}
	for _, id := range signals {
		samples := all[id]
		if len(samples) == 0 {
			continue
		}
		p := packDay(day, samples)
		batch.Queue(storePacked, tenant, id, day, len(samples), p.steps, p.values, p.qualities)
		total += int64(len(samples))
	}
	if batch.Len() == 0 {
		return 0, nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("store packed signals: %w", err)
	}
	return total, nil
}
