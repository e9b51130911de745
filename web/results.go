package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// resultRows is what a result page reads: every scenario of the run, and
// which of them is shown.
type resultRows struct {
	run   db.OptimizationRun
	all   []solvedPlan
	shown int
	base  *solvedPlan // the plan that a what-if run set out from
	trust map[uuid.UUID]bool
	plans []db.PlansOfRunRow
	book  plantBook
}

func (x *resultRows) plan() solvedPlan { return x.all[x.shown] }

// resultView is the result page of a run.
type resultView struct {
	ID, Title, Problem, Preset, PresetName, ScenarioID string
	From, To                                           time.Time
	Cards                                              []scenarioCard
	Tabs                                               []tabView
	Tab                                                string
	Lines                                              lineTable
	Pager                                              Pager
	Gantt                                              *ganttView
	Routes                                             *routesView
	Curves                                             *curvesView
	Profiles                                           *profilesView
	Frontier                                           *frontierView
	Summary                                            *summaryView
	Difference                                         *differenceView
	WhatIf                                             *whatIfDialog
	CanPropose, CanRun                                 bool
	Plan                                               *planLink // the plan that is under way for this run
	Exports                                            []tabView
}

// tabView is one entry of the parts "tabs" and "seg".
type tabView struct {
	Href, Label string
	Active      bool
	Count       int
}

// planLink leads to a plan of the run.
type planLink struct{ ID, StateLabel, State string }

// The tabs that every result has beside those of its problem; the difference
// only in a what-if run.
const (
	tabTable      = "table"
	tabSummary    = "summary"
	tabDifference = "difference"
)

// showResults prints the scenarios of a finished run.
func (s *Server) showResults(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "runs.results")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	x, err := s.loadResults(r, id, r.URL.Query().Get("scenario"))
	if err != nil {
		return err
	}
	if len(x.all) == 0 {
		return s.redirect(w, r, "/runs/"+id.String(), "runs.no_results")
	}
	who := access.From(r.Context())
	v := newResultView(p, x, mayRun(who, x.run.Problem))
	v.CanPropose = v.Plan == nil && x.plan().spec.Executable && who.Can(access.ProposePlan)
	p.Title = x.run.Title
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: "/runs/" + v.ID, Label: v.Title}, {Label: p.T("runs.results")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "runs/results", p)
	return nil
}

// loadResults reads a run with its scenarios. preset names the one to show;
// empty means the balanced one, or else the first.
func (s *Server) loadResults(r *http.Request, id uuid.UUID, preset string) (resultRows, error) {
	var x resultRows
	var scenarios []db.OptimizationScenario
	var base *db.ScenarioWithRunRow
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.run, err = q.LoadRun(ctx, tx, tenant, id); err != nil {
			return err
		}
		if scenarios, err = q.RunScenarios(ctx, tx, tenant, id); err != nil || len(scenarios) == 0 {
			return err
		}
		if x.shown, err = pickScenario(scenarios, preset); err != nil {
			return err
		}
		trust, err := q.ScenarioTrust(ctx, tx, tenant, scenarios[x.shown].ID)
		if err != nil {
			return err
		}
		x.trust = trustOf(trust)
		if x.plans, err = q.PlansOfRun(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.book, err = loadPlantBook(ctx, tx, q, tenant); err != nil || x.run.BasedOn == nil {
			return err
		}
		row, err := q.ScenarioWithRun(ctx, tx, tenant, *x.run.BasedOn)
		base = &row
		return err
	})
	if err != nil {
		return x, err
	}
	for _, sc := range scenarios {
		plan, err := newSolvedPlan(x.run, sc)
		if err != nil {
			return x, err
		}
		x.all = append(x.all, plan)
	}
	if base != nil {
		plan, err := newSolvedPlan(base.OptimizationRun, base.OptimizationScenario)
		if err != nil {
			return x, err
		}
		x.base = &plan
	}
	return x, nil
}

