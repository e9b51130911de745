package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// ScenarioView is what a scenario says as a whole. Money is SAR, times are
// periods of period_hours from start.
type ScenarioView struct {
	Scenario    Scenario                 `json:"scenario"`
	Problem     string                   `json:"problem"`
	BasedOn     *uuid.UUID               `json:"based_on,omitempty" doc:"Scenario that this one asks about"`
	Certificate optimize.Certificate     `json:"certificate"`
	Start       string                   `json:"start" doc:"Local time of period 0"`
	Periods     int                      `json:"periods"`
	PeriodHours float64                  `json:"period_hours"`
	Total       float64                  `json:"total"`
	Risk        float64                  `json:"risk"`
	Terms       []NamedTerm              `json:"terms" doc:"They add up to total"`
	Baseline    []NamedTerm              `json:"baseline,omitempty" doc:"Of the current plan"`
	Figures     []NamedFigure            `json:"figures"`
	Lines       int                      `json:"lines" doc:"Number of decisions; list-lines gives them"`
	Loads       []optimize.Load          `json:"loads,omitempty"`
	Profiles    []optimize.Profile       `json:"profiles,omitempty"`
	Frontier    []optimize.FrontierPoint `json:"frontier,omitempty"`
}

// NamedTerm is one part of a cost with its name in the caller's language.
type NamedTerm struct {
	Key   string  `json:"key"`
	Name  string  `json:"name"`
	Money float64 `json:"money"`
}

// NamedFigure is one number of a plan with its name.
type NamedFigure struct {
	Key   string  `json:"key"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

func (a *API) scenarios() {
	get := func(path, id, summary string) huma.Operation {
		return route(http.MethodGet, path, id, summary, "Scenarios")
	}
	add(a, access.ViewResults, get("/scenarios/{id}", "get-scenario", "A scenario: certificate, cost by term, figures, loads and profiles"), a.getScenario)
	add(a, access.ViewResults, get("/scenarios/{id}/lines", "list-lines", "Decisions of a scenario with their reasons, most valuable first"), a.listLines)
	add(a, access.ViewResults, get("/scenarios/{id}/recommendations", "list-recommendations", "Recommendations of a maintenance scenario by rank"), a.listRecommendations)
	add(a, access.ViewResults, get("/scenarios/{id}/curves", "list-curves", "Cost against time by subject"), a.listCurves)
	add(a, access.ViewResults, get("/scenarios/{id}/prices", "list-prices", "What one more unit of a resource is worth, and what each pin costs"), a.listPrices)
	add(a, access.ViewResults, get("/scenarios/{id}/compare/{other}", "compare-scenarios", "What another scenario costs more, term by term, and which decisions differ"), a.compare)
	add(a, access.ViewResults, get("/scenarios/{id}/what-ifs", "list-what-ifs", "What-if runs on a scenario, newest first"), a.listWhatIfs)
	ask := route(http.MethodPost, "/scenarios/{id}/what-ifs", "create-what-if", "Ask what a decision would cost: force it upon a scenario and solve again", "Scenarios")
	ask.DefaultStatus, ask.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.RunPrioritization, ask, a.createWhatIf)
}

// stored is a scenario with the run behind it and what is shown of it.
type stored struct {
	scenario db.OptimizationScenario
	run      db.OptimizationRun
	view     optimize.View
}

// load reads one scenario of the caller's tenant.
func load(ctx context.Context, tx pgx.Tx, q *db.Queries, who access.Principal, id uuid.UUID) (stored, error) {
	row, err := q.ScenarioWithRun(ctx, tx, who.TenantID, id)
	if err != nil {
		return stored{}, err
	}
	x := stored{scenario: row.OptimizationScenario, run: row.OptimizationRun}
	x.view, err = runs.View(x.run.Problem, x.scenario.Preset, x.run.Input, x.scenario.Output)
	return x, err
}

// scenario reads one scenario in a transaction of its own.
func (a *API) scenario(ctx context.Context, who access.Principal, id uuid.UUID) (stored, error) {
	var x stored
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		x, err = load(ctx, tx, q, who, id)
		return err
	})
	return x, err
}

func (a *API) getScenario(ctx context.Context, who access.Principal, in *ByID) (*answer[ScenarioView], error) {
	x, err := a.scenario(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	v := x.view
	return reply(ScenarioView{
		Scenario: showScenario(x.scenario), Problem: x.run.Problem, BasedOn: x.run.BasedOn, Certificate: v.Certificate, Start: v.Start,
		Periods: v.Periods, PeriodHours: v.PeriodHours, Total: v.Total, Risk: v.Risk, Terms: a.terms(ctx, v.Terms), Baseline: a.terms(ctx, v.Baseline),
		Figures: a.figures(ctx, v.Figures), Lines: len(v.Lines), Loads: v.Loads, Profiles: v.Profiles, Frontier: v.Frontier,
	}), nil
}

func (a *API) terms(ctx context.Context, terms []optimize.Term) []NamedTerm {
	out := make([]NamedTerm, len(terms))
	for i, t := range terms {
		out[i] = NamedTerm{t.Key, a.text(ctx, "optimize.term."+t.Key), t.Money}
	}
	return out
}

func (a *API) figures(ctx context.Context, figures []optimize.Figure) []NamedFigure {
	out := make([]NamedFigure, len(figures))
	for i, f := range figures {
		out[i] = NamedFigure{f.Key, a.text(ctx, "optimize.figure."+f.Key), f.Value, f.Unit}
	}
	return out
}

func (a *API) listCurves(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
}) (*answer[List[optimize.Curve]], error) {
	x, err := a.scenario(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	rows, next, err := in.slice(ctx, len(x.view.Curves))
	if err != nil {
		return nil, err
	}
	return reply(List[optimize.Curve]{Items: append([]optimize.Curve{}, x.view.Curves[rows[0]:rows[1]]...), Next: next}), nil
}

// PriceOf is the worth of one step more of a resource, or the cost of a pin.
type PriceOf struct {
	Subject string  `json:"subject"`
	Name    string  `json:"name"`
	Pin     bool    `json:"pin" doc:"The subject is a pinned decision and value is what the pin costs"`
	Step    float64 `json:"step,omitempty"`
	Unit    string  `json:"unit,omitempty"`
	Value   float64 `json:"value" doc:"SAR, the difference of two verified plans"`
	Exact   bool    `json:"exact" doc:"Both plans are optimal"`
}

func (a *API) listPrices(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
}) (*answer[List[PriceOf]], error) {
	x, names, err := a.named(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	rows, next, err := in.slice(ctx, len(x.view.Prices))
	if err != nil {
		return nil, err
	}
	out := List[PriceOf]{Items: []PriceOf{}, Next: next}
	for _, p := range x.view.Prices[rows[0]:rows[1]] {
		out.Items = append(out.Items, PriceOf{p.Subject, names.of(p.Subject), p.Pin, p.Step, p.Unit, p.Value, p.Exact})
	}
	return reply(out), nil
}
