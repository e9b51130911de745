package maintenance

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// FuzzInput: whatever the JSON, it is solved and verified, or refused as bad
// or infeasible input; nothing panics and nothing stays unverified.
func FuzzInput(f *testing.F) {
	good, err := os.ReadFile("testdata/conformance/input.json")
	require.NoError(f, err)
	text := string(good)
	f.Add(good)
	for cut := range 6 {
		f.Add(good[:len(good)*cut/7])
	}
	for old, replacement := range map[string]string{
		`"days":21`: `"days":"21"`, `"days":21,`: `"days":-1,`, `"duration_days":2`: `"duration_days":-2`, `"skill":"membrane"`: `"skill":"magic"`,
		`"planned_cost":52000`: `"planned_cost":1e308`, `"Beta":2.6`: `"Beta":NaN`, `"Eta":340`: `"Eta":1e-300`, `"age_days":330`: `"age_days":1e300`,
		`"baseline_day":7`: `"baseline_day":999999999`, `"due_day":18`: `"due_day":-5`, `"max_out":1`: `"max_out":-1`, `"b":"job-t1"`: `"b":"job-x"`,
		`{"from":0,"to":1}`: `{"from":-9223372036854775808,"to":9223372036854775807}`, `"budget_sar":520000`: `"budget_sar":0`, `"units":1`: `"units":1e300`,
		`"outage_hours":16`: `"outage_hours":0,"restricted":null`, `"evidence":2.2`: `"evidence":1e200`, `"id":"job-p2"`: `"id":"job-p1"`,
		`"2026-03-01"`: `"2026-02-30"`, `"weights":{`: `"pins":[{"action_id":"job-p1","start_day":3}],"weights":{`,
	} {
		f.Add([]byte(strings.ReplaceAll(text, old, replacement)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in Input
		if json.Unmarshal(data, &in) != nil || len(in.Actions) > 30 || in.Days > 120 {
			return // the registry refuses malformed JSON
		}
		out, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 20, Solver: optimize.SolverHeuristic, TimeLimit: 5 * time.Second}, nil)
		if err != nil {
			require.NotEqual(t, fault.Internal, fault.CodeOf(err), "%v", err)
			return
		}
		require.NoError(t, VerifyOutput(in, out))
	})
}

// TestTooMuchIsRefusedByName: a million actions, and more start days or daily
// limits than memory holds, name their limit.
func TestTooMuchIsRefusedByName(t *testing.T) {
	t.Parallel()
	for want, in := range map[string]Input{
		"actions: 1000000, at most 20000":              {Days: 30, Actions: make([]Action, 1_000_000)},
		"at most 5000000 start days":                   {Days: 1000, Actions: make([]Action, 6000)},
		"6000 resources, groups and exclusions over 1": {Days: 1000, Exclusions: make([]Exclusion, 6000)},
	} {
		in.StartDate = "2026-01-04"
		err := in.Validate()
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
		require.ErrorContains(t, err, want)
	}
}
