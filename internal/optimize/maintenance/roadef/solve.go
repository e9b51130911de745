package roadef

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance/internal/timetable"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// ErrInfeasible says that the exact solver proved that no plan exists.
var ErrInfeasible = errors.New("no plan satisfies resources and exclusions")

// Plan maps each intervention to its start day, from 1.
type Plan map[string]int

// Solve returns the best verified plan found within the limits of opt.
func Solve(ctx context.Context, in *Instance, opt optimize.Options, report func(optimize.Progress)) (Plan, optimize.Certificate, error) {
	opt = opt.WithDefaults()
	start := time.Now()
	names, p := in.compile()
	for i, options := range p.Options {
		if len(options) == 0 {
			return nil, optimize.Certificate{}, fault.Wrap(fault.Conflict, "optimize.infeasible", fmt.Errorf("intervention %s: %w", names[i], ErrInfeasible))
		}
	}
	res := timetable.Solve(ctx, p, make(timetable.Plan, len(names)), opt, report, nil)
	if res.Plan == nil {
		if res.Status == optimize.StatusInfeasible {
			return nil, optimize.Certificate{Status: res.Status}, fault.Wrap(fault.Conflict, "optimize.infeasible", ErrInfeasible)
		}
		return nil, optimize.Certificate{}, fault.Wrap(fault.Unavailable, "optimize.no_plan", errors.Join(res.Err, errors.New("no feasible plan in time")))
	}
	plan := Plan{}
	for i, o := range res.Plan {
		plan[names[i]] = p.Options[i][o].Start
	}
	objective, err := Verify(in, plan)
	if err != nil {
		return nil, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	if math.Abs(objective-res.Objective) > 1e-6*math.Max(1, math.Abs(objective)) {
		return nil, optimize.Certificate{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("solver says %.9f, verifier finds %.9f", res.Objective, objective))
	}
	res.Objective, res.Bound = objective, math.Min(res.Bound, objective)
	cert := res.Certificate(opt)
	cert.Seconds, cert.Verified = time.Since(start).Seconds(), true
	return plan, cert, nil
}

// compile states the instance for the core: mean risk is linear, the excess
// over it is the core's quantile term.
func (in *Instance) compile() ([]string, *timetable.Problem) {
	names := in.names()
	p := &timetable.Problem{Quantile: in.quantile()}
	rowOf := map[string]int{}
	for _, name := range sortedKeys(in.Resources) {
		rowOf[name] = len(p.Rows)
		r := in.Resources[name]
		for t := range in.Days {
			lower := math.Inf(-1)
			if r.Min[t] > 0 {
				lower = r.Min[t]
			}
			p.Rows = append(p.Rows, timetable.Row{Lower: lower, Upper: r.Max[t]})
		}
	}
	excluded := map[string]map[int][]int32{} // per intervention and day: rows
	for _, name := range sortedKeys(in.Exclusions) {
		e := in.Exclusions[name]
		for _, d := range in.Seasons[e[2]] {
			for _, who := range e[:2] {
				if excluded[who] == nil {
					excluded[who] = map[int][]int32{}
				}
				excluded[who][int(d)] = append(excluded[who][int(d)], int32(len(p.Rows)))
			}
			p.Rows = append(p.Rows, timetable.Row{Lower: math.Inf(-1), Upper: 1})
		}
	}
	for _, name := range names {
		v := in.Interventions[name]
		var options []timetable.Option
		for s := 1; s <= int(v.Latest); s++ {
			if s+int(v.Durations[s-1]) <= in.Days+1 {
				options = append(options, in.option(&v, s, rowOf, excluded[name]))
			}
		}
		p.Options = append(p.Options, options)
	}
	return names, p
}

func (in *Instance) quantile() *timetable.Quantile {
	q := &timetable.Quantile{Weight: (1 - *in.Alpha) / float64(in.Days), Scenarios: in.Scenarios}
	for _, n := range in.Scenarios {
		q.Rank = append(q.Rank, max(1, int(math.Ceil(float64(n)**in.Quantile))))
	}
	return q
}

func (in *Instance) option(v *Intervention, s int, rowOf map[string]int, excluded map[int][]int32) timetable.Option {
	o := timetable.Option{Start: s}
	for t := s; t < s+int(v.Durations[s-1]); t++ {
		for resource, workload := range v.Workload {
			if x, _ := workload.At(t, s); x > 0 {
				o.Uses = append(o.Uses, timetable.Use{Row: int32(rowOf[resource] + t - 1), Amount: x})
			}
		}
		for _, row := range excluded[t] {
			o.Uses = append(o.Uses, timetable.Use{Row: row, Amount: 1})
		}
		values, _ := v.Risk.At(t, s)
		mean := 0.0
		for _, x := range values {
			mean += x
		}
		mean /= float64(len(values))
		o.Cost += *in.Alpha / float64(in.Days) * mean
		if len(values) > 1 {
			o.Risks = append(o.Risks, timetable.Risk{Day: int32(t - 1), Mean: mean, Values: values})
		}
	}
	sort.Slice(o.Uses, func(a, b int) bool { return o.Uses[a].Row < o.Uses[b].Row })
	return o
}

// Model returns the instance with its exact quantile as one program.
func (in *Instance) Model() *mip.Model {
	_, p := in.compile()
	return timetable.Model(p)
}

// Format writes a plan as the challenge wants it: one "<name> <start>" line
// per intervention.
func (p Plan) Format() []byte {
	var b bytes.Buffer
	for _, name := range sortedKeys(p) {
		fmt.Fprintf(&b, "%s %d\n", name, p[name])
	}
	return b.Bytes()
}
