package scoring_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// requireSound checks what must hold for every score whatever the input.
func requireSound(t *testing.T, s scoring.AssetScore) {
	t.Helper()
	_, err := json.Marshal(s) // fails on NaN and Inf
	require.NoError(t, err)
	ordered := func(e scoring.Estimate, lo, hi float64) {
		require.LessOrEqual(t, e.Lo, e.Value)
		require.LessOrEqual(t, e.Value, e.Hi)
		require.GreaterOrEqual(t, e.Lo, lo)
		require.LessOrEqual(t, e.Hi, hi)
	}
	ordered(s.Health.Estimate, 0, 100)
	ordered(s.Failure.Estimate, 0, 1)
	ordered(s.Failure.P7, 0, 1)
	ordered(s.Failure.P30, 0, 1)
	ordered(s.Failure.P90, 0, 1)
	ordered(s.RUL.Estimate, 0, s.RUL.CapDays)
	ordered(s.Risk.Estimate, 0, 1e16)
	ordered(s.Risk.Index, 0, 100)
	ordered(s.Anomaly.Estimate, 0, math.MaxFloat64)
	ordered(s.Failure.Evidence.Multiplier, 1, 10)
	require.LessOrEqual(t, s.Failure.P7.Value, s.Failure.P30.Value)
	require.LessOrEqual(t, s.Failure.P30.Value, s.Failure.P90.Value)
	require.Contains(t, []int{1, 2, 3, 4, 5}, s.Health.Band)
	require.Contains(t, []asset.RiskLevel{1, 2, 3, 4, 5}, s.Risk.Level)
	for _, o := range []scoring.Output{s.Health.Output, s.Failure.Output, s.RUL.Output, s.Risk.Output, s.Anomaly.Output} {
		require.NotEmpty(t, o.ModelID)
		require.NotEmpty(t, o.ModelVersion)
		require.Equal(t, s.AsOf, o.AsOf)
		total := 0.0
		for _, c := range o.Contributors {
			total += c.Share
		}
		if total > 0 {
			require.InDelta(t, 1, total, 1e-9)
		}
	}
	if len(s.Failure.Modes) > 0 {
		alive := 1.0
		for _, m := range s.Failure.Modes {
			alive *= 1 - m.Probability
		}
		require.InDelta(t, s.Failure.Value, 1-alive, 1e-9, "P = 1 − Π(1 − P_m)")
	}
}

func TestScoreOfAHealthyPump(t *testing.T) {
	t.Parallel()
	in := pump(newPlant(3).series(pumpSignals()))
	s := scoring.Score(in)
	requireSound(t, s)
	require.True(t, s.Trusted)
	require.Equal(t, 1, s.Health.Band)
	require.False(t, s.Anomaly.Flag)
	require.Zero(t, s.Anomaly.Since)
	require.Equal(t, 1.0, s.Trust.Coverage)
	require.Equal(t, 1.0, s.Failure.Evidence.Multiplier.Value)

	// Without evidence the probability is the plain conditional Weibull.
	h := func(d float64) float64 { return math.Pow(d/900, 2) }
	require.InDelta(t, 1-math.Exp(h(420)-h(450)), s.Failure.P30.Value, 1e-12)
	require.InDelta(t, s.Failure.AgeOnly, s.Failure.P30.Value, 1e-12)
	cost := 180_000 + 40*15_000 + 20_000.0
	require.InDelta(t, cost, s.Risk.FailureCost, 1e-6)
	require.InDelta(t, s.Failure.Value*cost, s.Risk.Value, 1e-6)
	require.InDelta(t, 100*math.Log10(s.Risk.Value/1e3)/4, s.Risk.Index.Value, 1e-9)
	require.Greater(t, s.Anomaly.CalibrationSize, 100)
	require.True(t, s.Anomaly.TrainTo.Before(asOf.AddDate(0, 0, -60)))
}

