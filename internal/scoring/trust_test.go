package scoring_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

func codes(reasons []scoring.Reason) []scoring.Code {
	out := make([]scoring.Code, 0, len(reasons))
	for _, r := range reasons {
		out = append(out, r.Code)
	}
	return out
}

// damage changes the readings of one series in place.
type damage func(r []asset.Reading) []asset.Reading

// lastDays applies f to the values of the last n days.
func lastDays(n int, f func(v float64) float64) damage {
	return func(r []asset.Reading) []asset.Reading {
		for i := range r {
			if r[i].Time.After(asOf.AddDate(0, 0, -n)) {
				r[i].Value = f(r[i].Value)
			}
		}
		return r
	}
}

func TestBadSignalsAreNamed(t *testing.T) {
	t.Parallel()
	always := func(v float64) damage { return lastDays(200, func(float64) float64 { return v }) }
	tests := []struct {
		name   string
		signal int // in pumpSignals
		damage damage
		code   scoring.Code
		detail string
	}{
		{"psi instead of bar, all along", 4, lastDays(200, func(v float64) float64 { return 14.5038 * v }), scoring.CodeWrongUnit, "psi"},
		{"psi instead of bar, since two days", 2, lastDays(2, func(v float64) float64 { return 14.5038 * v }), scoring.CodeWrongUnit, "psi"},
		{"Fahrenheit since a day", 1, lastDays(1, func(v float64) float64 { return 1.8*v + 32 }), scoring.CodeWrongUnit, "degF"},
		{"inch per second", 0, lastDays(3, func(v float64) float64 { return v / 25.4 }), scoring.CodeWrongUnit, "in/s"},
		{"frozen for two days", 0, lastDays(2, func(float64) float64 { return 2.11 }), scoring.CodeStuck, ""},
		{"constant for ever", 3, always(600), scoring.CodeStuck, ""},
		{"silent for a day", 0, func(r []asset.Reading) []asset.Reading { return r[:len(r)-48] }, scoring.CodeStale, ""},
		{"nothing at all", 0, func([]asset.Reading) []asset.Reading { return nil }, scoring.CodeMissing, ""},
		{"psi, and marked bad by the source", 2, func(r []asset.Reading) []asset.Reading {
			for i := len(r) - 96; i < len(r); i++ {
				r[i].Value *= 14.5038
				r[i].Quality = asset.Bad
			}
			return r
		}, scoring.CodeWrongUnit, "psi"},
		{"absurd", 0, always(1e9), scoring.CodeOutOfRange, ""},
		{"not numbers", 0, always(math.NaN()), scoring.CodeMissing, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			series := newPlant(21).series(pumpSignals())
			series[tc.signal].Readings = tc.damage(series[tc.signal].Readings)
			s := scoring.Score(pump(series))
			requireSound(t, s)
			got := s.Trust.Signals[tc.signal]
			require.False(t, got.OK)
			require.Contains(t, codes(got.Reasons), tc.code)
			if tc.detail != "" {
				require.Equal(t, tc.detail, got.Reasons[0].Detail)
			}
			require.Equal(t, 5, s.Trust.Usable, "the others are untouched")
			require.True(t, s.Trusted)
			require.False(t, s.Anomaly.Flag, "a bad sensor is no sick asset: %+v", s.Anomaly.Reasons)
			require.Less(t, s.Health.Confidence, 0.9)
		})
	}
}

// TestCoarseHistoryIsNotStale declares a minute between samples but delivers
// half-hourly history, as a fresh import does.
func TestCoarseHistoryIsNotStale(t *testing.T) {
	t.Parallel()
	series := newPlant(21).series(pumpSignals())
	for i := range series {
		series[i].Signal.Period = time.Minute
	}
	in := pump(series)
	in.AsOf = asOf.Add(25 * time.Minute)
	require.Equal(t, 1.0, scoring.Score(in).Trust.Coverage)
	in.AsOf = asOf.Add(2 * time.Hour)
	require.Zero(t, scoring.Score(in).Trust.Coverage)
}

// TestARealExcursionIsNotAWrongUnit lets the bearing temperature climb to
// where a Fahrenheit reading would be.
func TestARealExcursionIsNotAWrongUnit(t *testing.T) {
	t.Parallel()
	s := scoring.Score(pump(newPlant(8).series(pumpSignals(), ramp{"brg_temp", 145, 10})))
	require.True(t, s.Trust.Signals[1].OK, "%+v", s.Trust.Signals[1].Reasons)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, 10.0, s.Failure.Evidence.Multiplier.Value)
}

