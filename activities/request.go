package activities

import (
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// request is what a run asks for, read from its row.
type request struct {
	run         db.OptimizationRun
	problem     optimize.Problem
	spec        optimize.Spec
	objective   runs.Objective
	constraints runs.Constraints
	now         time.Time
}

// readRequest reads and checks what a run asks for.
func readRequest(run db.OptimizationRun) (request, error) {
	problem, err := problemOf(run)
	if err != nil {
		return request{}, err
	}
	r := request{run: run, problem: problem, spec: problem.Spec(), now: time.Now()}
	r.objective, r.constraints, err = runs.Parse(r.spec, run.Objective, run.Constraints)
	return r, err
}

// problemOf returns the engine of a run.
func problemOf(run db.OptimizationRun) (optimize.Problem, error) {
	problem, ok := optimize.Lookup(run.Problem)
	if !ok {
		return nil, fault.New(fault.Invalid, KeyProblem).With("problem", run.Problem)
	}
	return problem, nil
}

// weight returns a weight of preset custom by the name of its field.
func (r request) weight(name string) float64 { return r.objective.Weight(r.spec, name) }

// dayOf counts days from the start of the horizon, both as midnight UTC.
func dayOf(start, day time.Time) int {
	return int(day.Sub(start).Round(24*time.Hour) / (24 * time.Hour))
}
