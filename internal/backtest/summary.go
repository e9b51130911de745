package backtest

import (
	"math/rand/v2"
	"slices"
)

// The interval is the middle eighty per cent of so many resamples.
const (
	resamples = 2000
	tail      = 0.1
)

// Range is an interval.
type Range struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Summary is what a replay comes to. Failures are those that really happened
// in the period; Avoided of them is expected, that is less the chance that a
// renewed unit had failed as well. Net is the expected worth of following the
// plans, SAR. The ranges are 80 % intervals.
type Summary struct {
	Counts       map[Verdict]int `json:"counts"`
	Failures     int             `json:"failures"`
	Avoided      float64         `json:"avoided"`
	AvoidedRange Range           `json:"avoided_range"`
	Net          float64         `json:"net_sar"`
	NetRange     Range           `json:"net_sar_range"`
	WithEvidence int             `json:"with_evidence"` // jobs that a score of that time stood behind
	Jobs         int             `json:"jobs"`
}

// Needless is how many jobs nothing called for.
func (s Summary) Needless() int { return s.Counts[Needless] }

// Result is a whole replay: what it comes to, every case, and how many assets
// were planned and decisions made.
type Result struct {
	Summary Summary `json:"summary"`
	Cases   []Case  `json:"cases"`
	Origins int     `json:"origins"`
	Assets  int     `json:"assets"`
	// Cut counts decisions whose search the clock ended before its budget of
	// iterations: those alone may differ when the replay is repeated.
	Cut int `json:"cut"`
}

// Verdicts lists the verdicts in the order of pages.
func Verdicts() []Verdict {
	return []Verdict{Avoided, Missed, Needless, Moved, Kept, TooEarly, Quiet}
}

// Summarize adds the cases up. The intervals come from a bootstrap over cases
// (Efron, 1979), which says how much rests on the luck of few failures, with a
// draw for each renewed unit whether it fails again; the same seed gives the
// same intervals.
func Summarize(cases []Case, seed int64) Summary {
	s := Summary{Counts: map[Verdict]int{}}
	for _, c := range cases {
		s.Counts[c.Verdict]++
		s.Net += c.Saved
		if c.Failed {
			s.Failures++
		}
		if c.Verdict == Avoided {
			s.Avoided += 1 - c.Relapse
		}
		if c.Job != nil {
			s.Jobs++
		}
		if c.WithEvidence {
			s.WithEvidence++
		}
	}
	if len(cases) == 0 {
		return s
	}
	rng := rand.New(rand.NewPCG(uint64(seed), uint64(len(cases)))) // #nosec G115 G404 -- a reproducible sample, not a secret
	nets, avoided := make([]float64, resamples), make([]float64, resamples)
	for i := range resamples {
		for range cases {
			c := cases[rng.IntN(len(cases))]
			relapsed := rng.Float64() < c.Relapse
			nets[i] += c.outcome(relapsed)
			if c.Verdict == Avoided && !relapsed {
				avoided[i]++
			}
		}
	}
	s.NetRange, s.AvoidedRange = middle(nets), middle(avoided)
	return s
}

// outcome is what following the plan had been worth, given whether the renewed
// unit failed before the real end.
func (c Case) outcome(relapsed bool) float64 {
	worth := 0.0
	switch c.Verdict {
	case Avoided:
		worth = c.failureCost - c.plannedCost
	case Needless:
		worth = -c.plannedCost
	default:
		return 0
	}
	if relapsed {
		worth -= c.failureCost
	}
	return worth
}

func middle(values []float64) Range {
	slices.Sort(values)
	at := func(share float64) float64 { return values[int(share*float64(len(values)-1)+0.5)] }
	return Range{Lo: at(tail), Hi: at(1 - tail)}
}
