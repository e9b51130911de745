package monitor_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/monitor"
)

// raised returns rows of a plant at an operating point of its own.
func raised(n int, rng *rand.Rand) [][]float64 {
	rows := plant(n, 5, rng)
	for _, r := range rows {
		for j := range r {
			r[j] += 12 * unit(j) * float64(1-2*(j%2))
		}
	}
	return rows
}

// TestLearnedOperationRaisesNoAlarm teaches a new operating point; the old one
// is still known and the first detector unchanged.
func TestLearnedOperationRaisesNoAlarm(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 9))
	d := fit(t, plant(600, 5, rng), monitor.Config{})
	test := raised(200, rng)
	require.Greater(t, alarmRate(score(t, d, test)), 0.9)

	lesson := raised(200, rng)
	lesson[3][1] = math.NaN()
	taught, fresh, err := d.Learn(lesson)
	require.NoError(t, err)
	require.Positive(t, fresh)
	require.Less(t, alarmRate(score(t, taught, test)), 0.15)
	require.Less(t, alarmRate(score(t, taught, plant(400, 5, rng))), 0.15)
	require.Greater(t, alarmRate(score(t, d, test)), 0.9)

	raw, err := taught.MarshalBinary()
	require.NoError(t, err)
	var restored monitor.Detector
	require.NoError(t, restored.UnmarshalBinary(raw))
	sameResults(t, score(t, taught, test), score(t, &restored, test))
}

func TestLearnRefuses(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 9))
	d := fit(t, plant(300, 5, rng), monitor.Config{})
	_, _, err := d.Learn([][]float64{{1, 2}})
	require.ErrorContains(t, err, "row 1 has 2 values, want 5")
	wide := fit(t, plant(300, 32, rng), monitor.Config{})
	_, _, err = wide.Learn(plant(10, 32, rng))
	require.ErrorContains(t, err, "fit it again")
}

// TestDamagedArtefactsDoNotPanic turns single bytes of stored detectors: they
// are refused or still judge rows.
func TestDamagedArtefactsDoNotPanic(t *testing.T) {
	t.Parallel()
	for _, p := range []int{3, 30} {
		rng := rand.New(rand.NewPCG(3, uint64(p)))
		raw, err := fit(t, plant(100, p, rng), monitor.Config{Lags: -1}).MarshalBinary()
		require.NoError(t, err)
		rows := plant(5, p, rng)
		refused := 0
		for range 400 {
			damaged := slices.Clone(raw)
			damaged[rng.IntN(len(raw))] ^= byte(1 + rng.IntN(255))
			var d monitor.Detector
			if d.UnmarshalBinary(damaged) != nil {
				refused++
				continue
			}
			require.NotPanics(t, func() { _, err = d.Score(rows) })
		}
		require.Positive(t, refused)
	}
}
