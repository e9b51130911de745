// Package chart turns numbers into SVG geometry. It emits no markup and no
// style attributes: templates print the geometry, the stylesheet colours it,
// so pages pass a policy without 'unsafe-inline'. Horizontal positions are
// percentages of the drawing, so a chart stretches without scaling its text.
package chart

import (
	"fmt"
	"math"
	"strings"
)

// Direction of the time axis. In Arabic time runs from the right edge.
type Direction bool

// The two directions of time.
const (
	LTR Direction = false
	RTL Direction = true
)

// For returns the direction of time in a language.
func For(lang string) Direction { return Direction(lang == "ar") }

// At maps a fraction along the time axis to 0..100 percent.
func (d Direction) At(f float64) float64 {
	if d == RTL {
		return 100 * (1 - f)
	}
	return 100 * f
}

// sign is the direction in which time grows on the screen.
func (d Direction) sign() float64 {
	if d == RTL {
		return -1
	}
	return 1
}

// Point is one value: X in any unit that the whole chart shares, such as days
// or seconds; Y in the unit of the value axis.
type Point struct{ X, Y float64 }

// Tick is a labelled position on an axis, in percent.
type Tick struct {
	At    float64
	Label string
	Minor bool
}

// frame maps data coordinates to percent of the plot.
type frame struct {
	dir                    Direction
	xMin, xMax, yMin, yMax float64
}

func (f frame) x(v float64) float64 {
	if f.xMax == f.xMin {
		return f.dir.At(0)
	}
	return f.dir.At((v - f.xMin) / (f.xMax - f.xMin))
}

func (f frame) y(v float64) float64 { return 100 * (1 - (v-f.yMin)/(f.yMax-f.yMin)) }

// path returns an SVG path in a 0..1000 square, drawn inside a nested svg with
// preserveAspectRatio="none" and non-scaling strokes. A gap (NaN) lifts the pen.
func (f frame) path(points []Point, step bool) string {
	var b strings.Builder
	pen := false
	for _, p := range points {
		if math.IsNaN(p.Y) {
			pen = false
			continue
		}
		x, y := f.x(p.X)*10, f.y(p.Y)*10
		switch {
		case !pen:
			fmt.Fprintf(&b, "M%.1f %.1f", x, y)
		case step:
			fmt.Fprintf(&b, "H%.1fV%.1f", x, y)
		default:
			fmt.Fprintf(&b, "L%.1f %.1f", x, y)
		}
		pen = true
	}
	return b.String()
}

// band returns a closed area between an upper and a lower line.
func (f frame) band(hi, lo []Point) string {
	if len(hi) == 0 || len(lo) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(f.path(hi, false))
	for i := len(lo) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "L%.1f %.1f", f.x(lo[i].X)*10, f.y(lo[i].Y)*10)
	}
	return b.String() + "Z"
}

// Spark is a tiny line with its last point marked. Empty reports too few
// values to draw.
type Spark struct {
	Line, Area string
	X, Y       float64
	Empty      bool
}

// NewSpark draws values that are evenly spaced in time, the oldest first.
func NewSpark(d Direction, values []float64) Spark {
	if len(values) < 2 {
		return Spark{Empty: true}
	}
	f := frame{dir: d, xMax: float64(len(values) - 1), yMin: math.Inf(1), yMax: math.Inf(-1)}
	points := make([]Point, len(values))
	for i, v := range values {
		points[i] = Point{float64(i), v}
		f.yMin, f.yMax = min(f.yMin, v), max(f.yMax, v)
	}
	pad := (f.yMax - f.yMin) * .15
	if pad == 0 {
		pad = 1
	}
	f.yMin, f.yMax = f.yMin-pad, f.yMax+pad
	last := points[len(points)-1]
	line := f.path(points, false)
	area := line + fmt.Sprintf("L%.1f 1000L%.1f 1000Z", d.At(1)*10, d.At(0)*10)
	return Spark{Line: line, Area: area, X: d.At(1), Y: f.y(last.Y)}
}
