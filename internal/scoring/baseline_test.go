package scoring_test

import (
	"encoding/json"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// between keeps the readings of the days before asOf, counted back.
func between(series []asset.Series, from, to int) []asset.Series {
	out := make([]asset.Series, 0, len(series))
	for _, s := range series {
		kept := asset.Series{Signal: s.Signal}
		for _, r := range s.Readings {
			if d := asOf.Sub(r.Time).Hours() / 24; d <= float64(from) && d >= float64(to) {
				kept.Readings = append(kept.Readings, r)
			}
		}
		out = append(out, kept)
	}
	return out
}

// learned is a baseline of the first month of the series.
func learned(t *testing.T, series []asset.Series, operating ...string) *scoring.Baseline {
	t.Helper()
	in := pump(series)
	in.Operating = operating
	b, err := scoring.LearnBaseline(in)
	require.NoError(t, err)
	return b
}

// stored sends a baseline through its stored form.
func stored(t *testing.T, b *scoring.Baseline) *scoring.Baseline {
	t.Helper()
	raw, err := b.MarshalBinary()
	require.NoError(t, err)
	out := new(scoring.Baseline)
	require.NoError(t, out.UnmarshalBinary(raw))
	return out
}

func TestStoredBaselineJudgesAsOnTheDayItWasLearned(t *testing.T) {
	t.Parallel()
	series := newPlant(4).series(pumpSignals(), ramp{"vib", 4.2, 20})
	b := learned(t, series)
	require.Equal(t, []string{"vib", "brg_temp", "disch_p", "flow", "seal_p", "motor_a"}, b.Signals)
	require.Equal(t, 360, b.Rows)
	require.InDelta(t, 30, b.To.Sub(b.From).Hours()/24, 0.1)
	raw, err := b.MarshalBinary()
	require.NoError(t, err)
	require.Less(t, len(raw), 4000, "six signals in four kilobytes")
	score := func(b *scoring.Baseline) string {
		in := pump(series)
		in.Baseline = b
		s := scoring.Score(in)
		requireSound(t, s)
		require.True(t, s.Anomaly.Flag)
		require.Equal(t, b.From, s.Anomaly.TrainFrom)
		require.Equal(t, 144, s.Anomaly.CalibrationSize)
		out, err := json.Marshal(s)
		require.NoError(t, err)
		return string(out)
	}
	require.Equal(t, score(b), score(stored(t, b)))
	again, err := stored(t, b).MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, raw, again)
}

// TestStoredBaselineNeedsLittleHistory scores from five days alone.
func TestStoredBaselineNeedsLittleHistory(t *testing.T) {
	t.Parallel()
	series := newPlant(6).series(pumpSignals(), ramp{"vib", 4.2, 15})
	in := pump(between(series, 5, 0))
	alone := scoring.Score(in)
	require.False(t, alone.Anomaly.Flag, "below the warning limit, and nothing learned")
	require.Contains(t, codes(alone.Anomaly.Reasons), scoring.CodeShortHistory)
	in.Baseline = learned(t, series)
	s := scoring.Score(in)
	requireSound(t, s)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, "vib", s.Anomaly.Contributors[0].Signal)
	require.Greater(t, s.Anomaly.Confidence, alone.Anomaly.Confidence)
	in.Series = between(newPlant(6).series(pumpSignals()), 5, 0)
	require.False(t, scoring.Score(in).Anomaly.Flag)
}

// TestSlowDegradationIsNoNewNormal lets the bearing wear for more than a year:
// what the window learns from is worn already.
func TestSlowDegradationIsNoNewNormal(t *testing.T) {
	t.Parallel()
	p := newPlant(15)
	p.days = 600
	in := pump(p.series(pumpSignals(), ramp{"vib", 4.3, 500}))
	require.NotContains(t, codes(scoring.Score(in).Anomaly.Reasons), scoring.CodeResidual)
	whole := in
	whole.Settings = scoring.DefaultSettings()
	whole.Settings.WindowDays = 600
	b, err := scoring.LearnBaseline(whole)
	require.NoError(t, err)
	in.Baseline = b
	s := scoring.Score(in)
	require.True(t, s.Anomaly.Flag)
	require.Contains(t, codes(s.Anomaly.Reasons), scoring.CodeResidual)
	require.Equal(t, "vib", s.Anomaly.Contributors[0].Signal)
}

