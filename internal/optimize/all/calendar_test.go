package all

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/deferral"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/production"
)

// plant is a site under a calendar with a yearly embargo, seen from a random
// midnight: what the property tests below build their inputs from.
type plant struct {
	rng    *rand.Rand
	cal    *calendar.Calendar
	origin time.Time
	days   int
}

const embargoed = "power"

func newPlant(t *testing.T, seed uint64, days int) plant {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 77))
	profile := calendar.SaudiStandard()
	profile.Embargoes = []calendar.Embargo{{Site: embargoed, Key: "peak", Yearly: true,
		Range: calendar.Range{From: calendar.Date{Year: 2020, Month: time.June, Day: 1}, To: calendar.Date{Year: 2020, Month: time.September, Day: 30}}}}
	for year := 1446; year <= 1456; year++ {
		profile.MonthShifts = append(profile.MonthShifts, calendar.MonthShift{Year: year, Month: 10, Days: rng.IntN(3) - 1})
	}
	cal, err := calendar.New(profile)
	require.NoError(t, err)
	start := calendar.Date{Year: 2025, Month: time.January, Day: 1}.AddDays(rng.IntN(7 * 365))
	return plant{rng, cal, time.Date(start.Year, start.Month, start.Day, 0, 0, 0, 0, cal.Location()), days}
}

// day returns a moment of a day of the horizon.
func (p plant) day(d int, hour float64) time.Time {
	y, m, day := p.origin.Date()
	return time.Date(y, m, day+d, 0, int(hour*60), 0, 0, p.cal.Location())
}

// working says for each day whether anybody is there.
func (p plant) working() []bool {
	out := make([]bool, p.days)
	for d := range out {
		out[d] = p.cal.IsWorkday(p.day(d, 12), "")
	}
	return out
}

// embargo returns the runs of days on which outages of the site are forbidden.
func (p plant) embargo(site string) [][2]int {
	var out [][2]int
	job := calendar.Job{Outage: true, Standby: true}
	for _, w := range p.cal.Forbidden(p.origin, p.day(p.days, 0), site, job) {
		if w.Kind == calendar.OutageBan {
			out = append(out, [2]int{int(w.From.Sub(p.origin).Hours()) / 24, int(w.To.Sub(p.origin).Hours())/24 - 1})
		}
	}
	return out
}

// site alternates between the embargoed and a free one.
func site(k int) string { return []string{embargoed, "oil"}[k%2] }

// solved runs a problem of the registry on an input and reads its output.
func solved[In, Out any](t *testing.T, kind string, in In) Out {
	t.Helper()
	p, ok := optimize.Lookup(kind)
	require.True(t, ok)
	raw, err := json.Marshal(in)
	require.NoError(t, err)
	res, err := p.Solve(context.Background(), raw, optimize.Options{Seed: 1, MaxIterations: 300, Solver: optimize.SolverHeuristic, Threads: 1}, nil)
	require.NoError(t, err)
	require.True(t, res.Certificate.Verified)
	var out Out
	require.NoError(t, json.Unmarshal(res.Output, &out))
	return out
}

// calendars runs a property over plants of several years.
func calendars(t *testing.T, n, days int, property func(*testing.T, plant)) {
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			property(t, newPlant(t, uint64(seed), days))
		})
	}
}

func TestNoMaintenanceInAForbiddenWindow(t *testing.T) {
	t.Parallel()
	calendars(t, 8, 60, func(t *testing.T, p plant) {
		in := maintenance.Input{StartDate: p.origin.Format(time.DateOnly), Days: p.days, WorkingDay: p.working(), Weights: optimize.Weights{Preset: optimize.PresetCheapest}}
		for k := range 6 {
			in.Actions = append(in.Actions, maintenance.Action{
				ID: fmt.Sprint(k), AssetID: fmt.Sprint(k), SiteID: site(k), DurationDays: 1 + p.rng.IntN(4), PlannedCost: 1000, OutageHours: 8, LossPerHour: 100,
				PlannedFactor: .3, FailureTotal: 90000, Weibull: asset.Weibull{Beta: 2.5, Eta: 300}, AgeDays: 150 + 200*p.rng.Float64(),
			})
		}
		for n, w := range p.embargo(embargoed) {
			in.Embargoes = append(in.Embargoes, maintenance.Embargo{ID: fmt.Sprint(n), SiteID: embargoed, Window: maintenance.Window{From: w[0], To: w[1]}})
		}
		out := solved[maintenance.Input, maintenance.Output](t, maintenance.Kind, in)
		done := 0
		for k, d := range out.Schedule {
			if d.Deferred {
				continue
			}
			done++
			require.Empty(t, p.cal.Blocked(p.day(d.StartDay, 10.5), site(k), calendar.Job{Outage: true}, true))
			for day := d.StartDay; day <= d.EndDay; day++ { // the asset is out on days off too
				require.Empty(t, p.cal.Blocked(p.day(day, 12), site(k), calendar.Job{Outage: true, Standby: true}, false))
			}
		}
		require.Positive(t, done, "old assets are worth a job")
	})
}

