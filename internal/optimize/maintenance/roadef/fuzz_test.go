package roadef

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// FuzzRead: whatever the file, it is read and solved, or refused as bad input;
// nothing panics.
func FuzzRead(f *testing.F) {
	good, err := os.ReadFile("testdata/three.json")
	require.NoError(f, err)
	text := string(good)
	f.Add(good)
	for _, cut := range []int{0, 1, 2, 3, 5, 8} {
		f.Add(good[:len(good)*cut/9])
	}
	for old, replacement := range map[string]string{
		`"T": 4`: `"T": "4"`, `"T": 4,`: `"T": 1e9,`, `[3, 5]`: `[3, -5]`, `[2, 4]`: `[NaN, 4]`, `"Delta": [2, 2, 1, 1]`: `"Delta": [-2, 2, 1, 1]`,
		`"dry"]`: `"wet"]`, `[2, 3, 2, 1]`: `[2, 3, 2, 99999999]`, `{"1": {"1": 4}`: `{"\\"1": {"1": 4}`, `"1": {"1": [1, 1]}`: `"1": {"9999999999": [1, 1]}`,
		`"0.6"`: `null`, `"risk": {`: `"risk": null, "x": {`, `"crew": {"1"`: `"crew": [], "y": {"1"`, `[1, "2"]`: `[1, 2.5]`, `"tmax": 4`: `"tmax": 400`,
		`"min": [0, 1, 0, 0]`: `"min": [0, 1e999, 0, 0]`, `"2": [2, 2, 2]`: `"2": {"a": 1}`, `[3, 5]}`: `[3, "5"]}`, `"Alpha": 0.4`: `"Alpha": 1e400`,
	} {
		f.Add([]byte(strings.ReplaceAll(text, old, replacement)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := Read(data)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
			return
		}
		if len(in.Interventions) > 20 || in.Days > 50 {
			return
		}
		plan, cert, err := Solve(context.Background(), in, optimize.Options{MaxIterations: 50, Solver: optimize.SolverHeuristic, TimeLimit: 5 * time.Second}, nil)
		if err != nil {
			require.NotEqual(t, fault.Internal, fault.CodeOf(err), "%v", err)
			return
		}
		require.True(t, cert.Verified)
		require.Equal(t, len(in.Interventions), bytes.Count(plan.Format(), []byte("\n")))
	})
}

// TestTooManyTasksAreRefusedByName: a million interventions name the limit.
func TestTooManyTasksAreRefusedByName(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString(`{"T":1,"Scenarios_number":[1],"Quantile":0.5,"Alpha":0.5,"Resources":{},"Interventions":{`)
	for k := range 1_000_000 {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"i%d":{}`, k)
	}
	b.WriteString("}}")
	_, err := Read(b.Bytes())
	require.ErrorContains(t, err, "1000000, at most 20000")
}
