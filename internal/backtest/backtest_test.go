package backtest

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
)

func day(n int) time.Time { return time.Date(2025, 1, 1+n, 0, 0, 0, 0, time.UTC) }

var renewed = asset.Weibull{Beta: 2, Eta: 100}

func job(id string, start int) Job {
	return Job{AssetID: id, Start: day(start), FailureCost: 1000, PlannedCost: 100, RenewedLife: renewed}
}

func costsOf(string, time.Time) Costs { return Costs{Failure: 1000, Planned: 100} }

func TestVerdicts(t *testing.T) {
	t.Parallel()
	period := Period{From: day(0), To: day(100), HorizonDays: 30}
	weekly := func(jobs ...Job) []Plan {
		var plans []Plan
		for at := 0; at < 100; at += 7 {
			plans = append(plans, Plan{Made: day(at), Jobs: jobs})
		}
		return plans
	}
	failed := Life{AssetID: "a", Began: day(-200), Ended: day(50), Failed: true}
	renewal := Life{AssetID: "a", Began: day(-200), Ended: day(50)}
	running := Life{AssetID: "a", Began: day(-200)}
	for name, c := range map[string]struct {
		life Life
		jobs []Job
		want Verdict
	}{
		"a job before the failure":             {failed, []Job{job("a", 30)}, Avoided},
		"a job on the day of the failure":      {failed, []Job{job("a", 50)}, Missed},
		"a job after the failure":              {failed, []Job{job("a", 60)}, Missed},
		"a job on another asset":               {failed, []Job{job("b", 30)}, Missed},
		"a job before a planned renewal":       {renewal, []Job{job("a", 30)}, Moved},
		"no job before a planned renewal":      {renewal, nil, Kept},
		"a job on an asset that runs on":       {running, []Job{job("a", 30)}, Needless},
		"a job on one that runs, but lately":   {running, []Job{job("a", 80)}, TooEarly},
		"nothing on an asset that runs on":     {running, nil, Quiet},
		"a life that ends after the period":    {Life{AssetID: "a", Began: day(-200), Ended: day(120), Failed: true}, nil, Quiet},
		"a life that began after the decision": {Life{AssetID: "a", Began: day(40), Ended: day(50), Failed: true}, []Job{job("a", 30)}, Missed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases := Judge(period, []Life{c.life}, weekly(c.jobs...), costsOf)
			require.Len(t, cases, 1)
			require.Equal(t, c.want, cases[0].Verdict)
		})
	}
	require.Empty(t, Judge(period, []Life{{AssetID: "a", Began: day(-300), Ended: day(-100), Failed: true}}, weekly(job("a", 30)), costsOf), "a life before the period is none of its cases")
}

// A later plan replaces an earlier one: what it no longer holds is not done.
func TestAJobIsDoneOnlyIfItStandsWhenItStarts(t *testing.T) {
	t.Parallel()
	period := Period{From: day(0), To: day(100), HorizonDays: 10}
	life := []Life{{AssetID: "a", Began: day(-10), Ended: day(50), Failed: true}}
	plans := []Plan{{Made: day(0), Jobs: []Job{job("a", 20)}}, {Made: day(7)}, {Made: day(14)}, {Made: day(21)}}
	require.Equal(t, Missed, Judge(period, life, plans, costsOf)[0].Verdict)
	plans[2].Jobs = []Job{job("a", 16)}
	got := Judge(period, life, plans, costsOf)[0]
	require.Equal(t, Avoided, got.Verdict)
	require.Equal(t, day(14), *got.Decided)
	require.Equal(t, day(16), *got.Job)
}

func TestWorthOfACase(t *testing.T) {
	t.Parallel()
	period := Period{From: day(0), To: day(100), HorizonDays: 10}
	life := []Life{{AssetID: "a", Began: day(-10), Ended: day(50), Failed: true}}
	got := Judge(period, life, []Plan{{Made: day(0), Jobs: []Job{job("a", 0)}}}, costsOf)[0]
	relapse := 1 - math.Exp(-0.25) // 50 days of a unit with β 2 and η 100
	require.InDelta(t, relapse, got.Relapse, 1e-12)
	require.InDelta(t, 1000-100-relapse*1000, got.Saved, 1e-9)
}

