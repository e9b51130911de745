package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// randomInput draws a small problem in which every kind of rule turns up now
// and then.
func randomInput(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 11))
	in := Input{StartDate: "2026-06-14", Days: 1 + r.IntN(2), ChangeSAR: float64(20 * r.IntN(3)), Weights: Weights{Preset: optimize.Presets[r.IntN(3)]}, Sites: []string{"a", "b", "c"}}
	for range in.Sites {
		in.Travel = append(in.Travel, []float64{float64(10 * r.IntN(8)), float64(10 + 10*r.IntN(8)), float64(10 + 10*r.IntN(8))})
	}
	if r.IntN(3) == 0 {
		in.StoreSiteID = "c"
	}
	for k := range 2 {
		t := Technician{
			ID: fmt.Sprint("t", k), SiteID: in.Sites[r.IntN(3)], CostPerHour: float64(60 + 20*r.IntN(5)), MaxOvertime: float64(30 * r.IntN(3)), OvertimeFactor: 1.5,
			Skills: []Skill{{"m", 1 + r.IntN(2)}, {"e", r.IntN(3)}}[:1+r.IntN(2)], Parts: []Stock{{"seal", r.IntN(2)}},
		}
		if r.IntN(2) == 0 {
			t.Tools = []string{"crane"}
		}
		for d := range in.Days {
			t.Shifts = append(t.Shifts, Span{float64(d*1440 + 480), float64(d*1440 + 480 + 120 + 60*r.IntN(5))})
		}
		if r.IntN(4) == 0 {
			t.Absences = []Span{{540, 560}}
		}
		in.Technicians = append(in.Technicians, t)
	}
	for k := range 3 {
		in.Jobs = append(in.Jobs, randomJob(r, k, &in))
	}
	randomRules(r, &in)
	return in
}

func randomJob(r *rand.Rand, k int, in *Input) Job {
	j := Job{ID: fmt.Sprint("j", k), SiteID: in.Sites[r.IntN(3)], Duration: float64(20 * (1 + r.IntN(4))), PrioritySAR: float64(10 * r.IntN(20)), Outdoor: r.IntN(2) == 0}
	j.UnservedSAR = float64(100 + r.IntN(2000))
	if r.IntN(2) == 0 {
		due := float64(480 + r.IntN(300))
		j.Due = &due
	}
	if r.IntN(3) > 0 {
		j.Skills = []Skill{{[]string{"m", "e"}[r.IntN(2)], 1 + r.IntN(2)}}
	}
	switch r.IntN(6) {
	case 0:
		j.Tools = []string{"crane"}
	case 1:
		j.Parts = []Stock{{"seal", 1}}
	case 2:
		j.CrewSize = 2
	}
	if r.IntN(3) == 0 {
		from := float64(480 + r.IntN(200))
		j.Windows = []Span{{from, from + 60}, {from + 90, from + 200}}[:1+r.IntN(2)]
	}
	if k > 0 && r.IntN(4) == 0 {
		j.After = []string{fmt.Sprint("j", k-1)}
	}
	return j
}

func randomRules(r *rand.Rand, in *Input) {
	if r.IntN(2) == 0 {
		from := float64(520 + r.IntN(200))
		in.Closures = []Closure{{ID: "ban", Kind: "midday_ban", From: from, To: from + 60, Outdoor: true}, {ID: "prayer", Kind: "friday_no_start", From: from + 80, To: from + 110, NoStart: true}}
	}
	if r.IntN(4) == 0 {
		in.Closures = append(in.Closures, Closure{ID: "embargo", Kind: "embargo", SiteID: "a", From: 0, To: 600})
		in.Jobs[0].Exempt = [][]string{nil, {"embargo"}}[r.IntN(2)]
	}
	if r.IntN(3) == 0 {
		in.Published = []Stop{{in.Technicians[r.IntN(2)].ID, "j0", 500}, {in.Technicians[r.IntN(2)].ID, "j1", 560}}
	}
	if r.IntN(5) == 0 {
		p := Pin{JobID: fmt.Sprint("j", r.IntN(3))}
		switch r.IntN(4) {
		case 0:
			p.Unserved = true
		case 1:
			p.TechnicianID = "t1"
		case 2:
			start := float64(480 + 20*r.IntN(10))
			p.Start = &start
		default:
			day := r.IntN(in.Days)
			p.Day = &day
		}
		in.Pins = []Pin{p}
	}
}

// brute tries every order of every assignment with the earliest starts.
type brute struct {
	in     Input
	shifts []bruteShift
	orders [][]int // jobs per shift, −1 for the store
	best   float64
}

type bruteShift struct {
	technician int
	from       float64
}

// enumerate returns the least weighted cost of all plans that the verifier
// accepts, +Inf when there is none.
func enumerate(in Input) float64 {
	b := &brute{in: in, best: math.Inf(1)}
	for k, t := range in.Technicians {
		for _, p := range verifyPieces(t) {
			b.shifts = append(b.shifts, bruteShift{k, p.From})
		}
	}
	b.orders = make([][]int, len(b.shifts))
	b.assign(0)
	return b.best
}

// assign places job k with every crew at every position.
func (b *brute) assign(k int) {
	if k == len(b.in.Jobs) {
		b.store(0)
		return
	}
	b.assign(k + 1)
	b.crew(k, 0, max(1, b.in.Jobs[k].CrewSize), map[int]bool{})
}

func (b *brute) crew(k, from, missing int, busy map[int]bool) {
	if missing == 0 {
		b.assign(k + 1)
		return
	}
	for n := from; n < len(b.shifts); n++ {
		if who := b.shifts[n].technician; !busy[who] {
			busy[who] = true
			b.insert(n, k, func() { b.crew(k, n+1, missing-1, busy) })
			busy[who] = false
		}
	}
}

