package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// scenarioForm is the wizard as it was filled in.
type scenarioForm struct {
	Key, Problem, Title, Start, Days, Limit string
	Sites                                   map[string]bool
	Caps                                    map[string]string
	Budget, WeightCost, WeightRisk          string
	OneTrain, Custom                        bool
}

// runObjective is the column objective of a run: the presets to compute, and
// the weights of the custom one.
type runObjective struct {
	Presets    []string `json:"presets"`
	WeightCost *float64 `json:"weight_cost,omitempty"`
	WeightRisk *float64 `json:"weight_risk,omitempty"`
}

// runConstraints is the column constraints of a run. No sites means all of
// them; downtime is in hours within the horizon, by site.
type runConstraints struct {
	SiteIDs      []uuid.UUID        `json:"site_ids"`
	DowntimeCaps map[string]float64 `json:"downtime_caps,omitempty"`
	BudgetSAR    *float64           `json:"budget_sar,omitempty"`
	OneTrainOut  bool               `json:"one_train_out"`
}

// scenarioRequest is a checked form.
type scenarioRequest struct {
	Key, Problem, Title string
	Start               time.Time
	Days, Limit         int
	Objective           runObjective
	Constraints         runConstraints
}

const (
	maxTitle       = 200
	startDaysAhead = 365 // how far ahead a horizon may begin
)

var (
	horizonDays  = []string{"7", "30", "90"}
	limitSeconds = []string{"10", "30", "60", "120", "300"}
	presetIcons  = map[string]string{"cheapest": "wallet", "balanced": "scale", "lowest_risk": "shield-check", "custom": "sliders-horizontal"}
)

// presetOrder is the order of scenarios on every page.
var presetOrder = []string{maintenance.PresetCheapest, maintenance.PresetBalanced, maintenance.PresetLowestRisk, maintenance.PresetCustom}

func limitOptions(p Page) []choiceOption {
	var out []choiceOption
	for _, x := range limitSeconds {
		n, _ := strconv.Atoi(x) //nolint:errcheck // constants
		out = append(out, choiceOption{x, p.Loc().Span(time.Duration(n) * time.Second)})
	}
	return out
}

// newScenarioForm is the wizard as it opens: thirty days from tomorrow.
func newScenarioForm(p Page, now time.Time) scenarioForm {
	start := dateIn(riyadhZone, now).AddDate(0, 0, 1)
	return scenarioForm{
		Key: uuid.NewString(), Problem: maintenance.Kind, Days: "30", Limit: "30", OneTrain: true, WeightCost: "1", WeightRisk: "2",
		Start: start.Format(time.DateOnly), Title: p.T("scenarios.title.default", "Date", p.Loc().Date(start)),
		Sites: map[string]bool{}, Caps: map[string]string{},
	}
}

func readScenarioForm(r *http.Request) scenarioForm {
	f := scenarioForm{
		Key: r.PostFormValue("key"), Problem: r.PostFormValue("problem"), Title: strings.TrimSpace(r.PostFormValue("title")),
		Start: r.PostFormValue("start"), Days: r.PostFormValue("days"), Limit: r.PostFormValue("limit"),
		Budget: strings.TrimSpace(r.PostFormValue("budget")), OneTrain: r.PostFormValue("one_train") != "", Custom: r.PostFormValue("custom") != "",
		WeightCost: strings.TrimSpace(r.PostFormValue("weight_cost")), WeightRisk: strings.TrimSpace(r.PostFormValue("weight_risk")),
		Sites: map[string]bool{}, Caps: map[string]string{},
	}
	for _, id := range r.PostForm["site"] {
		f.Sites[id] = true
	}
	for name, values := range r.PostForm {
		if id, ok := strings.CutPrefix(name, "cap_"); ok && len(values) == 1 {
			f.Caps[id] = strings.TrimSpace(values[0])
		}
	}
	return f
}

