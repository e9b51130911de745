package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// The questions that a what-if can ask.
const (
	askStart = "start" // another start, another technician, or both
	askLoad  = "load"  // another load of a unit
	askOff   = "off"   // do not act at all
)

// whatIfForm is the question "what if" or "why not" as it was filled in.
type whatIfForm struct {
	Key, Scenario, Subject, Ask string
	Day, Clock, Resource, Load  string
	Errors                      map[string]string
	Error                       string

	Action              string // address that takes the form
	Asks                []choiceOption
	Resources           []choiceOption
	Daily, HasLoad      bool
	MinDay, MaxDay      string
	LoadRange, LoadUnit string
}

// whatIfDialog asks before a bar that was dragged becomes a question.
type whatIfDialog struct {
	ID   string
	Form *whatIfForm
}

func newWhatIfDialog(p Page, x solvedPlan, b plantBook) *whatIfDialog {
	return &whatIfDialog{whatIfID, newWhatIfForm(p, x, b, nil)}
}

// newWhatIfForm is the form as it opens on a decision, or on none for a
// dragged bar. What it asks follows from what the problem decides.
func newWhatIfForm(p Page, x solvedPlan, b plantBook, l *optimize.Line) *whatIfForm {
	f := &whatIfForm{Key: uuid.NewString(), Scenario: x.scenario.Preset}
	f.offer(p, x, b, l)
	f.Ask = f.Asks[0].Value
	if l == nil {
		return f
	}
	f.Subject = l.Subject
	if l.Start >= 0 {
		f.Day, f.Clock = x.time.at(l.Start).Format(time.DateOnly), x.time.at(l.Start).Format("15:04")
	}
	f.Resource = l.Resource
	return f
}

// offer sets what the form can ask of a plan.
func (f *whatIfForm) offer(p Page, x solvedPlan, b plantBook, l *optimize.Line) {
	shows := func(part optimize.Part) bool { return slices.Contains(x.spec.Shows, part) }
	f.Action, f.Daily = "/runs/"+x.run.ID.String()+"/what-if", x.time.daily()
	f.MinDay, f.MaxDay = x.time.at(0).Format(time.DateOnly), x.time.last().Format(time.DateOnly)
	f.HasLoad = shows(optimize.PartProfiles)
	if shows(optimize.PartRoutes) {
		people, _ := routesOf(x, scheduled(x.view.Lines), -1)
		for _, id := range people {
			f.Resources = append(f.Resources, choiceOption{id, b.names.plain(p.Lang, id)})
		}
	}
	switch {
	case f.HasLoad:
		f.Asks = append(f.Asks, choiceOption{askLoad, p.T("results.ask.load")})
	case len(f.Resources) > 0:
		f.Asks = append(f.Asks, choiceOption{askStart, p.T("results.ask.start")})
	default:
		f.Asks = append(f.Asks, choiceOption{askStart, p.T("results.ask.day.other")})
	}
	if mayBeOff(p, x, l) {
		f.Asks = append(f.Asks, choiceOption{askOff, wordFor(p, "results.ask.off", x.run.Problem)})
	}
	if l == nil {
		return
	}
	if u, ok := profileOf(x, l.Subject); ok {
		f.LoadRange = p.T("results.ask.load.range", "Min", p.Loc().Num(u.Minimum, 1), "Max", p.Loc().Num(u.Maximum, 1))
		f.LoadUnit = unitOf(p, u.Unit)
	}
}

// mayBeOff reports whether the problem takes "not at all" for an answer: of a
// decision, or of the first one.
func mayBeOff(p Page, x solvedPlan, l *optimize.Line) bool {
	if l == nil && len(x.view.Lines) > 0 {
		l = &x.view.Lines[0]
	}
	return l != nil && refusal(p, x, optimize.Pin{Subject: l.Subject, Off: true}) == ""
}

func profileOf(x solvedPlan, subject string) (optimize.Profile, bool) {
	for _, u := range x.view.Profiles {
		if u.Subject == subject {
			return u, true
		}
	}
	return optimize.Profile{}, false
}

func readWhatIfForm(r *http.Request) *whatIfForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return &whatIfForm{Key: value("key"), Scenario: value("scenario"), Subject: value("subject"), Ask: value("ask"),
		Day: value("day"), Clock: value("clock"), Resource: value("resource"), Load: value("load"), Errors: map[string]string{}}
}

// askWhatIf records a what-if run on a scenario and starts its workflow. The
// key of the form makes a second sending lead to the first run.
func (s *Server) askWhatIf(w http.ResponseWriter, r *http.Request) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readWhatIfForm(r)
	x, err := s.loadWhy(r, run, f.Scenario)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	if !mayRun(who, x.plan.run.Problem) {
		return fault.New(fault.Forbidden, "error.403.text")
	}
	line, ok := x.plan.line(f.Subject)
	if !ok {
		return fault.New(fault.NotFound, "error.404.text")
	}
	p := s.render.Page(r)
	f.offer(p, x.plan, x.book, &line)
	pin := f.pin(p, x.plan, line)
	if len(f.Errors) == 0 {
		f.Error = refusal(p, x.plan, pin)
	}
	if len(f.Errors) > 0 || f.Error != "" {
		return s.whyPage(w, r, http.StatusUnprocessableEntity, f.Scenario, f.Subject, f)
	}
	title := p.T("results.whatif.title", "Change", pinText(p, x.plan, x.book, pin))
	id, err := s.recordWhatIf(r, x.plan, f.Key, shorten(title, maxTitle), pin)
	if err != nil {
		return err
	}
	return s.startRun(w, r, id)
}

