package scoring_test

import (
	"math/rand/v2"
	"slices"
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
		require.InDelta(t, got.ExpectedLoss, got.LossLo, 1e-9, "no bounds known")
		require.InDelta(t, got.ExpectedLoss, got.LossHi, 1e-9)
		for i := range members {
			members[i].PLo, members[i].PHi = 0.5*members[i].PFail, 0.5+0.5*members[i].PFail
		}
		got = scoring.RollUpUnit(u, scoring.Settings{})
		for hi, end := range []func(m scoring.Member) float64{
			func(m scoring.Member) float64 { return m.PLo }, func(m scoring.Member) float64 { return m.PHi },
		} {
			at, repairs := slices.Clone(members), 0.0
			for i := range at {
				at[i].PFail = end(at[i])
				repairs += 10 * at[i].PFail
			}
			require.InDelta(t, repairs+1000*outageByEnumeration(at, need), []float64{got.LossLo, got.LossHi}[hi], 1e-9)
		}
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
	pumps[0].NetLo, pumps[0].NetHi = 2, 11
	got = scoring.RollUpUnit(u, scoring.Settings{})
	require.Equal(t, []float64{9, 12, 18}, []float64{got.LossLo, got.ExpectedLoss, got.LossHi})
	require.Zero(t, scoring.RollUpUnit(scoring.Unit{}, scoring.Settings{}))
}

func TestSiteIsUnitsInSeries(t *testing.T) {
	t.Parallel()
	site := scoring.RollUpSite("s", []scoring.GroupScore{
		{POutage: 0.1, ExpectedLoss: 30_000, LossLo: 10_000, LossHi: 40_000, Health: 60},
		{POutage: 0.2, ExpectedLoss: 70_000, LossLo: 60_000, LossHi: 95_000, Health: 90}}, scoring.Settings{})
	require.Equal(t, []float64{70_000, 135_000}, []float64{site.LossLo, site.LossHi})
	require.InDelta(t, 1-0.9*0.8, site.POutage, 1e-12)
	require.InDelta(t, 100_000, site.ExpectedLoss, 1e-9)
	require.InDelta(t, 81, site.Health, 1e-9)
	require.InDelta(t, 50, site.Index, 1e-9)
	require.Zero(t, scoring.RollUpSite("", nil, scoring.Settings{}).POutage)
}

// TestSiteAgreesWithFullEnumeration runs over all states of all members of three
// units in series.
func TestSiteAgreesWithFullEnumeration(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 1))
	for range 40 {
		var groups []scoring.GroupScore
		var all []scoring.Member
		var first, need []int
		for range 3 {
			members := make([]scoring.Member, 1+rng.IntN(4))
			for i := range members {
				members[i].PFail = rng.Float64()
			}
			first, need = append(first, len(all)), append(need, 1+rng.IntN(len(members)))
			all = append(all, members...)
			groups = append(groups, scoring.RollUpUnit(scoring.Unit{Required: need[len(need)-1], Members: members}, scoring.Settings{}))
		}
		first = append(first, len(all))
		want := 0.0
		for state := range 1 << len(all) {
			p, lost := 1.0, false
			for u := range need {
				up := 0
				for i := first[u]; i < first[u+1]; i++ {
					if state>>i&1 == 1 {
						p *= all[i].PFail
					} else {
						p *= 1 - all[i].PFail
						up++
					}
				}
				lost = lost || up < need[u]
			}
			if lost {
				want += p
			}
		}
		require.InDelta(t, want, scoring.RollUpSite("s", groups, scoring.Settings{}).POutage, 1e-12)
	}
}
