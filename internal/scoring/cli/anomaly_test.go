package cli_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loop writes a table in the SKAB format: a water loop of three signals whose
// third one sinks from row onset on.
func loop(t *testing.T, path string, rows, onset int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("datetime;Current;Pressure;Flow;anomaly;changepoint\n")
	for i := range rows {
		flow, label := 32+0.4*rng.NormFloat64(), 0.0
		if i >= onset {
			flow, label = flow-4, 1
		}
		fmt.Fprintf(&b, "2020-03-09 10:%02d:%02d;%.4f;%.4f;%.4f;%.1f;0.0\n", i/60, i%60, 1+0.1*rng.NormFloat64(), rng.NormFloat64(), flow, label)
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
}

// process writes a Tennessee Eastman table, transposed when told so; shift
// moves signal 10 from the tenth row on.
func process(t *testing.T, path string, rows int, seed uint64, shift float64, transposed bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	table := make([][]string, rows)
	for i := range table {
		common := rng.NormFloat64()
		for j := range 52 {
			v := 100 + float64(j) + common*math.Cos(float64(j)) + 0.5*rng.NormFloat64()
			if j == 10 && i >= 10 {
				v += shift
			}
			table[i] = append(table[i], fmt.Sprintf("%.7e", v))
		}
	}
	if transposed {
		turned := make([][]string, 52)
		for j := range turned {
			for i := range table {
				turned[j] = append(turned[j], table[i][j])
			}
		}
		table = turned
	}
	var b strings.Builder
	for _, row := range table {
		b.WriteString("   " + strings.Join(row, "   ") + "\n")
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
}

// column reads one column of a result.
func column(t *testing.T, path, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	require.Contains(t, rows[0], name)
	var out []string
	for j, head := range rows[0] {
		if head != name {
			continue
		}
		for _, r := range rows[1:] {
			out = append(out, r[j])
		}
	}
	return out
}

func ones(flags []string) int { return strings.Count(strings.Join(flags, ""), "1") }

func TestAnomalySKAB(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "7.csv"), filepath.Join(dir, "out")
	loop(t, in, 700, 550)
	code, stdout, errs := run("", "anomaly", "--format", "skab", "--fit-rows", "400", "-o", out, in)
	require.Zero(t, code, errs)
	require.Empty(t, stdout+errs)
	flags := column(t, filepath.Join(out, "7.csv"), "anomaly")
	require.Len(t, flags, 700)
	require.LessOrEqual(t, ones(flags[:550]), 20)
	require.GreaterOrEqual(t, ones(flags[550:]), 140)
	require.Equal(t, "2020-03-09 10:00:01", column(t, filepath.Join(out, "7.csv"), "datetime")[1])
	require.Len(t, column(t, filepath.Join(out, "7.csv"), "score"), 700)
}

func TestAnomalyTEP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	process(t, path("d00.dat"), 500, 1, 0, true)
	process(t, path("d00_te.dat"), 960, 2, 0, false)
	process(t, path("d04_te.dat"), 960, 3, 4, false)
	process(t, path("d05.dat"), 480, 4, 0, false)
	code, _, errs := run("", "anomaly", "--format", "tep", "--fit", path("d00.dat"), "--calibrate", path("d00_te.dat"),
		"-o", path("out"), path("d04_te.dat"), path("d05.dat"))
	require.Zero(t, code, errs)
	faulty, normal := column(t, path("out/d04_te.csv"), "alarm"), column(t, path("out/d05.csv"), "alarm")
	require.Len(t, faulty, 960)
	require.Len(t, normal, 480)
	require.LessOrEqual(t, ones(normal), 10)
	require.Zero(t, ones(faulty[:10]))
	require.GreaterOrEqual(t, ones(faulty[10:]), 930)
}

func TestAnomalyNAB(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 3))
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range 1000 {
		v := 50 + rng.NormFloat64()
		if i == 700 {
			v = 90
		}
		fmt.Fprintf(&b, "2015-09-01 %02d:%02d:00,%.3f\n", i/60, i%60, v)
	}
	in := filepath.Join(dir, "speed.csv")
	require.NoError(t, os.WriteFile(in, []byte(b.String()), 0o600))
	code, _, errs := run("", "anomaly", "--format", "nab", "-o", filepath.Join(dir, "out"), in)
	require.Zero(t, code, errs)
	flags := column(t, filepath.Join(dir, "out", "speed.csv"), "anomaly")
	require.Equal(t, "1", flags[700])
	require.Zero(t, ones(flags[:150]), "on probation")
	require.LessOrEqual(t, ones(flags), 4)
}

