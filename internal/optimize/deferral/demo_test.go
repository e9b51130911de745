package deferral

import (
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/replacement"
)

// demoRow is one asset of testdata/demo_fleet.csv: the synthetic planning
// values of the demo tenants and what an independent calculation, shipped with
// them, says about deferring its job.
type demoRow struct {
	tag, site                     string
	planned, failure, beta, eta   float64
	age, evidence, p30, p90       float64
	best, bestLow, bestHigh       int
	wait7, wait30, wait90         float64
	evidenceWait7, evidenceWait30 float64
}

func demoFleet(t testing.TB) []demoRow {
	t.Helper()
	f, err := os.Open("testdata/demo_fleet.csv")
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var rows []demoRow
	for _, r := range records[1:] {
		var v [18]float64
		for k := 2; k < len(r); k++ {
			v[k], err = strconv.ParseFloat(r[k], 64)
			require.NoError(t, err)
		}
		rows = append(rows, demoRow{r[0], r[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], int(v[10]), int(v[11]), int(v[12]), v[13], v[14], v[15], v[16], v[17]})
	}
	require.Len(t, rows, 38)
	return rows
}

// action returns the job of a row, by age only or with its evidence.
func (r demoRow) action(evidence float64) Action {
	return Action{
		ID: "job-" + r.tag, AssetID: r.tag, Tag: r.tag, SiteID: r.site, AgeDays: r.age, PlannedCost: r.planned,
		Modes: []Mode{{Weibull: asset.Weibull{Beta: r.beta, Eta: r.eta}, FailureCost: r.failure, Evidence: evidence,
			EtaSE: PlanningSpread * r.eta, BetaSE: .1 * r.beta, EvidenceSE: .25 * evidence}},
	}
}

func TestDemoFleetMatchesIndependentFigures(t *testing.T) {
	t.Parallel()
	for _, r := range demoFleet(t) {
		t.Run(r.tag, func(t *testing.T) {
			t.Parallel()
			plain, informed := r.action(1), r.action(r.evidence)
			byAge, known := believed(&plain).course(121), believed(&informed).course(121)
			wait := func(c course, d int) float64 { return c.weighted(d, optimize.Weights{}) }
			require.InDelta(t, r.p30, byAge.pFail[30], 1e-4)
			require.InDelta(t, r.p90, byAge.pFail[90], 1e-4)
			// The figures are printed in whole SAR from a coarser integration.
			for _, x := range []struct{ want, got float64 }{
				{r.wait7, wait(byAge, 7)}, {r.wait30, wait(byAge, 30)}, {r.wait90, wait(byAge, 90)},
				{r.evidenceWait7, wait(known, 7)}, {r.evidenceWait30, wait(known, 30)},
			} {
				require.InDelta(t, x.want, x.got, 1+2e-4*math.Abs(x.want))
			}
			// Their cheapest day is on a grid of its own: no day of the curve
			// may beat it by more than the flat bottom between two grid days.
			least := 0
			for d := range 121 {
				if wait(byAge, d) < wait(byAge, least) {
					least = d
				}
			}
			require.InDelta(t, r.best, least, 5)
		})
	}
}

// TestMonteCarlo simulates the remaining life of the four assets of the demo
// whose figures were published, with their evidence, or by age only for the
// cleaning of SHQ-RO-02.
func TestMonteCarlo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ published, evidence float64 }{
		"SHQ-RO-02": {-12.1e3, 1}, "RML-P-401A": {92.6e3, 5}, "NKL-K-101": {531.4e3, 6}, "MRJ-AT1": {240.0e3, 8},
	}
	for _, r := range demoFleet(t) {
		x, ok := cases[r.tag]
		if !ok {
			continue
		}
		t.Run(r.tag, func(t *testing.T) {
			t.Parallel()
			a := r.action(x.evidence)
			got := believed(&a).course(31).weighted(30, optimize.Weights{})
			require.InDelta(t, x.published, got, 60)
			mean, se := simulate(r, x.evidence, 30, 400_000)
			require.InDelta(t, mean, got, 4.5*se)
			require.Less(t, se, 0.03*math.Abs(got))
		})
	}
}

// simulate draws remaining lives by inversion and returns the mean cost of
// waiting d days with its standard error.
func simulate(r demoRow, evidence float64, d float64, paths int) (mean, se float64) {
	g := replacement.Optimal(r.planned, []replacement.Mode{{Beta: r.beta, Eta: r.eta, Evidence: 1, Cost: r.failure}}).Rate
	rng := rand.New(rand.NewPCG(7, 7))
	sum, squares := 0.0, 0.0
	for range paths {
		hazard := rng.ExpFloat64()/evidence + math.Pow(r.age/r.eta, r.beta)
		left := r.eta*math.Pow(hazard, 1/r.beta) - r.age
		cost := -g * math.Min(left, d)
		if left < d {
			cost += r.failure - r.planned
		}
		sum += cost
		squares += cost * cost
	}
	n := float64(paths)
	mean = sum / n
	return mean, math.Sqrt((squares/n - mean*mean) / n)
}

func demoInput(t testing.TB) Input {
	in := Input{StartDate: "2026-01-04", Days: 121, Weights: optimize.Weights{Preset: optimize.PresetCheapest}, Band: Band{Replicates: 200}}
	for d := range in.Days {
		in.WorkingDay = append(in.WorkingDay, d%7 < 5)
	}
	for _, r := range demoFleet(t) {
		in.Actions = append(in.Actions, r.action(r.evidence))
	}
	return in
}

func TestDemoFleetIsSolvedWithVerdicts(t *testing.T) {
	t.Parallel()
	in := demoInput(t)
	start := time.Now()
	out, err := Solve(context.Background(), in, optimize.Options{Seed: 1}, nil)
	t.Log(time.Since(start))
	require.NoError(t, err)
	require.True(t, out.Certificate.Verified)
	require.Equal(t, optimize.StatusOptimal, out.Certificate.Status)
	require.Equal(t, 200, out.Replicates)
	verdicts := map[optimize.Verdict]int{}
	for i, d := range out.Actions {
		verdicts[d.Verdict]++
		require.NotEmpty(t, d.Reasons)
		require.LessOrEqual(t, len(d.Reasons), optimize.MaxReasons)
		for n := range d.Curve {
			require.LessOrEqual(t, d.Low[n], d.High[n])
		}
		if m := in.Actions[i].Modes[0].Evidence; m >= 4 {
			require.Equal(t, optimize.VerdictDo, d.Verdict, "%s has strong evidence", d.ActionID)
		}
	}
	t.Log(verdicts)
	require.Len(t, verdicts, 3, "the demo shows every verdict")
	for k, f := range out.Fleet {
		require.Equal(t, milestones[k], f.Days)
		require.Less(t, f.Low, f.Cost)
		require.Greater(t, f.High, f.Cost)
	}
	v, err := engine{}.View(in, out)
	require.NoError(t, err)
	for _, l := range v.Lines {
		t.Logf("%-15s %-5s until %3.0f value %12.0f", l.AssetID, l.Verdict, l.Start, l.Value)
	}
	for _, f := range v.Figures {
		t.Log(f)
	}
}