func TestNoDeferralToAForbiddenDay(t *testing.T) {
	t.Parallel()
	calendars(t, 8, 121, func(t *testing.T, p plant) {
		in := deferral.Input{StartDate: p.origin.Format(time.DateOnly), Days: p.days, WorkingDay: p.working(), Band: deferral.Band{Replicates: 20}}
		for k := range 6 {
			in.Actions = append(in.Actions, deferral.Action{ID: fmt.Sprint(k), AssetID: fmt.Sprint(k), SiteID: site(1 + k), OutageHours: 8, PlannedCost: 1000, AgeDays: 300 * p.rng.Float64(),
				Modes: []deferral.Mode{{Weibull: asset.Weibull{Beta: 2.5, Eta: 300}, FailureCost: 9000}}})
		}
		windows := p.embargo(embargoed)
		for n, w := range windows {
			in.Embargoes = append(in.Embargoes, deferral.Embargo{ID: fmt.Sprint(n), SiteID: embargoed, Window: deferral.Window{From: w[0], To: w[1]}})
		}
		if len(windows) == 1 && windows[0] == [2]int{0, p.days - 1} {
			in.Embargoes = nil // no open day at all: the calendar of the other site
			for k := range in.Actions {
				in.Actions[k].SiteID = "oil"
			}
		}
		out := solved[deferral.Input, deferral.Output](t, deferral.Kind, in)
		for k, d := range out.Actions {
			for day, closed := range d.Closed {
				require.Equal(t, len(p.cal.Blocked(p.day(day, 10.5), in.Actions[k].SiteID, calendar.Job{Outage: true}, true)) > 0, closed)
			}
			require.False(t, d.Closed[d.Day])
		}
	})
}

func TestNoAttendedStartOffShift(t *testing.T) {
	t.Parallel()
	calendars(t, 6, 3, func(t *testing.T, p plant) {
		periods := p.days * 24
		in := production.Input{Start: p.origin.Format(time.DateOnly), Periods: periods, PeriodHours: 1, Weights: optimize.Weights{Preset: optimize.PresetCheapest}, FrontierPoints: 2}
		for h := range periods {
			free := p.cal.Allowed(p.day(0, float64(h)), p.day(0, float64(h+1)), "", calendar.Job{})
			in.Attended = append(in.Attended, len(free) == 1 && free[0].Duration() == time.Hour)
		}
		short, demand, tariff := 900., make([]float64, periods), make([]float64, periods)
		for h := range periods {
			demand[h], tariff[h] = 40+60*p.rng.Float64(), 180
		}
		in.Targets = []production.Target{{ID: "water", Unit: "m3", Demand: demand, ShortfallCost: &short}}
		for k := range 3 {
			in.Units = append(in.Units, production.Unit{ID: fmt.Sprint(k), AssetID: fmt.Sprint(k), Target: "water", MinLoad: 20, RatedLoad: 40, MaxLoad: 50, MinUpHours: 2, MinDownHours: 2,
				StartCost: 50, AttendedStart: true, Energy: []production.EnergyPoint{{Load: 20, KW: 70}, {Load: 50, KW: 200}}, Tariff: tariff, StateHours: 10,
				Failures: []production.FailureMode{{Mode: "BRD", RatePerHour: 1e-5, Exponent: 3, Consequence: 1e5}}})
		}
		out := solved[production.Input, production.Output](t, production.Kind, in)
		starts := 0
		for _, profile := range out.Profiles {
			on := false
			starts += profile.Starts
			for h, runs := range profile.On {
				if runs && !on {
					for minute := 0.; minute < 60; minute += 10 {
						require.Empty(t, p.cal.Blocked(p.day(0, float64(h)+minute/60), "", calendar.Job{}, true), "unit %s starts in hour %d", profile.UnitID, h)
					}
				}
				on = runs
			}
		}
		require.Equal(t, slices.Contains(in.Attended, true), starts > 0, "the plant runs once somebody can start it")
	})
}

