package prognosis_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

func TestPredictsAFleetItHasNotSeen(t *testing.T) {
	t.Parallel()
	m := fit(t, fleet(40, 1), config())
	require.Equal(t, signals, m.Signals())
	require.Equal(t, 80.0, m.Cap())
	var all []prognosis.Scored
	for _, u := range fleet(20, 2) {
		scored, err := m.ScoreLife(u)
		require.NoError(t, err)
		all = append(all, scored...)
	}
	got := prognosis.Evaluate(all)
	require.Less(t, got.RMSECapped, 12.0, "a guess of the mean errs by about 28")
	require.InDelta(t, 0.91, got.Coverage90, 0.07)
	require.Greater(t, got.BrierSkill30, 0.7)
	require.Less(t, got.CalibrationError30, 0.05)
	require.Zero(t, got.Missed)
	require.Zero(t, got.Premature)
	require.Greater(t, got.LeadP05, 10.0)

	end := fleet(1, 3)[0]
	p := predict(t, m, end.Rows)
	sane(t, p)
	require.Less(t, p.Remaining, 12.0)
	require.False(t, p.BeyondCap)
	require.Greater(t, p.FailureWithin(30), 0.95)
	require.Len(t, p.Similar, 5)
	for i, s := range p.Similar {
		require.Less(t, s.Left, 30.0, "a like stage")
		if i > 0 {
			require.GreaterOrEqual(t, s.Distance, p.Similar[i-1].Distance)
		}
	}
	young := predict(t, m, end.Rows[:30])
	sane(t, young)
	require.True(t, young.BeyondCap)
	require.Less(t, young.FailureWithin(30), 0.05)
	require.Equal(t, p.FailureWithin(20), p.Outlook().FailureWithin(20))
}

// TestLaterRowsChangeNothing predicts along a life whose later rows are wild.
func TestLaterRowsChangeNothing(t *testing.T) {
	t.Parallel()
	m := fit(t, fleet(8, 1), config())
	rows := fleet(1, 4)[0].Rows
	before, err := m.Trace(rows)
	require.NoError(t, err)
	changed := slices.Clone(rows)
	for i := 60; i < len(rows); i++ {
		changed[i] = []float64{5, -1e9, 1e9, math.NaN(), math.Inf(1), 0}
	}
	after, err := m.Trace(changed)
	require.NoError(t, err)
	for i := range 60 {
		require.Equal(t, before[i], after[i], "row %d", i)
		require.Equal(t, before[i].Remaining, predict(t, m, rows[:i+1]).Remaining)
	}
	require.NotEqual(t, before[len(rows)-1].Raw, after[len(rows)-1].Raw)
}

func TestSameModelOnAnyNumberOfCores(t *testing.T) { // not parallel: it changes GOMAXPROCS
	units := fleet(8, 1)
	var stored [][]byte
	for _, cores := range []int{1, 2} {
		before := runtime.GOMAXPROCS(cores)
		b, err := fit(t, units, config()).MarshalBinary()
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
		stored = append(stored, b)
	}
	require.Equal(t, stored[0], stored[1])
}

func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	units := fleet(8, 1)
	nan, inf := math.NaN(), math.Inf(1)
	bad := [][]float64{
		{nan, nan, nan, nan, nan, nan}, {inf, -inf, inf, -inf, inf, nan},
		{1e9, 1e9, -1e9, 1e300, -1e300, 0}, {0, 0, 0, 0, 0, 0},
	}
	units[0].Rows = bad[:1]
	for i, row := range bad {
		units[1].Rows[10*i+3], units[2].Rows[len(units[2].Rows)-1-i] = row, row
	}
	m := fit(t, units, config())
	p := predict(t, m, fleet(1, 3)[0].Rows)
	sane(t, p)
	require.Less(t, p.Remaining, 25.0, "a few bad rows poison nothing")
	for i := range bad {
		sane(t, predict(t, m, bad[i:i+1]))
		sane(t, predict(t, m, bad[:i+1]))
		sane(t, predict(t, m, append(slices.Clone(units[3].Rows), bad[i])))
	}
}

