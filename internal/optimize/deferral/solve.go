package deferral

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// Solve returns the cheapest open day of every action by looking at all of
// them, with the curves, their bands and the verdicts, verified. A pin on a
// closed day, or an action without an open one, gives an
// *optimize.InfeasibleError inside a fault. Cancelling ctx, or the time limit,
// ends the bootstrap early; the days do not depend on it.
func Solve(ctx context.Context, in Input, opt optimize.Options, report func(optimize.Progress)) (Output, error) {
	opt = opt.WithDefaults()
	start := time.Now()
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	out, err := enumerate(&in, opt)
	if err != nil {
		return Output{}, err
	}
	if opt.OnPlan != nil {
		opt.OnPlan(out.choices())
	}
	ctx, stop := context.WithTimeout(ctx, opt.TimeLimit)
	defer stop()
	tell := optimize.Throttled(report)
	progress := func(phase optimize.Phase) {
		tell(optimize.Progress{Phase: phase, Incumbent: out.Objective.Weighted, HasIncumbent: true, Bound: out.Objective.Weighted, BoundKnown: true, Elapsed: time.Since(start)})
	}
	progress(optimize.PhaseConstruct)
	samples, complete := bootstrap(ctx, &in, opt.Seed, opt.Threads, func() { progress(optimize.PhaseSearch) })
	out.judge(&in, samples)
	if complete {
		out.addFleetBand(&in, samples)
	}
	if opt.Prices {
		progress(optimize.PhasePrices)
		if err = out.addPrices(&in, opt); err != nil {
			return Output{}, err
		}
	}
	progress(optimize.PhaseVerify)
	out.Certificate.Seconds = time.Since(start).Seconds()
	return out, nil
}

// enumerate chooses every day and verifies the plan. The choices share no
// constraint, so the sum of the least costs is the least sum.
func enumerate(in *Input, opt optimize.Options) (Output, error) {
	out := Output{Actions: make([]Deferral, len(in.Actions))}
	courses := make([]course, len(in.Actions))
	parallel(len(in.Actions), opt.Threads, func(i int) {
		courses[i] = believed(&in.Actions[i]).course(max(in.Days, milestones[len(milestones)-1]+1))
	})
	var conflicts []optimize.Conflict
	for i := range in.Actions {
		a := &in.Actions[i]
		day, bad := in.choose(a, courses[i])
		if conflicts = append(conflicts, bad...); bad != nil {
			continue
		}
		out.Actions[i] = in.deferral(a, courses[i], day)
		out.Objective = out.Objective.plus(out.Actions[i].Cost)
	}
	if len(conflicts) > 0 {
		return Output{}, optimize.Infeasible(conflicts)
	}
	out.Baseline = in.baseline(courses)
	for k, days := range milestones {
		f := Fleet{Days: days}
		for _, d := range out.Actions {
			f.Cost += d.Wait[k]
		}
		f.Low, f.High = f.Cost, f.Cost
		out.Fleet = append(out.Fleet, f)
	}
	out.Certificate = certificate(out.Objective.Weighted, in, opt)
	if err := VerifyOutput(*in, out); err != nil {
		return Output{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	out.Certificate.Verified = true
	return out, nil
}

// coreVersion changes whenever the same input and seed may give another
// answer.
const coreVersion = "1"

func certificate(objective float64, in *Input, opt optimize.Options) optimize.Certificate {
	return optimize.Certificate{
		Objective: objective, Bound: objective, BoundKnown: true, Status: optimize.StatusOptimal, Seed: opt.Seed,
		Iterations: int64(len(in.Actions)) * int64(in.Days),
		Solver: optimize.Solver{Name: "enumeration", Version: coreVersion, Options: map[string]string{
			"replicates": strconv.Itoa(in.replicates()), "confidence": fmt.Sprint(in.Band.confidence()), "threads": strconv.Itoa(opt.Threads),
			"time_limit": opt.TimeLimit.String(),
		}},
	}
}

// deferral fills what does not need the bootstrap.
func (in *Input) deferral(a *Action, c course, day int) Deferral {
	d := Deferral{
		ActionID: a.ID, Day: day, Pinned: in.pin(a.ID) >= 0, Cost: c.terms(a, day, in.Weights), Rate: c.optimum.Rate,
		PFailEnd: c.pFail[in.Days-1], FailureGain: c.failure[in.Days-1] - c.failure[day],
	}
	if age := c.optimum.Age; age < farAge {
		d.OptimalAge = &age
	}
	for _, n := range milestones {
		d.PFail, d.Wait = append(d.PFail, c.pFail[n]), append(d.Wait, c.weighted(n, in.Weights))
	}
	for n := range in.Days {
		d.Curve = append(d.Curve, c.weighted(n, in.Weights))
		d.Closed = append(d.Closed, in.closedBy(a, n).code != "")
	}
	return d
}

// farAge is the age in days beyond which a replacement counts as never.
const farAge = 1e12

// baseline returns the cost of the current plan, nil when an action is not in
// it.
func (in *Input) baseline(courses []course) *Terms {
	var sum Terms
	for i := range in.Actions {
		day := in.Actions[i].BaselineDay
		if day == nil || *day < 0 || *day >= in.Days {
			return nil
		}
		sum = sum.plus(courses[i].terms(&in.Actions[i], *day, in.Weights))
	}
	if len(in.Actions) == 0 {
		return nil
	}
	return &sum
}

// judge adds the bands, the verdicts and the reasons. An action without a
// sample is judged by its point estimate.
func (o *Output) judge(in *Input, samples []sample) {
	for i := range o.Actions {
		a, d, s := &in.Actions[i], &o.Actions[i], samples[i]
		d.Low, d.High = s.low, s.high
		if s.low == nil {
			s.saveLow = slices.Clone(d.Curve)
			relative(s.saveLow, d.Curve[in.firstOpen(a, 0)])
			s.saveHigh = s.saveLow
		}
		d.Verdict, d.Until = in.verdict(a, d, s.saveLow, s.saveHigh)
		d.Reasons = in.reasons(a, d, s.saveHigh)
	}
}

// addFleetBand sums the replicates of all actions, which are independent.
func (o *Output) addFleetBand(in *Input, samples []sample) {
	o.Replicates = in.replicates()
	fleet := make([][]float64, o.Replicates)
	for b := range fleet {
		fleet[b] = make([]float64, len(milestones))
		for _, s := range samples {
			for k, v := range s.milestones[b] {
				fleet[b][k] += v
			}
		}
	}
	low, high := band(fleet, in.Band.confidence())
	for k := range o.Fleet {
		o.Fleet[k].Low, o.Fleet[k].High = low[k], high[k]
	}
}

// addPrices prices each pin as the difference of two verified plans.
func (o *Output) addPrices(in *Input, opt optimize.Options) error {
	for k, p := range in.Pins {
		free := *in
		free.Pins = append(append([]Choice(nil), in.Pins[:k]...), in.Pins[k+1:]...)
		other, err := enumerate(&free, opt)
		if err != nil {
			return err
		}
		o.PinPrices = append(o.PinPrices, PinPrice{ActionID: p.ActionID, Value: o.Objective.Weighted - other.Objective.Weighted})
	}
	return nil
}
