package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/web/chart"
)

// resultRows is what a result page reads.
type resultRows struct {
	run       db.RunDetailRow
	scenarios []db.OptimizationScenario
	selected  db.OptimizationScenario
	output    maintenance.Output
	lines     []db.ScenarioRecommendationsRow
	plans     []db.PlansOfRunRow
	names     nameBook
	days      *calendar.Calendar
}

// resultView is the result page of a run.
type resultView struct {
	ID, Title, Preset, PresetName string
	From, To                      time.Time
	Days                          int
	Cards                         []scenarioCard
	Tabs                          []tabView
	Tab                           string
	Rows                          []adviceRow
	Pager                         Pager
	Gantt                         chart.Gantt
	Crews                         []crewView
	Hidden                        int
	Summary                       summaryView
	CanPropose                    bool
	Plan                          *planLink // the plan that is under way for this run
}

// tabView is one entry of the parts "tabs" and "seg".
type tabView struct {
	Href, Label string
	Active      bool
	Count       int
}

// planLink leads to a plan of the run.
type planLink struct{ ID, StateLabel, State string }

// certificate says what a plan can prove about itself.
type certificate struct {
	BoundKnown, Optimal   bool
	Objective, Bound, Gap float64
	Seconds               float64
	Solver                string
}

// scenarioCard is one scenario beside the others.
type scenarioCard struct {
	Preset, Name, Icon, Href      string
	Total, Risk, Downtime, Labour float64
	Planned, Deferred             int
	Active, Cheapest              bool
	Certificate                   certificate
}

const (
	tabTable   = "table"
	tabGantt   = "gantt"
	tabSummary = "summary"
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
	x, err := s.loadResults(r, id)
	if err != nil {
		return err
	}
	if len(x.scenarios) == 0 {
		return s.redirect(w, r, "/runs/"+id.String(), "runs.no_results")
	}
	v, err := newResultView(p, x)
	if err != nil {
		return err
	}
	v.CanPropose = v.Plan == nil && access.From(r.Context()).Can(access.ProposePlan)
	p.Title = x.run.Title
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: "/runs/" + v.ID, Label: v.Title}, {Label: p.T("runs.results")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "runs/results", p)
	return nil
}

// loadResults reads a run with the scenario that the address names, or else
// the balanced one.
func (s *Server) loadResults(r *http.Request, id uuid.UUID) (resultRows, error) {
	var x resultRows
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.run, err = q.RunDetail(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.scenarios, err = q.RunScenarios(ctx, tx, tenant, id); err != nil || len(x.scenarios) == 0 {
			return err
		}
		if x.selected, err = pickScenario(x.scenarios, r.URL.Query().Get("scenario")); err != nil {
			return err
		}
		if x.lines, err = q.ScenarioRecommendations(ctx, tx, tenant, x.selected.ID); err != nil {
			return err
		}
		if x.plans, err = q.PlansOfRun(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.names, err = loadNames(ctx, tx, q, tenant); err != nil {
			return err
		}
		x.days, err = tenantCalendar(ctx, tx, q, tenant)
		return err
	})
	if err != nil || len(x.scenarios) == 0 {
		return x, err
	}
	if err := json.Unmarshal(x.selected.Output, &x.output); err != nil {
		return x, fmt.Errorf("read output of scenario %s: %w", x.selected.ID, err)
	}
	return x, nil
}

// pickScenario finds a preset among the scenarios of a run.
func pickScenario(scenarios []db.OptimizationScenario, preset string) (db.OptimizationScenario, error) {
	first := scenarios[0]
	for _, sc := range scenarios {
		if sc.Preset == preset {
			return sc, nil
		}
		if sc.Preset == maintenance.PresetBalanced {
			first = sc
		}
	}
	if preset != "" {
		return first, fault.New(fault.NotFound, "error.404.text")
	}
	return first, nil
}

