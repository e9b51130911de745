package web

import (
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

// summaryView is the tab of figures.
type summaryView struct {
	Bars        chart.Bars
	Saved       float64 // against the current plan
	HasBaseline bool
	Terms       []termRow
	Total       termRow
	Figures     []figureView
	Sites       []siteRank
	Prices      []priceRow
	Certificate certificate
}

// termRow is one term of the cost beside the current plan.
type termRow struct {
	Label         string
	Value, Before float64
}

// priceRow is what one step more of a scarce resource is worth, or what a pin
// costs.
type priceRow struct {
	Name        string
	IsTag, Pin  bool
	Step, Value float64
	Unit        string
	Exact       bool
}

// termClasses colour the terms of a cost in their order.
var termClasses = []string{"s1", "s2", "s4", "s5", "s3", "s6"}

// riskTerms are drawn in the colour of harm wherever they appear.
var riskTerms = map[string]bool{"failure": true, "risk": true, "unserved": true}

// costParts are the terms of a cost as a stacked bar shows them.
func costParts(p Page, terms []optimize.Term) []chart.Part {
	parts := make([]chart.Part, len(terms))
	next := 0
	for i, t := range terms {
		class := "bad"
		if !riskTerms[t.Key] {
			class = termClasses[next%len(termClasses)]
			next++
		}
		parts[i] = chart.Part{Class: class, Label: wordOf(p, "optimize.term.", t.Key), Value: t.Money}
	}
	return parts
}

func sumOf(terms []optimize.Term) float64 {
	total := 0.0
	for _, t := range terms {
		total += t.Money
	}
	return total
}

func newSummary(p Page, x resultRows) *summaryView {
	plan := x.plan()
	v := &summaryView{HasBaseline: len(plan.view.Baseline) > 0, Figures: figureViews(p, plan.view.Figures), Sites: siteRanks(p, plan, x.book),
		Bars: scenarioBars(p, x), Certificate: newCertificate(plan.view.Certificate)}
	before := map[string]float64{}
	for _, t := range plan.view.Baseline {
		before[t.Key] = t.Money
	}
	for _, t := range plan.view.Terms {
		v.Terms = append(v.Terms, termRow{wordOf(p, "optimize.term.", t.Key), t.Money, before[t.Key]})
	}
	v.Total = termRow{p.T("results.total"), plan.view.Total, sumOf(plan.view.Baseline)}
	v.Saved = v.Total.Before - v.Total.Value
	for _, price := range plan.view.Prices {
		v.Prices = append(v.Prices, newPriceRow(p, plan, x.book, price))
	}
	return v
}

func newPriceRow(p Page, x solvedPlan, b plantBook, price optimize.Price) priceRow {
	row := priceRow{Name: b.names.plain(p.Lang, price.Subject), Pin: price.Pin, Step: price.Step, Value: price.Value, Unit: unitOf(p, price.Unit), Exact: price.Exact}
	if l, ok := x.line(price.Subject); ok && price.Pin {
		name := b.subject(p.Lang, l)
		row.Name, row.IsTag = name.Short(), name.Tag != "" && name.Title == ""
	}
	return row
}

// scenarioBars compares the cost of every scenario, term by term, with the
// current plan when there is one.
func scenarioBars(p Page, x resultRows) chart.Bars {
	var bars []chart.Bar
	best := leastCost(x.all)
	for i, plan := range x.all {
		preset := plan.scenario.Preset
		bars = append(bars, chart.Bar{Label: presetName(p, preset), Total: p.Loc().MoneyCompact(plan.view.Total),
			Href: p.With("scenario", preset), Parts: costParts(p, plan.view.Terms), Best: i == best && len(x.all) > 1})
	}
	if base := x.plan().view.Baseline; len(base) > 0 {
		bars = append(bars, chart.Bar{Label: p.T("runs.baseline"), Total: p.Loc().MoneyCompact(sumOf(base)), Parts: costParts(p, base)})
	}
	return chart.NewBars(chart.For(p.Lang), p.T("runs.bars.alt"), bars)
}
