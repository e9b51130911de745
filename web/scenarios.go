package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/runs"
)

// runPageSize is the number of rows of every list of runs, plans and orders.
const runPageSize = 25

func (s *Server) scenarioRoutes() []route {
	return []route{
		{http.MethodGet, "/scenarios", access.ViewResults, s.listScenarios},
		{http.MethodGet, "/scenarios/new", access.RunPrioritization, s.newScenario},
		{http.MethodPost, "/scenarios/new", access.RunPrioritization, s.requestScenario},
		{http.MethodGet, "/scenarios/compare", access.ViewResults, s.showComparison},
		{http.MethodGet, "/runs/{id}", access.ViewResults, s.showRun},
		{http.MethodGet, "/runs/{id}/status", access.ViewResults, s.runStatus},
		{http.MethodPost, "/runs/{id}/stop", access.RunPrioritization, s.stopRun},
		{http.MethodPost, "/runs/{id}/cancel", access.RunPrioritization, s.cancelRun},
		{http.MethodGet, "/runs/{id}/results", access.ViewResults, s.showResults},
		{http.MethodGet, "/runs/{id}/why", access.ViewResults, s.showWhy},
		{http.MethodGet, "/runs/{id}/export", access.ViewResults, s.exportPlan},
		{http.MethodPost, "/runs/{id}/what-if", access.RunPrioritization, s.askWhatIf},
		{http.MethodPost, "/runs/{id}/propose", access.ProposePlan, s.proposePlan},
	}
}

// problemKinds lists the problems of the product in the order of the wizard,
// each with its picture.
var problemKinds = []struct{ kind, icon string }{
	{"maintenance_prioritization", "wrench"}, {"maintenance_deferral_cost", "wallet"}, {"production_risk", "gauge"}, {"workforce_dispatch", "hard-hat"},
}

// mayRun reports whether somebody may run a problem.
func mayRun(who access.Principal, kind string) bool {
	need, known := runs.CapabilityOf(kind)
	return known && who.Can(need)
}

// runStates maps the state of a run to the look of its mark.
var runStates = map[string]string{"requested": "plan", "running": "run", "done": "done", "failed": "fail", "cancelled": "cancel"}

// runRow is one line of the history.
type runRow struct {
	ID, Title, Problem, State, StateLabel, By string
	At, From, To                              time.Time
	Days                                      int
	HasCost, BoundKnown, Final, WhatIf        bool
	BestCost, Gap                             float64
}

type runList struct {
	Rows   []runRow
	State  string
	States []choiceOption
	Pager  Pager
	CanRun bool
}

// choiceOption is one entry of a select.
type choiceOption struct{ Value, Label string }

// listScenarios shows the history of runs, newest first.
func (s *Server) listScenarios(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "scenarios.title")
	if err != nil {
		return err
	}
	v := runList{State: r.URL.Query().Get("state"), CanRun: access.From(r.Context()).Can(access.RunPrioritization)}
	if _, known := runStates[v.State]; !known {
		v.State = ""
	}
	for _, state := range []string{"requested", "running", "done", "failed", "cancelled"} {
		v.States = append(v.States, choiceOption{state, p.T("runs.state." + state)})
	}
	var rows []db.RunPageRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		rows, err = q.RunPage(ctx, tx, db.RunPageParams{TenantID: tenant, State: v.State, PageSize: runPageSize, Skip: pageOffset(r, runPageSize)})
		return err
	})
	if err != nil {
		return err
	}
	total := 0
	for _, x := range rows {
		total = int(x.Total)
		v.Rows = append(v.Rows, newRunRow(p, x))
	}
	v.Pager = NewPager(r.URL, runPageSize, total)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "scenarios/list", p)
	return nil
}

func newRunRow(p Page, x db.RunPageRow) runRow {
	row := runRow{
		ID: x.ID.String(), Title: x.Title, Problem: problemTitle(p, x.Problem), State: runStates[x.State], StateLabel: p.T("runs.state." + x.State),
		By: localName(p.Lang, x.RequestedAr, x.RequestedEn), At: x.RequestedAt, Days: int(x.WindowDays),
		From: x.WindowStart, To: x.WindowStart.AddDate(0, 0, int(x.WindowDays)-1),
		HasCost: x.Scenarios > 0, BestCost: x.BestCost, Final: x.State == "done", WhatIf: x.WhatIf,
	}
	if x.Gap != nil && x.Bound != nil {
		row.BoundKnown, row.Gap = true, *x.Gap
	}
	return row
}

// pageOffset is the number of rows before the page that the address names,
// for lists whose total is only known with their rows.
func pageOffset(r *http.Request, size int) int32 {
	return int32(min(NewPager(r.URL, size, math.MaxInt32).Offset(), math.MaxInt32)) //nolint:gosec // bounded
}

// pathUUID reads an id from the address; one that is malformed is not found.
func pathUUID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(chi.URLParam(r, name))
	if err != nil {
		return uuid.Nil, fault.New(fault.NotFound, "error.404.text")
	}
	return id, nil
}
