package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/survival"
)

// outlook is the cumulative hazard of one asset over the days to come, by what
// it comes from.
type outlook struct {
	life  life
	ev    Evidence // what condition adds to the life model
	fleet *fleet   // nil without a usable fleet model
}

// sources are the parts of a cumulative hazard without evidence: the fleet
// model up to its cap; the life model for everything it stands for alone, which
// is all without a fleet model and else the failure modes that the fleet model
// does not see; and the life model for all modes beyond the cap.
type sources struct{ fleet, life, later float64 }

func (s sources) total(m float64) float64 { return s.fleet + m*s.life + s.later }

// outlook joins life model, evidence and fleet model. Evidence by a signal that
// the fleet model reads itself is not counted twice.
func (a *Assessment) outlook() outlook {
	o := outlook{life: a.life, ev: a.evidence(a.now), fleet: a.fleet}
	if o.fleet != nil && o.fleet.reads[o.ev.Signal] {
		o.ev = Evidence{Multiplier: Estimate{Value: 1, Lo: 1, Hi: 1}}
	}
	return o
}

// at returns the sources of the hazard met within h days.
func (o outlook) at(h float64) sources {
	if o.fleet == nil {
		return sources{life: o.life.hazard(h)}
	}
	near := min(h, o.fleet.model.Cap())
	known := o.life.hazard(near)
	return sources{fleet: o.fleet.hazard(near), life: o.fleet.others * known, later: o.life.hazard(h) - known}
}

// within is P(fail ≤ h). Its 90 % interval joins the uncertainty of the hazard
// scale (Gamma) and of the evidence as independent log errors; that of the
// fleet model is the binomial one of the past cases it rests on.
func (o outlook) within(h float64) Estimate {
	s, m := o.at(h), o.ev.Multiplier
	spread := func(q, by float64) float64 {
		return math.Hypot(math.Log(o.life.posterior.ScaleFactor(q)), math.Log(by/m.Value))
	}
	lo := sources{life: s.life * math.Exp(-spread(0.05, m.Lo)), later: s.later * math.Exp(-spread(0.05, m.Value))}
	hi := sources{life: s.life * math.Exp(spread(0.95, m.Hi)), later: s.later * math.Exp(spread(0.95, m.Value))}
	if o.fleet != nil {
		lo.fleet, hi.fleet = o.fleet.bounds(s.fleet)
	}
	return Estimate{Value: chance(s.total(m.Value)), Lo: chance(lo.total(m.Value)), Hi: chance(hi.total(m.Value))}
}

// chance is the probability of failure under a cumulative hazard.
func chance(hazard float64) float64 { return clip01(-math.Expm1(-hazard)) }

// ratio is the hazard over h days as a multiple of that of a plain Weibull
// life, of the present one when that is unusable, within what a planner can
// use; 1 when that life has none.
func (o outlook) ratio(h float64, plain survival.Weibull) float64 {
	const most = 1000
	if !believed(plain) {
		plain = o.life.Weibull
	}
	base := plain.HazardBetween(o.life.age, h)
	if !(base > 0) {
		return 1
	}
	return min(max(o.at(h).total(o.ev.Multiplier.Value)/base, 1.0/most), most)
}
