package db

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/fault"
)

// Archived is one file of the archive: the rows of one tenant in one detached
// partition.
type Archived struct {
	Tenant    uuid.UUID
	Partition string
	Day       time.Time
	Rows      int64
	Digest    string // sum of the hashes of the rows
	File      string // below the folder of the archive
	FileBytes int64
	FileHash  []byte
}

// Skipped is a partition that was left alone, and why.
type Skipped struct {
	Partition string
	Key       string // of the message
	Tenant    uuid.UUID
}

// partitionNames are the names of tables that the archive may touch.
var partitionNames = regexp.MustCompile(`^(asset_timeseries_\d{8}|detached_\d{8}_\d{1,4})$`)

// partitionLock is the advisory lock that telemetry.ensure_partitions takes.
const partitionLock = 727301

const storeArchive = `
INSERT INTO telemetry.historian_archives (tenant_id, partition, day, rows, digest, file, file_bytes, file_sha256, verified_at)
VALUES ($1, $2, $3, $4, $5::numeric, $6, $7, $8, now())
ON CONFLICT (tenant_id, partition) DO UPDATE SET rows = excluded.rows, digest = excluded.digest, file = excluded.file,
  file_bytes = excluded.file_bytes, file_sha256 = excluded.file_sha256, verified_at = excluded.verified_at, restored_at = NULL`

// Archive takes the partitions of days before a day out of the historian and
// writes their rows to files below dir, one per tenant and partition, each
// read back and compared before its row in the manifest is written. Only days
// are taken that every tenant has packed, so nothing leaves the view of a
// user; the detached tables stay where no role but the owner sees them.
// Detached tables without a file are finished first, so it may be repeated
// after a crash. Nothing is deleted.
func (d *DB) Archive(ctx context.Context, before time.Time, dir string, done func(Archived), skipped func(Skipped)) error {
	var partitions []Partition
	err := d.asOwner(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
		partitions, err = listPartitions(ctx, conn)
		return err
	})
	if err != nil {
		return fmt.Errorf("list partitions: %w", err)
	}
	for _, p := range partitions {
		if !p.Day.Before(dayOf(before)) {
			continue
		}
		err := d.asOwner(ctx, func(ctx context.Context, conn *pgx.Conn) error { return d.archive(ctx, conn, p, dir, done, skipped) })
		if err != nil {
			return fmt.Errorf("archive %s: %w", p.Name, err)
		}
	}
	return nil
}

func (d *DB) archive(ctx context.Context, conn *pgx.Conn, p Partition, dir string, done func(Archived), skipped func(Skipped)) error {
	if p.State == PartitionAttached {
		key, tenant, err := d.takeOut(ctx, conn, &p)
		if err != nil {
			return err
		}
		if key != "" {
			skipped(Skipped{p.Name, key, tenant})
			return nil
		}
	}
	if p.State == PartitionLeaving {
		if err := finishDetach(ctx, conn, p.Name); err != nil {
			return err
		}
	}
	tenants, err := tenantsIn(ctx, conn, p.Name)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := d.archiveTenant(ctx, conn, p, tenant, dir, done); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant, err)
		}
	}
	return nil
}

// takeOut detaches a partition whose day every tenant has packed. Otherwise it
// leaves it in place and returns the key of the reason and the tenant.
func (d *DB) takeOut(ctx context.Context, conn *pgx.Conn, p *Partition) (reason string, tenant uuid.UUID, err error) {
	tenants, err := tenantsIn(ctx, conn, p.Name)
	if err != nil {
		return "", uuid.Nil, err
	}
	if len(tenants) == 0 {
		return "historian.skipped.empty", uuid.Nil, nil
	}
	if open, err := d.firstOpen(ctx, tenants, p.Day); err != nil || open != uuid.Nil {
		return "historian.skipped.open", open, err
	}
	if p.Name, err = detach(ctx, conn, *p); err != nil {
		return "", uuid.Nil, err
	}
	if tenants, err = tenantsIn(ctx, conn, p.Name); err != nil {
		return "", uuid.Nil, err
	}
	open, err := d.firstOpen(ctx, tenants, p.Day)
	if err != nil || open == uuid.Nil {
		return "", uuid.Nil, err
	}
	_, err = attach(ctx, conn, *p) // a reading came late while the partition left
	return "historian.skipped.open", open, err
}

