package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// scenarioForm is the wizard as it was filled in. Values and Flags hold what
// was entered for every problem, keyed by the name of the input, so that
// nothing is lost while somebody looks at another problem or mends a mistake.
type scenarioForm struct {
	Key, Problem, Title, Start, End, Horizon, Limit string
	Sites, Assets                                   map[string]bool
	Values                                          map[string]string
	Flags                                           map[string]bool
	Pins                                            []string // decisions held fixed, each in JSON
}

const (
	maxTitle     = runs.MaxTitle
	horizonDates = "dates" // a horizon between two dates
	fieldPrefix  = "f_"    // of every input that belongs to one problem
)

var (
	horizonDays  = []string{"7", "30", "90"}
	limitSeconds = []string{"10", "30", "60", "120", "300"}
	presetIcons  = map[string]string{"cheapest": "wallet", "balanced": "scale", "lowest_risk": "shield-check", "custom": "sliders-horizontal"}
)

// inputName names the input of a field; site is empty unless the field is
// asked per site.
func inputName(kind, field, site string) string {
	name := fieldPrefix + kind + "." + field
	if site != "" {
		name += "." + site
	}
	return name
}

func limitOptions(p Page) []choiceOption {
	var out []choiceOption
	for _, x := range limitSeconds {
		n, _ := strconv.Atoi(x) //nolint:errcheck // constants
		out = append(out, choiceOption{x, p.Loc().Span(time.Duration(n) * time.Second)})
	}
	return out
}

// newScenarioForm is the wizard as it opens: the longest offered horizon up to
// thirty days, from tomorrow, with the defaults of every problem.
func newScenarioForm(now time.Time, kind string) scenarioForm {
	start := dateIn(riyadhZone, now).AddDate(0, 0, 1)
	f := scenarioForm{Key: uuid.NewString(), Problem: kind, Horizon: "30", Limit: "30", Start: start.Format(time.DateOnly),
		Sites: map[string]bool{}, Assets: map[string]bool{}, Values: map[string]string{}, Flags: map[string]bool{}}
	for _, spec := range optimize.Specs() {
		if spec.Kind == kind && spec.MaxDays < 30 {
			f.Horizon = "7"
		}
		for _, field := range spec.Constraints {
			name := inputName(spec.Kind, field.Name, "")
			switch {
			case field.Type == optimize.FieldBool:
				f.Flags[name] = field.Default != 0
			case !field.Optional:
				f.Values[name] = strconv.FormatFloat(field.Default, 'f', -1, 64)
			}
		}
		for _, o := range spec.Objectives {
			f.Flags[inputName(spec.Kind, "preset", o.Kind)] = o.Kind != runs.PresetCustom
		}
	}
	return f
}

func readScenarioForm(r *http.Request) scenarioForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := scenarioForm{
		Key: value("key"), Problem: value("problem"), Title: value("title"), Start: value("start"), End: value("end"),
		Horizon: value("horizon"), Limit: value("limit"),
		Sites: map[string]bool{}, Assets: map[string]bool{}, Values: map[string]string{}, Flags: map[string]bool{},
	}
	for _, id := range r.PostForm["site"] {
		f.Sites[id] = true
	}
	for _, id := range r.PostForm["asset"] {
		f.Assets[id] = true
	}
	f.Pins = r.PostForm["pin"]
	for name, values := range r.PostForm {
		if strings.HasPrefix(name, fieldPrefix) && len(values) == 1 {
			f.Values[name], f.Flags[name] = strings.TrimSpace(values[0]), true
		}
	}
	return f
}

// check turns the form into a request that keeps the rules. Errors are
// translated and keyed by the name of the input.
func (f scenarioForm) check(p Page, scope runs.Scope, who access.Principal) (runs.Checked, map[string]string) {
	errs := map[string]string{}
	problem, ok := optimize.Lookup(f.Problem)
	if need, known := runs.CapabilityOf(f.Problem); !ok || !known || !who.Can(need) {
		errs["problem"] = p.T("scenarios.error.problem")
		return runs.Checked{}, errs
	}
	if _, err := uuid.Parse(f.Key); err != nil {
		errs["key"] = p.T("scenarios.error.key")
	}
	spec := problem.Spec()
	request := runs.Request{Problem: f.Problem, Title: f.title(p), Start: f.Start, Days: f.days(p, errs)}
	if slices.Contains(limitSeconds, f.Limit) {
		request.LimitSeconds, _ = strconv.Atoi(f.Limit) //nolint:errcheck // one of the offered constants
	}
	request.Objective = f.objective(p, spec, errs)
	request.Constraints = f.constraints(p, spec, scope, errs)
	checked, mistakes := request.Check(scope)
	for _, m := range mistakes {
		if name := inputOf(spec.Kind, m.Field); errs[name] == "" {
			errs[name] = m.Text(p.Loc())
		}
	}
	return checked, errs
}