func TestIntervalHoldsTheExpectedWorth(t *testing.T) {
	t.Parallel()
	period := Period{From: day(0), To: day(365), HorizonDays: 30}
	var lives []Life
	var plans []Plan
	for i := range 40 {
		id := string(rune('A' + i))
		lives = append(lives, Life{AssetID: id, Began: day(-100), Ended: day(60 + i), Failed: i%2 == 0})
		if i%4 == 0 {
			plans = append(plans, Plan{Made: day(i), Jobs: []Job{job(id, i)}})
		}
	}
	cases := Judge(period, lives, plans, costsOf)
	s := Summarize(cases, 7)
	require.Equal(t, 20, s.Failures)
	require.Equal(t, 10, s.Counts[Avoided])
	require.Equal(t, 10, s.Counts[Missed])
	require.Less(t, s.NetRange.Lo, s.Net)
	require.Greater(t, s.NetRange.Hi, s.Net)
	require.LessOrEqual(t, s.AvoidedRange.Lo, s.Avoided)
	require.Equal(t, s, Summarize(cases, 7), "the same seed gives the same interval")
	require.NotEqual(t, s.NetRange, Summarize(cases, 8).NetRange)
}

// Nothing that was recorded after a moment may change what was known then.
func TestThePastKnowsNoFuture(t *testing.T) {
	t.Parallel()
	facts := func(later int, failed bool, life float64) Facts {
		f := Facts{Began: map[string]time.Time{"new": day(-30)}}
		for i, d := range []float64{80, 120, 95, 140, 70} {
			f.Endings = append(f.Endings, Ending{AssetID: "a", Class: "PUMP", Ended: day(-500 + 100*i), Days: d, Failed: i != 2, Known: day(-500 + 100*i)})
		}
		f.Endings = append(f.Endings,
			Ending{AssetID: "a", Class: "PUMP", Ended: day(later), Days: life, Failed: failed, Known: day(later)},
			Ending{AssetID: "a", Class: "PUMP", Ended: day(-20), Days: life, Failed: failed, Known: day(later)}) // entered late
		f.Changes = []Change{{AssetID: "a", At: day(later), Before: asset.Weibull{Beta: 1.5, Eta: 300}}}
		return f
	}
	one, other := facts(5, true, 3), facts(60, false, 900)
	today, tomorrow := asset.Weibull{Beta: 9, Eta: 9}, asset.Weibull{Beta: 2, Eta: 5000}
	for at := -400; at <= 0; at += 20 {
		a, okA := one.AgeAt("a", day(at))
		b, okB := other.AgeAt("a", day(at))
		require.Equal(t, okA, okB)
		require.Equal(t, a, b)
		require.Equal(t, one.FittedLife("a", "PUMP", today, day(at)), other.FittedLife("a", "PUMP", tomorrow, day(at)))
	}
	age, ok := one.AgeAt("a", day(0))
	require.True(t, ok)
	require.InDelta(t, 100, age, 1e-9)
	_, ok = one.AgeAt("new", day(-31))
	require.False(t, ok, "before it began nothing is planned for it")
	require.NotEqual(t, one.FittedLife("a", "PUMP", today, day(100)), other.FittedLife("a", "PUMP", tomorrow, day(100)), "later it does tell")
}

func TestOldestLifeIsNotJudged(t *testing.T) {
	t.Parallel()
	f := Facts{Endings: []Ending{{AssetID: "a", Ended: day(0), Days: 10, Failed: true}, {AssetID: "a", Ended: day(30), Days: 30, Failed: true}}}
	lives := f.Lives([]string{"a"})
	require.Equal(t, []Life{{AssetID: "a", Began: day(0), Ended: day(30), Failed: true}, {AssetID: "a", Began: day(30)}}, lives)
}