func TestMissingSignal(t *testing.T) {
	t.Parallel()
	m := fit(t, fleet(20, 1), config())
	rows := fleet(1, 3)[0].Rows
	for _, row := range rows {
		row[2] = math.NaN()
	}
	p := predict(t, m, rows)
	sane(t, p)
	require.Less(t, p.Remaining, 25.0, "the other signals still tell")
	for _, c := range p.Contributions {
		if c.Signal == "vibration" {
			require.Zero(t, c.Value)
		}
	}
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	change := func(f func(u []prognosis.Unit) []prognosis.Unit) []prognosis.Unit { return f(fleet(6, 1)) }
	tests := []struct {
		name  string
		units []prognosis.Unit
		edit  func(c *prognosis.Config)
		says  string
	}{
		{"too few", fleet(4, 1), nil, "4 lives that ran to failure, at least 5"},
		{"no signals", fleet(6, 1), func(c *prognosis.Config) { c.Signals = nil }, "no signals"},
		{"cap", fleet(6, 1), func(c *prognosis.Config) { c.Cap = math.Inf(1) }, "cap"},
		{"folds", fleet(6, 1), func(c *prognosis.Config) { c.Folds = 1 }, "1 folds"},
		{"operating", fleet(6, 1), func(c *prognosis.Config) { c.Operating = []int{9} }, "operating column 9"},
		{"same name", change(func(u []prognosis.Unit) []prognosis.Unit { u[1].ID = "P-001"; return u }), nil, `two lives are called "P-001"`},
		{"no rows", change(func(u []prognosis.Unit) []prognosis.Unit { u[1].Rows = nil; return u }), nil, `life "P-002": no rows`},
		{"ragged", change(func(u []prognosis.Unit) []prognosis.Unit { u[1].Rows[2] = nil; return u }), nil, "row 3 has 0 values, there are 6 signals"},
		{"left", change(func(u []prognosis.Unit) []prognosis.Unit { u[1].Remaining = -1; return u }), nil, "-1 cycles left"},
		{"still", change(func(u []prognosis.Unit) []prognosis.Unit {
			for i := range u {
				u[i].Rows = [][]float64{{0, 1, 2, 3, 4, 5}}
			}
			return u
		}), nil, "no signal moves"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := config()
			if tc.edit != nil {
				tc.edit(&c)
			}
			_, err := prognosis.Fit(context.Background(), tc.units, c)
			require.ErrorContains(t, err, tc.says)
		})
	}
	ended, stop := context.WithCancel(context.Background())
	stop()
	_, err := prognosis.Fit(ended, fleet(6, 1), config())
	require.ErrorIs(t, err, context.Canceled)

	m := fit(t, fleet(6, 1), config())
	_, err = m.Predict(nil)
	require.ErrorContains(t, err, "no rows")
	_, err = m.Trace([][]float64{{1}})
	require.ErrorContains(t, err, "row 1 has 1 values")
}

// TestFaultOfOneSignalIsNamed drifts one signal of a young life and looks for it
// among the three largest contributions.
func TestFaultOfOneSignalIsNamed(t *testing.T) {
	t.Parallel()
	m := fit(t, fleet(20, 1), config())
	hits, tries := 0, 0
	for _, u := range fleet(10, 9) {
		for j, per := range map[int]float64{1: 0.15, 2: 0.15, 3: -0.15} {
			rows := make([][]float64, 30)
			for i := range rows {
				rows[i] = slices.Clone(u.Rows[i%24])
				rows[i][j] += max(0, float64(i)-5) * per * 2
			}
			p := predict(t, m, rows)
			top := slices.Clone(p.Contributions)
			slices.SortFunc(top, func(a, b prognosis.Contribution) int {
				return int(math.Copysign(1, math.Abs(b.Value)-math.Abs(a.Value)))
			})
			tries++
			for _, c := range top[:3] {
				if c.Signal == signals[j] {
					hits++
				}
			}
		}
	}
	require.GreaterOrEqual(t, float64(hits)/float64(tries), 0.9)
}

func BenchmarkPredict(b *testing.B) {
	units := fleet(40, 1)
	m := fit(b, units, prognosis.Config{Signals: signals, Operating: []int{0}})
	for i := 0; b.Loop(); i++ {
		predict(b, m, units[i%len(units)].Rows)
	}
}
