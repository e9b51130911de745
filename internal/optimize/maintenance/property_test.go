package maintenance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
)

// randomInput draws a small problem in which every kind of constraint turns
// up now and then.
func randomInput(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 5))
	in := Input{StartDate: "2026-03-01", Days: 4 + r.IntN(4), Weights: optimize.Weights{Preset: []string{optimize.PresetCheapest, optimize.PresetBalanced, optimize.PresetLowestRisk}[r.IntN(3)]}}
	if r.IntN(2) == 0 {
		for d := range in.Days {
			in.WorkingDay = append(in.WorkingDay, d%7 < 5)
		}
	}
	crew, skid := Resource{ID: "crew"}, Resource{ID: "skid"}
	for range in.Days {
		crew.Available = append(crew.Available, float64(8+r.IntN(20)))
		skid.Available = append(skid.Available, 1)
	}
	if r.IntN(8) == 0 {
		crew.Minimum = make([]float64, in.Days)
		crew.Minimum[r.IntN(in.Days)] = 4
	}
	in.Resources = []Resource{crew, skid}
	for k := range 3 + r.IntN(2) {
		a := Action{
			ID: fmt.Sprint("a", k), AssetID: fmt.Sprint("x", r.IntN(4)), SiteID: fmt.Sprint("s", r.IntN(2)), DurationDays: 1 + r.IntN(3), Continuous: r.IntN(3) == 0,
			Skill: "crew", SkillHours: float64(6 + r.IntN(30)), PlannedCost: 1000 * float64(10+r.IntN(90)), OutageHours: float64(r.IntN(3) * 12),
			LossPerHour: float64(100 * r.IntN(90)), PlannedFactor: r.Float64(), FailureTotal: 1000 * float64(50+r.IntN(3000)),
			Weibull: asset.Weibull{Beta: .7 + 2.5*r.Float64(), Eta: 20 + 400*r.Float64()}, AgeDays: float64(r.IntN(2) * r.IntN(300)), Evidence: float64(r.IntN(5)),
		}
		if r.IntN(3) == 0 {
			a.Uses = []Use{{Resource: "skid", Units: 1}}
		}
		if r.IntN(5) == 0 {
			a.Mandatory = true
		}
		if r.IntN(6) == 0 {
			due := r.IntN(in.Days)
			a.DueDay = &due
		}
		if r.IntN(4) == 0 {
			day := r.IntN(in.Days)
			a.Restricted = []Window{{From: day, To: day}}
		}
		if r.IntN(4) == 0 {
			for range in.Days {
				a.OutageProfile = append(a.OutageProfile, .5+r.Float64())
			}
		}
		in.Actions = append(in.Actions, a)
	}
	addRules(r, &in)
	return in
}

func addRules(r *rand.Rand, in *Input) {
	if r.IntN(2) == 0 {
		in.Groups = []Group{{ID: "g", Members: []string{"x0", "x1", "x2"}, MaxOut: 1}}
	}
	if r.IntN(2) == 0 {
		in.Exclusions = []Exclusion{{ID: "e", A: "a0", B: "a1"}, {ID: "f", A: "a1", B: "a2", Windows: []Window{{From: 0, To: 2}}}}
	}
	if r.IntN(3) == 0 {
		in.Embargoes = []Embargo{{ID: "m", SiteID: "s0", Window: Window{From: 1, To: 2}, AllWork: r.IntN(2) == 0}}
	}
	if r.IntN(3) == 0 {
		in.DowntimeCaps = []DowntimeCap{{SiteID: "s1", Hours: float64(12 * r.IntN(4))}}
	}
	if r.IntN(4) == 0 {
		budget := 1000 * float64(40+r.IntN(150))
		in.BudgetSAR = &budget
	}
	if r.IntN(5) == 0 {
		in.Pins = []Pin{{ActionID: "a2", StartDay: r.IntN(in.Days), Deferred: r.IntN(3) == 0}}
	}
}

