package maintenance

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// fleetRow is one asset of testdata/fleet.csv with what an independent
// calculation says about deferring its job.
type fleetRow struct {
	action                 Action
	tenant                 string
	hoursPerDay            float64
	defer7, defer30, pFail float64
}

func fleet(t testing.TB) []fleetRow {
	t.Helper()
	f, err := os.Open("testdata/fleet.csv")
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var rows []fleetRow
	for _, r := range records[1:] {
		v := make([]float64, len(r))
		for k := range r {
			v[k], _ = strconv.ParseFloat(r[k], 64) // names stay 0
		}
		loss, factor := v[3], 0.35
		a := Action{
			ID: "job-" + r[0], AssetID: r[0], Tag: r[0], SiteID: r[1], PlannedCost: v[4], OutageHours: v[5], LossPerHour: loss, PlannedFactor: factor,
			FailureTotal: v[6] + v[7]*loss, Weibull: asset.Weibull{Beta: v[8], Eta: v[9]}, AgeDays: v[10], Skill: r[2] + "/" + r[11], SkillHours: v[12], Evidence: v[14],
		}
		a.DurationDays = max(1, int(math.Ceil(a.SkillHours/(.6*v[13]))), int(math.Ceil(a.OutageHours/24)))
		rows = append(rows, fleetRow{action: a, tenant: r[2], hoursPerDay: v[13], defer7: v[15], defer30: v[16], pFail: v[17]})
	}
	return rows
}

// fleetInput is a plan of the whole fleet: crews from Sunday to Thursday, one
// cleaning skid, one membrane train out per site, and an embargo on the power
// blocks from day 75.
func fleetInput(t testing.TB, days int) Input {
	in := Input{StartDate: "2026-01-04", Days: days, Weights: optimize.Weights{Preset: optimize.PresetCheapest}}
	for d := range days {
		in.WorkingDay = append(in.WorkingDay, d%7 < 5)
	}
	level := func(v float64) []float64 {
		out := make([]float64, days)
		for d := range out {
			if in.WorkingDay[d] {
				out[d] = v
			}
		}
		return out
	}
	groups := map[string][]string{}
	seen := map[string]bool{}
	for _, r := range fleet(t) {
		a := r.action
		if !seen[a.Skill] {
			seen[a.Skill] = true
			in.Resources = append(in.Resources, Resource{ID: a.Skill, Unit: "h", Available: level(r.hoursPerDay), PriceStep: 8 * .62})
		}
		if a.Skill == "water/membrane" {
			a.Uses = []Use{{Resource: "skid", Units: 1}}
			groups[a.SiteID] = append(groups[a.SiteID], a.AssetID)
		}
		in.Actions = append(in.Actions, a)
	}
	in.Resources = append(in.Resources, Resource{ID: "skid", Unit: "pcs", Available: level(1)})
	for _, site := range []string{"SHQ", "LUL"} {
		in.Groups = append(in.Groups, Group{ID: "trains-" + site, Members: groups[site], MaxOut: 1})
	}
	for _, site := range []string{"RFJ", "TWQ"} {
		in.Embargoes = append(in.Embargoes, Embargo{ID: "summer-" + site, SiteID: site, Window: Window{From: 75, To: days}})
	}
	in.DowntimeCaps = []DowntimeCap{{SiteID: "RML", Hours: 96}}
	return in
}

func TestCostOfWaitingMatchesIndependentFigures(t *testing.T) {
	for _, r := range fleet(t) {
		t.Run(r.action.Tag, func(t *testing.T) {
			t.Parallel()
			table := newCostTable(&r.action, 30, make([]float64, 30), 1, 1)
			table.terms[30] = Terms{} // deferral is not part of the comparison
			s := newSurvival(&r.action)
			planned := r.action.PlannedCost + r.action.OutageHours*r.action.LossPerHour*r.action.PlannedFactor
			g := renewalRate(r.action.Weibull, planned, r.action.FailureTotal)
			wait := func(d int) float64 {
				alive, mean := s.curve(d)
				return (1-alive[d])*(r.action.FailureTotal-planned) - g*mean[d]
			}
			require.InDelta(t, r.defer7, wait(7), 1+2e-4*math.Abs(r.defer7))
			require.InDelta(t, r.defer30, wait(30), 1+2e-4*math.Abs(r.defer30))
			require.InDelta(t, wait(7), table.terms[7].Total-table.terms[0].Total, 1e-6*planned)
			r.action.Evidence = 1
			s = newSurvival(&r.action)
			require.InDelta(t, r.pFail, 1-s.at(30), 1e-4)
		})
	}
}

func TestFleetPlanIsVerifiedAndTight(t *testing.T) {
	t.Parallel()
	in := fleetInput(t, 45)
	out, err := Solve(context.Background(), in, optimize.Options{TimeLimit: 2 * time.Minute, RelGap: .009, Seed: 1}, nil)
	require.NoError(t, err)
	require.True(t, out.Certificate.Verified)
	require.True(t, out.Certificate.BoundKnown)
	require.Less(t, out.Certificate.Gap, .01)
	require.NoError(t, VerifyOutput(in, out))
	for _, d := range out.Schedule {
		require.LessOrEqual(t, len(d.Reasons), 5)
		require.NotEmpty(t, d.Reasons, d.ActionID)
	}
}
