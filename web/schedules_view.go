package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/schedule"
)

// firingLooks maps the state of a firing to the look of its mark.
var firingLooks = map[string]string{"started": "run", "waiting": "wait", "done": "done", "failed": "fail", "skipped": "cancel", "missed": "stale"}

// scheduleIcons are the marks of the kinds of recurring work.
var scheduleIcons = map[string]string{recurrence.KindOptimization: "sliders-horizontal", recurrence.KindSweep: "activity", recurrence.KindReport: "file-text"}

// scheduleView is a schedule as list and detail show it.
type scheduleView struct {
	ID, Name, Kind, Icon, KindLabel string
	Words, Cron, Zone               string
	Next                            *time.Time
	Owner, Account, Token           string
	TokenUntil                      *time.Time
	TokenEnds                       bool
	Overlap, Trigger                string
	External, Paused, ByFailure     bool
	PausedUntil                     *time.Time
	Note                            string
	Last, LastLabel                 string
	LastDue                         *time.Time
	Failures                        int
}

func newScheduleView(p Page, x db.ListSchedulesRow, days *calendar.Calendar, now time.Time) (scheduleView, error) {
	s := x.Schedule
	v := scheduleView{ID: s.ID.String(), Name: s.Name, Kind: s.Kind, Icon: scheduleIcons[s.Kind], KindLabel: p.T("schedules.kind." + s.Kind),
		Words: cronWords(p, s.Cron), Cron: s.Cron, Zone: s.TimeZone, Owner: localName(p.Lang, x.OwnerAr, x.OwnerEn), Account: x.Account, Token: x.Token,
		TokenUntil: x.TokenUntil, Overlap: p.T("schedules.overlap." + s.Overlap), Trigger: p.T("schedules.trigger." + s.Trigger),
		External: s.Trigger == recurrence.External, Paused: s.PausedAt(now), Note: s.PauseNote, Failures: int(s.Failures)}
	v.TokenEnds = x.TokenUntil != nil && x.TokenUntil.Before(now.AddDate(0, 0, tokenSoonDays))
	if v.Paused {
		v.PausedUntil = s.PausedUntil
	}
	if p.Loc().Has(v.Note) { // a pause of the product's own
		v.ByFailure, v.Note = true, p.T(v.Note)
	}
	if x.LastDue != nil {
		v.Last, v.LastDue, v.LastLabel = firingLooks[x.LastState], x.LastDue, p.T("schedules.firing."+x.LastState)
	}
	next, err := s.Coming(days, now, 1)
	if len(next) > 0 {
		v.Next = &next[0]
	}
	return v, err
}

// cronWords says when a rule is due, where it is simple enough for words.
func cronWords(p Page, cron string) string {
	b := unbuild(cron)
	at := b.Time
	switch b.Rhythm {
	case recurrence.Daily:
		return p.T("schedules.words.daily", "Time", at)
	case recurrence.Weekly:
		var days []string
		for i := range 7 {
			if b.Weekdays[i] {
				days = append(days, weekdayName(p, i))
			}
		}
		return p.T("schedules.words.weekly", "Days", strings.Join(days, p.T("alerts.separator")), "Time", at)
	case recurrence.Monthly:
		return p.T("schedules.words.monthly", "Day", b.MonthDay, "Time", at)
	}
	return p.T("schedules.words.cron", "Cron", cron)
}

// weekdayName names a day of the week, 0 for Sunday.
func weekdayName(p Page, day int) string {
	return p.Loc().Weekday(time.Date(2023, time.January, 1+day, 12, 0, 0, 0, time.UTC)) // a Sunday
}

// builder is a rule as the form of the builder shows it.
type builder struct {
	Rhythm, Time, MonthDay string
	Weekdays               map[int]bool
}

// rhythmCron is the choice of an expression typed by hand.
const rhythmCron = "cron"

// unbuild reads an expression back into the builder, or leaves it as it is.
func unbuild(cron string) builder {
	b := builder{Rhythm: rhythmCron, Time: "05:00", MonthDay: "1", Weekdays: map[int]bool{}}
	f := strings.Fields(cron)
	if len(f) != 5 {
		return b
	}
	minute, err := strconv.Atoi(f[0])
	hour, hourErr := strconv.Atoi(f[1])
	if err != nil || hourErr != nil || f[3] != "*" {
		return b
	}
	b.Time = fmt.Sprintf("%02d:%02d", hour, minute)
	switch {
	case f[2] == "*" && f[4] == "*":
		b.Rhythm = recurrence.Daily
	case f[2] == "*":
		for day := range strings.SplitSeq(f[4], ",") {
			n, err := strconv.Atoi(day)
			if err != nil || n < 0 || n > 6 {
				return b
			}
			b.Weekdays[n] = true
		}
		b.Rhythm = recurrence.Weekly
	default:
		if _, err := strconv.Atoi(f[2]); err == nil && f[4] == "*" {
			b.Rhythm, b.MonthDay = recurrence.Monthly, f[2]
		}
	}
	return b
}

// build is the expression of what was filled in.
func (b builder) build() string {
	var at calendar.Clock
	if at.UnmarshalText([]byte(b.Time)) != nil {
		return ""
	}
	var days []int
	for day, on := range b.Weekdays {
		if on {
			days = append(days, day)
		}
	}
	monthDay, err := strconv.Atoi(b.MonthDay)
	if err != nil {
		monthDay = 0
	}
	return recurrence.Build(b.Rhythm, at, days, monthDay)
}

// scheduleErrors words what is wrong with a draft.
func scheduleErrors(p Page, invalid *schedule.Invalid) map[string]string {
	out := map[string]string{}
	for field, problem := range invalid.Fields {
		args := append([]any(nil), problem.Args...)
		for i, v := range args {
			switch v := v.(type) {
			case float64:
				args[i] = p.Loc().Num(v)
			case int:
				args[i] = p.Loc().Int(v)
			}
		}
		out[field] = p.T(problem.Key, args...)
	}
	return out
}

// exclusionWords names what a schedule leaves out.
func exclusionWords(p Page, raw json.RawMessage) ([]string, error) {
	var all []recurrence.Exclusion
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("read exclusions: %w", err)
	}
	var out []string
	for _, x := range all {
		switch {
		case x.Holiday != "":
			name := x.Holiday
			if key := "schedules.holiday." + x.Holiday; p.Loc().Has(key) {
				name = p.T(key)
			}
			out = append(out, name)
		case x.Period != "":
			out = append(out, p.T("schedules.period."+x.Period))
		default:
			out = append(out, p.T("schedules.exclude.days", "From", p.Loc().ShortDate(midnight(*x.From)), "To", p.Loc().Date(midnight(*x.To))))
		}
	}
	return out, nil
}

func midnight(d calendar.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
