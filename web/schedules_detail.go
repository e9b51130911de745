package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/schedule"
)

// How many due times and firings the page of a schedule shows.
const (
	comingShown  = 5
	firingsShown = 50
	marksOfDay   = 3 // in one day of the calendar
)

// firingView is one line of the table of firings.
type firingView struct {
	ID                     string
	Due                    time.Time
	State, Label, Cause    string
	Reason                 string
	Started, Finished      *time.Time
	RunID, RunTitle        string
	ReportID               string
	SweepDone              bool
	Late                   string // how late it started, empty when on time
	StartedAfter, Duration string
}

// dayMark is a due time in the calendar; coming ones have no state.
type dayMark struct {
	Time         time.Time
	State, Label string
}

// runDay is one cell of the calendar.
type runDay struct {
	Day      time.Time
	Number   int
	Hijri    string
	In       bool // belongs to the month
	Today    bool
	Excluded bool
	Marks    []dayMark
	More     int
}

// runCalendar is one month of a schedule.
type runCalendar struct {
	Month      time.Time
	HijriSpan  string
	Prev, Next string
	Weekdays   []string
	Weeks      [][]runDay
}

// schedulePageView is the Data of schedules/show.
type schedulePageView struct {
	S                                  scheduleView
	Exclusions                         []string
	WindowLabel                        string
	Coming                             []time.Time
	Calendar                           runCalendar
	Firings                            []firingView
	CanManage, CanBackfill, PauseOnBad bool
	CanHistory                         bool
	Request                            []wordPair
	Pause                              pauseForm
	Backfill                           backfillForm
	Feasts                             []choiceOption
	MinDay, MaxDay                     string
}

// wordPair is a line of a list of facts.
type wordPair struct{ Label, Value string }

func (s *Server) showSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	return s.schedulePage(w, r, http.StatusOK, id, pauseForm{}, backfillForm{})
}

// schedulePage prints a schedule, with a form that was refused.
func (s *Server) schedulePage(w http.ResponseWriter, r *http.Request, status int, id uuid.UUID, pause pauseForm, backfill backfillForm) error {
	p, err := s.page(r, "schedules.one")
	if err != nil {
		return err
	}
	now := time.Now()
	v := schedulePageView{Pause: pause, Backfill: backfill, MinDay: dateIn(riyadhZone, now).AddDate(0, 0, 1).Format(time.DateOnly), MaxDay: dateIn(riyadhZone, now).Format(time.DateOnly)}
	if v.Pause.Mode == "" {
		v.Pause.Mode = untilResumed
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListSchedules(ctx, tx, tenant, &id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fault.New(fault.NotFound, "error.404.text")
		}
		return v.load(ctx, tx, q, p, rows[0], monthOf(r, now), now)
	})
	if err != nil {
		return err
	}
	p.Title = v.S.Name
	p.Crumbs = []Crumb{{Href: "/schedules", Label: p.T("schedules.title")}, {Label: v.S.Name}}
	p.Data = v
	s.render.Render(w, r, status, "schedules/show", p)
	return nil
}

func (v *schedulePageView) load(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, x db.ListSchedulesRow, month, now time.Time) error {
	row := x.Schedule
	days, err := db.TenantCalendar(ctx, tx, row.TenantID)
	if err != nil {
		return err
	}
	if v.S, err = newScheduleView(p, x, days, now); err != nil {
		return err
	}
	who := access.From(ctx)
	v.CanManage, v.CanHistory = schedule.MayManage(who, row.OwnerID), who.Can(access.ViewHistory)
	v.CanBackfill = schedule.All(who) && row.Trigger == recurrence.Internal
	v.PauseOnBad = row.PauseOnFailure
	v.WindowLabel = p.Loc().Span(row.Policy().Window)
	if v.Exclusions, err = exclusionWords(p, row.Exclusions); err != nil {
		return err
	}
	if v.Coming, err = row.Coming(days, now, comingShown); err != nil {
		return err
	}
	for _, key := range []string{"eid_al_fitr", "eid_al_adha"} {
		v.Feasts = append(v.Feasts, choiceOption{key, p.T("schedules.pause.after", "Feast", p.T("schedules.holiday."+key))})
	}
	if v.Request, err = requestWords(p, row); err != nil {
		return err
	}
	firings, err := q.ListFirings(ctx, tx, db.ListFiringsParams{TenantID: row.TenantID, ScheduleID: row.ID, Since: now.AddDate(-1, 0, 0), Until: now.AddDate(0, 0, 1), PageSize: firingsShown})
	if err != nil {
		return err
	}
	for _, f := range firings {
		v.Firings = append(v.Firings, newFiringView(p, f))
	}
	v.Calendar, err = newRunCalendar(ctx, tx, q, p, row, days, month, now)
	return err
}

