package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/runs"
	"github.com/optria-iq/optria/web/schedule"
)

// dayRange is one range of excluded days as typed.
type dayRange struct{ From, To string }

// scheduleForm is a schedule as it was filled in. What its runs ask for is the
// wizard's own form.
type scheduleForm struct {
	ID, Name, Kind, Trigger      string
	Builder                      builder
	Cron, Zone                   string
	Holidays, Periods            map[string]bool
	Ranges                       []dayRange
	Overlap, WindowHours         string
	PauseOnFailure               bool
	Owner, Account, Token, Start string
	Scenario                     scenarioForm
	Key                          string // id of a new schedule
}

// defaultWindow is the catch-up window that a new schedule is offered, hours.
const defaultWindow = "6"

func newScheduleForm(now time.Time, owner uuid.UUID, kind string) scheduleForm {
	return scheduleForm{Key: uuid.NewString(), Kind: recurrence.KindOptimization, Trigger: recurrence.Internal,
		Builder: builder{Rhythm: recurrence.Daily, Time: "05:00", MonthDay: "1", Weekdays: map[int]bool{0: true}}, Cron: "0 5 * * *", Zone: riyadhZone.String(),
		Holidays: map[string]bool{}, Periods: map[string]bool{}, Overlap: recurrence.Skip, WindowHours: defaultWindow,
		Owner: owner.String(), Start: recurrence.StartNextDay, Scenario: newScenarioForm(now, kind)}
}

func readScheduleForm(r *http.Request) scheduleForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := scheduleForm{Key: value("key"), Name: value("name"), Kind: value("kind"), Trigger: value("trigger"), Cron: value("cron"), Zone: value("zone"),
		Builder:  builder{Rhythm: value("rhythm"), Time: value("time"), MonthDay: value("month_day"), Weekdays: map[int]bool{}},
		Holidays: map[string]bool{}, Periods: map[string]bool{}, Overlap: value("overlap"), WindowHours: value("window"),
		PauseOnFailure: r.PostFormValue("pause_on_failure") != "", Owner: value("owner"), Account: value("account"), Token: value("token"),
		Start: value("start_rule"), Scenario: readScenarioForm(r)}
	for _, day := range r.PostForm["weekday"] {
		if n, err := strconv.Atoi(day); err == nil {
			f.Builder.Weekdays[n] = true
		}
	}
	for _, key := range r.PostForm["holiday"] {
		f.Holidays[key] = true
	}
	for _, key := range r.PostForm["period"] {
		f.Periods[key] = true
	}
	to := r.PostForm["range_to"]
	for i, from := range r.PostForm["range_from"] {
		if i < len(to) && (from != "" || to[i] != "") {
			f.Ranges = append(f.Ranges, dayRange{from, to[i]})
		}
	}
	f.Scenario.Start = dateIn(riyadhZone, time.Now()).Format(time.DateOnly)
	f.Scenario.Key, f.Scenario.Title = uuid.NewString(), f.Name
	return f
}

// draft turns the form into a draft. Mistakes that the rules cannot see are
// put into errs.
func (f scheduleForm) draft(p Page, scope runs.Scope, who access.Principal, errs map[string]string) schedule.Draft {
	d := schedule.Draft{Name: f.Name, Trigger: f.Trigger, Kind: f.Kind, Cron: f.Cron, Zone: f.Zone, Overlap: f.Overlap, PauseOnFailure: f.PauseOnFailure}
	if f.Builder.Rhythm != rhythmCron {
		if d.Cron = f.Builder.build(); d.Cron == "" {
			errs["cron"] = p.T("schedules.error.rhythm")
		}
	}
	if hours, err := strconv.ParseFloat(f.WindowHours, 64); err == nil && hours > 0 && hours <= schedule.MaxWindow/60 {
		d.WindowMinutes = int(hours * 60)
	}
	d.Exclusions = f.exclusions(p, errs)
	d.Owner, d.Account = idOf(f.Owner), idOf(f.Account)
	if f.Trigger == recurrence.External {
		d.Token = optionalUUID(f.Token)
	}
	if f.Kind == recurrence.KindOptimization {
		d.Request = f.request(p, scope, who, errs)
	}
	return d
}

// idOf reads an id; anything else is nobody's.
func idOf(text string) uuid.UUID {
	if id := optionalUUID(text); id != nil {
		return *id
	}
	return uuid.Nil
}

