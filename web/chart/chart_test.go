package chart

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	file := filepath.Join("testdata", name+".golden.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

func directions(t *testing.T, f func(t *testing.T, d Direction, suffix string)) {
	for suffix, d := range map[string]Direction{"ltr": LTR, "rtl": RTL} {
		t.Run(suffix, func(t *testing.T) { t.Parallel(); f(t, d, suffix) })
	}
}

func TestPlotGolden(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, d Direction, suffix string) {
		golden(t, "plot-"+suffix, NewPlot(Input{
			Dir: d, Alt: "risk",
			Lines: []Line{{Class: "ln-main", Label: "measured", Points: []Point{{0, 40}, {10, 62}, {20, math.NaN()}, {30, 51}}}, {Class: "ln-good", Step: true, Points: []Point{{30, 51}, {38, 37}}}},
			Areas: []Area{{Class: "band", High: []Point{{0, 48}, {30, 60}}, Low: []Point{{0, 31}, {30, 42}}}},
			Limit: &Mark{70, "limit"}, Now: &Mark{30, "now"}, Dot: &Point{30, 51},
			YFormat: func(v float64) string { return fmt.Sprint(v) },
			XTicks:  []Mark{{0, "1 Nov"}, {30, "1 Dec"}},
		}))
	})
}

func TestGanttGolden(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, d Direction, suffix string) {
		now := 1.5
		golden(t, "gantt-"+suffix, NewGantt(GanttInput{
			Dir: d, Alt: "plan", Now: &now,
			Days:  []Day{{Weekday: "Thu", Number: "12"}, {Weekday: "Fri", Number: "13", Off: true}, {Weekday: "Sat", Number: "14", Off: true}, {Weekday: "Sun", Number: "15"}},
			Rows:  []Row{{Tag: "K-1", Level: 5}, {Tag: "P-2", Level: 2}},
			Jobs:  []Job{{ID: "a", Row: 0, Risk: 5, Start: 0, End: 2, Was: &[2]float64{1, 3}, Done: .5, Label: "Seal"}, {ID: "b", Row: 1, Risk: 2, Start: 3, End: 3.5, Label: "Lubrication"}},
			Links: []Link{{"a", "b"}, {"a", "gone"}},
			Loads: []Load{{8, 16, "8"}, {0, 0, ""}, {0, 0, ""}, {20, 16, "20"}},
		}))
	})
}

// A scatter has no time axis, so it reads from the left in every language.
func TestScatterGolden(t *testing.T) {
	t.Parallel()
	in := ScatterInput{Alt: "cost against risk", Join: true, XFormat: func(v float64) string { return fmt.Sprint(v) }, YFormat: func(v float64) string { return fmt.Sprint(v) },
		Spots: []Spot{{Point: Point{60, 13}, Label: "1"}, {Point: Point{145, 2.9}, Label: "2", Main: true, Hint: "shown"}, {Point: Point{250, .8}, Label: "3"}}}
	golden(t, "scatter", NewScatter(in))
	require.True(t, NewScatter(ScatterInput{}).Empty)
}

// The way to a job lies before its start, on the side time comes from.
func TestGanttDrawsTheWay(t *testing.T) {
	t.Parallel()
	in := GanttInput{Days: make([]Day, 10), Rows: make([]Row, 1), Jobs: []Job{{ID: "a", Start: 2, End: 4, Lead: 1.5}, {ID: "b", Start: .5, End: 1, Lead: 2}}}
	ltr := NewGantt(in)
	require.InDelta(t, 5, ltr.Rects[0].LX, 1e-9)
	require.InDelta(t, 15, ltr.Rects[0].LW, 1e-9)
	require.InDelta(t, 5, ltr.Rects[1].LW, 1e-9, "a way that began before the drawing is cut")
	in.Dir = RTL
	require.InDelta(t, 80, NewGantt(in).Rects[0].LX, 1e-9)
}

func TestBarsGolden(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, d Direction, suffix string) {
		golden(t, "bars-"+suffix, NewBars(d, "cost", []Bar{
			{Label: "current", Total: "4.9", Parts: []Part{{"s1", "failure", 3}, {"s2", "work", 1.9}}},
			{Label: "plan", Total: "4.1", Best: true, Parts: []Part{{"s1", "failure", 2}, {"s2", "work", 2.1}}},
		}))
	})
}

func TestWaterfallGolden(t *testing.T) {
	t.Parallel()
	directions(t, func(t *testing.T, d Direction, suffix string) {
		golden(t, "waterfall-"+suffix, NewWaterfall(d, "remaining life", []Step{
			{Label: "average", Text: "120", Value: 120, Total: true}, {Label: "vibration", Text: "-80", Value: -80}, {Label: "load", Text: "+10", Value: 10},
			{Label: "now", Text: "50", Value: 50, Total: true},
		}))
	})
	flat := NewWaterfall(LTR, "", []Step{{Total: true}})
	require.Zero(t, flat.Rows[0].W)
	below := NewWaterfall(LTR, "", []Step{{Value: 10, Total: true}, {Value: -30}})
	require.InDelta(t, 66.67, below.Zero, 0.01, "a sum below zero moves the axis")
}

// Mirroring is the whole point of a direction: every x of one drawing must be
// the reflection of the other's.
func TestGanttMirrors(t *testing.T) {
	t.Parallel()
	in := GanttInput{Days: make([]Day, 7), Rows: make([]Row, 2), Jobs: []Job{{ID: "a", Start: 1, End: 3.25}, {ID: "b", Row: 1, Start: 4, End: 6}}, Links: []Link{{"a", "b"}}}
	ltr := NewGantt(in)
	in.Dir = RTL
	rtl := NewGantt(in)
	for i := range ltr.Rects {
		require.InDelta(t, 100-ltr.Rects[i].X-ltr.Rects[i].W, rtl.Rects[i].X, 1e-9)
	}
	for i := range ltr.Segs {
		require.InDelta(t, 100-ltr.Segs[i].X1, rtl.Segs[i].X1, 1e-9)
	}
}

func TestDegenerateInputsDraw(t *testing.T) {
	t.Parallel()
	label := func(v float64) string { return fmt.Sprint(v) }
	require.True(t, NewPlot(Input{YFormat: label}).Empty)
	require.True(t, NewPlot(Input{YFormat: label, Lines: []Line{{Points: []Point{{0, math.NaN()}}}}}).Empty)
	require.True(t, NewSpark(LTR, []float64{1}).Empty)
	flat := NewPlot(Input{YFormat: label, Lines: []Line{{Points: []Point{{5, 3}}}}})
	require.False(t, flat.Empty)
	require.NotContains(t, flat.Lines[0].D, "NaN")
	require.NotContains(t, NewSpark(RTL, []float64{2, 2, 2}).Line, "NaN")
	require.Empty(t, NewGantt(GanttInput{}).Rects)
	require.Empty(t, NewBars(LTR, "", nil).Rows)
}

func TestNiceTicksCover(t *testing.T) {
	t.Parallel()
	for _, r := range [][2]float64{{0, 1}, {-3, 117}, {0.002, 0.0031}, {5, 5}, {1e6, 4.2e6}, {-1e-3, 0}} {
		ticks := nice(r[0], r[1], 4)
		require.LessOrEqual(t, ticks[0], r[0]+1e-9, "%v", r)
		require.GreaterOrEqual(t, ticks[len(ticks)-1], r[1]-1e-9, "%v", r)
		require.LessOrEqual(t, len(ticks), 8, "%v", r)
	}
}
