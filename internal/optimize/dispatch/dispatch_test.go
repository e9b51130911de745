package dispatch_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
	"github.com/optria-iq/optria/internal/optimize/dispatch/generate"
)

func solve(t *testing.T, in dispatch.Input, iterations int64) dispatch.Output {
	t.Helper()
	out, err := dispatch.Solve(context.Background(), in, optimize.Options{MaxIterations: iterations, Seed: 1, Threads: 2}, nil)
	require.NoError(t, err)
	require.True(t, out.Certificate.Verified)
	require.NoError(t, dispatch.VerifyOutput(in, out))
	return out
}

// TestNoJobOverlapsAForbiddenWindow checks every drawn problem by the calendar
// alone, minute by minute.
func TestNoJobOverlapsAForbiddenWindow(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 8; seed++ {
		in := generate.Workforce(6, 25, 7, seed)
		in.Closures = append(in.Closures,
			dispatch.Closure{ID: "holiday", Kind: "holiday", From: 2 * 1440, To: 3 * 1440},
			dispatch.Closure{ID: "embargo", Kind: "embargo", SiteID: in.Sites[0], From: 0, To: 4 * 1440})
		in.Jobs[0].Exempt, in.Jobs[0].SiteID = []string{"embargo"}, in.Sites[0]
		out := solve(t, in, 400)
		for k, d := range out.Decisions {
			if d.Unserved {
				continue
			}
			j := in.Jobs[k]
			for _, c := range in.Closures {
				if c.SiteID != "" && c.SiteID != j.SiteID || c.Outdoor && !j.Outdoor || k == 0 && c.Kind == "embargo" {
					continue
				}
				for minute := d.Start; minute < d.End; minute++ {
					inside := minute >= c.From && minute < c.To
					require.False(t, inside && (!c.NoStart || minute == d.Start), "seed %d: job %s at %g is in closure %s", seed, j.ID, minute, c.ID)
				}
			}
		}
	}
}

func TestPublishedPlanIsKeptWhenChangesCost(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(6, 20, 2, 3)
	first := solve(t, in, 2000)
	// Swap technicians: publish a plan that the problem has better ones for.
	other := in
	other.Technicians = append([]dispatch.Technician{}, in.Technicians...)
	other.Technicians[0].CostPerHour *= 4
	in.Published = solve(t, other, 2000).Stops()
	in.ChangeSAR = 0
	free := solve(t, in, 4000)
	in.ChangeSAR = 1e5
	held := solve(t, in, 4000)
	require.LessOrEqual(t, held.Changes, free.Changes)
	require.NotNil(t, held.Published)
	require.LessOrEqual(t, first.Objective.Weighted, held.Objective.Weighted+1e-6)
}

func TestUnservedJobsNameTheRuleAndTheCheapestRelaxation(t *testing.T) {
	t.Parallel()
	due := 0.0
	base := dispatch.Input{
		StartDate: "2026-06-14", Days: 1, Sites: []string{"a", "b"}, Travel: [][]float64{{0, 30}, {30, 0}},
		Technicians: []dispatch.Technician{{ID: "t", SiteID: "a", CostPerHour: 60, Skills: []dispatch.Skill{{ID: "m", Level: 1}}, Shifts: []dispatch.Span{{From: 480, To: 600}}}},
		Jobs:        []dispatch.Job{{ID: "j", SiteID: "b", Duration: 30, Due: &due, PrioritySAR: 1, UnservedSAR: 5000}},
	}
	for name, c := range map[string]struct {
		change func(*dispatch.Input)
		code   optimize.ReasonCode
		relax  optimize.ReasonCode
		amount float64
	}{
		"skill":  {func(in *dispatch.Input) { in.Jobs[0].Skills = []dispatch.Skill{{ID: "m", Level: 3}} }, dispatch.ReasonSkill, dispatch.ReasonSkill, 2},
		"crew":   {func(in *dispatch.Input) { in.Jobs[0].CrewSize = 2 }, dispatch.ReasonCrew, dispatch.ReasonCrew, 1},
		"tool":   {func(in *dispatch.Input) { in.Jobs[0].Tools = []string{"crane"} }, dispatch.ReasonTool, dispatch.ReasonTool, 0},
		"part":   {func(in *dispatch.Input) { in.Jobs[0].Parts = []dispatch.Stock{{Part: "seal", Units: 2}} }, dispatch.ReasonPart, dispatch.ReasonPart, 2},
		"window": {func(in *dispatch.Input) { in.Jobs[0].Windows = []dispatch.Span{{From: 900, To: 1000}} }, dispatch.ReasonOffShift, optimize.ReasonWindow, 390},
		"closure": {func(in *dispatch.Input) {
			in.Closures = []dispatch.Closure{{ID: "day", Kind: "holiday", From: 0, To: 1440}}
		}, dispatch.ReasonCalendar, dispatch.ReasonCalendar, 30},
		"hours": {func(in *dispatch.Input) { in.Jobs[0].Duration = 90 }, dispatch.ReasonOffShift, dispatch.ReasonOvertimeUp, 30},
		"full": {func(in *dispatch.Input) {
			in.Jobs = append(in.Jobs, dispatch.Job{ID: "k", SiteID: "b", Duration: 60, UnservedSAR: 9000})
		}, dispatch.ReasonCapacity, dispatch.ReasonOvertimeUp, 30},
	} {
		in := base
		in.Jobs = append([]dispatch.Job{}, base.Jobs...)
		c.change(&in)
		out := solve(t, in, 200)
		d := out.Decisions[0]
		require.True(t, d.Unserved, name)
		require.Equal(t, c.code, d.Reasons[0].Code, name)
		require.NotNil(t, d.Relaxation, name)
		require.Equal(t, c.relax, d.Relaxation.Code, name)
		require.InDelta(t, c.amount, d.Relaxation.Amount, 1e-6, name)
	}
}