func newResultView(p Page, x resultRows) (resultView, error) {
	v := resultView{
		ID: x.run.ID.String(), Title: x.run.Title, Preset: x.selected.Preset, PresetName: p.T("optimize.objective." + x.selected.Preset),
		From: x.run.WindowStart, To: x.run.WindowStart.AddDate(0, 0, int(x.run.WindowDays)-1), Days: int(x.run.WindowDays),
	}
	for _, plan := range x.plans {
		if plan.State == "proposed" || plan.State == "approved" || plan.State == "released" {
			v.Plan = &planLink{plan.ID.String(), p.T("plans.state." + plan.State), planStates[plan.State]}
			break
		}
	}
	cards, err := scenarioCards(p, x)
	if err != nil {
		return v, err
	}
	v.Cards = cards
	v.Tab = p.URL.Query().Get("tab")
	if v.Tab != tabGantt && v.Tab != tabSummary {
		v.Tab = tabTable
	}
	for _, tab := range []string{tabTable, tabGantt, tabSummary} {
		v.Tabs = append(v.Tabs, tabView{Href: p.With("tab", tab, "page", "", "crew", ""), Label: p.T("runs.tab." + tab), Active: tab == v.Tab})
	}
	switch v.Tab {
	case tabGantt:
		v.Crews = crewLoads(p, x)
		v.Gantt, v.Hidden = resultGantt(p, x, v.Crews)
	case tabSummary:
		v.Summary, err = newSummary(p, x)
	default:
		v.Pager = NewPager(p.URL, runPageSize, len(x.lines))
		v.Pager.Target = "advice"
		v.Rows = adviceRows(p, x.run.ID, pageOf(x.lines, v.Pager))
	}
	return v, err
}

// pageOf cuts a list that is held in memory.
func pageOf[T any](all []T, p Pager) []T {
	from := min(len(all), p.Offset())
	return all[from:min(len(all), from+p.Size)]
}

// scenarioCards puts the scenarios of a run side by side.
func scenarioCards(p Page, x resultRows) ([]scenarioCard, error) {
	var out []scenarioCard
	for i, sc := range x.scenarios {
		cert, err := certificateOf(sc)
		if err != nil {
			return nil, err
		}
		out = append(out, scenarioCard{
			Preset: sc.Preset, Name: p.T("optimize.objective." + sc.Preset), Icon: presetIcons[sc.Preset],
			Href: p.With("scenario", sc.Preset, "page", ""), Total: sc.TotalCost, Risk: sc.RiskCost, Downtime: sc.DowntimeHours, Labour: sc.LabourHours,
			Planned: int(sc.ActionsPlanned), Deferred: int(sc.ActionsDeferred), Active: sc.Preset == x.selected.Preset,
			Cheapest: leastCost(x.scenarios) == i, Certificate: cert,
		})
	}
	return out, nil
}

func leastCost(scenarios []db.OptimizationScenario) int {
	best := 0
	for i, sc := range scenarios {
		if sc.TotalCost < scenarios[best].TotalCost {
			best = i
		}
	}
	return best
}

// certificateOf joins the columns of a scenario with the solver's name, which
// is part of its output.
func certificateOf(sc db.OptimizationScenario) (certificate, error) {
	var out struct {
		Certificate optimize.Certificate `json:"certificate"`
	}
	if err := json.Unmarshal(sc.Output, &out); err != nil {
		return certificate{}, fmt.Errorf("read certificate of scenario %s: %w", sc.ID, err)
	}
	c := certificate{Objective: sc.Objective, Seconds: sc.Seconds, Optimal: sc.Status == string(optimize.StatusOptimal),
		Solver: joinWords(out.Certificate.Solver.Name, out.Certificate.Solver.Version)}
	if sc.Bound != nil && sc.Gap != nil {
		c.BoundKnown, c.Bound, c.Gap = true, *sc.Bound, *sc.Gap
	}
	return c, nil
}

func joinWords(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
