package web

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/web/chart"
)

const (
	ganttRows   = 40 // jobs drawn at most; the table has all of them
	ganttLabels = 31 // longest horizon with a label on every day
)

// crewView is the load of one crew or shared resource under the plan.
type crewView struct {
	Name, Href      string
	Used, Available float64
	Share           float64 // of what is available, 0..100
	Peak            float64 // of the fullest day, percent
	PeakDay         time.Time
	Tone            string
	Active          bool
	load            maintenance.Load
}

// crewLoads sums the load of each resource, the fullest first. The one that
// the address names, or else the fullest, is drawn below the plan.
func crewLoads(p Page, x resultRows) []crewView {
	var out []crewView
	chosen := p.URL.Query().Get("crew")
	for _, l := range x.output.Load {
		c := crewView{Name: x.names.plain(p.Lang, l.Resource), Href: p.With("crew", l.Resource), Active: l.Resource == chosen, load: l}
		for day, used := range l.Used {
			c.Used += used
			c.Available += l.Available[day]
			if l.Available[day] > 0 && used/l.Available[day] > c.Peak/100 {
				c.Peak, c.PeakDay = 100*used/l.Available[day], x.run.WindowStart.AddDate(0, 0, day)
			}
		}
		if c.Used == 0 {
			continue
		}
		if c.Available > 0 {
			c.Share = min(100, 100*c.Used/c.Available)
		}
		c.Tone = "t-ok"
		if c.Peak > 99.5 {
			c.Tone = "t-warn"
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b crewView) int { return cmp.Compare(b.Share, a.Share) })
	if len(out) > 0 && !slices.ContainsFunc(out, func(c crewView) bool { return c.Active }) {
		out[0].Active = true
	}
	return out
}

// resultGantt draws the planned jobs against the current plan, with days off
// shaded and the load of the chosen crew below. It returns how many jobs did
// not fit.
func resultGantt(p Page, x resultRows, crews []crewView) (chart.Gantt, int) {
	jobs := plannedJobs(x.lines)
	hidden := max(0, len(jobs)-ganttRows)
	jobs = jobs[:len(jobs)-hidden]
	in := chart.GanttInput{Dir: chart.For(p.Lang), Days: ganttDays(p, x), Alt: p.T("runs.gantt.alt", "Title", x.run.Title),
		Unit: p.T("gantt.hours")}
	for i, line := range jobs {
		in.Rows = append(in.Rows, chart.Row{Tag: line.Tag, Name: localName(p.Lang, line.NameAr, line.NameEn), Level: int(line.RiskLevel)})
		in.Jobs = append(in.Jobs, ganttJob(p, x, line, i))
	}
	if now := time.Since(x.run.WindowStart).Hours() / 24; now >= 0 && now < float64(x.run.WindowDays) {
		in.Now = &now
	}
	for _, c := range crews {
		if c.Active {
			in.LoadName, in.Loads = c.Name, loadStrip(p, c, len(in.Days))
		}
	}
	return chart.NewGantt(in), hidden
}

// plannedJobs keeps what is to be done, in the order of the start days.
func plannedJobs(lines []db.ScenarioRecommendationsRow) []db.ScenarioRecommendationsRow {
	var out []db.ScenarioRecommendationsRow
	for _, line := range lines {
		if rec := line.OptimizationRecommendation; rec.Decision == "do" && rec.StartOn != nil && rec.EndOn != nil {
			out = append(out, line)
		}
	}
	slices.SortStableFunc(out, func(a, b db.ScenarioRecommendationsRow) int {
		return a.OptimizationRecommendation.StartOn.Compare(*b.OptimizationRecommendation.StartOn)
	})
	return out
}

// ganttDays labels the days; a long horizon gets one label a week.
func ganttDays(p Page, x resultRows) []chart.Day {
	out := make([]chart.Day, x.run.WindowDays)
	for i := range out {
		day := x.run.WindowStart.AddDate(0, 0, i)
		noon := day.Add(12 * time.Hour) // the same day in every zone of the calendar
		out[i].Off = !x.days.IsWorkday(noon, "")
		if len(out) <= ganttLabels {
			out[i].Weekday, out[i].Number = p.Loc().Weekday(noon), p.Loc().Int(day.Day())
		} else if day.Weekday() == time.Sunday {
			out[i].Weekday, out[i].Number = p.Loc().Weekday(noon), p.Loc().ShortDate(noon)
		}
	}
	return out
}

func ganttJob(p Page, x resultRows, line db.ScenarioRecommendationsRow, row int) chart.Job {
	rec := line.OptimizationRecommendation
	offset := func(t time.Time) float64 { return math.Round(t.Sub(x.run.WindowStart).Hours() / 24) }
	job := chart.Job{
		ID: rec.ID.String(), Row: row, Risk: int(line.RiskLevel), Start: offset(*rec.StartOn), End: offset(*rec.EndOn) + 1,
		Label: x.names.plain(p.Lang, rec.SkillCode),
		Hint:  p.T("runs.gantt.hint", "From", p.Loc().ShortDate(*rec.StartOn), "To", p.Loc().ShortDate(*rec.EndOn), "Value", p.Loc().MoneyCompact(rec.ValueAtStake)),
		Href:  "/runs/" + x.run.ID.String() + "/recommendations/" + rec.ID.String(),
	}
	if job.Label == "" {
		job.Label = p.T("runs.job")
	}
	if rec.BaselineStartOn != nil {
		from := offset(*rec.BaselineStartOn)
		to := min(from+job.End-job.Start, float64(x.run.WindowDays))
		if from >= 0 && from < to {
			job.Was = &[2]float64{from, to}
		}
	}
	job.End = min(job.End, float64(x.run.WindowDays))
	return job
}

// loadStrip is the load of one crew per day. A long horizon is drawn without
// figures, for which there is no room.
func loadStrip(p Page, c crewView, days int) []chart.Load {
	out := make([]chart.Load, 0, days)
	for i, used := range c.load.Used {
		l := chart.Load{Hours: used, Capacity: c.load.Available[i]}
		if days <= ganttLabels && used > 0 {
			l.Label = p.Loc().Num(used, 0)
		}
		out = append(out, l)
	}
	return out
}
