package scoring_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring"
)

// outageByEnumeration sums over all 2^n states.
func outageByEnumeration(members []scoring.Member, need int) float64 {
	total := 0.0
	for state := range 1 << len(members) {
		p, up := 1.0, 0
		for i, m := range members {
			if state>>i&1 == 1 {
				p *= m.PFail
			} else {
				p *= 1 - m.PFail
				up++
			}
		}
		if up < need {
			total += p
		}
	}
	return total
}

func TestUnitAgreesWithFullEnumeration(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		members := make([]scoring.Member, 1+rng.IntN(8))
		for i := range members {
			members[i] = scoring.Member{PFail: rng.Float64(), Health: 100 * rng.Float64(), Repair: 10}
		}
		need := 1 + rng.IntN(len(members))
		u := scoring.Unit{ID: "u", Required: need, Members: members, LossPerOutage: 1000}
		got := scoring.RollUpUnit(u, scoring.Settings{})
		want := outageByEnumeration(members, need)
		require.InDelta(t, want, got.POutage, 1e-12)
		repair := 0.0
		for _, m := range members {
			repair += 10 * m.PFail
		}
		require.InDelta(t, repair+1000*want, got.ExpectedLoss, 1e-9)
	}
}

func TestTwoOfThreeLosesOnlyWhenTwoFail(t *testing.T) {
	t.Parallel()
	pumps := []scoring.Member{{PFail: 1, Health: 10, NetRisk: 5}, {PFail: 0, Health: 80, NetRisk: 7}, {PFail: 0, Health: 90}}
	u := scoring.Unit{Required: 2, Members: pumps, LossPerOutage: 1e6}
	got := scoring.RollUpUnit(u, scoring.Settings{})
	require.Zero(t, got.POutage)
	require.Equal(t, 80.0, got.Health)
	pumps[1].PFail = 1
	require.Equal(t, 1.0, scoring.RollUpUnit(u, scoring.Settings{}).POutage)
	u.NetLoss = true
	require.Equal(t, 12.0, scoring.RollUpUnit(u, scoring.Settings{}).ExpectedLoss)
	require.Zero(t, scoring.RollUpUnit(scoring.Unit{}, scoring.Settings{}))
}

func TestSiteIsUnitsInSeries(t *testing.T) {
	t.Parallel()
	site := scoring.RollUpSite("s", []scoring.GroupScore{
		{POutage: 0.1, ExpectedLoss: 30_000, Health: 60}, {POutage: 0.2, ExpectedLoss: 70_000, Health: 90}}, scoring.Settings{})
	require.InDelta(t, 1-0.9*0.8, site.POutage, 1e-12)
	require.InDelta(t, 100_000, site.ExpectedLoss, 1e-9)
	require.InDelta(t, 81, site.Health, 1e-9)
	require.InDelta(t, 50, site.Index, 1e-9)
	require.Zero(t, scoring.RollUpSite("", nil, scoring.Settings{}).POutage)
}
