package web

import (
	"cmp"
	"slices"

	"github.com/optria-iq/optria/internal/optimize"
)

// unitMoney is the unit of money, whose scale follows the amount.
const unitMoney = "SAR"

// cardFigures is how many figures a scenario shows beside its cost.
const cardFigures = 4

// figureView is one number of a plan with its name.
type figureView struct {
	Label, Unit string
	Value       float64
	Money       bool
}

// scenarioCard is one scenario beside the others.
type scenarioCard struct {
	Preset, Name, Icon, Href string
	Total, Risk              float64
	Figures                  []figureView
	Active, Cheapest, Base   bool
	Certificate              certificate
}

// certificate says what a plan can prove about itself.
type certificate struct {
	BoundKnown, Optimal   bool
	Objective, Bound, Gap float64
	Seconds               float64
	Solver, Status        string
	Seed, Iterations      int64
	Options               []solverOption
}

// solverOption is one setting that a plan was found with.
type solverOption struct{ Name, Value string }

// scenarioCards puts the scenarios of a run side by side, those of a what-if
// run beside the plan that it set out from.
func scenarioCards(p Page, x resultRows) []scenarioCard {
	var out []scenarioCard
	if x.base != nil {
		base := newScenarioCard(p, *x.base)
		base.Href, base.Base = resultPath(*x.base), true
		out = append(out, base)
	}
	for i, plan := range x.all {
		card := newScenarioCard(p, plan)
		card.Href = p.With("scenario", card.Preset, "page", "")
		card.Active, card.Cheapest = i == x.shown, len(x.all) > 1 && leastCost(x.all) == i
		out = append(out, card)
	}
	return out
}

func newScenarioCard(p Page, plan solvedPlan) scenarioCard {
	preset, figures := plan.scenario.Preset, figureViews(p, plan.view.Figures)
	return scenarioCard{Preset: preset, Name: presetName(p, preset), Icon: presetIcon(preset), Total: plan.view.Total, Risk: plan.view.Risk,
		Figures: figures[:min(cardFigures, len(figures))], Certificate: newCertificate(plan.view.Certificate)}
}

func leastCost(plans []solvedPlan) int {
	best := 0
	for i, x := range plans {
		if x.view.Total < plans[best].view.Total {
			best = i
		}
	}
	return best
}

// figureViews names figures; their units are Latin, except that of money.
func figureViews(p Page, figures []optimize.Figure) []figureView {
	out := make([]figureView, len(figures))
	for i, f := range figures {
		out[i] = figureView{Label: wordOf(p, "optimize.figure.", f.Key), Value: f.Value, Money: f.Unit == unitMoney}
		if !out[i].Money { // money is printed with its own unit
			out[i].Unit = unitOf(p, f.Unit)
		}
	}
	return out
}

// unitOf words the units that a problem names: they are short in English and
// words in Arabic.
func unitOf(p Page, unit string) string {
	if key := "results.unit." + unit; p.Loc().Has(key) {
		return p.T(key)
	}
	return unit
}

// wordOf translates a key that is made of a code of a problem; a code that
// this version does not know is shown as it is.
func wordOf(p Page, prefix, code string) string {
	if p.Loc().Has(prefix + code) {
		return p.T(prefix + code)
	}
	return code
}

// wordFor translates a key, in the words of one problem where it has its own.
func wordFor(p Page, key, kind string) string {
	if own := key + "." + kind; p.Loc().Has(own) {
		return p.T(own)
	}
	return wordOf(p, "", key)
}

func newCertificate(c optimize.Certificate) certificate {
	out := certificate{
		BoundKnown: c.BoundKnown, Optimal: c.Status == optimize.StatusOptimal, Objective: c.Objective, Bound: c.Bound, Gap: c.Gap,
		Seconds: c.Seconds, Solver: joinWords(c.Solver.Name, c.Solver.Version), Status: string(c.Status), Seed: c.Seed, Iterations: c.Iterations,
	}
	for name, value := range c.Solver.Options {
		out.Options = append(out.Options, solverOption{name, value})
	}
	slices.SortFunc(out.Options, func(a, b solverOption) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func joinWords(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