func TestUnfitBaselineIsRefusedByName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(in *scoring.AssetInput)
		named  string
	}{
		"renamed signal": {func(in *scoring.AssetInput) { in.Series[0].Signal.Metric = "vibration" }, "vib, vibration"},
		"other unit":     {func(in *scoring.AssetInput) { in.Series[1].Signal.Unit = "degF" }, "brg_temp"},
		"removed signal": {func(in *scoring.AssetInput) { in.Series = in.Series[:5] }, "motor_a"},
		"new signal": {func(in *scoring.AssetInput) {
			more := newPlant(5).series([]asset.Signal{signal("thrust", "degC", 65, 90, 105, 115, asset.SenseHigh)})
			in.Series = append(in.Series, more...)
		}, "thrust"},
		"made up": {func(in *scoring.AssetInput) { in.Baseline = &scoring.Baseline{Signals: []string{"x"}} }, "x"},
		"nothing": {func(in *scoring.AssetInput) { in.Baseline = &scoring.Baseline{} }, "vib, brg_temp, disch_p, flow, seal_p, motor_a"},
	}
	series := func() []asset.Series { return newPlant(4).series(pumpSignals(), ramp{"vib", 4.2, 20}) }
	b := learned(t, series())
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := pump(series())
			in.Baseline = b
			tc.change(&in)
			s := scoring.Score(in)
			requireSound(t, s)
			require.True(t, s.Anomaly.Flag, "learned from the window instead")
			i := indexOf(s.Anomaly.Reasons, scoring.CodeBaseline)
			require.GreaterOrEqual(t, i, 0)
			require.Equal(t, tc.named, s.Anomaly.Reasons[i].Detail)
		})
	}
}

func indexOf(reasons []scoring.Reason, code scoring.Code) int {
	for i, r := range reasons {
		if r.Code == code {
			return i
		}
	}
	return -1
}

// TestLostSensorLeavesTheOthersCompared silences one signal after learning.
func TestLostSensorLeavesTheOthersCompared(t *testing.T) {
	t.Parallel()
	series := newPlant(4).series(pumpSignals(), ramp{"vib", 4.2, 20})
	in := pump(series)
	in.Baseline = stored(t, learned(t, series))
	in.Series[3].Readings = in.Series[3].Readings[:2000]
	s := scoring.Score(in)
	requireSound(t, s)
	require.False(t, s.Trust.Signals[3].OK)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, "vib", s.Anomaly.Contributors[0].Signal)
	require.NotContains(t, codes(s.Anomaly.Reasons), scoring.CodeBaseline)
	quiet := pump(newPlant(4).series(pumpSignals()))
	quiet.Series[3].Readings = quiet.Series[3].Readings[:2000]
	quiet.Baseline = in.Baseline
	require.False(t, scoring.Score(quiet).Anomaly.Flag)
}

func TestBaselineNeedsHealthyHistory(t *testing.T) {
	t.Parallel()
	for name, series := range map[string][]asset.Series{
		"nothing":  nil,
		"ten days": between(newPlant(4).series(pumpSignals()), 10, 0),
		"sick":     newPlant(4).series(pumpSignals(), ramp{"vib", 6, 1000}),
	} {
		_, err := scoring.LearnBaseline(pump(series))
		require.ErrorIs(t, err, scoring.ErrShortHistory, name)
	}
}

// TestNoBaselineOfAnAssetOnItsWay lets a signal run towards its limit from the
// day that learning begins.
func TestNoBaselineOfAnAssetOnItsWay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		in := pump(newPlant(40+seed).series(pumpSignals(), ramp{"vib", 12, 89}))
		_, err := scoring.LearnBaseline(in)
		require.ErrorIs(t, err, scoring.ErrUnsteady)
		require.ErrorContains(t, err, "vib")
	}
}

