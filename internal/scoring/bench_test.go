package scoring_test

import (
	"fmt"
	"slices"
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

// BenchmarkScoreAsset scores one asset with its explanation from memory.
func BenchmarkScoreAsset(b *testing.B) {
	series := twenty()
	in := pump(series)
	base, err := scoring.LearnBaseline(in)
	require.NoError(b, err)
	for name, baseline := range map[string]*scoring.Baseline{"window": nil, "stored": base} {
		b.Run(name, func(b *testing.B) {
			in := in
			in.Baseline = baseline
			b.ReportAllocs()
			var took []float64
			for b.Loop() {
				start := time.Now()
				require.True(b, scoring.Score(in).Anomaly.Flag)
				took = append(took, float64(time.Since(start).Microseconds())/1000)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "p50-ms")
			b.ReportMetric(took[len(took)*99/100], "p99-ms")
		})
	}
}
