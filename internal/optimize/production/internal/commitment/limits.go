package commitment

import "math"

// addLimits keeps each segment, and load plus headroom, within what the unit
// can do while on, less in the periods next to a start or a stop.
func (g *program) addLimits(c *class) {
	up, down := c.ramps()
	for t := range g.Periods {
		curve := c.curve(t)
		for k := 1; k < len(curve); k++ {
			low, width := curve[k-1].Load, curve[k].Load-curve[k-1].Load
			cut := func(most float64) float64 { return width - math.Min(width, math.Max(0, most-low)) }
			g.limit(c, t, width, cut(c.firstMost()), cut(c.lastMost()), func() { g.term(c.segment[t][k-1], 1) })
		}
		if c.StartMax < c.Min || c.StopMax < c.Min || c.headroom[t] >= 0 || up || down {
			g.addTotal(c, t)
		}
		g.addRange(c, t)
	}
}

// limit adds: what collect collects ≤ width·on − atStart·start − atStop·stop in the
// next period. A unit that may run for one period alone needs two rows.
func (g *program) limit(c *class, t int, width, atStart, atStop float64, collect func()) {
	stops := t+1 < g.Periods && atStop > 0
	if stops && atStart > 0 && c.MinUp < 2 {
		collect()
		g.term(c.on[t], -width)
		g.term(c.start[t], atStart)
		g.term(c.stop[t+1], math.Max(0, atStop-atStart))
		g.row(-inf, 0)
		collect()
		g.term(c.on[t], -width)
		g.term(c.stop[t+1], atStop)
		g.term(c.start[t], math.Max(0, atStart-atStop))
		g.row(-inf, 0)
		return
	}
	collect()
	g.term(c.on[t], -width)
	if atStart > 0 {
		g.term(c.start[t], atStart)
	}
	if stops {
		g.term(c.stop[t+1], atStop)
	}
	g.row(-inf, 0)
}

// addTotal limits load plus headroom. After a start the limit rises with the
// ramp as long as the unit cannot have begun to stop.
func (g *program) addTotal(c *class, t int) {
	reach := c.Max - c.Min
	atStart, atStop := math.Max(0, c.Max-c.StartMax), math.Max(0, c.Max-c.StopMax)
	if c.MinUp < 2 {
		g.limit(c, t, reach, atStart, atStop, func() { g.load(c, t, 1); g.reserve(c, t) })
		return
	}
	g.load(c, t, 1)
	g.reserve(c, t)
	g.term(c.on[t], -reach)
	for k := 0; k <= c.MinUp-2 && t-k >= 0; k++ {
		below := c.Max - c.StartMax - float64(k)*c.RampUp
		if below <= 0 {
			break
		}
		g.term(c.start[t-k], below)
	}
	if t+1 < g.Periods {
		g.term(c.stop[t+1], atStop)
	}
	g.row(-inf, 0)
}

// addRange keeps the load within the floor and ceiling of the period.
func (g *program) addRange(c *class, t int) {
	if c.Ceiling != nil && c.Ceiling[t] < c.Max {
		g.load(c, t, 1)
		g.term(c.on[t], c.Min-c.Ceiling[t])
		g.relax(BreakCeiling, c, t, -1, c.Max)
		g.row(-inf, 0)
	}
	if c.Floor != nil && c.Floor[t] > c.Min {
		g.load(c, t, 1)
		g.term(c.on[t], c.Min-c.Floor[t])
		g.relax(BreakFloor, c, t, 1, c.Max)
		g.row(0, inf)
	}
	if g.slack == nil {
		return
	}
	switch c.asked(t) {
	case On:
		g.term(c.on[t], 1)
		g.relax(BreakOn, c, t, 1, 1)
		g.row(c.n, inf)
	case Off:
		g.term(c.on[t], 1)
		g.relax(BreakOff, c, t, -1, 1)
		g.row(-inf, 0)
	}
}

// addRamps limits the change of load between periods.
func (g *program) addRamps(c *class) {
	up, down := c.ramps()
	for t := range g.Periods {
		if up {
			g.addRampUp(c, t)
		}
		if down && t > 0 {
			g.addRampDown(c, t)
		}
	}
	g.addFirstStop(c)
}

func (g *program) addRampUp(c *class, t int) {
	g.load(c, t, 1)
	g.reserve(c, t)
	if t == 0 && c.Running {
		g.row(-inf, c.n*(c.loadBefore()+c.RampUp))
		return
	}
	if t > 0 {
		g.load(c, t-1, -1)
	}
	g.term(c.on[t], -c.RampUp)
	g.term(c.start[t], c.RampUp-(c.firstMost()-c.Min))
	g.row(-inf, 0)
}

func (g *program) addRampDown(c *class, t int) {
	g.load(c, t-1, 1)
	g.load(c, t, -1)
	g.term(c.on[t-1], -c.RampDown)
	g.term(c.stop[t], c.RampDown-(c.lastMost()-c.Min))
	g.row(-inf, 0)
}

// addFirstStop keeps the load before the first period within reach of the
// load in it.
func (g *program) addFirstStop(c *class) {
	if !c.Running {
		return
	}
	if c.loadBefore() > c.RampDown {
		g.load(c, 0, 1)
		g.row(c.n*(c.loadBefore()-c.RampDown), inf)
	}
	if c.Load > c.StopMax {
		g.model.Upper[c.stop[0]] = 0
	}
}
