package replacement

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mathext"
)

func weibull(beta, eta, cost float64) []Mode {
	return []Mode{{Beta: beta, Eta: eta, Evidence: 1, Cost: cost}}
}

// TestOptimalAgeAgainstPublishedCases takes the cases of weibull.com HotWire
// 156 and of ReliaWiki; the exact optima were computed apart.
func TestOptimalAgeAgainstPublishedCases(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ beta, eta, planned, failure, age, rate float64 }{
		{6, 10000, 30, 5000, 3263.162624673393, 0.011033193},
		{2.5, 80000, 800, 4500, 37170.25616220843, 0.036619305},
		{1.5, 30000, 80, 250, 33029.44465036983, 0.0089188515},
		{2.5, 1000, 1, 5, 493.046957596634, 0.0034620427387892696},
	} {
		o := Optimal(tc.planned, weibull(tc.beta, tc.eta, tc.failure))
		require.InEpsilon(t, tc.age, o.Age, 1e-7)
		require.InEpsilon(t, tc.rate, o.Rate, 1e-7)
	}
}

// TestCheapJobsAreDueEarly compares with the limit for a failure that costs
// far more than the job: (τ/η)^β = planned/((β − 1)·failure).
func TestCheapJobsAreDueEarly(t *testing.T) {
	t.Parallel()
	for _, beta := range []float64{1.5, 3, 20} {
		o := Optimal(.5, weibull(beta, 260, 1e9))
		require.InEpsilon(t, 260*math.Pow(.5/((beta-1)*1e9), 1/beta), o.Age, 1e-6)
	}
}

func TestWithoutWearNeverReplace(t *testing.T) {
	t.Parallel()
	for _, beta := range []float64{0.5, 0.9, 1} {
		o := Optimal(1, weibull(beta, 1000, 5))
		require.True(t, math.IsInf(o.Age, 1))
		require.InEpsilon(t, 5/(1000*math.Gamma(1+1/beta)), o.Rate, 1e-10)
	}
	o := Optimal(6, weibull(3, 1000, 5))
	require.True(t, math.IsInf(o.Age, 1), "a failure cheaper than the job")
	require.InEpsilon(t, 5/(1000*math.Gamma(1+1.0/3)), o.Rate, 1e-10)
}

// TestWalkMatchesTheIncompleteGammaFunction compares the mean remaining life
// with its closed form over shapes, ages and evidence.
func TestWalkMatchesTheIncompleteGammaFunction(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := Mode{Beta: 0.4 + 6*rng.Float64(), Eta: math.Exp(6 * rng.Float64()), Evidence: math.Exp(2 * rng.Float64()), Cost: 1}
		age, x := m.Eta*rng.Float64(), m.Eta*2*rng.Float64()
		if rng.IntN(4) == 0 {
			age = 0
		}
		w := NewWalk([]Mode{m}, age)
		w.To(x / 3)
		w.To(x)
		_, from := m.at(age)
		_, to := m.at(age + x)
		scale := m.Eta * math.Pow(m.Evidence, -1/m.Beta) * math.Gamma(1+1/m.Beta)
		want := math.Exp(from) * scale * (mathext.GammaIncRegComp(1/m.Beta, from) - mathext.GammaIncRegComp(1/m.Beta, to))
		require.InEpsilon(t, want, w.Life, 1e-9, "%+v age %v x %v", m, age, x)
	}
}

// TestCompetingModesShareTheFailures splits one mode into two of the same
// shape, whose hazards add up to the same.
func TestCompetingModesShareTheFailures(t *testing.T) {
	t.Parallel()
	for _, age := range []float64{0, 40, 700} {
		one := NewWalk([]Mode{{Beta: 2, Eta: 500, Evidence: 4, Cost: 9}}, age)
		two := NewWalk([]Mode{{Beta: 2, Eta: 500, Evidence: 1, Cost: 9}, {Beta: 2, Eta: 500, Evidence: 3, Cost: 9}}, age)
		for x := 10.0; x < 400; x += 30 {
			one.To(x)
			two.To(x)
			require.InEpsilon(t, one.Life, two.Life, 1e-12)
			require.InEpsilon(t, one.Failed[0]/4, two.Failed[0], 1e-10)
			require.InEpsilon(t, one.Failed[0]*3/4, two.Failed[1], 1e-10)
		}
	}
}

// TestOptimumOfSeveralModes compares with a fine grid.
func TestOptimumOfSeveralModes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		var modes []Mode
		for range 1 + rng.IntN(3) {
			modes = append(modes, Mode{Beta: 0.5 + 4*rng.Float64(), Eta: 200 + 2000*rng.Float64(), Evidence: 1, Cost: 1 + 20*rng.Float64()})
		}
		o := Optimal(1, modes)
		w := NewWalk(modes, 0)
		for x := 5.0; x < 10000; x += 5 {
			w.To(x)
			require.GreaterOrEqual(t, (1+w.Lost(1))/w.Life, o.Rate*(1-1e-12), "%+v at %v", modes, x)
		}
	}
}

func TestOverhaulClosedForm(t *testing.T) {
	t.Parallel()
	o := Overhaul(1.5, 100, 10, 1000)
	require.InEpsilon(t, 3419.951893353393, o.Age, 1e-12)
	require.InEpsilon(t, 0.87720532146386, o.Rate, 1e-12)
	require.True(t, math.IsInf(Overhaul(1, 100, 10, 1000).Age, 1))
	require.InDelta(t, 0.1, Overhaul(1, 100, 10, 1000).Rate, 1e-12)
	require.Zero(t, Overhaul(0.8, 100, 10, 1000).Rate)
}

// TestRestOfANewItemIsNothing holds the definition of the relative value: 0
// when new, rising with age, the planned job when it is due.
func TestRestOfANewItemIsNothing(t *testing.T) {
	t.Parallel()
	modes := weibull(3, 1000, 50)
	o := Optimal(10, modes)
	r := NewRest(10, modes, o)
	require.InDelta(t, 0, r.At(0), 1e-12)
	last := 0.0
	for v := 1.0; v < o.Age; v += o.Age / 50 {
		h := r.At(v)
		require.Greater(t, h, last)
		last = h
	}
	require.InDelta(t, 10, r.At(o.Age*(1-1e-9)), 1e-6)
	require.InDelta(t, 10, r.At(o.Age*2), 1e-9)
}
