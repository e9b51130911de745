package timetable

import (
	"math"
	"sync"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// What the steps of a counted run stand for, measured on one shared core.
// Touching a row is the unit of the search; adding scenarios goes several at
// a time, and finding a rank costs a few passes over them.
const (
	moveBase   = 160 * time.Nanosecond // of one move beside what it touches
	rowWork    = 24 * time.Nanosecond
	vectorised = 8
	selectWork = 1
	spanWork   = 5 * time.Nanosecond // of one price step, per span of uses
	optionWork = 13 * time.Nanosecond
	useWork    = 3 * time.Nanosecond
)

// meetings is how often the walks of the last stage of a counted run meet.
const meetings = 12

// counted runs the stages one after the other on counted work: walks, the
// prover, walks again. The walks, one per thread, know nothing of each other
// until they meet, so the outcome does not depend on who is faster.
func (r *run) counted(start Plan) int64 {
	var walks []*search
	for k := range r.opt.Threads {
		walks = append(walks, newSearch(r.p, start, r.opt.Seed+int64(k)*secondSeed, nil, r.offer))
	}
	r.phase.Store(optimize.PhaseSearch)
	r.walk(walks, min(r.opt.Work/10, 1500*time.Millisecond))
	r.prove()
	r.phase.Store(optimize.PhaseSearch)
	for part := r.meter.Left() / meetings; len(walks[0].free) > 0 && !r.over(); {
		r.walk(walks, max(part, time.Millisecond))
	}
	total := int64(0)
	for _, h := range walks {
		total += h.iteration
	}
	return total
}

// walk lets every walk search from the best plan for some work.
func (r *run) walk(walks []*search, work time.Duration) {
	if len(walks[0].free) == 0 {
		return
	}
	best, cost := r.pull()
	best = append(Plan(nil), best...)
	pull := func() (Plan, float64) { return best, cost }
	if len(best) == 0 {
		pull = nil
	}
	var wait sync.WaitGroup
	for _, h := range walks {
		until := h.work() + work
		h.stop = func() bool { return r.ctx.Err() != nil || h.work() >= until }
		wait.Go(func() { h.rounds(pull) })
	}
	wait.Wait()
	r.meter.Charge(work)
}

// over says whether nothing is left to gain, or no budget to gain it with.
func (r *run) over() bool { return r.ctx.Err() != nil || r.meter.Left() == 0 || r.closed() }

// closed says whether the asked gap is reached.
func (r *run) closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.infeasible || r.best != nil && !math.IsInf(r.bound, -1) && optimize.Gap(r.objective, math.Min(r.bound, r.objective)) <= r.opt.RelGap
}

// work is what a walk has done so far.
func (h *search) work() time.Duration {
	return time.Duration(h.iteration)*moveBase + time.Duration(h.s.work)*rowWork
}

// step is the work of one price step.
func (d *dual) step() time.Duration {
	uses := 0
	for i, options := range d.p.Options {
		uses += len(options[d.choice[i]].Uses)
	}
	return time.Duration(len(d.spans))*spanWork + time.Duration(len(d.first)+len(d.p.Rows))*optionWork + time.Duration(uses)*useWork
}
