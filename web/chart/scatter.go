package chart

// Spot is one labelled point of a scatter. In a placed plot X and Y are
// percent. Main marks the point that the page is about.
type Spot struct {
	Point
	Label, Hint string
	Main        bool
}

// ScatterInput describes a scatter of two quantities, such as cost against
// risk. It reads from the left in every language, because neither axis is
// time. With Join the points are connected in their order.
type ScatterInput struct {
	Height           int // pixels, 300 when zero
	Spots            []Spot
	Lines            []Line // drawn behind the points, such as a diagonal
	Join             bool
	XFormat, YFormat func(float64) string
	Alt              string
}

// NewScatter places a scatter. Without a point it returns an empty plot.
func NewScatter(in ScatterInput) Plot {
	points := make([]Point, len(in.Spots))
	for i, s := range in.Spots {
		points[i] = s.Point
	}
	p := Plot{Height: in.Height, Alt: in.Alt, Start: int(LTR.At(0)), Sign: int(LTR.sign()), LTR: true}
	if p.Height == 0 {
		p.Height = 300
	}
	f, ok := Input{Lines: append([]Line{{Points: points}}, in.Lines...)}.frame()
	if !ok {
		p.Empty = true
		return p
	}
	across, up := nice(f.xMin, f.xMax, 4), nice(f.yMin, f.yMax, 4)
	f.xMin, f.xMax, f.yMin, f.yMax = across[0], across[len(across)-1], up[0], up[len(up)-1]
	for _, v := range across {
		p.X = append(p.X, Tick{At: f.x(v), Label: in.XFormat(v)})
	}
	for _, v := range up {
		p.Y = append(p.Y, Tick{At: f.y(v), Label: in.YFormat(v)})
	}
	for _, l := range in.Lines {
		p.Lines = append(p.Lines, Shape{l.Class, l.Label, f.path(l.Points, l.Step)})
	}
	if in.Join {
		p.Lines = append(p.Lines, Shape{Class: "ln-front", D: f.path(points, false)})
	}
	for _, s := range in.Spots {
		s.Point = Point{f.x(s.X), f.y(s.Y)}
		p.Spots = append(p.Spots, s)
	}
	return p
}
