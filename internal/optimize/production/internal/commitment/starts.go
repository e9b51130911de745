package commitment

import "github.com/optria-iq/optria/internal/optimize/mip"

// longRun is the number of periods with the same saving from which a start is
// matched with all of them together: weaker, but far fewer columns.
const longRun = 12

// addStartCosts gives back, for a start matched with a stop not long before,
// what it costs less than a cold start. No start and no stop is matched twice.
func (g *program) addStartCosts(c *class) {
	if c.StartSaving == nil {
		return
	}
	after := make([][]mip.Term, g.Periods) // by period of the stop
	var first []mip.Term                   // from the stop before the first period
	for t := range g.Periods {
		var here []mip.Term
		for _, run := range c.savings(t) {
			for _, stop := range run.stops() {
				j := g.model.Column(-run.saving, 0, c.n, false)
				here = append(here, mip.Term{Column: j, Value: 1})
				c.matches = append(c.matches, match{stop: stop, t: t, column: j, wide: run.wide()})
				switch {
				case run.wide():
					g.addWide(c, run, j)
				case stop < 0:
					first = append(first, mip.Term{Column: j, Value: 1})
				default:
					after[stop] = append(after[stop], mip.Term{Column: j, Value: 1})
				}
			}
		}
		if len(here) > 0 {
			g.model.Row(-inf, 0, append(here, mip.Term{Column: c.start[t], Value: -1})...)
		}
	}
	if len(first) > 0 {
		g.model.Row(-inf, c.n, first...)
	}
	for stop, terms := range after {
		if len(terms) > 0 {
			g.model.Row(-inf, 0, append(terms, mip.Term{Column: c.stop[stop], Value: -1})...)
		}
	}
}

// run is a range of stop periods after which a start saves the same; initial
// says that the stop before the first period belongs to it.
type run struct {
	from, to int // latest and earliest stop, from ≥ to; empty when from < to
	initial  bool
	since    int
	saving   float64
}

func (r run) wide() bool { return r.from-r.to+1 >= longRun }

// stops lists the stops that get a match of their own; a wide run has one.
func (r run) stops() []int {
	if r.wide() {
		return []int{r.from}
	}
	var list []int
	for s := r.from; s >= r.to; s-- {
		list = append(list, s)
	}
	if r.initial {
		list = append(list, -r.since)
	}
	return list
}

// savings lists the runs of stops that make a start in period t cheaper.
func (c *class) savings(t int) []run {
	var list []run
	for stop := t - c.MinDown; stop >= 0; stop-- {
		saving := c.StartSaving(stop, t)
		if last := len(list) - 1; last >= 0 && list[last].saving == saving {
			list[last].to = stop
			continue
		}
		list = append(list, run{from: stop, to: stop, saving: saving})
	}
	if !c.Running && t >= c.MinDown-c.Since {
		saving := c.StartSaving(-c.Since, t)
		if last := len(list) - 1; last >= 0 && list[last].saving == saving {
			list[last].initial, list[last].since = true, c.Since
		} else {
			list = append(list, run{from: -1, to: 0, initial: true, since: c.Since, saving: saving})
		}
	}
	kept := list[:0]
	for _, r := range list {
		if r.saving > 0 {
			kept = append(kept, r)
		}
	}
	return kept
}

// addWide keeps a wide match within the stops of its run.
func (g *program) addWide(c *class, r run, column int) {
	g.term(column, 1)
	for s := r.to; s <= r.from; s++ {
		g.term(c.stop[s], -1)
	}
	upper := 0.0
	if r.initial {
		upper = c.n
	}
	g.row(-inf, upper)
}