// pickScenario finds a preset among the scenarios of a run.
func pickScenario(scenarios []db.OptimizationScenario, preset string) (int, error) {
	if preset == "" {
		return max(0, slices.IndexFunc(scenarios, func(sc db.OptimizationScenario) bool { return sc.Preset == "balanced" })), nil
	}
	i := slices.IndexFunc(scenarios, func(sc db.OptimizationScenario) bool { return sc.Preset == preset })
	if i < 0 {
		return 0, fault.New(fault.NotFound, "error.404.text")
	}
	return i, nil
}

func newResultView(p Page, x resultRows, canRun bool) resultView {
	plan := x.plan()
	v := resultView{
		ID: x.run.ID.String(), Title: x.run.Title, Problem: problemTitle(p, x.run.Problem), Preset: plan.scenario.Preset,
		PresetName: presetName(p, plan.scenario.Preset), ScenarioID: plan.scenario.ID.String(),
		From: plan.time.at(0), To: plan.time.last(), Cards: scenarioCards(p, x), CanRun: canRun,
		Plan: openPlan(p, x.plans, plan.scenario.ID), Exports: exportLinks(p, plan),
	}
	v.Tabs, v.Tab = resultTabs(p, x)
	switch v.Tab {
	case string(optimize.PartGantt):
		v.Gantt = newGanttView(p, plan, x.book, canRun)
	case string(optimize.PartRoutes):
		v.Routes = newRoutesView(p, plan, x.book, canRun)
	case string(optimize.PartCurves):
		v.Curves = newCurvesView(p, plan, x.book)
	case string(optimize.PartProfiles):
		v.Profiles = newProfilesView(p, plan, x.book)
	case string(optimize.PartFrontier):
		v.Frontier = newFrontierView(p, plan)
	case tabSummary:
		v.Summary = newSummary(p, x)
	case tabDifference:
		v.Difference = newDifferenceView(p, *x.base, plan, x.book)
	default:
		v.Pager = NewPager(p.URL, runPageSize, len(plan.view.Lines))
		v.Pager.Target = "advice"
		v.Lines = newLineTable(p, plan, x.book, x.trust, v.Pager)
	}
	if canRun {
		v.WhatIf = newWhatIfDialog(p, plan, x.book)
	}
	return v
}

// resultTabs lists the tabs of a result and says which one the address names.
// A what-if run opens on what its decision costs.
func resultTabs(p Page, x resultRows) ([]tabView, string) {
	names := []string{tabTable}
	if x.base != nil {
		names = []string{tabDifference, tabTable}
	}
	for _, part := range x.plan().spec.Shows {
		names = append(names, string(part))
	}
	names = append(names, tabSummary)
	chosen := p.URL.Query().Get("tab")
	if !slices.Contains(names, chosen) {
		chosen = names[0]
	}
	tabs := make([]tabView, len(names))
	for i, name := range names {
		tabs[i] = tabView{Href: p.With("tab", name, "page", "", "crew", "", "day", ""), Label: wordFor(p, "results.tab."+name, x.run.Problem), Active: name == chosen}
	}
	return tabs, chosen
}

// openPlan leads to the plan that keeps a scenario from being put forward: one
// of the run that is under way, or the superseded one of the scenario itself.
func openPlan(p Page, plans []db.PlansOfRunRow, scenario uuid.UUID) *planLink {
	for _, plan := range plans {
		superseded := plan.State == "superseded" && plan.ScenarioID == scenario
		if plan.State == "proposed" || plan.State == "approved" || plan.State == "released" || superseded {
			return &planLink{plan.ID.String(), p.T("plans.state." + plan.State), planStates[plan.State]}
		}
	}
	return nil
}

// pageOf cuts a list that is held in memory.
func pageOf[T any](all []T, p Pager) []T {
	from := min(len(all), p.Offset())
	return all[from:min(len(all), from+p.Size)]
}

// presetName names a preset of any problem.
func presetName(p Page, preset string) string {
	if key := "optimize.objective." + preset; p.Loc().Has(key) {
		return p.T(key)
	}
	return preset
}

// presetIcon pictures a preset of any problem.
func presetIcon(preset string) string {
	if name, ok := presetIcons[preset]; ok {
		return name
	}
	return "target"
}
