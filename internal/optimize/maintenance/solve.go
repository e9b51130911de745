package maintenance

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance/internal/timetable"
)

// Solve returns the best plan found within the limits of opt, verified. An
// input that no plan can satisfy gives an *optimize.InfeasibleError inside a fault;
// cancelling ctx keeps the best plan and fails only when there is none.
func Solve(ctx context.Context, in Input, opt optimize.Options, report func(optimize.Progress)) (Output, error) {
	opt = opt.WithDefaults()
	start, meter := time.Now(), optimize.NewMeter(opt)
	if err := in.Validate(); err != nil {
		return Output{}, err
	}
	core := opt
	if opt.Prices { // leave two fifths of the budget to the prices
		core = opt.WithBudget(opt.Budget() * 3 / 5)
	}
	out, c, days, err := solveCore(ctx, &in, core, meter, report)
	if err != nil {
		return Output{}, err
	}
	if opt.Prices {
		opt.OnPlan = nil // prices solve other problems
		opt = opt.WithBudget(meter.Left())
		if err = out.addPrices(ctx, c, days, opt, report); err != nil {
			return Output{}, err
		}
	}
	out.Certificate.Seconds = time.Since(start).Seconds()
	return out, nil
}

// solveCore solves without prices and returns, beside the output, what
// explains it. What it spends is charged to the meter.
func solveCore(ctx context.Context, in *Input, opt optimize.Options, meter *optimize.Meter, report func(optimize.Progress)) (Output, *compiled, []int, error) {
	start, asked := time.Now(), opt
	c := compile(in, opt.Threads)
	if conflicts := c.impossible(); len(conflicts) > 0 {
		return Output{}, nil, nil, optimize.Infeasible(conflicts)
	}
	// Verifying and explaining take about as long as compiling on one thread.
	after := max(time.Since(start)*time.Duration(opt.Threads), time.Duration(len(in.Actions))*time.Millisecond)
	opt.TimeLimit = max(opt.TimeLimit/4, opt.TimeLimit-time.Since(start)-after)
	res := timetable.Solve(ctx, c.problem, c.start(), opt, report, c.hand(opt.OnPlan))
	meter.Charge(res.Spent)
	opt.OnPlan = nil
	if res.Plan == nil {
		if res.Status != optimize.StatusInfeasible && ctx.Err() != nil {
			return Output{}, nil, nil, fault.Wrap(fault.Unavailable, "optimize.no_plan", ctx.Err())
		}
		plan, conflicts, err := c.relax(ctx, opt)
		if err != nil {
			return Output{}, nil, nil, fault.Wrap(fault.Unavailable, "optimize.no_plan", err)
		}
		if plan == nil {
			return Output{}, nil, nil, optimize.Infeasible(conflicts)
		}
		res.Plan, res.Objective, res.Bound, res.Status = plan, c.problem.Cost(plan), math.Min(res.Bound, c.problem.Cost(plan)), optimize.StatusTimeLimit
	}
	days := c.days(res.Plan)
	out, err := c.output(days, res, asked)
	return out, c, days, err
}

// hand turns plans of the core into warm starts ([]Start) for whoever keeps
// them.
func (c *compiled) hand(keep func(any)) func(timetable.Plan) {
	if keep == nil {
		return nil
	}
	return func(plan timetable.Plan) {
		starts := make([]Start, len(plan))
		for i, day := range c.days(plan) {
			starts[i] = Start{ActionID: c.in.Actions[i].ID, StartDay: day}
			if day == c.in.Days {
				starts[i].StartDay, starts[i].Deferred = -1, true
			}
		}
		keep(starts)
	}
}

// output assembles and verifies a plan.
func (c *compiled) output(days []int, res timetable.Outcome, opt optimize.Options) (Output, error) {
	out := c.assemble(days)
	out.Certificate = res.Certificate(opt)
	if err := VerifyOutput(*c.in, out); err != nil {
		return Output{}, fault.Wrap(fault.Internal, "optimize.unverified", fmt.Errorf("verify plan: %w", err))
	}
	out.Certificate.Verified = true
	return out, nil
}

func bothOptimal(a, b Output) bool {
	return a.Certificate.Status == optimize.StatusOptimal && b.Certificate.Status == optimize.StatusOptimal
}

// starts returns the plan as plain decisions.
func (o Output) starts() []Start {
	plan := make([]Start, len(o.Schedule))
	for i, d := range o.Schedule {
		plan[i] = Start{ActionID: d.ActionID, StartDay: d.StartDay, Deferred: d.Deferred}
	}
	return plan
}
