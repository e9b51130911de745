package router

// plan turns a solution into routes with times.
func (m *model) plan(b *snapshot) Plan {
	s := newEvaluator(m)
	copy(s.frozen, b.frozen)
	plan := Plan{Cost: b.cost}
	count := make([]int, m.n)
	for k, visits := range b.visits {
		if len(visits) == 0 {
			continue
		}
		r := &route{shift: int32(k), visits: visits}
		s.rebuild(r)
		out := Route{Shift: k}
		clock, node := s.departure(r), int32(s.Shifts[k].From)
		for _, j := range visits {
			begin := s.begins(j, clock+s.travel(node, s.node[j]))
			v := Visit{Job: int(j), Start: begin, End: begin + s.stops[j].dur}
			clock, node = v.End, s.node[j]
			if j == m.n {
				v.Job = -1
			} else {
				count[j]++
			}
			out.Visits = append(out.Visits, v)
		}
		plan.Routes = append(plan.Routes, out)
	}
	for j := range m.n {
		if count[j] == 0 {
			plan.Unserved = append(plan.Unserved, int(j))
		}
	}
	return plan
}

// departure is when the technician leaves home.
func (e *evaluator) departure(r *route) float64 {
	if e.Duration {
		n := len(r.visits)
		h, s := &r.head[n], &e.Shifts[r.shift]
		return min(h.l, s.Close-e.travel(h.node, int32(s.To))-h.d)
	}
	return e.Shifts[r.shift].Open
}
