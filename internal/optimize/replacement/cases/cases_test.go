package cases

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
)

// published are cases of the literature with the values that they print, each
// with its source, and exact values computed apart where the print is coarse.
type published struct {
	Cases []struct {
		ID       string            `json:"id"`
		Expected map[string]Number `json:"expected"`
		Exact    map[string]Number `json:"exact"`
		RelTol   float64           `json:"rel_tol"`
	} `json:"cases"`
}

func TestPublishedCases(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/published.json")
	require.NoError(t, err)
	var want published
	require.NoError(t, json.Unmarshal(data, &want))
	all, list, err := Read(data)
	require.NoError(t, err)
	require.True(t, list)
	require.Len(t, all, 13)
	for k, c := range all {
		answer, err := c.Solve()
		require.NoError(t, err, c.ID)
		raw, err := json.Marshal(answer)
		require.NoError(t, err)
		var got map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &got))
		for name, v := range want.Cases[k].Expected {
			var x Number
			require.NoError(t, json.Unmarshal(got[name], &x), "%s %s", c.ID, name)
			if math.IsInf(float64(v), 1) {
				require.Equal(t, v, x, c.ID)
				continue
			}
			off := math.Abs(float64(x-v)) / math.Abs(float64(v))
			require.LessOrEqual(t, off, want.Cases[k].RelTol+1e-9, "%s %s: %v, source says %v", c.ID, name, x, v)
			if exact, ok := want.Cases[k].Exact[name]; ok {
				off = math.Abs(float64(x-exact)) / math.Abs(float64(exact))
				t.Logf("%-26s %-9s %-22v off the exact value by %.1e", c.ID, name, float64(x), off)
				require.LessOrEqual(t, off, 1e-6, "%s %s: %v, exact %v", c.ID, name, x, exact)
			}
		}
	}
}

func solveOne(t *testing.T, text string) (Answer, error) {
	t.Helper()
	all, list, err := Read([]byte(text))
	require.NoError(t, err)
	require.False(t, list)
	return all[0].Solve()
}

// TestHandCalculatedCases holds small cases that can be done on paper.
func TestHandCalculatedCases(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]float64{
		`{"kind":"conditional_failure","input":{"eta":100,"beta":1,"age":70,"horizon":10}}`:                          {"p_fail": 1 - math.Exp(-.1), "mean_life": 100 * (1 - math.Exp(-.1))},
		`{"kind":"conditional_failure","input":{"eta":100,"beta":2,"age":50,"horizon":50,"evidence":2}}`:             {"p_fail": 1 - math.Exp(-1.5)},
		`{"kind":"mcf","input":{"systems":[[5,10,15],[6,12],[20]]}}`:                                                 {"mcf_5": 1. / 3, "mcf_6": 2. / 3, "mcf_10": 1},
		`{"kind":"kaplan_meier","input":{"failures":[1,3],"censored":[2,3]}}`:                                        {"sf_1": .75, "sf_3": .375},
		`{"kind":"crow_amsaa","input":{"times":[1,2.718281828459045],"end":2.718281828459045,"target_mtbf":1}}`:      {"beta": 2, "lam": 2 / math.Exp(2), "growth_rate": -1, "DMTBF_C": math.E / 2, "DMTBF_I": math.E / 4, "time_to_target": math.Exp(2) / 2},
		`{"kind":"minimal_repair_overhaul","input":{"alpha":10,"beta":2,"cost_minimal_repair":1,"cost_overhaul":1}}`: {"t_opt": 10, "cost_rate": .2},
	} {
		a, err := solveOne(t, text)
		require.NoError(t, err, text)
		for name, v := range want {
			require.InDelta(t, v, float64(a.Values[name]), 1e-12*max(1, v), "%s %s", text, name)
		}
	}
}