// insert puts a stop at every position of a shift in turn.
func (b *brute) insert(n, stop int, next func()) {
	was := b.orders[n]
	for q := 0; q <= len(was); q++ {
		b.orders[n] = slices.Insert(slices.Clone(was), q, stop)
		next()
	}
	b.orders[n] = was
}

// store tries each shift with and without a visit to the store.
func (b *brute) store(n int) {
	if n == len(b.shifts) {
		b.price()
		return
	}
	b.store(n + 1)
	if b.in.StoreSiteID != "" && len(b.orders[n]) > 0 {
		b.insert(n, -1, func() { b.store(n + 1) })
	}
}

// price finds the earliest starts that agree with each other and asks the
// verifier.
func (b *brute) price() {
	begin := make([]float64, len(b.in.Jobs))
	var stops []Stop
	for pass := 0; ; pass++ {
		if pass > 40 {
			return // the jobs wait for each other in a circle
		}
		before := slices.Clone(begin)
		stops = stops[:0]
		for n, order := range b.orders {
			if stops = b.walk(n, order, begin, stops); stops == nil {
				return
			}
		}
		for k, j := range b.in.Jobs {
			for _, id := range j.After {
				at := slices.IndexFunc(b.in.Jobs, func(o Job) bool { return o.ID == id })
				begin[k] = math.Max(begin[k], begin[at]+b.in.Jobs[at].Duration)
			}
		}
		if slices.Equal(before, begin) {
			break
		}
	}
	if terms, _, err := verifyPlan(b.in, stops); err == nil {
		b.best = math.Min(b.best, terms.Weighted)
	}
}

// walk moves along one shift as early as the known starts allow.
func (b *brute) walk(n int, order []int, begin []float64, stops []Stop) []Stop {
	t := b.in.Technicians[b.shifts[n].technician]
	site := func(id string) int { return slices.Index(b.in.Sites, id) }
	clock, at := b.shifts[n].from, site(t.SiteID)
	for _, k := range order {
		if k < 0 {
			clock, at = clock+b.in.Travel[at][site("c")], site("c")
			stops = append(stops, Stop{t.ID, "", clock})
			continue
		}
		j := b.in.Jobs[k]
		begin[k] = b.next(j, math.Max(begin[k], clock+b.in.Travel[at][site(j.SiteID)]))
		if math.IsInf(begin[k], 1) {
			return nil
		}
		stops = append(stops, Stop{t.ID, j.ID, begin[k]})
		clock, at = begin[k]+j.Duration, site(j.SiteID)
	}
	if stops == nil {
		stops = []Stop{}
	}
	return stops
}

// next is the earliest allowed start at t or later.
func (b *brute) next(j Job, t float64) float64 {
	list := []float64{t}
	for _, w := range j.Windows {
		list = append(list, w.From)
	}
	for _, c := range b.in.Closures {
		list = append(list, c.To)
	}
	for _, p := range b.in.Pins {
		if p.JobID != j.ID {
			continue
		}
		if p.Start != nil {
			list = append(list, *p.Start)
		}
		if p.Day != nil {
			list = append(list, float64(*p.Day)*minutesPerDay)
		}
	}
	best := math.Inf(1)
	for _, x := range list {
		if x >= t && x < best && verifyStart(b.in, j, x) == nil && (len(b.in.Pins) == 0 || verifyPin(Input{Pins: []Pin{{JobID: j.ID, Start: pinOf(b.in, j).Start, Day: pinOf(b.in, j).Day}}}, j, []Stop{{"", j.ID, x}}) == nil) {
			best = x
		}
	}
	return best
}

func pinOf(in Input, j Job) Pin {
	for _, p := range in.Pins {
		if p.JobID == j.ID {
			return p
		}
	}
	return Pin{}
}

// TestSmallProblemsAgainstEnumeration: the bound never exceeds the optimum, the
// plan never beats it and nearly always reaches it, and the verifier agrees
// with the cost.
func TestSmallProblemsAgainstEnumeration(t *testing.T) {
	t.Parallel()
	const problems = 200
	reached := 0
	for seed := uint64(1); seed <= problems; seed++ {
		in := randomInput(seed)
		optimum := enumerate(in)
		out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 1500, Seed: int64(seed)}, nil)
		if math.IsInf(optimum, 1) {
			var conflict *optimize.InfeasibleError
			require.True(t, errors.As(err, &conflict), "seed %d: %v", seed, err)
			require.NotEmpty(t, conflict.Conflicts)
			reached++
			continue
		}
		require.NoError(t, err, "seed %d", seed)
		require.NoError(t, VerifyOutput(in, out), "seed %d", seed)
		require.True(t, out.Certificate.BoundKnown)
		require.LessOrEqual(t, out.Certificate.Bound, optimum+.005, "seed %d", seed)
		require.GreaterOrEqual(t, out.Certificate.Objective, optimum-.005, "seed %d", seed)
		if out.Certificate.Objective <= optimum+.005 {
			reached++
		} else {
			t.Logf("seed %d: plan %.2f, optimum %.2f", seed, out.Certificate.Objective, optimum)
		}
		for _, d := range out.Decisions {
			require.NotEmpty(t, d.Reasons, "seed %d job %s", seed, d.JobID)
			require.LessOrEqual(t, len(d.Reasons), optimize.MaxReasons)
		}
	}
	require.GreaterOrEqual(t, reached, problems*95/100, "plans that reach the optimum")
}
