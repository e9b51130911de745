package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// life is the life model used and what is known about its scale: a Weibull
// life, or for transformers and switchgear the network asset method.
type life struct {
	survival.Weibull
	posterior  survival.Posterior
	age        float64
	observed   int  // lives that updated it
	prior      bool // derived from occurrence ratings alone
	electrical *cnaim.Result
	caveats    []Reason
}

const (
	priorShape    = 2.0  // wear-out, when nothing is known about the shape
	priorStrength = 2.0  // an FMECA rating weighs as much as two failures
	planningCV    = 0.12 // η of a planning value is believed to about ±20 % (90 %)
)

// Bounds within which a life model and a life are believed, the latter in days.
const (
	leastShape, greatestShape = 0.1, 20.0
	leastLife, greatestLife   = 0.01, 1e6
)

// electricalStrength is how far the network asset method is believed for one
// asset: as much as four failures, so within a factor of two to three.
const electricalStrength = 4.0

// lifeOf picks the life model and updates it with the observed lives.
func lifeOf(in AssetInput) life {
	l := life{age: in.AgeDays}
	if !(l.age > 0) {
		l.age = 0
	}
	l.age = min(l.age, greatestLife)
	l.rate(in.Electrical)
	w := survival.Weibull{Beta: in.Life.Beta, Eta: in.Life.Eta}
	post := survival.PriorAround(w, planningCV)
	if !believed(w) {
		l.prior = l.electrical == nil
		post = survival.PriorFromRate(occurrenceRate(in.Modes), priorShape, priorStrength)
	}
	l.posterior, l.observed = post.Update(believable(in.Failures), believable(in.Censored))
	l.Weibull = l.posterior.Life()
	if l.prior {
		l.caveats = append(l.caveats, Reason{Code: CodePriorLife})
	}
	if l.electrical != nil {
		l.posterior, l.observed = survival.Posterior{Beta: 1, A: electricalStrength, B: electricalStrength}, 0
	}
	return l
}

// rate applies the network asset method to electrical equipment. What it
// refuses is named and left to the Weibull life.
func (l *life) rate(e *cnaim.Equipment) {
	if e == nil {
		return
	}
	result, err := cnaim.Score(*e)
	if err != nil {
		l.caveats = append(l.caveats, Reason{Code: CodeElectrical, Detail: err.Error()})
		return
	}
	l.electrical = &result
}

// greatestHazard bounds a cumulative hazard where survival is beyond float64.
const greatestHazard = 1e6

// hazard is the cumulative hazard of the next h days without evidence.
func (l life) hazard(h float64) float64 {
	if l.electrical != nil {
		return -math.Log1p(-min(l.electrical.FailureWithin(h), 1-1e-12))
	}
	return min(l.HazardBetween(l.age, h), greatestHazard)
}

// remaining is the life in days after which a hazard has been met, at most
// limit.
func (l life) remaining(hazard, limit float64) float64 {
	if l.electrical == nil {
		return l.RemainingAt(l.age, hazard)
	}
	return inverse(l.hazard, hazard, limit)
}

// inverse is where a function that rises from 0 reaches y, at most limit.
func inverse(f func(float64) float64, y, limit float64) float64 {
	if f(limit) <= y {
		return limit
	}
	lo, hi := 0.0, limit
	for range 60 {
		if mid := (lo + hi) / 2; f(mid) < y {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// Range of the health score of the network asset method, new to worst.
const electricalNew, electricalWorst = 0.5, 10.0

// aged is the sub-score of age: one minus ageDepth times the share of such
// assets that would have failed by now; for electrical equipment the place of
// its health score, which knows inspections and tests, between new and worst.
func (l life) aged() float64 {
	if l.electrical != nil {
		return clip01((electricalWorst - l.electrical.Health) / (electricalWorst - electricalNew))
	}
	return 1 - ageDepth*l.CDF(l.age)
}

// believed reports whether a life model has parameters that equipment has.
func believed(w survival.Weibull) bool {
	return between(w.Beta, leastShape, greatestShape) && between(w.Eta, leastLife, greatestLife)
}

func between(v, lo, hi float64) bool { return v >= lo && v <= hi }

// believable leaves out lives that no asset has.
func believable(lives []float64) []float64 {
	out := make([]float64, 0, len(lives))
	for _, t := range lives {
		if between(t, leastLife, greatestLife) {
			out = append(out, t)
		}
	}
	return out
}

// occurrenceRate is the failures per year of all modes together; without
// modes, that of a middling rating.
func occurrenceRate(modes []asset.FailureMode) float64 {
	if len(modes) == 0 {
		return survival.OccurrenceRate(5)
	}
	total := 0.0
	for _, m := range modes {
		total += survival.OccurrenceRate(m.Occurrence)
	}
	return total
}
