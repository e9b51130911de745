package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

const (
	maxCompared       = 6  // scenarios side by side
	comparableOffered = 60 // scenarios in the list to choose from
)

// compareView is the page of scenarios side by side.
type compareView struct {
	Run, Problem  string
	Offered       []offeredScenario
	Columns       []compareColumn
	Bars          chart.Bars
	Terms         []compareLine
	Figures       []compareLine
	Changes       []differenceView // of every column but the first
	HasBaseline   bool
	Current       float64 // cost of the plan in force
	OtherHorizons bool    // the plans do not cover the same days
	Error         string
}

// offeredScenario is one scenario of the list to choose from.
type offeredScenario struct {
	ID, Name, Title string
	From, To        time.Time
	Cost            float64
	Own, Checked    bool
}

// compareColumn is one scenario beside the others; the first is the base of
// every difference.
type compareColumn struct {
	Name, Title, Href   string
	From                time.Time
	Days                int
	Total, Risk         float64
	TotalDiff, RiskDiff float64
	Base, Exact         bool
	Changed, Same       int
	WhatIf              bool
	Certificate         certificate
}

// compareLine is one number of every plan. Current is that of the plan in
// force, for terms.
type compareLine struct {
	Label, Unit string
	Money       bool
	Values      []compareValue
	Current     float64
}

// compareValue is one number with its difference to the base.
type compareValue struct {
	Value, Diff float64
	Base, Known bool
}

// showComparison prints the scenarios that the address names beside those
// that can be added: /scenarios/compare?with=…&with=…, or ?run=… for all of a
// run.
func (s *Server) showComparison(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "results.compare")
	if err != nil {
		return err
	}
	x, err := s.loadComparison(r)
	if err != nil {
		return err
	}
	p.Data = newCompareView(p, x)
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Label: p.Title}}
	s.render.Render(w, r, http.StatusOK, "scenarios/compare", p)
	return nil
}

// compareRows is what a comparison reads.
type compareRows struct {
	plans   []solvedPlan
	run     uuid.UUID // whose scenarios come first in the list
	offered []db.ComparableScenariosRow
	book    plantBook
	refused string // message key: why the choice was not taken as it was made
}

