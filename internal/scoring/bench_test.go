package scoring_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// twenty are 20 signals over 90 days in steps of an hour, one of them degrading.
func twenty() []asset.Series {
	var signals []asset.Signal
	for i := range 20 {
		s := pumpSignals()[i%6]
		s.Metric, s.Period = fmt.Sprintf("%s_%d", s.Metric, i/6), time.Hour
		signals = append(signals, s)
	}
	series := newPlant(1).series(signals, ramp{"vib_0", 5.5, 20})
	for i := range series {
		var hourly []asset.Reading
		for k := 1; k < len(series[i].Readings); k += 2 {
			hourly = append(hourly, series[i].Readings[k])
		}
		series[i].Readings = hourly
	}
	return series
}

// BenchmarkScoreAsset scores one asset with its explanation from memory: with
// what the window teaches, with a stored baseline, and with a fleet model too.
// cpu-ms is what it costs whatever else the machine does.
func BenchmarkScoreAsset(b *testing.B) {
	window := pump(twenty())
	base, err := scoring.LearnBaseline(window)
	require.NoError(b, err)
	stored := window
	stored.Baseline = base
	fleet := stored
	fleet.Prognosis, err = fleetOfPumps()
	require.NoError(b, err)
	fleet.Series = slices.Clone(fleet.Series)
	for i, name := range []string{"vib", "brg_temp", "", "flow"} {
		if name != "" {
			fleet.Series[i].Signal.Metric = name
		}
	}
	fleet.Baseline, err = scoring.LearnBaseline(fleet)
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(1, 1))
	for left := 140; left >= 20; left-- {
		fleet.LifeRows = append(fleet.LifeRows, wear(rng, float64(left)))
	}
	for _, c := range []struct {
		name string
		in   scoring.AssetInput
	}{{"window", window}, {"stored", stored}, {"fleet", fleet}} {
		b.Run(c.name, func(b *testing.B) { timeScore(b, c.in) })
	}
}

func timeScore(b *testing.B, in scoring.AssetInput) {
	b.ReportAllocs()
	require.Equal(b, in.Prognosis != nil, scoring.Score(in).RUL.ModelID == scoring.ModelFleetRUL)
	var took []float64
	from := processorTime()
	for b.Loop() {
		start := time.Now()
		require.True(b, scoring.Score(in).Anomaly.Flag)
		took = append(took, float64(time.Since(start).Microseconds())/1000)
	}
	used := processorTime() - from
	slices.Sort(took)
	b.ReportMetric(used.Seconds()*1000/float64(len(took)), "cpu-ms")
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[len(took)*99/100], "p99-ms")
}

// processorTime is what this process has used of the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
