package scoring_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

var asOf = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// signal is short for an asset.Signal sampled every half hour.
func signal(metric, unit string, low, high, warn, alarm float64, sense asset.Sense) asset.Signal {
	return asset.Signal{Metric: metric, Unit: unit, NormalLow: low, NormalHigh: high,
		Warn: warn, Alarm: alarm, Sense: sense, Period: 30 * time.Minute}
}

// plant generates histories that behave like plant data: a load with a daily
// and weekly cycle that all signals follow to some degree, ambient temperature,
// autocorrelated noise and a slow seasonal drift.
type plant struct {
	rng  *rand.Rand
	days int
}

func newPlant(seed uint64) *plant {
	return &plant{rng: rand.New(rand.NewPCG(seed, 7)), days: 90}
}

// ramp is a degradation of one signal to a level over the last days.
type ramp struct {
	metric string
	to     float64
	days   float64
}

func (p *plant) series(signals []asset.Signal, ramps ...ramp) []asset.Series {
	const step = 30 * time.Minute
	n := p.days * 48
	start := asOf.Add(-time.Duration(n-1) * step)
	load := make([]float64, n)
	phase, wander := p.rng.Float64()*2*math.Pi, 0.0
	for i := range load {
		d := float64(i) / 48
		wander = 0.98*wander + 0.2*0.15*p.rng.NormFloat64()
		load[i] = 0.5*math.Sin(2*math.Pi*d+phase) + 0.3*math.Sin(2*math.Pi*d/7) + wander
	}
	out := make([]asset.Series, 0, len(signals))
	for _, s := range signals {
		mid, width := (s.NormalLow+s.NormalHigh)/2, s.NormalHigh-s.NormalLow
		gain := (p.rng.Float64() - 0.3) * 0.15
		drift := (p.rng.Float64() - 0.5) * 0.12
		readings := make([]asset.Reading, n)
		ar := 0.0
		for i := range readings {
			ar = 0.9*ar + 0.4359*p.rng.NormFloat64()
			v := mid + width*(gain*load[i]+0.06*ar+drift*float64(i)/float64(n))
			for _, r := range ramps {
				if r.metric == s.Metric {
					left := float64(n-1-i) / 48
					v += (r.to - mid) * max(0, 1-left/r.days)
				}
			}
			readings[i] = asset.Reading{Time: start.Add(time.Duration(i) * step), Value: v}
		}
		out = append(out, asset.Series{Signal: s, Readings: readings})
	}
	return out
}

// pump is a process pump with six signals, two modes tied to them.
func pump(series []asset.Series) scoring.AssetInput {
	return scoring.AssetInput{
		AssetID: "P-1", AsOf: asOf, Series: series,
		Modes: []asset.FailureMode{
			{ID: "m1", Code: "ELP", Metric: "seal_p", Severity: 7, Occurrence: 5, Detectability: 3},
			{ID: "m2", Code: "VIB", Metric: "vib", Severity: 6, Occurrence: 5, Detectability: 2},
			{ID: "m3", Code: "BRD", Severity: 8, Occurrence: 2, Detectability: 4},
		},
		Life: asset.Weibull{Beta: 2, Eta: 900}, AgeDays: 420,
		Cost: asset.CostModel{PlannedCost: 40_000, PlannedHours: 12, FailureCost: 180_000, FailureHours: 40,
			LossPerHour: 15_000, PlannedFactor: 0.35, SafetyEnvCost: 20_000},
	}
}

func pumpSignals() []asset.Signal {
	return []asset.Signal{
		signal("vib", "mm/s", 1, 2.8, 4.5, 7.1, asset.SenseHigh),
		signal("brg_temp", "degC", 50, 75, 85, 95, asset.SenseHigh),
		signal("disch_p", "barg", 38, 44, 36, 34, asset.SenseLow),
		signal("flow", "m3/h", 520, 680, 480, 430, asset.SenseLow),
		signal("seal_p", "barg", 12, 15, 11, 10, asset.SenseLow),
		signal("motor_a", "A", 180, 235, 250, 265, asset.SenseHigh),
	}
}
