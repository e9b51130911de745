package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// States of a partition. The rows of an attached one are in view; a detached
// one only keeps them; a leaving one was interrupted on its way.
const (
	PartitionAttached = "attached"
	PartitionLeaving  = "leaving"
	PartitionDetached = "detached"
)

// Partition is one table of rows of the historian. Rows is the planner's
// estimate, -1 before the first analysis.
type Partition struct {
	Name       string
	Day        time.Time
	State      string
	Rows       int64
	HeapBytes  int64
	IndexBytes int64
}

// PackedState is how much of a tenant's history is packed.
type PackedState struct {
	Tenant   Tenant
	Days     int64
	Late     int64 // of them with readings that wait to be merged
	Samples  int64
	Archived int64 // files of the archive
}

// HistorianState describes the tables of the historian.
type HistorianState struct {
	Partitions  []Partition // ascending by day
	Packed      []PackedState
	PackedBytes int64 // of telemetry.signal_days with its index
	RollUpBytes int64 // of hours and minutes
}

const (
	partitionState = `
SELECT c.relname, to_date(substring(c.relname FROM '\d{8}'), 'YYYYMMDD'), CASE WHEN i.inhdetachpending THEN 'leaving' WHEN i.inhrelid IS NOT NULL THEN 'attached' ELSE 'detached' END, c.reltuples::bigint, pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'telemetry.asset_timeseries'::regclass
WHERE n.nspname = 'ts_part' AND c.relkind = 'r' AND c.relname ~ '^(asset_timeseries|detached)_\d{8}'
ORDER BY 2, 1`

	packedBytes = `SELECT pg_total_relation_size('telemetry.signal_days'),
		pg_total_relation_size('telemetry.signal_hours') + pg_total_relation_size('telemetry.signal_minutes')`

	packedState = `
SELECT count(*) FILTER (WHERE packed_at IS NOT NULL), count(*) FILTER (WHERE late), coalesce(sum(samples), 0)::bigint,
  (SELECT count(*) FROM telemetry.historian_archives WHERE tenant_id = $1)
FROM telemetry.historian_days WHERE tenant_id = $1`
)

// HistorianState reads the state of the historian for an operator.
func (d *DB) HistorianState(ctx context.Context) (HistorianState, error) {
	var s HistorianState
	err := d.asOwner(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
		if s.Partitions, err = listPartitions(ctx, conn); err != nil {
			return err
		}
		return conn.QueryRow(ctx, packedBytes).Scan(&s.PackedBytes, &s.RollUpBytes)
	})
	if err != nil {
		return s, fmt.Errorf("read partitions: %w", err)
	}
	tenants, err := d.customers(ctx)
	if err != nil {
		return s, err
	}
	for _, t := range tenants {
		p := PackedState{Tenant: t}
		err := d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
			return tx.QueryRow(ctx, packedState, t.ID).Scan(&p.Days, &p.Late, &p.Samples, &p.Archived)
		})
		if err != nil {
			return s, fmt.Errorf("read packed days of %s: %w", t.Code, err)
		}
		s.Packed = append(s.Packed, p)
	}
	return s, nil
}

func listPartitions(ctx context.Context, conn *pgx.Conn) ([]Partition, error) {
	rows, err := conn.Query(ctx, partitionState)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Partition])
}

// customers are all tenants with data of their own, whatever their status.
func (d *DB) customers(ctx context.Context) (found []Tenant, err error) {
	err = d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		all, err := q.ListTenants(ctx, tx)
		for _, t := range all {
			if t.Kind == "customer" {
				found = append(found, t)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	return found, nil
}

// PackAll packs every closed day of every tenant, the oldest first, and calls
// done after each.
func (d *DB) PackAll(ctx context.Context, done func(tenant Tenant, day time.Time, samples int64)) error {
	tenants, err := d.customers(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		days, err := d.daysToPack(ctx, t.ID)
		if err != nil {
			return err
		}
		for _, day := range days {
			n, err := d.PackDay(ctx, t.ID, day, func(int64) {})
			if err != nil {
				return fmt.Errorf("tenant %s: %w", t.Code, err)
			}
			done(t, day, n)
		}
	}
	return nil
}

func (d *DB) daysToPack(ctx context.Context, tenant uuid.UUID) (days []time.Time, err error) {
	err = d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) (err error) {
		days, err = DaysToPack(ctx, tx, tenant)
		return err
	})
	return days, err
}
