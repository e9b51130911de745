package trsp

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// tiny draws an instance small enough for enumeration, in the format's own
// text so that the reader is part of the test.
func tiny(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 3))
	technicians, jobs := 1+r.IntN(2), 2+r.IntN(3)
	var b strings.Builder
	fmt.Fprintf(&b, "tiny-%d\n\nINFO\nCREW COUNT  SKILLS  TOOLS   SPARE PARTS\n%d 2 2 1\n\nDEPOT TECHNICIANS AND REQUESTS\nID X Y TWS TWE Serv SKILLS TOOLS SPARE PARTS\n", seed, technicians)
	fmt.Fprintf(&b, "0 50 50 0 400 0 [] \t[] \t[]\n")
	for k := 1; k <= technicians; k++ {
		fmt.Fprintf(&b, "%d %d %d %d 400 0 %s \t%s \t[%d]\n", k, r.IntN(100), r.IntN(100), r.IntN(60), []string{"[0]", "[0,1]", "[1]"}[r.IntN(3)], []string{"[]", "[0]", "[0,1]"}[r.IntN(3)], r.IntN(3))
	}
	for k := technicians + 1; k <= technicians+jobs; k++ {
		from := r.IntN(200)
		fmt.Fprintf(&b, "%d %d %d %d %d %d [%d] \t%s \t[%d]\n", k, r.IntN(100), r.IntN(100), from, from+20+r.IntN(150), 5+r.IntN(20), r.IntN(2), []string{"[]", "[]", "[0]", "[1]"}[r.IntN(4)], r.IntN(2))
	}
	return b.String()
}

// enumerate returns the least cost of all plans that the verifier accepts.
func enumerate(in *Instance) float64 {
	best := math.Inf(1)
	orders := make([][]int, in.Technicians)
	var place func(job int, unserved []int)
	try := func(unserved []int) {
		var stores func(k int, routes []Route)
		stores = func(k int, routes []Route) {
			if k == in.Technicians {
				if cost, err := Verify(in, Plan{Routes: routes, Unserved: unserved}); err == nil {
					best = math.Min(best, cost+float64(len(unserved))*in.penalty())
				}
				return
			}
			stores(k+1, append(routes, Route{Technician: k + 1, Visits: orders[k]}))
			for q := 0; q <= len(orders[k]) && len(orders[k]) > 0; q++ {
				visits := append(append(append([]int{}, orders[k][:q]...), 0), orders[k][q:]...)
				stores(k+1, append(routes, Route{Technician: k + 1, Visits: visits}))
			}
		}
		stores(0, nil)
	}
	place = func(job int, unserved []int) {
		if job == len(in.Stops) {
			try(unserved)
			return
		}
		place(job+1, append(append([]int{}, unserved...), job))
		for k := range orders {
			was := orders[k]
			for q := 0; q <= len(was); q++ {
				orders[k] = append(append(append([]int{}, was[:q]...), job), was[q:]...)
				place(job+1, unserved)
			}
			orders[k] = was
		}
	}
	place(in.Technicians+1, nil)
	return best
}

// TestSmallInstancesAgainstEnumeration: the bound never exceeds the optimum,
// and the plan is optimal.
func TestSmallInstancesAgainstEnumeration(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 200; seed++ {
		in, err := Read([]byte(tiny(seed)))
		require.NoError(t, err)
		optimum := enumerate(in)
		plan, cert, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 2000, Seed: int64(seed)}, nil)
		require.NoError(t, err)
		worked, err := Verify(in, plan)
		require.NoError(t, err)
		require.InDelta(t, cert.Objective, worked+float64(len(plan.Unserved))*in.penalty(), .005, "seed %d", seed)
		require.True(t, cert.BoundKnown)
		require.LessOrEqual(t, cert.Bound, optimum+1e-6, "seed %d", seed)
		require.InDelta(t, optimum, cert.Objective, 1e-5, "seed %d", seed)
	}
}

func TestSameSeedSamePlan(t *testing.T) {
	t.Parallel()
	in, err := Read([]byte(tiny(7)))
	require.NoError(t, err)
	var texts []string
	for range 2 {
		plan, _, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 3000, Seed: 5, Threads: 2}, nil)
		require.NoError(t, err)
		text, err := plan.Format()
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	require.Equal(t, texts[0], texts[1])
	var file struct {
		Routes []struct {
			Technician   *int
			Visits, Jobs []int
		}
		Unserved []int
	}
	require.NoError(t, json.Unmarshal([]byte(texts[0]), &file))
	for _, r := range file.Routes {
		require.NotNil(t, r.Technician)
		require.NotContains(t, r.Jobs, 0)
	}
}

const real = `real
CREW COUNT SKILLS TOOLS PARTS
1 0 0 0
ID X Y TWS TWE Serv
0 0.0 0.0 0 500 0.0 [] [] []
1 0.0 0.0 0 500 0.0 [] [] []
2 0.0 0.0 100 120 30.0 [] [] []

DISTANCES
0;0;0;9
TRAVEL TIMES
0;0.0;0.0;7.5;1
1;0.0;0.0;7.5;1
2;8.5;8.5;0.0;1
3;1;1;1;1
`