func (s *Server) loadComparison(r *http.Request) (compareRows, error) {
	var x compareRows
	var rows []db.ScenarioWithRunRow
	ids, err := chosenScenarios(r)
	if err != nil {
		return x, err
	}
	if len(ids) > maxCompared {
		ids, x.refused = ids[:maxCompared], "results.compare.many"
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if ids, x.run, err = scenariosOfRun(ctx, tx, q, tenant, r, ids); err != nil {
			return err
		}
		for _, id := range ids {
			row, err := q.ScenarioWithRun(ctx, tx, tenant, id)
			if err != nil {
				return err
			}
			if len(rows) > 0 && row.OptimizationRun.Problem != rows[0].OptimizationRun.Problem {
				return fault.New(fault.Invalid, "results.compare.problems")
			}
			rows = append(rows, row)
		}
		if len(rows) == 0 {
			return nil
		}
		if x.run == uuid.Nil {
			x.run = rows[0].OptimizationRun.ID
		}
		x.offered, err = q.ComparableScenarios(ctx, tx, db.ComparableScenariosParams{TenantID: tenant, Problem: rows[0].OptimizationRun.Problem, RunID: x.run, Many: comparableOffered})
		if err != nil {
			return err
		}
		x.book, err = loadPlantBook(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return x, err
	}
	for _, row := range rows {
		plan, err := newSolvedPlan(row.OptimizationRun, row.OptimizationScenario)
		if err != nil {
			return x, err
		}
		x.plans = append(x.plans, plan)
	}
	return x, nil
}

// chosenScenarios reads the scenarios of the address, each once.
func chosenScenarios(r *http.Request) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, text := range r.URL.Query()["with"] {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, fault.New(fault.NotFound, "error.404.text")
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// scenariosOfRun takes the scenarios of the run that the address names when it
// names none itself.
func scenariosOfRun(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, r *http.Request, ids []uuid.UUID) ([]uuid.UUID, uuid.UUID, error) {
	text := r.URL.Query().Get("run")
	if text == "" {
		return ids, uuid.Nil, nil
	}
	run, err := uuid.Parse(text)
	if err != nil {
		return nil, run, fault.New(fault.NotFound, "error.404.text")
	}
	row, err := q.LoadRun(ctx, tx, tenant, run)
	if err != nil || len(ids) > 0 {
		return ids, run, err
	}
	if row.BasedOn != nil {
		ids = append(ids, *row.BasedOn)
	}
	scenarios, err := q.RunScenarios(ctx, tx, tenant, run)
	for _, sc := range scenarios {
		ids = append(ids, sc.ID)
	}
	return ids, run, err
}

func newCompareView(p Page, x compareRows) compareView {
	v := compareView{}
	if x.run != uuid.Nil {
		v.Run = x.run.String()
	}
	if x.refused != "" {
		v.Error = p.T(x.refused, "Max", maxCompared)
	}
	for _, o := range x.offered {
		v.Offered = append(v.Offered, offeredScenario{ID: o.ID.String(), Name: presetName(p, o.Preset), Title: o.Title, From: o.WindowStart,
			To: o.WindowStart.AddDate(0, 0, int(o.WindowDays)-1), Cost: o.TotalCost, Own: o.RunID == x.run,
			Checked: slices.ContainsFunc(x.plans, func(plan solvedPlan) bool { return plan.scenario.ID == o.ID })})
	}
	if len(x.plans) == 0 {
		return v
	}
	base := x.plans[0]
	v.Problem, v.HasBaseline = problemTitle(p, base.run.Problem), len(base.view.Baseline) > 0
	var bars []chart.Bar
	for i, plan := range x.plans {
		c := optimize.Compare(base.view, plan.view)
		v.Columns = append(v.Columns, newCompareColumn(p, plan, c, i == 0))
		v.OtherHorizons = v.OtherHorizons || plan.view.Start != base.view.Start || plan.view.Periods != base.view.Periods
		bars = append(bars, chart.Bar{Label: presetName(p, plan.scenario.Preset) + " · " + plan.run.Title, Total: p.Loc().MoneyCompact(plan.view.Total),
			Href: resultPath(plan), Parts: costParts(p, plan.view.Terms)})
		if i > 0 {
			d := newDifferenceView(p, base, plan, x.book)
			d.BaseTitle = v.Columns[i].Name + " · " + v.Columns[i].Title
			v.Changes = append(v.Changes, *d)
		}
	}
	if v.Current = sumOf(base.view.Baseline); v.HasBaseline {
		bars = append(bars, chart.Bar{Label: p.T("runs.baseline"), Total: p.Loc().MoneyCompact(sumOf(base.view.Baseline)), Parts: costParts(p, base.view.Baseline)})
	}
	v.Bars = chart.NewBars(chart.For(p.Lang), p.T("runs.bars.alt"), bars)
	v.Terms, v.Figures = compareTerms(p, x.plans), compareFigures(p, x.plans)
	return v
}

func newCompareColumn(p Page, plan solvedPlan, c optimize.Comparison, base bool) compareColumn {
	return compareColumn{
		Name: presetName(p, plan.scenario.Preset), Title: plan.run.Title, Href: resultPath(plan), From: plan.time.at(0), Days: plan.time.days(),
		Total: plan.view.Total, Risk: plan.view.Risk, TotalDiff: c.Total, RiskDiff: c.Risk, Base: base, Exact: c.Exact,
		Changed: len(c.Changed), Same: c.Same, WhatIf: plan.run.BasedOn != nil, Certificate: newCertificate(plan.view.Certificate),
	}
}

// compareTerms lines the terms of the plans up, in the order of the first.
func compareTerms(p Page, plans []solvedPlan) []compareLine {
	current := map[string]float64{}
	for _, t := range plans[0].view.Baseline {
		current[t.Key] = t.Money
	}
	all := make([]map[string]float64, len(plans))
	var keys []string
	for i, plan := range plans {
		all[i] = map[string]float64{}
		for _, t := range plan.view.Terms {
			all[i][t.Key] = t.Money
			if !slices.Contains(keys, t.Key) {
				keys = append(keys, t.Key)
			}
		}
	}
	var out []compareLine
	for _, key := range keys {
		out = append(out, compareLine{Label: wordOf(p, "optimize.term.", key), Money: true, Values: lineUp(all, key), Current: current[key]})
	}
	return out
}

// compareFigures lines the figures of the plans up, in the order of the first.
func compareFigures(p Page, plans []solvedPlan) []compareLine {
	all := make([]map[string]float64, len(plans))
	var keys []optimize.Figure
	for i, plan := range plans {
		all[i] = map[string]float64{}
		for _, f := range plan.view.Figures {
			all[i][f.Key] = f.Value
			if !slices.ContainsFunc(keys, func(k optimize.Figure) bool { return k.Key == f.Key }) {
				keys = append(keys, f)
			}
		}
	}
	var out []compareLine
	for i, f := range figureViews(p, keys) {
		out = append(out, compareLine{Label: f.Label, Unit: f.Unit, Money: f.Money, Values: lineUp(all, keys[i].Key)})
	}
	return out
}

func lineUp(all []map[string]float64, key string) []compareValue {
	out := make([]compareValue, len(all))
	for i, values := range all {
		v, known := values[key]
		out[i] = compareValue{Value: v, Diff: v - all[0][key], Base: i == 0, Known: known}
	}
	return out
}
