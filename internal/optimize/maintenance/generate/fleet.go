// Package generate draws maintenance problems of any size from a seed, for
// benchmarks and tests: fleets of industrial assets, instances in the format
// of the ROADEF/EURO challenge 2020, and problems so small that every plan can
// be tried.
package generate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// kind is a class of assets with typical money (SAR), hours and life (days).
type kind struct {
	name, crew             string
	loss                   float64 // SAR per hour of outage
	planned, outage, hours float64 // cost, outage hours and labour of the planned job
	failure, failureHours  float64 // cost without outage, and the outage
	beta, eta              float64
	shared                 string // resource held during the job, "" for none
	everyDay, outageProof  bool   // days off are worked; the asset keeps running
}

var kinds = []kind{
	{name: "separator", crew: "static", loss: 46000, planned: 240000, outage: 30, hours: 160, failure: 900000, failureHours: 72, beta: 1.6, eta: 1500},
	{name: "pump", crew: "rotating", loss: 9000, planned: 95000, outage: 12, hours: 48, failure: 430000, failureHours: 48, beta: 2.2, eta: 900},
	{name: "compressor", crew: "rotating", loss: 62000, planned: 680000, outage: 60, hours: 420, failure: 3900000, failureHours: 240, beta: 2.5, eta: 3000},
	{name: "valve", crew: "instrument", loss: 118000, planned: 38000, outage: 6, hours: 18, failure: 210000, failureHours: 10, beta: 1.3, eta: 2100},
	{name: "membrane", crew: "process", loss: 14000, planned: 85000, outage: 10, hours: 36, failure: 260000, failureHours: 30, beta: 2.8, eta: 420, shared: "skid"},
	{name: "turbine", crew: "rotating", loss: 88000, planned: 1900000, outage: 120, hours: 640, failure: 8200000, failureHours: 500, beta: 2.9, eta: 2600, everyDay: true},
	{name: "exchanger", crew: "static", loss: 21000, planned: 130000, outage: 24, hours: 90, failure: 380000, failureHours: 40, beta: 1.9, eta: 800, shared: "skid"},
	{name: "transformer", crew: "electrical", loss: 30000, planned: 150000, outage: 16, hours: 60, failure: 2400000, failureHours: 320, beta: 2.4, eta: 5200},
	{name: "breaker", crew: "electrical", loss: 0, planned: 22000, outage: 0, hours: 14, failure: 310000, failureHours: 12, beta: 1.7, eta: 1900, outageProof: true},
}

// hoursPerDay is what one person of a crew works in a shift.
const hoursPerDay = 8 * .62

// Fleet draws a fleet of n jobs over a horizon of the given days: five crews
// from Sunday to Thursday with hours for about two thirds of all work, two
// cleaning skids, redundant pairs of which one may be out, and an embargo at
// three of ten sites near the end. The same arguments give the same input.
func Fleet(n, days int, seed uint64) maintenance.Input {
	r := rand.New(rand.NewPCG(seed, 0x6d61696e74)) // #nosec G404 -- instances must repeat by their seed
	in := maintenance.Input{StartDate: "2026-01-04", Days: days, Weights: optimize.Weights{Preset: optimize.PresetBalanced, Cost: 1, Risk: 1}}
	for d := range days {
		in.WorkingDay = append(in.WorkingDay, d%7 < 5)
	}
	for k := range n {
		in.Actions = append(in.Actions, job(r, k))
	}
	for k := 9; k < n; k += 10 {
		g := maintenance.Group{ID: fmt.Sprint("pair-", k/10), MaxOut: 1}
		for _, m := range []int{k - 9, k - 5, k - 1} {
			g.Members = append(g.Members, in.Actions[m].AssetID)
		}
		in.Groups = append(in.Groups, g)
	}
	for site := range 3 {
		in.Embargoes = append(in.Embargoes, maintenance.Embargo{
			ID: fmt.Sprint("summer-", site), SiteID: fmt.Sprint("site-", site), Window: maintenance.Window{From: days * 5 / 6, To: days - 1},
		})
	}
	staff(&in)
	return in
}

func job(r *rand.Rand, k int) maintenance.Action {
	t := kinds[r.IntN(len(kinds))]
	scatter := func(v float64) float64 { return math.Round(v * (.6 + .8*r.Float64())) }
	a := maintenance.Action{
		ID: fmt.Sprintf("job-%05d", k), AssetID: fmt.Sprintf("%s-%05d", t.name, k), Tag: fmt.Sprintf("%s-%05d", t.name, k), SiteID: fmt.Sprint("site-", k%10),
		Skill: t.crew, SkillHours: scatter(t.hours), PlannedCost: scatter(t.planned), LossPerHour: scatter(t.loss), PlannedFactor: .35,
		Continuous: t.everyDay, Weibull: asset.Weibull{Beta: t.beta, Eta: scatter(t.eta)},
	}
	if !t.outageProof {
		a.OutageHours = scatter(t.outage)
	}
	a.FailureTotal = scatter(t.failure) + scatter(t.failureHours)*a.LossPerHour
	a.AgeDays = math.Round(a.Weibull.Eta * (.1 + .8*r.Float64()))
	if r.IntN(4) == 0 {
		a.Evidence = 1 + 4*r.Float64()
	}
	if t.shared != "" {
		a.Uses = []maintenance.Use{{Resource: t.shared, Units: 1}}
	}
	a.DurationDays = max(1, int(math.Ceil(a.SkillHours/(5*hoursPerDay))), int(math.Ceil(a.OutageHours/24)))
	return a
}

// staff sizes the crews for two thirds of the work, at least for the largest
// single job.
func staff(in *maintenance.Input) {
	need, most, worked := map[string]float64{}, map[string]float64{}, 0.0
	for _, open := range in.WorkingDay {
		if open {
			worked++
		}
	}
	for _, a := range in.Actions {
		need[a.Skill] += a.SkillHours
		most[a.Skill] = max(most[a.Skill], a.SkillHours/float64(a.DurationDays))
		for _, u := range a.Uses {
			need[u.Resource] += u.Units * float64(a.DurationDays)
		}
	}
	for _, id := range []string{"static", "rotating", "instrument", "process", "electrical", "skid"} {
		res := maintenance.Resource{ID: id, Name: id, Unit: "h", PriceStep: hoursPerDay}
		level := math.Ceil(max(need[id]*.66/worked, most[id])/hoursPerDay) * hoursPerDay
		if id == "skid" {
			res.Unit, res.PriceStep = "pcs", 1
			level = max(1, math.Ceil(need[id]*.66/worked))
		}
		for d := range in.Days {
			available := level
			if !in.WorkingDay[d] {
				available = 0
			}
			res.Available = append(res.Available, available)
		}
		in.Resources = append(in.Resources, res)
	}
}
