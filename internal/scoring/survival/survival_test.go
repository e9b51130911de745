package survival_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

func TestWeibullClosedForms(t *testing.T) {
	t.Parallel()
	exponential := survival.Weibull{Beta: 1, Eta: 50}
	require.InDelta(t, 1-math.Exp(-0.6), exponential.CDF(30), 1e-15)
	require.InDelta(t, exponential.CDF(30), exponential.Conditional(400, 30, 1), 1e-14, "memoryless")
	require.InDelta(t, 50, exponential.Mean(), 1e-12)
	require.InDelta(t, math.Exp(-0.6)/50, exponential.PDF(30), 1e-15)

	rayleigh := survival.Weibull{Beta: 2, Eta: 10}
	require.InDelta(t, 10*math.Sqrt(math.Pi)/2, rayleigh.Mean(), 1e-12)
	require.InDelta(t, 10*math.Sqrt(math.Ln2), rayleigh.Quantile(0.5), 1e-12)
	require.InDelta(t, 1-math.Exp(-3*(144-100)/100.0), rayleigh.Conditional(10, 2, 3), 1e-14)
	require.InDelta(t, 2, rayleigh.RemainingAt(10, 0.44), 1e-12)
	require.Zero(t, rayleigh.CDF(-1))
	require.Zero(t, rayleigh.PDF(0))
	require.True(t, math.IsInf(survival.Weibull{Beta: 0.5, Eta: 1}.PDF(0), 1))
	require.False(t, survival.Weibull{Beta: math.NaN(), Eta: 1}.Valid())
}

func TestQuantileInvertsCDF(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		w := survival.Weibull{Beta: 0.3 + 5*rng.Float64(), Eta: 1 + 5000*rng.Float64()}
		p := rng.Float64()
		require.InDelta(t, p, w.CDF(w.Quantile(p)), 1e-12)
		age, dh := 2*w.Eta*rng.Float64(), rng.Float64()
		require.InDelta(t, dh, w.HazardBetween(age, w.RemainingAt(age, dh)), 1e-8)
	}
}

// reference is one published or independently computed fit.
type reference struct {
	Source   string     `json:"source"`
	Beta     float64    `json:"beta"`
	Eta      float64    `json:"eta"`
	LogLik   float64    `json:"loglik"`
	SEBeta   float64    `json:"se_beta"`
	SEEta    float64    `json:"se_eta"`
	BetaCI   [2]float64 `json:"beta_ci95"`
	EtaCI    [2]float64 `json:"eta_ci95"`
	B1       float64    `json:"B1"`
	B10      float64    `json:"B10"`
	B10CI    [2]float64 `json:"B10_ci95_wald"`
	B50      float64    `json:"B50"`
	Failures []float64  `json:"failures"`
	Censored []float64  `json:"censored"`
}

func references(t *testing.T) map[string]reference {
	t.Helper()
	raw, err := os.ReadFile("testdata/weibull_fits.json")
	require.NoError(t, err)
	var out map[string]reference
	require.NoError(t, json.Unmarshal(raw, &out))
	require.Len(t, out, 3)
	return out
}

func TestFitAgreesWithReferences(t *testing.T) {
	t.Parallel()
	for name, want := range references(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := survival.Fit(want.Failures, want.Censored)
			require.NoError(t, err)
			const tight, loose = 1e-7, 1e-5
			require.InEpsilon(t, want.Beta, got.Beta, tight)
			require.InEpsilon(t, want.Eta, got.Eta, tight)
			require.InEpsilon(t, want.LogLik, got.LogLik, tight)
			require.InEpsilon(t, want.SEBeta, got.SEBeta, loose)
			require.InEpsilon(t, want.SEEta, got.SEEta, loose)
			require.InEpsilon(t, want.BetaCI[0], got.BetaWald.Lo, loose)
			require.InEpsilon(t, want.BetaCI[1], got.BetaWald.Hi, loose)
			require.InEpsilon(t, want.EtaCI[0], got.EtaWald.Lo, loose)
			require.InEpsilon(t, want.EtaCI[1], got.EtaWald.Hi, loose)
			require.InEpsilon(t, want.B10CI[0], got.B10Wald.Lo, loose)
			require.InEpsilon(t, want.B10CI[1], got.B10Wald.Hi, loose)
			require.InEpsilon(t, want.B1, got.Quantile(0.01), tight)
			require.InEpsilon(t, want.B10, got.Quantile(0.1), tight)
			require.InEpsilon(t, want.B50, got.Quantile(0.5), tight)
		})
	}
}