// closures turn the calendar's windows at a site into those of the dispatch
// problem: every rule that binds the most restricted job there.
func (p plant) closures(place string) []dispatch.Closure {
	var out []dispatch.Closure
	job := calendar.Job{Outdoor: true, Outage: true, Standby: true, Exempt: place == "oil"}
	for n, w := range p.cal.Forbidden(p.origin, p.day(p.days, 0), place, job) {
		at := calendar.MinutesAround(p.origin, []calendar.Span{w.Span})[0]
		out = append(out, dispatch.Closure{ID: fmt.Sprintf("%s-%d", place, n), Kind: string(w.Kind), SiteID: place, From: float64(at.From), To: float64(at.To),
			Outdoor: w.Kind == calendar.Midday, NoStart: w.StartOnly})
	}
	return out
}

// crew are technicians of every shift pattern.
func (p plant) crew() []dispatch.Technician {
	anchor := calendar.DateOf(p.origin).AddDays(-p.rng.IntN(8))
	var out []dispatch.Technician
	for k, shift := range []calendar.Shift{calendar.DayShift(), calendar.DayShift(), calendar.StandbyDay(anchor), calendar.StandbyNight(anchor)} {
		tech := dispatch.Technician{ID: fmt.Sprint("t", k), SiteID: site(k), CostPerHour: 110, MaxOvertime: 60, OvertimeFactor: 1.5}
		for _, at := range calendar.MinutesWithin(p.origin, p.cal.Shifts(shift, p.origin, p.day(p.days, 0))) {
			tech.Shifts = append(tech.Shifts, dispatch.Span{From: float64(at.From), To: float64(at.To)})
		}
		out = append(out, tech)
	}
	return out
}

func TestNoVisitInAForbiddenWindow(t *testing.T) {
	t.Parallel()
	calendars(t, 10, 5, func(t *testing.T, p plant) {
		in := dispatch.Input{StartDate: p.origin.Format(time.DateOnly), Days: p.days, Sites: []string{embargoed, "oil"}, Travel: [][]float64{{0, 45}, {50, 0}},
			Technicians: p.crew(), Closures: append(p.closures(embargoed), p.closures("oil")...), Weights: dispatch.Weights{Preset: optimize.PresetBalanced}}
		jobs := make([]calendar.Job, 14)
		for k := range jobs {
			jobs[k] = calendar.Job{Outdoor: p.rng.IntN(2) == 0, Emergency: p.rng.IntN(4) == 0, Outage: p.rng.IntN(2) == 0, Standby: true, Exempt: site(k) == "oil"}
			job := dispatch.Job{ID: fmt.Sprint("j", k), SiteID: site(k), Duration: float64(30 + p.rng.IntN(180)), PrioritySAR: 100, Outdoor: jobs[k].Outdoor}
			if !jobs[k].Outage {
				job.Exempt = []string{string(calendar.OutageBan)}
			}
			if jobs[k].Emergency {
				job.Exempt = []string{string(calendar.OutageBan), string(calendar.Midday), string(calendar.FridayPrayer)}
			}
			in.Jobs = append(in.Jobs, job)
		}
		out := solved[dispatch.Input, dispatch.Output](t, dispatch.Kind, in)
		served := 0
		for k, d := range out.Decisions {
			if d.Unserved {
				continue
			}
			served++
			for minute := d.Start; minute < d.End; minute += 5 {
				at := p.origin.Add(time.Duration(minute * float64(time.Minute)))
				require.Empty(t, p.cal.Blocked(at, site(k), jobs[k], minute == d.Start), "job %s at %v", d.JobID, at)
			}
		}
		require.Positive(t, served)
	})
}
