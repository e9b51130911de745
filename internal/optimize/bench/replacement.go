package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
)

// theory is one case of replacement_theory/expected.json: an input with
// answers from the literature and their exact values where those are known.
type theory struct {
	ID         string                     `json:"id"`
	Kind       string                     `json:"kind"`
	Input      json.RawMessage            `json:"input"`
	Expected   map[string]json.RawMessage `json:"expected"`
	Tolerance  float64                    `json:"rel_tol"`
	Recomputed map[string]json.RawMessage `json:"recomputed"`
}

// exactTolerance is what a value may differ from one computed exactly.
const exactTolerance = 1e-6

func (c Config) replacementCases() ([]Case, error) {
	path := filepath.Join(c.Data, "replacement_theory", "expected.json")
	data, err := os.ReadFile(path) // #nosec G304 -- the user's own folder
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	var file struct {
		Cases []theory `json:"cases"`
	}
	if err = json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read cases: %s: %w", path, err)
	}
	var list []Case
	for _, k := range file.Cases {
		list = append(list, Case{Set: SetReplacement, Instance: k.ID, Format: "deferral", Judge: k.judge, Load: func() ([]byte, error) {
			return json.Marshal(map[string]any{"kind": k.Kind, "input": k.Input})
		}})
	}
	return list, nil
}

// judge compares every expected number with the output: with the exact value
// where the case has one, else within the tolerance of the source. The value
// that differs most is shown.
func (k theory) judge(output []byte) (verdict, error) {
	var got map[string]json.RawMessage
	if err := json.Unmarshal(output, &got); err != nil {
		return verdict{}, fmt.Errorf("read answer: %w", err)
	}
	worst, worstShare := verdict{}, math.Inf(-1)
	names := make([]string, 0, len(k.Expected))
	for name := range k.Expected {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		want, tolerance := k.Expected[name], math.Max(k.Tolerance, exactTolerance)
		if v, ok := k.Recomputed[name]; ok {
			want, tolerance = v, exactTolerance
		}
		expected, err := theoryNumber(want)
		if err != nil {
			return verdict{}, fmt.Errorf("expected %s: %w", name, err)
		}
		value, err := theoryNumber(got[name])
		if err != nil {
			return verdict{}, fmt.Errorf("answer %s: %w", name, err)
		}
		share := math.Abs(value-expected) / math.Max(1e-12, math.Abs(expected)) / tolerance
		if value == expected {
			share = 0
		}
		if share > 1 || math.IsNaN(share) {
			return verdict{}, fmt.Errorf("%s is %g, want %g within %g", name, value, expected, tolerance)
		}
		if share > worstShare {
			worst, worstShare = verdict{value, expected, name}, share
		}
	}
	return worst, nil
}

// theoryNumber reads a number, "inf" or null for never.
func theoryNumber(raw json.RawMessage) (float64, error) {
	switch string(raw) {
	case `"inf"`, "null":
		return math.Inf(1), nil
	case "":
		return 0, fmt.Errorf("missing")
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, fmt.Errorf("want a number: %w", err)
	}
	return v, nil
}
