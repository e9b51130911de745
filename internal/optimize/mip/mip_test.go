package mip_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

func knapsack(seed uint64, n int) *mip.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := mip.New("knapsack")
	var first, second []mip.Term
	for range n {
		j := m.Binary(-float64(10 + r.IntN(90)))
		first = append(first, mip.Term{Column: j, Value: float64(5 + r.IntN(60))})
		second = append(second, mip.Term{Column: j, Value: float64(5 + r.IntN(60))})
	}
	m.Row(math.Inf(-1), float64(12*n), first...)
	m.Row(math.Inf(-1), float64(12*n), second...)
	return m
}

func bruteForce(m *mip.Model) float64 {
	best := math.Inf(1)
	x := make([]float64, m.Columns())
	for mask := 0; mask < 1<<m.Columns(); mask++ {
		for j := range x {
			x[j] = float64(mask >> j & 1)
		}
		if m.Check(x) == nil {
			best = math.Min(best, m.Objective(x))
		}
	}
	return best
}

func TestSolveMatchesEnumeration(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		m := knapsack(seed, 12)
		res, err := mip.Solve(context.Background(), m, mip.Options{TimeLimit: time.Minute}, nil)
		require.NoError(t, err)
		require.Equal(t, mip.Optimal, res.Status)
		require.InDelta(t, bruteForce(m), res.Objective, 1e-6)
		require.LessOrEqual(t, res.Bound, res.Objective)
		require.NoError(t, m.Check(res.X))
	}
}

func TestSolveLinearProgramReturnsDuals(t *testing.T) {
	m := mip.New("diet")
	a, b := m.Column(2, 0, math.Inf(1), false), m.Column(3, 0, math.Inf(1), false)
	m.Row(4, math.Inf(1), mip.Term{Column: a, Value: 1}, mip.Term{Column: b, Value: 1})
	m.Row(6, math.Inf(1), mip.Term{Column: a, Value: 1}, mip.Term{Column: b, Value: 3})
	res, err := mip.Solve(context.Background(), m, mip.Options{}, nil)
	require.NoError(t, err)
	require.InDelta(t, 9, res.Objective, 1e-6)
	require.InDeltaSlice(t, []float64{1.5, .5}, res.RowDual, 1e-6)
}

func TestSolveReportsInfeasible(t *testing.T) {
	m := mip.New("impossible")
	j := m.Binary(1)
	m.Row(2, 2, mip.Term{Column: j, Value: 1})
	res, err := mip.Solve(context.Background(), m, mip.Options{}, nil)
	require.NoError(t, err)
	require.Equal(t, mip.Infeasible, res.Status)
	require.Nil(t, res.X)
}

func TestSolveKeepsTheHintAndTheBestPointWhenCancelled(t *testing.T) {
	m := knapsack(7, 400)
	m.Hint = make([]float64, m.Columns())
	m.Hint[0] = 1
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res, err := mip.Solve(ctx, m, mip.Options{Grace: 2 * time.Second}, func(e mip.Event) {
		if e.X != nil {
			cancel()
		}
	})
	require.NoError(t, err)
	require.NotNil(t, res.X)
	require.NoError(t, m.Check(res.X))
	require.LessOrEqual(t, res.Objective, m.Objective(m.Hint))
}

func TestSolveRefusesMalformedModels(t *testing.T) {
	m := knapsack(1, 3)
	m.Cost[1] = math.NaN()
	_, err := mip.Solve(context.Background(), m, mip.Options{}, nil)
	require.ErrorContains(t, err, "column 1")
}

func TestCheckNamesTheViolation(t *testing.T) {
	m := mip.New("m")
	j := m.Binary(1)
	m.Row(0, .5, mip.Term{Column: j, Value: 1})
	require.NoError(t, m.Check([]float64{0}))
	require.ErrorContains(t, m.Check([]float64{.4}), "integer")
	require.ErrorContains(t, m.Check([]float64{1}), "row 0")
	require.ErrorContains(t, m.Check([]float64{2}), "outside")
	require.ErrorContains(t, m.Check(nil), "0 values")
}

func TestWriteMPS(t *testing.T) {
	m := mip.New("tiny")
	m.Offset = 5
	a, b := m.Binary(-2), m.Column(1, math.Inf(-1), 7, false)
	m.Row(1, 3, mip.Term{Column: a, Value: 1}, mip.Term{Column: b, Value: 2})
	var out bytes.Buffer
	require.NoError(t, m.WriteMPS(&out))
	require.Equal(t, `NAME tiny FREE
ROWS
 N obj
 L r0
COLUMNS
 M0 'MARKER' 'INTORG'
 c0 obj -2
 c0 r0 1
 M1 'MARKER' 'INTEND'
 c1 obj 1
 c1 r0 2
RHS
 RHS obj -5
 RHS r0 3
RANGES
 RNG r0 2
BOUNDS
 UP BND c0 1
 MI BND c1
 UP BND c1 7
ENDATA
`, out.String())
}

