package dispatch

import (
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/dispatch/internal/router"
)

// Advise says where one more job would go in a plan that otherwise stays: per
// technician the cheapest place and what the plan then costs more (weighted),
// cheapest first; for a job that needs a crew or waits for others, the cheapest
// crew. No offer means that nobody can be sent. A job of the input is advised
// on as if it were not in the plan.
func Advise(in Input, out Output, job Job) ([]Offer, error) {
	with := in
	with.Jobs = slices.Clone(in.Jobs)
	k := slices.IndexFunc(in.Jobs, func(j Job) bool { return j.ID == job.ID })
	if k < 0 {
		k = len(in.Jobs)
		with.Jobs = append(with.Jobs, job)
	} else {
		with.Jobs[k] = job
	}
	if err := with.Validate(); err != nil {
		return nil, err
	}
	c := compile(&with)
	var plan router.Plan
	if start := c.start(out.Stops()); start != nil {
		plan = *start
	}
	a, err := router.NewAdvisor(c.problem, plan)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "optimize.no_plan", fmt.Errorf("load plan: %w", err))
	}
	var offers []Offer
	a.Without(k, func() {
		for _, o := range a.Offers(k) {
			offers = append(offers, c.offer(o, 0))
		}
	})
	return offers, nil
}
