package generate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/optria-iq/optria/internal/optimize/maintenance/roadef"
)

// Challenge draws an instance in the format of the ROADEF/EURO challenge 2020
// of the given size: about nine resources whose workload fills about half of
// them, seasons with exclusions, durations that depend on the season, and
// risks that scatter over the scenarios of each day. An instance of 700
// interventions, 250 days and 200 scenarios has some hundred million numbers
// as the challenge writes them; the durations here keep it to a tenth.
func Challenge(interventions, days, scenarios int, seed uint64) *roadef.Instance {
	r := rand.New(rand.NewPCG(seed, 0x726f6164)) // #nosec G404 -- instances must repeat by their seed
	quantile, alpha := .95, .5
	in := &roadef.Instance{
		Resources: map[string]roadef.Resource{}, Interventions: map[string]roadef.Intervention{}, Exclusions: map[string][]string{},
		Seasons: map[string][]roadef.Number{"full": nil, "winter": nil, "summer": nil, "is": nil}, Days: days, Quantile: &quantile, Alpha: &alpha,
	}
	for t := 1; t <= days; t++ {
		in.Scenarios = append(in.Scenarios, scenarios)
		season := []string{"winter", "is", "summer", "is"}[(t-1)*4/days]
		in.Seasons[season] = append(in.Seasons[season], roadef.Number(t))
		in.Seasons["full"] = append(in.Seasons["full"], roadef.Number(t))
	}
	const resources = 9
	load := make([]float64, resources)
	for k := range interventions {
		in.Interventions[fmt.Sprint("I_", k)] = intervention(r, in, load)
	}
	for c := range resources {
		res := roadef.Resource{Min: make([]float64, days), Max: make([]float64, days)}
		for t := range days {
			res.Max[t] = math.Ceil(load[c]/float64(days)*1.6) + 12
			res.Min[t] = math.Floor(load[c] / float64(days) * .2)
		}
		in.Resources[fmt.Sprint("c", c)] = res
	}
	for k := range interventions / 8 {
		a, b := r.IntN(interventions), r.IntN(interventions)
		if a != b {
			in.Exclusions[fmt.Sprint("E", k)] = []string{fmt.Sprint("I_", a), fmt.Sprint("I_", b), []string{"full", "winter", "summer", "is"}[r.IntN(4)]}
		}
	}
	return in
}

// intervention draws one job and adds its mean workload to load.
func intervention(r *rand.Rand, in *roadef.Instance, load []float64) roadef.Intervention {
	j := drawn{r: r, in: in, v: roadef.Intervention{Workload: map[string]map[string]map[string]float64{}, Risk: map[string]map[string][]float64{}}}
	first, second := r.IntN(len(load)), r.IntN(len(load))
	base, hours, level := 1+r.IntN(4), 3+9*r.Float64(), math.Exp(2+2*r.Float64())
	for s := 1; s <= in.Days; s++ {
		d := base
		if (s-1)*4/in.Days == 0 { // work takes longer in winter
			d += 1 + base/3
		}
		if s+d > in.Days+1 {
			break
		}
		j.v.Latest = roadef.Number(s)
		j.v.Durations = append(j.v.Durations, float64(d))
		for t := s; t < s+d; t++ {
			j.work(fmt.Sprint("c", first), t, s, hours)
			j.work(fmt.Sprint("c", second), t, s, hours/2)
			j.risk(t, s, level)
		}
	}
	for len(j.v.Durations) < in.Days {
		j.v.Durations = append(j.v.Durations, float64(base))
	}
	load[first] += hours * float64(base)
	load[second] += hours / 2 * float64(base)
	return j.v
}

// drawn is an intervention in the making.
type drawn struct {
	r  *rand.Rand
	in *roadef.Instance
	v  roadef.Intervention
}

// work sets what day t takes of a resource when the job starts on day s.
func (j drawn) work(resource string, t, s int, hours float64) {
	day := strconv.Itoa(t)
	if j.v.Workload[resource] == nil {
		j.v.Workload[resource] = map[string]map[string]float64{}
	}
	if j.v.Workload[resource][day] == nil {
		j.v.Workload[resource][day] = map[string]float64{}
	}
	j.v.Workload[resource][day][strconv.Itoa(s)] += math.Round(hours*100) / 100
}

// risk sets the risks of day t when the job starts on day s: higher around
// the turn of the year, with a heavy upper tail.
func (j drawn) risk(t, s int, level float64) {
	day := strconv.Itoa(t)
	if j.v.Risk[day] == nil {
		j.v.Risk[day] = map[string][]float64{}
	}
	season := 1.3 + math.Cos(2*math.Pi*float64(t)/float64(j.in.Days))
	values := make([]float64, j.in.Scenarios[t-1])
	for k := range values {
		values[k] = math.Round(1000*level*season*math.Exp(.7*j.r.NormFloat64())) / 1000
	}
	j.v.Risk[day][strconv.Itoa(s)] = values
}
