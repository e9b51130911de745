package dispatch

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// leastMoney is the difference in SAR below which nothing is worth a reason.
const leastMoney = 1

// maxOffers is how many technicians a decision compares.
const maxOffers = 5

// explainer works out the reasons of a plan: each sum is the difference of the
// plan's cost with and without one change.
type explainer struct {
	*compiled
	advisor *router.Advisor
	free    *router.Advisor // without pins
	plan    router.Plan
}

func newExplainer(c *compiled, plan router.Plan) (*explainer, error) {
	a, err := router.NewAdvisor(c.problem, plan)
	if err != nil {
		return nil, fmt.Errorf("load plan to explain it: %w", err)
	}
	e := &explainer{compiled: c, advisor: a, plan: plan}
	if len(c.pins) > 0 {
		in := *c.in
		in.Pins = nil
		if e.free, err = router.NewAdvisor(compile(&in).problem, plan); err != nil {
			return nil, fmt.Errorf("load plan without pins: %w", err)
		}
	}
	return e, nil
}

// explain fills in the reasons, offers and relaxations of all decisions.
func (e *explainer) explain(decisions []Decision) error {
	var open []int
	for k := range decisions {
		d := &decisions[k]
		if d.Unserved {
			open = append(open, k)
			d.Reasons = e.unserved(k, decisions)
		} else {
			d.Reasons, d.Offers = e.served(k, d)
		}
		d.Reasons = d.Reasons[:min(len(d.Reasons), optimize.MaxReasons)]
	}
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(e.in.unserved(b), e.in.unserved(a)) })
	open = open[:min(len(open), maxRelaxed)]
	if len(open) == 0 {
		return nil
	}
	r, err := newRelaxer(e.compiled, e.plan, open)
	if err != nil {
		return fmt.Errorf("load plan to relax its rules: %w", err)
	}
	for _, k := range open {
		if list := r.relaxations(k); len(list) > 0 && !e.pins[e.in.Jobs[k].ID].Unserved {
			decisions[k].Relaxation = &list[0]
		}
	}
	return nil
}

// served explains why a job is where it is.
func (e *explainer) served(k int, d *Decision) ([]optimize.Reason, []Offer) {
	var offers []router.Offer
	overtime, homes := 0.0, e.homes(d)
	saved := e.advisor.Without(k, func() {
		offers = e.advisor.Offers(k)
		overtime = e.overtimeSaved(homes)
	})
	list := []optimize.Reason{}
	if d.Pinned {
		list = append(list, optimize.Reason{Code: optimize.ReasonPinned, Day: e.day(d.Start), Money: e.pinCost(k)})
	}
	list = append(list, optimize.Reason{Code: ReasonServed, Money: e.in.unserved(k), Day: e.day(d.Start)})
	if d.Cost.Lateness >= leastMoney {
		list = append(list, optimize.Reason{Code: ReasonLate, Amount: d.Late / 60, Money: d.Cost.Lateness, Day: e.day(d.Start)})
	}
	list = append(list, e.rivals(k, d, offers, saved)...)
	if overtime >= leastMoney {
		list = append(list, optimize.Reason{Code: ReasonOvertime, Money: overtime, Day: e.day(d.Start), Constraint: d.Technicians[0]})
	}
	if d.PublishedStart != nil && !d.Changed && e.in.ChangeSAR > 0 {
		list = append(list, optimize.Reason{Code: ReasonKept, Money: e.in.ChangeSAR})
	}
	var shown []Offer
	for _, o := range offers[:min(len(offers), maxOffers)] {
		shown = append(shown, e.offer(o, saved))
	}
	return list, shown
}

// offer states what the router offers beside the present place of a job.
func (e *compiled) offer(o router.Offer, saved float64) Offer {
	out := Offer{TechnicianID: e.in.Technicians[e.shifts[o.Shifts[0]].technician].ID, Start: o.Start, Delta: o.Delta - saved}
	if math.Abs(out.Delta) < 1e-6 { // rounding
		out.Delta = 0
	}
	if len(o.Shifts) > 1 {
		for _, s := range o.Shifts {
			out.Crew = append(out.Crew, e.in.Technicians[e.shifts[s].technician].ID)
		}
	}
	return out
}

