package maintenance

import "github.com/optria-iq/optria/internal/optimize"

// Output is a verified plan with everything the result page shows. Money is
// SAR of expected cost unless a field says otherwise.
type Output struct {
	Certificate optimize.Certificate `json:"certificate"`
	Schedule    []Decision           `json:"schedule"` // in the order of Input.Actions
	Objective   Terms                `json:"objective"`
	Baseline    *Terms               `json:"baseline,omitempty"` // the current plan, when every action has one
	Assets      []Rank               `json:"assets"`             // by value at stake, greatest first
	Sites       []Rank               `json:"sites"`
	Curves      []Curve              `json:"curves"` // in the order of Input.Actions
	Load        []Load               `json:"load"`   // use of each resource
	Prices      []Price              `json:"prices,omitempty"`
	PinPrices   []PinPrice           `json:"pin_prices,omitempty"`
}

// Decision is what the plan does with one action.
type Decision struct {
	ActionID     string            `json:"action_id"`
	AssetID      string            `json:"asset_id"`
	SiteID       string            `json:"site_id"`
	Deferred     bool              `json:"deferred"`
	StartDay     int               `json:"start_day"` // −1 when deferred
	EndDay       int               `json:"end_day"`   // last day in progress, −1 when deferred
	Pinned       bool              `json:"pinned,omitempty"`
	Cost         Terms             `json:"cost"`
	PFail        float64           `json:"p_fail"`         // P(failure before the start, or in the horizon when deferred)
	PFailHorizon float64           `json:"p_fail_horizon"` // P(failure in the horizon without the job)
	ValueAtStake float64           `json:"value_at_stake"` // cost of deferring minus cost of this day
	CheapestDay  int               `json:"cheapest_day"`   // day of least cost without any other action, −1 = deferral
	VsBaseline   float64           `json:"vs_baseline"`    // cost of this day minus cost of the current day
	HasBaseline  bool              `json:"has_baseline"`   //
	Reasons      []optimize.Reason `json:"reasons"`        // at most five, strongest first
}

// Terms are the parts of an expected cost; Total is their plain sum and
// Weighted what was minimised.
type Terms struct {
	PlannedWork   float64 `json:"planned_work"`
	PlannedOutage float64 `json:"planned_outage"`
	Failure       float64 `json:"failure"`
	Residual      float64 `json:"residual"`
	Tail          float64 `json:"tail"`
	Total         float64 `json:"total"`
	Weighted      float64 `json:"weighted"`
}

// Rank is an asset or a site with the cost avoided by acting on the planned
// days against not acting within the horizon.
type Rank struct {
	ID           string  `json:"id"`
	ValueAtStake float64 `json:"value_at_stake"`
	FailureCost  float64 `json:"failure_cost"` // expected failure cost that remains under the plan
	Actions      int     `json:"actions"`
	Deferred     int     `json:"deferred"`
}

// Curve holds, for one action, the cost of moving it to each day while the
// rest of the plan stays: Delta[d] is cost at day d minus cost as planned, the
// last entry stands for deferral. Feasible says whether every constraint
// still holds. Days on which the job cannot be placed at all have Delta of
// the day's own cost and Feasible false.
type Curve struct {
	ActionID string    `json:"action_id"`
	Delta    []float64 `json:"delta"`
	Feasible []bool    `json:"feasible"`
}

// Load is the use of one resource per day of the horizon.
type Load struct {
	Resource  string    `json:"resource"`
	Used      []float64 `json:"used"`
	Available []float64 `json:"available"`
}

// Price is the value of Step more units of a resource on every day on which
// it is available: the difference of two verified plans, in objective SAR.
// LowerBound is what the price is at least worth by the certificates; a price
// is exact when both plans are optimal.
type Price struct {
	Resource string  `json:"resource"`
	Step     float64 `json:"step"`
	Value    float64 `json:"value"`
	Exact    bool    `json:"exact"`
}

// PinPrice is what one pin costs: the difference of two verified plans.
type PinPrice struct {
	ActionID string  `json:"action_id"`
	Value    float64 `json:"value"`
	Exact    bool    `json:"exact"`
}
