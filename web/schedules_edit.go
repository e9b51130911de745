package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/web/schedule"
)

// checkBox is one of several boxes with the same name.
type checkBox struct {
	Value, Label string
	Checked      bool
}

// scheduleFormView is the Data of schedules/form.
type scheduleFormView struct {
	Form                                     scheduleForm
	Action                                   string
	Errors                                   map[string]string
	Error                                    string
	Problems                                 []problemCard
	Sites                                    []pickView
	Assets                                   []assetGroup
	AnyAsset                                 bool
	Limits, Overlaps, Starts, Owners, Tokens []choiceOption
	Accounts                                 []Option
	Weekdays, Holidays, Periods              []checkBox
	Ranges                                   []dayRange
	FixedOwner, NoAccount                    bool
}

// newSchedule opens the form empty, or filled with the request of a run.
func (s *Server) newSchedule(w http.ResponseWriter, r *http.Request) error {
	who := access.From(r.Context())
	kinds := runnable(who)
	f := newScheduleForm(time.Now(), who.UserID, kinds[0])
	if id := optionalUUID(r.URL.Query().Get("run")); id != nil {
		var run db.RunDetailRow
		err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
			run, err = q.RunDetail(ctx, tx, tenant, *id)
			return err
		})
		if err != nil {
			return notFound(err)
		}
		if err := f.copyRun(run); err != nil {
			return err
		}
	}
	return s.scheduleFormPage(w, r, http.StatusOK, f, nil)
}

// copyRun takes over what a run asked for.
func (f *scheduleForm) copyRun(run db.RunDetailRow) error {
	q := recurrence.Request{Problem: run.Problem, Start: recurrence.StartNextDay, Days: int(run.WindowDays), LimitSeconds: int(run.TimeLimitSeconds)}
	if err := json.Unmarshal(run.Objective, &q.Objective); err != nil {
		return fmt.Errorf("read objective: %w", err)
	}
	if err := json.Unmarshal(run.Constraints, &q.Constraints); err != nil {
		return fmt.Errorf("read constraints: %w", err)
	}
	f.Name = bounded(run.Title, schedule.MaxName)
	f.fill(q, time.Now())
	return nil
}

// editSchedule opens the form with a schedule that the person may change.
func (s *Server) editSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var row db.Schedule
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		row, err = q.GetSchedule(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return notFound(err)
	}
	who := access.From(r.Context())
	if !schedule.MayManage(who, row.OwnerID) {
		return fault.New(fault.Forbidden, schedule.KeyOwnOnly)
	}
	f, err := scheduleFormOf(row, runnable(who)[0])
	if err != nil {
		return err
	}
	return s.scheduleFormPage(w, r, http.StatusOK, f, nil)
}

// scheduleFormOf is a stored schedule as the form shows it.
func scheduleFormOf(row db.Schedule, kind string) (scheduleForm, error) {
	now := time.Now()
	f := newScheduleForm(now, row.OwnerID, kind)
	f.ID, f.Name, f.Kind, f.Trigger, f.Cron, f.Zone = row.ID.String(), row.Name, row.Kind, row.Trigger, row.Cron, row.TimeZone
	f.Builder = unbuild(row.Cron)
	f.Overlap, f.PauseOnFailure, f.Account = row.Overlap, row.PauseOnFailure, row.AccountID.String()
	f.WindowHours = fmt.Sprintf("%g", float64(row.CatchUpMinutes)/60)
	if row.TokenID != nil {
		f.Token = row.TokenID.String()
	}
	var excluded []recurrence.Exclusion
	if err := json.Unmarshal(row.Exclusions, &excluded); err != nil {
		return f, fmt.Errorf("read exclusions: %w", err)
	}
	for _, x := range excluded {
		switch {
		case x.Holiday != "":
			f.Holidays[x.Holiday] = true
		case x.Period != "":
			f.Periods[x.Period] = true
		default:
			f.Ranges = append(f.Ranges, dayRange{midnight(*x.From).Format(time.DateOnly), midnight(*x.To).Format(time.DateOnly)})
		}
	}
	if row.Kind != recurrence.KindOptimization {
		return f, nil
	}
	var request recurrence.Request
	if err := json.Unmarshal(row.Request, &request); err != nil {
		return f, fmt.Errorf("read request: %w", err)
	}
	f.fill(request, now)
	return f, nil
}

func (s *Server) createSchedule(w http.ResponseWriter, r *http.Request) error {
	f := readScheduleForm(r)
	id, err := uuid.Parse(f.Key)
	if err != nil {
		return fault.New(fault.Invalid, "scenarios.error.key")
	}
	return s.storeSchedule(w, r, f, "schedules.created", func(ctx context.Context, e schedule.Editor, d schedule.Draft) (db.Schedule, error) {
		return e.Create(ctx, id, d)
	})
}

func (s *Server) saveSchedule(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readScheduleForm(r)
	f.ID = id.String()
	return s.storeSchedule(w, r, f, "schedules.saved", func(ctx context.Context, e schedule.Editor, d schedule.Draft) (db.Schedule, error) {
		return e.Update(ctx, id, d)
	})
}

