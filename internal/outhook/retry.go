package outhook

import (
	"math/rand/v2"
	"time"
)

// waits are the pauses between the attempts of one delivery: about three days
// in all, as the Standard Webhooks specification advises.
var waits = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// Attempts is how often a delivery is tried at most.
var Attempts = len(waits) + 1

// Wait says how long to wait after the given failed attempt, counted from 1,
// and whether to try again at all. A tenth of the pause, up or down, is chance,
// so that what failed together does not come back together.
func Wait(attempt int) (time.Duration, bool) {
	if attempt < 1 || attempt > len(waits) {
		return 0, false
	}
	pause := waits[attempt-1]
	return pause + time.Duration((rand.Float64()-0.5)*0.2*float64(pause)), true // #nosec G404 -- spreads load, guards nothing
}
