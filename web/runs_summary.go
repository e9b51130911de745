package web

import (
	"encoding/json"
	"fmt"

	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/web/chart"
)

// summaryView is the tab of figures.
type summaryView struct {
	Bars        chart.Bars
	Saved       float64 // against the current plan
	HasBaseline bool
	Terms       []termRow
	Sites       []siteRank
	Prices      []priceRow
}

// termRow is one term of the cost beside the current plan.
type termRow struct {
	Label         string
	Value, Before float64
}

// siteRank is the value that the plan protects at one site.
type siteRank struct {
	Name              string
	Value, Left       float64
	Planned, Deferred int
}

// priceRow is what one more unit of a scarce resource would be worth.
type priceRow struct {
	Name        string
	Step, Value float64
	Exact       bool
}

// costParts are the terms of a cost as the pages group and colour them: the
// residual value of a life cut short and what comes after the horizon are one.
func costParts(p Page, t maintenance.Terms) []chart.Part {
	return []chart.Part{
		{Class: "s1", Label: p.T("runs.term.work"), Value: t.PlannedWork},
		{Class: "s2", Label: p.T("runs.term.outage"), Value: t.PlannedOutage},
		{Class: "bad", Label: p.T("runs.term.failure"), Value: t.Failure},
		{Class: "s4", Label: p.T("runs.term.rest"), Value: t.Residual + t.Tail},
	}
}

func newSummary(p Page, x resultRows) (summaryView, error) {
	v := summaryView{}
	if b := x.output.Baseline; b != nil {
		v.HasBaseline, v.Saved = true, b.Total-x.output.Objective.Total
	}
	now := costParts(p, x.output.Objective)
	for i, part := range now {
		row := termRow{Label: part.Label, Value: part.Value}
		if b := x.output.Baseline; b != nil {
			row.Before = costParts(p, *b)[i].Value
		}
		v.Terms = append(v.Terms, row)
	}
	for _, rank := range x.output.Sites {
		v.Sites = append(v.Sites, siteRank{Name: x.names.plain(p.Lang, rank.ID), Value: rank.ValueAtStake, Left: rank.FailureCost,
			Planned: rank.Actions - rank.Deferred, Deferred: rank.Deferred})
	}
	for _, price := range x.output.Prices {
		v.Prices = append(v.Prices, priceRow{x.names.plain(p.Lang, price.Resource), price.Step, price.Value, price.Exact})
	}
	var err error
	v.Bars, err = scenarioBars(p, x)
	return v, err
}

// scenarioBars compares the cost of every scenario, term by term, with the
// current plan when there is one.
func scenarioBars(p Page, x resultRows) (chart.Bars, error) {
	var bars []chart.Bar
	best := leastCost(x.scenarios)
	for i, sc := range x.scenarios {
		var out struct {
			Objective maintenance.Terms `json:"objective"`
		}
		if err := json.Unmarshal(sc.Output, &out); err != nil {
			return chart.Bars{}, fmt.Errorf("read terms of scenario %s: %w", sc.ID, err)
		}
		bars = append(bars, chart.Bar{Label: p.T("optimize.objective." + sc.Preset), Total: p.Loc().MoneyCompact(sc.TotalCost),
			Href: p.With("scenario", sc.Preset), Parts: costParts(p, out.Objective), Best: i == best})
	}
	if b := x.output.Baseline; b != nil {
		bars = append(bars, chart.Bar{Label: p.T("runs.baseline"), Total: p.Loc().MoneyCompact(b.Total), Parts: costParts(p, *b)})
	}
	return chart.NewBars(chart.For(p.Lang), p.T("runs.bars.alt"), bars), nil
}
