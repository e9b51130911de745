package optimizetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// model: the exact model of the input can be taken elsewhere, in both
// formats, and its optimum is that of the problem.
func (s *suite) model(t *testing.T) {
	m, err := s.problem.Model(s.input)
	require.NoError(t, err)
	require.Positive(t, m.Columns())
	var mps, lp bytes.Buffer
	require.NoError(t, m.WriteMPS(&mps))
	require.Contains(t, mps.String(), "ENDATA")
	require.NoError(t, m.WriteLP(&lp))
	require.Regexp(t, `End\n$`, lp.String())

	res, err := mip.Solve(context.Background(), m, mip.Options{TimeLimit: 10 * time.Second, RelGap: 1e-7}, nil)
	require.NoError(t, err)
	best := s.best.Certificate
	require.LessOrEqual(t, res.Bound, best.Objective+slack(best.Objective), "the model's bound exceeds a plan")
	if res.Status == mip.Optimal && best.Status == optimize.StatusOptimal {
		require.InDelta(t, best.Objective, res.Objective, 2*slack(best.Objective), "the model's optimum is not the problem's")
	}
}
