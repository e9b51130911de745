package maintenance

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// TestMoneyOfReasonsIsTheDifferenceOfTwoChoices: the verifier finds the money
// of every reason again as the difference between this decision and another
// choice for the same action. For a closed day the other choice is one that
// the verifier refuses while the rest of the plan stays.
func TestMoneyOfReasonsIsTheDifferenceOfTwoChoices(t *testing.T) {
	t.Parallel()
	in := fleetInput(t, 30)
	in.Pins = []Pin{{ActionID: in.Actions[5].ID, StartDay: -1, Deferred: true}}
	out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 4000, Seed: 2}, nil)
	require.NoError(t, err)
	plan := out.starts()
	money := 0
	for i, d := range out.Schedule {
		for _, r := range d.Reasons {
			if r.Money == 0 {
				continue
			}
			money++
			require.True(t, isDifference(in, plan, i, r), "%s: %+v", d.ActionID, r)
		}
	}
	require.Greater(t, money, 30)
}

func isDifference(in Input, plan []Start, i int, r optimize.Reason) bool {
	rates := map[[4]float64]float64{}
	cost := func(s Start) Terms {
		out := make([]bool, in.Days)
		if !s.Deferred && verifyJob(in, in.Actions[i], s.StartDay, make([]bool, in.Days), out) != nil {
			out[s.StartDay] = true // closed for this action, and worth what one day out costs
		}
		return verifyCost(in, in.Actions[i], s, out, rates)
	}
	here := cost(plan[i])
	for t := 0; t <= in.Days; t++ {
		other := Start{ActionID: plan[i].ActionID, StartDay: t, Deferred: t == in.Days}
		there := cost(other)
		moved := append([]Start(nil), plan...)
		moved[i] = other
		_, _, refused := verifyRules(in, moved)
		same := func(a, b float64) bool { return math.Abs(a-b) < .01 }
		switch r.Code {
		case optimize.ReasonFailureRisk:
			if other.Deferred && same(r.Money, there.Failure-here.Failure) {
				return true
			}
		case optimize.ReasonWaitingCheaper, optimize.ReasonDeferralCheaper:
			if t == r.Day && same(r.Money, there.Total-here.Total) {
				return true
			}
		case optimize.ReasonDue:
			if other.Deferred && same(r.Money, there.Total-here.Total) {
				return true
			}
		default:
			if refused != nil && same(r.Money, here.Total-there.Total) {
				return true
			}
		}
	}
	return false
}
