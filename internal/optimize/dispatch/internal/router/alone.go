package router

import (
	"math"
	"slices"
)

// leastExtra is the least lateness and change that serving a job costs when
// nothing else is to be done and the way is free, +Inf when no crew can meet
// on it. The crew of any plan could as well meet at the latest of their first
// possible starts, or when the window of that plan opens, so only those times
// are tried.
func (m *model) leastExtra(j int32) float64 {
	least := math.Inf(1)
	for _, t := range m.meetings(j) {
		least = math.Min(least, m.meet(j, t))
	}
	return least
}

// meetings lists the starts at which a crew of job j can meet first.
func (m *model) meetings(j int32) []float64 {
	var times []float64
	for _, w := range m.Jobs[j].Windows {
		times = append(times, w.From)
	}
	for _, s := range m.Jobs[j].Shifts {
		if t := m.start(j, m.Shifts[s].Open); !math.IsInf(t, 1) {
			times = append(times, t)
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// meet is the least lateness and change of job j when it starts at t, +Inf
// when too few technicians, or nobody who may lead, are there for all of it.
// Each of the crew pays its share of the lateness, at least one the change.
func (m *model) meet(j int32, t float64) float64 {
	job, e := &m.Jobs[j], evaluator{model: m}
	crew, led, move := map[int]bool{}, len(job.Lead) == 0, math.Inf(1)
	for _, s := range job.Shifts {
		shift := &m.Shifts[s]
		if shift.Open > t+slack || t+job.Duration > shift.Close+slack {
			continue
		}
		crew[shift.Technician] = true
		led = led || slices.Contains(job.Lead, s)
		move = math.Min(move, e.moved(j, s))
	}
	if len(crew) < job.Crew || !led {
		return math.Inf(1)
	}
	if m.Duration {
		return 0
	}
	return float64(job.Crew)*e.late(j, t) + move
}
