package roadef

import (
	"fmt"
	"math"
	"sort"
)

// Verify recomputes a plan from the raw instance, day by day and without any
// code of the solver, and returns its objective or the first broken rule.
func Verify(in *Instance, plan Plan) (float64, error) {
	active := map[string]map[int]bool{}
	for name, v := range in.Interventions {
		s, ok := plan[name]
		if !ok || s < 1 || s > int(v.Latest) {
			return 0, fmt.Errorf("intervention %s: start %d is missing or outside 1 to %d", name, s, v.Latest)
		}
		active[name] = map[int]bool{}
		for k := 0; k < int(v.Durations[s-1]); k++ {
			if s+k > in.Days {
				return 0, fmt.Errorf("intervention %s: ends after the horizon", name)
			}
			active[name][s+k] = true
		}
	}
	if len(plan) != len(in.Interventions) {
		return 0, fmt.Errorf("plan has %d starts for %d interventions", len(plan), len(in.Interventions))
	}
	if err := verifyResources(in, plan, active); err != nil {
		return 0, err
	}
	for id, e := range in.Exclusions {
		for _, d := range in.Seasons[e[2]] {
			if active[e[0]][int(d)] && active[e[1]][int(d)] {
				return 0, fmt.Errorf("exclusion %s is broken on day %d", id, d)
			}
		}
	}
	means, excesses := 0.0, 0.0
	for t := 1; t <= in.Days; t++ {
		sums := make([]float64, in.Scenarios[t-1])
		for name, days := range active {
			if days[t] {
				risks, _ := in.Interventions[name].Risk.At(t, plan[name])
				for k, x := range risks {
					sums[k] += x
				}
			}
		}
		mean := 0.0
		for _, x := range sums {
			mean += x / float64(len(sums))
		}
		sort.Float64s(sums)
		rank := int(math.Ceil(float64(len(sums)) * *in.Quantile))
		means += mean
		excesses += math.Max(0, sums[rank-1]-mean)
	}
	days := float64(in.Days)
	return *in.Alpha*means/days + (1-*in.Alpha)*excesses/days, nil
}

func verifyResources(in *Instance, plan Plan, active map[string]map[int]bool) error {
	for id, r := range in.Resources {
		for t := 1; t <= in.Days; t++ {
			used := 0.0
			for name, days := range active {
				if days[t] {
					amount, _ := in.Interventions[name].Workload[id].At(t, plan[name])
					used += amount
				}
			}
			if used > r.Max[t-1]+1e-5 || used < r.Min[t-1]-1e-5 {
				return fmt.Errorf("resource %s uses %g on day %d, outside %g to %g", id, used, t, r.Min[t-1], r.Max[t-1])
			}
		}
	}
	return nil
}