func TestMatrixOfTravelTimes(t *testing.T) {
	t.Parallel()
	in, err := ReadReal([]byte(real))
	require.NoError(t, err)
	plan, cert, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 100}, nil)
	require.NoError(t, err)
	require.Equal(t, []Route{{Technician: 1, Visits: []int{2}, Jobs: []int{2}}}, plan.Routes)
	require.InDelta(t, 7.5+30+8.5, cert.Objective, 1e-9, "the departure waits for the window")
	require.Equal(t, optimize.StatusOptimal, cert.Status)
}

func TestVerifyRefusesBrokenPlans(t *testing.T) {
	t.Parallel()
	text := "x\nCREW COUNT\n2 2 1 1\nID\n0 0 0 0 100 0 [] [] []\n1 0 0 0 100 0 [0] [] [1]\n2 0 0 0 100 0 [1] [0] [0]\n" +
		"3 10 0 0 50 5 [0] [] [1]\n4 20 0 30 35 5 [0] [] [1]\n5 5 5 0 90 5 [1] [0] [0]\n"
	in, err := Read([]byte(text))
	require.NoError(t, err)
	cost, err := Verify(in, Plan{Routes: []Route{{Technician: 1, Visits: []int{3, 0, 4}}, {Technician: 2, Visits: []int{5}}}})
	require.Error(t, err, "the depot lies too far for the window of job 4: %v", cost)
	_, err = Verify(in, Plan{Routes: []Route{{Technician: 1, Visits: []int{0, 3, 4}}, {Technician: 2, Visits: []int{5}}}})
	require.NoError(t, err)
	for name, plan := range map[string]Plan{
		"parts":       {Routes: []Route{{Technician: 1, Visits: []int{3, 4}}}, Unserved: []int{5}},
		"skill":       {Routes: []Route{{Technician: 2, Visits: []int{3}}}, Unserved: []int{4, 5}},
		"twice":       {Routes: []Route{{Technician: 1, Visits: []int{3}}}, Unserved: []int{3, 4, 5}},
		"missing":     {Routes: []Route{{Technician: 1, Visits: []int{3}}}},
		"no job":      {Routes: []Route{{Technician: 1, Visits: []int{1}}}, Unserved: []int{3, 4, 5}},
		"nobody":      {Routes: []Route{{Technician: 3, Visits: []int{3}}}, Unserved: []int{4, 5}},
		"late":        {Routes: []Route{{Technician: 1, Visits: []int{0, 4, 3, 3}}}, Unserved: []int{5}},
		"two of them": {Routes: []Route{{Technician: 1, Visits: []int{3}}, {Technician: 1, Visits: []int{4}}}, Unserved: []int{5}},
	} {
		_, err = Verify(in, plan)
		require.Error(t, err, name)
	}
}

func TestBadFilesAreRefusedByName(t *testing.T) {
	t.Parallel()
	good := tiny(3)
	for name, change := range map[string][2]string{
		"nothing":          {good, ""},
		"truncated":        {good[len(good)-20:], ""},
		"no counts":        {"CREW COUNT", "CREW"},
		"huge crew":        {"\n1 2 2 1\n", "\n1000000000 2 2 1\n"},
		"not a number":     {"0 50 50 0 400 0", "0 50 NaN 0 400 0"},
		"infinite":         {"0 50 50 0 400 0", "0 50 50 0 +Inf 0"},
		"negative service": {"0 50 50 0 400 0", "0 50 50 0 400 -1"},
		"closed window":    {"0 50 50 0 400 0", "0 50 50 9 1 0"},
		"unknown skill":    {"[0]", "[7]"},
		"negative tool":    {"0 50 50 0 400 0 [] \t[]", "0 50 50 0 400 0 [] \t[-1]"},
		"part counts":      {"0 50 50 0 400 0 [] \t[] \t[]", "0 50 50 0 400 0 [] \t[] \t[1,2,3]"},
		"wrong id":         {"0 50 50 0 400 0", "4 50 50 0 400 0"},
		"words":            {"[0]", "[zero]"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			continue // this draw does not have the passage
		}
		_, err := Read([]byte(text))
		requireNamed(t, name, err)
	}
	for name, change := range map[string][2]string{
		"no matrix":     {"TRAVEL TIMES", "TIMES"},
		"missing row":   {"2;8.5;8.5;0.0;1\n3;1;1;1;1\n", ""},
		"short row":     {"2;8.5;8.5;0.0;1", "2;8.5;8.5"},
		"negative time": {"7.5", "-7.5"},
		"NaN":           {"7.5", "NaN"},
		"word":          {"7.5", "far"},
		"wrong row":     {"2;8.5", "9;8.5"},
	} {
		_, err := ReadReal([]byte(strings.Replace(real, change[0], change[1], 1)))
		requireNamed(t, name, err)
	}
}

func requireNamed(t *testing.T, name string, err error) {
	t.Helper()
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "%s: %v", name, err)
	var f *fault.Error
	require.ErrorAs(t, err, &f, name)
	require.NotEmpty(t, f.Args["field"], name)
	require.NotEmpty(t, f.Args["reason"], name)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(tiny(1)), false)
	f.Add([]byte(real), true)
	f.Add([]byte("CREW COUNT\n1 1 1 1\nID\n0 0 0 0 0 0 [][][]"), false)
	f.Fuzz(func(t *testing.T, data []byte, matrix bool) {
		in, err := read(data, matrix)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
			return
		}
		if len(in.Stops) <= 12 {
			plan, _, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 50}, nil)
			require.NoError(t, err)
			_, err = Verify(in, plan)
			require.NoError(t, err)
		}
	})
}
