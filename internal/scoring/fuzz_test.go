package scoring_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// hostile draws numbers that a historian, a form or a broken driver may send.
func hostile(rng *rand.Rand) float64 {
	special := []float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e9, -1e9, math.MaxFloat64,
		math.SmallestNonzeroFloat64, 1e15, -1e15, 100, 0.5}
	if rng.IntN(3) == 0 {
		return special[rng.IntN(len(special))]
	}
	return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(7)-2))
}

func hostileSeries(rng *rand.Rand) asset.Series {
	units := []string{"bar", "degC", "mm/s", "%", "", "ppm"}
	senses := []asset.Sense{asset.SenseHigh, asset.SenseLow, asset.SenseBoth, "sideways"}
	s := asset.Series{Signal: asset.Signal{Metric: string(rune('a' + rng.IntN(6))), Unit: units[rng.IntN(len(units))],
		NormalLow: hostile(rng), NormalHigh: hostile(rng), Warn: hostile(rng), Alarm: hostile(rng),
		Sense: senses[rng.IntN(len(senses))], Period: time.Duration(rng.IntN(5)-1) * time.Hour}}
	wild, level := rng.Float64() < 0.3, hostile(rng)
	if rng.IntN(3) > 0 { // a sensible signal around 10, so that a baseline is learned
		wild, level = false, 10
		s.Signal.NormalLow, s.Signal.NormalHigh, s.Signal.Warn, s.Signal.Alarm = 8, 12, 14, 17
		s.Signal.Sense, s.Signal.Period = senses[rng.IntN(3)], 2*time.Hour
	}
	for i := 900 - rng.IntN(900); i <= 900; i++ {
		v := level * (1 + 0.05*rng.NormFloat64())
		if wild || rng.IntN(30) == 0 {
			v = hostile(rng)
		}
		at := asOf.Add(-time.Duration(900-i) * 2 * time.Hour)
		if rng.IntN(40) == 0 {
			at = at.Add(time.Duration(rng.NormFloat64() * float64(500*time.Hour)))
		}
		s.Readings = append(s.Readings, asset.Reading{Time: at, Value: v, Quality: asset.Quality(rng.IntN(40) / 38 * (1 + rng.IntN(3)))})
	}
	return s
}

// TestAnyInputGivesASoundScore is the promise of Score: finite numbers,
// ordered intervals and ranges that hold for whatever comes in.
func TestAnyInputGivesASoundScore(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(77, 1))
	m, err := fleetOfPumps()
	require.NoError(t, err)
	trusted, learned, kept, admitted, asked := 0, 0, 0, 0, 0
	for range 200 {
		in := scoring.AssetInput{AsOf: asOf, Life: asset.Weibull{Beta: hostile(rng), Eta: hostile(rng)},
			AgeDays: hostile(rng), HorizonDays: hostile(rng),
			Failures: []float64{hostile(rng)}, Censored: []float64{hostile(rng), hostile(rng)},
			Cost: asset.CostModel{FailureCost: hostile(rng), FailureHours: hostile(rng), LossPerHour: hostile(rng), SafetyEnvCost: hostile(rng)},
			Redundancy: scoring.Redundancy{Required: rng.IntN(5) - 1, Installed: rng.IntN(7) - 1,
				PeerUnavailability: hostile(rng)}}
		for range rng.IntN(5) {
			in.Series = append(in.Series, hostileSeries(rng))
		}
		for range rng.IntN(4) {
			in.Modes = append(in.Modes, asset.FailureMode{Metric: string(rune('a' + rng.IntN(6))),
				Severity: rng.IntN(20) - 5, Occurrence: rng.IntN(20) - 5})
		}
		if rng.IntN(2) == 0 {
			in.Operating = []string{"a", "b"}[:1+rng.IntN(2)]
		}
		if rng.IntN(4) == 0 {
			in.Electrical = &cnaim.Equipment{Type: "33kV Transformer (GM)", Age: hostile(rng)}
		}
		if rng.IntN(4) == 0 {
			in.Prognosis = m
			in.Series = append(in.Series, newPlant(1).series([]asset.Signal{pumpSignals()[0], pumpSignals()[1], pumpSignals()[3]})...)
			for range 30 {
				in.LifeRows = append(in.LifeRows, []float64{hostile(rng), hostile(rng), hostile(rng)})
			}
		}
		if b, err := scoring.LearnBaseline(in); err == nil {
			kept++
			in.Baseline = b
			if _, err := b.Admit(in, asOf.AddDate(0, 0, -rng.IntN(20)), asOf); err == nil {
				admitted++
			}
			in.Series = in.Series[rng.IntN(2)*rng.IntN(len(in.Series)):]
		}
		s := scoring.Score(in)
		requireSound(t, s)
		requireSum(t, s.RUL)
		if s.Trusted {
			trusted++
		}
		if s.RUL.ModelID == scoring.ModelFleetRUL {
			asked++
		}
		if !s.Anomaly.TrainFrom.IsZero() {
			learned++
		}
	}
	require.Greater(t, trusted, 40, "the draw must not be all rubbish")
	require.Greater(t, learned, 40)
	require.Greater(t, kept, 20)
	require.Greater(t, admitted, 5)
	require.Greater(t, asked, 10)
}
