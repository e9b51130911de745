package chart

// Interval is one value with its uncertainty: the mean and the ends of the
// interval around it. Class is the stylesheet class of its fill.
type Interval struct {
	Class, Label, Hint string
	Lo, Mid, Hi        float64
}

// IntervalRow is one row of intervals that are to be compared, such as what
// was promised and what came of it.
type IntervalRow struct {
	Label, Total, Href string
	Spans              []Interval
}

// PlacedInterval is an interval on the screen: X, W and Dot in percent of the
// row, Y in pixels.
type PlacedInterval struct {
	Interval
	X, W, Dot, Y float64
}

// PlacedIntervals is a row with its intervals placed; H is its height in pixels.
type PlacedIntervals struct {
	IntervalRow
	Placed []PlacedInterval
	H      float64
}

// Intervals is a placed chart. Every row shares one scale; Zero is where it
// passes zero, in percent.
type Intervals struct {
	Rows   []PlacedIntervals
	Legend []Interval
	Zero   float64
	Alt    string
	Empty  bool
}

// intervalStep is the height of one interval in its row, in pixels.
const intervalStep = 14.0

// NewIntervals places rows of intervals on a scale that holds zero and all of
// them. The legend names each label once.
func NewIntervals(d Direction, alt string, rows []IntervalRow) Intervals {
	out := Intervals{Alt: alt, Empty: len(rows) == 0}
	f := frame{dir: d}
	seen := map[string]bool{}
	for _, r := range rows {
		for _, s := range r.Spans {
			f.xMin, f.xMax = min(f.xMin, s.Lo, s.Mid), max(f.xMax, s.Hi, s.Mid)
			if !seen[s.Label] {
				seen[s.Label] = true
				out.Legend = append(out.Legend, s)
			}
		}
	}
	if f.xMin == f.xMax {
		f.xMax = f.xMin + 1
	}
	pad := (f.xMax - f.xMin) * 0.02 // so that dots at the ends are whole
	f.xMin, f.xMax = f.xMin-pad, f.xMax+pad
	out.Zero = f.x(0)
	for _, r := range rows {
		row := PlacedIntervals{IntervalRow: r, H: intervalStep * float64(len(r.Spans))}
		for i, s := range r.Spans {
			a, b := f.x(s.Lo), f.x(s.Hi)
			row.Placed = append(row.Placed, PlacedInterval{s, min(a, b), max(a, b) - min(a, b), f.x(s.Mid), intervalStep * (float64(i) + 0.5)})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
