package dispatch

import (
	"cmp"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// moreOvertime is how many minutes of overtime beyond the rule a relaxation may
// ask for.
const moreOvertime = 4 * 60

// maxRelaxed is for how many unserved jobs, dearest first, the cheapest
// relaxation is worked out.
const maxRelaxed = 200

// variant is an unserved job with one rule lifted.
type variant struct {
	job  int // the original
	code optimize.ReasonCode
}

// relaxer places unserved jobs into the plan with one rule lifted at a time.
// The variants are further jobs of a copy of the input; one more copy has
// longer overtime.
type relaxer struct {
	*compiled
	variants []variant
	lifted   *compiled // with the variants as further jobs
	longer   *compiled // with more overtime
	advisors [2]*router.Advisor
}

func newRelaxer(c *compiled, plan router.Plan, jobs []int) (*relaxer, error) {
	r := &relaxer{compiled: c}
	lifted, longer := *c.in, *c.in
	lifted.Jobs = slices.Clone(c.in.Jobs)
	for _, k := range jobs {
		r.addVariants(&lifted, k)
	}
	longer.Technicians = slices.Clone(c.in.Technicians)
	for k := range longer.Technicians {
		longer.Technicians[k].MaxOvertime += moreOvertime
	}
	for n, in := range []*Input{&lifted, &longer} {
		relaxed := compile(in)
		a, err := router.NewAdvisor(relaxed.problem, plan)
		if err != nil {
			return nil, err
		}
		r.advisors[n] = a
		if n == 0 {
			r.lifted = relaxed
		} else {
			r.longer = relaxed
		}
	}
	return r, nil
}

// addVariants appends the job without each rule that narrows its choice.
func (r *relaxer) addVariants(in *Input, k int) {
	j := in.Jobs[k]
	j.After = nil
	add := func(code optimize.ReasonCode, change func(*Job)) {
		v := j
		v.ID = j.ID + " without " + string(code)
		change(&v)
		in.Jobs = append(in.Jobs, v)
		r.variants = append(r.variants, variant{k, code})
	}
	if len(j.Skills) > 0 {
		add(ReasonSkill, func(v *Job) { v.Skills = nil })
	}
	if len(j.Windows) > 0 {
		add(optimize.ReasonWindow, func(v *Job) { v.Windows = nil })
	}
	if slices.ContainsFunc(in.Closures, func(c Closure) bool { return c.binds(&j) }) {
		add(ReasonCalendar, func(v *Job) {
			v.Exempt = nil
			for _, c := range in.Closures {
				v.Exempt = append(v.Exempt, c.Kind)
			}
		})
	}
	if len(j.Tools) > 0 {
		add(ReasonTool, func(v *Job) { v.Tools = nil })
	}
	if len(j.Parts) > 0 {
		add(ReasonPart, func(v *Job) { v.Parts = nil })
	}
	if j.crew() > 1 {
		add(ReasonCrew, func(v *Job) { v.CrewSize = j.crew() - 1 })
	}
}

// relaxations lists what would place a job, cheapest first.
func (r *relaxer) relaxations(k int) []Relaxation {
	var list []Relaxation
	for n, v := range r.variants {
		if v.job != k {
			continue
		}
		if offers := r.advisors[0].Offers(len(r.in.Jobs) + n); len(offers) > 0 {
			list = append(list, r.relaxation(k, v.code, offers[0]))
		}
	}
	if offers := r.advisors[1].Offers(k); len(offers) > 0 {
		list = append(list, r.relaxation(k, ReasonOvertimeUp, offers[0]))
	}
	slices.SortStableFunc(list, func(a, b Relaxation) int { return cmp.Compare(a.Cost, b.Cost) })
	return list
}

// relaxation says how far the rule has to give way for an offer.
func (r *relaxer) relaxation(k int, code optimize.ReasonCode, o router.Offer) Relaxation {
	j := &r.in.Jobs[k]
	s := &r.shifts[o.Shifts[0]]
	out := Relaxation{Code: code, TechnicianID: r.in.Technicians[s.technician].ID, Start: o.Start, Cost: o.Delta}
	switch code {
	case ReasonSkill:
		out.Constraint, out.Amount = r.missingSkill(k, o.Shifts)
	case optimize.ReasonWindow:
		out.Amount = awayFrom(o.Start, j.Windows)
	case ReasonCalendar:
		for n := range r.in.Closures {
			c := &r.in.Closures[n]
			if c.binds(j) && len(c.shut([]Span{{o.Start, o.Start}}, j.Duration)) == 0 {
				out.Constraint, out.Amount = c.ID, math.Min(c.To, o.Start+j.Duration)-math.Max(c.From, o.Start)
			}
		}
	case ReasonTool:
		out.Constraint = j.Tools[0]
	case ReasonPart:
		out.Constraint, out.Amount = j.Parts[0].Part, float64(j.Parts[0].Units)
	case ReasonCrew:
		out.Amount = 1
	case ReasonOvertimeUp:
		out.Amount = math.Max(0, o.Return-s.close)
	}
	return out
}

// missingSkill is the first skill that the offered crew lacks, and how many
// levels.
func (r *relaxer) missingSkill(k int, shifts []int32) (string, float64) {
	for _, n := range shifts {
		t := &r.in.Technicians[r.shifts[n].technician]
		for _, need := range r.in.Jobs[k].Skills {
			if have := t.level(need.ID); have < need.Level {
				return need.ID, float64(need.Level - max(have, 0))
			}
		}
	}
	return "", 0
}

// awayFrom is the distance of a moment from the nearest span.
func awayFrom(t float64, spans []Span) float64 {
	least := math.Inf(1)
	for _, s := range spans {
		least = math.Min(least, math.Max(0, math.Max(s.From-t, t-s.To)))
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}
