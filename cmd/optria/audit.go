package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/auditchain"
)

const auditUsage = "use: optria audit verify --tenant CODE | optria audit export --tenant CODE [--from DAY] [--to DAY] [-o FILE]"

// runAudit looks after the audit chain of one tenant, the platform's own
// (PLATFORM) included.
func runAudit(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(auditUsage)
	}
	switch args[0] {
	case "verify":
		return auditVerify(ctx, args[1:])
	case "export":
		return auditExport(ctx, args[1:])
	}
	return errors.New(auditUsage)
}

// auditVerify checks the hash chain and the roots of its days. Exit code 3
// means that the chain is broken.
func auditVerify(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	code := flags.String("tenant", "", "code of the tenant")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return withTenant(ctx, *code, func(d *db.DB, tenant uuid.UUID) error {
		report, err := d.VerifyAudit(ctx, tenant)
		if err != nil {
			return err
		}
		if report.Intact {
			fmt.Printf("intact: %d rows, %d roots of days\n", report.Rows, report.Roots)
			return nil
		}
		what := report.Break
		if !report.Day.IsZero() {
			what += auditchain.Break(" of " + report.Day.Format(time.DateOnly))
		}
		fmt.Printf("BROKEN at row %d: %s; %d rows before it hold\n", report.BrokenSeq, what, report.Rows)
		return errExit(3)
	})
}

// auditExport writes the chain as a signed file that optria verify reads.
func auditExport(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("audit export", flag.ContinueOnError)
	code := flags.String("tenant", "", "code of the tenant")
	from, to := flags.String("from", "", "first day in UTC, YYYY-MM-DD"), flags.String("to", "", "last day in UTC, YYYY-MM-DD")
	file := flags.String("o", "", "file to write, standard output without")
	if err := flags.Parse(args); err != nil {
		return err
	}
	span, err := db.ParseAuditSpan(*from, *to)
	if err != nil {
		return err
	}
	key, err := ownKey()
	if err != nil {
		return err
	}
	return withTenant(ctx, *code, func(d *db.DB, tenant uuid.UUID) error {
		err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return db.AppendAudit(ctx, tx, db.Entry{TenantID: tenant, Actor: db.SystemActor("optria audit export"), Action: "audit.chain_exported", ObjectType: "audit",
				ObjectID: tenant.String(), After: map[string]any{"from": *from, "to": *to}})
		})
		if err != nil {
			return fmt.Errorf("record export: %w", err)
		}
		return writeTo(*file, func(w io.Writer) error {
			return d.ExportAudit(ctx, tenant, span, auditchain.NewWriter(w, key, time.Now()))
		})
	})
}

// writeTo writes a file that only its owner reads, or standard output.
func writeTo(name string, write func(io.Writer) error) error {
	out := os.Stdout
	if name != "" {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // #nosec G304 -- the caller's own file
		if err != nil {
			return fmt.Errorf("create file: %w", err)
		}
		out = file
	}
	buffer := bufio.NewWriter(out)
	err := errors.Join(write(buffer), buffer.Flush())
	if name != "" {
		err = errors.Join(err, out.Close())
	}
	return err
}

// withTenant opens the database for one tenant.
func withTenant(ctx context.Context, code string, work func(*db.DB, uuid.UUID) error) error {
	url, err := databaseURL()
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{StatementTimeout: -1})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer d.Close()
	tenant, err := tenantByCode(ctx, d, code)
	if err != nil {
		return err
	}
	return work(d, tenant)
}
