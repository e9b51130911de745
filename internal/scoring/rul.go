package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// EstimateRUL returns the remaining life in days. With a usable fleet model it
// is that model's, moved by as much as the failure modes that the model does
// not see, and the life model beyond its cap, move the quantiles. Otherwise it
// is quantiles of the life left to a survivor of the present age, with the
// hazard scaled by evidence and the uncertainty of the hazard scale averaged
// over (Weibull-Gamma predictive).
func EstimateRUL(a *Assessment) RUL {
	o := a.outlook()
	limit := a.set.RULCapDays
	out := RUL{CapDays: limit, Contributions: []Contribution{}, Reasons: a.unasked}
	out.Provenance = a.provenance(ModelRUL)
	a.attribute(&out.Provenance, ModelFleetRUL, ModelElectricalRUL)
	out.Contributors = contributors(a.now)
	lo, mid, hi := o.byLife(limit)
	if o.fleet != nil {
		lo, mid, hi = o.byFleet(limit)
	}
	out.Estimate = Estimate{Value: min(mid, limit), Lo: min(lo, limit), Hi: min(hi, limit)}
	out.BeyondCap, out.HiBeyondCap = mid >= limit, hi >= limit
	if o.fleet != nil {
		out.explainFleet(o.fleet)
	} else {
		out.explainLife(o, limit)
	}
	out.Trend = a.trend(a.now, a.evidence(a.now))
	return out
}

// byLife are the 5 %, 50 % and 95 % quantiles by the life model. The
// pessimistic end meets the strongest evidence, the optimistic the weakest.
func (o outlook) byLife(limit float64) (lo, mid, hi float64) {
	m := o.ev.Multiplier
	return o.quantile(0.05, m.Hi, limit), o.quantile(0.5, m.Value, limit), o.quantile(0.95, m.Lo, limit)
}

func (o outlook) quantile(q, m, limit float64) float64 {
	return o.life.remaining(o.life.posterior.HazardQuantile(q)/m, limit)
}

// byFleet are the prediction of the fleet model and its bounds, each moved by
// the difference that everything else makes to the quantile it stands for.
// Beyond the cap of the fleet model the life model goes on.
func (o outlook) byFleet(limit float64) (lo, mid, hi float64) {
	most := o.fleet.model.Cap()
	all := func(h float64) float64 { return o.at(h).total(o.ev.Multiplier.Value) }
	moved := func(q float64) float64 {
		y := -math.Log1p(-q)
		return inverse(all, y, limit) - inverse(o.fleet.hazard, y, min(most, limit))
	}
	mid = max(o.fleet.Remaining+moved(0.5), 0)
	if o.fleet.BeyondCap {
		mid = max(mid, inverse(all, math.Ln2, limit))
	}
	lo = max(o.fleet.Lo+moved(0.05), 0)
	hi = o.fleet.Hi + moved(0.95)
	return min(lo, mid), mid, max(hi, mid)
}

// explainFleet shares the value among the signals as the fleet model does;
// what the life model changed is a part of its own.
func (r *RUL) explainFleet(f *fleet) {
	r.Base = f.Base
	rest := r.Value - f.Base
	for _, c := range f.Contributions {
		part := Contribution{Part: PartSignal, Signal: c.Signal, Days: c.Value}
		if c.Signal == prognosis.AgeSignal {
			part = Contribution{Part: PartAge, Days: c.Value}
		}
		r.Contributions = append(r.Contributions, part)
		rest -= c.Value
	}
	r.Contributions = append(r.Contributions, Contribution{Part: PartLife, Days: rest})
	for _, s := range f.Similar {
		r.Similar = append(r.Similar, SimilarLife{LifeID: s.Unit, Remaining: s.Left, Distance: s.Distance})
	}
}

// explainLife says what evidence takes off the life left at this age.
func (r *RUL) explainLife(o outlook, limit float64) {
	r.Base = min(o.quantile(0.5, 1, limit), limit)
	if o.ev.Signal != "" {
		r.Contributions = append(r.Contributions, Contribution{Part: PartSignal, Signal: o.ev.Signal, Days: r.Value - r.Base})
	}
}
