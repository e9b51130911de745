package optimize

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

// SelfCheck solves a knapsack of three items to proof with the exact solver:
// the best value within weight 5 is 7, from the items of weight 2 and 3. It
// says whether plans can be made at all.
func SelfCheck(ctx context.Context) error {
	m := mip.New("self-check")
	weights, values := []float64{2, 3, 4}, []float64{3, 4, 5}
	terms := make([]mip.Term, len(weights))
	for i, w := range weights {
		terms[i] = mip.Term{Column: m.Binary(-values[i]), Value: w}
	}
	m.Row(math.Inf(-1), 5, terms...)
	r, err := mip.Solve(ctx, m, mip.Options{TimeLimit: 10 * time.Second}, nil)
	if err != nil {
		return fmt.Errorf("solve self-check: %w", err)
	}
	if r.Status != mip.Optimal || math.Abs(r.Objective+7) > 1e-6 || math.Abs(r.Bound+7) > 1e-6 {
		return fmt.Errorf("self-check ended %s with value %v and bound %v, expected optimal 7", r.Status, -r.Objective, -r.Bound)
	}
	return nil
}
