package production

import "github.com/optria-iq/optria/internal/optimize"

// Output is a verified plan with everything the result page shows. Money is
// SAR of expected cost unless a field says otherwise.
type Output struct {
	Certificate optimize.Certificate `json:"certificate"`
	Profiles    []Profile            `json:"profiles"` // in the order of Input.Units
	Supplies    []Supply             `json:"supplies"` // in the order of Input.Targets
	Objective   Terms                `json:"objective"`
	Baseline    *Terms               `json:"baseline,omitempty"` // the current profile, when every unit has one
	Frontier    []Point              `json:"frontier"`           // by rising cost
	Prices      []Price              `json:"prices,omitempty"`
	PinPrices   []PinPrice           `json:"pin_prices,omitempty"`
}

// Profile is what the plan does with one unit.
type Profile struct {
	Run
	Pinned  bool              `json:"pinned,omitempty"`
	Starts  int               `json:"starts"`
	Cost    Terms             `json:"cost"`   // of this unit alone, without shortfall
	PFail   float64           `json:"p_fail"` // P(failure in the horizon) under the profile
	Value   float64           `json:"value"`  // what the plan would cost more with this unit off and the others as they are
	Reasons []optimize.Reason `json:"reasons"`
}

// Supply is one target under the plan, per period.
type Supply struct {
	Target    string    `json:"target"`
	Produced  []float64 `json:"produced"`  // per hour
	Shortfall []float64 `json:"shortfall"` // per hour
	Surplus   []float64 `json:"surplus"`   // per hour, lost
	Level     []float64 `json:"level"`     // of the storage at the end of the period, units
	// MarginalPrice is the weighted cost of one unit more of demand while the
	// units that run stay the same (the dual of the demand); nil when unknown.
	MarginalPrice []float64 `json:"marginal_price,omitempty"`
}

// Terms are the parts of an expected cost; Total is their plain sum and
// Weighted what was minimised. Failure interpolates the hazard between loads
// (see RiskSegments) and is never below FailureExact, which follows the power
// law itself and is not part of the sum.
type Terms struct {
	Energy       float64 `json:"energy"` // with fuel
	Starts       float64 `json:"starts"`
	Shortfall    float64 `json:"shortfall"`
	Failure      float64 `json:"failure"`
	Total        float64 `json:"total"`
	Weighted     float64 `json:"weighted"`
	FailureExact float64 `json:"failure_exact"`
}

// production is the cost without failures.
func (t Terms) production() float64 { return t.Energy + t.Starts + t.Shortfall }

func (t *Terms) add(u Terms) {
	t.Energy += u.Energy
	t.Starts += u.Starts
	t.Shortfall += u.Shortfall
	t.Failure += u.Failure
	t.Total += u.Total
	t.Weighted += u.Weighted
	t.FailureExact += u.FailureExact
}

// Point is one verified plan of the frontier: no other found is better in
// both cost and risk. Bound is proven for RiskWeight.
type Point struct {
	RiskWeight float64 `json:"risk_weight"`
	Cost       float64 `json:"cost"`       // without failures
	Risk       float64 `json:"risk"`       // expected failure cost
	Production float64 `json:"production"` // units delivered to the targets
	Gap        float64 `json:"gap"`
	BoundKnown bool    `json:"bound_known"`
	Runs       []Run   `json:"runs"`
}

// Price is the value of Step more of a bottleneck: the maximum load of a unit,
// per hour, or the capacity of the storage of a target, in units. It is the
// difference of two verified plans, in objective SAR, and exact when both are
// optimal.
type Price struct {
	Resource string  `json:"resource"` // ID of the unit or target
	Step     float64 `json:"step"`
	Unit     string  `json:"unit"`
	Value    float64 `json:"value"`
	Exact    bool    `json:"exact"`
}

// PinPrice is what one pin costs: the difference of two verified plans.
type PinPrice struct {
	UnitID string  `json:"unit_id"`
	Value  float64 `json:"value"`
	Exact  bool    `json:"exact"`
}

// The reasons that only this problem gives, beside optimize.ReasonPinned.
const (
	// ReasonServesTarget: with the unit off, the plan would cost Money more at
	// the target Constraint.
	ReasonServesTarget optimize.ReasonCode = "serves_target"
	// ReasonIdle: running the unit at its minimum throughout would cost Money.
	ReasonIdle optimize.ReasonCode = "idle_cheaper"
	// ReasonWear: running at rated load in the same periods would add Money of
	// expected failure cost.
	ReasonWear optimize.ReasonCode = "spares_wear"
	// ReasonTariff: the same energy spread evenly over the horizon would cost
	// Money more.
	ReasonTariff optimize.ReasonCode = "cheap_hours"
	// ReasonLessRisk: expected failure cost is Money below the current profile.
	ReasonLessRisk optimize.ReasonCode = "less_risk"
	// ReasonOutage: the unit is out from period Day on; Constraint is the ID of
	// the outage.
	ReasonOutage optimize.ReasonCode = "planned_outage"
	// The other rules that an infeasible input may break.
	ReasonTarget  optimize.ReasonCode = "target"
	ReasonStorage optimize.ReasonCode = "storage"
)
