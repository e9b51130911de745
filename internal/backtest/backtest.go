// Package backtest judges past decisions: had the plans of the product been
// followed, which failures would have been avoided, which jobs would have been
// needless, and what would it have been worth. It is pure. Callers replay a
// period with a rolling origin, one plan per origin made only from what was
// known then, and hand over the plans with the lives that really happened.
//
// Each real life of an asset is one case and is judged by itself: from its
// beginning to its end in a failure, in a planned renewal, or to the end of the
// period. The first job that a plan of that time would have carried out renews
// the asset; whether the renewed unit would have failed before the real end is
// a chance of its Weibull life. What lies beyond the real end is not guessed
// at, which leaves out the longer remaining life of a renewed unit and so tells
// against the plans rather than for them.
package backtest

import (
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// Life is one life of an asset that really happened. Ended is zero for one
// that still ran at the end of the period.
type Life struct {
	AssetID string
	Began   time.Time
	Ended   time.Time
	Failed  bool // ended in a failure, otherwise in a planned renewal
}

// open reports whether the life goes on at the end of the period.
func (l Life) open(to time.Time) bool { return l.Ended.IsZero() || l.Ended.After(to) }

// Job is a planned renewal with what was known of the asset when it was
// planned: prices in SAR and the life of a renewed unit.
type Job struct {
	AssetID      string
	Start        time.Time
	FailureCost  float64
	PlannedCost  float64
	RenewedLife  asset.Weibull
	WithEvidence bool // a trusted score of that time stood behind it
}

// Plan is what was decided at one origin. It holds until the next.
type Plan struct {
	Made time.Time
	Jobs []Job
}

// Costs prices a life of an asset that no plan touched, SAR.
type Costs struct{ Failure, Planned float64 }

// Period is the span that is replayed and the days of its last origin within
// which a job is too recent to be called needless.
type Period struct {
	From, To    time.Time
	HorizonDays int
}

// Verdict says how a case came out.
type Verdict string

// The verdicts. Moved is a planned renewal that the plans would have made
// earlier; Kept one that they would not have made by then; Quiet is a running
// asset that they left alone; TooEarly a job so recent that nothing speaks for
// or against it.
const (
	Avoided  Verdict = "avoided"
	Missed   Verdict = "missed"
	Needless Verdict = "needless"
	Moved    Verdict = "moved"
	Kept     Verdict = "kept"
	Quiet    Verdict = "quiet"
	TooEarly Verdict = "too_early"
)

// Case is one life with its verdict. Saved is the expected worth of following
// the plans, SAR, negative for a loss. Relapse is the chance that the renewed
// unit fails before the real end of the life.
type Case struct {
	AssetID      string     `json:"asset_id"`
	Began        time.Time  `json:"began"`
	Ended        *time.Time `json:"ended,omitempty"`
	Failed       bool       `json:"failed"`
	Decided      *time.Time `json:"decided,omitempty"`
	Job          *time.Time `json:"job,omitempty"`
	Verdict      Verdict    `json:"verdict"`
	Saved        float64    `json:"saved_sar"`
	Relapse      float64    `json:"relapse"`
	WithEvidence bool       `json:"with_evidence"`

	failureCost, plannedCost float64
}

// Judge gives every life that ended in the period, or ran at its end, its
// verdict, in the order of asset and beginning. costs prices the failures that
// no plan touched.
func Judge(p Period, lives []Life, plans []Plan, costs func(assetID string, at time.Time) Costs) []Case {
	ordered := slices.Clone(plans)
	slices.SortStableFunc(ordered, func(a, b Plan) int { return a.Made.Compare(b.Made) })
	var cases []Case
	for _, l := range lives {
		if !l.Ended.IsZero() && l.Ended.Before(p.From) || l.Began.After(p.To) {
			continue
		}
		cases = append(cases, judge(p, l, ordered, costs))
	}
	slices.SortStableFunc(cases, func(a, b Case) int {
		if a.AssetID != b.AssetID {
			if a.AssetID < b.AssetID {
				return -1
			}
			return 1
		}
		return a.Began.Compare(b.Began)
	})
	return cases
}

func judge(p Period, l Life, plans []Plan, costs func(string, time.Time) Costs) Case {
	c := Case{AssetID: l.AssetID, Began: l.Began, Failed: l.Failed && !l.open(p.To)}
	end := p.To
	if !l.open(p.To) {
		end, c.Ended = l.Ended, &l.Ended
	}
	job, made, found := firstJob(p, l, end, plans)
	if !found {
		return c.untouched(l.open(p.To), costs(l.AssetID, end))
	}
	c.Job, c.Decided, c.WithEvidence = &job.Start, &made, job.WithEvidence
	c.failureCost, c.plannedCost = job.FailureCost, job.PlannedCost
	c.Relapse = failsWithin(job.RenewedLife, end.Sub(job.Start).Hours()/24)
	switch {
	case c.Failed:
		c.Verdict, c.Saved = Avoided, job.FailureCost-job.PlannedCost-c.Relapse*job.FailureCost
	case !l.open(p.To):
		c.Verdict = Moved
	case job.Start.After(p.To.AddDate(0, 0, -p.HorizonDays)):
		c.Verdict = TooEarly
	default:
		c.Verdict, c.Saved = Needless, -job.PlannedCost-c.Relapse*job.FailureCost
	}
	return c
}

// untouched is the verdict of a life in which the plans would have done
// nothing: reality and plan are the same.
func (c Case) untouched(open bool, costs Costs) Case {
	c.failureCost, c.plannedCost = costs.Failure, costs.Planned
	switch {
	case open:
		c.Verdict = Quiet
	case c.Failed:
		c.Verdict = Missed
	default:
		c.Verdict = Kept
	}
	return c
}

// firstJob finds the first job on the asset that would have been begun: it
// starts within the life, before the plan after it is made and before the life
// ends.
func firstJob(p Period, l Life, end time.Time, plans []Plan) (Job, time.Time, bool) {
	for i, plan := range plans {
		if plan.Made.Before(l.Began) || plan.Made.Before(p.From) || !plan.Made.Before(end) {
			continue
		}
		next := p.To
		if i+1 < len(plans) {
			next = plans[i+1].Made
		}
		for _, j := range plan.Jobs {
			if j.AssetID == l.AssetID && !j.Start.Before(plan.Made) && j.Start.Before(next) && j.Start.Before(end) {
				return j, plan.Made, true
			}
		}
	}
	return Job{}, time.Time{}, false
}

// failsWithin is the Weibull probability that a new unit fails within so many
// days, 1 − exp(−(t/η)^β).
func failsWithin(w asset.Weibull, days float64) float64 {
	if days <= 0 || w.Eta <= 0 {
		return 0
	}
	return -math.Expm1(-math.Pow(days/w.Eta, w.Beta))
}
