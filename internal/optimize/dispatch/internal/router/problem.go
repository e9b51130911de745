// Package router plans routes: which technician visits which jobs in which
// order on which shift, at the least cost. It knows nothing of files or of
// the product's inputs; package dispatch and its readers state their problems
// in its terms. The search is an adaptive large neighbourhood search with a
// pool of routes that a set partitioning of its own recombines.
package router

import (
	"fmt"
	"math"
)

// Window is a closed interval of allowed start times.
type Window struct{ From, To float64 }

// Problem is one instance. Times and durations share one unit (minutes in
// the product); costs share another. Nodes index Travel.
type Problem struct {
	// Travel holds Nodes × Nodes travel times by rows.
	Travel []float64
	Nodes  int
	Jobs   []Job
	Shifts []Shift
	// Depot, when set, is where missing tools and parts can be fetched: after
	// one visit a route has all tools and any number of parts.
	Depot *Depot
	// Duration makes the objective the total working time (arrival home minus
	// departure, which is delayed as far as it pays). Then each job has one
	// window, crew 1 and no precedence, and lateness, overtime and rates are
	// not used. Without it, shifts start as early as they can and the
	// objective is travel, overtime and lateness at their rates.
	Duration bool
}

// Depot is the central store.
type Depot struct {
	Node   int
	Window Window
}

// Job is one visit, or as many simultaneous visits as Crew says.
type Job struct {
	Node     int
	Duration float64
	// Windows are the allowed starts, ascending and disjoint.
	Windows []Window
	Tools   uint64  // bit set of tools that must be at hand
	Parts   []int32 // consumed units by part; nil for none
	// Shifts lists the shifts that may do the job (skills, pins), ascending.
	Shifts []int32
	Crew   int // technicians at the same time, at least 1
	// Unserved is the cost of leaving the job out.
	Unserved float64
	// A start after Due costs LateRate per unit of time.
	Due, LateRate float64
	// Before lists the jobs that may start only after this one has ended.
	Before []int32
	// Each of the crew on a shift outside Published costs its share of Move;
	// nothing does when Published is empty.
	Published []int32
	Move      float64
	// Lead, when set, lists the shifts of which one must be in the crew.
	Lead []int32
}

// Shift is one technician on one day: at most one route.
type Shift struct {
	Technician int
	From, To   int // nodes where the route starts and ends
	// The route starts at Open or later and ends by Close. Ending after
	// Regular costs OvertimeRate per unit of time.
	Open, Close, Regular     float64
	TravelRate, OvertimeRate float64
	Tools                    uint64
	Parts                    []int32 // units carried by part
}

// Visit is one stop of a route: a job, or the depot (Job −1).
type Visit struct {
	Job        int
	Start, End float64
}

// Route is the work of one shift.
type Route struct {
	Shift  int
	Visits []Visit
}

// Plan is a set of routes, the jobs that no route serves, and its cost.
type Plan struct {
	Routes   []Route
	Unserved []int
	Cost     float64
}

// slack is how far, in units of time, a window may be missed by rounding.
const slack = 1e-7

// model is a Problem laid out for speed. Job n is the visit to the depot.
type model struct {
	*Problem
	n       int32
	node    []int32
	stops   []stop
	back    []float64 // Travel transposed: times to a node, by node
	linked  []bool    // crew or precedence: starts are frozen when placed
	after   [][]int32
	near    [][]int32 // related jobs, nearest first
	parts   int
	allowed []bool // n × shifts
}

// stop is what an insertion test reads of a job: its duration and the hull of
// its windows.
type stop struct{ dur, from, to float64 }

// nearest is how many related jobs are kept per job.
const nearest = 120

func newModel(p *Problem) (*model, error) {
	m := &model{Problem: p, n: int32(len(p.Jobs)), back: make([]float64, len(p.Travel))}
	for a := range p.Nodes {
		for b := range p.Nodes {
			m.back[b*p.Nodes+a] = p.Travel[a*p.Nodes+b]
		}
	}
	for i := range p.Shifts {
		m.parts = max(m.parts, len(p.Shifts[i].Parts))
	}
	m.after = make([][]int32, m.n)
	m.allowed = make([]bool, int(m.n)*len(p.Shifts))
	for j := range p.Jobs {
		job := &p.Jobs[j]
		if len(job.Windows) == 0 {
			return nil, fmt.Errorf("job %d has no window", j)
		}
		m.add(job.Node, job.Duration, job.Windows[0].From, job.Windows[len(job.Windows)-1].To)
		m.linked = append(m.linked, job.Crew > 1 || len(job.Before) > 0)
		if p.Duration && (len(job.Windows) > 1 || m.linked[j]) {
			return nil, fmt.Errorf("job %d: working time is minimised over single windows and visits only", j)
		}
		for _, s := range job.Shifts {
			m.allowed[j*len(p.Shifts)+int(s)] = true
		}
	}
	for j := range p.Jobs {
		for _, k := range p.Jobs[j].Before {
			m.after[k] = append(m.after[k], int32(j))
			m.linked[k] = true
		}
	}
	if p.Depot != nil {
		m.add(p.Depot.Node, 0, p.Depot.Window.From, p.Depot.Window.To)
		m.linked = append(m.linked, false)
	}
	return m, nil
}

func (m *model) add(node int, duration, from, to float64) {
	m.node = append(m.node, int32(node))
	m.stops = append(m.stops, stop{duration, from, to})
}

// travel is the time from node a to node b.
func (m *model) travel(a, b int32) float64 { return m.Travel[int(a)*m.Nodes+int(b)] }

// may says whether a shift may do a job.
func (m *model) may(j, shift int32) bool { return m.allowed[int(j)*len(m.Shifts)+int(shift)] }

// start is the earliest allowed start of job j at t or later, +Inf when there
// is none.
func (m *model) start(j int32, t float64) float64 {
	if t > m.stops[j].to+slack {
		return math.Inf(1)
	}
	if j == m.n {
		return math.Max(t, m.stops[j].from)
	}
	for _, w := range m.Jobs[j].Windows {
		if t <= w.To+slack {
			return math.Max(t, w.From)
		}
	}
	return math.Inf(1)
}

// latest is the latest allowed start of job j at t or before, −Inf when there
// is none.
func (m *model) latest(j int32, t float64) float64 {
	if j == m.n {
		if t < m.stops[j].from {
			return math.Inf(-1)
		}
		return math.Min(t, m.stops[j].to)
	}
	windows := m.Jobs[j].Windows
	for k := len(windows) - 1; k >= 0; k-- {
		if t >= windows[k].From {
			return math.Min(t, windows[k].To)
		}
	}
	return math.Inf(-1)
}

// carries says whether a shift holds what a job needs, when left is what
// remains of its parts.
func (m *model) carries(j, shift int32, left []int32) bool {
	if j == m.n {
		return true
	}
	job := &m.Jobs[j]
	if job.Tools&^m.Shifts[shift].Tools != 0 {
		return false
	}
	for k, units := range job.Parts {
		if units > 0 && (k >= len(left) || left[k] < units) {
			return false
		}
	}
	return true
}

// take uses up the parts of a job that carries has let pass.
func (m *model) take(j int32, left []int32) {
	for k, units := range m.Jobs[j].Parts {
		if units > 0 {
			left[k] -= units
		}
	}
}
