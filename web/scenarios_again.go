package web

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// formAgain is the wizard filled in as a past run was asked for, with the
// decisions that were held fixed, so that somebody can mend it and run again.
// A horizon that began in the past begins tomorrow; its pins move along.
func (s *Server) formAgain(r *http.Request, text string) (scenarioForm, error) {
	var run db.OptimizationRun
	id, err := uuid.Parse(text)
	if err != nil {
		return scenarioForm{}, fault.Wrap(fault.NotFound, "error.404.text", err)
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		run, err = q.LoadRun(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return scenarioForm{}, err
	}
	return newFormAgain(time.Now(), run)
}

func newFormAgain(now time.Time, run db.OptimizationRun) (scenarioForm, error) {
	f := newScenarioForm(now, run.Problem)
	var o runs.Objective
	var c runs.Constraints
	if err := json.Unmarshal(run.Objective, &o); err != nil {
		return f, fmt.Errorf("read objective of run %s: %w", run.ID, err)
	}
	if err := json.Unmarshal(run.Constraints, &c); err != nil {
		return f, fmt.Errorf("read constraints of run %s: %w", run.ID, err)
	}
	f.Title = run.Title
	begins := run.WindowStart
	if tomorrow, err := time.Parse(time.DateOnly, f.Start); err == nil && begins.Before(tomorrow) {
		begins = tomorrow
	}
	f.Start = begins.Format(time.DateOnly)
	f.Horizon = strconv.Itoa(int(run.WindowDays))
	if !slices.Contains(horizonDays, f.Horizon) {
		f.Horizon, f.End = horizonDates, begins.AddDate(0, 0, int(run.WindowDays)-1).Format(time.DateOnly)
	}
	if limit := strconv.Itoa(int(run.TimeLimitSeconds)); slices.Contains(limitSeconds, limit) {
		f.Limit = limit
	}
	for _, site := range c.SiteIDs {
		f.Sites[site.String()] = true
	}
	for _, asset := range c.AssetIDs {
		f.Assets[asset.String()] = true
	}
	f.takeFields(begins, o, c)
	return f, f.takePins(run, c, begins)
}

// takeFields fills the fields of the problem's form.
func (f *scenarioForm) takeFields(begins time.Time, o runs.Objective, c runs.Constraints) {
	problem, ok := optimize.Lookup(f.Problem)
	if !ok {
		return
	}
	spec := problem.Spec()
	for _, x := range spec.Objectives {
		if len(o.Presets) > 0 {
			f.Flags[inputName(spec.Kind, "preset", x.Kind)] = slices.Contains(o.Presets, x.Kind)
		}
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	for _, field := range spec.Constraints {
		name := inputName(spec.Kind, field.Name, "")
		v, given := c.Value(spec, field.Name)
		if w, weighed := o.Weights[field.Name]; field.Weight && weighed {
			v, given = w, true
		}
		switch {
		case field.Name == "one_train_out":
			f.Flags[name] = c.OneTrainOut
		case field.Name == "budget_sar" && c.BudgetSAR != nil:
			f.Values[name] = number(*c.BudgetSAR)
		case field.PerSite:
			for site, hours := range c.DowntimeCaps {
				f.Values[inputName(spec.Kind, field.Name, site.String())] = number(hours)
			}
		case !given:
		case field.Type == optimize.FieldBool:
			f.Flags[name] = v != 0
		case field.Type == optimize.FieldDate:
			f.Values[name] = begins.AddDate(0, 0, int(v)).Format(time.DateOnly)
		default:
			f.Values[name] = number(v)
		}
	}
}

// takePins keeps the decisions that were held fixed, by the request or by the
// question "what if". One whose day has passed is left out.
func (f *scenarioForm) takePins(run db.OptimizationRun, c runs.Constraints, begins time.Time) error {
	pins := c.Pins
	if len(run.WhatIf) > 0 {
		var asked []optimize.Pin
		if err := json.Unmarshal(run.WhatIf, &asked); err != nil {
			return fmt.Errorf("read question of run %s: %w", run.ID, err)
		}
		pins = append(slices.Clone(pins), asked...)
	}
	passed := math.Round(begins.Sub(run.WindowStart).Hours() / 24)
	for _, pin := range pins {
		if pin.Start != nil {
			start := *pin.Start - passed
			if start < 0 {
				continue
			}
			pin.Start = &start
		}
		text, err := json.Marshal(pin)
		if err != nil {
			return fmt.Errorf("encode pin: %w", err)
		}
		f.Pins = append(f.Pins, string(text))
	}
	return nil
}

// pins reads the decisions to hold fixed.
func (f scenarioForm) pins(p Page, errs map[string]string) []optimize.Pin {
	var out []optimize.Pin
	for _, text := range f.Pins {
		var pin optimize.Pin
		if err := json.Unmarshal([]byte(text), &pin); err != nil {
			errs["pins"] = p.T("field.choice")
			continue
		}
		out = append(out, pin)
	}
	return out
}

// pinChoices words the pins of the form.
func (f scenarioForm) pinChoices(p Page, assets []db.PlanAssetsRow) []pickView {
	start, startErr := time.Parse(time.DateOnly, f.Start)
	var out []pickView
	for _, text := range f.Pins {
		var pin optimize.Pin
		if err := json.Unmarshal([]byte(text), &pin); err != nil {
			continue // the check has named it
		}
		row := pickView{ID: text, Tag: pin.Subject, Checked: true}
		if i := slices.IndexFunc(assets, func(a db.PlanAssetsRow) bool { return a.ID.String() == pin.Subject }); i >= 0 {
			row.Tag = assets[i].Tag
		}
		var parts []string
		if pin.Off {
			parts = append(parts, wordFor(p, "results.pin.off", f.Problem))
		}
		if pin.Start != nil && startErr == nil {
			parts = append(parts, p.T("results.pin.start", "Date", p.Loc().ShortDate(start.AddDate(0, 0, int(*pin.Start)))))
		}
		row.Name = strings.Join(parts, p.T("results.and"))
		out = append(out, row)
	}
	return out
}
