// Package generate draws dispatch problems of any size for tests and
// benchmarks. Nothing in it comes from real people or plants.
package generate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
)

// The drawn world: a square region of side kilometres driven at a mean speed,
// with day shifts of eight hours.
const (
	side       = 120.0 // km
	speed      = 1.0   // km per minute
	shiftStart = 7 * 60
	shiftEnd   = 15 * 60
	day        = 24 * 60
)

var trades = []string{"mechanical", "electrical", "instrument", "rotating", "civil"}

// Workforce returns a problem with technicians × jobs over some days. The same
// arguments give the same problem.
func Workforce(technicians, jobs, days int, seed uint64) dispatch.Input {
	r := rand.New(rand.NewPCG(seed, 77)) // #nosec G404 -- instances must repeat by their seed
	in := dispatch.Input{StartDate: "2026-06-14", Days: days, ChangeSAR: 50, Weights: dispatch.Weights{Preset: optimize.PresetBalanced}}
	sites := max(4, min(120, jobs/12))
	x, y := make([]float64, sites), make([]float64, sites)
	for k := range sites {
		x[k], y[k] = side*r.Float64(), side*r.Float64()
		in.Sites = append(in.Sites, fmt.Sprintf("site-%03d", k))
	}
	for a := range sites {
		row := make([]float64, sites)
		for b := range sites {
			row[b] = math.Round(math.Hypot(x[a]-x[b], y[a]-y[b]) / speed)
		}
		in.Travel = append(in.Travel, row)
	}
	for k := range technicians {
		in.Technicians = append(in.Technicians, technician(r, k, days, in.Sites))
	}
	for k := range jobs {
		in.Jobs = append(in.Jobs, job(r, k, days, in.Sites))
	}
	order(r, &in)
	for d := range days { // midday ban every day, no start at Friday prayer
		from := float64(d * day)
		in.Closures = append(in.Closures, dispatch.Closure{ID: fmt.Sprintf("midday-%02d", d), Kind: "midday_ban", From: from + 12*60, To: from + 15*60, Outdoor: true})
		if d%7 == 5 {
			in.Closures = append(in.Closures, dispatch.Closure{ID: fmt.Sprintf("friday-%02d", d), Kind: "friday_no_start", From: from + 11.5*60, To: from + 13*60, NoStart: true})
		}
	}
	return in
}

func technician(r *rand.Rand, k, days int, sites []string) dispatch.Technician {
	t := dispatch.Technician{
		ID: fmt.Sprintf("tech-%03d", k), SiteID: sites[r.IntN(len(sites))], CostPerHour: float64(60 + 10*r.IntN(9)),
		MaxOvertime: float64(60 * r.IntN(3)), OvertimeFactor: 1.5,
	}
	for n, at := range r.Perm(len(trades))[:1+r.IntN(3)] {
		t.Skills = append(t.Skills, dispatch.Skill{ID: trades[at], Level: 1 + (n+r.IntN(3))%3})
	}
	for _, tool := range []string{"crane", "laser", "analyser"} {
		if r.IntN(3) > 0 {
			t.Tools = append(t.Tools, tool)
		}
	}
	t.Parts = []dispatch.Stock{{Part: "seal", Units: r.IntN(6)}, {Part: "bearing", Units: r.IntN(4)}}
	for d := range days {
		if r.IntN(10) > 0 {
			t.Shifts = append(t.Shifts, dispatch.Span{From: float64(d*day + shiftStart), To: float64(d*day + shiftEnd)})
		}
	}
	return t
}

func job(r *rand.Rand, k, days int, sites []string) dispatch.Job {
	due := float64(r.IntN(days*day) + 600)
	j := dispatch.Job{
		ID: fmt.Sprintf("job-%05d", k), AssetID: fmt.Sprintf("asset-%04d", r.IntN(1+k)), SiteID: sites[r.IntN(len(sites))],
		Title: fmt.Sprintf("Job %d", k), Duration: float64(30 * (1 + r.IntN(5))), CrewSize: 1, Due: &due,
		PrioritySAR: math.Round(20 * math.Exp(1.2*r.NormFloat64())), Outdoor: r.IntN(4) == 0,
		Skills: []dispatch.Skill{{ID: trades[r.IntN(len(trades))], Level: 1 + r.IntN(2)}},
	}
	j.UnservedSAR = 3000 + 100*j.PrioritySAR
	if r.IntN(12) == 0 {
		j.Tools = []string{[]string{"crane", "laser", "analyser"}[r.IntN(3)]}
	}
	if r.IntN(8) == 0 {
		j.Parts = []dispatch.Stock{{Part: []string{"seal", "bearing"}[r.IntN(2)], Units: 1}}
	}
	if r.IntN(3) == 0 { // an appointment of half a day
		d, noon := r.IntN(days), r.IntN(2)
		from := float64(d*day + shiftStart + noon*4*60)
		j.Windows = []dispatch.Span{{From: from, To: from + 4*60}}
	}
	if r.IntN(25) == 0 {
		j.CrewSize = 2
	}
	return j
}

// order lets a few jobs wait for the one before them.
func order(r *rand.Rand, in *dispatch.Input) {
	for k := 1; k < len(in.Jobs); k++ {
		if r.IntN(40) == 0 && len(in.Jobs[k].Windows)+len(in.Jobs[k-1].Windows) == 0 {
			in.Jobs[k].After = []string{in.Jobs[k-1].ID}
		}
	}
}