func TestLowCoverageFallsBackToAge(t *testing.T) {
	t.Parallel()
	series := newPlant(21).series(pumpSignals(), ramp{"vib", 6.5, 20})
	for i := 3; i < 6; i++ {
		series[i].Readings = series[i].Readings[:2000]
	}
	s := scoring.Score(pump(series))
	requireSound(t, s)
	require.False(t, s.Trusted)
	require.Equal(t, 0.5, s.Trust.Coverage)
	require.Subset(t, codes(s.Trust.Reasons), []scoring.Code{scoring.CodeStale, scoring.CodeLowCoverage, scoring.CodeAgeOnly})
	require.Equal(t, 1.0, s.Failure.Evidence.Multiplier.Value)
	require.Equal(t, s.Failure.AgeOnly, s.Failure.Value)
	for _, sub := range s.Health.SubScores {
		require.NotEqual(t, "condition", sub.Name)
	}
	require.Less(t, s.Health.Confidence, 0.5)
}

func TestUncertainReadingsLowerConfidenceNotHealth(t *testing.T) {
	t.Parallel()
	good := scoring.Score(pump(newPlant(21).series(pumpSignals())))
	series := newPlant(21).series(pumpSignals())
	for i := range series[0].Readings {
		series[0].Readings[i].Quality = asset.Uncertain
	}
	s := scoring.Score(pump(series))
	require.InDelta(t, good.Health.Value, s.Health.Value, 1e-12)
	require.Less(t, s.Health.Confidence, good.Health.Confidence)
}

// TestLongSickAssetIsFlaggedByItsLimits has no healthy history to learn from.
func TestLongSickAssetIsFlaggedByItsLimits(t *testing.T) {
	t.Parallel()
	series := newPlant(21).series(pumpSignals())
	series[0].Readings = lastDays(200, func(v float64) float64 { return v + 3.5 })(series[0].Readings)
	s := scoring.Score(pump(series))
	requireSound(t, s)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, "vib", s.Anomaly.Contributors[0].Signal)
	require.Subset(t, codes(s.Anomaly.Reasons), []scoring.Code{scoring.CodeWarn, scoring.CodeShortHistory})
}

func TestCountersAreJudgedByRateAndLimits(t *testing.T) {
	t.Parallel()
	hours := signal("starts_eq", "h", 0, 24000, 22000, 24000, asset.SenseHigh)
	tests := []struct {
		name  string
		value func(i int) float64 // i-th half hour
		flag  bool
	}{
		{"steady, far from the limit", func(i int) float64 { return 12000 + float64(i)/2 }, false},
		{"steady, close to the limit", func(i int) float64 { return 19000 + float64(i)/2 }, false},
		{"past the limit", func(i int) float64 { return 21500 + float64(i)/2 }, true},
		{"runs ahead of its rate", func(i int) float64 {
			return 19000 + float64(i)/4 + 1500*math.Floor(max(0, float64(i-3600)/240))/3
		}, true},
		{"slows down", func(i int) float64 { return 12000 + math.Sqrt(float64(i)) }, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			series := newPlant(2).series(append(pumpSignals(), hours))
			for i := range series[6].Readings {
				series[6].Readings[i].Value = tc.value(i)
			}
			s := scoring.Score(pump(series))
			requireSound(t, s)
			require.Equal(t, tc.flag, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
			require.Contains(t, codes(s.Anomaly.Reasons), scoring.CodeCounter)
			if tc.flag {
				require.Equal(t, "starts_eq", s.Anomaly.Contributors[0].Signal)
				require.Less(t, s.Anomaly.Since, asOf)
			}
		})
	}
}

func TestAnomalyEndsAfterRepair(t *testing.T) {
	t.Parallel()
	series := newPlant(9).series(pumpSignals())
	r := series[0].Readings
	for i := range r {
		if d := asOf.Sub(r[i].Time).Hours() / 24; d > 10 && d < 25 {
			r[i].Value += 3.2
		}
	}
	in := pump(series)
	require.False(t, scoring.Score(in).Anomaly.Flag)
	in.AsOf = asOf.AddDate(0, 0, -12)
	s := scoring.Score(in)
	require.True(t, s.Anomaly.Flag)
	require.InDelta(t, 13, in.AsOf.Sub(s.Anomaly.Since).Hours()/24, 1)
}

