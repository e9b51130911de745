package pglib_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/optimize/production/pglib"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

func four(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/four.json")
	require.NoError(t, err)
	return data
}

func solve(t *testing.T, data []byte) (*pglib.Instance, *pglib.Solution, optimize.Certificate) {
	t.Helper()
	in, err := pglib.Read(data)
	require.NoError(t, err)
	s, cert, err := pglib.Solve(context.Background(), in, optimize.Options{TimeLimit: 30 * time.Second, RelGap: 1e-9, Seed: 1}, nil)
	require.NoError(t, err)
	return in, s, cert
}

func TestSolveProvesASmallInstance(t *testing.T) {
	t.Parallel()
	in, s, cert := solve(t, four(t))
	require.Equal(t, optimize.StatusOptimal, cert.Status)
	require.True(t, cert.Verified)
	require.InEpsilon(t, cert.Objective, cert.Bound, 1e-5)
	cost, err := pglib.Verify(in, s)
	require.NoError(t, err)
	require.InDelta(t, cert.Objective, cost, 1e-6)

	text, err := s.Format()
	require.NoError(t, err)
	var out struct {
		Commitment map[string][]int
		Power      map[string][]float64
	}
	require.NoError(t, json.Unmarshal(text, &out))
	require.Len(t, out.Commitment["mid"], 8)
	require.Len(t, out.Power["wind"], 8)
}

func TestVerifyRefusesWhatBreaksARule(t *testing.T) {
	t.Parallel()
	in, s, _ := solve(t, four(t))
	for want, change := range map[string]func(*pglib.Solution){
		"must run":                  func(s *pglib.Solution) { s.Commitment["base"][3] = 0 },
		"output":                    func(s *pglib.Solution) { s.Power["base"][2] += 60 },
		"for a demand of":           func(s *pglib.Solution) { s.Power["wind"][2] -= 0.01 },
		"outside 2 to 5":            func(s *pglib.Solution) { s.Power["hydro"][2] = 9 },
		"want 8 periods":            func(s *pglib.Solution) { s.Power["mid"] = nil },
		"commitment 2":              func(s *pglib.Solution) { s.Commitment["mid"][0] = 2 },
		"solution has":              func(s *pglib.Solution) { delete(s.Commitment, "mid") },
		"changes state in period 2": func(s *pglib.Solution) { copy(s.Commitment["mid"], []int{1, 0, 0, 0, 0, 0, 0, 0}) },
	} {
		text, err := s.Format()
		require.NoError(t, err)
		var broken pglib.Solution
		require.NoError(t, json.Unmarshal(text, &broken))
		change(&broken)
		_, err = pglib.Verify(in, &broken)
		require.ErrorContains(t, err, want)
	}
}

func TestVerifyAsksForReserve(t *testing.T) {
	t.Parallel()
	in, s, _ := solve(t, four(t))
	in.Reserves[3] = 500
	_, err := pglib.Verify(in, s)
	require.ErrorContains(t, err, "period 4: reserve")
}

func TestSolveSaysInfeasible(t *testing.T) {
	t.Parallel()
	in, err := pglib.Read(bytes.Replace(four(t), []byte("150"), []byte("1500"), 1))
	require.NoError(t, err)
	_, cert, err := pglib.Solve(context.Background(), in, optimize.Options{TimeLimit: 30 * time.Second}, nil)
	require.ErrorIs(t, err, pglib.ErrInfeasible)
	require.Equal(t, fault.Conflict, fault.CodeOf(err))
	require.Equal(t, optimize.StatusInfeasible, cert.Status)
}

func TestReadNamesFieldAndReason(t *testing.T) {
	t.Parallel()
	good := string(four(t))
	for want, text := range map[string]string{
		"unexpected end":               good[:len(good)/2],
		"time_periods: want 1 to 2000": strings.Replace(good, `"time_periods": 8`, `"time_periods": 1000000`, 1),
		"demand: want 8 numbers":       strings.Replace(good, "  60,", "", 1),
		"demand[0]: want at least 0":   strings.Replace(good, "  60,", "  -60,", 1),
		"invalid character 'N'":        strings.Replace(good, "  60,", "  NaN,", 1),
		"cannot unmarshal string":      strings.Replace(good, "  60,", `  "60",`, 1),
		"base.ramp_up_limit: want":     strings.Replace(good, `"ramp_up_limit"`, `"ramp"`, 1),
		"base.must_run: want a whole":  strings.Replace(good, `"must_run": 1`, `"must_run": 2`, 1),
		"whole number of at least 0":   strings.Replace(good, `"time_up_minimum": 4`, `"time_up_minimum": 4.5`, 1),
		"above the maximum":            strings.Replace(good, `"power_output_minimum": 40`, `"power_output_minimum": 400`, 1),
		"startup[1].lag: want":         strings.Replace(good, `"lag": 4`, `"lag": 2`, 1),
		"[1].mw: want":                 strings.Replace(good, `"mw": 60`, `"mw": 39`, 1),
		"[2].mw: want power_output":    strings.Replace(good, `"mw": 90`, `"mw": 95`, 1),
		"thermal_generators: missing":  strings.Replace(good, `"thermal_generators"`, `"generators"`, 1),
		"wind: also the name":          strings.Replace(good, `"mid"`, `"wind"`, 1),
		"thermal_generators.mid: miss": `{"time_periods":1,"demand":[1],"reserves":[0],"thermal_generators":{"mid":null}}`,
	} {
		require.NotEqual(t, good, text, want)
		_, err := pglib.Read([]byte(text))
		require.ErrorContains(t, err, want)
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
	}
}

// FuzzRead holds that a reader answers with an instance or a fault of the
// input, and that whatever it reads can be stated as a program.
func FuzzRead(f *testing.F) {
	good := four(f)
	f.Add(good)
	f.Add(good[:len(good)/3])
	f.Add(bytes.ReplaceAll(good, []byte("0"), []byte("9")))
	f.Add(bytes.ReplaceAll(good, []byte("time_down_t0\": 9"), []byte("time_down_t0\": 0")))
	f.Add([]byte(`{"time_periods":1000000,"demand":[],"thermal_generators":{"a":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := pglib.Read(data)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
			return
		}
		if in.Periods*len(in.Thermal) < 200 {
			require.Positive(t, in.Model().Columns())
		}
	})
}

// TestPublicInstances measures the gap to the best known values on the
// library's own files.
func TestPublicInstances(t *testing.T) {
	dir := os.Getenv("OPTRIA_BENCH_DATA")
	if dir == "" {
		t.Skip("OPTRIA_BENCH_DATA names no folder with the public instances")
	}
	dir = filepath.Join(dir, "uc_pglib")
	file, err := os.ReadFile(filepath.Join(dir, "best_known.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		data, err := os.ReadFile(filepath.Join(dir, filepath.Base(row[0])+".json"))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		in, err := pglib.Read(data)
		require.NoError(t, err)
		_, cert, err := pglib.Solve(context.Background(), in, optimize.Options{Seed: 1}, nil)
		require.NoError(t, err)
		best, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		t.Logf("%s: %.2f, bound %.2f, %.4f %% above the best known, %s", row[0], cert.Objective, cert.Bound, 100*(cert.Objective/best-1), cert.Solver.Options)
		require.Less(t, cert.Bound, best*(1+1e-5))
	}
}
