package prognosis

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// CrossValidate deals the lives into folds, predicts each fold by a model of
// the others, and returns the predictions at every row of every life, and their
// metrics: the alarm rule along whole lives, the rest on lives cut off as
// Truncate does, ten times each.
func CrossValidate(ctx context.Context, units []Unit, c Config, k int) (Metrics, []Scored, error) {
	if k < 2 || k > len(units) {
		return Metrics{}, nil, fmt.Errorf("prognosis: %d folds of %d lives", k, len(units))
	}
	var all []Scored
	for i, held := range folds(len(units), k, c.Seed) {
		m, err := Fit(ctx, without(units, held), c)
		if err != nil {
			return Metrics{}, nil, fmt.Errorf("cross-validation fold %d: %w", i+1, err)
		}
		for _, u := range held {
			scored, err := m.ScoreLife(units[u])
			if err != nil {
				return Metrics{}, nil, fmt.Errorf("cross-validation fold %d: %w", i+1, err)
			}
			all = append(all, scored...)
		}
	}
	const draws = 10
	cut := Evaluate(Truncate(all, inService*c.withDefaults(len(units)).Cap, draws, c.Seed))
	whole := Evaluate(all)
	cut.Missed, cut.LeadP05, cut.Premature = whole.Missed, whole.LeadP05, whole.Premature
	return cut, all, nil
}

// ScoreLife returns the prediction at every row of a life with a known end.
func (m *Model) ScoreLife(u Unit) ([]Scored, error) {
	traced, err := m.Trace(u.Rows)
	if err != nil {
		return nil, fmt.Errorf("life %q: %w", u.ID, err)
	}
	out := make([]Scored, len(traced))
	for t, p := range traced {
		out[t] = Scored{Unit: u.ID, Age: t + 1, Truth: float64(len(u.Rows)-1-t) + u.Remaining, Prediction: p}
	}
	return out, nil
}

// leastLeft is how many cycles a life has left at least where Truncate cuts it:
// as in the C-MAPSS test sets.
const leastLeft = 6

// Truncate draws rows at which lives are cut off and scored: per life the given
// number, evenly likely among the rows that leave from 6 to most cycles and are
// at least 20 cycles old. The predictions of a life must follow each other.
func Truncate(all []Scored, most float64, draws int, seed uint64) []Scored {
	rng := rand.New(rand.NewPCG(seed, 0xc07)) // #nosec G404 -- seeded draw, not cryptography
	var out []Scored
	for from := 0; from < len(all); {
		to := from
		var eligible []Scored
		for ; to < len(all) && all[to].Unit == all[from].Unit; to++ {
			if s := all[to]; s.Age >= leastAge && s.Truth >= leastLeft && s.Truth <= most {
				eligible = append(eligible, s)
			}
		}
		for range draws {
			if len(eligible) > 0 {
				out = append(out, eligible[rng.IntN(len(eligible))])
			}
		}
		from = to
	}
	return out
}