// storeSchedule checks the form and stores it; with mistakes it is shown again
// as it was filled in.
func (s *Server) storeSchedule(w http.ResponseWriter, r *http.Request, f scheduleForm, toast string, store func(context.Context, schedule.Editor, schedule.Draft) (db.Schedule, error)) error {
	p := s.render.Page(r)
	who := access.From(r.Context())
	errs := map[string]string{}
	var row db.Schedule
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		scope, err := db.RunScope(ctx, tx, tenant, dateIn(riyadhZone, time.Now()))
		if err != nil {
			return err
		}
		row, err = store(ctx, scheduleEditor(r, tx, q), f.draft(p, scope, who, errs))
		if err == nil && len(errs) > 0 {
			return errFormRefused // what the rules cannot see: take the row back
		}
		return err
	})
	var invalid *schedule.Invalid
	switch {
	case errors.As(err, &invalid):
		for field, text := range scheduleErrors(p, invalid) {
			if name := scheduleInput(f, field); errs[name] == "" {
				errs[name] = text
			}
		}
	case err != nil && !errors.Is(err, errFormRefused):
		return err
	}
	if len(errs) > 0 {
		return s.scheduleFormPage(w, r, http.StatusUnprocessableEntity, f, errs)
	}
	if err := s.tellEngine(r.Context(), row); err != nil {
		return err
	}
	return s.redirect(w, r, "/schedules/"+row.ID.String(), toast)
}

var errFormRefused = errors.New("form refused")

// scheduleInput names the input that holds a field of a draft.
func scheduleInput(f scheduleForm, field string) string {
	switch field {
	case "name", "trigger", "kind", "cron", "zone", "exclusions", "overlap", "window", "owner", "account", "token":
		return field
	case "start":
		return "start_rule"
	case "title":
		return "name"
	}
	return inputOf(f.Scenario.Problem, field)
}

// scheduleFormPage prints the form; errs maps inputs to translated messages.
func (s *Server) scheduleFormPage(w http.ResponseWriter, r *http.Request, status int, f scheduleForm, errs map[string]string) error {
	title, action := "schedules.new", "/schedules/new"
	if f.ID != "" {
		title, action = "schedules.edit", "/schedules/"+f.ID+"/edit"
	}
	p, err := s.page(r, title)
	if err != nil {
		return err
	}
	v := scheduleFormView{Form: f, Action: action, Errors: errs, Limits: limitOptions(p), AnyAsset: len(f.Scenario.Assets) > 0,
		Ranges: append(slices.Clone(f.Ranges), dayRange{})}
	if len(errs) > 0 {
		v.Error = p.T("scenarios.errors")
	}
	v.choices(p)
	who := access.From(r.Context())
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if err := v.people(ctx, tx, q, p, who); err != nil {
			return err
		}
		sites, err := q.ListSites(ctx, tx, tenant)
		if err != nil {
			return err
		}
		assets, err := q.PlanAssets(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range sites {
			v.Sites = append(v.Sites, pickView{ID: x.ID.String(), Name: localName(p.Lang, x.NameAr, x.NameEn), Checked: f.Scenario.Sites[x.ID.String()]})
			v.Assets = append(v.Assets, assetsOf(p, x, assets, f.Scenario))
		}
		v.Problems = problemCards(p, who, f.Scenario, v.Sites, errs)
		return nil
	})
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/schedules", Label: p.T("schedules.title")}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, status, "schedules/form", p)
	return nil
}

// choices lists what needs no look at the database.
func (v *scheduleFormView) choices(p Page) {
	for _, x := range recurrence.Overlaps() {
		v.Overlaps = append(v.Overlaps, choiceOption{x, p.T("schedules.overlap." + x)})
	}
	for _, x := range recurrence.StartRules() {
		v.Starts = append(v.Starts, choiceOption{x, p.T("schedules.start." + x)})
	}
	for i := range 7 {
		v.Weekdays = append(v.Weekdays, checkBox{fmt.Sprint(i), weekdayName(p, i), v.Form.Builder.Weekdays[i]})
	}
	for _, x := range recurrence.Holidays() {
		v.Holidays = append(v.Holidays, checkBox{x, p.T("schedules.holiday." + x), v.Form.Holidays[x]})
	}
	for _, x := range recurrence.Periods() {
		v.Periods = append(v.Periods, checkBox{x, p.T("schedules.period." + x), v.Form.Periods[x]})
	}
}

// people lists owners, service accounts and their tokens. Who may change only
// their own schedules owns them.
func (v *scheduleFormView) people(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, who access.Principal) error {
	v.FixedOwner = !schedule.All(who)
	people, err := q.ListPeople(ctx, tx, who.TenantID)
	if err != nil {
		return err
	}
	for _, x := range people {
		able := slices.ContainsFunc(x.Roles, func(role string) bool { return access.Allows(access.Role(role), access.RunPrioritization) })
		if able && (!v.FixedOwner || x.ID == who.UserID) {
			v.Owners = append(v.Owners, choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)})
		}
	}
	accounts, err := q.ListRoleHolders(ctx, tx, who.TenantID, string(access.ServiceAccount))
	if err != nil {
		return err
	}
	for _, x := range accounts {
		if x.IsActive {
			v.Accounts = append(v.Accounts, Option{x.ID.String(), x.Username})
		}
	}
	v.NoAccount = len(v.Accounts) == 0
	tokens, err := q.ListAPITokens(ctx, tx, who.TenantID)
	for _, x := range tokens {
		if x.RevokedAt == nil && slices.ContainsFunc(v.Accounts, func(o Option) bool { return o.Value == x.UserID.String() }) {
			v.Tokens = append(v.Tokens, choiceOption{x.ID.String(), x.Username + " · " + x.Name})
		}
	}
	return err
}
