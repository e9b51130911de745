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
// PLo, PHi, NetLo and NetHi are the 90 % bounds; bounds that do not hold their
// value, such as zeros, count as unknown and are the value itself.
type Member struct {
	AssetID string  `json:"asset_id"`
	PFail   float64 `json:"p_fail"`
	PLo     float64 `json:"p_lo"`
	PHi     float64 `json:"p_hi"`
	Health  float64 `json:"health"`
	Repair  float64 `json:"repair"`
	NetRisk float64 `json:"net_risk"`
	NetLo   float64 `json:"net_lo"`
	NetHi   float64 `json:"net_hi"`
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
// production is lost within the horizon, ExpectedLoss is in SAR. LossLo and
// LossHi bound it as if all members were at their bounds together, which is the
// widest that their intervals allow.
type GroupScore struct {
	ID           string       `json:"id"`
	POutage      float64      `json:"p_outage"`
	ExpectedLoss float64      `json:"expected_loss"`
	LossLo       float64      `json:"loss_lo"`
	LossHi       float64      `json:"loss_hi"`
	Index        float64      `json:"index"`
	Health       float64      `json:"health"`
	Parts        []GroupScore `json:"parts,omitempty"`
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
	health := make([]float64, n)
	for i, m := range u.Members {
		health[i] = m.Health
	}
	out.POutage, out.ExpectedLoss = u.loss(need, Member.likely)
	_, out.LossLo = u.loss(need, Member.least)
	_, out.LossHi = u.loss(need, Member.most)
	slices.SortFunc(health, func(a, b float64) int { return cmp.Compare(b, a) })
	out.Health = health[need-1]
	out.Index = riskIndex(Estimate{Value: out.ExpectedLoss}, s.orDefault()).Value
	return out
}

// loss is the probability that fewer than need members are left and the
// expected loss, with every member's failure probability and net risk as given.
func (u Unit) loss(need int, of func(Member) (p, net float64)) (outage, loss float64) {
	p := make([]float64, len(u.Members))
	for i, m := range u.Members {
		var net float64
		if p[i], net = of(m); u.NetLoss {
			loss += net
		} else {
			loss += p[i] * m.Repair
		}
	}
	outage = atLeast(p, len(p)-need+1)
	if !u.NetLoss {
		loss += outage * u.LossPerOutage
	}
	return outage, loss
}

func (m Member) likely() (p, net float64) { return clip01(m.PFail), m.NetRisk }

func (m Member) least() (p, net float64) {
	if p, net = clip01(m.PLo), m.NetLo; m.PHi < m.PFail {
		p = clip01(m.PFail)
	}
	if m.NetHi < m.NetRisk {
		net = m.NetRisk
	}
	return min(p, clip01(m.PFail)), min(net, m.NetRisk)
}

func (m Member) most() (p, net float64) {
	return max(clip01(m.PHi), clip01(m.PFail)), max(m.NetHi, m.NetRisk)
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
		out.LossLo += u.LossLo
		out.LossHi += u.LossHi
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
