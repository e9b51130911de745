package scoring

import (
	"cmp"
	"slices"
)

// maxMembers bounds a redundancy group; larger ones are treated as series.
const maxMembers = 1000

// Member is one asset of a unit, as its score describes it. PFail is the
// probability of failure over the horizon; Repair is what a failure costs
// without lost production and NetRisk the asset's own expected loss, both SAR.
type Member struct {
	AssetID string  `json:"asset_id"`
	PFail   float64 `json:"p_fail"`
	Health  float64 `json:"health"`
	Repair  float64 `json:"repair"`
	NetRisk float64 `json:"net_risk"`
}

// Unit is a group of assets of which Required must run. Required zero or
// above the number of members means all of them. LossPerOutage is the
// production lost in SAR when the unit falls short. NetLoss says that the
// members' own costs already carry the unit's loss, net of redundancy: then
// the unit's risk is the sum of NetRisk and LossPerOutage is not added.
type Unit struct {
	ID            string
	Required      int
	Members       []Member
	LossPerOutage float64
	NetLoss       bool
}

// GroupScore is a unit's or a site's result. POutage is the probability that
// production is lost within the horizon, ExpectedLoss is in SAR.
type GroupScore struct {
	ID           string       `json:"id"`
	POutage      float64      `json:"p_outage"`
	ExpectedLoss float64      `json:"expected_loss"`
	Index        float64      `json:"index"`
	Health       float64      `json:"health"`
	Parts        []GroupScore `json:"parts,omitempty"`
}

// MemberOf reduces an asset's score to what a unit needs; repair is the cost
// of a failure without lost production, SAR.
func MemberOf(s AssetScore, repair float64) Member {
	return Member{AssetID: s.AssetID, PFail: s.Failure.Value, Health: s.Health.Value,
		Repair: repair, NetRisk: s.Risk.Value}
}

// RollUpUnit combines assets with k-out-of-n logic: the distribution of the
// number of failures is enumerated exactly by convolution, and the unit is
// only out when fewer than Required are left. Its health is that of the
// Required-th best member: the worst one that has to run.
func RollUpUnit(u Unit, s Settings) GroupScore {
	n := len(u.Members)
	out := GroupScore{ID: u.ID}
	if n == 0 {
		return out
	}
	need := u.Required
	if need < 1 || need > n {
		need = n
	}
	p := make([]float64, n)
	health := make([]float64, n)
	for i, m := range u.Members {
		p[i] = clip01(m.PFail)
		health[i] = m.Health
		if u.NetLoss {
			out.ExpectedLoss += m.NetRisk
		} else {
			out.ExpectedLoss += p[i] * m.Repair
		}
	}
	out.POutage = atLeast(p, n-need+1)
	if !u.NetLoss {
		out.ExpectedLoss += out.POutage * u.LossPerOutage
	}
	slices.SortFunc(health, func(a, b float64) int { return cmp.Compare(b, a) })
	out.Health = health[need-1]
	out.Index = riskIndex(Estimate{Value: out.ExpectedLoss}, s.orDefault()).Value
	return out
}

// RollUpSite combines units in series: the site loses production when any unit
// does. Its health is the mean of the units weighted by expected loss, so that
// the units that matter count; with no expected loss it is the plain mean.
func RollUpSite(id string, units []GroupScore, s Settings) GroupScore {
	out := GroupScore{ID: id, Parts: units}
	running, weighted, plain := 1.0, 0.0, 0.0
	for _, u := range units {
		running *= 1 - clip01(u.POutage)
		out.ExpectedLoss += u.ExpectedLoss
		weighted += u.Health * u.ExpectedLoss
		plain += u.Health / float64(len(units))
	}
	out.POutage = 1 - running
	out.Health = plain
	if out.ExpectedLoss > 0 {
		out.Health = weighted / out.ExpectedLoss
	}
	out.Index = riskIndex(Estimate{Value: out.ExpectedLoss}, s.orDefault()).Value
	return out
}

// atLeast returns the probability that k or more of independent events with
// probabilities p happen.
func atLeast(p []float64, k int) float64 {
	count := make([]float64, len(p)+1)
	count[0] = 1
	for i, q := range p {
		for j := i + 1; j > 0; j-- {
			count[j] = count[j]*(1-q) + count[j-1]*q
		}
		count[0] *= 1 - q
	}
	total := 0.0
	for j := max(k, 0); j <= len(p); j++ {
		total += count[j]
	}
	return clip01(total)
}
