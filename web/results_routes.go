package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

// routesView is the tab of the routes: one day of every technician.
type routesView struct {
	Chart    chart.Gantt
	Idle     int // technicians without a job that day who are not drawn
	Days     []tabView
	Day      time.Time
	People   []routeView
	Unserved []lineRow
	Drag     bool
}

// routeView is the day of one technician.
type routeView struct {
	Name              string
	Work, Travel, End float64 // h
	Finish            string
	Stops             []stopView
}

// stopView is one job on the way.
type stopView struct {
	subjectName
	From, To, Why string
	Travel        float64 // h
	Pinned        bool
}

// routesDrawn is how many technicians a day shows at least: those without a job
// are there to be given one.
const routesDrawn = 10

// newRoutesView draws the chosen day, or the first one with work.
func newRoutesView(p Page, x solvedPlan, b plantBook, canRun bool) *routesView {
	jobs := scheduled(x.view.Lines)
	busy := map[int]bool{}
	for _, l := range jobs {
		busy[int(x.time.day(l.Start))] = true
	}
	day := chosenDay(p, x.time, busy)
	v := &routesView{Day: x.time.midnight().AddDate(0, 0, day), Drag: canRun}
	for d := range x.time.days() {
		at := x.time.midnight().AddDate(0, 0, d)
		count := 0
		for _, l := range jobs {
			if int(x.time.day(l.Start)) == d {
				count++
			}
		}
		v.Days = append(v.Days, tabView{Href: p.With("day", strconv.Itoa(d)), Label: p.Loc().Weekday(at) + " " + p.Loc().ShortDate(at), Active: d == day, Count: count})
	}
	people, rows := routesOf(x, jobs, day)
	drawn := people[:min(len(people), max(routesDrawn, len(rows)))]
	v.Idle = len(people) - len(drawn)
	v.Chart = routesChart(p, x, b, v.Day, drawn, rows, canRun)
	for _, id := range people {
		v.People = append(v.People, newRouteView(p, x, b, id, rows[id]))
	}
	for _, l := range x.view.Lines {
		if l.Verdict == optimize.VerdictUnserved {
			v.Unserved = append(v.Unserved, newLineRow(p, x, b, l))
		}
	}
	return v
}

// chosenDay reads the day from the address.
func chosenDay(p Page, h horizon, busy map[int]bool) int {
	if d, err := strconv.Atoi(p.URL.Query().Get("day")); err == nil && d >= 0 && d < h.days() {
		return d
	}
	for d := range h.days() {
		if busy[d] {
			return d
		}
	}
	return 0
}

// routesOf groups the jobs of a day by technician; a job that needs several
// is in the route of each. Technicians come in the order of their load, those
// without a job last.
func routesOf(x solvedPlan, jobs []optimize.Line, day int) (people []string, rows map[string][]optimize.Line) {
	rows = map[string][]optimize.Line{}
	know := func(id string) {
		if id != "" && !slices.Contains(people, id) {
			people = append(people, id)
		}
	}
	for _, l := range x.view.Loads {
		know(l.Resource)
	}
	for _, l := range jobs {
		crew := l.Crew
		if len(crew) == 0 {
			crew = []string{l.Resource}
		}
		for _, id := range crew {
			know(id)
			if int(x.time.day(l.Start)) == day {
				rows[id] = append(rows[id], l)
			}
		}
	}
	slices.SortStableFunc(people, func(a, b string) int { return cmp.Compare(len(rows[b]), len(rows[a])) })
	return people, rows
}

// routesChart draws the routes hour by hour, from the earliest departure to
// the last finish.
func routesChart(p Page, x solvedPlan, b plantBook, day time.Time, people []string, rows map[string][]optimize.Line, canRun bool) chart.Gantt {
	first, last := 24.0, 0.0
	hour := func(period float64) float64 { return x.time.at(period).Sub(day).Hours() }
	for _, jobs := range rows {
		for _, l := range jobs {
			first, last = math.Min(first, hour(l.Start)-l.TravelHours), math.Max(last, hour(l.End))
		}
	}
	if last <= first {
		first, last = 7, 15
	}
	first, last = math.Max(0, math.Floor(first)), math.Ceil(last)
	origin := day.Add(time.Duration(first * float64(time.Hour)))
	in := chart.GanttInput{Dir: chart.For(p.Lang), Alt: p.T("results.routes.alt", "Date", p.Loc().LongDate(day)), Column: 58}
	for h := first; h < last; h++ {
		from := day.Add(time.Duration(h * float64(time.Hour)))
		in.Days = append(in.Days, chart.Day{Number: p.Loc().Clock(from), Off: !b.days.IsWorkday(from, "")})
	}
	for i, id := range people {
		in.Rows = append(in.Rows, chart.Row{ID: id, Name: b.names.plain(p.Lang, id), Note: p.N("results.jobs", len(rows[id]))})
		for _, l := range rows[id] {
			name := b.subject(p.Lang, l)
			in.Jobs = append(in.Jobs, chart.Job{ID: l.Subject, Row: i, Risk: name.Risk, Start: hour(l.Start) - first, End: hour(l.End) - first, Lead: l.TravelHours,
				Label: cmp.Or(name.Tag, name.Short()), Hint: jobHint(p, x, l), Href: whyPath(x, l.Subject)})
		}
	}
	if now := time.Since(origin).Hours(); now >= 0 && now < last-first {
		in.Now = &now
	}
	if canRun {
		in.Drag = &chart.Drag{Origin: origin.Format("2006-01-02T15:04"), Dialog: whatIfID, Hours: 1, Snap: 0.25, Rows: true}
	}
	return chart.NewGantt(in)
}

func newRouteView(p Page, x solvedPlan, b plantBook, id string, jobs []optimize.Line) routeView {
	v := routeView{Name: b.names.plain(p.Lang, id)}
	for _, l := range jobs {
		v.Work += (l.End - l.Start) * x.time.hours
		v.Travel += l.TravelHours
		if l.End > v.End {
			v.End, v.Finish = l.End, p.Loc().Clock(x.time.at(l.End))
		}
		v.Stops = append(v.Stops, stopView{subjectName: b.subject(p.Lang, l), From: p.Loc().Clock(x.time.at(l.Start)), To: p.Loc().Clock(x.time.at(l.End)),
			Why: whyPath(x, l.Subject), Travel: l.TravelHours, Pinned: l.Pinned})
	}
	return v
}
