package timetable

import "math"

// state is a plan with everything that moves change kept up to date.
type state struct {
	p      *Problem
	plan   Plan
	use    []float64
	scale  []float64 // one typical use of each row, so that violations compare
	linear float64
	work   int64 // rows and scenarios touched so far

	violation float64 // Σ excess/scale
	broken    int     // rows violated

	risk    [][]float64 // per day and scenario
	mean    []float64
	excess  []float64
	spread  float64 // Σ excess
	scratch []float64

	mark    []int64 // stamps of the days a move touches
	stamp   int64
	touched []int32
	before  []float64 // excess of the touched days before the move
}

func newState(p *Problem, plan Plan) *state {
	s := &state{p: p, plan: make(Plan, len(plan)), use: make([]float64, len(p.Rows)), scale: rowScales(p)}
	if q := p.Quantile; q != nil {
		largest := 0
		for _, n := range q.Scenarios {
			s.risk = append(s.risk, make([]float64, n))
			largest = max(largest, n)
		}
		s.mean, s.excess = make([]float64, len(q.Scenarios)), make([]float64, len(q.Scenarios))
		s.mark, s.scratch = make([]int64, len(q.Scenarios)), make([]float64, largest)
	}
	s.reset(plan)
	return s
}

// rowScales returns the mean use that options make of each row.
func rowScales(p *Problem) []float64 {
	sum, n := make([]float64, len(p.Rows)), make([]float64, len(p.Rows))
	for _, options := range p.Options {
		for _, o := range options {
			for _, u := range o.Uses {
				sum[u.Row] += math.Abs(u.Amount)
				n[u.Row]++
			}
		}
	}
	for r := range sum {
		if sum[r] > 0 {
			sum[r] /= n[r]
		} else {
			sum[r] = 1
		}
	}
	return sum
}

// reset recomputes everything for a plan, which also removes rounding drift.
func (s *state) reset(plan Plan) {
	copy(s.plan, plan)
	copy(s.use, s.p.Usage(plan))
	s.linear, s.violation, s.broken, s.spread = 0, 0, 0, 0
	for i, o := range plan {
		s.linear += s.p.Options[i][o].Cost
	}
	for r, use := range s.use {
		if v := s.p.Rows[r].excess(use); v > 0 {
			s.violation += v / s.scale[r]
			s.broken++
		}
	}
	if s.p.Quantile == nil {
		return
	}
	for d := range s.risk {
		clear(s.risk[d])
		s.mean[d] = 0
	}
	for i, o := range plan {
		s.addRisk(&s.p.Options[i][o], 1)
	}
	for d := range s.excess {
		s.excess[d] = s.excessOf(d)
		s.spread += s.excess[d]
	}
}

// cost is the objective without the penalty.
func (s *state) cost() float64 {
	if s.p.Quantile == nil {
		return s.linear
	}
	return s.linear + s.p.Quantile.Weight*s.spread
}

// choose switches action i to option o in the linear part and the rows.
func (s *state) choose(i int, o int32) {
	from, to := &s.p.Options[i][s.plan[i]], &s.p.Options[i][o]
	s.linear += to.Cost - from.Cost
	s.work += int64(len(from.Uses) + len(to.Uses))
	for _, u := range from.Uses {
		s.shift(u.Row, -u.Amount)
	}
	for _, u := range to.Uses {
		s.shift(u.Row, u.Amount)
	}
	s.plan[i] = o
}

func (s *state) shift(r int32, amount float64) {
	row := s.p.Rows[r]
	before := row.excess(s.use[r])
	s.use[r] += amount
	after := row.excess(s.use[r])
	if before == after {
		return
	}
	s.violation += (after - before) / s.scale[r]
	if before == 0 {
		s.broken++
	} else if after == 0 {
		s.broken--
		if s.broken == 0 {
			s.violation = 0
		}
	}
}

func (s *state) addRisk(o *Option, sign float64) {
	for k := range o.Risks {
		r := &o.Risks[k]
		s.mean[r.Day] += sign * r.Mean
		sum := s.risk[r.Day]
		s.work += int64(len(r.Values)) / vectorised
		if sign > 0 {
			for n, v := range r.Values {
				sum[n] += v
			}
		} else {
			for n, v := range r.Values {
				sum[n] -= v
			}
		}
	}
}

// touch starts or extends the list of days that the current move changes.
func (s *state) touch(o *Option) {
	for k := range o.Risks {
		if d := o.Risks[k].Day; s.mark[d] != s.stamp {
			s.mark[d] = s.stamp
			s.touched = append(s.touched, d)
			s.before = append(s.before, s.excess[d])
		}
	}
}

func (s *state) beginMove() {
	s.stamp++
	s.touched, s.before = s.touched[:0], s.before[:0]
}

// refresh recomputes the excess of the touched days.
func (s *state) refresh() {
	for _, d := range s.touched {
		e := s.excessOf(int(d))
		s.spread += e - s.excess[d]
		s.excess[d] = e
	}
}

// restore puts back the excess of the touched days.
func (s *state) restore() {
	for k, d := range s.touched {
		s.spread += s.before[k] - s.excess[d]
		s.excess[d] = s.before[k]
	}
}

func (s *state) excessOf(d int) float64 {
	n := len(s.risk[d])
	if n == 1 {
		return 0
	}
	s.work += selectWork * int64(n)
	copy(s.scratch[:n], s.risk[d])
	return math.Max(0, selectRank(s.scratch[:n], s.p.Quantile.Rank[d]-1)-s.mean[d])
}

// selectRank returns the k-th smallest value (from 0) and reorders v
// (Hoare's quickselect).
func selectRank(v []float64, k int) float64 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot := v[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}
