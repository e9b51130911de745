package deferral

import (
	"math"

	"github.com/optria-iq/optria/internal/optimize"
)

// The reasons that only this problem gives.
const (
	// ReasonWaitingCosts: waiting 30 days from day 0 costs Money.
	ReasonWaitingCosts optimize.ReasonCode = "waiting_costs"
	// ReasonEvidence: of that cost, Money is due to the condition evidence,
	// whose multiplier is Amount.
	ReasonEvidence optimize.ReasonCode = "condition_evidence"
	// ReasonNoDifference: until Day, costs differ by less than their
	// uncertainty, which reaches Money.
	ReasonNoDifference optimize.ReasonCode = "no_measurable_difference"
)

// leastMoney is the difference in SAR below which nothing is a reason.
const leastMoney = 1

// reasons explains one decision by its own curve; high is the upper end of the
// band of C against the first open day.
func (in *Input) reasons(a *Action, d *Deferral, high []float64) []optimize.Reason {
	last, free := in.Days-1, 0
	for n := range d.Curve {
		if d.Curve[n] < d.Curve[free] {
			free = n
		}
	}
	var list []optimize.Reason
	if d.Pinned {
		best := d.Day
		for n := range d.Curve {
			if !d.Closed[n] && d.Curve[n] < d.Curve[best] {
				best = n
			}
		}
		list = append(list, optimize.Reason{Code: optimize.ReasonPinned, Day: d.Day, Money: d.Curve[d.Day] - d.Curve[best]})
	}
	if d.Verdict == optimize.VerdictSame {
		list = append(list, optimize.Reason{Code: ReasonNoDifference, Day: d.Until, Money: math.Abs(high[min(d.Until, last)])})
	}
	if d.FailureGain > leastMoney {
		list = append(list, optimize.Reason{Code: optimize.ReasonFailureRisk, Money: d.FailureGain, P: d.PFailEnd, Day: last})
	}
	if wait := d.Wait[1]; wait > leastMoney {
		list = append(list, optimize.Reason{Code: ReasonWaitingCosts, Money: wait, P: d.PFail[1], Day: milestones[1]})
	}
	if r, ok := in.evidenceReason(a, d); ok {
		list = append(list, r)
	}
	if r := in.closedBy(a, free); r.code != "" && d.Curve[d.Day]-d.Curve[free] > leastMoney {
		list = append(list, optimize.Reason{Code: r.code, Constraint: r.constraint, Day: free, Money: d.Curve[d.Day] - d.Curve[free]})
	}
	if gain := d.Curve[0] - d.Curve[d.Day]; gain > leastMoney {
		list = append(list, optimize.Reason{Code: optimize.ReasonWaitingCheaper, Money: gain})
	}
	if !d.Pinned {
		list = append(list, optimize.Reason{Code: optimize.ReasonCheapestDay, Day: d.Day})
	}
	return list[:min(len(list), optimize.MaxReasons)]
}

// evidenceReason prices the evidence: what waiting 30 days costs more with it
// than by age alone.
func (in *Input) evidenceReason(a *Action, d *Deferral) (optimize.Reason, bool) {
	plain, most := believed(a), 1.0
	for k := range plain.modes {
		most = max(most, plain.modes[k].Evidence)
		plain.modes[k].Evidence = 1
	}
	if most == 1 {
		return optimize.Reason{}, false
	}
	more := d.Wait[1] - plain.course(milestones[1]+1).weighted(milestones[1], in.Weights)
	return optimize.Reason{Code: ReasonEvidence, Money: more, Amount: most}, more > leastMoney
}