// rivals compares the crew with the next best technician and with the
// published one.
func (e *explainer) rivals(k int, d *Decision, offers []router.Offer, saved float64) []optimize.Reason {
	if e.in.Jobs[k].crew() > 1 {
		return nil
	}
	var list []optimize.Reason
	next := false
	for _, o := range offers {
		who := e.in.Technicians[e.shifts[o.Shifts[0]].technician].ID
		if who != d.Technicians[0] && !next {
			next = true
			list = append(list, optimize.Reason{Code: ReasonNextBest, Constraint: who, Money: math.Max(0, o.Delta-saved), Day: e.day(o.Start)})
		}
	}
	if !next && !d.Pinned {
		list = append(list, optimize.Reason{Code: ReasonOnly, Constraint: d.Technicians[0]})
	}
	if d.Changed {
		for _, o := range offers {
			if slices.Contains(e.problem.Jobs[k].Published, o.Shifts[0]) {
				list = append(list, optimize.Reason{
					Code: ReasonMoved, Constraint: e.in.Technicians[e.shifts[o.Shifts[0]].technician].ID, Money: math.Max(0, o.Delta-saved), Day: e.day(o.Start),
				})
			}
		}
	}
	return list
}

// home is when a shift of the crew is home with the job.
type home struct {
	shift int32
	at    float64
}

// homes lists when the crew of a job is home as planned.
func (e *explainer) homes(d *Decision) []home {
	technicians := e.in.technicianIndex()
	var list []home
	for _, id := range d.Technicians {
		if n := e.shiftAt(technicians[id], d.Start); n >= 0 {
			list = append(list, home{n, e.advisor.Home(int(n))})
		}
	}
	return list
}

// overtimeSaved is what the overtime of the crew's shifts costs less while the
// job is out.
func (e *explainer) overtimeSaved(homes []home) float64 {
	saved := 0.0
	for _, h := range homes {
		s := &e.shifts[h.shift]
		t := &e.in.Technicians[s.technician]
		over := math.Max(0, h.at-s.span.To) - math.Max(0, e.advisor.Home(int(h.shift))-s.span.To)
		saved += math.Max(0, over) / 60 * t.CostPerHour * t.OvertimeFactor
	}
	return saved
}

// pinCost is what the pinned place of a job costs more than its cheapest, the
// rest of the plan kept.
func (e *explainer) pinCost(k int) float64 {
	cheapest := math.Inf(1)
	saved := e.free.Without(k, func() {
		if offers := e.free.Offers(k); len(offers) > 0 {
			cheapest = offers[0].Delta
		}
	})
	if math.IsInf(cheapest, 1) {
		return 0
	}
	return math.Max(0, saved-cheapest)
}

// unserved explains why a job is left out.
func (e *explainer) unserved(k int, decisions []Decision) []optimize.Reason {
	j := &e.in.Jobs[k]
	if e.pins[j.ID].Unserved {
		return []optimize.Reason{{Code: optimize.ReasonPinned, Money: e.leftOut(k)}}
	}
	if list := e.why(k); len(list) > 0 {
		return list
	}
	index := e.in.jobIndex()
	for _, id := range j.After {
		if decisions[index[id]].Unserved {
			return []optimize.Reason{{Code: ReasonPredecessor, Constraint: id}}
		}
	}
	if offers := e.advisor.Offers(k); len(offers) > 0 {
		money := offers[0].Delta - e.weights.Unserved*e.in.unserved(k)
		who := e.in.Technicians[e.shifts[offers[0].Shifts[0]].technician].ID
		return []optimize.Reason{{Code: ReasonNotWorth, Constraint: who, Money: math.Max(0, money), Day: e.day(offers[0].Start)}}
	}
	if len(j.After) > 0 || len(e.problem.Jobs[k].Before) > 0 {
		return []optimize.Reason{{Code: ReasonOrder}, {Code: ReasonCapacity, Day: e.day(e.windows[k][0].From)}}
	}
	return []optimize.Reason{{Code: ReasonCapacity, Day: e.day(e.windows[k][0].From)}}
}

// leftOut is what serving a job that is pinned as unserved would save.
func (e *explainer) leftOut(k int) float64 {
	offers := e.free.Offers(k)
	if len(offers) == 0 {
		return 0
	}
	return math.Max(0, e.weights.Unserved*e.in.unserved(k)-offers[0].Delta)
}
