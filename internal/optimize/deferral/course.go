package deferral

import (
	"github.com/optria-iq/optria/internal/optimize/replacement"

	"github.com/optria-iq/optria/internal/optimize"
)

// life is an action with the numbers that one evaluation takes for true.
type life struct {
	action  *Action
	modes   []replacement.Mode
	planned float64
}

// believed returns the life by the point estimates.
func believed(a *Action) life {
	l := life{action: a, planned: a.PlannedCost}
	for _, m := range a.Modes {
		l.modes = append(l.modes, replacement.Mode{Beta: m.Weibull.Beta, Eta: m.Weibull.Eta, Evidence: m.evidence(), Cost: m.FailureCost})
	}
	return l
}

// course holds the parts of C(d) for d = 0, 1 … and the probability of a
// failure before day d.
type course struct {
	optimum             replacement.Optimum
	failure, life, left []float64
	pFail               []float64
}

// course evaluates n days.
func (l life) course(n int) course {
	c := course{
		optimum: replacement.Optimal(l.planned, l.modes),
		failure: make([]float64, n), life: make([]float64, n), left: make([]float64, n), pFail: make([]float64, n),
	}
	w := replacement.NewWalk(l.modes, l.action.AgeDays)
	rest := l.restOf(w, c.optimum)
	for d := range n {
		w.To(float64(d))
		s := w.Survival()
		c.failure[d], c.life[d] = w.Lost(l.planned), -c.optimum.Rate*w.Life
		c.left[d], c.pFail[d] = rest(float64(d), s), 1-s
	}
	return c
}

// restOf listens to a walk and returns R(d) − R(0) for the day that the walk
// has come to and its survival.
func (l life) restOf(w *replacement.Walk, o replacement.Optimum) func(day, survival float64) float64 {
	if l.action.restoration() == 1 {
		return func(float64, float64) float64 { return 0 }
	}
	rest := replacement.NewRest(l.planned, l.modes, o)
	at := rest.At(l.action.virtualAge(0))
	failed := 0.0
	w.OnFailure = func(u, mass float64) { failed += mass * rest.At(l.action.virtualAge(u)) }
	return func(day, survival float64) float64 { return survival*rest.At(l.action.virtualAge(day)) + failed - at }
}

// virtualAge returns the age that the job leaves when it is done u days after
// day 0.
func (a *Action) virtualAge(u float64) float64 {
	from := 0.0
	if a.Kijima == 1 {
		from = a.RepairedAgeDays
	}
	return from + (1-a.restoration())*(a.AgeDays+u-from)
}

// terms returns the parts of the cost of day d.
func (c course) terms(a *Action, d int, w optimize.Weights) Terms {
	return Terms{Work: a.PlannedCost, Failure: c.failure[d], Life: c.life[d], Left: c.left[d]}.weighed(w)
}

// weighted returns C(d) as it is minimised, 0 on day 0.
func (c course) weighted(d int, w optimize.Weights) float64 {
	cost, risk := w.Values()
	return cost*(c.life[d]+c.left[d]) + risk*c.failure[d]
}