func (f scheduleForm) exclusions(p Page, errs map[string]string) []recurrence.Exclusion {
	var out []recurrence.Exclusion
	for _, key := range slices.Sorted(mapKeys(f.Holidays)) {
		out = append(out, recurrence.Exclusion{Holiday: key})
	}
	for _, key := range slices.Sorted(mapKeys(f.Periods)) {
		out = append(out, recurrence.Exclusion{Period: key})
	}
	for _, x := range f.Ranges {
		var from, to calendar.Date
		if from.UnmarshalText([]byte(x.From)) != nil || to.UnmarshalText([]byte(x.To)) != nil {
			errs["exclusions"] = p.T(recurrence.KeyRange)
			continue
		}
		out = append(out, recurrence.Exclusion{From: &from, To: &to})
	}
	return out
}

func mapKeys(m map[string]bool) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key, on := range m {
			if on && !yield(key) {
				return
			}
		}
	}
}

// request reads what the runs ask for with the wizard's own rules. Its mistakes
// keep the names of the wizard's inputs.
func (f scheduleForm) request(p Page, scope runs.Scope, who access.Principal, errs map[string]string) recurrence.Request {
	x := f.Scenario
	if x.Title == "" {
		x.Title = "–" // the name is reported by itself
	}
	checked, mistakes := x.check(p, scope, who)
	for name, text := range mistakes {
		errs[name] = text
	}
	request := recurrence.Request{Problem: x.Problem, Start: f.Start, Days: checked.Days, LimitSeconds: checked.Limit}
	problem, ok := optimize.Lookup(x.Problem)
	if !ok || len(mistakes) > 0 {
		return request
	}
	objective, constraints, err := runs.Parse(problem.Spec(), checked.Objective, checked.Constraints)
	if err != nil {
		errs["problem"] = p.T("scenarios.error.problem")
		return request
	}
	request.Objective, request.Constraints = objective, constraints
	return request
}

// fill puts a request into the wizard's form.
func (f *scheduleForm) fill(q recurrence.Request, now time.Time) {
	x := newScenarioForm(now, q.Problem)
	f.Start = q.Start
	x.Horizon, x.Limit = strconv.Itoa(q.Days), strconv.Itoa(q.LimitSeconds)
	start := dateIn(riyadhZone, now)
	x.Start = start.Format(time.DateOnly)
	if !slices.Contains(horizonDays, x.Horizon) {
		x.Horizon, x.End = horizonDates, start.AddDate(0, 0, q.Days-1).Format(time.DateOnly)
	}
	if !slices.Contains(limitSeconds, x.Limit) {
		x.Limit = "60"
	}
	for _, id := range q.Constraints.SiteIDs {
		x.Sites[id.String()] = true
	}
	for _, id := range q.Constraints.AssetIDs {
		x.Assets[id.String()] = true
	}
	if problem, ok := optimize.Lookup(q.Problem); ok {
		x.fillFields(problem.Spec(), q)
	}
	f.Scenario = x
}

// fillFields puts presets, weights and the numbers of a problem in their inputs.
func (x *scenarioForm) fillFields(spec optimize.Spec, q recurrence.Request) {
	for _, o := range spec.Objectives {
		x.Flags[inputName(spec.Kind, "preset", o.Kind)] = slices.Contains(q.Objective.Presets, o.Kind)
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	start := dateIn(riyadhZone, time.Now())
	for _, field := range spec.Constraints {
		name := inputName(spec.Kind, field.Name, "")
		if field.PerSite {
			for site, hours := range q.Constraints.DowntimeCaps {
				x.Values[inputName(spec.Kind, field.Name, site.String())] = number(hours)
			}
			continue
		}
		v, ok := q.Constraints.Fields[field.Name]
		switch {
		case field.Weight:
			v, ok = q.Objective.Weights[field.Name]
		case field.Name == "budget_sar" && q.Constraints.BudgetSAR != nil:
			v, ok = *q.Constraints.BudgetSAR, true
		case field.Name == "one_train_out":
			x.Flags[name] = q.Constraints.OneTrainOut
			continue
		}
		switch {
		case field.Type == optimize.FieldBool:
			x.Flags[name] = v != 0
		case ok && field.Type == optimize.FieldDate:
			x.Values[name] = start.AddDate(0, 0, int(v)).Format(time.DateOnly)
		case ok:
			x.Values[name] = number(v)
		}
	}
}
