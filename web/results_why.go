package web

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

// alternativesShown bounds the other choices that an explanation prices.
const alternativesShown = 5

// whyView explains one decision.
type whyView struct {
	subjectName
	Run, RunTitle, Preset, PresetName string
	Verdict                           chipView
	Rated, Trusted, Pinned            bool
	Acts, Daily                       bool
	Start, End                        *time.Time
	Who, WhoLabel                     string
	Hours, Travel                     float64
	Reasons                           []reasonLine
	Curve                             chart.Plot
	CurveUnit                         string
	Alternatives                      []alternative
	Compare                           []compareRow
	Against, Without                  string // what the plan is set against
	Verified                          bool
	WhatIf                            *whatIfForm // nil for somebody who may not run the problem
}

// reasonLine is one computed reason in words.
type reasonLine struct {
	Icon string
	Text template.HTML
}

// alternative is another choice with what it costs while the rest of the plan
// stays.
type alternative struct {
	Label string
	Delta float64
}

// compareRow sets the plan against not acting.
type compareRow struct {
	Label        string
	Plan, Defers float64
}

// showWhy answers the drawer, or a page of its own when the address is opened
// directly.
func (s *Server) showWhy(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	return s.whyPage(w, r, http.StatusOK, query.Get("scenario"), query.Get("subject"), nil)
}

// whyPage prints an explanation; entered is a what-if form that was refused.
func (s *Server) whyPage(w http.ResponseWriter, r *http.Request, status int, preset, subject string, entered *whatIfForm) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	x, err := s.loadWhy(r, run, preset)
	if err != nil {
		return err
	}
	if subject == "" && len(x.plan.view.Lines) > 0 {
		subject = x.plan.view.Lines[0].Subject // the most valuable decision
	}
	line, ok := x.plan.line(subject)
	if !ok {
		return fault.New(fault.NotFound, "error.404.text")
	}
	canRun := mayRun(access.From(r.Context()), x.plan.run.Problem)
	if r.Header.Get("HX-Request") != "" && entered == nil {
		p := s.render.Page(r)
		p.Data = newWhyView(p, x, line, canRun, entered)
		s.render.RenderPart(w, r, status, "runs/why", "why", p)
		return nil
	}
	p, err := s.page(r, "runs.why")
	if err != nil {
		return err
	}
	v := newWhyView(p, x, line, canRun, entered)
	p.Data, p.Title = v, v.Short()
	base := "/runs/" + v.Run
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: base, Label: v.RunTitle},
		{Href: base + "/results?scenario=" + v.Preset, Label: p.T("runs.results")}, {Label: v.Short(), Tag: v.Tag != "" && v.subjectName.Title == ""}}
	s.render.Render(w, r, status, "runs/why", p)
	return nil
}

// whyRows is what an explanation reads.
type whyRows struct {
	plan  solvedPlan
	book  plantBook
	trust map[uuid.UUID]bool
}

func (s *Server) loadWhy(r *http.Request, id uuid.UUID, preset string) (whyRows, error) {
	var x whyRows
	var run db.OptimizationRun
	var scenario db.OptimizationScenario
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if run, err = q.LoadRun(ctx, tx, tenant, id); err != nil {
			return err
		}
		if scenario, err = scenarioOf(ctx, tx, q, run, preset); err != nil {
			return err
		}
		trust, err := q.ScenarioTrust(ctx, tx, tenant, scenario.ID)
		if err != nil {
			return err
		}
		x.trust = trustOf(trust)
		x.book, err = loadPlantBook(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return x, err
	}
	x.plan, err = newSolvedPlan(run, scenario)
	return x, err
}

// scenarioOf finds a scenario of a run by its preset; without one it is that
// which a result opens on.
func scenarioOf(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, preset string) (db.OptimizationScenario, error) {
	if preset != "" {
		return q.ScenarioByPreset(ctx, tx, run.TenantID, run.ID, preset)
	}
	scenarios, err := q.RunScenarios(ctx, tx, run.TenantID, run.ID)
	if err != nil {
		return db.OptimizationScenario{}, err
	}
	if len(scenarios) == 0 {
		return db.OptimizationScenario{}, fault.New(fault.NotFound, "error.404.text")
	}
	i, err := pickScenario(scenarios, "")
	return scenarios[i], err
}

func newWhyView(p Page, x whyRows, l optimize.Line, canRun bool, entered *whatIfForm) whyView {
	plan := x.plan
	v := whyView{
		subjectName: x.book.subject(p.Lang, l), Run: plan.run.ID.String(), RunTitle: plan.run.Title, Preset: plan.scenario.Preset,
		PresetName: presetName(p, plan.scenario.Preset), Verdict: verdictChip(p, plan, l), Pinned: l.Pinned, Daily: plan.time.daily(),
		Who: crewNames(p, x.book, l), WhoLabel: wordFor(p, "runs.crew", plan.run.Problem), Hours: l.Hours, Travel: l.TravelHours, Verified: plan.scenario.Verified,
		Alternatives: alternatives(p, plan, l), Acts: l.Verdict == optimize.VerdictDo,
	}
	if id, err := uuid.Parse(l.AssetID); err == nil {
		v.Trusted, v.Rated = x.trust[id]
	}
	if begins(l) {
		start, end := plan.time.at(l.Start), plan.time.at(l.End)
		v.Start, v.End = &start, &end
	}
	for _, reason := range l.Reasons {
		v.Reasons = append(v.Reasons, reasonText(p, x.book.names, plan.time, reason))
	}
	if i := slices.IndexFunc(plan.view.Curves, func(c optimize.Curve) bool { return c.Subject == l.Subject }); i >= 0 {
		v.Curve, v.CurveUnit = curvePlot(p, plan, l, plan.view.Curves[i])
	} else {
		v.Curve.Empty = true
	}
	if l.Verdict == optimize.VerdictDo && l.Value != 0 {
		v.Compare = compareWithDeferring(p, l)
		v.Against, v.Without = wordFor(p, "runs.compare", plan.run.Problem), wordFor(p, "runs.compare.defer", plan.run.Problem)
	}
	if canRun {
		v.WhatIf = entered
		if entered == nil {
			v.WhatIf = newWhatIfForm(p, plan, x.book, &l)
		}
	}
	return v
}

// alternatives lists the cheapest other choices: other starts, and not acting.
func alternatives(p Page, x solvedPlan, l optimize.Line) []alternative {
	moves := slices.DeleteFunc(slices.Clone(l.Moves), func(m optimize.Move) bool {
		return m.Period == -1 && l.Verdict == optimize.VerdictDefer || m.Period >= 0 && float64(m.Period) == l.Start
	})
	slices.SortStableFunc(moves, func(a, b optimize.Move) int { return cmp.Compare(a.Delta, b.Delta) })
	var out []alternative
	for i, m := range moves {
		off := m.Period < 0
		if i >= alternativesShown && !off {
			continue // not acting is always priced
		}
		a := alternative{Label: p.T("results.alternative.off"), Delta: m.Delta}
		if !off {
			a.Label = x.time.date(p, m.Period)
		}
		out = append(out, a)
	}
	return out
}

// compareWithDeferring lists what the decision changes against not acting
// within the horizon.
func compareWithDeferring(p Page, l optimize.Line) []compareRow {
	return []compareRow{
		{p.T("runs.compare.cost"), l.ExpectedCost, l.ExpectedCost + l.Value},
		{p.T("results.compare.certain"), l.PlannedCost, 0},
		{p.T("results.compare.rest"), l.ExpectedCost - l.PlannedCost, l.ExpectedCost + l.Value},
	}
}