// firstOpen returns a tenant whose day is not packed or late, Nil for none.
func (d *DB) firstOpen(ctx context.Context, tenants []uuid.UUID, day time.Time) (uuid.UUID, error) {
	for _, tenant := range tenants {
		packed := false
		err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
			return tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM telemetry.historian_days
				WHERE tenant_id = $1 AND day = $2 AND packed_at IS NOT NULL AND NOT late)`, tenant, day).Scan(&packed)
		})
		if err != nil || !packed {
			return tenant, err
		}
	}
	return uuid.Nil, nil
}

// archiveTenant writes and verifies the file of one tenant, unless the manifest
// has it already.
func (d *DB) archiveTenant(ctx context.Context, conn *pgx.Conn, p Partition, tenant uuid.UUID, dir string, done func(Archived)) error {
	found, err := d.manifest(ctx, tenant, p.Name)
	if err != nil || found != nil {
		return err
	}
	a := Archived{Tenant: tenant, Partition: p.Name, Day: p.Day, File: filepath.Join(tenant.String(), p.Name+".parquet")}
	path := filepath.Join(dir, a.File)
	if err := exportTenant(ctx, conn, p.Name, tenant, path); err != nil {
		return err
	}
	if a.Rows, a.Digest, err = tableDigest(ctx, conn, p.Name, tenant); err != nil {
		return err
	}
	read, err := readArchive(path, func([]archivedRow) error { return nil })
	if err != nil {
		return err
	}
	if read.rows != a.Rows || read.sum.String() != a.Digest {
		return fault.New(fault.Internal, "historian.archive_differs").With("file", path)
	}
	if a.FileBytes, a.FileHash, err = hashFile(path); err != nil {
		return err
	}
	err = d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
		if _, err := tx.Exec(ctx, storeArchive, tenant, a.Partition, a.Day, a.Rows, a.Digest, a.File, a.FileBytes, a.FileHash); err != nil {
			return err
		}
		return AppendAudit(ctx, tx, Entry{TenantID: tenant, Actor: SystemActor("optria historian"), Action: "historian.archived", ObjectType: "historian_day",
			ObjectID: a.Day.Format(time.DateOnly), After: map[string]any{"rows": a.Rows, "file": a.File, "bytes": a.FileBytes}})
	})
	if err != nil {
		return fmt.Errorf("store manifest: %w", err)
	}
	done(a)
	return nil
}

// manifest returns the file of a tenant's rows in a partition, nil for none or
// one whose rows were put back since.
func (d *DB) manifest(ctx context.Context, tenant uuid.UUID, partition string) (*Archived, error) {
	a := Archived{Tenant: tenant, Partition: partition}
	var found bool
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
		rows, err := tx.Query(ctx, `SELECT day, rows, digest::text, file, file_bytes, file_sha256 FROM telemetry.historian_archives
			WHERE tenant_id = $1 AND partition = $2 AND restored_at IS NULL`, tenant, partition)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&a.Day, &a.Rows, &a.Digest, &a.File, &a.FileBytes, &a.FileHash}, func() error {
			found = true
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if !found {
		return nil, nil
	}
	return &a, nil
}

// verify compares the file of a manifest with what was written.
func (a *Archived) verify(dir string) error {
	size, hash, err := hashFile(filepath.Join(dir, a.File))
	if err != nil {
		return err
	}
	if size != a.FileBytes || !bytes.Equal(hash, a.FileHash) {
		return fault.New(fault.Invalid, "historian.archive_differs").With("file", a.File)
	}
	return nil
}
