package web

import (
	"encoding/json"

	"github.com/optria-iq/optria/internal/optimize"
)

// changesShown bounds the changed decisions that are listed.
const changesShown = 60

// differenceView is what a forced decision costs, term by term.
type differenceView struct {
	BaseTitle, BaseHref, BasePreset string
	Changes                         []string // what was forced, in words
	Total, Risk                     float64
	Base, Other                     float64
	Terms, Figures                  []differenceRow
	Decisions                       []changeRow
	More, Changed, Same             int
	Exact                           bool
}

// differenceRow is one number of two plans.
type differenceRow struct {
	Label, Unit        string
	Money              bool
	Base, Other, Delta float64
}

// changeRow is one decision that two plans take differently.
type changeRow struct {
	subjectName
	Why, Before, After string
}

// newDifferenceView sets a what-if plan beside the plan it set out from.
func newDifferenceView(p Page, base, other solvedPlan, b plantBook) *differenceView {
	c := optimize.Compare(base.view, other.view)
	v := &differenceView{
		BaseTitle: base.run.Title, BasePreset: presetName(p, base.scenario.Preset), BaseHref: resultPath(base), Changes: forcedTexts(p, base, b, other.run.WhatIf),
		Total: c.Total, Risk: c.Risk, Base: base.view.Total, Other: other.view.Total, Terms: termRows(p, base, other, c), Figures: figureRows(p, base, other, c),
		Changed: len(c.Changed), Same: c.Same, Exact: c.Exact,
	}
	v.Decisions = changeRows(p, base, other, b, c)
	v.More = len(c.Changed) - len(v.Decisions)
	return v
}

// resultPath is the address of a plan.
func resultPath(x solvedPlan) string {
	return "/runs/" + x.run.ID.String() + "/results?scenario=" + x.scenario.Preset
}

// forcedTexts words the forced decisions of a what-if run. base is the plan
// that they were asked of.
func forcedTexts(p Page, base solvedPlan, b plantBook, raw json.RawMessage) []string {
	var pins []optimize.Pin
	if err := json.Unmarshal(raw, &pins); err != nil {
		return nil // the title of the run still says what was asked
	}
	out := make([]string, len(pins))
	for i, pin := range pins {
		out[i] = pinText(p, base, b, pin)
	}
	return out
}

func termRows(p Page, base, other solvedPlan, c optimize.Comparison) []differenceRow {
	money := func(x solvedPlan, key string) float64 {
		for _, t := range x.view.Terms {
			if t.Key == key {
				return t.Money
			}
		}
		return 0
	}
	var out []differenceRow
	for _, t := range c.Terms {
		out = append(out, differenceRow{wordOf(p, "optimize.term.", t.Key), "", true, money(base, t.Key), money(other, t.Key), t.Money})
	}
	return out
}

func figureRows(p Page, base, other solvedPlan, c optimize.Comparison) []differenceRow {
	value := func(x solvedPlan, key string) float64 {
		for _, f := range x.view.Figures {
			if f.Key == key {
				return f.Value
			}
		}
		return 0
	}
	var out []differenceRow
	for i, f := range figureViews(p, c.Figures) {
		key := c.Figures[i].Key
		out = append(out, differenceRow{f.Label, f.Unit, f.Money, value(base, key), value(other, key), f.Value})
	}
	return out
}

// changeRows lists the decisions that differ, in words.
func changeRows(p Page, base, other solvedPlan, b plantBook, c optimize.Comparison) []changeRow {
	var out []changeRow
	for _, change := range c.Changed[:min(len(c.Changed), changesShown)] {
		row := changeRow{Before: "–", After: "–"}
		if l := change.Base; l != nil {
			row.subjectName, row.Why, row.Before = b.subject(p.Lang, *l), whyPath(base, l.Subject), decisionText(p, base, b, *l)
		}
		if l := change.Other; l != nil {
			row.subjectName, row.Why, row.After = b.subject(p.Lang, *l), whyPath(other, l.Subject), decisionText(p, other, b, *l)
		}
		out = append(out, row)
	}
	return out
}

// decisionText says what a plan does about a subject.
func decisionText(p Page, x solvedPlan, b plantBook, l optimize.Line) string {
	text := verdictChip(p, x, l).Label
	if l.Resource != "" && !x.spec.Executable {
		text += p.T("results.and") + crewNames(p, b, l)
	}
	return text
}