// logLik is the textbook likelihood, written independently of the package.
func logLik(w survival.Weibull, failures, censored []float64) float64 {
	sum := 0.0
	for _, x := range failures {
		sum += math.Log(w.PDF(x))
	}
	for _, x := range censored {
		sum -= w.CumHazard(x)
	}
	return sum
}

// TestRatioBoundsLieOnTheContour maximises the likelihood on a fine grid of
// the other parameter at each bound: the drop must be half of χ²(0.95, 1).
func TestRatioBoundsLieOnTheContour(t *testing.T) {
	t.Parallel()
	const drop = 3.841458820694124 / 2
	for name, r := range references(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fit, err := survival.Fit(r.Failures, r.Censored)
			require.NoError(t, err)
			best := func(at func(f float64) survival.Weibull) float64 {
				top := math.Inf(-1)
				for f := 0.2; f < 5; f *= 1.0005 {
					top = max(top, logLik(at(f), r.Failures, r.Censored))
				}
				return top
			}
			for _, b := range []float64{fit.BetaLR.Lo, fit.BetaLR.Hi} {
				got := best(func(f float64) survival.Weibull { return survival.Weibull{Beta: b, Eta: fit.Eta * f} })
				require.InDelta(t, fit.LogLik-drop, got, 1e-4)
			}
			for _, e := range []float64{fit.EtaLR.Lo, fit.EtaLR.Hi} {
				got := best(func(f float64) survival.Weibull { return survival.Weibull{Beta: fit.Beta * f, Eta: e} })
				require.InDelta(t, fit.LogLik-drop, got, 1e-4)
			}
			require.Less(t, fit.BetaLR.Lo, fit.Beta)
			require.Less(t, fit.Beta, fit.BetaLR.Hi)
		})
	}
}

func TestFitIsInvariantToTheUnit(t *testing.T) {
	t.Parallel()
	for _, r := range references(t) {
		a, err := survival.Fit(r.Failures, r.Censored)
		require.NoError(t, err)
		scale := func(v []float64) []float64 {
			out := make([]float64, len(v))
			for i := range v {
				out[i] = v[i] * 3.6e6
			}
			return out
		}
		b, err := survival.Fit(scale(r.Failures), scale(r.Censored))
		require.NoError(t, err)
		require.InEpsilon(t, a.Beta, b.Beta, 1e-10)
		require.InEpsilon(t, a.Eta*3.6e6, b.Eta, 1e-10)
		require.InEpsilon(t, a.EtaLR.Hi*3.6e6, b.EtaLR.Hi, 1e-9)
	}
}

func TestFitRefusesWhatItCannotFit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		failures, censored []float64
		want               error
	}{
		{"nothing", nil, nil, survival.ErrNoFailures},
		{"no failures", nil, []float64{5, 6}, survival.ErrNoFailures},
		{"zero", []float64{0, 3}, nil, survival.ErrNotPositive},
		{"negative", []float64{3}, []float64{-1}, survival.ErrNotPositive},
		{"NaN", []float64{math.NaN()}, nil, survival.ErrNotPositive},
		{"infinite", []float64{4}, []float64{math.Inf(1)}, survival.ErrNotPositive},
		{"all alike", []float64{4, 4, 4}, nil, survival.ErrDegenerate},
		{"one failure, last", []float64{4}, []float64{3, 2}, survival.ErrDegenerate},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := survival.Fit(tc.failures, tc.censored)
			require.ErrorIs(t, err, tc.want)
		})
	}
	one, err := survival.Fit([]float64{2}, []float64{3, 4})
	require.NoError(t, err)
	require.True(t, one.Valid())
}

