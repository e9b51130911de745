package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/importer"
	"github.com/optria-iq/optria/internal/dataset"
)

// importFlags are the options of `optria import`.
type importFlags struct {
	tenant, mapping, prefix, start, file string
	cmapss                               bool
}

func parseImport(args []string) (importFlags, error) {
	var f importFlags
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.StringVar(&f.tenant, "tenant", "", "code of the tenant")
	flags.StringVar(&f.mapping, "mapping", "", "JSON file that says which column is what")
	flags.BoolVar(&f.cmapss, "cmapss", false, "the file is C-MAPSS text: unit, cycle, 3 settings, 21 sensors")
	flags.StringVar(&f.prefix, "prefix", "", "C-MAPSS: asset tags become PREFIX-001, PREFIX-002, …")
	flags.StringVar(&f.start, "start", time.Now().AddDate(-1, 0, 0).Format(time.DateOnly), "C-MAPSS: the day of cycle 1")
	if err := flags.Parse(args); err != nil {
		return f, err
	}
	f.file = flags.Arg(0)
	switch {
	case f.tenant == "":
		return f, errors.New("--tenant is missing: give the code of a tenant")
	case f.file == "":
		return f, errors.New("give the file to import after the flags")
	case !f.cmapss && f.mapping == "":
		return f, errors.New("--mapping is missing: describe the columns in a JSON file (see docs/OPERATIONS.md), or use --cmapss")
	case f.cmapss && f.prefix == "":
		return f, errors.New("--prefix is missing: it begins the tags of the imported assets")
	}
	return f, nil
}

func runImport(ctx context.Context, args []string) error {
	f, err := parseImport(args)
	if err != nil {
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
	tenant, err := tenantByCode(ctx, d, f.tenant)
	if err != nil {
		return err
	}
	im := importer.New(d, tenant, db.SystemActor("optria import"), filepath.Base(f.file))
	report, err := readFile(ctx, f, func(r dataset.Record) error { return im.Add(ctx, r) })
	if err != nil {
		return fmt.Errorf("read %s: %w", f.file, err)
	}
	result, err := im.Close(ctx)
	if err != nil {
		return err
	}
	printImport(report, result)
	return nil
}

func readFile(ctx context.Context, f importFlags, emit dataset.Emit) (dataset.Report, error) {
	data, err := os.Open(f.file)
	if err != nil {
		return dataset.Report{}, err
	}
	defer data.Close()
	if f.cmapss {
		start, err := time.Parse(time.DateOnly, f.start)
		if err != nil {
			return dataset.Report{}, fmt.Errorf("--start %q: use a day such as 2026-01-31", f.start)
		}
		return dataset.ReadCMAPSS(ctx, data, dataset.CMAPSS{Prefix: f.prefix, Start: start}, dataset.DefaultLimits(), emit)
	}
	m, err := os.Open(f.mapping)
	if err != nil {
		return dataset.Report{}, err
	}
	defer m.Close()
	mapping, err := dataset.ParseMapping(m)
	if err != nil {
		return dataset.Report{}, fmt.Errorf("mapping %s: %w", f.mapping, err)
	}
	return dataset.ReadCSV(ctx, data, mapping, dataset.DefaultLimits(), emit)
}

func printImport(report dataset.Report, result importer.Result) {
	fmt.Printf("rows %d, measurements %d, bad rows %d\n", report.Rows, report.Records, report.BadRows)
	for _, p := range report.Problems {
		fmt.Printf("  line %d %s: %s\n", p.Line, p.Column, p.Reason)
	}
	if report.Truncated {
		fmt.Println("  … further problems are counted, not listed")
	}
	fmt.Printf("assets created %d, signals created %d, readings written %d, outside the time window %d\n",
		result.Assets, result.Signals, result.Written, result.Rejected)
}

func tenantByCode(ctx context.Context, d *db.DB, code string) (uuid.UUID, error) {
	var t db.Tenant
	err := d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		t, err = q.GetTenantByCode(ctx, tx, code)
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("no tenant with code %q: %w", code, err)
	}
	return t.ID, nil
}
