package timetable

import (
	"math"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

// program is a mixed-integer program over a part of the options.
type program struct {
	model  *mip.Model
	column [][]int32 // per action and option, −1 when left out
}

// newProgram states the problem over the kept options (nil keeps all): one
// option per action, every row that could be broken, and, with scenarios, the
// exact quantile.
func newProgram(p *Problem, kept [][]bool, scenarios bool) *program {
	g := &program{model: mip.New("maintenance"), column: make([][]int32, len(p.Options))}
	for i, options := range p.Options {
		g.column[i] = make([]int32, len(options))
		var terms []mip.Term
		for o := range options {
			g.column[i][o] = -1
			if kept == nil || kept[i][o] {
				j := g.model.Binary(options[o].Cost)
				g.column[i][o] = int32(j)
				terms = append(terms, mip.Term{Column: j, Value: 1})
			}
		}
		g.model.Row(1, 1, terms...)
	}
	g.addRows(p)
	if scenarios && p.Quantile != nil {
		g.addQuantile(p)
	}
	return g
}

func (g *program) addRows(p *Problem) {
	terms := make([][]mip.Term, len(p.Rows))
	most, least := make([]float64, len(p.Rows)), make([]float64, len(p.Rows))
	for i, options := range p.Options {
		high, low, count := map[int32]float64{}, map[int32]float64{}, map[int32]int{}
		n := 0
		for o := range options {
			j := g.column[i][o]
			if j < 0 {
				continue
			}
			n++
			for _, u := range options[o].Uses {
				terms[u.Row] = append(terms[u.Row], mip.Term{Column: int(j), Value: u.Amount})
				high[u.Row] = math.Max(high[u.Row], u.Amount)
				if count[u.Row]++; count[u.Row] == 1 {
					low[u.Row] = u.Amount
				}
				low[u.Row] = math.Min(low[u.Row], u.Amount)
			}
		}
		for r, v := range high {
			most[r] += v
			if count[r] == n || low[r] < 0 { // otherwise some option leaves the row alone
				least[r] += low[r]
			}
		}
	}
	for r, row := range p.Rows {
		if row.excess(most[r]) > 0 || row.excess(least[r]) > 0 {
			g.model.Row(row.Lower, row.Upper, terms[r]...)
		}
	}
}

// addQuantile states Weight·e_d with e_d at least the Rank-th smallest of the
// deviations from the day's mean: all but S − Rank scenarios, marked by
// binaries, must stay below e_d.
func (g *program) addQuantile(p *Problem) {
	q := p.Quantile
	byDay := make([][]dayTerm, len(q.Scenarios))
	for i, options := range p.Options {
		for o := range options {
			if j := g.column[i][o]; j >= 0 {
				for k := range options[o].Risks {
					r := &options[o].Risks[k]
					byDay[r.Day] = append(byDay[r.Day], dayTerm{action: i, column: int(j), risk: r})
				}
			}
		}
	}
	for d, entries := range byDay {
		if len(entries) > 0 && q.Scenarios[d] > 1 {
			g.addDay(q, d, entries)
		}
	}
}

type dayTerm struct {
	action, column int
	risk           *Risk
}

func (g *program) addDay(q *Quantile, d int, entries []dayTerm) {
	excess := g.model.Column(q.Weight, 0, math.Inf(1), false)
	var above []mip.Term
	for s := range q.Scenarios[d] {
		largest, last, top := 0.0, -1, 0.0
		terms := []mip.Term{{Column: excess, Value: -1}}
		for _, e := range entries {
			dev := e.risk.Values[s] - e.risk.Mean
			if e.action != last {
				largest += top
				last, top = e.action, 0
			}
			top = math.Max(top, dev)
			terms = append(terms, mip.Term{Column: e.column, Value: dev})
		}
		if largest += top; largest <= 0 {
			continue // this scenario never exceeds the mean
		}
		y := g.model.Binary(0)
		above = append(above, mip.Term{Column: y, Value: 1})
		g.model.Row(math.Inf(-1), 0, append(terms, mip.Term{Column: y, Value: -largest})...)
	}
	g.model.Row(math.Inf(-1), float64(q.Scenarios[d]-q.Rank[d]), above...)
}

// hint makes a plan the solver's start, as far as its options are kept;
// columns of the quantile are left for the solver to fill.
func (g *program) hint(plan Plan) {
	h := make([]float64, g.model.Columns())
	for j := range h {
		h[j] = math.NaN()
	}
	for i, columns := range g.column {
		if plan[i] < 0 || columns[plan[i]] < 0 {
			return
		}
		for o, j := range columns {
			if j >= 0 {
				h[j] = 0
				if int32(o) == plan[i] {
					h[j] = 1
				}
			}
		}
	}
	g.model.Hint = h
}

// plan reads the chosen options out of a checked point.
func (g *program) plan(x []float64) Plan {
	plan := make(Plan, len(g.column))
	for i, columns := range g.column {
		for o, j := range columns {
			if j >= 0 && x[j] > .5 {
				plan[i] = int32(o)
			}
		}
	}
	return plan
}

// Model returns the whole problem with its exact quantile.
func Model(p *Problem) *mip.Model { return newProgram(p, nil, true).model }
