package mip

import (
	"time"

	"github.com/optria-iq/optria/internal/optimize/mip/wasm"
)

// What one look at the solver's clock stands for, measured on one shared core
// with programs of 4,000 to 190,000 entries: looks come about as often as
// pivots, whose cost grows with the entries.
const (
	lookBase     = 36 * time.Microsecond
	lookPerEntry = 9 * time.Nanosecond
)

// Startup is the work of starting a solver process, beside what its own clock
// counts.
const Startup = 150 * time.Millisecond

// step is by how much a counted clock moves per look.
func (m *Model) step() time.Duration {
	return lookBase + time.Duration(len(m.Index))*lookPerEntry
}

// Embedded names the embedded solver: its version and the SHA-256 of its
// code, in hexadecimal. Two builds with the same hash solve alike.
func Embedded() (version, sha256 string) { return wasm.Version, wasm.SHA256 }
