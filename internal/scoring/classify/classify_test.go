package classify_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/classify"
)

// mill draws snapshots of a machine that overheats when the temperatures are
// close at low speed, and breaks when wear × torque is high; a signal is idle.
func mill(n int, seed uint64) (rows [][]float64, modes [][]bool) {
	rng := rand.New(rand.NewPCG(seed, 7))
	for range n {
		air, torque, wear := 300+2*rng.NormFloat64(), 40+10*rng.NormFloat64(), 250*rng.Float64()
		process := air + 10 + rng.NormFloat64()
		speed := 1500 + 150*rng.NormFloat64()
		rows = append(rows, []float64{air, process, speed, torque, wear, rng.Float64()})
		modes = append(modes, []bool{process-air < 8.8 && speed < 1450, wear*torque > 11000, false})
	}
	return rows, modes
}

func config() classify.Config {
	return classify.Config{
		Signals: []string{"air", "process", "speed", "torque", "wear", "idle"},
		Derived: []classify.Derived{
			{Name: "temperature difference", Of: classify.Difference, A: 1, B: 0},
			{Name: "strain", Of: classify.Product, A: 4, B: 3},
			{Name: "slip", Of: classify.Ratio, A: 3, B: 2},
		},
		Modes: []string{"heat", "strain", "never"}, Rounds: 60, Folds: 3, Bags: 1, Seed: 5,
	}
}

func fit(t *testing.T, rows [][]float64, modes [][]bool, c classify.Config) *classify.Model {
	t.Helper()
	m, err := classify.Fit(context.Background(), rows, modes, nil, c)
	require.NoError(t, err)
	return m
}

func failed(modes [][]bool) []bool {
	out := make([]bool, len(modes))
	for i, m := range modes {
		for _, hit := range m {
			out[i] = out[i] || hit
		}
	}
	return out
}

func TestModesAreToldFromUnseenRows(t *testing.T) {
	t.Parallel()
	rows, modes := mill(3000, 1)
	m := fit(t, rows, modes, config())
	fresh, truth := mill(2000, 2)
	p := make([]float64, len(fresh))
	right, seen := 0, 0
	for i, row := range fresh {
		got := m.Predict(row)
		p[i] = got.Probability
		require.Equal(t, m.Probability(row), got.Probability)
		if truth[i][1] && !truth[i][0] {
			seen++
			if got.Modes[0].Name == "strain" {
				right++
			}
		}
	}
	got := classify.Evaluate(p, failed(truth))
	require.Greater(t, got.AveragePrecision, 0.9)
	require.Greater(t, got.AUC, 0.98)
	require.Less(t, got.Brier, 0.25*got.Share)
	require.Less(t, got.CalibrationError, 0.01)
	require.Greater(t, float64(right), 0.95*float64(seen))
}

