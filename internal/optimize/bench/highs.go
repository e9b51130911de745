package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/maintenance/generate"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// program is a model for the comparison of the solver's builds.
type program struct {
	name            string
	format, problem string
	load            func() ([]byte, error)
	relaxed         bool // without integrality
}

// programs lists generated maintenance plans and, when the data folder has
// them, days of unit commitment.
func (c Config) programs() []program {
	fleet := func(n, days int) func() ([]byte, error) {
		return func() ([]byte, error) { return json.Marshal(generate.Fleet(n, days, scaleSeed)) }
	}
	list := []program{
		{"maintenance-40x30", "optria", maintenance.Kind, fleet(40, 30), false},
		{"maintenance-60x60", "optria", maintenance.Kind, fleet(60, 60), false},
		{"maintenance-120x60-lp", "optria", maintenance.Kind, fleet(120, 60), true},
		{"maintenance-300x90-lp", "optria", maintenance.Kind, fleet(300, 90), true},
	}
	days, err := filepath.Glob(filepath.Join(c.Data, "uc_pglib", "*.json"))
	if err == nil && len(days) > 0 && c.Formats.Has("pglib-uc") {
		list = append(list, program{"uc-" + filepath.Base(days[0]) + "-lp", "pglib-uc", "", func() ([]byte, error) { return os.ReadFile(days[0]) }, true}) // #nosec G304 -- the user's own folder
	}
	return list
}

// compareSolvers solves every program with the embedded solver and, where
// there is one, with the native one.
func (c Config) compareSolvers(ctx context.Context) ([]Row, error) {
	var missing error
	engines := []bool{true}
	if mip.Native() == "" {
		missing = fmt.Errorf("no native highs: set OPTRIA_HIGHS or put one on the PATH")
	} else {
		engines = append(engines, false)
	}
	var rows []Row
	for _, p := range c.programs() {
		var embedded float64
		for _, own := range engines {
			if ctx.Err() != nil {
				return rows, ctx.Err()
			}
			row := c.solveProgram(ctx, p, own)
			if own {
				embedded = row.Seconds
			} else if row.Err == nil {
				row.Note += fmt.Sprintf(", embedded takes %.2f times as long", embedded/row.Seconds)
			}
			rows = append(rows, row)
			fmt.Fprintln(c.Progress, row.short())
		}
	}
	return rows, missing
}

// solveProgram builds one model and solves it; Seconds is the solver's time
// alone, with starting its process.
func (c Config) solveProgram(ctx context.Context, p program, embedded bool) Row {
	row := Row{Set: SetHighs, Instance: p.name + " native", Seed: c.Seeds[0], Unserved: -1, FirstPlan: math.NaN(), PeakMiB: math.NaN()}
	if embedded {
		row.Instance = p.name + " embedded"
	}
	data, err := p.load()
	if err != nil {
		row.Err = err
		return row
	}
	start := time.Now()
	m, err := c.Formats.Model(p.format, p.problem, data)
	if err != nil {
		row.Err = err
		return row
	}
	if p.relaxed {
		m = m.Relaxed()
	}
	build := time.Since(start).Seconds()
	memory := watchMemory(os.Getpid())
	res, err := mip.Solve(ctx, m, mip.Options{TimeLimit: c.Options.TimeLimit, RelGap: 1e-4, Seed: int(row.Seed), Embedded: embedded}, func(e mip.Event) {
		if e.X != nil && math.IsNaN(row.FirstPlan) {
			row.FirstPlan = e.Elapsed.Seconds()
		}
	})
	row.PeakMiB, row.Err = memory.stop(), err
	if err != nil {
		return row
	}
	row.Seconds = res.Elapsed.Seconds()
	row.Certificate = optimize.Certificate{Objective: res.Objective, Bound: res.Bound, BoundKnown: !math.IsInf(res.Bound, -1), Gap: optimize.Gap(res.Objective, res.Bound),
		Status: optimize.Status(res.Status), Verified: res.X != nil, Solver: optimize.Solver{Name: res.Solver}}
	row.Note = fmt.Sprintf("%d columns, %d rows, %d entries, built in %.2f s (%.0f %% of both)", m.Columns(), m.Rows(), len(m.Index), build, 100*build/(build+row.Seconds))
	return row
}
