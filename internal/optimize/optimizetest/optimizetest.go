// Package optimizetest is the contract of optimization problems in executable
// form. Every registered problem has to pass it with its own fixtures.
package optimizetest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
)

// The fixtures of a problem, files of one folder.
const (
	fileInput      = "input.json"      // solved to its best within a second or so
	filePin        = "pin.json"        // an optimize.Pin that the best plan does not hold
	fileInfeasible = "infeasible.json" // an input without a plan
	fileConflict   = "conflict.json"   // an optimize.Conflict whose code and constraint must be among those named
)

// iterations is the budget of one solve, far above what a fixture needs.
const iterations = 1000

// suite is one problem with its fixtures and its best plan.
type suite struct {
	problem  optimize.Problem
	input    json.RawMessage
	pin      optimize.Pin
	without  json.RawMessage // the infeasible input
	conflict optimize.Conflict
	best     optimize.Result
}

// Run checks one registered kind against the contract with the fixtures of a
// folder.
func Run(t *testing.T, kind, dir string) {
	t.Helper()
	problem, ok := optimize.Lookup(kind)
	require.True(t, ok, "kind %q is not registered", kind)
	s := &suite{problem: problem, input: read(t, dir, fileInput), without: read(t, dir, fileInfeasible)}
	require.NoError(t, json.Unmarshal(read(t, dir, filePin), &s.pin), filePin)
	require.NoError(t, json.Unmarshal(read(t, dir, fileConflict), &s.conflict), fileConflict)
	s.best = s.solve(t, s.input)
	for name, check := range map[string]func(*testing.T){
		"described": s.described, "certified": s.certified, "verifier": s.verifier, "weights": s.weights, "pin": s.pins,
		"cancel": s.cancel, "repeats": s.repeats, "repeats work": s.repeatsWork, "warm start": s.warmStart, "infeasible": s.infeasible,
		"view": s.view, "model": s.model, "bad input": s.badInput,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); check(t) })
	}
}

func read(t *testing.T, dir, file string) json.RawMessage {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, file)) // #nosec G304 -- a fixture
	require.NoError(t, err, "every problem needs this fixture")
	return data
}

func budget() optimize.Options {
	return optimize.Options{MaxIterations: iterations, Seed: 1, Threads: 2, TimeLimit: 2 * time.Minute}
}

// solve returns a plan that the verifier accepts.
func (s *suite) solve(t *testing.T, input json.RawMessage) optimize.Result {
	t.Helper()
	return s.solveWith(t, input, budget())
}

func (s *suite) solveWith(t *testing.T, input json.RawMessage, opt optimize.Options) optimize.Result {
	t.Helper()
	res, err := s.problem.Solve(context.Background(), input, opt, nil)
	require.NoError(t, err)
	require.NoError(t, s.problem.Verify(input, res.Output))
	return res
}

func (s *suite) viewOf(t *testing.T, input json.RawMessage, res optimize.Result) optimize.View {
	t.Helper()
	v, err := s.problem.View(input, res.Output)
	require.NoError(t, err)
	return v
}

// slack is how far money may differ by rounding.
func slack(money float64) float64 { return 1e-6 * max(1, money, -money) }

// timeless returns an output in a canonical form without the seconds of its
// certificates, the only part that may differ between equal runs.
func timeless(t *testing.T, output json.RawMessage) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(output))
	d.UseNumber()
	var tree any
	require.NoError(t, d.Decode(&tree))
	dropSeconds(tree)
	text, err := json.Marshal(tree)
	require.NoError(t, err)
	return string(text)
}

func dropSeconds(node any) {
	switch v := node.(type) {
	case []any:
		for _, child := range v {
			dropSeconds(child)
		}
	case map[string]any:
		if certificate, ok := v["certificate"].(map[string]any); ok {
			delete(certificate, "seconds")
		}
		for _, child := range v {
			dropSeconds(child)
		}
	}
}