func newFiringView(p Page, x db.ListFiringsRow) firingView {
	f := x.ScheduleFiring
	state := f.State
	if state == recurrence.Started && f.StartedAt == nil {
		state = "waiting"
	}
	v := firingView{ID: f.ID.String(), Due: f.DueAt, State: firingLooks[state], Label: p.T("schedules.firing." + state), Cause: p.T("schedules.cause." + f.Cause),
		Started: f.StartedAt, Finished: f.FinishedAt, RunTitle: x.RunTitle, SweepDone: f.SweepID != nil}
	if f.RunID != nil {
		v.RunID = f.RunID.String()
	}
	if f.ReportID != nil {
		v.ReportID = f.ReportID.String()
	}
	if f.StartedAt != nil {
		if late := f.StartedAt.Sub(f.DueAt); late > recurrence.Grace && f.Cause != recurrence.Backfill {
			v.Late = p.Loc().Span(late)
		}
		if f.FinishedAt != nil {
			v.Duration = p.Loc().Span(f.FinishedAt.Sub(*f.StartedAt))
		}
	}
	if f.ErrorKey != "" {
		v.Reason = reasonOf(p, f.ErrorKey, f.ErrorDetail)
	}
	return v
}

// reasonOf words why a firing did not end well.
func reasonOf(p Page, key string, detail json.RawMessage) string {
	if !p.Loc().Has(key) {
		return p.T("workflows.internal")
	}
	var args map[string]any
	if json.Unmarshal(detail, &args) != nil {
		args = nil // the text stands without its arguments
	}
	var pairs []any
	for name, value := range args {
		pairs = append(pairs, name, value)
	}
	return p.T(key, pairs...)
}

// requestWords lists what the runs of a schedule ask for.
func requestWords(p Page, row db.Schedule) ([]wordPair, error) {
	if row.Kind != recurrence.KindOptimization {
		return nil, nil
	}
	var request recurrence.Request
	if err := json.Unmarshal(row.Request, &request); err != nil {
		return nil, err
	}
	sites := p.T("schedules.request.all_sites")
	if n := len(request.Constraints.SiteIDs); n > 0 {
		sites = p.N("count.sites", n)
	}
	return []wordPair{
		{p.T("scenarios.problem"), problemTitle(p, request.Problem)},
		{p.T("schedules.start"), p.T("schedules.start." + request.Start)},
		{p.T("scenarios.horizon"), p.N("schedules.request.days", request.Days)},
		{p.T("scenarios.sites"), sites},
		{p.T("scenarios.limit"), p.Loc().Span(time.Duration(request.LimitSeconds) * time.Second)},
	}, nil
}

// monthOf is the month that the address asks for, this one by default.
func monthOf(r *http.Request, now time.Time) time.Time {
	const reach = 24 // months that can be looked at, back and ahead
	if t, err := time.Parse("2006-01", r.URL.Query().Get("month")); err == nil && t.After(now.AddDate(0, -reach, 0)) && t.Before(now.AddDate(0, reach, 0)) {
		return t
	}
	day := dateIn(riyadhZone, now)
	return day.AddDate(0, 0, 1-day.Day())
}

// newRunCalendar lays out one month, from Sunday to Saturday, with what
// happened on its days and what is to come.
func newRunCalendar(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, row db.Schedule, work *calendar.Calendar, month, now time.Time) (runCalendar, error) {
	c := runCalendar{Month: month, Prev: p.With("month", month.AddDate(0, -1, 0).Format("2006-01")), Next: p.With("month", month.AddDate(0, 1, 0).Format("2006-01")),
		HijriSpan: p.Loc().Hijri(month) + " – " + p.Loc().Hijri(month.AddDate(0, 1, -1))}
	for i := range 7 {
		c.Weekdays = append(c.Weekdays, weekdayName(p, i))
	}
	first := month.AddDate(0, 0, -int(month.Weekday()))
	last := month.AddDate(0, 1, 0)
	last = last.AddDate(0, 0, (7-int(last.Weekday()))%7)
	local := func(d time.Time) time.Time { return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, riyadhZone) }
	marks := map[time.Time][]dayMark{}
	firings, err := q.ListFirings(ctx, tx, db.ListFiringsParams{TenantID: row.TenantID, ScheduleID: row.ID, Since: local(first), Until: local(last), PageSize: 1000})
	if err != nil {
		return c, err
	}
	for i := len(firings) - 1; i >= 0; i-- {
		f := newFiringView(p, firings[i])
		day := dateIn(riyadhZone, f.Due)
		marks[day] = append(marks[day], dayMark{Time: f.Due, State: f.State, Label: f.Label})
	}
	rule, err := row.Rule(work)
	if err != nil {
		return c, err
	}
	if !row.PausedAt(now) || row.PausedUntil != nil {
		from := now
		if row.PausedAt(now) {
			from = row.PausedUntil.Add(-time.Second)
		}
		for _, t := range rule.Between(from, local(last).Add(-time.Second), 2000) {
			day := dateIn(riyadhZone, t)
			marks[day] = append(marks[day], dayMark{Time: t, Label: p.T("schedules.coming")})
		}
	}
	today := dateIn(riyadhZone, now)
	for d := first; d.Before(last); d = d.AddDate(0, 0, 1) {
		if d.Weekday() == time.Sunday {
			c.Weeks = append(c.Weeks, nil)
		}
		cell := runDay{Day: d, Number: d.Day(), Hijri: p.Loc().Hijri(d), In: d.Month() == month.Month(), Today: d.Equal(today),
			Excluded: rule.Excluded(local(d).Add(12 * time.Hour)), Marks: marks[d]}
		if n := len(cell.Marks); n > marksOfDay {
			cell.More, cell.Marks = n-marksOfDay, cell.Marks[:marksOfDay]
		}
		week := len(c.Weeks) - 1
		c.Weeks[week] = append(c.Weeks[week], cell)
	}
	return c, nil
}