// TestContributionsSumAndPoint checks additivity and that the driving signals
// come first.
func TestContributionsSumAndPoint(t *testing.T) {
	t.Parallel()
	rows, modes := mill(2000, 3)
	c := config()
	c.Modes = []string{"heat", "strain", "strain again"}
	for i := range modes {
		modes[i][2] = modes[i][1]
	}
	m := fit(t, rows, modes, c)
	broken := []float64{300, 310, 1500, 60, 240, 0.5}
	p := m.Predict(broken)
	alive := 1.0
	for _, mode := range p.Modes {
		alive *= 1 - mode.Probability
	}
	require.InDelta(t, 1-alive, p.Probability, 1e-12)
	top := p.Modes[0]
	require.Contains(t, top.Name, "strain")
	require.Greater(t, top.Probability, 0.8)
	require.ElementsMatch(t, []string{"torque", "wear"}, []string{top.Contributions[0].Signal, top.Contributions[1].Signal})

	// Base and contributions are the raw log-odds that the calibration maps to
	// the probability.
	raw, err := m.MarshalBinary()
	require.NoError(t, err)
	var kept struct {
		Modes []struct {
			Scale struct{ Slope, Offset float64 }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &kept))
	for _, row := range append(rows[:50:50], broken) {
		for _, mode := range m.Predict(row).Modes {
			sum := mode.Base
			for _, c := range mode.Contributions {
				sum += c.Value
			}
			scale := kept.Modes[slices.Index(c.Modes, mode.Name)].Scale
			odds := math.Log(mode.Probability / (1 - mode.Probability))
			require.InDelta(t, scale.Slope*sum+scale.Offset, odds, 1e-9*math.Exp(math.Abs(odds)))
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	rows, modes := mill(600, 4)
	a, err := fit(t, rows, modes, config()).MarshalBinary()
	require.NoError(t, err)
	b, err := fit(t, rows, modes, config()).MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, a, b)
	var restored classify.Model
	require.NoError(t, restored.UnmarshalBinary(a))
	m := fit(t, rows, modes, config())
	require.Equal(t, m.Predict(rows[0]), restored.Predict(rows[0]))
	require.Equal(t, config().Signals, restored.Signals())
}

func TestHostileRows(t *testing.T) {
	t.Parallel()
	rows, modes := mill(600, 5)
	nan, inf := math.NaN(), math.Inf(1)
	for i := range rows {
		switch i % 7 {
		case 0:
			rows[i][i%6] = nan
		case 1:
			rows[i][i%6] = inf
		case 2:
			rows[i][2] = 0 // a ratio by zero
		case 3:
			rows[i][i%6] = 1e308
		}
	}
	m := fit(t, rows, modes, config())
	for _, row := range [][]float64{nil, {nan}, {inf, -inf, 0, 1e308, 1e308, nan}, make([]float64, 40)} {
		p := m.Predict(row)
		require.True(t, p.Probability >= 0 && p.Probability <= 1, "%v", p.Probability)
		require.Equal(t, p.Probability, m.Probability(row))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	rows, modes := mill(50, 6)
	none := make([][]bool, len(rows))
	for i := range none {
		none[i] = make([]bool, 3)
	}
	wrong := config()
	wrong.Derived = []classify.Derived{{Name: "x", Of: classify.Product, A: 0, B: 9}}
	odd := config()
	odd.Derived = []classify.Derived{{Name: "x", Of: "root", A: 0, B: 1}}
	negative := config()
	negative.Bags = -1
	tests := map[string]struct {
		rows   [][]float64
		modes  [][]bool
		groups []int
		c      classify.Config
		says   string
	}{
		"nothing":        {nil, nil, nil, config(), "no rows"},
		"labels missing": {rows, modes[1:], nil, config(), "50 rows but 49 labels"},
		"ragged":         {append([][]float64{{1}}, rows[1:]...), modes, nil, config(), "row 1 has 1 columns"},
		"no failure":     {rows, none, nil, config(), "no failure to learn from"},
		"groups missing": {rows, modes, []int{1}, config(), "50 rows but 1 groups"},
		"column":         {rows, modes, nil, wrong, "there are 6"},
		"operation":      {rows, modes, nil, odd, `is a "root"`},
		"bags":           {rows, modes, nil, negative, "at least 1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := classify.Fit(context.Background(), tc.rows, tc.modes, tc.groups, tc.c)
			require.ErrorContains(t, err, tc.says)
		})
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	many, hits := mill(400, 6)
	_, err := classify.Fit(gone, many, hits, nil, config())
	require.ErrorIs(t, err, context.Canceled)
}

// TestCopiesInOneGroupDoNotFlatter repeats every row ten times with labels that
// are pure chance: only by holding the copies out together does the calibration
// see that nothing was learnt.
func TestCopiesInOneGroupDoNotFlatter(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	var rows [][]float64
	var modes [][]bool
	var groups []int
	for g := range 150 {
		row, hit := []float64{rng.Float64(), rng.Float64()}, []bool{rng.Float64() < 0.3}
		for range 10 {
			rows, modes, groups = append(rows, row), append(modes, hit), append(groups, g)
		}
	}
	c := classify.Config{Signals: []string{"a", "b"}, Modes: []string{"chance"}, Rounds: 60, Seed: 1}
	honest, err := classify.Fit(context.Background(), rows, modes, groups, c)
	require.NoError(t, err)
	flattered, err := classify.Fit(context.Background(), rows, modes, nil, c)
	require.NoError(t, err)
	brier := func(m *classify.Model) float64 {
		sum := 0.0
		for range 500 {
			p := m.Probability([]float64{rng.Float64(), rng.Float64()})
			sum += (p*p*0.7 + (1-p)*(1-p)*0.3) / 500
		}
		return sum
	}
	require.Less(t, brier(honest), 0.23, "the share alone scores 0.21")
	require.Greater(t, brier(flattered), 0.26)
}

// TestRareModeKeepsItsShare has a mode of one event: no booster can learn it.
func TestRareModeKeepsItsShare(t *testing.T) {
	t.Parallel()
	rows, modes := mill(400, 8)
	modes[17][2] = true
	m := fit(t, rows, modes, config())
	for _, mode := range m.Predict(rows[0]).Modes {
		if mode.Name == "never" {
			require.InDelta(t, 1.0/400, mode.Probability, 1e-12)
		}
	}
}

// FuzzUnmarshal looks for bytes that make a model which cannot predict.
func FuzzUnmarshal(f *testing.F) {
	rows, modes := mill(60, 9)
	c := config()
	c.Rounds = 2
	m, err := classify.Fit(context.Background(), rows, modes, nil, c)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := m.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"config":{"signals":["a"],"derived":[{"of":"ratio","a":7}],"modes":["x"]},"modes":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m classify.Model
		if m.UnmarshalBinary(raw) != nil {
			return
		}
		p := m.Predict([]float64{1, 2, 3}).Probability
		require.True(t, p >= 0 && p <= 1, "%v", p)
	})
}