func TestEvidenceScalesTheHazardAndPicksTheMode(t *testing.T) {
	t.Parallel()
	s := scoring.Score(pump(newPlant(3).series(pumpSignals(), ramp{"vib", 5.5, 20})))
	requireSound(t, s)
	m := s.Failure.Evidence.Multiplier.Value
	require.Equal(t, "vib", s.Failure.Evidence.Signal)
	require.InDelta(t, 1-math.Pow(1-s.Failure.AgeOnly, m), s.Failure.Value, 1e-12)
	require.Equal(t, "VIB", s.Failure.Modes[0].Code)
	healthy := scoring.Score(pump(newPlant(3).series(pumpSignals())))
	require.Less(t, s.RUL.Value, healthy.RUL.Value)
	require.Less(t, s.Health.Value, healthy.Health.Value-20)
	require.Greater(t, s.Risk.Index.Value, healthy.Risk.Index.Value)
	require.GreaterOrEqual(t, s.Risk.Level, healthy.Risk.Level)
}

// TestEvidenceIsMonotone raises the vibration step by step.
func TestEvidenceIsMonotone(t *testing.T) {
	t.Parallel()
	last := 0.0
	for _, to := range []float64{1.9, 3, 3.8, 4.5, 5.5, 6.5, 7.2, 9} {
		s := scoring.Score(pump(newPlant(3).series(pumpSignals(), ramp{"vib", to, 20})))
		m := s.Failure.Evidence.Multiplier.Value
		require.GreaterOrEqual(t, m, last)
		require.LessOrEqual(t, m, 10.0)
		last = m
	}
	require.Equal(t, 10.0, last)
}

func TestRULQuantiles(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	in.Life, in.AgeDays = asset.Weibull{Beta: 1, Eta: 100}, 40
	s := scoring.Score(in)
	requireSound(t, s)
	// Memoryless: with a well-known scale the median is near η ln 2; averaging
	// over the Gamma changes it by a few per cent only.
	require.InDelta(t, 100*math.Ln2, s.RUL.Value, 2)
	require.InDelta(t, 100*-math.Log(0.95), s.RUL.Lo, 0.2)
	require.False(t, s.RUL.BeyondCap)
	in.Life.Eta = 50_000
	s = scoring.Score(in)
	require.True(t, s.RUL.BeyondCap)
	require.Equal(t, s.RUL.CapDays, s.RUL.Value)
}

func TestTrendLeadsToTheAlarmLimit(t *testing.T) {
	t.Parallel()
	s := scoring.Score(pump(newPlant(3).series(pumpSignals(), ramp{"vib", 5.5, 20})))
	require.NotNil(t, s.RUL.Trend)
	require.Equal(t, "vib", s.RUL.Trend.Signal)
	rate := (5.5 - 1.9) / 20
	require.InEpsilon(t, rate, s.RUL.Trend.PerDay, 0.1)
	require.InDelta(t, (7.1-5.5)/rate, s.RUL.Trend.Days.Value, 2)
	require.Less(t, s.RUL.Trend.Days.Lo, s.RUL.Trend.Days.Hi)
	low := scoring.Score(pump(newPlant(3).series(pumpSignals(), ramp{"seal_p", 10.4, 25})))
	require.NotNil(t, low.RUL.Trend)
	require.Negative(t, low.RUL.Trend.PerDay)
	require.Nil(t, scoring.Score(pump(newPlant(3).series(pumpSignals()))).RUL.Trend)
}

func TestObservedLivesUpdateTheLife(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	before := scoring.Score(in)
	in.Failures = []float64{150, 180, 170, 160, 190, math.NaN(), -4}
	after := scoring.Score(in)
	requireSound(t, after)
	require.Less(t, after.Failure.Life.Eta, before.Failure.Life.Eta)
	require.Greater(t, after.Failure.Value, before.Failure.Value)
	require.Equal(t, 5, after.Failure.CalibrationSize)
	in.Life = asset.Weibull{}
	in.Failures = nil
	prior := scoring.Score(in)
	requireSound(t, prior)
	require.Contains(t, codes(prior.Trust.Reasons), scoring.CodePriorLife)
	require.Greater(t, prior.Failure.Hi-prior.Failure.Lo, prior.Failure.Value, "a guess has a wide interval")
}

