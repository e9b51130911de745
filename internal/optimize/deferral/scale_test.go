package deferral

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// TestScale prints how time grows with the number of actions; set
// OPTRIA_SCALE to run it.
func TestScale(t *testing.T) {
	if os.Getenv("OPTRIA_SCALE") == "" {
		t.Skip("set OPTRIA_SCALE to measure")
	}
	base := demoInput(t)
	for _, n := range []int{38, 200, 500, 1000, 2000} {
		in := base
		in.Actions, in.Band.Replicates = nil, 0
		for k := range n {
			a := base.Actions[k%len(base.Actions)]
			a.ID = fmt.Sprintf("%s-%d", a.ID, k)
			in.Actions = append(in.Actions, a)
		}
		start := time.Now()
		plan, err := enumerate(&in, optimize.Options{Threads: 2})
		require.NoError(t, err)
		days := time.Since(start)
		out, err := Solve(context.Background(), in, optimize.Options{Seed: 1}, nil)
		require.NoError(t, err)
		t.Logf("%5d actions x %d days: verified plan %6.2f s, with %d replicates %6.2f s", n, in.Days, days.Seconds(), out.Replicates, out.Certificate.Seconds)
		require.Equal(t, plan.Objective, out.Objective)
	}
}
