package change_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/change"
)

// runLength is the mean number of readings, shifted by so many standard
// deviations, that a chart takes to its first alarm.
func runLength(t *testing.T, shift float64, runs int, fresh func() *change.CUSUM) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(100*shift)))
	total := 0
	for range runs {
		chart := fresh()
		for n := 1; ; n++ {
			if chart.Next(10 + 2*(shift+rng.NormFloat64())) {
				total += n
				break
			}
		}
	}
	return float64(total) / float64(runs)
}

// TestCUSUMRunLengths compares with Montgomery's table 9.3: 465 readings in
// control and 10.4 after a shift of one standard deviation, for k = 0.5, h = 5.
func TestCUSUMRunLengths(t *testing.T) {
	t.Parallel()
	fresh := func() *change.CUSUM {
		c, err := change.NewCUSUM(10, 2, 0.5, 5)
		require.NoError(t, err)
		return c
	}
	require.InDelta(t, 465, runLength(t, 0, 3000, fresh), 35)
	require.InDelta(t, 10.4, runLength(t, 1, 3000, fresh), 0.5)
}

func TestCUSUMByHand(t *testing.T) {
	t.Parallel()
	c, err := change.NewCUSUM(0, 1, 0.5, 2)
	require.NoError(t, err)
	for i, want := range []bool{false, false, true} {
		require.Equal(t, want, c.Next(-1.5), "reading %d", i)
	}
	require.Equal(t, 3.0, c.Down)
	require.Zero(t, c.Up)
	require.True(t, c.Next(math.NaN()), "a missing reading changes nothing")
	require.Equal(t, 1, c.Ignored)
}

// TestTailRate counts alarms on noise with heavy and with light tails.
func TestTailRate(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(*rand.Rand) float64{
		"normal":      func(r *rand.Rand) float64 { return r.NormFloat64() },
		"exponential": func(r *rand.Rand) float64 { return r.ExpFloat64() },
		"heavy":       func(r *rand.Rand) float64 { return math.Pow(r.Float64(), -0.25) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(3, 4))
			tail, err := change.NewTail(change.TailConfig{Probability: 0.002})
			require.NoError(t, err)
			alarms := 0
			const n = 30000
			for range n {
				if _, on := tail.Next(draw(rng)); on {
					alarms++
				}
			}
			require.InDelta(t, 0.002, float64(alarms)/n, 0.0012)
		})
	}
}

// TestTailFollowsTheTrend plants a spike and a step on a drifting signal: both
// are found, the drift is not.
func TestTailFollowsTheTrend(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	tail, err := change.NewTail(change.TailConfig{Probability: 1e-5, Rest: 50})
	require.NoError(t, err)
	var found []int
	for i := range 3000 {
		x := 0.01*float64(i) + rng.NormFloat64()
		if i == 1500 {
			x += 20
		}
		if i >= 2500 {
			x += 15
		}
		if score, on := tail.Next(x); on {
			require.Greater(t, score, 1.0)
			found = append(found, i)
		}
	}
	require.Equal(t, []int{1500, 2500}, found)
	score, on := tail.Next(math.NaN())
	require.Zero(t, score)
	require.False(t, on)
	require.Equal(t, 1, tail.Ignored)
}

func TestTailOfASteadySignal(t *testing.T) {
	t.Parallel()
	tail, err := change.NewTail(change.TailConfig{})
	require.NoError(t, err)
	for range 200 {
		_, on := tail.Next(5)
		require.False(t, on)
	}
	_, on := tail.Next(5.001)
	require.True(t, on, "it never moved before")
	for range 100 {
		score, _ := tail.Next(1e300)
		require.False(t, math.IsNaN(score))
	}
	require.Equal(t, 100, tail.Ignored)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := change.NewCUSUM(0, 0, 0.5, 5)
	require.ErrorContains(t, err, "sigma")
	_, err = change.NewCUSUM(math.NaN(), 1, 0.5, 5)
	require.ErrorContains(t, err, "cusum")
	for _, c := range []change.TailConfig{{Trend: 2}, {History: 3}, {Peaks: 1}, {Probability: 1}, {Rest: -1}} {
		_, err = change.NewTail(c)
		require.ErrorContains(t, err, "tail test")
	}
}
