package roadef

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

func three(t *testing.T) *Instance {
	t.Helper()
	data, err := os.ReadFile("testdata/three.json")
	require.NoError(t, err)
	in, err := Read(data)
	require.NoError(t, err)
	return in
}

// enumerate returns the least objective over all plans the verifier accepts.
func enumerate(in *Instance) float64 {
	names, best := in.names(), math.Inf(1)
	plan := Plan{}
	var walk func(k int)
	walk = func(k int) {
		if k == len(names) {
			if v, err := Verify(in, plan); err == nil {
				best = math.Min(best, v)
			}
			return
		}
		for s := 1; s <= int(in.Interventions[names[k]].Latest); s++ {
			plan[names[k]] = s
			walk(k + 1)
		}
	}
	walk(0)
	return best
}

// The objective of one plan, worked out by hand: day 1 carries nothing; day 2
// pump and valve [4 4 5], mean 13/3, quantile 4 (rank 2 of 3); day 3 the same
// two [9 2], mean 5.5, quantile 9 (rank 2 of 2); day 4 line [6].
func TestVerifyByHand(t *testing.T) {
	got, err := Verify(three(t), Plan{"pump": 2, "line": 4, "valve": 2})
	require.NoError(t, err)
	mean, excess := (13./3+5.5+6)/4, (0+3.5+0)/4
	require.InDelta(t, .4*mean+.6*excess, got, 1e-12)
}

func TestVerifyRefuses(t *testing.T) {
	in := three(t)
	for want, plan := range map[string]Plan{
		"exclusion x1":  {"pump": 1, "line": 1, "valve": 2},
		"resource crew": {"pump": 2, "line": 2, "valve": 1},
		"outside":       {"pump": 4, "line": 4, "valve": 2},
		"line":          {"pump": 2, "valve": 2},
		"4 starts":      {"pump": 2, "line": 4, "valve": 2, "other": 1},
	} {
		if want == "exclusion x1" {
			in.Resources["crew"] = Resource{Min: make([]float64, 4), Max: []float64{9, 9, 9, 9}}
		} else {
			in.Resources["crew"] = Resource{Min: make([]float64, 4), Max: []float64{6, 6, 6, 6}}
		}
		_, err := Verify(in, plan)
		require.ErrorContains(t, err, want)
	}
}

func TestSolveReachesTheOptimum(t *testing.T) {
	in := three(t)
	plan, cert, err := Solve(context.Background(), in, optimize.Options{TimeLimit: 20 * time.Second, RelGap: 1e-6, Seed: 1}, nil)
	require.NoError(t, err)
	require.InDelta(t, enumerate(in), cert.Objective, 1e-9)
	require.Equal(t, optimize.StatusOptimal, cert.Status)
	require.True(t, cert.Verified)
	require.Equal(t, len(plan), strings.Count(string(plan.Format()), "\n"))
}

// random draws a small instance with scenarios, a capacity and an exclusion.
func random(t *testing.T, seed uint64) *Instance {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	days := 4 + r.IntN(3)
	top, scenarios, jobs := []int{}, []int{}, map[string]any{}
	for range days {
		top, scenarios = append(top, 4+r.IntN(6)), append(scenarios, 1+r.IntN(6))
	}
	for k := range 4 {
		durations, work, risk := []int{}, map[int]map[int]int{}, map[int]map[int][]int{}
		for s := 1; s <= days; s++ {
			d := min(1+r.IntN(2), days-s+1)
			durations = append(durations, d)
			for day := s; day < s+d; day++ {
				if work[day] == nil {
					work[day], risk[day] = map[int]int{}, map[int][]int{}
				}
				work[day][s] = 1 + r.IntN(4)
				for range scenarios[day-1] {
					risk[day][s] = append(risk[day][s], r.IntN(20))
				}
			}
		}
		jobs[fmt.Sprint("i", k)] = map[string]any{"tmax": days, "Delta": durations, "workload": map[string]any{"c": work}, "risk": risk}
	}
	text, err := json.Marshal(map[string]any{
		"T": days, "Scenarios_number": scenarios, "Quantile": []float64{.5, .8, .95}[r.IntN(3)], "Alpha": r.Float64(), "Interventions": jobs,
		"Resources": map[string]any{"c": map[string]any{"min": make([]int, days), "max": top}}, "Seasons": map[string]any{"s": []int{1, 2, 3}},
		"Exclusions": map[string]any{"e": []string{"i0", "i1", "s"}},
	})
	require.NoError(t, err)
	in, err := Read(text)
	require.NoError(t, err)
	return in
}