// TestHostileBytesAreRefused cuts, flips and forges stored baselines. A forged
// one with a valid checksum may be accepted but must score soundly.
func TestHostileBytesAreRefused(t *testing.T) {
	t.Parallel()
	series, _ := loaded(3, func(int) float64 { return 60 })
	b := learned(t, series, "load")
	raw, err := b.MarshalBinary()
	require.NoError(t, err)
	for n := 0; n < len(raw); n += 1 + n/50 {
		require.ErrorIs(t, new(scoring.Baseline).UnmarshalBinary(raw[:n]), scoring.ErrBadBaseline)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	refused := 0
	for range 120 {
		bad := append([]byte(nil), raw...)
		bad[rng.IntN(len(bad))] ^= byte(1 + rng.IntN(255))
		require.ErrorIs(t, new(scoring.Baseline).UnmarshalBinary(bad), scoring.ErrBadBaseline)
		forge(bad)
		next := new(scoring.Baseline)
		if err := next.UnmarshalBinary(bad); err != nil {
			require.ErrorIs(t, err, scoring.ErrBadBaseline)
			refused++
			continue
		}
		in := pump(between(series, 20, 0))
		in.Operating, in.Baseline = []string{"load"}, next
		requireSound(t, scoring.Score(in))
	}
	require.Positive(t, refused)
	_, err = new(scoring.Baseline).MarshalBinary()
	require.ErrorIs(t, err, scoring.ErrBadBaseline)
}

// forge gives bytes a matching checksum.
func forge(b []byte) {
	sum := crc32.ChecksumIEEE(b[:len(b)-4])
	for i := range 4 {
		b[len(b)-4+i] = byte(sum >> (8 * i))
	}
}

// FuzzBaseline feeds forged bytes.
func FuzzBaseline(f *testing.F) {
	in := pump(newPlant(4).series(pumpSignals()))
	b, err := scoring.LearnBaseline(in)
	require.NoError(f, err)
	raw, err := b.MarshalBinary()
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte("OBL\x01\x00\x00\x00\x00"))
	in.Series = between(in.Series, 10, 0)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) < 8 {
			return
		}
		bytes = append([]byte(nil), bytes...)
		forge(bytes)
		next := new(scoring.Baseline)
		if next.UnmarshalBinary(bytes) != nil {
			return
		}
		in := in
		in.Baseline = next
		requireSound(t, scoring.Score(in))
	})
}

