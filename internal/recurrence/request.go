package recurrence

import (
	"fmt"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/runs"
)

// Rules for the first day of the horizon of a recurring run, counted from the
// day of the due time.
const (
	StartSameDay  = "same_day"
	StartNextDay  = "next_day"
	StartNextWeek = "next_week" // the next Sunday, with which the working week begins
)

// StartRules lists the rules for the first day.
func StartRules() []string { return []string{StartSameDay, StartNextDay, StartNextWeek} }

// Request is the column request of a schedule of kind optimization: everything
// that its runs ask for but the first day, which follows from the due time.
type Request struct {
	Problem      string           `json:"problem"`
	Start        string           `json:"start"`
	Days         int              `json:"days"`
	LimitSeconds int              `json:"time_limit_seconds"`
	Objective    runs.Objective   `json:"objective"`
	Constraints  runs.Constraints `json:"constraints"`
}

// First returns the first day of the horizon for work that was due at a moment
// and is started at another, as midnight UTC: never a day that has passed.
func (q Request) First(due, now time.Time, zone *time.Location) (time.Time, error) {
	if !slices.Contains(StartRules(), q.Start) {
		return time.Time{}, fmt.Errorf("no rule %q for the first day", q.Start)
	}
	first := dayIn(zone, due)
	switch q.Start {
	case StartNextDay:
		first = first.AddDate(0, 0, 1)
	case StartNextWeek:
		first = first.AddDate(0, 0, 7-int(first.Weekday()))
	}
	if today := dayIn(zone, now); first.Before(today) {
		first = today
	}
	return first, nil
}

// For states the request of one run under its title.
func (q Request) For(first time.Time, title string) runs.Request {
	return runs.Request{Problem: q.Problem, Title: title, Start: first.Format(time.DateOnly), Days: q.Days, LimitSeconds: q.LimitSeconds,
		Objective: q.Objective, Constraints: q.Constraints}
}

func dayIn(zone *time.Location, t time.Time) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
