package pglib

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/optimize/production/internal/commitment"
)

// ErrInfeasible says that the exact solver proved that no plan exists.
var ErrInfeasible = errors.New("no commitment meets demand and reserve")

// Solution is a plan as it is written: per generator and period whether it is
// committed (thermal generators) and its output in MW (all generators).
type Solution struct {
	Commitment map[string][]int     `json:"commitment"`
	Power      map[string][]float64 `json:"power"`
}

// Solve returns the best verified plan found within the limits of opt.
func Solve(ctx context.Context, in *Instance, opt optimize.Options, report func(optimize.Progress)) (*Solution, optimize.Certificate, error) {
	start := time.Now()
	_, p := in.compile()
	out := commitment.Solve(ctx, p, nil, opt, report, nil)
	if out.Plan == nil {
		if out.Status == optimize.StatusInfeasible {
			return nil, optimize.Certificate{Status: out.Status}, fault.Wrap(fault.Conflict, "optimize.infeasible", ErrInfeasible)
		}
		return nil, optimize.Certificate{}, fault.Wrap(fault.Unavailable, "optimize.no_plan", errors.Join(out.Err, errors.New("no feasible plan in time")))
	}
	s := in.solution(out.Plan)
	objective, err := Verify(in, s)
	if err != nil {
		return nil, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	if math.Abs(objective-out.Objective) > 1e-6*math.Max(1, math.Abs(objective)) {
		return nil, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("solver says %.9f, verifier finds %.9f", out.Objective, objective))
	}
	cert := optimize.Certificate{
		Objective: objective, BoundKnown: !math.IsInf(out.Bound, -1), Status: out.Status, Seconds: time.Since(start).Seconds(),
		Seed: opt.Seed, Iterations: out.Iterations, Verified: true, Solver: optimize.Solver{Name: out.Solver, Version: "1", Options: map[string]string{
			"columns": strconv.Itoa(out.Columns), "rows": strconv.Itoa(out.Rows), "build": out.Build.String(),
		}},
	}
	if cert.BoundKnown {
		cert.Bound = math.Min(out.Bound, objective)
		cert.Gap = optimize.Gap(objective, cert.Bound)
	}
	if out.Err != nil {
		cert.Solver.Options["exact_error"] = out.Err.Error()
	}
	return s, cert, nil
}

// Model returns the instance as an exact program.
func (in *Instance) Model() *mip.Model {
	_, p := in.compile()
	return commitment.Model(p)
}

// solution names the generators of a plan. The renewable generators share
// what the thermal ones leave of the demand, each between its limits.
func (in *Instance) solution(p *commitment.Plan) *Solution {
	names := sortedKeys(in.Thermal)
	s := &Solution{Commitment: map[string][]int{}, Power: map[string][]float64{}}
	left := append([]float64(nil), in.Demand...)
	for i, name := range names {
		on := make([]int, in.Periods)
		for t := range on {
			if p.On[i][t] {
				on[t] = 1
				left[t] -= p.Load[i][t]
			}
		}
		s.Commitment[name], s.Power[name] = on, p.Load[i]
	}
	renewable := sortedKeys(in.Renewable)
	for _, name := range renewable {
		s.Power[name] = append([]float64(nil), in.Renewable[name].PowerMin...)
	}
	for t := range left {
		least, room := 0.0, 0.0
		for _, name := range renewable {
			w := in.Renewable[name]
			least += w.PowerMin[t]
			room += w.PowerMax[t] - w.PowerMin[t]
		}
		share := 0.0
		if room > 0 {
			share = math.Min(1, math.Max(0, (left[t]-least)/room))
		}
		for _, name := range renewable {
			w := in.Renewable[name]
			s.Power[name][t] += share * (w.PowerMax[t] - w.PowerMin[t])
		}
	}
	return s
}

// Format writes the solution as one JSON object.
func (s *Solution) Format() ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write solution: %w", err)
	}
	return append(text, '\n'), nil
}
