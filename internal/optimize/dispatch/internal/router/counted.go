package router

import "time"

// What the steps of a counted search stand for, measured on one shared core:
// a move, an extension of a route or a place for a job that is looked at, and a
// visit of a pooled route in a recombination.
const (
	moveWork  = time.Microsecond
	placeWork = 90 * time.Nanosecond
	visitWork = 5 * time.Nanosecond
)

// recombineShare is the part of the work of a run that one recombination may
// take.
const recombineShare = 15

// counted says whether work is counted in place of time or moves.
func (t *team) counted() bool { return t.MaxIterations <= 0 && t.Work > 0 }

// share is the work of one thread in one round.
func (t *team) share() time.Duration { return t.Work / rounds }

// spent is what an annealer has done so far, recombinations included.
func (a *annealer) spent() time.Duration {
	return time.Duration(a.moves)*moveWork + time.Duration(a.work)*placeWork + time.Duration(a.recombined)*visitWork
}

// annealCounted runs one member until its share of the round is done.
func (t *team) annealCounted(a *annealer) {
	const glance = 16 // moves between looks at the clock
	until := t.share() * time.Duration(t.round+1)
	temperature := t.temperature(float64(t.round) / rounds)
	for k := 0; a.spent() < until; k++ {
		if k%glance == 0 && t.expired() {
			return
		}
		a.step(temperature)
	}
}

// recombineVisits is how many visits a recombination may look at, 0 for any
// number.
func (t *team) recombineVisits() int64 {
	if !t.counted() {
		return 0
	}
	return int64(t.Work / recombineShare / visitWork)
}
