package db

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/fault"
)

// Restored says how the rows of an archived partition came back: by attaching
// the table again, or row by row where the day has another partition by now or
// the table is gone. Rows counts those that were not there.
type Restored struct {
	Partition string
	Attached  bool
	Rows      int64
}

// Restore puts the archived partitions of a day back into the historian after
// comparing them with the manifest: the detached table where it still exists,
// else the files below dir. The day is packed anew afterwards, which merges
// what the packed form may lack.
func (d *DB) Restore(ctx context.Context, day time.Time, dir string) ([]Restored, error) {
	archives, err := d.archivesOf(ctx, dayOf(day))
	if err != nil {
		return nil, err
	}
	if len(archives) == 0 {
		return nil, fault.New(fault.NotFound, "historian.nothing_archived").With("day", day.Format(time.DateOnly))
	}
	byPartition := map[string][]Archived{}
	var names []string
	for _, a := range archives {
		if byPartition[a.Partition] == nil {
			names = append(names, a.Partition)
		}
		byPartition[a.Partition] = append(byPartition[a.Partition], a)
	}
	slices.Sort(names)
	var all []Restored
	for _, name := range names {
		r := Restored{Partition: name}
		err := d.asOwner(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			return r.restore(ctx, conn, byPartition[name], dir)
		})
		if err == nil {
			err = d.noteRestored(ctx, byPartition[name])
		}
		if err != nil {
			return all, fmt.Errorf("restore %s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// archivesOf reads the manifests of a day, of every tenant.
func (d *DB) archivesOf(ctx context.Context, day time.Time) ([]Archived, error) {
	tenants, err := d.customers(ctx)
	if err != nil {
		return nil, err
	}
	var all []Archived
	for _, t := range tenants {
		err := d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
			rows, err := tx.Query(ctx, `SELECT tenant_id, partition, day, rows, digest::text, file, file_bytes, file_sha256
				FROM telemetry.historian_archives WHERE tenant_id = $1 AND day = $2 ORDER BY partition`, t.ID, day)
			if err != nil {
				return err
			}
			found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Archived])
			all = append(all, found...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
	}
	return all, nil
}

func (r *Restored) restore(ctx context.Context, conn *pgx.Conn, archives []Archived, dir string) error {
	name, err := table(r.Partition)
	if err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&exists); err != nil {
		return err
	}
	day := archives[0].Day
	if !exists {
		return r.fromFiles(ctx, conn, archives, dir)
	}
	for _, a := range archives {
		rows, sum, err := tableDigest(ctx, conn, r.Partition, a.Tenant)
		if err != nil {
			return err
		}
		if rows != a.Rows || sum != a.Digest {
			return fault.New(fault.Invalid, "historian.archive_differs").With("file", r.Partition)
		}
		r.Rows += rows
	}
	if r.Attached, err = attach(ctx, conn, Partition{Name: r.Partition, Day: day}); err != nil || r.Attached {
		return err
	}
	into, err := table("asset_timeseries_" + day.Format("20060102"))
	if err != nil {
		return err
	}
	done, err := conn.Exec(ctx, `INSERT INTO `+into+` SELECT * FROM `+name+` ON CONFLICT DO NOTHING`)
	r.Rows = done.RowsAffected()
	return err
}

// fromFiles stores the rows of the files in the day's partition.
func (r *Restored) fromFiles(ctx context.Context, conn *pgx.Conn, archives []Archived, dir string) error {
	day := archives[0].Day
	if _, err := New().EnsurePartitions(ctx, conn, day, day); err != nil {
		return fmt.Errorf("create partition: %w", err)
	}
	into, err := table("asset_timeseries_" + day.Format("20060102"))
	if err != nil {
		return err
	}
	for _, a := range archives {
		if err := a.verify(dir); err != nil {
			return err
		}
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			read, err := readArchive(filepath.Join(dir, a.File), func(rows []archivedRow) error {
				n, err := insertArchived(ctx, tx, into, a.Tenant, rows)
				r.Rows += n
				return err
			})
			if err == nil && (read.rows != a.Rows || read.sum.String() != a.Digest) {
				err = fault.New(fault.Invalid, "historian.archive_differs").With("file", a.File)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("tenant %s: %w", a.Tenant, err)
		}
	}
	return nil
}

func insertArchived(ctx context.Context, tx pgx.Tx, into string, tenant uuid.UUID, rows []archivedRow) (int64, error) {
	c := newColumns(len(rows))
	for i := range rows {
		c.signals, c.times = append(c.signals, rows[i].Signal), append(c.times, time.UnixMicro(rows[i].Time))
		c.values, c.qualities = append(c.values, rows[i].Value), append(c.qualities, int16(rows[i].Quality))
	}
	done, err := tx.Exec(ctx, `INSERT INTO `+into+` (ts, value, tenant_id, signal_id, quality) SELECT u.ts, u.value, $1, u.signal_id, u.quality
		FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::smallint[]) AS u (signal_id, ts, value, quality) ON CONFLICT DO NOTHING`, c.args(tenant)...)
	return done.RowsAffected(), err
}

// noteRestored has the day packed again and records the return.
func (d *DB) noteRestored(ctx context.Context, archives []Archived) error {
	for _, a := range archives {
		err := d.InTenant(ctx, a.Tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
			w := writer{tenant: a.Tenant, now: time.Now()}
			if err := w.markLate(ctx, tx, []time.Time{a.Day}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE telemetry.historian_archives SET restored_at = now() WHERE tenant_id = $1 AND partition = $2`, a.Tenant, a.Partition)
			if err != nil {
				return fmt.Errorf("note in manifest: %w", err)
			}
			return AppendAudit(ctx, tx, Entry{TenantID: a.Tenant, Actor: SystemActor("optria historian"), Action: "historian.restored", ObjectType: "historian_day",
				ObjectID: a.Day.Format(time.DateOnly), After: map[string]any{"rows": a.Rows, "file": a.File}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
