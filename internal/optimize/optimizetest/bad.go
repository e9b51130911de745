package optimizetest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// badInput: whatever is done to an input, the answer is a plan that the
// verifier accepts or a fault of the input; never a panic, never a fault of
// the program.
func (s *suite) badInput(t *testing.T) {
	for cut := range 20 {
		s.refused(t, s.input[:len(s.input)*cut/20])
	}
	for _, text := range []string{`null`, `[]`, `0`, `"x"`, `{"a":NaN}`, `{}`} {
		s.answered(t, json.RawMessage(text))
	}
	s.refused(t, bytes.Replace(s.input, []byte(":"), []byte(": NaN, \"x\":"), 1))
	var tree any
	require.NoError(t, json.Unmarshal(s.input, &tree))
	spots := leaves(tree, nil)
	step := max(1, len(spots)/maxSpots)
	for k := 0; k < len(spots); k += step {
		spot := spots[k]
		was := spot.value()
		for _, wrong := range []any{nil, -1.0, 1e300, 0.5, "no such thing", []any{}, map[string]any{}} {
			spot.set(wrong)
			text, err := json.Marshal(tree)
			require.NoError(t, err)
			s.answered(t, text)
		}
		spot.set(was)
	}
}

// maxSpots is about how many values of a fixture are replaced by wrong ones.
const maxSpots = 20

// refused: an input that is no JSON is the sender's fault everywhere.
func (s *suite) refused(t *testing.T, text json.RawMessage) {
	t.Helper()
	_, err := s.problem.Solve(context.Background(), text, budget(), nil)
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
	_, err = s.problem.Model(text)
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
	_, err = s.problem.Force(text, s.pin)
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
	require.Error(t, s.problem.Verify(text, s.best.Output))
}

// answered: a strange input is solved or refused.
func (s *suite) answered(t *testing.T, text json.RawMessage) {
	t.Helper()
	opt := optimize.Options{MaxIterations: 1, Seed: 1, Threads: 2, TimeLimit: 5 * time.Second, Solver: optimize.SolverHeuristic}
	res, err := s.problem.Solve(context.Background(), text, opt, nil)
	if err != nil {
		require.Contains(t, []fault.Code{fault.Invalid, fault.Conflict, fault.Unavailable}, fault.CodeOf(err), "%v from %s", err, text)
		return
	}
	require.True(t, res.Certificate.Verified)
	require.NoError(t, s.problem.Verify(text, res.Output))
	_, err = s.problem.View(text, res.Output)
	require.NoError(t, err)
}

// spot is one value inside a decoded JSON tree.
type spot struct {
	object map[string]any
	key    string
	list   []any
	index  int
}

func (p spot) value() any {
	if p.object != nil {
		return p.object[p.key]
	}
	return p.list[p.index]
}

func (p spot) set(v any) {
	if p.object != nil {
		p.object[p.key] = v
	} else {
		p.list[p.index] = v
	}
}

// leaves lists every value of a tree, parents before children, objects in the
// order of their keys.
func leaves(node any, found []spot) []spot {
	switch v := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = leaves(v[key], append(found, spot{object: v, key: key}))
		}
	case []any:
		for k := range v {
			found = leaves(v[k], append(found, spot{list: v, index: k}))
		}
	}
	return found
}
