// Package ledger sets what a released plan promised against what came of it.
//
// Promise and outcome are measured alike, over the window of the plan alone.
// An asset with the chance p of failing within the window without its job is
// taken to have a constant hazard in it, so over a share s of the window the
// chance is 1 − (1 − p)^s. A job promises to avoid that chance from its planned
// end on, and has avoided it from the day on which it was done until today or
// the end of the window. Whether each failure would have come is an independent
// coin of that chance; intervals are the 10 % and 90 % quantiles of their sum
// (Wang, On the number of successes in independent trials, Statistica Sinica 3,
// 1993). What a renewed asset saves after the window is left out of both sides.
//
// Money is SAR, chances lie between 0 and 1, times are moments.
package ledger

import (
	"math"
	"time"
)

// Window is the time for which a plan made its promise: From is the beginning
// of its first day, To the end of its last.
type Window struct{ From, To time.Time }

// Over reports whether the window lies behind a moment.
func (w Window) Over(now time.Time) bool { return !now.Before(w.To) }

// share is the part of the window between two moments, both cut to the window.
func (w Window) share(from, to time.Time) float64 {
	if from.Before(w.From) {
		from = w.From
	}
	if to.After(w.To) {
		to = w.To
	}
	whole := w.To.Sub(w.From)
	if whole <= 0 || !to.After(from) {
		return 0
	}
	return float64(to.Sub(from)) / float64(whole)
}

// Case is one decision of a plan and what is known of it by now.
type Case struct {
	Acted       bool       // the plan has a job for the asset; else it let it wait
	Planned     float64    // cost of the job as planned, its outage included
	Expected    float64    // expected cost under the plan, failures included
	Value       float64    // cost of waiting minus expected cost, as the plan has it
	Chance      float64    // of failing in the window without the job
	Consequence float64    // cost of an unplanned failure
	PlannedEnd  time.Time  // of the job
	Done        *time.Time // when the job was done
	Cancelled   bool
	Cost        *float64    // what the job cost, when that was recorded
	Failures    []time.Time // of the asset, in the order of time
}

// Outcome says what became of a case.
type Outcome string

// The outcomes. A failure found when the job was begun came before it.
const (
	Pending      Outcome = "pending"       // the job is still to be done
	Done         Outcome = "done"          // done, and no failure since
	FailedBefore Outcome = "failed_before" // failed before the job was done
	FailedAfter  Outcome = "failed_after"  // failed in the window although the job was done
	Cancelled    Outcome = "cancelled"
	Waiting      Outcome = "waiting" // left to wait, and has not failed
	FailedWaited Outcome = "failed_waited"
)

// Failed reports whether the asset failed within the window.
func (o Outcome) Failed() bool {
	return o == FailedBefore || o == FailedAfter || o == FailedWaited
}

// Result is a case with its outcome. Avoided is the chance that a failure has
// been avoided so far, Promised the one that the plan stood for.
type Result struct {
	Case
	Outcome           Outcome
	Promised, Avoided float64
	Spent             float64 // actual cost of a job that was done, else its planned cost
	Loss              float64 // consequence of a failure that happened
}

// Judge finds out what became of a case by now.
func (w Window) Judge(c Case, now time.Time) Result {
	r := Result{Case: c, Outcome: w.outcome(c, now)}
	if c.Acted {
		r.Promised = over(c.Chance, w.share(c.PlannedEnd, w.To))
	}
	if c.Done != nil {
		r.Spent = c.Planned
		if c.Cost != nil {
			r.Spent = *c.Cost
		}
	}
	if r.Outcome == Done || r.Outcome == FailedAfter {
		r.Avoided = over(c.Chance, w.share(*c.Done, now))
	}
	if r.Outcome.Failed() {
		r.Loss = c.Consequence
	}
	return r
}

func (w Window) outcome(c Case, now time.Time) Outcome {
	var failure *time.Time
	for i, t := range c.Failures {
		if !t.Before(w.From) && t.Before(w.To) && !t.After(now) {
			failure = &c.Failures[i]
			break
		}
	}
	switch {
	case !c.Acted && failure != nil:
		return FailedWaited
	case !c.Acted:
		return Waiting
	case failure != nil && (c.Done == nil || !failure.After(*c.Done)):
		return FailedBefore
	case failure != nil:
		return FailedAfter
	case c.Done != nil:
		return Done
	case c.Cancelled:
		return Cancelled
	}
	return Pending
}