func TestNeverIsInfinite(t *testing.T) {
	t.Parallel()
	for _, beta := range []string{"0.2", "0.5", "1", "1.0"} {
		for _, text := range []string{
			`{"kind":"age_replacement","input":{"eta":1000,"beta":` + beta + `,"cost_planned":1,"cost_failure":5}}`,
			`{"kind":"minimal_repair_overhaul","input":{"alpha":1000,"beta":` + beta + `,"cost_minimal_repair":1,"cost_overhaul":5}}`,
		} {
			a, err := solveOne(t, text)
			require.NoError(t, err, text)
			raw, err := Format([]Answer{a}, false)
			require.NoError(t, err)
			require.Contains(t, string(raw), `"t_opt":"inf"`)
			require.Len(t, a.Curve, curvePoints)
		}
	}
}

// TestExtremesAgreeWithTheClosedForm sweeps shapes and cost ratios; Solve
// itself compares the optimum with a formula of its own.
func TestExtremesAgreeWithTheClosedForm(t *testing.T) {
	t.Parallel()
	for _, beta := range []float64{.15, .5, 1.001, 1.02, 1.1, 1.5, 3, 8, 30, 100} {
		for _, ratio := range []float64{.5, 1, 1.01, 2, 100, 1e8} {
			raw, err := json.Marshal(map[string]any{"kind": "age_replacement", "input": map[string]float64{"eta": 123, "beta": beta, "cost_planned": 7, "cost_failure": 7 * ratio}})
			require.NoError(t, err)
			_, err = solveOne(t, string(raw))
			require.NoError(t, err, "%s", raw)
		}
	}
}

func TestBadCasesAreNamed(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{}`:                         "kind",
		`{"kind":"riddle"}`:          "kind",
		`{"kind":"age_replacement"}`: "input",
		`{"kind":"age_replacement","input":{"eta":-1,"beta":2,"cost_planned":1,"cost_failure":5}}`: "input.eta",
		`{"kind":"age_replacement","input":{"eta":1,"beta":2,"cost_failure":5}}`:                   "input.cost_planned",
		`{"kind":"minimal_repair_overhaul","input":{"alpha":1,"beta":0}}`:                          "input.beta",
		`{"kind":"weibull_mle","input":{"failures":[]}}`:                                           "input.failures",
		`{"kind":"weibull_mle","input":{"failures":[3,3]}}`:                                        "input.failures",
		`{"kind":"kaplan_meier","input":{"failures":[-3]}}`:                                        "input.failures",
		`{"kind":"mcf","input":{"systems":[[]]}}`:                                                  "input.systems",
		`{"kind":"laplace_rocof","input":{"times_between_failures":[1]}}`:                          "input.times_between_failures",
		`{"kind":"crow_amsaa","input":{"times":[3,2]}}`:                                            "input.times",
		`{"kind":"weibull_mle_interval","input":{"left":[0,1],"right":[1]}}`:                       "input.right",
		`{"kind":"weibull_mle_interval","input":{"left":[2],"right":[1],"units":[5]}}`:             "input.left",
		`{"kind":"weibull_mle_interval","input":{"left":[0],"right":["inf"],"units":[5]}}`:         "input.left",
	} {
		_, err := solveOne(t, text)
		var f *fault.Error
		require.ErrorAs(t, err, &f, text)
		require.Equal(t, fault.Invalid, f.Code, text)
		require.Equal(t, field, f.Args["field"], text)
	}
	for _, text := range []string{``, `[`, `{"cases":{}}`, `{"kind":"age_replacement","input":{"eta":NaN}}`} {
		_, _, err := Read([]byte(text))
		require.Equal(t, fault.Invalid, fault.CodeOf(err), text)
	}
	_, err := solveOne(t, `{"kind":"age_replacement","input":{"eta":"wide"}}`)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}

func FuzzCases(f *testing.F) {
	data, err := os.ReadFile("testdata/published.json")
	require.NoError(f, err)
	f.Add(data)
	all, _, err := Read(data)
	require.NoError(f, err)
	for _, c := range all {
		raw, err := json.Marshal(c)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte(`{"kind":"crow_amsaa","input":{"times":[1,2],"target_mtbf":3}}`))
	f.Add([]byte(`{"kind":"mcf","input":{"systems":[[1,2]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, list, err := Read(data)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
			return
		}
		var answers []Answer
		for _, c := range all {
			a, err := c.Solve()
			if err != nil {
				require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
				continue
			}
			answers = append(answers, a)
		}
		_, err = Format(answers, list)
		require.NoError(t, err)
	})
}
