package maintenance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// largeInput copies the fleet with scattered ages and evidence until it holds
// n actions, over a year, with crews for about two thirds of the work.
func largeInput(t testing.TB, n, days int) Input {
	in := fleetInput(t, days)
	base, r := in.Actions, rand.New(rand.NewPCG(1, 2))
	in.Actions, in.Groups, in.DowntimeCaps = nil, nil, nil
	for k := range n {
		a := base[k%len(base)]
		a.ID, a.AssetID, a.SiteID = fmt.Sprint(a.ID, "-", k), fmt.Sprint(a.AssetID, "-", k), fmt.Sprint(a.SiteID, k/len(base)%10)
		a.AgeDays *= .3 + 1.4*r.Float64()
		if r.IntN(4) == 0 {
			a.Evidence = 1 + 4*r.Float64()
		}
		in.Actions = append(in.Actions, a)
		if k%10 == 9 {
			members := []string{}
			for m := k - 9; m <= k; m += 4 {
				members = append(members, in.Actions[m].AssetID)
			}
			in.Groups = append(in.Groups, Group{ID: fmt.Sprint("g", k), Members: members, MaxOut: 1})
		}
	}
	need := map[string]float64{}
	for _, a := range in.Actions {
		need[a.Skill] += a.SkillHours
		for _, u := range a.Uses {
			need[u.Resource] += float64(a.DurationDays) * u.Units
		}
	}
	for k := range in.Resources {
		res := &in.Resources[k]
		have := 0.0
		for _, v := range res.Available {
			have += v
		}
		for d := range res.Available {
			res.Available[d] *= max(1, .66*need[res.ID]/have)
		}
	}
	return in
}

// BenchmarkLargeFleet plans 2,000 actions over a year in a minute.
func BenchmarkLargeFleet(b *testing.B) {
	in := largeInput(b, 2000, 365)
	for b.Loop() {
		out, err := Solve(context.Background(), in, optimize.Options{TimeLimit: time.Minute, RelGap: 1e-3, Seed: 1}, nil)
		require.NoError(b, err)
		b.ReportMetric(100*out.Certificate.Gap, "gap_%")
		b.ReportMetric(out.Certificate.Objective/1e6, "MSAR")
		b.Logf("%+v", out.Certificate)
	}
}
