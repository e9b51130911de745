package scoring

import (
	"math"

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
// split over the failure modes: P = 1 − Π(1 − P_m). With a fleet model of
// run-to-failure lives, trusted data and its signals at hand, it is that
// model's up to its cap, joined by the life model for modes that the fleet
// model does not see and for what lies beyond. Otherwise it is the life model
// with its hazard scaled by the evidence of condition.
func ComputeFailureProbability(a *Assessment) FailureProbability {
	o := a.outlook()
	out := FailureProbability{HorizonDays: a.in.horizon(), Evidence: a.evidence(a.now)}
	out.Provenance = a.provenance(ModelFailure)
	a.attribute(&out.Provenance, ModelFleetFailure, ModelElectrical)
	if e := a.life.electrical; e != nil {
		out.Modifiers = e.Modifiers
	}
	out.Contributors = contributors(a.now)
	out.Life = asset.Weibull{Beta: a.life.Beta, Eta: a.life.Eta}
	out.Estimate = o.within(out.HorizonDays)
	out.P7, out.P30, out.P90 = o.within(7), o.within(30), o.within(90)
	out.AgeOnly = chance(a.life.hazard(out.HorizonDays))
	out.HazardRatio = o.ratio(out.HorizonDays, survival.Weibull{Beta: a.in.Life.Beta, Eta: a.in.Life.Eta})
	out.Modes = a.modeRisks(out.HorizonDays, o)
	return out
}

// attribute names the model behind a probability or a remaining life and what
// it was calibrated on.
func (a *Assessment) attribute(p *Provenance, fleetModel, electricalModel string) {
	switch {
	case a.fleet != nil:
		p.ModelID, p.CalibrationSize = fleetModel, a.fleet.model.CalibrationSize()
		if a.in.PrognosisVersion != "" {
			p.ModelVersion = a.in.PrognosisVersion
		}
	case a.life.electrical != nil:
		p.ModelID = electricalModel
	case a.life.observed > 0:
		p.CalibrationSize = a.life.observed
	}
}
