package runs

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/optimize"
)

// The bounds of every request.
const (
	MaxTitle     = 200 // characters
	MaxAhead     = 365 // days until the horizon begins, and its length at most
	MinLimit     = 5   // seconds of search per preset
	MaxLimit     = 900
	MaxPins      = 200
	maxListed    = 2000 // sites or assets
	fieldsPrefix = "fields."
)

// Request is a request for a run as it was filled in.
type Request struct {
	Problem      string
	Title        string
	Start        string // first day of the horizon, YYYY-MM-DD
	Days         int
	LimitSeconds int
	Objective    Objective
	Constraints  Constraints
}

// Scope is what a request may refer to: the tenant's sites and assets, and
// today in the tenant's time zone as midnight UTC.
type Scope struct {
	Sites, Assets []uuid.UUID
	Today         time.Time
}

// Mistake is one thing wrong with a request: the field, and the message that
// says how to mend it with its arguments in pairs.
type Mistake struct {
	Field, Key string
	Args       []any
}

// Text words the mistake, with numbers as the language prints them.
func (m Mistake) Text(l *i18n.Localizer) string {
	args := slices.Clone(m.Args)
	for i, v := range args {
		switch v := v.(type) {
		case float64:
			args[i] = l.Num(v)
		case int:
			args[i] = l.Int(v)
		}
	}
	return l.T(m.Key, args...)
}

// Checked is a request that keeps the rules, ready to be stored.
type Checked struct {
	Problem, Title         string
	Start                  time.Time
	Days, Limit            int
	Objective, Constraints json.RawMessage
}

// Check applies the rules of the product and of the problem to a request. A
// request with mistakes is not to be stored.
func (r Request) Check(scope Scope) (Checked, []Mistake) {
	problem, ok := optimize.Lookup(r.Problem)
	if !ok {
		return Checked{}, []Mistake{{Field: "problem", Key: "scenarios.error.problem"}}
	}
	spec := problem.Spec()
	x := Checked{Problem: r.Problem, Title: strings.TrimSpace(r.Title), Days: r.Days, Limit: r.LimitSeconds}
	var wrong []Mistake
	if n := utf8.RuneCountInString(x.Title); n == 0 || n > MaxTitle {
		wrong = append(wrong, Mistake{"title", "scenarios.error.title", []any{"Max", MaxTitle}})
	}
	if most := min(MaxAhead, spec.MaxDays); r.Days < 1 || r.Days > most {
		wrong = append(wrong, outside("days", 1, float64(most)))
	}
	if r.LimitSeconds < MinLimit || r.LimitSeconds > MaxLimit {
		wrong = append(wrong, outside("time_limit_seconds", MinLimit, MaxLimit))
	}
	start, err := time.Parse(time.DateOnly, r.Start)
	if err != nil || start.Before(scope.Today) || start.After(scope.Today.AddDate(0, 0, MaxAhead)) {
		wrong = append(wrong, Mistake{Field: "start", Key: "scenarios.error.start"})
	}
	x.Start = start
	objective := r.Objective.complete(spec)
	wrong = append(wrong, objective.check(spec)...)
	wrong = append(wrong, r.Constraints.check(spec)...)
	wrong = append(wrong, r.Constraints.checkScope(scope)...)
	if len(wrong) > 0 {
		return x, wrong
	}
	return x, x.encode(objective, r.Constraints)
}

func (x *Checked) encode(o Objective, c Constraints) []Mistake {
	var err error
	if x.Objective, err = json.Marshal(o); err != nil {
		return []Mistake{{Field: "weights", Key: KeyRequest}}
	}
	if x.Constraints, err = json.Marshal(c); err != nil {
		return []Mistake{{Field: "constraints", Key: KeyRequest}}
	}
	return nil
}

func outside(field string, low, high float64) Mistake {
	return Mistake{field, "scenarios.error.range", []any{"Min", low, "Max", high}}
}

