package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

const (
	ganttRows   = 40 // jobs drawn at most; the table has all of them
	ganttLabels = 31 // most columns with a label each
	shortDays   = 3  // a horizon up to this long is drawn in pieces of a day
	shortColumn = 3  // hours of such a piece
)

// whatIfID is the id of the dialog that asks before a what-if.
const whatIfID = "what-if"

// ganttView is the tab of the plan over time.
type ganttView struct {
	Chart  chart.Gantt
	Hidden int
	Loads  []loadView
	Drag   bool
}

// loadView is the load of one crew, technician or shared resource.
type loadView struct {
	Name, Href, Unit string
	Used, Available  float64
	Share            float64 // of what is available, 0..100
	Peak             float64 // of the fullest period, percent
	PeakAt           string
	Tone             string
	Active           bool
	load             optimize.Load
}

// loadViews sums the load of each resource, the fullest first. The one that
// the address names, or else the fullest, is drawn below the plan.
func loadViews(p Page, x solvedPlan, b plantBook) []loadView {
	var out []loadView
	chosen := p.URL.Query().Get("crew")
	for _, l := range x.view.Loads {
		c := loadView{Name: b.names.plain(p.Lang, l.Resource), Href: p.With("crew", l.Resource), Active: l.Resource == chosen,
			Unit: unitOf(p, cmp.Or(l.Unit, "h")), Tone: "t-ok", load: l}
		for i, used := range l.Used {
			c.Used += used
			c.Available += l.Available[i]
			if l.Available[i] > 0 && used/l.Available[i] > c.Peak/100 {
				c.Peak, c.PeakAt = 100*used/l.Available[i], x.time.date(p, i)
			}
		}
		if c.Used == 0 {
			continue
		}
		if c.Available > 0 {
			c.Share = min(100, 100*c.Used/c.Available)
		}
		if c.Peak > 99.5 {
			c.Tone = "t-warn"
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b loadView) int { return cmp.Compare(b.Share, a.Share) })
	if len(out) > 0 && !slices.ContainsFunc(out, func(c loadView) bool { return c.Active }) {
		out[0].Active = true
	}
	return out
}

// timescale is the columns of a drawing: whole days, or pieces of a day when
// the horizon is short.
type timescale struct {
	time   horizon
	column float64 // hours
	count  int
}

func scaleOf(h horizon) timescale {
	if days := h.days(); h.daily() || days > shortDays {
		return timescale{h, 24, days}
	}
	return timescale{h, shortColumn, h.days() * 24 / shortColumn}
}

// at places a period, counted in columns.
func (s timescale) at(period float64) float64 { return s.time.hoursIn(period) / s.column }

// now is the present in columns, or nil when it lies outside.
func (s timescale) now() *float64 {
	v := time.Since(s.time.midnight()).Hours() / s.column
	if v < 0 || v >= float64(s.count) {
		return nil
	}
	return &v
}

// columns labels the columns; a long horizon gets one label a week.
func (s timescale) columns(p Page, b plantBook) []chart.Day {
	out := make([]chart.Day, s.count)
	for i := range out {
		from := s.time.midnight().Add(time.Duration(float64(i) * s.column * float64(time.Hour)))
		noon := time.Date(from.Year(), from.Month(), from.Day(), 12, 0, 0, 0, from.Location())
		out[i].Off = !b.days.IsWorkday(noon, "")
		switch {
		case s.column < 24 && from.Hour() == 0:
			out[i].Weekday, out[i].Number = p.Loc().Weekday(noon), p.Loc().ShortDate(noon)
		case s.column < 24:
			out[i].Number = p.Loc().Clock(from)
		case s.count <= ganttLabels:
			out[i].Weekday, out[i].Number = p.Loc().Weekday(noon), p.Loc().Int(from.Day())
		case from.Weekday() == time.Sunday:
			out[i].Weekday, out[i].Number = p.Loc().Weekday(noon), p.Loc().ShortDate(noon)
		}
	}
	return out
}