// TestHostileRowsNeverPoison mixes every kind of bad row into good data: the
// score must stay close to the clean one and every row must be accounted for.
func TestHostileRowsNeverPoison(t *testing.T) {
	t.Parallel()
	clean := scoring.Score(pump(newPlant(33).series(pumpSignals())))
	series := newPlant(33).series(pumpSignals())
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range series {
		var out []asset.Reading
		for _, r := range series[i].Readings {
			switch rng.IntN(40) {
			case 0:
				out = append(out, asset.Reading{Time: r.Time, Value: math.NaN()})
			case 1:
				out = append(out, asset.Reading{Time: r.Time, Value: math.Inf(-1)})
			case 2:
				out = append(out, asset.Reading{Time: r.Time, Value: 1e9})
			case 3:
				out = append(out, asset.Reading{Time: r.Time, Value: -math.MaxFloat64})
			case 4:
				out = append(out, asset.Reading{Time: r.Time, Value: 3, Quality: asset.Bad})
			case 5:
				out = append(out, asset.Reading{Time: r.Time, Value: r.Value + 1}) // corrected below
			case 6:
				out = append(out, asset.Reading{Time: r.Time.AddDate(5, 0, 0), Value: 1})
			case 7:
				out = append(out, asset.Reading{Time: time.Time{}, Value: 1})
			}
			out = append(out, r)
		}
		for range 200 {
			a, b := rng.IntN(len(out)), rng.IntN(len(out))
			if !out[a].Time.Equal(out[b].Time) && out[a].Value != out[b].Value && finitePair(out[a], out[b]) {
				out[a], out[b] = out[b], out[a]
			}
		}
		series[i].Readings = out
	}
	s := scoring.Score(pump(series))
	requireSound(t, s)
	require.True(t, s.Trusted)
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
	require.InDelta(t, clean.Health.Value, s.Health.Value, 0.5)
	for i, g := range s.Trust.Signals {
		total := g.Rows.Used + g.Rows.Dropped() + g.Rows.Future + g.Rows.Older
		require.Equal(t, len(series[i].Readings), total)
		require.Positive(t, g.Rows.NotFinite)
		require.Positive(t, g.Rows.Implausible)
		require.Positive(t, g.Rows.OutOfOrder)
		require.Contains(t, codes(g.Reasons), scoring.CodeBadRows)
	}
}

// finitePair limits the shuffling of the test to rows of different times whose
// order does not decide which duplicate wins.
func finitePair(a, b asset.Reading) bool {
	return math.Abs(a.Value) < 1e6 && math.Abs(b.Value) < 1e6 && a.Quality == asset.Good && b.Quality == asset.Good
}

func TestExtremeInputsStaySound(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	base := func() scoring.AssetInput { return pump(newPlant(1).series(pumpSignals())) }
	tests := map[string]func(in *scoring.AssetInput){
		"empty":         func(in *scoring.AssetInput) { *in = scoring.AssetInput{} },
		"no series":     func(in *scoring.AssetInput) { in.Series = nil },
		"one sample":    func(in *scoring.AssetInput) { in.Series = tail(in.Series, 1) },
		"two days":      func(in *scoring.AssetInput) { in.Series = tail(in.Series, 96) },
		"NaN life":      func(in *scoring.AssetInput) { in.Life = asset.Weibull{Beta: nan, Eta: nan} },
		"tiny life":     func(in *scoring.AssetInput) { in.Life = asset.Weibull{Beta: 1e-300, Eta: 1e-300} },
		"steep life":    func(in *scoring.AssetInput) { in.Life = asset.Weibull{Beta: 20, Eta: 1}; in.AgeDays = 1e9 },
		"long life":     func(in *scoring.AssetInput) { in.Life = asset.Weibull{Beta: 0.1, Eta: 1e6}; in.AgeDays = -5 },
		"infinite age":  func(in *scoring.AssetInput) { in.AgeDays = inf },
		"NaN horizon":   func(in *scoring.AssetInput) { in.HorizonDays = nan },
		"huge horizon":  func(in *scoring.AssetInput) { in.HorizonDays = 1e300 },
		"NaN cost":      func(in *scoring.AssetInput) { in.Cost.FailureCost = nan; in.Cost.LossPerHour = -inf },
		"infinite cost": func(in *scoring.AssetInput) { in.Cost.FailureHours = 1e14; in.Cost.LossPerHour = 1e14 },
		"hostile lives": func(in *scoring.AssetInput) { in.Failures = []float64{nan, inf, -1, 0, 1e300} },
		"odd modes": func(in *scoring.AssetInput) {
			in.Modes = []asset.FailureMode{{Severity: -5, Occurrence: 99}, {Severity: 0, Occurrence: 0}}
		},
		"no limits": func(in *scoring.AssetInput) {
			for i := range in.Series {
				in.Series[i].Signal = asset.Signal{Metric: in.Series[i].Signal.Metric}
			}
		},
		"hostile limits": func(in *scoring.AssetInput) {
			for i := range in.Series {
				in.Series[i].Signal.Warn, in.Series[i].Signal.Alarm = nan, inf
				in.Series[i].Signal.NormalHigh = 1e308
			}
		},
		"limits upside down": func(in *scoring.AssetInput) {
			for i := range in.Series {
				s := &in.Series[i].Signal
				s.Warn, s.Alarm = s.Alarm, s.Warn
			}
		},
		"both senses": func(in *scoring.AssetInput) {
			for i := range in.Series {
				in.Series[i].Signal.Sense = asset.SenseBoth
			}
		},
		"reversed": func(in *scoring.AssetInput) {
			for i := range in.Series {
				slices.Reverse(in.Series[i].Readings)
			}
		},
		"one moment": func(in *scoring.AssetInput) {
			for i := range in.Series {
				for k := range in.Series[i].Readings {
					in.Series[i].Readings[k].Time = asOf
				}
			}
		},
		"constant": func(in *scoring.AssetInput) {
			for i := range in.Series {
				for k := range in.Series[i].Readings {
					in.Series[i].Readings[k].Value = 5
				}
			}
		},
		"billions": func(in *scoring.AssetInput) {
			for i := range in.Series {
				for k := range in.Series[i].Readings {
					in.Series[i].Readings[k].Value *= 1e9
				}
			}
		},
		"all operating": func(in *scoring.AssetInput) {
			for _, s := range in.Series {
				in.Operating = append(in.Operating, s.Signal.Metric)
			}
		},
		"same signal twice": func(in *scoring.AssetInput) { in.Series = append(in.Series, in.Series...) },
		"bad inspection":    func(in *scoring.AssetInput) { in.Inspection = &nan },
		"zero thresholds":   func(in *scoring.AssetInput) { in.Settings = scoring.Settings{WindowDays: 90} },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := base()
			change(&in)
			requireSound(t, scoring.Score(in))
		})
	}
}

