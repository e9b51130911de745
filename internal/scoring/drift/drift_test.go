package drift_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/drift"
)

var names = []string{"load", "temperature"}

// season draws windows of a load without memory and of a temperature that goes
// through the seasons, so that no month looks like the year.
func season(seed uint64, windows, rows int, shift float64) [][][]float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([][][]float64, windows)
	for w := range out {
		for range rows {
			out[w] = append(out[w], []float64{rng.NormFloat64() + shift, 25 + 10*math.Sin(2*math.Pi*float64(w)/12) + rng.NormFloat64()})
		}
	}
	return out
}

func learn(t *testing.T, windows [][][]float64) drift.Reference {
	t.Helper()
	ref, err := drift.Learn(names, windows)
	require.NoError(t, err)
	return ref
}

func check(t *testing.T, ref drift.Reference, rows [][]float64) drift.Input {
	t.Helper()
	found, err := ref.Check(rows)
	require.NoError(t, err)
	return found
}

func TestSeasonsAreNotDriftButAShiftIs(t *testing.T) {
	t.Parallel()
	ref := learn(t, season(1, 24, 200, 0))
	stored, err := json.Marshal(ref)
	require.NoError(t, err)
	ref = drift.Reference{}
	require.NoError(t, json.Unmarshal(stored, &ref), "a reference lives in JSON")
	for w, rows := range season(2, 12, 200, 0) {
		require.False(t, check(t, ref, rows).Alarm, "month %d", w)
	}
	for w, rows := range season(3, 12, 200, 1.5) {
		found := check(t, ref, rows)
		require.True(t, found.Alarm, "month %d", w)
		require.Equal(t, "load", found.Features[0].Name)
		require.Greater(t, found.Features[0].PSI, found.Features[0].PSILimit)
	}
}

func TestSamplingAloneIsNoDrift(t *testing.T) {
	t.Parallel()
	ref := learn(t, season(4, 1, 4000, 0))
	alarms := 0
	for seed := range uint64(200) {
		if check(t, ref, season(100+seed, 1, 60, 0)[0]).Alarm {
			alarms++
		}
	}
	require.LessOrEqual(t, alarms, 2)
}

func TestStabilityIndexByHand(t *testing.T) {
	t.Parallel()
	var rows [][]float64
	for i := range 1000 {
		rows = append(rows, []float64{float64(i)})
	}
	ref, err := drift.Learn([]string{"x"}, [][][]float64{rows})
	require.NoError(t, err)
	found := check(t, ref, rows[:500])
	// Five bins of 0.1 hold 0.2 and five hold next to nothing.
	full := 5 * 0.1 * math.Log(2)
	const empty = 0.5 / (500 + 5.5)
	require.InDelta(t, full+5*(0.1-empty)*math.Log(0.1/empty), found.Features[0].PSI, 0.05)
	require.InDelta(t, 0.5, found.Features[0].KS, 0.01)
}

func TestHostileWindows(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	ref := learn(t, season(5, 12, 100, 0))
	rows := season(6, 1, 100, 0)[0]
	for i := range rows {
		rows[i][0] = []float64{nan, math.Inf(1), math.Inf(-1), 1e300}[i%4]
	}
	found := check(t, ref, rows)
	require.True(t, found.Alarm, "a feature that has gone missing has drifted")
	require.Equal(t, "load", found.Features[0].Name)
	require.Equal(t, 1.0, found.Features[0].Missing)
	require.False(t, math.IsNaN(found.Index) || math.IsInf(found.Index, 0))

	require.False(t, check(t, ref, nil).Alarm)
	require.False(t, check(t, ref, rows[:5]).Features[0].Judged, "five rows judge nothing")
	_, err := ref.Check([][]float64{{1}})
	require.ErrorContains(t, err, "row 0 has 1 values")
	_, err = drift.Learn(names, nil)
	require.ErrorIs(t, err, drift.ErrFewRows)
	_, err = drift.Learn(names, [][][]float64{{{nan, nan}, {nan, nan}}})
	require.ErrorIs(t, err, drift.ErrFewRows)

	constant := make([][]float64, 100)
	for i := range constant {
		constant[i] = []float64{7, 0}
	}
	same := learn(t, [][][]float64{constant, constant, constant, constant, constant})
	require.False(t, check(t, same, constant).Alarm)
	moved := make([][]float64, 100)
	for i := range moved {
		moved[i] = []float64{8, 0}
	}
	require.True(t, check(t, same, moved).Alarm, "a constant that changes has drifted")
}

// errorsOf draws blocks of errors whose blocks differ among themselves.
func errorsOf(seed uint64, blocks int, bias, size float64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := make([][]float64, blocks)
	for b := range out {
		level := bias + 0.5*rng.NormFloat64()
		for range 50 {
			out[b] = append(out[b], level+size*rng.NormFloat64())
		}
	}
	return out
}

func TestResiduals(t *testing.T) {
	t.Parallel()
	ref, err := drift.LearnResiduals(errorsOf(1, 20, 0.2, 1))
	require.NoError(t, err)
	alarms := 0
	for seed := range uint64(100) {
		if ref.Check(errorsOf(50+seed, 12, 0.2, 1)).Alarm {
			alarms++
		}
	}
	require.LessOrEqual(t, alarms, 8, "blocks like the held-out ones raise few alarms")
	require.True(t, ref.Check(errorsOf(2, 12, 1.5, 1)).Alarm, "bias")
	require.True(t, ref.Check(errorsOf(2, 12, -1.1, 1)).Alarm, "bias the other way")
	require.True(t, ref.Check(errorsOf(2, 12, 0.2, 3)).Alarm, "errors that grow")
	require.False(t, ref.Check(errorsOf(2, 12, 0.2, 0.5)).Alarm, "errors that shrink are welcome")
	require.Less(t, ref.Check(errorsOf(2, 3, 0.7, 1)).Index, ref.Check(errorsOf(2, 20, 0.7, 1)).Index, "evidence adds up")
}

func TestHostileResiduals(t *testing.T) {
	t.Parallel()
	_, err := drift.LearnResiduals([][]float64{{1}, {math.NaN()}, {}, {2}})
	require.ErrorIs(t, err, drift.ErrFewBlocks)
	ref, err := drift.LearnResiduals([][]float64{{0}, {0}, {0}, {0}, {0}})
	require.NoError(t, err)
	found := ref.Check([][]float64{{math.Inf(1), math.NaN()}, {1e9}, nil})
	require.Len(t, found.Steps, 1)
	require.True(t, found.Alarm)
	require.False(t, math.IsInf(found.Index, 0) || math.IsNaN(found.Index))
	require.False(t, drift.Residuals{}.Check([][]float64{{5}}).Alarm, "an empty reference judges nothing")
}
