package web

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// solvedPlan is one stored scenario as its problem shows it.
type solvedPlan struct {
	run      db.OptimizationRun
	scenario db.OptimizationScenario
	spec     optimize.Spec
	view     optimize.View
	time     horizon
}

// newSolvedPlan asks the problem of a run for the view of a scenario.
func newSolvedPlan(run db.OptimizationRun, scenario db.OptimizationScenario) (solvedPlan, error) {
	x := solvedPlan{run: run, scenario: scenario}
	problem, ok := optimize.Lookup(run.Problem)
	if !ok {
		return x, fault.New(fault.Unavailable, "runs.problem_unavailable")
	}
	x.spec = problem.Spec()
	input, err := problem.Weigh(run.Input, scenario.Preset)
	if err != nil {
		return x, fmt.Errorf("weigh input of run %s: %w", run.ID, err)
	}
	if x.view, err = problem.View(input, scenario.Output); err != nil {
		return x, fmt.Errorf("view scenario %s: %w", scenario.ID, err)
	}
	x.time, err = newHorizon(x.spec, x.view)
	return x, err
}

// line finds the decision on a subject.
func (x *solvedPlan) line(subject string) (optimize.Line, bool) {
	for _, l := range x.view.Lines {
		if l.Subject == subject {
			return l, true
		}
	}
	return optimize.Line{}, false
}

// horizon turns the periods of a plan into dates of the plant.
type horizon struct {
	start   time.Time // local time of period 0
	hours   float64   // length of a period
	periods int
	fine    bool // decisions have a time of day
}

// newHorizon reads the horizon of a view. A problem that sends people, or
// whose periods are shorter than a day, decides on times of day.
func newHorizon(spec optimize.Spec, v optimize.View) (horizon, error) {
	h := horizon{hours: v.PeriodHours, periods: v.Periods, fine: v.PeriodHours < 24 || slices.Contains(spec.Shows, optimize.PartRoutes)}
	var err error
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if h.start, err = time.ParseInLocation(layout, v.Start, riyadhZone); err == nil {
			return h, nil
		}
	}
	return h, fmt.Errorf("read start of the horizon: %w", err)
}

// at is the moment at which a period begins.
func (h horizon) at(period float64) time.Time {
	return h.start.Add(time.Duration(period * h.hours * float64(time.Hour))).Round(time.Minute)
}

// daily reports whether the problem decides on whole days.
func (h horizon) daily() bool { return !h.fine }

// date prints a whole period: its day, with the time where periods are
// shorter.
func (h horizon) date(p Page, period int) string {
	if h.hours >= 24 {
		return p.Loc().ShortDate(h.at(float64(period)))
	}
	return h.moment(p, float64(period))
}

// days is the number of calendar days that the horizon touches.
func (h horizon) days() int {
	return max(1, int(math.Ceil(h.hoursIn(float64(h.periods))/24-1e-9)))
}

// last is a moment on the last day.
func (h horizon) last() time.Time { return h.at(float64(h.periods)).Add(-time.Minute) }

// day is the calendar day of a period, counted from the first one.
func (h horizon) day(period float64) float64 {
	return float64(int(dateIn(riyadhZone, h.at(period)).Sub(dateIn(riyadhZone, h.start)).Hours() / 24))
}

// midnight is the start of the first day.
func (h horizon) midnight() time.Time {
	y, m, d := h.start.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, h.start.Location())
}

// hoursIn is the time from the first midnight to a period, in hours.
func (h horizon) hoursIn(period float64) float64 {
	return h.start.Sub(h.midnight()).Hours() + period*h.hours
}

// period is the inverse of at.
func (h horizon) period(t time.Time) float64 { return t.Sub(h.start).Hours() / h.hours }

// moment prints the start of a period: a day, with its time where the problem
// plans finer than days.
func (h horizon) moment(p Page, period float64) string {
	t := h.at(period)
	if h.daily() {
		return p.Loc().ShortDate(t)
	}
	return p.T("results.moment", "Date", p.Loc().ShortDate(t), "Time", p.Loc().Clock(t))
}

// plantBook is what the pages of plans read of a tenant beside the plans.
type plantBook struct {
	names  nameBook
	assets map[string]db.PlanAssetsRow // by id
	days   *calendar.Calendar
}

func loadPlantBook(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (plantBook, error) {
	b := plantBook{assets: map[string]db.PlanAssetsRow{}}
	var err error
	if b.names, err = loadNames(ctx, tx, q, tenant); err != nil {
		return b, err
	}
	rows, err := q.PlanAssets(ctx, tx, tenant)
	if err != nil {
		return b, err
	}
	for _, a := range rows {
		b.assets[a.ID.String()] = a
		b.names.addTag(a.ID, a.Tag)
	}
	b.days, err = db.TenantCalendar(ctx, tx, tenant)
	return b, err
}

// subjectName says what a decision is about. A subject without an asset has a
// title only.
type subjectName struct {
	AssetID, Tag, Name, Site, Title string
	Risk                            int
}

// Short is the name for narrow places and plain texts.
func (s subjectName) Short() string {
	switch {
	case s.Tag != "" && s.Title != "":
		return s.Tag + " · " + s.Title
	case s.Tag != "":
		return s.Tag
	}
	return s.Title
}

// subject names a line.
func (b plantBook) subject(lang string, l optimize.Line) subjectName {
	s := subjectName{AssetID: l.AssetID, Title: l.Title, Risk: 1, Site: b.names.plain(lang, l.SiteID)}
	if title, _, ok := b.names.find(lang, l.Subject); ok && l.Subject != l.AssetID {
		s.Title = title // a job has its name in both languages
	}
	a, ok := b.assets[l.AssetID]
	if !ok {
		if s.AssetID = ""; s.Title == "" {
			s.Title = b.names.plain(lang, l.Subject)
		}
		return s
	}
	if s.Title == a.NameAr || s.Title == a.NameEn {
		s.Title = "" // the asset itself, which has its name
	}
	s.Tag, s.Name, s.Site, s.Risk = a.Tag, localName(lang, a.NameAr, a.NameEn), localName(lang, a.SiteAr, a.SiteEn), int(a.RiskLevel)
	return s
}
