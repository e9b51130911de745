package deferral

import "github.com/optria-iq/optria/internal/optimize"

// Output is a verified answer with everything the result page shows. Money is
// SAR of expected cost.
type Output struct {
	Certificate optimize.Certificate `json:"certificate"`
	Actions     []Deferral           `json:"actions"` // in the order of Input.Actions
	Objective   Terms                `json:"objective"`
	Baseline    *Terms               `json:"baseline,omitempty"` // the current plan, when every action has a day in it
	Fleet       []Fleet              `json:"fleet"`              // deferring every job by 7, 30 and 90 days
	Replicates  int                  `json:"replicates"`         // behind every band; 0 = the bootstrap was stopped before all had one
	PinPrices   []PinPrice           `json:"pin_prices,omitempty"`
}

// Deferral is what is known about waiting with one job.
type Deferral struct {
	ActionID    string            `json:"action_id"`
	Day         int               `json:"day"`            // the cheapest open day, or the pinned one
	Pinned      bool              `json:"pinned"`         //
	Verdict     optimize.Verdict  `json:"verdict"`        // do, wait or same
	Until       int               `json:"until"`          // day of the verdict: do on, wait until, no difference before
	Cost        Terms             `json:"cost"`           // of Day
	Rate        float64           `json:"rate"`           // g, SAR per day
	OptimalAge  *float64          `json:"optimal_age"`    // days at which a healthy asset is due, nil = never
	PFail       []float64         `json:"p_fail"`         // within 7, 30 and 90 days
	Wait        []float64         `json:"wait"`           // weighted C at 7, 30 and 90 days
	PFailEnd    float64           `json:"p_fail_end"`     // before the last day of the horizon
	Curve       []float64         `json:"curve"`          // C(d), weighted, 0 on day 0
	Low         []float64         `json:"low,omitempty"`  // band of Curve, pointwise
	High        []float64         `json:"high,omitempty"` //
	Closed      []bool            `json:"closed"`
	Reasons     []optimize.Reason `json:"reasons"`
	FailureGain float64           `json:"failure_gain"` // expected failure cost avoided against waiting to the last day
}

// Terms are the parts of an expected cost: the planned job, failures before
// it, the life that waiting uses (a gain: later renewals of the asset) and the
// age that an imperfect job leaves. Total is their sum and Weighted what was
// minimised.
type Terms struct {
	Work     float64 `json:"work"`
	Failure  float64 `json:"failure"`
	Life     float64 `json:"life"`
	Left     float64 `json:"left"`
	Total    float64 `json:"total"`
	Weighted float64 `json:"weighted"`
}

// weighed fills the totals.
func (t Terms) weighed(w optimize.Weights) Terms {
	cost, risk := w.Values()
	rest := t.Work + t.Life + t.Left
	t.Total = rest + t.Failure
	t.Weighted = cost*rest + risk*t.Failure
	return t
}

func (t Terms) plus(u Terms) Terms {
	return Terms{t.Work + u.Work, t.Failure + u.Failure, t.Life + u.Life, t.Left + u.Left, t.Total + u.Total, t.Weighted + u.Weighted}
}

// Fleet is what deferring every job by Days from day 0 costs, whatever the
// calendar says, with its band (equal to Cost when there is none).
type Fleet struct {
	Days int     `json:"days"`
	Cost float64 `json:"cost"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// milestones are the deferrals in days that are shown as figures.
var milestones = [3]int{7, 30, 90}

// PinPrice is what one pin costs: the difference of two verified plans.
type PinPrice struct {
	ActionID string  `json:"action_id"`
	Value    float64 `json:"value"`
}

// choices returns the plan as plain decisions.
func (o Output) choices() []Choice {
	plan := make([]Choice, len(o.Actions))
	for i, a := range o.Actions {
		plan[i] = Choice{ActionID: a.ActionID, Day: a.Day}
	}
	return plan
}
