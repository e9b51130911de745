package scoring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// since applies f to the readings of the last days, counting the days passed.
func since(days float64, f func(v, passed float64) float64) damage {
	return func(r []asset.Reading) []asset.Reading {
		for i := range r {
			if passed := days - asOf.Sub(r[i].Time).Hours()/24; passed >= 0 {
				r[i].Value = f(r[i].Value, passed)
			}
		}
		return r
	}
}

// noisy adds noise of the given deviation to the last days.
func noisy(days, sd float64) damage {
	return func(r []asset.Reading) []asset.Reading {
		rng := rand.New(rand.NewPCG(31, 1))
		return since(days, func(v, _ float64) float64 { return v + sd*rng.NormFloat64() })(r)
	}
}

func step(days, by float64) damage {
	return since(days, func(v, _ float64) float64 { return v + by })
}

func drift(days, perDay float64) damage {
	return since(days, func(v, passed float64) float64 { return v + perDay*passed })
}

// plantedFault is a fault of one signal of a pump and what must come of it.
type plantedFault struct {
	name   string
	signal string
	damage damage
	code   scoring.Code
	greyed bool // the signal is distrusted, and the asset is not called sick
	detail string
}

func plantedFaults() []plantedFault {
	silent := func(r []asset.Reading) []asset.Reading { return r[:len(r)-60] }
	jitter := func(r []asset.Reading) []asset.Reading {
		return noisy(2, 1e-4)(since(2, func(float64, float64) float64 { return 1.9 })(r))
	}
	return []plantedFault{
		{"drift", "vib", drift(20, 0.08), scoring.CodeResidual, false, ""},
		{"drift downwards", "seal_p", drift(15, -0.09), scoring.CodeResidual, false, ""},
		{"step", "brg_temp", step(3, 14), scoring.CodeStep, false, ""},
		{"step downwards", "flow", step(6, -70), scoring.CodeStep, false, ""},
		{"noise", "vib", noisy(4, 0.5), scoring.CodeNoise, false, ""},
		{"noise on a slow signal", "brg_temp", noisy(4, 5), scoring.CodeNoise, false, ""},
		{"stuck", "disch_p", since(2, func(float64, float64) float64 { return 41.02 }), scoring.CodeStuck, true, ""},
		{"stuck but for the converter", "vib", jitter, scoring.CodeStuck, true, ""},
		{"lost", "motor_a", silent, scoring.CodeStale, true, ""},
		{"bad quality", "flow", func(r []asset.Reading) []asset.Reading {
			for i := range r[len(r)-60:] {
				r[len(r)-60+i].Quality = asset.Bad
			}
			return r
		}, scoring.CodeBadQuality, true, ""},
		{"out of range", "flow", since(2, func(float64, float64) float64 { return 1e9 }), scoring.CodeOutOfRange, true, ""},
		{"psi instead of bar", "disch_p", since(5, func(v, _ float64) float64 { return 14.5038 * v }), scoring.CodeWrongUnit, true, "psi"},
		{"Fahrenheit", "brg_temp", since(2, func(v, _ float64) float64 { return 1.8*v + 32 }), scoring.CodeWrongUnit, true, "degF"},
		{"inches", "vib", since(1, func(v, _ float64) float64 { return v / 25.4 }), scoring.CodeWrongUnit, true, "in/s"},
	}
}

// TestPlantedFaults plants every fault in pumps, judged with a stored baseline
// and by their window alone: faults of the equipment are found on the right
// signal for the right reason, faults of a sensor grey it and no more.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, f := range plantedFaults() {
		for _, withBaseline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stored %v", f.name, withBaseline), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(3) {
					series := newPlant(60 + seed).series(pumpSignals())
					var b *scoring.Baseline
					if withBaseline {
						b = stored(t, learned(t, series))
					}
					i := 0
					for series[i].Signal.Metric != f.signal {
						i++
					}
					series[i].Readings = f.damage(series[i].Readings)
					in := pump(series)
					in.Baseline = b
					s := scoring.Score(in)
					requireSound(t, s)
					f.require(t, s, i)
				}
			})
		}
	}
}