// The stand-in answers as the HiGHS executable does: raw solution file, bound
// in the log.
func TestSolveUsesNativeBinary(t *testing.T) {
	script := filepath.Join(t.TempDir(), "highs")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh
echo "Running HiGHS 1.9.2 (git hash: abc)"
test "$1" = --model_file && test -s "$2" && test "$3" = --options_file && grep -q "random_seed = 4" "$4" || exit 7
cat > "$6" <<END
Model status
Optimal

# Primal solution values
Feasible
Objective -1
# Columns 1
c0 1
# Rows 0
END
echo "  Dual bound        -1"
`), 0o755))
	t.Setenv("OPTRIA_HIGHS", script)
	m := mip.New("one")
	m.Binary(-1)
	res, err := mip.Solve(context.Background(), m, mip.Options{Seed: 4}, nil)
	require.NoError(t, err)
	require.Equal(t, mip.Optimal, res.Status)
	require.Equal(t, []float64{1}, res.X)
	require.InDelta(t, -1, res.Bound, 1e-6)
	require.Equal(t, "HiGHS 1.9.2 (native)", res.Solver)
	require.Equal(t, "4", res.Options["random_seed"])
}

func TestKilledChildLeavesItsBestPoint(t *testing.T) {
	m := knapsack(9, 600)
	m.Hint = make([]float64, m.Columns())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res, err := mip.Solve(ctx, m, mip.Options{Grace: time.Nanosecond}, func(e mip.Event) {
		if e.X != nil {
			cancel()
			time.Sleep(20 * time.Millisecond)
		}
	})
	require.NoError(t, err)
	require.Equal(t, mip.Killed, res.Status)
	require.NoError(t, m.Check(res.X))
}

func TestMemoryCapEndsTheSolveWithAnError(t *testing.T) {
	m := knapsack(3, 200_000)
	_, err := mip.Solve(context.Background(), m, mip.Options{MemoryMiB: 32, TimeLimit: time.Minute}, nil)
	require.Error(t, err)
}

// TestProgressTellsPointsAndBounds: every point has been checked and is better
// than the last, bounds only rise and never pass the optimum.
func TestProgressTellsPointsAndBounds(t *testing.T) {
	t.Parallel()
	m := knapsack(5, 60)
	best, bound, points, bounds := math.Inf(1), math.Inf(-1), 0, 0
	res, err := mip.Solve(context.Background(), m, mip.Options{TimeLimit: 20 * time.Second, RelGap: 1e-3, Embedded: true, Seed: 3}, func(e mip.Event) {
		if e.X != nil {
			points++
			require.NoError(t, m.Check(e.X))
			require.InDelta(t, m.Objective(e.X), e.Objective, 1e-9)
		}
		if e.Bound > bound {
			bounds++
		}
		require.LessOrEqual(t, e.Objective, best)
		require.GreaterOrEqual(t, e.Bound, bound)
		best, bound = e.Objective, e.Bound
	})
	require.NoError(t, err)
	require.Positive(t, points)
	require.Positive(t, bounds)
	require.LessOrEqual(t, bound, res.Objective+1e-6)
	require.Regexp(t, `^HiGHS \d+\.\d+\.\d+ \(WebAssembly\)$`, res.Solver)
	require.Equal(t, "3", res.Options["random_seed"])
	require.Equal(t, "1024", res.Options["memory_mib"])
}

// TestHintIsWhereTheSolverStarts: with no node to look at, the answer is the
// hint or better.
func TestHintIsWhereTheSolverStarts(t *testing.T) {
	t.Parallel()
	m := knapsack(11, 300)
	free, err := mip.Solve(context.Background(), m, mip.Options{TimeLimit: 30 * time.Second, RelGap: 1e-3, Embedded: true}, nil)
	require.NoError(t, err)
	m.Hint = free.X
	first := math.Inf(1)
	_, err = mip.Solve(context.Background(), m, mip.Options{TimeLimit: 30 * time.Second, RelGap: 1e-3, Embedded: true}, func(e mip.Event) {
		if e.X != nil && math.IsInf(first, 1) {
			first = e.Objective
		}
	})
	require.NoError(t, err)
	require.LessOrEqual(t, first, free.Objective+1e-6)
}

func TestModelWithoutColumnsIsDecided(t *testing.T) {
	t.Parallel()
	m := mip.New("nothing")
	m.Offset = 4
	m.Row(-1, 2)
	res, err := mip.Solve(context.Background(), m, mip.Options{}, nil)
	require.NoError(t, err)
	require.Equal(t, mip.Optimal, res.Status)
	require.InDelta(t, 4, res.Objective, 0)
	m.Row(1, 2)
	res, err = mip.Solve(context.Background(), m, mip.Options{}, nil)
	require.NoError(t, err)
	require.Equal(t, mip.Infeasible, res.Status)
	require.Nil(t, res.X)
}

// TestStopBeforeTheModelHasArrived is no failure of the solver.
func TestStopBeforeTheModelHasArrived(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	res, err := mip.Solve(ctx, knapsack(3, 100_000), mip.Options{Embedded: true}, nil)
	require.NoError(t, err)
	require.NotEqual(t, mip.Optimal, res.Status)
}
