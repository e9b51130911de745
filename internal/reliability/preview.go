package reliability

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/optimize"
)

// Figures are what a score says of an asset, in the units of scores: health 0
// to 100, days, SAR, and the risk index 0 to 100.
type Figures struct {
	AsOf           time.Time `json:"as_of"`
	Health         float64   `json:"health"`
	P30            float64   `json:"p30"`
	RULDays        float64   `json:"rul_days"`
	BeyondCap      bool      `json:"beyond_cap"` // the remaining life is longer than scores look
	RiskSAR        float64   `json:"risk_sar"`
	RiskIndex      float64   `json:"risk_index"`
	RiskLevel      int       `json:"risk_level"`
	Trusted        bool      `json:"trusted"`
	EvidenceFactor float64   `json:"evidence_factor"`
}

// Advice is what a plan says of the job of one asset. StartDay counts from the
// start of the horizon and is −1 for a deferred job. AtStake is the cost in SAR
// that the decision avoids against not acting. DeferCost is what deferring
// past the horizon would cost more than the plan's choice, zero for a job that
// is deferred.
type Advice struct {
	Do        bool    `json:"do"`
	StartDay  int     `json:"start_day"`
	Rank      int     `json:"rank"`
	AtStake   float64 `json:"at_stake"`
	DeferCost float64 `json:"defer_cost"`
}

// Difference is one recommendation that an edit changes. Before or After is nil
// where the asset had or has no job to plan.
type Difference struct {
	AssetID uuid.UUID `json:"asset_id"`
	Before  *Advice   `json:"before,omitempty"`
	After   *Advice   `json:"after,omitempty"`
}

// Moved reports whether the decision or its day changes, and not the rank alone.
func (d Difference) Moved() bool {
	return d.Before == nil || d.After == nil || d.Before.Do != d.After.Do || d.Before.StartDay != d.After.StartDay
}

// Plans compares the plan for the next Days days from Start without the edit
// and with it. Costs are expected costs in SAR. Exact says that both plans
// were proven best, so that no difference comes from the search.
type Plans struct {
	Start       string       `json:"start"` // YYYY-MM-DD
	Days        int          `json:"days"`
	Preset      string       `json:"preset"`
	CostBefore  float64      `json:"cost_before"`
	CostAfter   float64      `json:"cost_after"`
	Differences []Difference `json:"differences"` // the edited asset first, then by what is at stake
	OwnBefore   *Advice      `json:"own_before,omitempty"`
	OwnAfter    *Advice      `json:"own_after,omitempty"`
	Exact       bool         `json:"exact"`
	CutShort    bool         `json:"cut_short"` // the clock ended a search: a repetition may differ
}

// Preview is what an edit of one asset would change. Plans is nil when there is
// no priced job to plan; NoPlanKey then says why.
type Preview struct {
	AssetID   uuid.UUID `json:"asset_id"`
	Before    Figures   `json:"before"`
	After     Figures   `json:"after"`
	Plans     *Plans    `json:"plans,omitempty"`
	NoPlanKey string    `json:"no_plan_key,omitempty"`
}

// Compare lists what changes between two plans of the same plant, that of the
// edited asset first.
func Compare(edited uuid.UUID, before, after optimize.View) (Plans, error) {
	old, err := adviceOf(before)
	if err != nil {
		return Plans{}, err
	}
	fresh, err := adviceOf(after)
	if err != nil {
		return Plans{}, err
	}
	p := Plans{Start: after.Start, Days: after.Periods, CostBefore: before.Total, CostAfter: after.Total,
		OwnBefore: old[edited], OwnAfter: fresh[edited], Differences: []Difference{}}
	seen := map[uuid.UUID]bool{}
	for _, all := range []map[uuid.UUID]*Advice{old, fresh} {
		for id := range all {
			d := Difference{AssetID: id, Before: old[id], After: fresh[id]}
			if !seen[id] && (d.Moved() || d.Before.Rank != d.After.Rank) {
				p.Differences = append(p.Differences, d)
			}
			seen[id] = true
		}
	}
	slices.SortFunc(p.Differences, func(a, b Difference) int {
		if (a.AssetID == edited) != (b.AssetID == edited) {
			if a.AssetID == edited {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.atStake(), a.atStake()), slices.Compare(a.AssetID[:], b.AssetID[:]))
	})
	return p, nil
}

func (d Difference) atStake() float64 {
	v := 0.0
	for _, a := range []*Advice{d.Before, d.After} {
		if a != nil {
			v = math.Max(v, a.AtStake)
		}
	}
	return v
}

// adviceOf reads the lines of a plan by asset; their order is their rank.
func adviceOf(v optimize.View) (map[uuid.UUID]*Advice, error) {
	out := make(map[uuid.UUID]*Advice, len(v.Lines))
	for i, l := range v.Lines {
		id, err := uuid.Parse(l.AssetID)
		if err != nil {
			return nil, fmt.Errorf("read asset of line %d: %w", i+1, err)
		}
		a := &Advice{Do: l.Verdict == optimize.VerdictDo, StartDay: -1, Rank: i + 1, AtStake: l.Value}
		if a.Do {
			a.StartDay = int(l.Start)
			for _, m := range l.Moves {
				if m.Period < 0 {
					a.DeferCost = m.Delta
				}
			}
		}
		out[id] = a
	}
	return out, nil
}
