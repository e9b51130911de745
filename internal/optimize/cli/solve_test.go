package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize/cli"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

const instance = "../maintenance/roadef/testdata/three.json"

func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Solve(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestSolvePrintsOneLineAndWritesThePlan(t *testing.T) {
	dir := t.TempDir()
	plan, model := filepath.Join(dir, "plan.txt"), filepath.Join(dir, "model.mps")
	code, out, errs := run(t, "", "--format", "roadef2020", "--time-limit", "20s", "--seed", "5", "--threads", "2", "--write-model", model, instance, "-o", plan)
	require.Equal(t, 0, code, errs)
	require.Equal(t, 1, strings.Count(out, "\n"))
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &line))
	require.Len(t, line, 7)
	require.Equal(t, "optimal", line["status"])
	require.Equal(t, true, line["verified"])
	require.InDelta(t, 5, line["seed"], 0)
	require.InDelta(t, line["objective"], line["bound"], 1e-4)
	text, err := os.ReadFile(plan)
	require.NoError(t, err)
	require.Regexp(t, `^line \d\npump \d\nvalve \d\n$`, string(text))
	text, err = os.ReadFile(model)
	require.NoError(t, err)
	require.Contains(t, string(text), "ENDATA")
}

const action = `{"id":"a","asset_id":"x","site_id":"s","duration_days":1,"skill":"crew","skill_hours":4,"planned_cost":1000,"failure_total":90000,"weibull":{"Beta":2,"Eta":100},"age_days":90`

func own(rest string) string {
	return `{"start_date":"2026-03-01","days":3,"weights":{"preset":"cheapest"},"resources":[{"id":"crew","available":[0,8,8]}],"actions":[` + action + rest + `}`
}

func TestSolveReadsItsOwnFormatFromStandardInput(t *testing.T) {
	plan := filepath.Join(t.TempDir(), "plan.json")
	code, out, errs := run(t, own(`}]`), "--format", "optria", "--iterations", "2000", "-", "-o", plan)
	require.Equal(t, 0, code, errs)
	require.Contains(t, out, `"status":"optimal"`)
	text, err := os.ReadFile(plan)
	require.NoError(t, err)
	require.Contains(t, string(text), `"start_day":1`)
}

func TestSolveSaysInfeasible(t *testing.T) {
	code, out, errs := run(t, own(`,"mandatory":true,"latest_day":0}]`), "-")
	require.Equal(t, 3, code)
	require.Contains(t, out, `"objective":null`)
	require.Contains(t, out, `"status":"infeasible"`)
	require.Contains(t, errs, "resource_binding crew")
}

func TestSolveNamesFileFieldAndReason(t *testing.T) {
	good, err := os.ReadFile(instance)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		format, text string
		want         []string
	}{
		"truncated":         {"roadef2020", string(good[:len(good)/2]), []string{"-: field (byte", "unexpected end"}},
		"empty":             {"roadef2020", "", []string{"unexpected end"}},
		"not a number":      {"roadef2020", strings.Replace(string(good), "0.6", "NaN", 1), []string{"malformed JSON", "'N'"}},
		"missing field":     {"roadef2020", strings.Replace(string(good), `"Alpha"`, `"Beta"`, 1), []string{"-: field Alpha: want a number"}},
		"negative":          {"roadef2020", strings.Replace(string(good), "[3, 5]", "[3, -5]", 1), []string{"field Interventions.pump.risk.1.1: negative risk"}},
		"wrong type":        {"roadef2020", strings.Replace(string(good), `"T": 4`, `"T": "four"`, 1), []string{"field T: want int, have string"}},
		"fractional day":    {"roadef2020", strings.Replace(string(good), `"tmax": "3"`, `"tmax": 2.5`, 1), []string{"want a whole number, have 2.5"}},
		"own, negative":     {"optria", strings.Replace(own(`}]`), "1000", "-1000", 1), []string{"field actions[0].planned_cost: want 0 to 1e+15"}},
		"own, missing":      {"optria", strings.Replace(own(`}]`), `"days":3,`, "", 1), []string{"field days: want 1 to"}},
		"own, truncated":    {"optria", own("")[:60], []string{"malformed JSON"}},
		"own, wrong type":   {"optria", strings.Replace(own(`}]`), `"days":3`, `"days":"3"`, 1), []string{"field days: want int, have string"}},
		"own, not a number": {"optria", strings.Replace(own(`}]`), "1000", "NaN", 1), []string{"malformed JSON"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := run(t, test.text, "--format", test.format, "-")
			require.Equal(t, 2, code, errs)
			require.Empty(t, out)
			for _, want := range test.want {
				require.Contains(t, errs, want)
			}
		})
	}
}

func TestSolveRefusesBadArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"want an input file":  {"--format", "roadef2020"},
		"unknown format":      {"--format", "xml", instance},
		"more than one input": {instance, instance},
		"above 0":             {"--time-limit", "0s", instance},
		"no such file":        {"--format", "roadef2020", "missing.json"},
		"unknown problem":     {"--problem", "riddle", instance},
	} {
		code, _, errs := run(t, "", args...)
		require.Equal(t, 2, code)
		require.Contains(t, errs, want)
	}
}
