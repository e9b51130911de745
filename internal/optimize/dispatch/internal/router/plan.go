package router

// plan turns the best solution into routes with times.
func (t *team) plan() Plan {
	s := newEvaluator(t.model)
	copy(s.frozen, t.best.frozen)
	plan := Plan{Cost: t.best.cost}
	count := make([]int, t.n)
	for k, visits := range t.best.visits {
		if len(visits) == 0 {
			continue
		}
		r := &route{shift: int32(k), visits: visits}
		if !s.rebuild(r) {
			continue
		}
		out := Route{Shift: k}
		clock, node := s.departure(r), int32(s.Shifts[k].From)
		for _, j := range visits {
			begin := s.begins(j, clock+s.travel(node, s.node[j]))
			v := Visit{Job: int(j), Start: begin, End: begin + s.stops[j].dur}
			clock, node = v.End, s.node[j]
			if j == t.n {
				v.Job = -1
			} else {
				count[j]++
			}
			out.Visits = append(out.Visits, v)
		}
		plan.Routes = append(plan.Routes, out)
	}
	for j := range t.n {
		if count[j] == 0 {
			plan.Unserved = append(plan.Unserved, int(j))
		}
	}
	return plan
}

// departure is when the technician leaves home.
func (e *evaluator) departure(r *route) float64 {
	if e.Duration {
		return r.head[len(r.visits)].l
	}
	return e.Shifts[r.shift].Open
}
