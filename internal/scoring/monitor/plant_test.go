package monitor_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/monitor"
)

// plant draws rows of p signals of a machine under a load that goes up and
// down, with noise of their own.
func plant(n, p int, rng *rand.Rand) [][]float64 {
	rows := make([][]float64, n)
	load, phase := 0.0, 20*rng.Float64()
	for i := range rows {
		load = 0.9*load + 0.2*rng.NormFloat64()
		cycle := math.Sin(float64(i)/9+phase) + load
		rows[i] = make([]float64, p)
		for j := range p {
			unit := math.Pow(10, float64(j%4)-1)
			slope := 1 - 0.3*float64(j%5)
			rows[i][j] = unit * (10 + slope*cycle + 0.3*rng.NormFloat64())
		}
	}
	return rows
}

// unit is the standard deviation of the noise of signal j of a plant.
func unit(j int) float64 { return 0.3 * math.Pow(10, float64(j%4)-1) }

func fit(t *testing.T, rows [][]float64, c monitor.Config) *monitor.Detector {
	t.Helper()
	d, err := monitor.Fit(rows, c)
	require.NoError(t, err)
	return d
}

func score(t *testing.T, d *monitor.Detector, rows [][]float64) []monitor.Result {
	t.Helper()
	r, err := d.Score(rows)
	require.NoError(t, err)
	require.Len(t, r, len(rows))
	return r
}

func alarmRate(results []monitor.Result) float64 {
	n := 0
	for _, r := range results {
		if r.Alarm {
			n++
		}
	}
	return float64(n) / float64(len(results))
}

// TestFalseAlarmsStayNominal sets limits without the factor, so that they are
// the plain quantile, and counts on fresh normal rows of many plants.
func TestFalseAlarmsStayNominal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		p          int
		statistics float64 // each has the rate; they alarm together only in part
	}{{"few signals", 6, 2}, {"many signals", 32, 5}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			const plants, alpha = 8, 0.02
			plain, usual := 0.0, 0.0
			for seed := range uint64(plants) {
				rng := rand.New(rand.NewPCG(seed, 1))
				normal, fresh := plant(1500, tc.p, rng), plant(1500, tc.p, rng)
				plain += alarmRate(score(t, fit(t, normal, monitor.Config{Alpha: alpha, Factor: 1}), fresh)) / plants
				usual += alarmRate(score(t, fit(t, normal, monitor.Config{Alpha: alpha}), fresh)) / plants
			}
			require.Greater(t, plain, alpha/2)
			require.Less(t, plain, tc.statistics*alpha)
			require.Less(t, usual, 0.004)
		})
	}
}

// fault changes signal j of row i after its onset, at age rows of it.
var faults = map[string]func(r []float64, j, age int, rng *rand.Rand){
	"step":  func(r []float64, j, _ int, _ *rand.Rand) { r[j] += 7 * unit(j) },
	"drift": func(r []float64, j, age int, _ *rand.Rand) { r[j] += 0.05 * float64(age) * unit(j) },
	"noise": func(r []float64, j, _ int, rng *rand.Rand) { r[j] += 8 * unit(j) * rng.NormFloat64() },
	"stuck": func(r []float64, j, _ int, _ *rand.Rand) {
		r[j] = math.Pow(10, float64(j%4)-1) * (10 + 1.5*(1-0.3*float64(j%5)))
	},
}

// TestPlantedFaultsAreFoundAndNamed plants each kind of fault on single
// signals: the alarm comes and the signal has the largest share.
func TestPlantedFaultsAreFoundAndNamed(t *testing.T) {
	t.Parallel()
	const onset, rows = 100, 300
	for name, plantFault := range faults {
		for _, p := range []int{6, 32} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				named, tried := 0, 0
				for seed := range uint64(12) {
					rng := rand.New(rand.NewPCG(seed, 2))
					d := fit(t, plant(700, p, rng), monitor.Config{})
					j := int(seed) % p
					if j%5 == 3 || j%5 == 4 {
						j-- // a signal that hardly follows the load is not told stuck
					}
					if name == "stuck" && j%5 > 1 {
						j = p / 6 * 5 // slope 1
					}
					test := plant(rows, p, rng)
					for i := onset; i < rows; i++ {
						plantFault(test[i], j, i-onset, rng)
					}
					results := score(t, d, test)
					require.Zero(t, alarmRate(results[:onset]), "%d signals, seed %d", p, seed)
					tail := results[rows-60:]
					require.Greater(t, alarmRate(tail), 0.25, "%d signals, seed %d", p, seed)
					for _, r := range tail {
						if !r.Alarm {
							continue
						}
						tried++
						if r.Share[j] == slices.Max(r.Share) {
							named++
						}
					}
				}
				require.Greater(t, float64(named)/float64(tried), 0.9, "%d signals", p)
			})
		}
	}
}

// TestWanderingSignalGetsRoom has one signal do a slow random walk when
// healthy. Its walking on raises no alarm for as long again, and the steady
// signals keep their tight limits.
func TestWanderingSignalGetsRoom(t *testing.T) {
	t.Parallel()
	early, late := 0.0, 0.0
	const walks = 10
	for seed := range uint64(walks) {
		rng := rand.New(rand.NewPCG(seed, 3))
		rows := make([][]float64, 800)
		level := 0.0
		for i := range rows {
			level += 0.3 * rng.NormFloat64()
			rows[i] = []float64{level, rng.NormFloat64(), rng.NormFloat64()}
		}
		d := fit(t, rows[:400], monitor.Config{})
		early += alarmRate(score(t, d, rows)[400:]) / walks
		narrow := fit(t, rows[:400], monitor.Config{Horizon: 1})
		late += alarmRate(score(t, narrow, rows)[400:]) / walks

		for _, r := range rows[600:] {
			r[1] += 2
		}
		require.Greater(t, alarmRate(score(t, d, rows)[620:]), 0.8, "seed %d", seed)
	}
	require.Less(t, early, 0.25)
	require.Greater(t, late, early+0.1, "without room for wandering")
}

// TestHysteresisHoldsAnAlarm lets the score hover about its limit.
func TestHysteresisHoldsAnAlarm(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	d := fit(t, plant(700, 6, rng), monitor.Config{})
	rows := plant(600, 6, rng)
	for _, r := range rows[100:] {
		r[0] += 3 * unit(0)
	}
	changes, crossings := 0, 0
	results := score(t, d, rows)
	for i, r := range results[1:] {
		before := results[i]
		if r.Alarm != before.Alarm {
			changes++
			if r.Alarm {
				require.Greater(t, r.Score, 1.0)
			} else {
				require.Less(t, r.Score, 0.8)
			}
		}
		if r.Score > 1 != (before.Score > 1) {
			crossings++
		}
	}
	require.Greater(t, crossings, 4)
	require.Less(t, changes, crossings)
}
