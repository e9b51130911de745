// Package manifest says what a run was computed from and what came out of it,
// by hashes that everybody can compute again, and what has changed between two
// inputs. It knows no database and no engine.
//
// What is hashed is the canonical form of a JSON document: object keys in the
// order of their bytes, no white space, numbers as ECMAScript prints them
// (shortest text that reads back as the same double, −0 as 0), and the
// characters <, >, &, U+2028 and U+2029 escaped. It does not depend on how a
// document was written, so it survives storage as jsonb.
package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Canonical returns a JSON document in its canonical form.
func Canonical(document []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return encode(v)
}

// Digest is the SHA-256 of the canonical form of a JSON document.
func Digest(document []byte) ([]byte, error) {
	canonical, err := Canonical(document)
	if err != nil {
		return nil, err
	}
	return Sum(canonical), nil
}

// Sum is the SHA-256 of bytes as they are.
func Sum(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}

// Hex prints a hash.
func Hex(hash []byte) string { return hex.EncodeToString(hash) }

func encode(v any) ([]byte, error) {
	canonical, err := json.Marshal(plainZero(v))
	if err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	return canonical, nil
}

// plainZero replaces −0, which jsonb does not keep, by 0.
func plainZero(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainZero(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plainZero(v[i])
		}
	case float64:
		return v + 0 // −0 + 0 = 0
	}
	return v
}

// volatile are the fields of a certificate that may differ between two runs
// that found the same: what the clock and the machine say.
var volatile = []string{"time_limit", "threads", "exact_error"}

// Outcome returns what of a scenario's output is hashed, in canonical form:
// all of it, with plan, figures, reasons, prices and certificate, except the
// seconds that the run took ("certificate.seconds") and of the solver's
// options ("certificate.solver.options") its time limit, its threads and the
// text of a failure.
func Outcome(output []byte) ([]byte, error) {
	var tree map[string]any
	if err := json.Unmarshal(output, &tree); err != nil {
		return nil, fmt.Errorf("read output: %w", err)
	}
	if certificate, ok := tree["certificate"].(map[string]any); ok {
		delete(certificate, "seconds")
		if solver, ok := certificate["solver"].(map[string]any); ok {
			if options, ok := solver["options"].(map[string]any); ok {
				for _, name := range volatile {
					delete(options, name)
				}
			}
		}
	}
	return encode(tree)
}
