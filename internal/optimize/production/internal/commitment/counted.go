package commitment

import (
	"math"
	"time"
)

// transitionWork is what one transition of a unit's dynamic program stands for
// in a counted run, measured on one shared core; a step of load that is sorted
// and taken is worth several.
const (
	transitionWork = 12 * time.Nanosecond
	stepWork       = 8
)

// leastWork is what a solve gets at least, however little is left.
const leastWork = 100 * time.Millisecond

// countedRounds searches neighbourhoods for half of the work that is left, one
// after the other, so that each starts from the same plan in every run.
func (s *search) countedRounds() {
	s.half = s.meter.Elapsed() + s.meter.Left()/2
	s.rounds(s.ctx, 0, 1, math.MaxInt)
}