// TestReasonsAreDifferencesOfPlans: forcing the next best technician costs at
// most what the reason says, since the rest of the plan may then move as well.
func TestReasonsAreDifferencesOfPlans(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(5, 10, 1, 9)
	out := solve(t, in, 3000)
	checked := 0
	for _, d := range out.Decisions {
		for _, r := range d.Reasons {
			if r.Code != dispatch.ReasonNextBest || checked >= 3 {
				continue
			}
			checked++
			forced := in
			forced.Pins = []dispatch.Pin{{JobID: d.JobID, TechnicianID: r.Constraint}}
			forced.WarmStart = out.Stops()
			other := solve(t, forced, 3000)
			require.LessOrEqual(t, other.Objective.Weighted-out.Objective.Weighted, r.Money+1e-6, d.JobID)
		}
	}
	require.Positive(t, checked)
}

func TestAdviceForOneMoreJob(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(8, 30, 2, 4)
	out := solve(t, in, 1000)
	job := dispatch.Job{ID: "urgent", SiteID: in.Sites[1], Duration: 30, UnservedSAR: 1e6, Skills: in.Technicians[0].Skills[:1]}
	offers, err := dispatch.Advise(in, out, job)
	require.NoError(t, err)
	require.NotEmpty(t, offers)
	for k := 1; k < len(offers); k++ {
		require.LessOrEqual(t, offers[k-1].Delta, offers[k].Delta)
	}
	with := in
	with.Jobs = append(append([]dispatch.Job{}, in.Jobs...), job)
	with.WarmStart = out.Stops()
	after := solve(t, with, 1)
	require.LessOrEqual(t, after.Objective.Weighted-out.Objective.Weighted, offers[0].Delta+1e-6, "the advice can be followed")
	job.SiteID = "nowhere"
	_, err = dispatch.Advise(in, out, job)
	require.Error(t, err)
	job.SiteID, job.Skills = in.Sites[1], []dispatch.Skill{{ID: "no such trade", Level: 1}}
	offers, err = dispatch.Advise(in, out, job)
	require.NoError(t, err)
	require.Empty(t, offers)
}

func TestPricesAreNeverNegative(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(2, 24, 1, 2)
	in.Pins = []dispatch.Pin{{JobID: in.Jobs[0].ID, Unserved: true}}
	out, err := dispatch.Solve(context.Background(), in, optimize.Options{MaxIterations: 1000, Seed: 1, Prices: true}, nil)
	require.NoError(t, err)
	require.NotEmpty(t, out.Prices)
	require.Len(t, out.PinPrices, 1)
	some := 0.0
	for _, p := range out.Prices {
		require.GreaterOrEqual(t, p.Value, 0.0)
		some += p.Value
	}
	require.Positive(t, some, "two technicians are too few for all the jobs")
}

func TestWarmStartSurvivesChanges(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(6, 25, 2, 6)
	out := solve(t, in, 2000)
	in.WarmStart = append(out.Stops(), dispatch.Stop{TechnicianID: "gone", JobID: "gone", Start: 1}, dispatch.Stop{TechnicianID: in.Technicians[0].ID, JobID: in.Jobs[0].ID, Start: 1})
	again := solve(t, in, 1)
	require.False(t, math.IsNaN(again.Objective.Weighted))
	in.WarmStart = out.Stops()
	in.Technicians[0].Shifts = nil // fell ill
	solve(t, in, 1)
}

func TestPlansAreHandedOutAsStops(t *testing.T) {
	t.Parallel()
	in := generate.Workforce(4, 10, 1, 8)
	p, ok := optimize.Lookup(dispatch.Kind)
	require.True(t, ok)
	raw, err := json.Marshal(in)
	require.NoError(t, err)
	res, err := p.Solve(context.Background(), raw, optimize.Options{MaxIterations: 500}, nil)
	require.NoError(t, err)
	plan, err := p.Plan(res.Output)
	require.NoError(t, err)
	var stops []dispatch.Stop
	require.NoError(t, json.Unmarshal(plan, &stops))
	require.NotEmpty(t, stops)
}
