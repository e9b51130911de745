package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNABScoreByHand checks the published score function on a series of 1000
// rows with windows of 100.
func TestNABScoreByHand(t *testing.T) {
	t.Parallel()
	windows := []nabWindow{{300, 399}, {700, 799}}
	scored := func(rows ...int) float64 {
		alarms := make([]bool, 1000)
		for _, i := range rows {
			alarms[i] = true
		}
		return nabScore(alarms, windows)
	}
	s := func(y float64) float64 { return 2/(1+math.Exp(5*y)) - 1 }
	require.Equal(t, -2.0, scored(), "nothing found")
	require.InDelta(t, 2, scored(300, 700), 1e-12, "both at their first row")
	require.InDelta(t, 0, scored(300), 1e-12)
	require.InDelta(t, 0, scored(300, 350, 399), 1e-12, "only the first of a window counts")
	require.InDelta(t, -1+s(-0.5)/s(-1), scored(350), 1e-12, "half-way")
	require.InDelta(t, -2-0.11, scored(200), 1e-12, "before all windows")
	require.InDelta(t, -2+0.11*s(11.0/99), scored(410), 1e-12, "just behind a window costs little")
	require.InDelta(t, -2-0.11, scored(699), 1e-12, "far behind one")
	require.InDelta(t, -2.0, scored(100), 1e-12, "on probation")
	require.Equal(t, 150, nabProbation(1000))
	require.Equal(t, 750, nabProbation(20000))
}

func TestCounts(t *testing.T) {
	t.Parallel()
	var c counts
	for _, v := range [][2]bool{{true, true}, {true, true}, {false, true}, {true, false}, {false, false}, {false, false}} {
		c.add(v[0], v[1])
	}
	require.Equal(t, counts{hit: 2, miss: 1, alarm: 1, quiet: 2}, c)
	require.InDelta(t, 2.0/3, c.f1(), 1e-12)
}

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
}

func values(rows []Row) map[string]float64 {
	out := map[string]float64{}
	for _, r := range rows {
		out[r.Metric] = r.Value
	}
	return out
}

// TestMeasureSKAB pools two files: one with a clear fault, one that stays
// normal but is labelled faulty in its last rows.
func TestMeasureSKAB(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 1))
	for file, shift := range []float64{6, 0} {
		var b strings.Builder
		b.WriteString("datetime;A;B;anomaly;changepoint\n")
		for i := range 600 {
			x, label := rng.NormFloat64(), 0
			if i >= 500 {
				x, label = x+shift, 1
			}
			fmt.Fprintf(&b, "t%d;%.4f;%.4f;%d.0;0.0\n", i, x, rng.NormFloat64(), label)
		}
		write(t, b.String(), dir, "data", "valve1", fmt.Sprintf("%d.csv", file))
	}
	rows, err := measureSKAB(t.Context(), dir, 1)
	require.NoError(t, err)
	got := values(rows)
	require.InDelta(t, 0.5, got["missed-alarm rate"], 0.06)
	require.Less(t, got["false-alarm rate"], 0.06)
	require.InDelta(t, 0.66, got["F1"], 0.05)
}

// TestMeasureTEP reads a transposed normal run, prefers test runs and counts
// what they raise before their fault.
func TestMeasureTEP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(rows int, seed uint64, onset int, shift float64) [][]float64 {
		rng := rand.New(rand.NewPCG(seed, 1))
		out := make([][]float64, rows)
		for i := range out {
			common := rng.NormFloat64()
			for j := range tepSignals {
				v := common*math.Sin(float64(j)) + rng.NormFloat64()
				if i >= onset && j == 7 {
					v += shift
				}
				out[i] = append(out[i], v)
			}
		}
		return out
	}
	text := func(rows [][]float64) string {
		var b strings.Builder
		for _, r := range rows {
			for _, v := range r {
				fmt.Fprintf(&b, " %.6e", v)
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	write(t, text(transposed(run(500, 1, 500, 0))), dir, "d00.dat")
	write(t, text(run(960, 2, 960, 0)), dir, "d00_te.dat")
	for fault := 1; fault <= tepFaults; fault++ {
		shift := 9.0
		if fault == 5 {
			shift = 0
		}
		if fault%2 == 0 {
			write(t, text(run(960, uint64(10+fault), tepOnset, shift)), dir, fmt.Sprintf("d%02d_te.dat", fault))
			continue
		}
		write(t, text(run(480, uint64(10+fault), 0, shift)), dir, fmt.Sprintf("d%02d.dat", fault))
	}
	rows, err := measureTEP(t.Context(), dir, 1)
	require.NoError(t, err)
	got := values(rows)
	require.InDelta(t, 17.0/18, got["detection, mean of 18 faults"], 0.02)
	require.Less(t, got["detection, hardest fault"], 0.05)
	require.Equal(t, "fault 5", rows[1].Note)
	require.LessOrEqual(t, got["false alarms on d00_te"], 0.01)
	require.LessOrEqual(t, got["false alarms before the fault"], 0.02)
}

func TestMeasureNAB(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 1))
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range 1000 {
		v := rng.NormFloat64()
		if i == 600 {
			v = 30
		}
		fmt.Fprintf(&b, "2015-09-01 %02d:%02d:00,%.3f\n", i/60, i%60, v)
	}
	write(t, b.String(), dir, "data", "real", "a.csv")
	write(t, `{"real/a.csv": [["2015-09-01 10:00:00.000000", "2015-09-01 10:30:00.000000"]], "real/b.csv": []}`, dir, "labels", "combined_windows.json")
	rows, err := measureNAB(t.Context(), dir, 1)
	require.NoError(t, err)
	got := values(rows)
	require.InDelta(t, 1, got["windows found"], 0)
	require.InDelta(t, 100-50*nabFalse*got["false detections per series"], got["score, standard profile"], 12)
	require.Greater(t, got["score, standard profile"], 80.0)

	write(t, `{"real/a.csv": [["2015-09-02 10:00:00.000000", "2015-09-02 10:30:00.000000"]]}`, dir, "labels", "combined_windows.json")
	_, err = measureNAB(t.Context(), dir, 1)
	require.ErrorContains(t, err, "not in the series")
}

func TestMeasuresNeedData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := measureSKAB(t.Context(), dir, 1)
	require.ErrorContains(t, err, "no experiment")
	_, err = measureTEP(t.Context(), dir, 1)
	require.ErrorContains(t, err, "d00.dat")
	_, err = measureNAB(t.Context(), dir, 1)
	require.ErrorContains(t, err, "combined_windows.json")
	write(t, "datetime;A\nt;1\n", dir, "data", "valve1", "0.csv")
	_, err = measureSKAB(t.Context(), dir, 1)
	require.ErrorContains(t, err, "0.csv has no labels")
}
