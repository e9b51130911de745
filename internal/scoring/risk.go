package scoring

import (
	"math"

	"github.com/optria-iq/optria/internal/asset"
)

// ComputeProductionRisk returns the expected loss over the planning horizon,
// E = P(h) × (repair + outage × lost margin × (1 − redundancy) + safety and
// environment), in SAR; its place on the logarithmic index 0 to 100; and its
// cell of the 5×5 matrix (in the style of API 580/581).
func ComputeProductionRisk(a *Assessment, f FailureProbability) ProductionRisk {
	cost := a.failureCost()
	out := ProductionRisk{FailureCost: cost}
	out.Provenance = a.provenance(ModelRisk)
	out.Contributors = f.Contributors
	out.Estimate = Estimate{Value: f.Value * cost, Lo: f.Lo * cost, Hi: f.Hi * cost}
	out.Index = riskIndex(out.Estimate, a.set)
	out.Likelihood = category(f.Value, a.set.LikelihoodEdges)
	out.Consequence = category(cost, a.set.ConsequenceEdges)
	out.Level = a.set.RiskMatrix[out.Likelihood-1][out.Consequence-1]
	out.Level = min(max(out.Level, asset.RiskNegligible), asset.RiskCritical)
	return out
}

// riskIndex is 100·clip(log10(E/low)/log10(high/low), 0, 1) of each bound.
func riskIndex(e Estimate, s Settings) Estimate {
	at := func(v float64) float64 {
		if !(v > s.RiskLowSAR) {
			return 0
		}
		return 100 * clip01(math.Log10(v/s.RiskLowSAR)/math.Log10(s.RiskHighSAR/s.RiskLowSAR))
	}
	return Estimate{Value: at(e.Value), Lo: at(e.Lo), Hi: at(e.Hi)}
}

// category returns 1 to 5: one more than the number of edges reached.
func category(v float64, edges [4]float64) int {
	n := 1
	for _, e := range edges {
		if v >= e {
			n++
		}
	}
	return n
}

// failureCost is the cost of one failure in SAR with redundancy applied to the
// production loss. Negative and unusable amounts count as nothing.
func (a *Assessment) failureCost() float64 {
	c := a.in.Cost
	amount := func(v float64) float64 {
		if !(v > 0) || !usable(v) {
			return 0
		}
		return v
	}
	loss := amount(c.FailureHours) * amount(c.LossPerHour) * a.in.Redundancy.LossShare()
	return min(amount(c.FailureCost)+loss+amount(c.SafetyEnvCost), greatest)
}

// LossShare is the probability that a failure of one asset stops the unit: at
// least Installed − Required of its peers must be down as well. It is 1
// without redundancy.
func (r Redundancy) LossShare() float64 {
	spare := r.Installed - r.Required
	if r.Required < 1 || spare < 1 || r.Installed > maxMembers {
		return 1
	}
	peers := make([]float64, r.Installed-1)
	for i := range peers {
		peers[i] = clip01(r.PeerUnavailability)
	}
	return atLeast(peers, spare)
}
