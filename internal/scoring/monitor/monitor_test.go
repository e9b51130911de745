package monitor_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/monitor"
)

var widths = []int{5, 32}

// holed returns rows with some readings missing, infinite or absurd.
func holed(rows [][]float64, rng *rand.Rand) [][]float64 {
	out := make([][]float64, len(rows))
	for i, r := range rows {
		out[i] = slices.Clone(r)
		for j := range r {
			switch rng.IntN(40) {
			case 0:
				out[i][j] = math.NaN()
			case 1:
				out[i][j] = math.Inf(1 - 2*rng.IntN(2))
			case 2:
				out[i][j] = 1e300
			}
		}
	}
	return out
}

// sameResults compares results; NaN equals NaN.
func sameResults(t *testing.T, want, got []monitor.Result) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		for j, v := range want[i].Expected {
			require.True(t, v == got[i].Expected[j] || math.IsNaN(v) && math.IsNaN(got[i].Expected[j]), "row %d", i)
		}
		a, b := want[i], got[i]
		a.Expected, b.Expected = nil, nil
		require.Equal(t, a, b, "row %d", i)
	}
}

// TestRowByRowIsAllAtOnce carries the state on, through JSON, with holes in
// the data, and judges through a stored detector.
func TestRowByRowIsAllAtOnce(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		rng := rand.New(rand.NewPCG(1, uint64(p)))
		d := fit(t, holed(plant(500, p, rng), rng), monitor.Config{})
		rows := holed(plant(120, p, rng), rng)
		for j := range rows[40] {
			rows[40][j] = math.NaN()
		}
		want := score(t, d, rows)

		raw, err := d.MarshalBinary()
		require.NoError(t, err)
		var restored monitor.Detector
		require.NoError(t, restored.UnmarshalBinary(raw))
		state := restored.Start()
		var got []monitor.Result
		for _, r := range rows {
			step, err := restored.Continue(state, [][]float64{r})
			require.NoError(t, err)
			got = append(got, step...)
			text, err := json.Marshal(state)
			require.NoError(t, err)
			state = new(monitor.State)
			require.NoError(t, json.Unmarshal(text, state))
		}
		sameResults(t, want, got)
		require.Equal(t, 120, state.Rows)
		require.Equal(t, 1, state.Silent)
		require.Equal(t, d.Info(), restored.Info())
	}
}

// TestFutureChangesNoPast judges the first rows alone and with others behind.
func TestFutureChangesNoPast(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		rng := rand.New(rand.NewPCG(2, uint64(p)))
		d := fit(t, plant(500, p, rng), monitor.Config{})
		rows := plant(200, p, rng)
		before := score(t, d, rows[:100])
		for _, r := range rows[100:] {
			r[0] *= 50
		}
		sameResults(t, before, score(t, d, rows)[:100])
	}
}

func TestSameRowsGiveTheSameDetector(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		var first []byte
		for range 3 {
			rng := rand.New(rand.NewPCG(3, uint64(p)))
			d, err := monitor.FitCalibrated(plant(400, p, rng), plant(300, p, rng), monitor.Config{})
			require.NoError(t, err)
			raw, err := d.MarshalBinary()
			require.NoError(t, err)
			if first == nil {
				first = raw
			}
			require.Equal(t, first, raw)
		}
	}
}

// TestHostileReadings puts wild values into both the normal period and the
// judged rows: nothing breaks, the model is the one of the clean rows for all
// that matters, and one wild reading raises no alarm on few signals.
func TestHostileReadings(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		rng := rand.New(rand.NewPCG(4, uint64(p)))
		normal := plant(600, p, rng)
		for i := 50; i < 600; i += 60 {
			normal[i][i%p] = 1e9
		}
		d := fit(t, normal, monitor.Config{})
		rows := plant(400, p, rng)
		require.Less(t, alarmRate(score(t, d, rows)), 0.02)
		rows[100][1] = -1e9
		results := score(t, d, rows)
		require.Zero(t, alarmRate(results[150:]), "it is soon forgotten")
		if p == 5 {
			require.False(t, results[100].Alarm)
		}
		for _, r := range rows[200:] {
			r[2] += 8 * unit(2)
		}
		require.Greater(t, alarmRate(score(t, d, rows)[220:]), 0.9, "the limits were not stretched")
		for _, r := range results {
			sum := 0.0
			for _, v := range r.Share {
				require.GreaterOrEqual(t, v, 0.0)
				sum += v
			}
			require.InDelta(t, 1, sum, 1e-9)
			require.False(t, math.IsNaN(r.Score) || math.IsInf(r.Score, 0))
		}
	}
}