// enumerate returns the least weighted cost over all plans that the verifier
// accepts, +Inf when there is none.
func enumerate(in Input) float64 {
	n := len(in.Actions)
	cost, rates := make([][]float64, n), map[[4]float64]float64{}
	for i, a := range in.Actions {
		for t := 0; t <= in.Days; t++ {
			s := Start{ActionID: a.ID, StartDay: t, Deferred: t == in.Days}
			busy, out := make([]bool, in.Days), make([]bool, in.Days)
			if t < in.Days && verifyJob(in, a, t, busy, out) != nil {
				cost[i] = append(cost[i], math.Inf(1))
				continue
			}
			cost[i] = append(cost[i], verifyCost(in, a, s, out, rates).Weighted)
		}
	}
	best := math.Inf(1)
	plan := make([]Start, n)
	var walk func(i int, sum float64)
	walk = func(i int, sum float64) {
		if i == n {
			if _, _, err := verifyRules(in, plan); err == nil {
				best = math.Min(best, sum)
			}
			return
		}
		for t := 0; t <= in.Days; t++ {
			if !math.IsInf(cost[i][t], 1) {
				plan[i] = Start{ActionID: in.Actions[i].ID, StartDay: t, Deferred: t == in.Days}
				walk(i+1, sum+cost[i][t])
			}
		}
	}
	walk(0, 0)
	return best
}

// TestSmallProblemsAgainstEnumeration: on 200 random problems the bound never
// exceeds the optimum, the plan never beats it, equals it when it says so,
// and the verifier always agrees.
func TestSmallProblemsAgainstEnumeration(t *testing.T) {
	for seed := uint64(1); seed <= 200; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			in := randomInput(seed)
			optimum := enumerate(in)
			opt := optimize.Options{MaxIterations: 6000, Seed: int64(seed), Solver: optimize.SolverHeuristic}
			if seed%5 == 0 {
				opt.Solver = optimize.SolverAuto
			}
			out, err := Solve(context.Background(), in, opt, nil)
			if math.IsInf(optimum, 1) {
				var conflict *optimize.InfeasibleError
				require.True(t, errors.As(err, &conflict), "%v", err)
				require.NotEmpty(t, conflict.Conflicts)
				return
			}
			require.NoError(t, err)
			cert, slack := out.Certificate, 1e-6*math.Max(1, math.Abs(optimum))
			require.True(t, cert.Verified)
			require.True(t, cert.BoundKnown)
			require.LessOrEqual(t, cert.Bound, optimum+slack)
			require.GreaterOrEqual(t, cert.Objective, optimum-slack)
			require.NoError(t, VerifyOutput(in, out))
			if cert.Status == optimize.StatusOptimal || seed%5 == 0 {
				require.InDelta(t, optimum, cert.Objective, slack)
			}
		})
	}
}

// TestRenewalRateIsTheLeastOfAllAges: the root of the optimality condition and
// the grid of the verifier find the same rate, also where failures cost hardly
// more than planned work and the curve is flat.
func TestRenewalRateIsTheLeastOfAllAges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		a := Action{Weibull: asset.Weibull{Beta: .7 + 6*r.Float64(), Eta: 20 + 900*r.Float64()}, FailureTotal: math.Exp(8 + 9*r.Float64())}
		planned := a.FailureTotal * math.Pow(r.Float64(), 3) * 1.05
		rate := renewalRate(a.Weibull, planned, a.FailureTotal)
		require.InEpsilon(t, verifyRate(a, planned), rate, 1e-7, "%+v, planned %g", a, planned)
	}
	free := Action{Weibull: asset.Weibull{Beta: 2, Eta: 100}, FailureTotal: 1000}
	require.InEpsilon(t, verifyRate(free, 0), renewalRate(free.Weibull, 0, free.FailureTotal), 1e-7)
}
