package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/optria-iq/optria/db"
)

// runAudit checks the hash chain of one tenant's audit log. Exit code 3 means
// that the chain is broken.
func runAudit(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "verify" {
		return errors.New("use: optria audit verify --tenant CODE")
	}
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	code := flags.String("tenant", "", "code of the tenant")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	url, err := databaseURL()
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{StatementTimeout: -1})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer d.Close()
	tenant, err := tenantByCode(ctx, d, *code)
	if err != nil {
		return err
	}
	report, err := d.VerifyAudit(ctx, tenant)
	if err != nil {
		return err
	}
	if !report.Intact {
		fmt.Printf("BROKEN at row %d: %s; %d rows before it hold\n", report.BrokenSeq, report.Break, report.Rows)
		return errExit(3)
	}
	fmt.Printf("intact: %d rows\n", report.Rows)
	return nil
}
