package deferral

import (
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
)

// VerifyOutput recomputes every curve and the money of every decision from
// the input, checks that each day is open, is the pinned one if there is a
// pin and else the cheapest, and that the totals and the certificate add up.
func VerifyOutput(in Input, out Output) error {
	if len(out.Actions) != len(in.Actions) {
		return fmt.Errorf("plan has %d actions, input %d", len(out.Actions), len(in.Actions))
	}
	var sum Terms
	var fleet [len(milestones)]float64
	scale := 0.0
	for i := range in.Actions {
		a, d := &in.Actions[i], &out.Actions[i]
		costs := newReferee(a).costs(max(in.Days, milestones[len(milestones)-1]+1))
		size := math.Abs(a.PlannedCost)
		for _, m := range a.Modes {
			size = math.Max(size, m.FailureCost)
		}
		scale += size
		if err := checkAction(&in, a, d, costs, size); err != nil {
			return fmt.Errorf("action %s: %w", a.ID, err)
		}
		t := weigh(costs[d.Day], in.Weights)
		sum = Terms{sum.Work + t.Work, sum.Failure + t.Failure, sum.Life + t.Life, sum.Left + t.Left, sum.Total + t.Total, sum.Weighted + t.Weighted}
		for k, n := range milestones {
			fleet[k] += weigh(costs[n], in.Weights).Weighted - weigh(costs[0], in.Weights).Weighted
		}
	}
	if err := sameTerms(out.Objective, sum, scale); err != nil {
		return fmt.Errorf("total: %w", err)
	}
	if len(out.Fleet) != len(milestones) {
		return fmt.Errorf("fleet has %d figures, want %d", len(out.Fleet), len(milestones))
	}
	for k, f := range out.Fleet {
		if f.Days != milestones[k] || !near(f.Cost, fleet[k], scale) {
			return fmt.Errorf("fleet at %d days: plan says %.4f, verifier finds %.4f", f.Days, f.Cost, fleet[k])
		}
	}
	c := out.Certificate
	if !near(c.Objective, sum.Weighted, scale) || c.BoundKnown && !near(c.Bound, sum.Weighted, scale) {
		return fmt.Errorf("certificate: objective %.4f and bound %.4f, verifier finds %.4f", c.Objective, c.Bound, sum.Weighted)
	}
	return nil
}

// checkAction compares one decision and its curve with the recomputed costs.
func checkAction(in *Input, a *Action, d *Deferral, costs []Terms, size float64) error {
	if d.ActionID != a.ID || d.Day < 0 || d.Day >= in.Days || len(d.Curve) != in.Days {
		return fmt.Errorf("plan is for action %q on day %d with a curve of %d days", d.ActionID, d.Day, len(d.Curve))
	}
	if why := shut(in, a, d.Day); why != "" {
		return fmt.Errorf("day %d is closed: %s", d.Day, why)
	}
	pinned := false
	for _, p := range in.Pins {
		if p.ActionID == a.ID && p.Day != d.Day {
			return fmt.Errorf("pinned to day %d, planned on %d", p.Day, d.Day)
		}
		pinned = pinned || p.ActionID == a.ID
	}
	here := weigh(costs[d.Day], in.Weights).Weighted
	for n := range in.Days {
		t := weigh(costs[n], in.Weights).Weighted
		if !pinned && t < here-.005-1e-9*size && shut(in, a, n) == "" {
			return fmt.Errorf("day %d is cheaper than day %d by %.4f", n, d.Day, here-t)
		}
		if at := t - weigh(costs[0], in.Weights).Weighted; !near(d.Curve[n], at, size) {
			return fmt.Errorf("curve on day %d: plan says %.4f, verifier finds %.4f", n, d.Curve[n], at)
		}
	}
	return sameTerms(d.Cost, weigh(costs[d.Day], in.Weights), size)
}

// shut says why a day is closed, empty when it is open.
func shut(in *Input, a *Action, d int) string {
	if len(in.WorkingDay) > 0 && !in.WorkingDay[d] && !a.Continuous {
		return "day off"
	}
	if a.LatestDay != nil && *a.LatestDay < d {
		return "after the latest day"
	}
	for _, w := range a.Restricted {
		if d >= w.From && d <= w.To {
			return "restricted"
		}
	}
	for _, e := range in.Embargoes {
		applies := e.AllWork || a.OutageHours > 0
		if e.SiteID != "" && e.SiteID != a.SiteID {
			applies = false
		}
		if applies && d >= e.Window.From && d <= e.Window.To {
			return "embargo " + e.ID
		}
	}
	return ""
}

// weigh adds the totals to recomputed parts.
func weigh(t Terms, w optimize.Weights) Terms {
	cost, risk := w.Values()
	t.Total = t.Work + t.Failure + t.Life + t.Left
	t.Weighted = cost*(t.Total-t.Failure) + risk*t.Failure
	return t
}

func sameTerms(got, want Terms, scale float64) error {
	for _, p := range []struct {
		name      string
		got, want float64
	}{
		{"work", got.Work, want.Work}, {"failure", got.Failure, want.Failure}, {"life", got.Life, want.Life},
		{"left", got.Left, want.Left}, {"total", got.Total, want.Total}, {"weighted", got.Weighted, want.Weighted},
	} {
		if !near(p.got, p.want, scale) {
			return fmt.Errorf("%s: plan says %.4f, verifier finds %.4f", p.name, p.got, p.want)
		}
	}
	return nil
}

// near compares money to half a halala and to what a sum of this size can
// carry.
func near(a, b, scale float64) bool { return math.Abs(a-b) <= .005+1e-9*scale }
