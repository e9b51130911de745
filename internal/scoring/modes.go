package scoring

import (
	"cmp"
	"slices"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// modeRisks splits the hazard within h days over the modes, such that their
// probabilities combine to the asset's, P = 1 − Π(1 − P_m). Age spreads it by
// occurrence rating; the excess that evidence adds, (m − 1) times the base,
// goes to the modes that the driving signal shows, or to all when it shows
// none. The hazard of a fleet model goes to the modes that its signals show:
// what exceeds their usual hazard in proportion to the days that each signal
// takes off the remaining life.
func (a *Assessment) modeRisks(h float64, o outlook) []ModeRisk {
	modes := a.in.Modes
	if len(modes) == 0 {
		return []ModeRisk{}
	}
	base := modeShares(modes, anyMode)
	hazards := o.byMode(h, modes, base)
	total := 0.0
	for _, v := range hazards {
		total += v
	}
	costs := a.modeCosts(base)
	out := make([]ModeRisk, len(modes))
	for i, mode := range modes {
		p := chance(hazards[i])
		out[i] = ModeRisk{ModeID: mode.ID, Code: mode.Code, Signal: mode.Metric, Probability: p, ExpectedCost: p * costs[i]}
		if out[i].Share = base[i]; total > 0 {
			out[i].Share = hazards[i] / total
		}
	}
	slices.SortStableFunc(out, func(x, y ModeRisk) int {
		return cmp.Or(cmp.Compare(y.ExpectedCost, x.ExpectedCost), cmp.Compare(y.Probability, x.Probability),
			cmp.Compare(x.ModeID, y.ModeID))
	})
	return out
}

// byMode is the cumulative hazard within h days of every mode.
func (o outlook) byMode(h float64, modes []asset.FailureMode, base []float64) []float64 {
	s, m := o.at(h), o.ev.Multiplier.Value
	own, seen := anyMode, make([]float64, len(modes))
	if o.fleet != nil {
		seen = o.fleet.split(s.fleet, o.life.hazard(min(h, o.fleet.model.Cap())), modes, base)
		if o.fleet.others > 0 {
			own = func(m asset.FailureMode) bool { return !o.fleet.sees(m) }
		}
	}
	shares := modeShares(modes, own)
	excess := modeShares(modes, func(m asset.FailureMode) bool { return own(m) && o.ev.Signal != "" && m.Metric == o.ev.Signal })
	if excess == nil {
		excess = shares
	}
	out := make([]float64, len(modes))
	for i := range out {
		out[i] = seen[i] + s.life*(shares[i]+(m-1)*excess[i]) + s.later*base[i]
	}
	return out
}

// sees reports whether a mode shows in a signal of the model.
func (f *fleet) sees(m asset.FailureMode) bool { return m.Metric != "" && f.reads[m.Metric] }

// split spreads the hazard of the fleet model over the modes that it sees, all
// when it sees none. usual is the hazard of all modes by age.
func (f *fleet) split(hazard, usual float64, modes []asset.FailureMode, base []float64) []float64 {
	seen := modeShares(modes, f.sees)
	if seen == nil {
		seen = base
	}
	excess := 0.0
	if usual *= 1 - f.others; hazard > usual {
		excess = 1 - usual/hazard
	}
	pull, total := f.pull(), 0.0
	for _, m := range modes {
		total += pull[m.Metric]
	}
	out := make([]float64, len(modes))
	for i, m := range modes {
		out[i] = seen[i]
		if total > 0 {
			out[i] = (1-excess)*seen[i] + excess*pull[m.Metric]/total
		}
		out[i] *= hazard
	}
	return out
}

func anyMode(asset.FailureMode) bool { return true }

// modeShares spreads 1 over the modes that qualify, by occurrence rate; nil
// when none does.
func modeShares(modes []asset.FailureMode, qualifies func(asset.FailureMode) bool) []float64 {
	shares := make([]float64, len(modes))
	total := 0.0
	for i, m := range modes {
		if qualifies(m) {
			shares[i] = survival.OccurrenceRate(m.Occurrence)
			total += shares[i]
		}
	}
	if total == 0 {
		return nil
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}

// modeCosts gives every mode a cost in SAR in proportion to its severity
// rating, such that the cost of an average failure stays that of the asset.
func (a *Assessment) modeCosts(shares []float64) []float64 {
	rating := func(i int) float64 { return float64(min(max(a.in.Modes[i].Severity, 1), 10)) }
	mean := 0.0
	for i, s := range shares {
		mean += s * rating(i)
	}
	out := make([]float64, len(shares))
	cost := a.failureCost()
	for i := range out {
		out[i] = cost * rating(i) / mean
	}
	return out
}
