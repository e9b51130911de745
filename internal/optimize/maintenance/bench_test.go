package maintenance

import (
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// BenchmarkFleet plans the whole fleet, 38 assets over 90 days, within ten
// seconds on two cores, and reports the seconds used and the gap in percent
// for every preset. Iterations differ by their seed.
func BenchmarkFleet(b *testing.B) {
	for _, preset := range []string{optimize.PresetCheapest, optimize.PresetBalanced, optimize.PresetLowestRisk} {
		b.Run(preset, func(b *testing.B) {
			var seconds, worst float64
			seed := int64(0)
			for b.Loop() {
				seed++
				in := fleetInput(b, 90)
				in.Weights = optimize.Weights{Preset: preset}
				out, err := Solve(b.Context(), in, optimize.Options{TimeLimit: 10 * time.Second, RelGap: 1e-6, Seed: seed, Threads: 2}, nil)
				if err != nil {
					b.Fatal(err)
				}
				seconds += out.Certificate.Seconds
				worst = max(worst, 100*out.Certificate.Gap)
			}
			b.ReportMetric(seconds/float64(b.N), "s/plan")
			b.ReportMetric(worst, "%worst-gap")
		})
	}
}
