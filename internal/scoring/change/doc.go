// Package change tests one signal, reading by reading, for a change of its
// behaviour: the tabular CUSUM for a small lasting shift of a stationary signal,
// and a tail test for readings that the signal's own recent past makes
// improbable. Both ignore readings that are not finite and count them.
package change

import "math"

// measured reports whether a reading can be computed with.
func measured(x float64) bool { return math.Abs(x) <= 1e15 }
