package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/i18n"
)

const historianUse = "use: optria historian status | pack | archive --before YYYY-MM-DD --dir FOLDER | restore --day YYYY-MM-DD --dir FOLDER"

// runHistorian is what operators do to the tables of readings: look, pack
// closed days, take old partitions out into files, and put them back. Nothing
// it does deletes a reading.
func runHistorian(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(historianUse)
	}
	flags := flag.NewFlagSet("historian "+args[0], flag.ContinueOnError)
	before := flags.String("before", "", "archive: days before this one, YYYY-MM-DD")
	day := flags.String("day", "", "restore: the day, YYYY-MM-DD")
	dir := flags.String("dir", "", "folder of the archive")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	work, ok := map[string]func(context.Context, *db.DB) error{
		"status":  historianStatus,
		"pack":    historianPack,
		"archive": func(ctx context.Context, d *db.DB) error { return historianArchive(ctx, d, *before, *dir) },
		"restore": func(ctx context.Context, d *db.DB) error { return historianRestore(ctx, d, *day, *dir) },
	}[args[0]]
	if !ok || flags.NArg() > 0 {
		return errors.New(historianUse)
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
	return work(ctx, d)
}

func historianStatus(ctx context.Context, d *db.DB) error {
	s, err := d.HistorianState(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "PARTITION\tSTATE\tROWS (ESTIMATE)\tMiB\tBYTES PER ROW\t")
	today, ahead := time.Now().UTC().Truncate(24*time.Hour), 0
	for _, p := range s.Partitions {
		if p.State == db.PartitionAttached && p.Day.After(today) {
			ahead++
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%s\t\n", p.Name, p.State, p.Rows, mebibytes(p.HeapBytes+p.IndexBytes), perRow(p.HeapBytes+p.IndexBytes, p.Rows))
	}
	fmt.Fprintf(w, "\nTENANT\tPACKED DAYS\tLATE\tSAMPLES\tARCHIVE FILES\t\n")
	samples := int64(0)
	for _, p := range s.Packed {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", p.Tenant.Code, p.Days, p.Late, p.Samples, p.Archived)
		samples += p.Samples
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nPartitions ahead of today: %d. Packed: %.1f MiB, %s bytes per sample. Roll-ups: %.1f MiB.\n",
		ahead, mebibytes(s.PackedBytes), perRow(s.PackedBytes, samples), mebibytes(s.RollUpBytes))
	return nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

func perRow(bytes, rows int64) string {
	if rows <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(bytes)/float64(rows))
}

func historianPack(ctx context.Context, d *db.DB) error {
	return d.PackAll(ctx, func(t db.Tenant, day time.Time, samples int64) {
		fmt.Printf("%s  %s  %d samples\n", t.Code, day.Format(time.DateOnly), samples)
	})
}

func historianArchive(ctx context.Context, d *db.DB, before, dir string) error {
	day, err := archiveArguments("--before", before, dir)
	if err != nil {
		return err
	}
	catalog, err := i18n.New()
	if err != nil {
		return err
	}
	words := catalog.Localizer(i18n.English)
	done := func(a db.Archived) {
		fmt.Printf("%s  %d rows  %d bytes  verified\n", a.File, a.Rows, a.FileBytes)
	}
	return d.Archive(ctx, day, dir, done, func(s db.Skipped) { fmt.Printf("%s  left in place: %s\n", s.Partition, words.T(s.Key)) })
}

func historianRestore(ctx context.Context, d *db.DB, day, dir string) error {
	at, err := archiveArguments("--day", day, dir)
	if err != nil {
		return err
	}
	all, err := d.Restore(ctx, at, dir)
	for _, r := range all {
		how := "stored row by row"
		if r.Attached {
			how = "attached again"
		}
		fmt.Printf("%s  %d rows  %s\n", r.Partition, r.Rows, how)
	}
	return err
}

func archiveArguments(name, day, dir string) (time.Time, error) {
	if dir == "" {
		return time.Time{}, errors.New("--dir is missing: name the folder of the archive")
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s must be a day such as 2026-01-31", name)
	}
	return at, nil
}
