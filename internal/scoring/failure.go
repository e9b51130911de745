package scoring

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/survival"
)

// evidence maps severity to a hazard multiplier: m = EvidenceMax^severity, so
// 1 while normal, √10 ≈ 3.2 at the warning limit and 10 at the alarm limit by
// default. It is monotone in the reading and bounded. Severity counts from the
// expected value once a residual is anomalous, else from the normal band.
// Untrusted data is no evidence.
func (a *Assessment) evidence(st []standing) Evidence {
	ev := Evidence{Multiplier: Estimate{Value: 1, Lo: 1, Hi: 1}}
	if !a.Trust.Trusted {
		return ev
	}
	multiplier := func(severity float64) float64 { return math.Pow(a.set.EvidenceMax, clip01(severity)) }
	for _, s := range st {
		if s.severity <= ev.Severity {
			continue
		}
		lo, hi := s.severityBand()
		ev = Evidence{
			Multiplier: Estimate{Value: multiplier(s.severity), Lo: multiplier(lo), Hi: multiplier(hi)},
			Severity:   s.severity,
			Signal:     s.channel.signal.Metric,
		}
	}
	return ev
}

// severityBand is the severity of the reading moved by its noise both ways.
func (s standing) severityBand() (lo, hi float64) {
	lo, hi = s.severity, s.severity
	for _, d := range s.channel.sides {
		for _, x := range []float64{s.actual - s.noise, s.actual + s.noise} {
			v := d.severity(x)
			if s.index > anomalyEdge {
				v = max(v, d.severityFrom(x, s.expected))
			}
			if d.dir*(x-s.actual) < 0 && severityOf([]side{d}, s.actual) > 0 {
				lo = min(lo, v)
			}
			hi = max(hi, v)
		}
	}
	return lo, hi
}

// ComputeFailureProbability returns P(fail ≤ h | alive at the present age),
// with the Weibull hazard scaled by the evidence of condition and split over
// the failure modes: P = 1 − Π(1 − P_m).
func ComputeFailureProbability(a *Assessment) FailureProbability {
	st := a.now
	out := FailureProbability{HorizonDays: a.in.horizon(), Evidence: a.evidence(st)}
	out.Provenance = a.provenance(ModelFailure)
	if a.life.observed > 0 {
		out.CalibrationSize = a.life.observed
	}
	out.Contributors = contributors(st)
	out.Life = asset.Weibull{Beta: a.life.Beta, Eta: a.life.Eta}
	out.Estimate = a.probability(out.HorizonDays, out.Evidence)
	out.P7 = a.probability(7, out.Evidence)
	out.P30 = a.probability(30, out.Evidence)
	out.P90 = a.probability(90, out.Evidence)
	out.AgeOnly = a.life.Conditional(a.life.age, out.HorizonDays, 1)
	out.Modes = a.modeRisks(out.HorizonDays, out.Evidence)
	return out
}

// probability is P over h days. Its 90 % interval joins the uncertainty of the
// hazard scale (Gamma) and of the evidence as independent log errors.
func (a *Assessment) probability(h float64, ev Evidence) Estimate {
	hazard := a.life.HazardBetween(a.life.age, h) * ev.Multiplier.Value
	spread := func(q, m float64) float64 {
		return math.Hypot(math.Log(a.life.posterior.ScaleFactor(q)), math.Log(m/ev.Multiplier.Value))
	}
	p := func(hazard float64) float64 { return clip01(-math.Expm1(-hazard)) }
	return Estimate{
		Value: p(hazard),
		Lo:    p(hazard * math.Exp(-spread(0.05, ev.Multiplier.Lo))),
		Hi:    p(hazard * math.Exp(spread(0.95, ev.Multiplier.Hi))),
	}
}

// modeRisks splits the hazard over the modes. Age spreads it by occurrence
// rating; the excess that evidence adds, (m − 1) times the base, goes to the
// modes that the driving signal shows, or to all when it shows none. The
// shares of the cumulative hazard therefore add up to one, and the mode
// probabilities combine to the asset's.
func (a *Assessment) modeRisks(h float64, ev Evidence) []ModeRisk {
	modes := a.in.Modes
	if len(modes) == 0 {
		return []ModeRisk{}
	}
	base := modeShares(modes, func(asset.FailureMode) bool { return true })
	excess := modeShares(modes, func(m asset.FailureMode) bool { return ev.Signal != "" && m.Metric == ev.Signal })
	if excess == nil {
		excess = base
	}
	m := ev.Multiplier.Value
	total := a.life.HazardBetween(a.life.age, h) * m
	costs := a.modeCosts(base)
	out := make([]ModeRisk, len(modes))
	for i, mode := range modes {
		share := (base[i] + (m-1)*excess[i]) / m
		p := clip01(-math.Expm1(-total * share))
		out[i] = ModeRisk{ModeID: mode.ID, Code: mode.Code, Signal: mode.Metric,
			Probability: p, Share: share, ExpectedCost: p * costs[i]}
	}
	slices.SortStableFunc(out, func(x, y ModeRisk) int {
		return cmp.Or(cmp.Compare(y.ExpectedCost, x.ExpectedCost), cmp.Compare(y.Probability, x.Probability),
			cmp.Compare(x.ModeID, y.ModeID))
	})
	return out
}

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
