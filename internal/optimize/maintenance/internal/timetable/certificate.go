package timetable

import (
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
)

// version changes whenever the same input, seed and budget may give another
// plan.
const version = "2"

// Certificate turns an outcome into what a plan proves about itself, before it
// is verified. opt are the options of the run, with which it can be repeated;
// those of the exact solver stand beside them under "highs.".
func (o Outcome) Certificate(opt optimize.Options) optimize.Certificate {
	cert := optimize.Certificate{
		Objective: o.Objective, BoundKnown: !math.IsInf(o.Bound, -1), Status: o.Status, Seed: opt.Seed, Iterations: o.Iterations,
		Solver: optimize.Solver{Name: o.Solver, Version: version, Options: map[string]string{
			"time_limit": opt.TimeLimit.String(), "rel_gap": fmt.Sprint(opt.RelGap), "threads": fmt.Sprint(opt.Threads),
			"max_iterations": fmt.Sprint(opt.MaxIterations), "work": opt.Work.String(), "solver": opt.Solver,
		}},
	}
	if cert.BoundKnown {
		cert.Bound, cert.Gap = o.Bound, optimize.Gap(o.Objective, o.Bound)
	}
	for name, v := range o.Exact {
		cert.Solver.Options["highs."+name] = v
	}
	if o.Err != nil {
		cert.Solver.Options["exact_error"] = o.Err.Error()
	}
	return cert
}