// TestSignalsThatCannotBeWatched leaves out a dead signal and keeps one that
// never moves, whose first movement stands out.
func TestSignalsThatCannotBeWatched(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		rng := rand.New(rand.NewPCG(5, uint64(p)))
		shape := func(rows [][]float64) [][]float64 {
			for _, r := range rows {
				r[0] = math.NaN()
				r[1] = 42
			}
			return rows
		}
		d := fit(t, shape(plant(500, p, rng)), monitor.Config{})
		require.NotContains(t, d.Info().Watched, 0)
		require.Contains(t, d.Info().Watched, 1)
		rows := shape(plant(200, p, rng))
		for _, r := range rows[100:] {
			r[1] = 43
		}
		results := score(t, d, rows)
		require.Less(t, alarmRate(results[:100]), 0.05)
		require.Greater(t, alarmRate(results[110:]), 0.95)
		last := results[199]
		require.True(t, math.IsNaN(last.Expected[0]))
		require.Zero(t, last.Share[0])
		require.Equal(t, slices.Max(last.Share), last.Share[1])
		require.Zero(t, last.Bad, "a signal that is not watched is not missed")
	}
}

// TestExpectedFollowsTheLoad compares what a row should read with what it
// does, and reads a lost signal off the others.
func TestExpectedFollowsTheLoad(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		rng := rand.New(rand.NewPCG(6, uint64(p)))
		d := fit(t, plant(600, p, rng), monitor.Config{})
		rows := plant(200, p, rng)
		miss := 0.0
		for i, r := range score(t, d, rows) {
			for j, v := range r.Expected {
				miss += math.Abs(v-rows[i][j]) / unit(j) / float64(200*p)
			}
		}
		require.Less(t, miss, 1.6, "%d signals", p)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 1))
	names := []string{"a", "b", "c", "d", "e"}
	info := fit(t, plant(300, 5, rng), monitor.Config{Signals: names}).Info()
	require.Equal(t, names, info.Signals)
	require.Equal(t, "similarity", info.Method)
	require.Equal(t, 300, info.Normal)
	require.Equal(t, 300, info.Calibration)
	require.Len(t, info.Limits, 2)
	info = fit(t, plant(300, 32, rng), monitor.Config{}).Info()
	require.Equal(t, "subspace", info.Method)
	require.Equal(t, 120, info.Calibration)
	require.Equal(t, "similarity", fit(t, plant(100, 32, rng), monitor.Config{}).Info().Method, "too few rows for directions")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	rows := plant(100, 3, rand.New(rand.NewPCG(8, 1)))
	dead := make([][]float64, 100)
	for i := range dead {
		dead[i] = []float64{math.NaN(), math.Inf(1)}
	}
	tests := map[string]struct {
		rows [][]float64
		c    monitor.Config
		says string
	}{
		"none":       {nil, monitor.Config{}, "no normal rows"},
		"few":        {rows[:59], monitor.Config{}, "59 rows, give at least 60"},
		"ragged":     {append(slices.Clone(rows), []float64{1}), monitor.Config{}, "row 101 has 1 values, want 3"},
		"names":      {rows, monitor.Config{Signals: []string{"a"}}, "1 signal names for 3 columns"},
		"smoothing":  {rows, monitor.Config{Smoothing: 2}, "smoothing"},
		"slow":       {rows, monitor.Config{Smoothing: 0.01}, "larger smoothing"},
		"alpha":      {rows, monitor.Config{Alpha: -1}, "alpha"},
		"factor":     {rows, monitor.Config{Factor: math.NaN()}, "factor"},
		"leave":      {rows, monitor.Config{Leave: 1.5}, "leave"},
		"horizon":    {rows, monitor.Config{Horizon: -1}, "horizon"},
		"all silent": {dead, monitor.Config{}, "no signal has usable readings"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := monitor.Fit(tc.rows, tc.c)
			require.ErrorContains(t, err, tc.says)
		})
	}
	_, err := monitor.FitCalibrated(rows, rows[:10], monitor.Config{})
	require.ErrorContains(t, err, "calibration rows: 10 rows")
	d := fit(t, rows, monitor.Config{})
	_, err = d.Score([][]float64{{1, 2}})
	require.ErrorContains(t, err, "row 1 has 2 values, want 3")
	_, err = d.Continue(&monitor.State{}, rows)
	require.ErrorContains(t, err, "another detector")
}

func TestBrokenArtefactsAreRefused(t *testing.T) {
	t.Parallel()
	for _, p := range widths {
		raw, err := fit(t, plant(300, p, rand.New(rand.NewPCG(9, 1))), monitor.Config{}).MarshalBinary()
		require.NoError(t, err)
		var d monitor.Detector
		require.Error(t, d.UnmarshalBinary(nil))
		require.Error(t, d.UnmarshalBinary(raw[:len(raw)/2]))
	}
}