// drag lets a bar be dragged to another start, in whole periods of a daily
// problem and in quarter hours of a finer one.
func (s timescale) drag() *chart.Drag {
	snap := s.time.hours / s.column
	if !s.time.daily() {
		snap = 0.25 / s.column
	}
	return &chart.Drag{Origin: s.time.midnight().Format("2006-01-02T15:04"), Dialog: whatIfID, Hours: s.column, Snap: snap}
}

// newGanttView draws the jobs against the current plan, with days off shaded
// and the load of the chosen crew below.
func newGanttView(p Page, x solvedPlan, b plantBook, canRun bool) *ganttView {
	v := &ganttView{Loads: loadViews(p, x, b), Drag: canRun}
	scale := scaleOf(x.time)
	jobs := scheduled(x.view.Lines)
	v.Hidden = max(0, len(jobs)-ganttRows)
	in := chart.GanttInput{Dir: chart.For(p.Lang), Days: scale.columns(p, b), Alt: p.T("runs.gantt.alt", "Title", x.run.Title), Now: scale.now()}
	for i, l := range jobs[:len(jobs)-v.Hidden] {
		name := b.subject(p.Lang, l)
		in.Rows = append(in.Rows, chart.Row{Tag: name.Tag, Name: cmp.Or(name.Title, name.Name), Note: name.Site, Level: name.Risk})
		in.Jobs = append(in.Jobs, ganttJob(p, x, b, scale, l, i))
	}
	if canRun {
		in.Drag = scale.drag()
	}
	for _, c := range v.Loads {
		if c.Active && scale.column >= x.time.hours { // a load of whole days has no place in hours
			in.LoadName, in.Unit, in.Loads = c.Name, c.Unit, loadStrip(p, scale, c)
		}
	}
	v.Chart = chart.NewGantt(in)
	return v
}

// scheduled keeps what has a time, in the order of the starts.
func scheduled(lines []optimize.Line) []optimize.Line {
	var out []optimize.Line
	for _, l := range lines {
		if begins(l) && l.End > l.Start {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b optimize.Line) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

func ganttJob(p Page, x solvedPlan, b plantBook, scale timescale, l optimize.Line, row int) chart.Job {
	name := b.subject(p.Lang, l)
	job := chart.Job{
		ID: l.Subject, Row: row, Risk: name.Risk, Start: scale.at(l.Start), End: min(scale.at(l.End), float64(scale.count)),
		Lead: l.TravelHours / scale.column, Label: cmp.Or(crewNames(p, b, l), name.Short(), p.T("runs.job")), Hint: jobHint(p, x, l),
		Href: whyPath(x, l.Subject),
	}
	if l.Was != nil {
		from := scale.at(*l.Was)
		if to := min(from+scale.at(l.End)-scale.at(l.Start), float64(scale.count)); from >= 0 && from < to {
			job.Was = &[2]float64{from, to}
		}
	}
	return job
}

// jobHint says when a job runs and what it is worth.
func jobHint(p Page, x solvedPlan, l optimize.Line) string {
	end := l.End
	if x.time.daily() {
		end-- // the last day of the job
	}
	from, to := x.time.moment(p, l.Start), x.time.moment(p, end)
	if !x.time.daily() {
		to = p.Loc().Clock(x.time.at(end))
	}
	return p.T("runs.gantt.hint", "From", from, "To", to, "Value", p.Loc().MoneyCompact(l.Value))
}

// loadStrip adds the load of one resource up by column. A long horizon is
// drawn without figures, for which there is no room.
func loadStrip(p Page, scale timescale, c loadView) []chart.Load {
	out := make([]chart.Load, scale.count)
	for i, used := range c.load.Used {
		at := min(scale.count-1, int(scale.at(float64(i))+1e-9))
		out[at].Hours += used
		out[at].Capacity += c.load.Available[i]
	}
	for i := range out {
		if scale.count <= ganttLabels && out[i].Hours > 0 {
			out[i].Label = p.Loc().Num(out[i].Hours, 0)
		}
	}
	return out
}
