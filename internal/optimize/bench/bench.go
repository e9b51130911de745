// Package bench measures the engines on sets of public instances, on generated
// ones that grow, and on the two builds of the exact solver. It reads the
// instances from a folder that the caller names and prints tables; what an
// instance's format is and how it is solved is the caller's to say.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Formats solves instances by the name of their format, as "optria solve"
// does. Problem is the kind of the product's own format and empty otherwise.
type Formats interface {
	Has(format string) bool
	Model(format, problem string, data []byte) (*mip.Model, error)
	Solve(ctx context.Context, format, problem string, data []byte, opt optimize.Options, report func(optimize.Progress)) (optimize.Certificate, []byte, error)
}

// Config says what is run and where results go.
type Config struct {
	Data      string   // folder of the public instances
	Sets      []string // names of Sets
	Instances string   // glob on the names of instances, "" = all
	Seeds     []int64
	Options   optimize.Options // of every solve; the seed is set for each
	Formats   Formats
	Progress  io.Writer // one line per finished solve
}

// Case is one instance of a set.
type Case struct {
	Set, Instance   string
	Format, Problem string
	Load            func() ([]byte, error)
	// Judge, when set, replaces the comparison of the objective with Best.
	Judge func(output []byte) (verdict, error)
	Best  *float64 // best known objective, nil when unknown
}

// verdict is what a set with answers of its own finds in an output.
type verdict struct {
	value, expected float64
	note            string
}

// Row is one solve. Money and bounds are in the unit of the instance.
type Row struct {
	Set, Instance string
	Certificate   optimize.Certificate
	Seed          int64
	Best          *float64
	Unserved      int     // −1 where nothing is served
	FirstPlan     float64 // seconds until the first plan was reported, NaN without
	Seconds       float64 // wall time with reading and verifying
	PeakMiB       float64 // memory of the process and its children, NaN where the system does not tell
	Note          string
	Err           error
}

// GapToBest returns 100·(objective − best known)/|best known|, NaN without
// both.
func (r Row) GapToBest() float64 {
	if r.Best == nil || r.Err != nil {
		return math.NaN()
	}
	return 100 * (r.Certificate.Objective - *r.Best) / math.Max(1e-9, math.Abs(*r.Best))
}

// Run measures every set and returns the rows that were finished before ctx
// ended. What is missing (a folder, a format) is said on Progress and in the
// error, after everything else has run.
func Run(ctx context.Context, c Config) ([]Row, error) {
	var rows []Row
	var missing []error
	for _, name := range c.Sets {
		found, err := c.run(ctx, name)
		rows = append(rows, found...)
		if err != nil {
			missing = append(missing, fmt.Errorf("set %s: %w", name, err))
			fmt.Fprintf(c.Progress, "set %s: %v\n", name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return rows, errors.Join(missing...)
}

// run measures one set.
func (c Config) run(ctx context.Context, set string) ([]Row, error) {
	if set == SetHighs {
		return c.compareSolvers(ctx)
	}
	var rows []Row
	cases, err := c.cases(set)
	for _, k := range cases {
		for _, seed := range c.Seeds {
			if ctx.Err() != nil {
				return rows, errors.Join(err, ctx.Err())
			}
			row := c.measure(ctx, k, seed)
			rows = append(rows, row)
			fmt.Fprintln(c.Progress, row.short())
		}
	}
	return rows, err
}

// measure solves one instance once.
func (c Config) measure(ctx context.Context, k Case, seed int64) Row {
	row := Row{Set: k.Set, Instance: k.Instance, Seed: seed, Best: k.Best, Unserved: -1, FirstPlan: math.NaN(), PeakMiB: math.NaN()}
	data, err := k.Load()
	if err != nil {
		row.Err = err
		return row
	}
	debug.FreeOSMemory() // what earlier instances left does not count for this one
	memory := watchMemory(os.Getpid())
	start := time.Now()
	opt := c.Options
	opt.Seed = seed
	var output []byte
	row.Certificate, output, row.Err = c.Formats.Solve(ctx, k.Format, k.Problem, data, opt, func(p optimize.Progress) {
		if p.HasIncumbent && math.IsNaN(row.FirstPlan) {
			row.FirstPlan = time.Since(start).Seconds()
		}
	})
	row.Seconds, row.PeakMiB = time.Since(start).Seconds(), memory.stop()
	if row.Err != nil {
		return row
	}
	if row.Unserved, row.Err = unserved(output); row.Err != nil || k.Judge == nil {
		return row
	}
	v, err := k.Judge(output)
	row.Certificate.BoundKnown = false // it would bound something else
	row.Certificate.Objective, row.Best, row.Note, row.Err = v.value, &v.expected, v.note, err
	return row
}
