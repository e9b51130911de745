package commitment

// addBalance states supply = demand in every period.
func (g *program) addBalance(b int) {
	d, m := &g.Balances[b], g.model
	var c balanceColumns
	for t := range g.Periods {
		for _, c := range g.classes {
			if c.Balance == b {
				g.term(c.on[t], c.Min)
				g.load(c, t, 1)
			}
		}
		if d.Least != nil {
			c.supply = append(c.supply, m.Column(0, d.Least[t], d.Most[t], false))
			g.term(c.supply[t], 1)
		}
		if g.slack != nil {
			g.relaxDemand(b, t)
		}
		if d.Shortfall != nil && g.slack == nil {
			c.shortfall = append(c.shortfall, m.Column(d.Shortfall[t], 0, inf, false))
			g.term(c.shortfall[t], 1)
		}
		if d.Surplus {
			c.surplus = append(c.surplus, m.Column(0, 0, inf, false))
			g.term(c.surplus[t], -1)
		}
		c.row = append(c.row, g.addStorage(b, &c, t))
	}
	g.balances = append(g.balances, c)
}

// addStorage adds the change of the level, if any, and closes the row.
func (g *program) addStorage(b int, c *balanceColumns, t int) int {
	d := &g.Balances[b]
	want := d.Demand[t]
	if s := d.Storage; s != nil {
		least := 0.0
		if t == g.Periods-1 && g.slack == nil {
			least = s.Final
		}
		c.level = append(c.level, g.model.Column(0, least, s.Capacity, false))
		g.term(c.level[t], -1)
		if t > 0 {
			g.term(c.level[t-1], 1)
		} else {
			want -= s.Initial
		}
	}
	row := g.row(want, want)
	if d.Storage != nil && g.slack != nil && t == g.Periods-1 {
		g.term(c.level[t], 1)
		g.relaxFinal(b, t)
		g.row(d.Storage.Final, inf)
	}
	return row
}

// addReserve asks for headroom in every period. The row is stated on
// capacities, demand added to both sides: so it has the form of a knapsack
// over the units that run.
func (g *program) addReserve() {
	for t, want := range g.Reserve {
		for b := range g.Balances {
			want += g.Balances[b].Demand[t]
			if c := g.balances[b]; c.supply != nil {
				g.term(c.supply[t], 1)
			}
		}
		for _, c := range g.classes {
			if c.headroom[t] >= 0 {
				g.term(c.on[t], c.Min)
				g.load(c, t, 1)
				g.reserve(c, t)
				continue
			}
			g.term(c.on[t], c.Max)
			g.term(c.start[t], -max(0, c.Max-c.StartMax))
			if t+1 < g.Periods {
				g.term(c.stop[t+1], -max(0, c.Max-c.StopMax))
			}
		}
		g.row(want, inf)
	}
}
