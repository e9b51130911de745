package chart

import "unicode/utf8"

// Job is one bar on one row. Start and End are columns from the first one of
// the plan, such as days; Was holds the times before optimization, or nil.
// Lead is the way to the job, drawn before its start. Done is the finished
// fraction. Risk is the level 1..5 that colours the bar. Href opens details.
type Job struct {
	ID, Label, Hint, Href string
	Row, Risk             int
	Start, End, Lead      float64
	Was                   *[2]float64
	Done                  float64
}

// Link says that one job waits for another.
type Link struct{ From, To string }

// Row names one line of the plan: an asset by its tag, or somebody by name. ID
// is what a job dropped on the row would be given to.
type Row struct {
	ID, Tag, Name, Note string
	Level               int
}

// Load is the work of one day against the capacity, in hours.
type Load struct {
	Hours, Capacity float64
	Label           string
}

// Rect is a placed job. X and W are percent of the plan, Y and H are pixels.
type Rect struct {
	Job
	X, Y, W, H   float64
	GX, GY, GW   float64 // the bar before optimization
	LX, LW       float64 // the way to the job
	DX, DW       float64 // the finished part
	EX           float64 // the leading edge
	TX, TDX      float64 // the label: percent, then pixels
	LabelOutside bool
	Anchor       string // side of the label that TX fixes, in reading order
}

// Seg is one straight piece of a link.
type Seg struct{ X1, Y1, X2, Y2 float64 }

// Day is one column of the plan, a day or an hour; its label has two lines.
type Day struct {
	X, Mid          float64
	Weekday, Number string
	Off             bool
}

// Column is one placed load bar, in percent and pixels from the top of the
// load strip; CapY is the height of its capacity line.
type Column struct {
	X, W, Y, H, TX, CapY float64
	Over                 bool
	Label                string
}

// Gantt is a placed plan. Every x already follows the reading direction, so
// one template serves both and the drawing stretches without scaling text.
type Gantt struct {
	Rows                []Row
	RowY                []float64
	Days                []Day
	Rects               []Rect
	Segs                []Seg
	Columns             []Column
	H, Total, Width     float64 // pixels: rows, rows with load strip, narrowest drawing
	DayW, Now, EdgeX    float64
	HasNow              bool
	Alt, LoadName, Unit string
	Drag                *Drag
}

// Drag lets a bar be dragged to ask for another start. Origin is the local
// time of the first column as YYYY-MM-DDTHH:MM; a column is Hours long and
// bars snap to Snap columns. Dialog is the id of the dialog that asks. With
// Rows a bar may also be dropped on another row.
type Drag struct {
	Origin, Dialog string
	Hours, Snap    float64
	Rows           bool
}

// GanttInput describes a plan. Now is in days from the first day; nil hides
// the line. Loads may be empty; otherwise one for each day.
type GanttInput struct {
	Dir            Direction
	Days           []Day // only the labels and Off are read
	Rows           []Row
	Jobs           []Job
	Links          []Link
	Loads          []Load
	Now            *float64
	Alt            string
	LoadName, Unit string
	Column         float64 // narrowest column in pixels; 62 when zero
	Drag           *Drag
}

const (
	ganttHead  = 44.0 // pixels for the two lines of day labels
	ganttRow   = 48.0
	ganttBar   = 22.0
	ganttDay   = 62.0 // narrowest day
	ganttLoad  = 92.0 // the whole load strip
	ganttStack = 64.0 // its drawing area
)

