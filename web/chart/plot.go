package chart

import "math"

// Line is one curve of a plot. Class is the stylesheet class that colours it
// (ln-main, ln-good, ln-warn, ln-alt, ln-bad); Step draws horizontal then
// vertical pieces, as a solver's bounds move.
type Line struct {
	Class, Label string
	Points       []Point
	Step         bool
}

// Area is a shaded band between two curves, such as an uncertainty interval.
// Class is band or band-good.
type Area struct {
	Class, Label string
	High, Low    []Point
}

// Mark is a labelled value: a limit on the value axis or a moment on the time
// axis.
type Mark struct {
	At    float64
	Label string
}

// Input describes a plot. Lines and areas share the X unit. Height is in
// pixels, 252 when zero. YMin and YMax widen the value axis; it always covers
// the data and the limit. YFormat prints a value tick, XTicks are placed as
// given.
type Input struct {
	Dir        Direction
	Height     int
	Lines      []Line
	Areas      []Area
	Limit, Now *Mark
	Dot        *Point
	YMin, YMax *float64
	YFormat    func(float64) string
	XTicks     []Mark
	Alt        string
}

// Shape is one drawn path and its legend entry.
type Shape struct{ Class, Label, D string }

// Placed is a mark on the screen, in percent.
type Placed struct {
	At    float64
	Label string
}

// Plot is a placed chart. Start is the reading edge in percent and Sign the
// direction of time (1 to the right, -1 to the left), from which the template
// offsets its labels.
type Plot struct {
	Height      int
	Lines       []Shape
	Areas       []Shape
	Y, X        []Tick
	Limit, Now  *Placed
	Dot         *Point
	Start, Sign int
	Alt         string
	Empty       bool
	LTR         bool   // of a plot that never mirrors
	Spots       []Spot // of a scatter
}

// NewPlot places a chart. Without a single value it returns an empty plot.
func NewPlot(in Input) Plot {
	p := Plot{Height: in.Height, Alt: in.Alt, Start: int(in.Dir.At(0)), Sign: int(in.Dir.sign())}
	if p.Height == 0 {
		p.Height = 252
	}
	f, ok := in.frame()
	if !ok {
		p.Empty = true
		return p
	}
	ticks := nice(f.yMin, f.yMax, 4)
	f.yMin, f.yMax = ticks[0], ticks[len(ticks)-1]
	for _, v := range ticks {
		p.Y = append(p.Y, Tick{At: f.y(v), Label: in.YFormat(v)})
	}
	for _, m := range in.XTicks {
		p.X = append(p.X, Tick{At: f.x(m.At), Label: m.Label})
	}
	for _, a := range in.Areas {
		p.Areas = append(p.Areas, Shape{a.Class, a.Label, f.band(a.High, a.Low)})
	}
	for _, l := range in.Lines {
		p.Lines = append(p.Lines, Shape{l.Class, l.Label, f.path(l.Points, l.Step)})
	}
	if in.Limit != nil {
		p.Limit = &Placed{f.y(in.Limit.At), in.Limit.Label}
	}
	if in.Now != nil {
		p.Now = &Placed{f.x(in.Now.At), in.Now.Label}
	}
	if in.Dot != nil {
		p.Dot = &Point{f.x(in.Dot.X), f.y(in.Dot.Y)}
	}
	return p
}

// frame finds the extent of everything that is drawn.
func (in Input) frame() (frame, bool) {
	f := frame{dir: in.Dir, xMin: math.Inf(1), xMax: math.Inf(-1), yMin: math.Inf(1), yMax: math.Inf(-1)}
	see := func(points []Point) {
		for _, p := range points {
			if math.IsNaN(p.Y) || math.IsInf(p.Y, 0) {
				continue
			}
			f.xMin, f.xMax = min(f.xMin, p.X), max(f.xMax, p.X)
			f.yMin, f.yMax = min(f.yMin, p.Y), max(f.yMax, p.Y)
		}
	}
	for _, l := range in.Lines {
		see(l.Points)
	}
	for _, a := range in.Areas {
		see(a.High)
		see(a.Low)
	}
	if math.IsInf(f.xMin, 0) {
		return f, false
	}
	if in.Limit != nil {
		f.yMin, f.yMax = min(f.yMin, in.Limit.At), max(f.yMax, in.Limit.At)
	}
	if in.YMin != nil {
		f.yMin = min(f.yMin, *in.YMin)
	}
	if in.YMax != nil {
		f.yMax = max(f.yMax, *in.YMax)
	}
	return f, true
}

// nice returns about n+1 round values that cover lo..hi.
func nice(lo, hi float64, n int) []float64 {
	if hi-lo < 1e-12*max(1, math.Abs(hi)) {
		lo, hi = lo-1, hi+1
	}
	raw := (hi - lo) / float64(n)
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * base
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*base >= raw*0.999 {
			step = m * base
			break
		}
	}
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	var ticks []float64
	for k := first; k <= last; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}