// title names the scenario after its problem unless somebody named it.
func (f scenarioForm) title(p Page) string {
	start, err := time.Parse(time.DateOnly, f.Start)
	if f.Title != "" || err != nil {
		return f.Title
	}
	return p.T("scenarios.title.default", "Problem", problemTitle(p, f.Problem), "Date", p.Loc().Date(start))
}

// days is the length of the horizon: one of those offered, or up to a date.
func (f scenarioForm) days(p Page, errs map[string]string) int {
	if slices.Contains(horizonDays, f.Horizon) {
		n, _ := strconv.Atoi(f.Horizon) //nolint:errcheck // one of the offered constants
		return n
	}
	start, err := time.Parse(time.DateOnly, f.Start)
	end, endErr := time.Parse(time.DateOnly, f.End)
	switch {
	case f.Horizon != horizonDates:
		errs["horizon"] = p.T("field.choice")
	case err == nil && (endErr != nil || end.Before(start)):
		errs["end"] = p.T("scenarios.error.end")
	case err == nil:
		return int(end.Sub(start).Hours()/24) + 1
	}
	return 1
}

// objective reads the chosen presets, and the weights of preset custom.
func (f scenarioForm) objective(p Page, spec optimize.Spec, errs map[string]string) runs.Objective {
	var o runs.Objective
	for _, x := range spec.Objectives {
		if f.Flags[inputName(spec.Kind, "preset", x.Kind)] {
			o.Presets = append(o.Presets, x.Kind)
		}
	}
	if len(o.Presets) == 0 {
		errs["presets"] = p.T("scenarios.error.presets")
	}
	if !slices.Contains(o.Presets, runs.PresetCustom) {
		return o
	}
	o.Weights = map[string]float64{}
	for _, field := range spec.Constraints {
		if v := f.number(p, spec, field, "", errs); v != nil && field.Weight {
			o.Weights[field.Name] = *v
		}
	}
	return o
}

// constraints reads sites, assets and the fields of the problem. Every site
// chosen is the same as none.
func (f scenarioForm) constraints(p Page, spec optimize.Spec, scope runs.Scope, errs map[string]string) runs.Constraints {
	c := runs.Constraints{SiteIDs: chosenIDs(p, f.Sites, "site", errs), AssetIDs: chosenIDs(p, f.Assets, "asset", errs), Pins: f.pins(p, errs)}
	if len(c.SiteIDs) == len(scope.Sites) {
		c.SiteIDs = nil
	}
	for _, field := range spec.Constraints {
		switch {
		case field.Weight:
		case field.Type == optimize.FieldBool:
			on := 0.0
			if f.Flags[inputName(spec.Kind, field.Name, "")] {
				on = 1
			}
			c.Set(field.Name, on)
		case field.PerSite:
			for _, site := range scope.Sites {
				if v := f.number(p, spec, field, site.String(), errs); v != nil {
					if c.DowntimeCaps == nil {
						c.DowntimeCaps = map[uuid.UUID]float64{}
					}
					c.DowntimeCaps[site] = *v
				}
			}
		default:
			if v := f.number(p, spec, field, "", errs); v != nil {
				c.Set(field.Name, *v)
			}
		}
	}
	return c
}

// number reads what was entered for a field; a date counts days from the start
// of the horizon. Nothing entered is nil.
func (f scenarioForm) number(p Page, spec optimize.Spec, field optimize.Field, site string, errs map[string]string) *float64 {
	name := inputName(spec.Kind, field.Name, site)
	text := f.Values[name]
	if text == "" || field.Type == optimize.FieldBool {
		return nil
	}
	if field.Type == optimize.FieldDate {
		start, err := time.Parse(time.DateOnly, f.Start)
		day, dayErr := time.Parse(time.DateOnly, text)
		if err != nil || dayErr != nil || day.Before(start) {
			errs[name] = p.T("scenarios.error.end")
			return nil
		}
		v := day.Sub(start).Hours() / 24
		return &v
	}
	v, err := strconv.ParseFloat(digits.Replace(text), 64)
	if err != nil || !(v >= field.Min && v <= field.Max) { // NaN is in no range
		errs[name] = p.T("scenarios.error.range", "Min", p.Loc().Num(field.Min), "Max", p.Loc().Num(field.Max))
		return nil
	}
	return &v
}

func chosenIDs(p Page, chosen map[string]bool, name string, errs map[string]string) []uuid.UUID {
	var ids []uuid.UUID
	for text := range chosen {
		id, err := uuid.Parse(text)
		if err != nil {
			errs[name] = p.T("field.choice")
			continue
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// inputOf names the input of the wizard that holds a field of a request.
func inputOf(kind, field string) string {
	switch field {
	case "title", "start", "presets", "weights", "problem":
		return field
	case "days":
		return "horizon"
	case "time_limit_seconds":
		return "limit"
	case "sites":
		return "site"
	case "assets":
		return "asset"
	}
	if site, ok := strings.CutPrefix(field, "downtime_caps."); ok {
		return inputName(kind, "downtime_cap", site)
	}
	for _, prefix := range []string{"weights.", "fields."} {
		field = strings.TrimPrefix(field, prefix)
	}
	return inputName(kind, field, "")
}
