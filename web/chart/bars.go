package chart

// Part is one coloured piece of a stacked bar. Class is the stylesheet class
// of its fill: s1, s2, s3, s4 or bad.
type Part struct {
	Class, Label string
	Value        float64
}

// Bar is one row of a bar chart: a name, the printed total and its parts.
// Best marks the row to prefer, Href makes the name a link.
type Bar struct {
	Label, Total, Note, Href string
	Parts                    []Part
	Best                     bool
}

// Piece is a placed part: X and W in percent of the row.
type Piece struct {
	Class, Label string
	X, W         float64
}

// PlacedBar is a row with its pieces placed.
type PlacedBar struct {
	Bar
	Pieces []Piece
}

// Bars is a placed bar chart; every row shares one scale that starts at zero.
type Bars struct {
	Rows   []PlacedBar
	Legend []Part
	Alt    string
}

// NewBars places stacked horizontal bars, such as the cost of each scenario by
// kind of cost. Negative parts are drawn with no width. The longest bar fills
// the row.
func NewBars(d Direction, alt string, bars []Bar) Bars {
	out := Bars{Alt: alt}
	longest := 0.0
	seen := map[string]bool{}
	for _, b := range bars {
		total := 0.0
		for _, p := range b.Parts {
			total += max(0, p.Value)
			if p.Label != "" && !seen[p.Label] {
				seen[p.Label] = true
				out.Legend = append(out.Legend, p)
			}
		}
		longest = max(longest, total)
	}
	if longest == 0 {
		longest = 1
	}
	for _, b := range bars {
		row, at := PlacedBar{Bar: b}, 0.0
		for _, p := range b.Parts {
			w := 100 * max(0, p.Value) / longest
			x := at
			if d == RTL {
				x = 100 - at - w
			}
			row.Pieces = append(row.Pieces, Piece{p.Class, p.Label, x, w})
			at += w
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