// NewGantt places a plan.
func NewGantt(in GanttInput) Gantt {
	days := max(1, len(in.Days))
	widest := in.Column
	if widest == 0 {
		widest = ganttDay
	}
	dayPixels := max(14, min(widest, 1736/float64(days)))
	g := Gantt{Rows: in.Rows, DayW: 100 / float64(days), Alt: in.Alt, LoadName: in.LoadName, Unit: in.Unit, Drag: in.Drag}
	g.H = ganttHead + ganttRow*float64(len(in.Rows))
	g.Total, g.Width = g.H, dayPixels*float64(days)
	if in.Dir == RTL {
		g.EdgeX = -4
	}
	for i, day := range in.Days {
		day.X = g.place(in.Dir, float64(i), 1)
		day.Mid = day.X + g.DayW/2
		g.Days = append(g.Days, day)
	}
	for r := range in.Rows {
		g.RowY = append(g.RowY, ganttHead+ganttRow*float64(r))
	}
	at := map[string]Rect{}
	for _, j := range in.Jobs {
		r := g.job(in.Dir, j, dayPixels)
		at[j.ID] = r
		g.Rects = append(g.Rects, r)
	}
	for _, l := range in.Links {
		a, okA := at[l.From]
		b, okB := at[l.To]
		if okA && okB {
			g.Segs = append(g.Segs, g.link(in.Dir, a, b)...)
		}
	}
	if in.Now != nil && *in.Now >= 0 && *in.Now <= float64(days) {
		g.Now, g.HasNow = g.place(in.Dir, *in.Now, 0), true
	}
	if len(in.Loads) > 0 {
		g.Columns = g.columns(in.Dir, in.Loads)
		g.Total += ganttLoad
	}
	return g
}

// place gives the left edge, in percent, of a span of days.
func (g Gantt) place(d Direction, start, length float64) float64 {
	x, w := start*g.DayW, length*g.DayW
	if d == RTL {
		return 100 - x - w
	}
	return x
}

func (g Gantt) job(d Direction, j Job, dayPixels float64) Rect {
	r := Rect{Job: j, W: (j.End - j.Start) * g.DayW, H: ganttBar}
	r.X = g.place(d, j.Start, j.End-j.Start)
	r.Y = ganttHead + ganttRow*float64(j.Row) + 8
	if j.Was != nil {
		length := j.Was[1] - j.Was[0]
		r.GX, r.GW, r.GY = g.place(d, j.Was[0], length), length*g.DayW, r.Y+r.H+5
	}
	if j.Lead > 0 {
		from := max(0, j.Start-j.Lead)
		r.LX, r.LW = g.place(d, from, j.Start-from), (j.Start-from)*g.DayW
	}
	r.DX, r.DW = g.place(d, j.Start, (j.End-j.Start)*j.Done), r.W*j.Done
	r.EX = g.place(d, j.Start, 0)
	r.TX, r.TDX, r.Anchor = r.EX, d.sign()*11, "start"
	// Seven pixels is the mean width of a letter at the label size.
	label := 7*float64(utf8.RuneCountInString(j.Label)) + 16
	r.LabelOutside = (j.End-j.Start)*dayPixels < label
	switch {
	case !r.LabelOutside:
	case j.End*dayPixels+label > g.Width && j.Start*dayPixels > label:
		r.TDX, r.Anchor = d.sign()*-8, "end"
	default:
		r.TX, r.TDX = g.place(d, j.End, 0), d.sign()*8
	}
	return r
}

func (g Gantt) link(d Direction, a, b Rect) []Seg {
	x1, x2 := g.place(d, a.End, 0), g.place(d, b.Start, 0)
	y1, y2 := a.Y+a.H/2, b.Y+b.H/2
	if y1 != y2 && d.sign()*(x2-x1) > 0 {
		m := (x1 + x2) / 2
		return []Seg{{x1, y1, m, y1}, {m, y1, m, y2}, {m, y2, x2, y2}}
	}
	return []Seg{{x1, y1, x2, y2}}
}

func (g Gantt) columns(d Direction, loads []Load) []Column {
	top := 1.0
	for _, l := range loads {
		top = max(top, l.Hours, l.Capacity)
	}
	top *= 1.12
	var out []Column
	for i, l := range loads {
		c := Column{W: .64 * g.DayW, H: ganttStack * l.Hours / top, Over: l.Hours > l.Capacity+1e-9, Label: l.Label}
		c.X = g.place(d, float64(i)+.18, .64)
		c.Y = ganttStack - c.H
		c.TX = c.X + c.W/2
		c.CapY = ganttStack * (1 - l.Capacity/top)
		out = append(out, c)
	}
	return out
}