// loaded is a compressor whose signals follow its load, which is measured. load
// gives the load in per cent for a day counted from the start of 90.
func loaded(seed uint64, load func(day int) float64) ([]asset.Series, []string) {
	hi := asset.SenseHigh
	signals := []asset.Signal{
		signal("load", "%", 0, 110, 120, 130, hi), signal("power", "kW", 200, 900, 1100, 1200, hi),
		signal("disch_temp", "degC", 60, 140, 160, 170, hi), signal("vib", "mm/s", 1, 2.8, 4.5, 7.1, hi),
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	out := make([]asset.Series, len(signals))
	for i, s := range signals {
		out[i].Signal = s
	}
	wander, noise := 0.0, make([]float64, len(signals))
	const n = 90 * 48
	for i := range n {
		wander = 0.95*wander + rng.NormFloat64()
		l := load(i/48) + wander
		values := []float64{l, 100 + 8*l, 50 + 0.9*l, 1.2 + 0.008*l}
		for j, sd := range []float64{0.3, 6, 0.8, 0.04} {
			noise[j] = 0.8*noise[j] + 0.6*rng.NormFloat64()
			at := asOf.Add(-time.Duration(n-1-i) * 30 * time.Minute)
			out[j].Readings = append(out[j].Readings, asset.Reading{Time: at, Value: values[j] + sd*noise[j]})
		}
	}
	return out, []string{"load"}
}

// TestLoadChangeIsNoAnomaly runs at two loads while learning. Switching between
// them is nothing; a third load is unknown until it is admitted; the same power
// at the wrong load is a fault.
func TestLoadChangeIsNoAnomaly(t *testing.T) {
	t.Parallel()
	two := func(day int) float64 { return 45 + 40*float64(day/2%2) }
	known, operating := loaded(5, two)
	b := stored(t, learned(t, known, operating...))
	score := func(series []asset.Series, b *scoring.Baseline) scoring.AssetScore {
		in := pump(series)
		in.Operating, in.Baseline = operating, b
		s := scoring.Score(in)
		requireSound(t, s)
		return s
	}
	held, _ := loaded(6, func(day int) float64 { return 45 + 40*math.Floor(float64(day)/70) })
	require.False(t, score(held, b).Anomaly.Flag, "20 days at the other load")

	third, _ := loaded(7, func(day int) float64 {
		if day >= 85 {
			return 65
		}
		return two(day)
	})
	s := score(third, b)
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)
	require.Contains(t, codes(s.Anomaly.Reasons), scoring.CodeRegime)

	in := pump(third)
	in.Operating = operating
	n, err := b.Admit(in, asOf.AddDate(0, 0, -4), asOf)
	require.NoError(t, err)
	require.Equal(t, 48, n)
	s = score(third, b)
	require.NotContains(t, codes(s.Anomaly.Reasons), scoring.CodeRegime)
	require.False(t, s.Anomaly.Flag, "%+v", s.Anomaly.Reasons)

	for i := range third[2].Readings[4000:] {
		third[2].Readings[4000+i].Value += 30 // still far below the warning limit
	}
	s = score(third, b)
	require.True(t, s.Anomaly.Flag)
	require.Equal(t, "disch_temp", s.Anomaly.Contributors[0].Signal)

	third[0].Readings = nil
	s = score(third, b)
	require.False(t, s.Anomaly.Flag, "without its load nothing is expected")
	require.Contains(t, codes(s.Anomaly.Reasons), scoring.CodeOperating)
}

// TestAdmittingIsBounded teaches one expected operation after another.
func TestAdmittingIsBounded(t *testing.T) {
	t.Parallel()
	series := newPlant(4).series(pumpSignals())
	b := learned(t, series)
	in := pump(newPlant(9).series(pumpSignals(), ramp{"motor_a", 240, 40}))
	for i := range 24 {
		_, err := b.Admit(in, asOf.AddDate(0, 0, -4-2*i), asOf.AddDate(0, 0, -2*i))
		require.NoError(t, err)
	}
	raw, err := b.MarshalBinary()
	require.NoError(t, err)
	vectors, scores := 160*6*4, 500*4
	require.InDelta(t, vectors+scores, len(raw), 500)
	in.Baseline = stored(t, b)
	requireSound(t, scoring.Score(in))
}

func TestAdmitRefusesAndLeavesTheBaseline(t *testing.T) {
	t.Parallel()
	series := newPlant(4).series(pumpSignals())
	b := learned(t, series)
	before, err := b.MarshalBinary()
	require.NoError(t, err)
	in := pump(series)
	_, err = b.Admit(in, asOf, asOf)
	require.ErrorIs(t, err, scoring.ErrNothingToAdmit)
	broken := pump(newPlant(4).series(pumpSignals(), ramp{"vib", 9, 1}))
	_, err = b.Admit(broken, asOf.Add(-4*time.Hour), asOf)
	require.ErrorIs(t, err, scoring.ErrNothingToAdmit, "beyond the alarm limit")
	in.Series = in.Series[:4]
	_, err = b.Admit(in, asOf.AddDate(0, 0, -5), asOf)
	require.ErrorContains(t, err, "seal_p, motor_a")
	in = pump(newPlant(4).series(pumpSignals()))
	in.Series[2].Readings = nil
	_, err = b.Admit(in, asOf.AddDate(0, 0, -5), asOf)
	require.ErrorContains(t, err, "disch_p")
	after, err := b.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, before, after)
}