// pin turns the form into a forced decision; errors are keyed by field.
func (f *whatIfForm) pin(p Page, x solvedPlan, l optimize.Line) optimize.Pin {
	pin := optimize.Pin{Subject: l.Subject}
	if _, err := uuid.Parse(f.Key); err != nil {
		f.Errors["key"] = p.T("scenarios.error.key")
	}
	if !slices.ContainsFunc(f.Asks, func(o choiceOption) bool { return o.Value == f.Ask }) {
		f.Errors["ask"] = p.T("field.choice")
		return pin
	}
	switch f.Ask {
	case askOff:
		if pin.Off = true; f.HasLoad && f.Day != "" {
			pin.Start = f.start(p, x, false)
		}
	case askStart:
		pin.Resource = f.resource(p, x)
		pin.Start = f.start(p, x, pin.Resource != "" && pin.Resource != l.Resource)
	case askLoad:
		pin.Load = f.load(p, x)
		if f.Day != "" {
			pin.Start = f.start(p, x, false)
		}
	}
	return pin
}

// start reads the day and, where the problem plans finer, the time of day.
// It may stay empty when somebody else is asked for.
func (f *whatIfForm) start(p Page, x solvedPlan, optional bool) *float64 {
	if f.Day == "" && optional {
		return nil
	}
	clock := f.Clock
	if clock == "" || f.Daily || x.time.daily() {
		clock = x.time.at(0).Format("15:04")
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", f.Day+" "+clock, riyadhZone)
	period := 0.0
	if err == nil {
		period = x.time.period(at)
	}
	if err != nil || period < 0 || period >= float64(x.time.periods) {
		f.Errors["day"] = p.T("results.error.day", "From", p.Loc().Date(x.time.at(0)), "To", p.Loc().Date(x.time.last()))
		return nil
	}
	return &period
}

func (f *whatIfForm) resource(p Page, x solvedPlan) string {
	if f.Resource == "" || !slices.Contains(x.spec.Shows, optimize.PartRoutes) {
		return ""
	}
	people, _ := routesOf(x, scheduled(x.view.Lines), -1)
	if !slices.Contains(people, f.Resource) {
		f.Errors["resource"] = p.T("field.choice")
	}
	return f.Resource
}

func (f *whatIfForm) load(p Page, x solvedPlan) *float64 {
	u, ok := profileOf(x, f.Subject)
	v, err := strconv.ParseFloat(digits.Replace(f.Load), 64)
	if err != nil || !ok || !(v >= u.Minimum && v <= u.Maximum) { // NaN is in no range
		f.Errors["load"] = p.T("scenarios.error.range", "Min", p.Loc().Num(u.Minimum), "Max", p.Loc().Num(u.Maximum))
		return nil
	}
	return &v
}

// refusal is why the problem cannot take a forced decision, in words; empty
// when it can.
func refusal(p Page, x solvedPlan, pin optimize.Pin) string {
	problem, ok := optimize.Lookup(x.run.Problem)
	if !ok {
		return p.T("runs.problem_unavailable")
	}
	_, err := problem.Force(x.run.Input, pin)
	var f *fault.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f) && f.Key != "":
		return p.T(f.Key, arguments(f.Args)...)
	}
	return p.T("error.500.text")
}

// recordWhatIf writes the request with its audit entry, or finds the run that
// the same form already made.
func (s *Server) recordWhatIf(r *http.Request, x solvedPlan, key, title string, pin optimize.Pin) (uuid.UUID, error) {
	pins, err := json.Marshal([]optimize.Pin{pin})
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode decision: %w", err)
	}
	var id uuid.UUID
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		who := access.From(ctx)
		id, err = q.RequestWhatIf(ctx, tx, db.RequestWhatIfParams{TenantID: tenant, ScenarioID: x.scenario.ID, Title: title,
			RequestedBy: who.UserID, IdempotencyKey: key, WhatIf: pins, Channel: "web"})
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = q.RunOfKey(ctx, tx, tenant, key, who.UserID)
			return err
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "run.requested", ObjectType: "run", ObjectID: id.String(),
			After: map[string]any{"title": title, "problem": x.run.Problem, "based_on": x.scenario.ID, "what_if": json.RawMessage(pins)}})
	})
	return id, err
}

// pinText says what a forced decision changes.
func pinText(p Page, x solvedPlan, b plantBook, pin optimize.Pin) string {
	name := b.names.plain(p.Lang, pin.Subject)
	if l, ok := x.line(pin.Subject); ok {
		name = b.subject(p.Lang, l).Short()
	}
	var parts []string
	if pin.Off {
		parts = append(parts, wordFor(p, "results.pin.off", x.run.Problem))
	}
	if pin.Load != nil {
		unit := ""
		if u, ok := profileOf(x, pin.Subject); ok {
			unit = unitOf(p, u.Unit)
		}
		parts = append(parts, strings.TrimSpace(p.T("results.pin.load", "Load", p.Loc().Num(*pin.Load, 1), "Unit", unit)))
	}
	if pin.Start != nil {
		parts = append(parts, p.T("results.pin.start", "Date", x.time.moment(p, *pin.Start)))
	}
	if pin.Resource != "" {
		parts = append(parts, p.T("results.pin.resource", "Name", b.names.plain(p.Lang, pin.Resource)))
	}
	return name + ": " + strings.Join(parts, p.T("results.and"))
}

// shorten cuts a text to a number of letters.
func shorten(s string, letters int) string {
	if runes := []rune(s); len(runes) > letters {
		return string(runes[:letters-1]) + "…"
	}
	return s
}
