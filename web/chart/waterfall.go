package chart

// Step is one row of a waterfall: a change that is added to what stands
// before it, or a total that the bar shows from zero. Text is the printed
// value.
type Step struct {
	Label, Text string
	Value       float64
	Total       bool
}

// PlacedStep is a step with its bar placed, in percent of the row. Class is
// its fill: total, up or down.
type PlacedStep struct {
	Step
	Class string
	X, W  float64
}

// Waterfall shows how changes lead from one total to another. Zero is where
// the value axis begins, in percent.
type Waterfall struct {
	Rows []PlacedStep
	Zero float64
	Alt  string
}

// NewWaterfall places steps in order; all rows share one scale that holds zero
// and every sum on the way.
func NewWaterfall(d Direction, alt string, steps []Step) Waterfall {
	type bar struct{ from, to float64 }
	bars := make([]bar, len(steps))
	at, low, high := 0.0, 0.0, 0.0
	for i, s := range steps {
		if s.Total {
			bars[i], at = bar{0, s.Value}, s.Value
		} else {
			bars[i], at = bar{at, at + s.Value}, at+s.Value
		}
		low, high = min(low, bars[i].from, bars[i].to), max(high, bars[i].from, bars[i].to)
	}
	if high == low {
		high = low + 1
	}
	x := func(v float64) float64 { return d.At((v - low) / (high - low)) }
	out := Waterfall{Alt: alt, Zero: x(0)}
	for i, s := range steps {
		a, b := x(bars[i].from), x(bars[i].to)
		row := PlacedStep{Step: s, Class: "up", X: min(a, b), W: max(a, b) - min(a, b)}
		switch {
		case s.Total:
			row.Class = "total"
		case s.Value < 0:
			row.Class = "down"
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