func (f plantedFault) require(t *testing.T, s scoring.AssetScore, i int) {
	t.Helper()
	require.True(t, s.Trusted, "%+v", s.Trust.Reasons)
	if f.greyed {
		got := s.Trust.Signals[i]
		require.False(t, got.OK)
		require.Contains(t, codes(got.Reasons), f.code)
		require.Contains(t, s.Trust.Reasons, got.Reasons[0], "repeated where the page looks")
		require.Equal(t, 5, s.Trust.Usable)
		require.False(t, s.Anomaly.Flag, "a bad sensor is no sick asset: %+v", s.Anomaly.Reasons)
		require.Less(t, s.Health.Confidence, 0.9)
		if f.detail != "" {
			require.Equal(t, f.detail, got.Reasons[indexOf(got.Reasons, f.code)].Detail)
		}
		return
	}
	require.True(t, s.Trust.Signals[i].OK, "%+v", s.Trust.Signals[i].Reasons)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, f.signal, s.Anomaly.Contributors[0].Signal)
	for _, r := range s.Anomaly.Reasons {
		require.Equal(t, f.signal, r.Signal, "%+v", r)
	}
	k := indexOf(s.Anomaly.Reasons, f.code)
	require.GreaterOrEqual(t, k, 0, "%+v", s.Anomaly.Reasons)
	require.Equal(t, f.code == scoring.CodeStep, indexOf(s.Anomaly.Reasons, scoring.CodeStep) >= 0, "%+v", s.Anomaly.Reasons)
	require.Less(t, s.Anomaly.Since, asOf)
}

// TestStepIsDatedAndSized checks what the finding says.
func TestStepIsDatedAndSized(t *testing.T) {
	t.Parallel()
	series := newPlant(8).series(pumpSignals())
	series[1].Readings = step(5, 14)(series[1].Readings)
	s := scoring.Score(pump(series))
	r := s.Anomaly.Reasons[indexOf(s.Anomaly.Reasons, scoring.CodeStep)]
	require.InDelta(t, 14, r.Value, 4)
	require.InDelta(t, 5, asOf.Sub(r.At).Hours()/24, 0.35)
}

// TestSlowOrCoarseSignalsAreNotStuck rests a signal as long as it always does.
func TestSlowOrCoarseSignalsAreNotStuck(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(i int) float64{
		"laboratory value, kept for a day": func(i int) float64 { return 60 + float64(i/48%7) },
		"whole degrees":                    func(i int) float64 { return math.Round(60 + 4*math.Sin(float64(i)/200)) },
		"weekly swing without noise":       func(i int) float64 { return 60 + 5*math.Sin(float64(i)/53) },
		"slow rise without noise":          func(i int) float64 { return 55 + float64(i)*0.002 },
	} {
		series := newPlant(8).series(pumpSignals())
		for i := range series[1].Readings {
			series[1].Readings[i].Value = f(i)
		}
		got := scoring.Score(pump(series)).Trust.Signals[1]
		require.True(t, got.OK, "%s: %+v", name, got.Reasons)
	}
}

// TestFineTailIsNotStuck appends minutes to half-hourly history, as sweeps read
// it: two hours at one value prove nothing.
func TestFineTailIsNotStuck(t *testing.T) {
	t.Parallel()
	series := newPlant(8).series(pumpSignals())
	r := series[1].Readings
	last := r[len(r)-1]
	for m := range 120 {
		r = append(r, asset.Reading{Time: last.Time.Add(time.Duration(m+1) * time.Minute), Value: 60})
	}
	series[1].Readings = r
	in := pump(series)
	in.AsOf = last.Time.Add(2 * time.Hour)
	for i := range in.Series {
		in.Series[i].Signal.Period = time.Hour
	}
	got := scoring.Score(in).Trust.Signals[1]
	require.True(t, got.OK, "%+v", got.Reasons)
}

// TestWrongUnitWithoutLimits has only the earlier readings to compare with.
func TestWrongUnitWithoutLimits(t *testing.T) {
	t.Parallel()
	series := newPlant(8).series(pumpSignals())
	nan := math.NaN()
	s := &series[2].Signal
	s.NormalLow, s.NormalHigh, s.Warn, s.Alarm = nan, nan, nan, nan
	require.True(t, scoring.Score(pump(series)).Trust.Signals[2].OK)
	series[2].Readings = since(2, func(v, _ float64) float64 { return v * 100 })(series[2].Readings)
	got := scoring.Score(pump(series)).Trust.Signals[2]
	require.False(t, got.OK)
	require.Equal(t, "kPa", got.Reasons[indexOf(got.Reasons, scoring.CodeWrongUnit)].Detail)
}
