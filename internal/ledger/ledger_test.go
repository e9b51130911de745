package ledger

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcomes lists every way coins can fall with its probability.
func outcomes(coins []coin, visit func(sum, heads, probability float64)) {
	for bits := range 1 << len(coins) {
		sum, heads, p := 0.0, 0.0, 1.0
		for i, c := range coins {
			if bits&(1<<i) != 0 {
				sum, heads, p = sum+c.worth, heads+1, p*c.chance
			} else {
				p *= 1 - c.chance
			}
		}
		visit(sum, heads, p)
	}
}

// below is the probability that a value is at most v, by enumeration.
func below(coins []coin, v float64, heads bool) float64 {
	total := 0.0
	outcomes(coins, func(sum, n, p float64) {
		if heads {
			sum = n
		}
		if sum <= v {
			total += p
		}
	})
	return total
}

func TestIntervalsAgreeWithEnumeration(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	for range 60 {
		coins := make([]coin, 1+random.IntN(10))
		most, mean, chance := 0.0, 0.0, 0.0
		for i := range coins {
			coins[i] = coin{random.Float64() * random.Float64(), math.Exp(6*random.Float64()) * 1e4}
			most, mean, chance = most+coins[i].worth, mean+coins[i].chance*coins[i].worth, chance+coins[i].chance
		}
		n := count(chances(coins))
		require.InDelta(t, chance, n.Mean, 1e-12)
		for bound, q := range map[float64]float64{n.Lo: lowTail, n.Hi: highTail} {
			require.GreaterOrEqual(t, below(coins, bound, true), q-1e-9)
			require.Less(t, below(coins, bound-1, true), q+1e-9)
		}
		w := worth(coins)
		slack := float64(len(coins)) * most / cells
		require.InDelta(t, mean, w.Mean, 1e-6*most)
		require.GreaterOrEqual(t, below(coins, w.Lo+slack, false), lowTail-1e-9)
		require.LessOrEqual(t, below(coins, w.Lo-slack, false), lowTail+1e-9)
		require.GreaterOrEqual(t, below(coins, w.Hi+slack, false), highTail-1e-9)
		require.LessOrEqual(t, below(coins, w.Hi-slack, false), highTail+1e-9)
	}
}

func TestCertainCoinsHaveNoInterval(t *testing.T) {
	t.Parallel()
	require.Equal(t, Estimate{2, 2, 2}, count([]float64{1, 1, 0}))
	require.Equal(t, Estimate{}, count(nil))
	require.Equal(t, Estimate{}, worth(nil))
	w := worth([]coin{{1, 300}, {0, 700}})
	require.InDelta(t, 300, w.Lo, 2*1000.0/cells)
	require.InDelta(t, 300, w.Hi, 2*1000.0/cells)
}

var (
	start  = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	window = Window{start, start.AddDate(0, 0, 30)}
)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

func at(n int) *time.Time { t := day(n); return &t }

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		c    Case
		now  time.Time
		want Outcome
	}{
		{"to do", Case{Acted: true}, day(5), Pending},
		{"done", Case{Acted: true, Done: at(4)}, day(5), Done},
		{"found failed", Case{Acted: true, Done: at(4), Failures: []time.Time{day(4)}}, day(5), FailedBefore},
		{"failed first", Case{Acted: true, Failures: []time.Time{day(3)}}, day(5), FailedBefore},
		{"failed after", Case{Acted: true, Done: at(4), Failures: []time.Time{day(9)}}, day(12), FailedAfter},
		{"not yet known", Case{Acted: true, Done: at(4), Failures: []time.Time{day(9)}}, day(5), Done},
		{"before the window", Case{Acted: true, Done: at(4), Failures: []time.Time{day(-1)}}, day(5), Done},
		{"after the window", Case{Acted: true, Done: at(4), Failures: []time.Time{day(30)}}, day(40), Done},
		{"cancelled", Case{Acted: true, Cancelled: true}, day(5), Cancelled},
		{"left alone", Case{}, day(5), Waiting},
		{"left alone and failed", Case{Failures: []time.Time{day(2)}}, day(5), FailedWaited},
	} {
		require.Equal(t, x.want, window.Judge(x.c, x.now).Outcome, x.name)
	}
}

