// Package cases reads and answers the cases of replacement theory: when to
// replace or overhaul, with what cost rate, and the estimates that such
// decisions start from. A file is one case {"kind": …, "input": {…}} or a list
// of them under "cases"; other fields are ignored.
//
// Kinds and the numbers they answer with:
//
//	age_replacement          eta, beta, cost_planned, cost_failure → t_opt, cost_rate, curve
//	minimal_repair_overhaul  alpha, beta, cost_minimal_repair, cost_overhaul → t_opt, cost_rate, curve
//	conditional_failure      eta, beta, age, horizon, evidence (1) → p_fail, mean_life
//	weibull_mle              failures, censored → eta, beta, loglik
//	weibull_mle_interval     left, right (or "inf"), units → eta, beta, loglik
//	kaplan_meier             failures, censored → sf_TIME per failure time
//	mcf                      systems: repair times and the end of each → mcf_TIME per repair time
//	laplace_rocof            times_between_failures, end → U, beta, lam
//	crow_amsaa               times, end, target_mtbf → beta, lam, growth_rate, DMTBF_C, DMTBF_I, time_to_target
//
// An end of 0 or left out means that the observation ended with the last
// failure. Times that never come are "inf".
package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// Number is a float whose JSON may also be "inf".
type Number float64

// MarshalJSON writes infinity as "inf".
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(n), 1) {
		return []byte(`"inf"`), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number or "inf".
func (n *Number) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"inf"` {
		*n = Number(math.Inf(1))
		return nil
	}
	return json.Unmarshal(raw, (*float64)(n))
}

// Case is one case of a file.
type Case struct {
	ID    string          `json:"id,omitempty"`
	Kind  string          `json:"kind"`
	Input json.RawMessage `json:"input"`
	field string          // where it stands in the file
}

// Answer holds the numbers of one case by name. Rate is the optimal cost rate
// of a decision, nil for an estimate; the curve is the cost rate over time.
type Answer struct {
	ID, Kind string
	Values   map[string]Number
	Curve    [][2]float64
}

// Rate returns the optimal cost rate, 0 for an estimate.
func (a Answer) Rate() float64 { return float64(a.Values["cost_rate"]) }

// MarshalJSON writes the numbers beside id, kind and curve.
func (a Answer) MarshalJSON() ([]byte, error) {
	out := map[string]any{"kind": a.Kind}
	if a.ID != "" {
		out["id"] = a.ID
	}
	if a.Curve != nil {
		out["curve"] = a.Curve
	}
	for name, v := range a.Values {
		out[name] = v
	}
	return json.Marshal(out)
}

// maxCases bounds a file.
const maxCases = 100_000

// Read reads a file. List reports whether it was a list of cases.
func Read(data []byte) (all []Case, list bool, err error) {
	var file struct {
		Case
		Cases *[]Case `json:"cases"`
	}
	if err = json.Unmarshal(data, &file); err != nil {
		return nil, false, fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	if file.Cases == nil {
		return []Case{file.Case}, false, nil
	}
	if len(*file.Cases) > maxCases {
		return nil, false, optimize.Invalid("cases", fmt.Sprintf("at most %d", maxCases))
	}
	for k := range *file.Cases {
		(*file.Cases)[k].field = fmt.Sprintf("cases[%d].", k)
	}
	return *file.Cases, true, nil
}

// Solve answers one case. It fails with a fault naming the field that makes
// no sense.
func (c Case) Solve() (Answer, error) {
	a := Answer{ID: c.ID, Kind: c.Kind, Values: map[string]Number{}}
	solve, known := solvers[c.Kind]
	if !known {
		return a, optimize.Invalid(c.field+"kind", fmt.Sprintf("unknown kind %q", c.Kind))
	}
	return a, solve(c, &a)
}

// Format writes the answers as they were asked: one object, or a list.
func Format(answers []Answer, list bool) ([]byte, error) {
	var v any = answers
	if list {
		v = map[string]any{"cases": answers}
	} else if len(answers) == 1 {
		v = answers[0]
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode answers: %w", err)
	}
	return append(raw, '\n'), nil
}

// solvers are the kinds of cases.
var solvers = map[string]func(Case, *Answer) error{
	"age_replacement": ageReplacement, "minimal_repair_overhaul": overhaul, "conditional_failure": conditional,
	"weibull_mle": weibull, "weibull_mle_interval": intervals, "kaplan_meier": kaplanMeier, "mcf": meanCumulative,
	"laplace_rocof": laplace, "crow_amsaa": crow,
}

// decode reads the input of a case.
func decode[T any](c Case) (T, error) {
	var in T
	if len(bytes.TrimSpace(c.Input)) == 0 {
		return in, optimize.Invalid(c.field+"input", "missing")
	}
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return in, fault.Wrap(fault.Invalid, "optimize.input.malformed", fmt.Errorf("%sinput: %w", c.field, err))
	}
	return in, nil
}

// want is a number with the range it must lie in.
type want struct {
	name          string
	value, lo, hi float64
}

func (c Case) check(list ...want) error {
	for _, w := range list {
		if !(w.value >= w.lo && w.value <= w.hi) {
			return optimize.Invalid(c.field+"input."+w.name, fmt.Sprintf("want %g to %g", w.lo, w.hi))
		}
	}
	return nil
}

// timeName is the name of a value at a time.
func timeName(prefix string, t float64) string {
	return prefix + strconv.FormatFloat(t, 'f', -1, 64)
}
