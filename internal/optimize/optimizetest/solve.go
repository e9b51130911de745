package optimizetest

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// certified: a certificate says who solved what, and its numbers agree.
func (s *suite) certified(t *testing.T) {
	c := s.best.Certificate
	require.True(t, c.Verified)
	require.Equal(t, budget().Seed, c.Seed)
	require.Positive(t, c.Seconds)
	require.NotEmpty(t, c.Solver.Name)
	require.NotEmpty(t, c.Solver.Version)
	require.NotEmpty(t, c.Solver.Options, "the options of a run belong to its audit")
	require.Contains(t, []optimize.Status{optimize.StatusOptimal, optimize.StatusFeasible}, c.Status, "an iteration budget ends by itself")
	require.False(t, math.IsNaN(c.Objective) || math.IsInf(c.Objective, 0))
	if c.BoundKnown {
		require.LessOrEqual(t, c.Bound, c.Objective+slack(c.Objective))
		require.InDelta(t, optimize.Gap(c.Objective, c.Bound), c.Gap, 1e-9)
	} else {
		require.NotEqual(t, optimize.StatusOptimal, c.Status, "without a bound nothing is optimal")
	}
}

// verifier: it refuses what is no plan of the input.
func (s *suite) verifier(t *testing.T) {
	require.NoError(t, s.problem.Verify(s.input, s.best.Output))
	require.Error(t, s.problem.Verify(s.input, json.RawMessage(`{}`)))
	require.Error(t, s.problem.Verify(s.input, json.RawMessage(`{`)))
	require.Error(t, s.problem.Verify(s.forced(t), s.best.Output), "the plan does not hold the pin")
}

// weights: presets lead to different plans or objectives, and nothing else is
// a preset.
func (s *suite) weights(t *testing.T) {
	objectives := s.problem.Spec().Objectives
	seen := map[float64]bool{}
	for _, o := range objectives {
		input, err := s.problem.Weigh(s.input, o.Kind)
		require.NoError(t, err, o.Kind)
		seen[s.solve(t, input).Certificate.Objective] = true
	}
	if len(objectives) > 1 {
		require.Greater(t, len(seen), 1, "weights change nothing")
	}
	_, err := s.problem.Weigh(s.input, "no such preset")
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}

// forced returns the input with the pin.
func (s *suite) forced(t *testing.T) json.RawMessage {
	t.Helper()
	input, err := s.problem.Force(s.input, s.pin)
	require.NoError(t, err)
	return input
}

// pins: a pin holds, costs nothing less than the free plan, and names a
// subject of the input.
func (s *suite) pins(t *testing.T) {
	require.False(t, holds(s.viewOf(t, s.input, s.best), s.pin), "the fixture's pin must not hold by itself")
	input := s.forced(t)
	res := s.solve(t, input)
	require.True(t, holds(s.viewOf(t, input, res), s.pin), "the plan leaves its pin")
	require.GreaterOrEqual(t, res.Certificate.Objective, s.best.Certificate.Objective-slack(res.Certificate.Objective), "a pin cannot save money")
	unknown := s.pin
	unknown.Subject = "no such subject"
	_, err := s.problem.Force(s.input, unknown)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}

// cancel: cancelling ends the search and keeps the best plan so far.
func (s *suite) cancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opt := optimize.Options{TimeLimit: time.Minute, RelGap: 1e-12, Seed: 1, Threads: 2}
	res, err := s.problem.Solve(ctx, s.input, opt, func(p optimize.Progress) {
		if p.HasIncumbent {
			cancel()
		}
	})
	require.NoError(t, err)
	require.True(t, res.Certificate.Verified)
	require.NoError(t, s.problem.Verify(s.input, res.Output))
	require.Less(t, res.Certificate.Seconds, 30., "cancelling must end the search")
}

// repeats: the same input, seed and iteration budget give the same output.
func (s *suite) repeats(t *testing.T) {
	again := s.solve(t, s.input)
	require.Equal(t, timeless(t, s.best.Output), timeless(t, again.Output))
}

// repeatsWork: the same input, seed and budget of work give the same output,
// prices included, however fast the machine is while they are searched for.
func (s *suite) repeatsWork(t *testing.T) {
	opt := optimize.Options{Work: 500 * time.Millisecond, TimeLimit: 2 * time.Minute, Seed: 3, Threads: 2, Prices: true}
	first := s.solveWith(t, s.forced(t), opt)
	require.Contains(t, []optimize.Status{optimize.StatusOptimal, optimize.StatusFeasible}, first.Certificate.Status, "a budget of work ends by itself")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 2 { // somebody else is busy the second time
		go func() {
			for busy := true; busy; {
				busy = ctx.Err() == nil
			}
		}()
	}
	require.Equal(t, timeless(t, first.Output), timeless(t, s.solveWith(t, s.forced(t), opt).Output))
}

// warmStart: a search that starts from a plan ends with none that is worse.
func (s *suite) warmStart(t *testing.T) {
	plan, err := s.problem.Plan(s.best.Output)
	require.NoError(t, err)
	input, err := s.problem.Start(s.input, plan)
	require.NoError(t, err)
	opt := budget()
	opt.MaxIterations, opt.Seed, opt.Solver = 1, 99, optimize.SolverHeuristic
	res := s.solveWith(t, input, opt)
	require.LessOrEqual(t, res.Certificate.Objective, s.best.Certificate.Objective+slack(res.Certificate.Objective))
}

// infeasible: an input without a plan is answered with what forbids one.
func (s *suite) infeasible(t *testing.T) {
	_, err := s.problem.Solve(context.Background(), s.without, budget(), nil)
	require.Equal(t, fault.Conflict, fault.CodeOf(err), "%v", err)
	var why *optimize.InfeasibleError
	require.ErrorAs(t, err, &why)
	for _, c := range why.Conflicts {
		if c.Code == s.conflict.Code && c.Constraint == s.conflict.Constraint {
			return
		}
	}
	require.Fail(t, "conflict not named", "want %s %s, have: %v", s.conflict.Code, s.conflict.Constraint, why)
}
