package deferral

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
)

// TestExtremeLivesAgree draws numbers over the whole range that is accepted:
// the verifier agrees with the solver there too, and neither takes long.
func TestExtremeLivesAgree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(21, 22))
	between := func(lo, hi float64) float64 { return math.Exp(math.Log(lo) + rng.Float64()*math.Log(hi/lo)) }
	for k := range 100 {
		a := Action{ID: "a", PlannedCost: between(.01, 1e12), AgeDays: between(1e-3, 1e6)}
		for range 1 + rng.IntN(3) {
			a.Modes = append(a.Modes, Mode{Weibull: asset.Weibull{Beta: between(.3, 20), Eta: between(1, 1e7)}, FailureCost: between(.01, 1e12), Evidence: between(1e-3, 1e4)})
		}
		if share := rng.Float64(); rng.IntN(3) == 0 {
			a.Restoration, a.Kijima = &share, 2
		}
		in := Input{StartDate: "2026-01-01", Days: 3, Actions: []Action{a}}
		if in.Validate() != nil {
			continue
		}
		_, err := enumerate(&in, optimize.Options{Threads: 1})
		require.NoError(t, err, "%d %+v", k, a)
	}
}