// check compares presets and weights with the problem.
func (o Objective) check(spec optimize.Spec) []Mistake {
	var wrong []Mistake
	for i, p := range o.Presets {
		known := slices.ContainsFunc(spec.Objectives, func(x optimize.Objective) bool { return x.Kind == p })
		if !known || slices.Contains(o.Presets[:i], p) {
			wrong = append(wrong, Mistake{Field: "presets", Key: "field.choice"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Weights)) {
		wrong = append(wrong, checkField(spec, "weights."+name, name, true, o.Weights[name])...)
	}
	if len(wrong) > 0 || !slices.Contains(o.Presets, PresetCustom) {
		return wrong
	}
	sum := 0.0
	for _, f := range spec.Constraints {
		if f.Weight {
			sum += o.Weight(spec, f.Name)
		}
	}
	if sum <= 0 {
		return []Mistake{{Field: "weights", Key: "scenarios.error.weights"}}
	}
	return nil
}

// check compares the numbers of a request with the fields of the problem.
func (c Constraints) check(spec optimize.Spec) []Mistake {
	var wrong []Mistake
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		wrong = append(wrong, checkField(spec, fieldsPrefix+name, name, false, c.Fields[name])...)
	}
	if c.BudgetSAR != nil {
		wrong = append(wrong, checkField(spec, fieldBudget, fieldBudget, false, *c.BudgetSAR)...)
	}
	if c.OneTrainOut {
		wrong = append(wrong, checkField(spec, fieldOneTrainOut, fieldOneTrainOut, false, 1)...)
	}
	for site, hours := range c.DowntimeCaps {
		wrong = append(wrong, checkField(spec, "downtime_caps."+site.String(), fieldDowntimeCap, false, hours)...)
	}
	if len(c.Pins) > MaxPins {
		wrong = append(wrong, outside("pins", 0, MaxPins))
	}
	return wrong
}

// checkField compares one number with the field of the form that it fills.
func checkField(spec optimize.Spec, at, name string, weight bool, v float64) []Mistake {
	i := slices.IndexFunc(spec.Constraints, func(f optimize.Field) bool { return f.Name == name && f.Weight == weight })
	if i < 0 {
		return []Mistake{{at, "runs.field_unknown", []any{"Field", name}}}
	}
	f := spec.Constraints[i]
	if !(v >= f.Min && v <= f.Max) { // NaN is in no range
		return []Mistake{outside(at, f.Min, f.Max)}
	}
	if (f.Type == optimize.FieldInteger || f.Type == optimize.FieldBool) && v != math.Trunc(v) {
		return []Mistake{{Field: at, Key: "runs.field_whole"}}
	}
	return nil
}

// checkScope finds sites and assets that the tenant does not have.
func (c Constraints) checkScope(scope Scope) []Mistake {
	var wrong []Mistake
	foreign := func(ids, known []uuid.UUID) bool {
		return len(ids) > maxListed || slices.ContainsFunc(ids, func(id uuid.UUID) bool { return !slices.Contains(known, id) })
	}
	if foreign(c.SiteIDs, scope.Sites) {
		wrong = append(wrong, Mistake{Field: "sites", Key: "field.choice"})
	}
	if foreign(c.AssetIDs, scope.Assets) {
		wrong = append(wrong, Mistake{Field: "assets", Key: "field.choice"})
	}
	for _, site := range slices.SortedFunc(maps.Keys(c.DowntimeCaps), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) }) {
		if !slices.Contains(scope.Sites, site) {
			wrong = append(wrong, Mistake{Field: "downtime_caps." + site.String(), Key: "field.choice"})
		}
	}
	return wrong
}

// CheckWhatIf tells whether pins can be forced upon the stored input of a run,
// without changing it. A pin that the problem refuses is an invalid request.
func CheckWhatIf(kind string, input json.RawMessage, pins []optimize.Pin) error {
	_, err := Force(kind, input, pins)
	return err
}

// Force returns the input with every pin in force.
func Force(kind string, input json.RawMessage, pins []optimize.Pin) (json.RawMessage, error) {
	problem, ok := optimize.Lookup(kind)
	if !ok {
		return nil, fault.New(fault.Invalid, "runs.problem_unavailable").With("problem", kind)
	}
	for i, pin := range pins {
		var err error
		if input, err = problem.Force(input, pin); err != nil {
			return nil, fmt.Errorf("pin %d: %w", i, err)
		}
	}
	return input, nil
}

// View returns what is shown of a verified output: the input is weighed by the
// scenario's preset as it was when it was solved.
func View(kind, preset string, input, output json.RawMessage) (optimize.View, error) {
	problem, ok := optimize.Lookup(kind)
	if !ok {
		return optimize.View{}, fault.New(fault.Invalid, "runs.problem_unavailable").With("problem", kind)
	}
	weighed, err := problem.Weigh(input, preset)
	if err != nil {
		return optimize.View{}, fmt.Errorf("weigh %s: %w", preset, err)
	}
	return problem.View(weighed, output)
}