func TestPosterior(t *testing.T) {
	t.Parallel()
	// Beta 1: Gamma-exponential conjugacy, (2 + 3) / (200 + 60) per day.
	p := survival.Posterior{Beta: 1, A: 2, B: 200}
	next, used := p.Update([]float64{10, 20, 5}, []float64{25, math.NaN(), -3})
	require.Equal(t, 4, used)
	require.Equal(t, 5.0, next.A)
	require.Equal(t, 260.0, next.B)
	require.InDelta(t, 52, next.Life().Eta, 1e-12)
	require.Equal(t, 2.0, p.A, "the prior is not changed")

	prior := survival.PriorFromRate(survival.OccurrenceRate(7), 2, 2)
	require.InDelta(t, 3652.5, prior.Life().Mean(), 1e-6, "rating 7: once in ten years")
	require.InDelta(t, 1, survival.OccurrenceRate(10), 1e-12)
	require.InDelta(t, 0.001, survival.OccurrenceRate(-3), 1e-12)

	around := survival.PriorAround(survival.Weibull{Beta: 2, Eta: 900}, 0.12)
	require.InDelta(t, 900, around.Life().Eta, 1e-9)
	lo, hi := math.Pow(around.ScaleFactor(0.95), -0.5), math.Pow(around.ScaleFactor(0.05), -0.5)
	require.InDelta(t, 0.8, lo, 0.05)
	require.InDelta(t, 1.2, hi, 0.06)

	// The predictive quantile inverts S(H) = (1 + H/A)^−A.
	h := next.HazardQuantile(0.3)
	require.InDelta(t, 0.7, math.Pow(1+h/next.A, -next.A), 1e-12)
}

// TestExposureTightensThePosterior starts from an FMECA rating alone: exposure
// without a failure lowers the rate and every failure narrows the belief, by
// the closed form of the Gamma distribution.
func TestExposureTightensThePosterior(t *testing.T) {
	t.Parallel()
	const beta, strength = 1.5, 2.0
	prior := survival.PriorFromRate(survival.OccurrenceRate(6), beta, strength)
	require.Equal(t, strength, prior.A)
	spread := func(p survival.Posterior) float64 { return p.ScaleFactor(0.95) / p.ScaleFactor(0.05) }

	survived, used := prior.Update(nil, []float64{4000, 6000})
	require.Equal(t, 2, used)
	exposure := math.Pow(4000, beta) + math.Pow(6000, beta)
	require.InEpsilon(t, prior.B+exposure, survived.B, 1e-14)
	require.InEpsilon(t, math.Pow((prior.B+exposure)/strength, 1/beta), survived.Life().Eta, 1e-12)
	require.Greater(t, survived.Life().Eta, prior.Life().Eta)
	require.InDelta(t, spread(prior), spread(survived), 1e-9, "no failure tells no more of the relative spread")

	last := prior
	for range 8 {
		next, _ := last.Update([]float64{3000}, nil)
		require.Less(t, spread(next), spread(last))
		require.Less(t, next.HazardQuantile(0.95), last.HazardQuantile(0.95))
		last = next
	}
	require.InDelta(t, 1/math.Sqrt(strength+8), 1/math.Sqrt(last.A), 1e-12)
}

// TestPosteriorFindsTheTruth feeds simulated lives to a wrong prior.
func TestPosteriorFindsTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	truth := survival.Weibull{Beta: 2.2, Eta: 400}
	lives := make([]float64, 4000)
	for i := range lives {
		lives[i] = truth.Quantile(rng.Float64())
	}
	p, _ := survival.PriorFromRate(0.5, 2.2, 2).Update(lives, nil)
	require.InEpsilon(t, 400, p.Life().Eta, 0.02)
	fit, err := survival.Fit(lives, nil)
	require.NoError(t, err)
	require.InEpsilon(t, 2.2, fit.Beta, 0.04)
}
