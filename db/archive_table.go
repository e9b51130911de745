package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/fault"
)

// table quotes the name of a partition, which must be one of those that the
// historian makes.
func table(partition string) (string, error) {
	if !partitionNames.MatchString(partition) {
		return "", fault.New(fault.Invalid, "historian.no_partition").With("partition", partition)
	}
	return pgx.Identifier{"ts_part", partition}.Sanitize(), nil
}

// tenantsIn returns the tenants that have rows in a partition, jumping from
// one to the next along its key.
func tenantsIn(ctx context.Context, conn *pgx.Conn, partition string) ([]uuid.UUID, error) {
	name, err := table(partition)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `WITH RECURSIVE t (id) AS (
		(SELECT tenant_id FROM `+name+` ORDER BY tenant_id LIMIT 1)
		UNION ALL SELECT (SELECT r.tenant_id FROM `+name+` r WHERE r.tenant_id > t.id ORDER BY r.tenant_id LIMIT 1) FROM t WHERE t.id IS NOT NULL
	) SELECT id FROM t WHERE id IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("list tenants of partition: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// detach gives the partition of a day the name it keeps outside the historian
// and takes it out, without stopping readers and writers. The lock makes
// writers that need the day anew wait until they can have another partition.
func detach(ctx context.Context, conn *pgx.Conn, p Partition) (name string, err error) {
	from, err := table(p.Name)
	if err != nil {
		return "", err
	}
	var n int
	day := p.Day.Format("20060102")
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'ts_part' AND c.relkind = 'r' AND c.relname LIKE 'detached\_' || $1 || '\_%'`, day).Scan(&n); err != nil {
		return "", fmt.Errorf("name partition: %w", err)
	}
	name = fmt.Sprintf("detached_%s_%d", day, n+1)
	to, err := table(name)
	if err != nil {
		return "", err
	}
	err = locked(ctx, conn, func() error {
		if _, err := conn.Exec(ctx, `ALTER TABLE `+from+` RENAME TO `+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("rename partition: %w", err)
		}
		if _, err := conn.Exec(ctx, `ALTER TABLE telemetry.asset_timeseries DETACH PARTITION `+to+` CONCURRENTLY`); err != nil {
			return fmt.Errorf("detach partition: %w", err)
		}
		return nil
	})
	return name, err
}

// finishDetach completes what was interrupted.
func finishDetach(ctx context.Context, conn *pgx.Conn, partition string) error {
	name, err := table(partition)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `ALTER TABLE telemetry.asset_timeseries DETACH PARTITION `+name+` FINALIZE`); err != nil {
		return fmt.Errorf("finish detaching: %w", err)
	}
	return nil
}

// attach puts a detached partition back in its place. When its day has got
// another partition since, false is returned and nothing is done.
func attach(ctx context.Context, conn *pgx.Conn, p Partition) (bool, error) {
	from, err := table(p.Name)
	if err != nil {
		return false, err
	}
	name := "asset_timeseries_" + p.Day.Format("20060102")
	to, err := table(name)
	if err != nil {
		return false, err
	}
	attached := false
	err = locked(ctx, conn, func() error {
		var taken bool
		if err := conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, to).Scan(&taken); err != nil || taken {
			return err
		}
		attached = true
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `ALTER TABLE `+from+` RENAME TO `+pgx.Identifier{name}.Sanitize()); err != nil {
				return fmt.Errorf("rename partition: %w", err)
			}
			_, err := tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE telemetry.asset_timeseries ATTACH PARTITION %s FOR VALUES FROM ('%sZ') TO ('%sZ')`,
				to, p.Day.Format(time.DateOnly), p.Day.AddDate(0, 0, 1).Format(time.DateOnly)))
			if err != nil {
				return fmt.Errorf("attach partition: %w", err)
			}
			return nil
		})
	})
	return attached, err
}

// locked runs work while no partition can be made.
func locked(ctx context.Context, conn *pgx.Conn, work func() error) error {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, partitionLock); err != nil {
		return fmt.Errorf("lock partitions: %w", err)
	}
	err := work()
	if _, unlock := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, partitionLock); unlock != nil {
		err = errors.Join(err, fmt.Errorf("unlock partitions: %w", unlock))
	}
	return err
}

// exportTenant writes the rows of one tenant to a file.
func exportTenant(ctx context.Context, conn *pgx.Conn, partition string, tenant uuid.UUID, path string) error {
	name, err := table(partition)
	if err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `SELECT signal_id, ts, value, quality FROM `+name+` WHERE tenant_id = $1 ORDER BY signal_id, ts`, tenant)
	if err != nil {
		return fmt.Errorf("read partition: %w", err)
	}
	defer rows.Close()
	metadata := map[string]string{"tenant_id": tenant.String(), "partition": partition}
	return writeArchive(path, metadata, func(batch []archivedRow) (n int, err error) {
		for n < len(batch) && rows.Next() {
			var at time.Time
			r := archivedRow{}
			if err := rows.Scan(&r.Signal, &at, &r.Value, &r.Quality); err != nil {
				return n, fmt.Errorf("read partition: %w", err)
			}
			r.Time = at.UnixMicro()
			batch[n], n = r, n+1
		}
		return n, rows.Err()
	})
}

// tableDigest counts and hashes the rows of one tenant in a partition.
func tableDigest(ctx context.Context, conn *pgx.Conn, partition string, tenant uuid.UUID) (rows int64, sum string, err error) {
	name, err := table(partition)
	if err != nil {
		return 0, "", err
	}
	if err := conn.QueryRow(ctx, rowDigest+` FROM `+name+` WHERE tenant_id = $1`, tenant).Scan(&rows, &sum); err != nil {
		return 0, "", fmt.Errorf("hash partition: %w", err)
	}
	return rows, sum, nil
}