func TestChanceIsAvoidedFromTheDayOfTheJob(t *testing.T) {
	t.Parallel()
	c := Case{Acted: true, Chance: 0.3, Planned: 100, PlannedEnd: day(0), Done: at(0)}
	require.InDelta(t, 0.3, window.Judge(c, day(30)).Avoided, 1e-12, "a job at the beginning avoids the whole chance")
	require.InDelta(t, 0.3, window.Judge(c, day(400)).Avoided, 1e-12, "what comes after the window does not count")
	require.InDelta(t, 1-math.Sqrt(0.7), window.Judge(c, day(15)).Avoided, 1e-12, "half of the window, half of the hazard")
	require.InDelta(t, 0.3, window.Judge(c, day(15)).Promised, 1e-12)
	c.Done = at(30)
	require.Zero(t, window.Judge(c, day(30)).Avoided, "a job after the window avoids nothing in it")
	c.Chance, c.Done = 1, at(15)
	require.Equal(t, 1.0, window.Judge(c, day(30)).Avoided)
	require.Equal(t, 100.0, window.Judge(c, day(30)).Spent, "without a recorded cost the planned one counts")
	cost := 140.0
	c.Cost = &cost
	require.Equal(t, 140.0, window.Judge(c, day(30)).Spent)
}

func TestSumAgreesWithEnumeration(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 5))
	var results []Result
	var coins []coin
	spent, certain := 0.0, 0.0
	for i := range 9 {
		c := Case{Acted: true, Planned: 1e4 * random.Float64(), Chance: random.Float64(), Consequence: 1e5 * random.Float64(), PlannedEnd: day(2 * i), Done: at(2*i + 1)}
		if i%4 == 3 {
			c.Failures = []time.Time{day(2*i + 3)}
			certain += c.Consequence
		}
		r := window.Judge(c, day(30))
		results = append(results, r)
		coins = append(coins, coin{r.Avoided, r.Consequence})
		spent += c.Planned
	}
	results = append(results, window.Judge(Case{Expected: 50, Consequence: 7, Failures: []time.Time{day(1)}}, day(30)))
	e := Sum(results, true)
	mean := 0.0
	outcomes(coins, func(sum, _, p float64) { mean += p * (sum - certain - spent) })
	require.InDelta(t, mean, e.Account.Net.Mean, 1e-6)
	require.Less(t, e.Account.Net.Lo, e.Account.Net.Mean)
	require.Greater(t, e.Account.Net.Hi, e.Account.Net.Mean)
	require.Equal(t, 9, e.Promise.Jobs)
	require.Equal(t, 1, e.Promise.Waiting)
	require.Equal(t, 9, e.Account.Done)
	require.Equal(t, 2, e.Account.FailedAfter)
	require.Equal(t, 1, e.Account.FailedWaited)
	require.InDelta(t, certain+7, e.Account.Loss, 1e-9)
}

func TestVerdictWaitsForTheEndOfTheWindow(t *testing.T) {
	t.Parallel()
	good := Case{Acted: true, Chance: 0.5, Consequence: 1000, PlannedEnd: day(0), Done: at(0)}
	verdict := func(c Case, now time.Time) Verdict {
		return Sum([]Result{window.Judge(c, now)}, window.Over(now)).Verdict
	}
	require.Equal(t, TooEarly, verdict(good, day(29)))
	require.Equal(t, Kept, verdict(good, day(30)))
	never := good
	never.Done = nil
	require.Equal(t, Nothing, verdict(never, day(30)))
	broken := good
	broken.Failures = []time.Time{day(10)}
	cost := 5000.0
	broken.Cost = &cost
	require.Equal(t, Worse, verdict(broken, day(30)))
	free, nothing := good, 0.0
	free.Planned, free.Cost = 3000, &nothing
	require.Equal(t, Better, verdict(free, day(30)))
	rare := good
	rare.Chance = 0.01
	late := rare
	late.Done = at(1)
	require.Equal(t, Kept, verdict(late, day(30)), "a day late changes little, however narrow the interval")
	net := Sum([]Result{window.Judge(rare, day(30))}, true).Account.Net
	require.True(t, net.Lo <= net.Mean && net.Mean <= net.Hi, "a rare failure leaves its mean outside of the quantiles")
}

func TestAttainmentCountsPlannedDaysOnly(t *testing.T) {
	t.Parallel()
	var a Attainment
	_, known := a.Share()
	require.False(t, known)
	for done, kept := range map[int]bool{4: false, 5: true, 7: true, 8: false} {
		o := Order{day(5), day(7), at(done)}
		require.Equal(t, kept, o.Kept(), "day %d", done)
		a.Add(o)
	}
	a.Add(Order{day(5), day(7), nil})
	share, known := a.Share()
	require.True(t, known)
	require.InDelta(t, 0.4, share, 1e-12)
}