// request checks the form. Errors are translated and keyed by field.
func (f scenarioForm) request(p Page, sites []db.Site, now time.Time) (scenarioRequest, map[string]string) {
	errs := map[string]string{}
	problem, ok := optimize.Lookup(f.Problem)
	if !ok || f.Problem != maintenance.Kind {
		errs["problem"] = p.T("scenarios.error.problem")
		return scenarioRequest{}, errs
	}
	x := scenarioRequest{Key: f.Key, Problem: f.Problem, Title: f.Title}
	if n := utf8.RuneCountInString(f.Title); n == 0 || n > maxTitle {
		errs["title"] = p.T("scenarios.error.title", "Max", maxTitle)
	}
	if _, err := uuid.Parse(f.Key); err != nil {
		errs["key"] = p.T("scenarios.error.key")
	}
	x.Days, x.Limit = chosen(f.Days, horizonDays), chosen(f.Limit, limitSeconds)
	if x.Days == 0 {
		errs["days"] = p.T("field.choice")
	}
	if x.Limit == 0 {
		errs["limit"] = p.T("field.choice")
	}
	start, err := time.Parse(time.DateOnly, f.Start)
	today := dateIn(riyadhZone, now)
	if err != nil || start.Before(today) || start.After(today.AddDate(0, 0, startDaysAhead)) {
		errs["start"] = p.T("scenarios.error.start")
	}
	x.Start = start
	f.limits(p, &x, problem.Spec(), sites, errs)
	return x, errs
}

// limits checks objectives and constraints against the ranges of the problem.
func (f scenarioForm) limits(p Page, x *scenarioRequest, spec optimize.Spec, sites []db.Site, errs map[string]string) {
	x.Objective.Presets = slices.Clone(presetOrder[:3])
	x.Constraints = runConstraints{SiteIDs: []uuid.UUID{}, DowntimeCaps: map[string]float64{}, OneTrainOut: f.OneTrain}
	for _, site := range sites {
		id := site.ID.String()
		if f.Sites[id] {
			x.Constraints.SiteIDs = append(x.Constraints.SiteIDs, site.ID)
		}
		if v := inRange(p, f.Caps[id], specField(spec, "downtime_cap"), "cap_"+id, errs); v != nil {
			x.Constraints.DowntimeCaps[id] = *v
		}
	}
	if len(f.Sites) > len(x.Constraints.SiteIDs) {
		errs["site"] = p.T("field.choice")
	}
	if len(x.Constraints.SiteIDs) == len(sites) {
		x.Constraints.SiteIDs = []uuid.UUID{}
	}
	x.Constraints.BudgetSAR = inRange(p, f.Budget, specField(spec, "budget_sar"), "budget", errs)
	if !f.Custom {
		return
	}
	x.Objective.Presets = append(x.Objective.Presets, maintenance.PresetCustom)
	x.Objective.WeightCost = inRange(p, f.WeightCost, specField(spec, "weight_cost"), "weight_cost", errs)
	x.Objective.WeightRisk = inRange(p, f.WeightRisk, specField(spec, "weight_risk"), "weight_risk", errs)
	cost, risk := x.Objective.WeightCost, x.Objective.WeightRisk
	if cost == nil || risk == nil || *cost+*risk <= 0 {
		if errs["weight_cost"] == "" {
			errs["weight_cost"] = p.T("scenarios.error.weights")
		}
	}
}

// inRange reads an optional number within the range of a field.
func inRange(p Page, text string, field optimize.Field, name string, errs map[string]string) *float64 {
	if text == "" {
		return nil
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil || !(v >= field.Min && v <= field.Max) { // NaN is in no range
		errs[name] = p.T("scenarios.error.range", "Min", p.Loc().Num(field.Min), "Max", p.Loc().Num(field.Max))
		return nil
	}
	return &v
}

// specField finds a number of a problem's form by name. A name that the
// problem does not know is a mistake of the code.
func specField(spec optimize.Spec, name string) optimize.Field {
	for _, f := range spec.Constraints {
		if f.Name == name {
			return f
		}
	}
	panic(fmt.Sprintf("problem %s has no field %s", spec.Kind, name))
}

// chosen returns the number behind one of the offered values, 0 for another.
func chosen(v string, offered []string) int {
	if !slices.Contains(offered, v) {
		return 0
	}
	n, _ := strconv.Atoi(v) //nolint:errcheck // one of the offered constants
	return n
}