func tail(series []asset.Series, n int) []asset.Series {
	for i := range series {
		series[i].Readings = series[i].Readings[len(series[i].Readings)-n:]
	}
	return series
}

// swept is what a sweep at a moment knows of a signal: means of hours up to two
// hours before, then the readings themselves, none after last.
func swept(step time.Duration, last, at time.Time) scoring.AssetInput {
	until := at.Add(-2 * time.Hour).Truncate(time.Hour)
	s := signal("vib", "mm/s", 1, 5, 7.5, 11, asset.SenseHigh)
	s.Period = time.Minute
	rng := rand.New(rand.NewPCG(6, 1))
	var r []asset.Reading
	hour := time.Time{}
	for t := last.Add(-10 * 24 * time.Hour); !t.After(last) && !t.After(at); t = t.Add(step) {
		reading := asset.Reading{Time: t, Value: 2 + 0.1*rng.NormFloat64()}
		if t.Before(until) {
			if reading.Time = t.Truncate(time.Hour); reading.Time.Equal(hour) {
				continue
			}
			hour = reading.Time
		}
		r = append(r, reading)
	}
	in := pump([]asset.Series{{Signal: s, Readings: r}})
	in.AsOf, in.HoursUntil = at, until
	return in
}

// TestLostSignalStaysLost follows a lost signal while its last readings turn
// into means of hours: it never comes back by itself.
func TestLostSignalStaysLost(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Minute, 15 * time.Minute, 30 * time.Minute} {
		for _, minute := range []int{0, 14, 30, 59} {
			last := asOf.Truncate(time.Hour).Add(time.Duration(minute) * time.Minute)
			limit := max(3*step, 15*time.Minute)
			for age := time.Duration(0); age < 8*time.Hour; age += 5 * time.Minute {
				got := scoring.Score(swept(step, last, last.Add(age))).Trust.Signals[0]
				require.Equal(t, age <= limit, got.OK, "every %v, lost at minute %d, %v ago: %+v", step, minute, age, got.Reasons)
			}
		}
	}
}

// TestSlowSignalIsNotStale sweeps signals that come less often than declared.
func TestSlowSignalIsNotStale(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, 2 * time.Hour, 8 * time.Hour, 24 * time.Hour} {
		for age := time.Duration(0); age < step; age += step / 7 {
			got := scoring.Score(swept(step, asOf, asOf.Add(age))).Trust.Signals[0]
			require.True(t, got.OK, "every %v, %v ago: %+v", step, age, got.Reasons)
			require.True(t, got.StaleAt.After(asOf.Add(step)), "%v", step)
		}
	}
}