// TestRandomInstancesAgainstEnumeration: on 200 random instances the bound
// never exceeds the optimum, the plan never beats it and equals it when it
// says so.
func TestRandomInstancesAgainstEnumeration(t *testing.T) {
	for seed := uint64(1); seed <= 200; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			in := random(t, seed)
			optimum := enumerate(in)
			opt := optimize.Options{MaxIterations: 8000, Seed: int64(seed), Solver: optimize.SolverHeuristic}
			if seed%8 == 0 {
				opt.Solver = optimize.SolverAuto
			}
			_, cert, err := Solve(context.Background(), in, opt, nil)
			if math.IsInf(optimum, 1) {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.LessOrEqual(t, cert.Bound, optimum+1e-6)
			require.GreaterOrEqual(t, cert.Objective, optimum-1e-6)
			if seed%8 == 0 {
				require.Equal(t, optimize.StatusOptimal, cert.Status)
			}
			if cert.Status == optimize.StatusOptimal {
				require.InDelta(t, optimum, cert.Objective, 1e-6*math.Max(1, optimum))
			}
		})
	}
}

func TestInfeasibleInstance(t *testing.T) {
	in := three(t)
	in.Resources["crew"] = Resource{Min: []float64{0, 0, 0, 6}, Max: []float64{6, 6, 6, 6}}
	_, cert, err := Solve(context.Background(), in, optimize.Options{TimeLimit: 20 * time.Second}, nil)
	require.ErrorIs(t, err, ErrInfeasible)
	require.Equal(t, fault.Conflict, fault.CodeOf(err))
	require.Equal(t, optimize.StatusInfeasible, cert.Status)
}

func TestReadNamesTheField(t *testing.T) {
	good, err := os.ReadFile("testdata/three.json")
	require.NoError(t, err)
	for field, edit := range map[string]func(map[string]any){
		"T":                           func(m map[string]any) { delete(m, "T") },
		"Quantile":                    func(m map[string]any) { delete(m, "Quantile") },
		"Alpha":                       func(m map[string]any) { m["Alpha"] = -1 },
		"Interventions":               func(m map[string]any) { delete(m, "Interventions") },
		"Resources":                   func(m map[string]any) { delete(m, "Resources") },
		"Scenarios_number":            func(m map[string]any) { m["Scenarios_number"] = []int{1} },
		"Scenarios_number[1]":         func(m map[string]any) { m["Scenarios_number"] = []int{1, 0, 1, 1} },
		"Exclusions.x1":               func(m map[string]any) { m["Exclusions"] = map[string]any{"x1": []string{"pump", "nobody", "dry"}} },
		"Interventions.pump.tmax":     func(m map[string]any) { intervention(m)["tmax"] = 9 },
		"Interventions.pump.Delta":    func(m map[string]any) { intervention(m)["Delta"] = []int{1} },
		"Interventions.pump.risk":     func(m map[string]any) { delete(intervention(m), "risk") },
		"Interventions.pump.Delta[0]": func(m map[string]any) { intervention(m)["Delta"] = []int{-2, 1, 1, 1} },
		"Resources.crew": func(m map[string]any) {
			m["Resources"] = map[string]any{"crew": map[string]any{"min": []int{0, 0, 0, 0}, "max": []int{1, -1, 1, 1}}}
		},
		"Interventions.pump.risk.1.1": func(m map[string]any) {
			intervention(m)["risk"].(map[string]any)["1"] = map[string]any{"1": []float64{1, -5}}
		},
	} {
		t.Run(field, func(t *testing.T) {
			var m map[string]any
			require.NoError(t, json.Unmarshal(good, &m))
			edit(m)
			bad, err := json.Marshal(m)
			require.NoError(t, err)
			_, err = Read(bad)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, field, f.Args["field"])
		})
	}
}

func intervention(m map[string]any) map[string]any {
	return m["Interventions"].(map[string]any)["pump"].(map[string]any)
}

func TestModelHoldsTheQuantile(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, three(t).Model().WriteMPS(&b))
	require.Contains(t, b.String(), "ENDATA")
	require.Contains(t, b.String(), "'INTORG'")
}
