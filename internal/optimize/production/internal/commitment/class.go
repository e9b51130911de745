package commitment

// class is a set of identical units that one set of integer columns decides
// together; most have one member. Units without binding ramps can be told
// apart afterwards at no loss, because minimum times, limits and convex costs
// of a sum of such units split again (Knueven, Ostrowski and Watson,
// "Exploiting Identical Generators in Unit Commitment", 2018).
type class struct {
	*Unit
	members []int
	n       float64

	// Columns by period: how many run, start, stop; the headroom of all, −1
	// where it follows from the limits; the load of all by segment.
	on, start, stop, headroom []int
	segment                   [][]int
	matches                   []match
}

// match is a column that counts starts in period t after stops in period
// stop; wide ones cover a run of periods that ends at stop.
type match struct {
	stop, t, column int
	wide            bool
}

// classes groups the units that name the same Kind and have no binding ramps.
func (p *Problem) classes() []*class {
	var list []*class
	byKind := map[string]*class{}
	for i := range p.Units {
		u := &p.Units[i]
		up, down := u.ramps()
		if c := byKind[u.Kind]; c != nil {
			c.members = append(c.members, i)
			c.n++
			continue
		}
		c := &class{Unit: u, members: []int{i}, n: 1}
		if u.Kind != "" && !up && !down {
			byKind[u.Kind] = c
		}
		list = append(list, c)
	}
	return list
}