// TestFutureDataChangesNothing scores past moments with and without the readings
// that came later, with them distorted, and with rubbish appended: the past
// score is the same to the byte, with a stored baseline and a fleet model too.
func TestFutureDataChangesNothing(t *testing.T) {
	t.Parallel()
	series := newPlant(11).series(pumpSignals(), ramp{"vib", 5.5, 30})
	b := learned(t, series)
	m, err := fleetOfPumps()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(2, 2))
	for _, back := range []int{5, 20, 45} {
		for _, kept := range []*scoring.Baseline{nil, b} {
			in := pump(series)
			in.AsOf, in.Baseline, in.Prognosis, in.AgeDays = asOf.AddDate(0, 0, -back), kept, m, float64(88-back)
			want := asBytes(t, withSeries(in, series, func([]asset.Reading) []asset.Reading { return nil }))
			for _, after := range []func([]asset.Reading) []asset.Reading{
				func(r []asset.Reading) []asset.Reading { return r },
				func(r []asset.Reading) []asset.Reading { return append(r[len(r)/2:], r[:len(r)/2]...) },
				func(r []asset.Reading) []asset.Reading {
					for i := range r {
						r[i] = asset.Reading{Time: r[i].Time.Add(time.Hour), Value: hostile(rng), Quality: asset.Quality(rng.IntN(3))}
					}
					return r
				},
			} {
				require.Equal(t, want, asBytes(t, withSeries(in, series, after)))
			}
		}
	}
}

// withSeries is the input with its readings up to AsOf as they are and the later
// ones replaced.
func withSeries(in scoring.AssetInput, series []asset.Series, later func([]asset.Reading) []asset.Reading) scoring.AssetInput {
	in.Series = nil
	for _, s := range series {
		i := 0
		for i < len(s.Readings) && !s.Readings[i].Time.After(in.AsOf) {
			i++
		}
		known := slices.Clone(s.Readings[:i])
		in.Series = append(in.Series, asset.Series{Signal: s.Signal, Readings: append(known, later(slices.Clone(s.Readings[i:]))...)})
	}
	return in
}

func asBytes(t *testing.T, in scoring.AssetInput) string {
	t.Helper()
	s := withoutFutureCount(scoring.Score(in))
	out, err := json.Marshal(s)
	require.NoError(t, err)
	return string(out)
}

// withoutFutureCount removes the only trace later readings may leave.
func withoutFutureCount(s scoring.AssetScore) scoring.AssetScore {
	for i := range s.Trust.Signals {
		s.Trust.Signals[i].Rows.Future = 0
	}
	return s
}

func TestScoreIsDeterministicAndLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	in := pump(newPlant(5).series(pumpSignals(), ramp{"seal_p", 10.4, 25}))
	again := pump(newPlant(5).series(pumpSignals(), ramp{"seal_p", 10.4, 25}))
	first, err := json.Marshal(scoring.Score(in))
	require.NoError(t, err)
	for range 3 {
		next, err := json.Marshal(scoring.Score(in))
		require.NoError(t, err)
		require.Equal(t, string(first), string(next))
	}
	require.True(t, reflect.DeepEqual(in, again))
}

func TestRedundancyLowersTheLoss(t *testing.T) {
	t.Parallel()
	in := pump(nil)
	alone := scoring.Score(in).Risk.FailureCost
	in.Redundancy = scoring.Redundancy{Required: 1, Installed: 2, PeerUnavailability: 0.1}
	require.InDelta(t, alone-0.9*40*15_000, scoring.Score(in).Risk.FailureCost, 1e-6)
	require.InDelta(t, 1-0.9*0.9, scoring.Redundancy{Required: 2, Installed: 3, PeerUnavailability: 0.1}.LossShare(), 1e-12)
	require.InDelta(t, 0.01, scoring.Redundancy{Required: 1, Installed: 3, PeerUnavailability: 0.1}.LossShare(), 1e-12)
	require.Equal(t, 1.0, scoring.Redundancy{}.LossShare())
}

func TestInspectionLowersHealth(t *testing.T) {
	t.Parallel()
	in := pump(newPlant(3).series(pumpSignals()))
	before := scoring.Score(in).Health
	grade := 0.2
	in.Inspection = &grade
	after := scoring.Score(in).Health
	require.InDelta(t, 40, after.Value, 1e-9, "worst sub-score plus 0.20")
	require.Equal(t, 4, after.Band)
	require.Less(t, after.Value, before.Value)
}