// over is the chance p of a whole window for a share of it.
func over(p, share float64) float64 {
	p = min(max(p, 0), 1)
	switch {
	case share <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return -math.Expm1(share * math.Log1p(-p))
}

// Estimate is an expected value with its 80 % interval.
type Estimate struct{ Mean, Lo, Hi float64 }

// Meets reports whether two intervals have a value in common.
func (e Estimate) Meets(o Estimate) bool { return e.Lo <= o.Hi && o.Lo <= e.Hi }

// holding widens an interval to hold its mean. The sum of few rare failures is
// so skewed that the mean lies outside of the quantiles.
func (e Estimate) holding() Estimate { return Estimate{e.Mean, min(e.Lo, e.Mean), max(e.Hi, e.Mean)} }

// Promise is what a plan stood for when it was released.
type Promise struct {
	Jobs, Waiting int
	Planned       float64  // cost of its jobs
	Expected      float64  // expected cost of all its decisions
	Value         float64  // value at stake of its jobs, as the plan has it
	Avoided       Estimate // failures
	Net           Estimate // of the window: failures avoided minus cost of jobs
}

// Account is what has come of it so far.
type Account struct {
	Done, Open, Cancelled int
	Spent                 float64
	Recorded              int // jobs whose actual cost was recorded
	FailedBefore          int
	FailedAfter           int
	FailedWaited          int
	Loss                  float64  // of failures that happened
	Avoided               Estimate // failures, of jobs done and not failed since
	Net                   Estimate // failures avoided minus cost and failures after a job
	Attainment            Attainment
}

// Verdict compares both when the window is over.
type Verdict string

// The verdicts. A promise is kept when the intervals of both net values meet.
const (
	TooEarly Verdict = "too_early" // the window is still running
	Nothing  Verdict = "nothing"   // no job was done
	Kept     Verdict = "kept"
	Better   Verdict = "better"
	Worse    Verdict = "worse"
)

// Entry is the page of one plan in the ledger, or the sum of several.
type Entry struct {
	Promise Promise
	Account Account
	Verdict Verdict
}

// Sum adds results up and judges them; over says whether the time of the
// promise is past.
func Sum(results []Result, over bool) Entry {
	var e Entry
	var promised, avoided []coin
	var certain float64 // failures after a job, which would not have been without it
	var counted []float64
	for _, r := range results {
		e.Promise.Expected += r.Expected
		if !r.Acted {
			e.Promise.Waiting++
		} else {
			e.Promise.Jobs++
			e.Promise.Planned += r.Planned
			e.Promise.Value += r.Value
			promised = append(promised, coin{r.Promised, r.Consequence})
		}
		e.Account.add(r)
		switch r.Outcome {
		case Done:
			counted = append(counted, r.Avoided)
			avoided = append(avoided, coin{r.Avoided, r.Consequence})
		case FailedAfter:
			avoided = append(avoided, coin{r.Avoided, r.Consequence})
			certain += r.Consequence
		}
	}
	e.Promise.Avoided = count(chances(promised))
	e.Promise.Net = worth(promised).holding().minus(e.Promise.Planned)
	e.Account.Avoided = count(counted)
	e.Account.Net = worth(avoided).holding().minus(e.Account.Spent + certain)
	e.Verdict = e.judge(over)
	return e
}

func (a *Account) add(r Result) {
	a.Spent += r.Spent
	a.Loss += r.Loss
	switch {
	case !r.Acted:
	case r.Done != nil:
		a.Done++
		if r.Cost != nil {
			a.Recorded++
		}
	case r.Case.Cancelled:
		a.Cancelled++
	default:
		a.Open++
	}
	switch r.Outcome {
	case FailedBefore:
		a.FailedBefore++
	case FailedAfter:
		a.FailedAfter++
	case FailedWaited:
		a.FailedWaited++
	}
}

func (e Entry) judge(over bool) Verdict {
	switch {
	case !over:
		return TooEarly
	case e.Account.Done == 0:
		return Nothing
	case e.Account.Net.Meets(e.Promise.Net):
		return Kept
	case e.Promise.Net.Hi < e.Account.Net.Lo:
		return Better
	}
	return Worse
}

func (e Estimate) minus(v float64) Estimate { return Estimate{e.Mean - v, e.Lo - v, e.Hi - v} }
