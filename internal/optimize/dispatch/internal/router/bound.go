package router

import "math"

// assignmentLimit is up to how many jobs the assignment problem is solved to
// its optimum; above, the first step of the Hungarian method bounds it.
const assignmentLimit = 350

// lowerBound returns a cost that no plan undercuts. Every served job is
// entered once and left once, from and to another job or a home, and each such
// link costs at least its travel at the cheapest rate (for working time: from
// start to start, waiting that windows force included); a job may be left out
// at its cost instead. The cheapest choice of one way in and one way out per
// job is an assignment problem. Routes, shifts and their hours are relaxed.
func (m *model) lowerBound() float64 {
	if m.n == 0 {
		return 0
	}
	l := m.links()
	if int(m.n) > assignmentLimit {
		return l.reduce()
	}
	return l.assign()
}

// links are the costs of the assignment: cost[i][j] of following i by j (the
// diagonal leaves i out), in and out of the first and last link of a route.
type links struct {
	cost    [][]float64
	in, out []float64
}

func (m *model) links() *links {
	n := int(m.n)
	l := &links{cost: make([][]float64, n), in: make([]float64, n), out: make([]float64, n)}
	rate, extra := make([]float64, n), make([]float64, n)
	for j := range n {
		rate[j], extra[j] = m.leastRate(int32(j)), m.leastExtra(int32(j)) // +Inf when nobody can serve j
		l.in[j], l.out[j] = m.ends(int32(j))
		l.in[j] += extra[j]
	}
	for i := range n {
		l.cost[i] = make([]float64, n)
		for j := range n {
			if i == j {
				l.cost[i][j] = m.Jobs[i].Unserved
				continue
			}
			l.cost[i][j] = m.link(int32(i), int32(j), math.Max(rate[i], rate[j])) + extra[j]
		}
	}
	return l
}

// link is the least cost of going from job i to job j.
func (m *model) link(i, j int32, rate float64) float64 {
	a, b := &m.stops[i], &m.stops[j]
	travel := m.travel(m.node[i], m.node[j])
	if m.Depot != nil { // the way may lead over the depot, which may be shorter
		travel = math.Min(travel, m.travel(m.node[i], m.node[m.n])+m.travel(m.node[m.n], m.node[j]))
	}
	if a.from+a.dur+travel > b.to+slack {
		return math.Inf(1)
	}
	if m.Duration {
		return math.Max(a.dur+travel, b.from-a.to)
	}
	return travel * rate
}

// leastRate is the cheapest travel rate of the shifts that may do a job.
func (m *model) leastRate(j int32) float64 {
	least := math.Inf(1)
	for _, s := range m.Jobs[j].Shifts {
		least = math.Min(least, m.Shifts[s].TravelRate)
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// ends returns the least cost of the first link to a job and of the last one
// from it.
func (m *model) ends(j int32) (in, out float64) {
	in, out = math.Inf(1), math.Inf(1)
	for _, k := range m.Jobs[j].Shifts {
		s := &m.Shifts[k]
		to, from := m.travel(int32(s.From), m.node[j]), m.travel(m.node[j], int32(s.To))
		if m.Depot != nil {
			to = math.Min(to, m.travel(int32(s.From), m.node[m.n])+m.travel(m.node[m.n], m.node[j]))
			from = math.Min(from, m.travel(m.node[j], m.node[m.n])+m.travel(m.node[m.n], int32(s.To)))
		}
		if m.Duration {
			in, out = math.Min(in, to), math.Min(out, from+m.stops[j].dur)
		} else {
			in, out = math.Min(in, to*s.TravelRate), math.Min(out, from*s.TravelRate)
		}
	}
	return in, out
}

// reduce bounds the assignment by a feasible dual: the least cost out of each
// job, then the least of what remains into each.
func (l *links) reduce() float64 {
	n, sum := len(l.in), 0.0
	u := make([]float64, n)
	for i := range n {
		u[i] = l.out[i]
		for _, c := range l.cost[i] {
			u[i] = math.Min(u[i], c)
		}
		sum += u[i]
	}
	for j := range n {
		v := l.in[j]
		for i := range n {
			v = math.Min(v, l.cost[i][j]-u[i])
		}
		sum += v
	}
	return sum
}

// assign solves the assignment problem over the jobs and as many homes, with
// shortest augmenting paths (Jonker and Volgenant 1987). Homes are paired with
// each other at no cost.
func (l *links) assign() float64 {
	n := len(l.in)
	at := func(i, j int) float64 {
		switch {
		case i < n && j < n:
			return l.cost[i][j]
		case i < n:
			return l.out[i]
		case j < n:
			return l.in[j]
		default:
			return 0
		}
	}
	size := 2 * n
	u, v := make([]float64, size), make([]float64, size)
	rowOf := make([]int, size) // row of each column
	for j := range rowOf {
		rowOf[j] = -1
	}
	from, dist, done := make([]int, size), make([]float64, size), make([]bool, size)
	for i := range size {
		for j := range size {
			from[j], dist[j], done[j] = -1, math.Inf(1), false
		}
		row, column, base := i, -1, 0.0
		for row >= 0 {
			best := -1
			for j := range size {
				if done[j] {
					continue
				}
				if d := base + at(row, j) - u[row] - v[j]; d < dist[j] {
					dist[j], from[j] = d, column
				}
				if best < 0 || dist[j] < dist[best] {
					best = j
				}
			}
			done[best], column, base = true, best, dist[best]
			row = rowOf[best]
		}
		l.augment(i, column, base, u, v, dist, done, rowOf, from)
	}
	sum := 0.0
	for k := range size {
		sum += u[k] + v[k]
	}
	return sum
}

// augment updates the dual along the shortest path tree and flips the path
// that ends in column.
func (l *links) augment(row, column int, base float64, u, v, dist []float64, done []bool, rowOf, from []int) {
	for j := range done {
		if done[j] && j != column {
			v[j] += dist[j] - base
			u[rowOf[j]] += base - dist[j]
		}
	}
	u[row] += base
	for column >= 0 {
		previous := from[column]
		if previous < 0 {
			rowOf[column] = row
		} else {
			rowOf[column] = rowOf[previous]
		}
		column = previous
	}
}
