// Package bench measures the AI service on public data against the targets the
// project has set itself and prints one table. It reads the data from a folder
// that the caller names; each family of data has a file of its own here.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config says what is measured.
type Config struct {
	Data     string   // folder with one subfolder per family
	Families []string // names of Families
	Seed     uint64
	Progress io.Writer // one line per finished family
}

// Row is one measured figure of one set.
type Row struct {
	Set    string
	Metric string
	Value  float64
	Goal   Goal
	Note   string // protocol in a few words, or what is special
}

// Goal is what a figure is held against. Both limits are included; an absent
// one is NaN. Lower says that small figures are good; a figure with a Band must
// lie between Must and Most instead.
type Goal struct {
	Must, Aim float64
	Lower     bool
	Most      float64
	Band      bool
}

// family is one kind of data: its subfolder of Config.Data and how it is
// measured.
type family struct {
	name    string
	folder  string
	measure func(ctx context.Context, dir string, seed uint64) ([]Row, error)
}

// Families lists the names of the families in the order of the table.
func Families() []string {
	out := make([]string, 0, len(families))
	for _, f := range families {
		out = append(out, f.name)
	}
	return out
}

// Run measures the families one after the other and returns the rows of those
// that could be measured, with the errors of the others joined.
func Run(ctx context.Context, c Config) ([]Row, error) {
	var rows []Row
	var failed error
	for _, f := range families {
		if !slices.Contains(c.Families, f.name) {
			continue
		}
		dir := filepath.Join(c.Data, f.folder)
		if _, err := os.Stat(dir); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: no data: %w", f.name, err))
			continue
		}
		began := time.Now()
		found, err := f.measure(ctx, dir, c.Seed)
		rows = append(rows, found...)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", f.name, err))
		}
		fmt.Fprintf(c.Progress, "%-12s %3d figures in %6.1f s\n", f.name, len(found), time.Since(began).Seconds())
	}
	return rows, failed
}