// TestOneBadFileLeavesTheOthers judges a sound file beside a broken one.
func TestOneBadFileLeavesTheOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad, out := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv"), filepath.Join(dir, "out")
	loop(t, good, 200, 180)
	require.NoError(t, os.WriteFile(bad, []byte("datetime;Flow\n2020-03-09 10:00:00;much\n"), 0o600))
	code, _, errs := run("", "anomaly", "--format", "skab", "--fit-rows", "120", "-o", out, bad, good)
	require.Equal(t, 1, code)
	require.Contains(t, errs, `b.csv: line 2: signal Flow: "much" is not a number`)
	require.Len(t, column(t, filepath.Join(out, "a.csv"), "anomaly"), 200)
	require.NoFileExists(t, filepath.Join(out, "b.csv"))
}

func TestAnomalyBadContent(t *testing.T) {
	t.Parallel()
	head := "datetime;Flow\n"
	wide := strings.Repeat("1 2 3\n", 4)
	tests := []struct{ name, format, content, says string }{
		{"empty", "skab", "", "read header"},
		{"commas", "skab", "datetime,Flow\n", "separated by semicolons"},
		{"no signal", "skab", "datetime;anomaly\n", "names no signal"},
		{"short row", "skab", head + "2020-03-09 10:00:00\n", "line 2"},
		{"short file", "skab", head + "2020-03-09 10:00:00;1\n", "nothing is left to judge"},
		{"bad label", "skab", "datetime;Flow;anomaly\nx;1;maybe\n", `label anomaly: "maybe"`},
		{"no series", "nab", "time,value\n", "want timestamp,value"},
		{"no value", "nab", "timestamp,value\nx,?\n", `line 2: value: "?" is not a number`},
		{"one value", "nab", "timestamp,value\nx,1\n", "nothing is left to judge"},
		{"wrong shape", "tep", wide, "4 × 3 numbers"},
		{"words", "tep", "1 two 3\n", `line 1, column 2: "two" is not a number`},
		{"ragged", "tep", "1 2\n1\n", "line 2 has 1 numbers, the first has 2"},
		{"nothing", "tep", "\n\n", "no rows"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in := filepath.Join(dir, "x.dat")
			require.NoError(t, os.WriteFile(in, []byte(tc.content), 0o600))
			args := []string{"anomaly", "--format", tc.format, "--fit-rows", "100", "-o", filepath.Join(dir, "out"), in}
			if tc.format == "tep" {
				args = []string{"anomaly", "--format", "tep", "--fit", in, "--calibrate", in, "-o", filepath.Join(dir, "out"), in}
			}
			code, _, errs := run("", args...)
			require.Equal(t, 1, code)
			require.Contains(t, errs, tc.says)
			require.Contains(t, errs, "x.dat")
		})
	}
}

func TestAnomalyWrongCalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct{ name, args, says string }{
		{"no format", "-o D f", "--format"},
		{"unknown", "--format csv -o D f", `unknown format "csv"`},
		{"no fit rows", "--format skab -o D f", "--fit-rows"},
		{"negative", "--format nab --fit-rows -1 -o D f", "negative"},
		{"no runs", "--format tep -o D f", "--calibrate"},
		{"no folder", "--format nab f", "-o DIR"},
		{"no files", "--format nab -o D", "no files"},
		{"same name", "--format nab -o D a/0.csv b/0.csv", "both be written"},
		{"own input", "--format nab -o D D/0.csv", "would overwrite"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			for _, a := range strings.Fields(tc.args) {
				if a == "D" || strings.HasPrefix(a, "D/") {
					a = dir + a[1:]
				}
				args = append(args, a)
			}
			code, out, errs := run("", append([]string{"anomaly"}, args...)...)
			require.Equal(t, 2, code)
			require.Empty(t, out)
			require.Contains(t, errs, tc.says)
		})
	}
}
