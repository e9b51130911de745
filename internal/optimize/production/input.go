package production

import "github.com/optria-iq/optria/internal/optimize"

// Input is one ProductionRiskOptimizationProblem: how the units of a plant run
// over a horizon of equal periods. Loads, demands and capacities are in the
// unit of the target that a unit supplies, rates per hour unless a field says
// otherwise. Money is SAR.
type Input struct {
	Start       string   `json:"start"` // local time of period 0, YYYY-MM-DD or YYYY-MM-DDTHH:MM
	Periods     int      `json:"periods"`
	PeriodHours float64  `json:"period_hours"` // length of a period
	Units       []Unit   `json:"units"`
	Targets     []Target `json:"targets"`
	// Attended has one entry per period: whether crews are there to start
	// units that need them. nil means always.
	Attended []bool           `json:"attended,omitempty"`
	Weights  optimize.Weights `json:"weights"`
	Pins     []Pin            `json:"pins,omitempty"`
	// WarmStart is a profile to start from. Unknown units and loads that no
	// longer fit are ignored.
	WarmStart []Run `json:"warm_start,omitempty"`
	// FrontierPoints is how many plans between production and risk are asked
	// for; 0 counts as 7.
	FrontierPoints int `json:"frontier_points,omitempty"`
}

// Unit is one machine that is either off or runs between MinLoad and MaxLoad.
type Unit struct {
	ID        string  `json:"id"`
	AssetID   string  `json:"asset_id"`
	SiteID    string  `json:"site_id"`
	Tag       string  `json:"tag,omitempty"`
	Target    string  `json:"target"` // ID of the target it supplies
	MinLoad   float64 `json:"min_load"`
	RatedLoad float64 `json:"rated_load"` // the hazard of its failure modes holds here
	MaxLoad   float64 `json:"max_load"`
	// RampUp and RampDown limit the change of load per hour of running; a unit
	// starts and stops within one ramp of MinLoad. nil is no limit.
	RampUp       *float64 `json:"ramp_up,omitempty"`
	RampDown     *float64 `json:"ramp_down,omitempty"`
	MinUpHours   float64  `json:"min_up_hours"`
	MinDownHours float64  `json:"min_down_hours"`
	StartCost    float64  `json:"start_cost"` // SAR per start
	// AttendedStart units start only in attended periods.
	AttendedStart bool `json:"attended_start,omitempty"`
	// Energy is the electric power over the load, by rising load from MinLoad
	// or below to MaxLoad or above, and convex: each step of load takes at
	// least as much as the one before.
	Energy []EnergyPoint `json:"energy"`
	// Tariff is the price of energy per period, SAR/MWh.
	Tariff      []float64 `json:"tariff"`
	FuelPerUnit float64   `json:"fuel_per_unit,omitempty"` // SAR per unit produced
	// Running, Load and StateHours describe the time before period 0: the
	// state, the load and how long it has lasted.
	Running    bool          `json:"running"`
	Load       float64       `json:"load,omitempty"`
	StateHours float64       `json:"state_hours"`
	Outages    []Outage      `json:"outages,omitempty"` // periods in which it must be off
	Failures   []FailureMode `json:"failures,omitempty"`
	// Current is the load per period in the current profile, 0 while off; nil
	// when there is none.
	Current []float64 `json:"current,omitempty"`
	// RiskLoads are further loads at which the expected failure cost is exact,
	// see RiskSegments.
	RiskLoads []float64 `json:"risk_loads,omitempty"`
}

// EnergyPoint is one corner of the power curve.
type EnergyPoint struct {
	Load float64 `json:"load"`
	KW   float64 `json:"kw"`
}

// Outage keeps a unit off from period From until before period To, for planned
// work, an embargo or a calendar.
type Outage struct {
	ID   string `json:"id"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// FailureMode is one way in which a running unit fails. Its hazard at load ℓ
// is RatePerHour·Factor·(ℓ/RatedLoad)^Exponent; ISO 281 gives the exponents 3
// for ball and 10/3 for roller bearings.
type FailureMode struct {
	Mode        string  `json:"mode"`
	RatePerHour float64 `json:"rate_per_hour"` // at rated load, conditional on the age
	Factor      float64 `json:"factor"`        // of condition and evidence; 0 counts as 1
	Exponent    float64 `json:"exponent"`      // at least 1
	Consequence float64 `json:"consequence"`   // SAR per failure, redundancy considered
}

// Target is what a group of units has to produce together.
type Target struct {
	ID     string    `json:"id"`
	SiteID string    `json:"site_id"`
	Name   string    `json:"name,omitempty"`
	Unit   string    `json:"unit"`   // of what is produced, such as m3
	Demand []float64 `json:"demand"` // per hour, one entry per period
	// ShortfallCost is the SAR lost per unit missing; nil means that demand
	// must be met.
	ShortfallCost *float64 `json:"shortfall_cost,omitempty"`
	Storage       *Storage `json:"storage,omitempty"`
}

// Storage holds product between periods, in units. Without storage, what is
// produced beyond the demand is lost.
type Storage struct {
	Capacity float64 `json:"capacity"`
	Level    float64 `json:"level"`               // before period 0
	MinFinal float64 `json:"min_final,omitempty"` // after the last period
}

// Pin holds a unit from period From until before period To: at Load, off, or,
// with neither, running at any load.
type Pin struct {
	UnitID string   `json:"unit_id"`
	From   int      `json:"from"`
	To     int      `json:"to"`
	Off    bool     `json:"off,omitempty"`
	Load   *float64 `json:"load,omitempty"`
}

// Run is the profile of one unit: state and load per period.
type Run struct {
	UnitID string    `json:"unit_id"`
	On     []bool    `json:"on"`
	Load   []float64 `json:"load"` // 0 while off
}
