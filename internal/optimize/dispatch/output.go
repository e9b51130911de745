package dispatch

import "github.com/optria-iq/optria/internal/optimize"

// Output is a verified plan with everything the result page shows. Times are
// minutes from the start of the horizon, money is SAR.
type Output struct {
	Certificate optimize.Certificate `json:"certificate"`
	Routes      []Route              `json:"routes"`    // by technician and day
	Decisions   []Decision           `json:"decisions"` // in the order of Input.Jobs
	Objective   Terms                `json:"objective"`
	Published   *Terms               `json:"published,omitempty"` // the plan in force, when it still holds
	Changes     int                  `json:"changes"`             // published jobs that move or are dropped
	Utilisation []Utilisation        `json:"utilisation"`         // in the order of Input.Technicians
	Prices      []Price              `json:"prices,omitempty"`
	PinPrices   []PinPrice           `json:"pin_prices,omitempty"`
}

// Route is one technician's shift: leaving the base, the stops, and back.
type Route struct {
	TechnicianID string  `json:"technician_id"`
	Day          int     `json:"day"` // of the shift's start
	Shift        Span    `json:"shift"`
	Depart       float64 `json:"depart"` // as late as the first stop allows
	Return       float64 `json:"return"`
	Stops        []Leg   `json:"stops"`
	Travel       float64 `json:"travel"`   // minutes on the road
	Work         float64 `json:"work"`     // minutes at jobs
	Overtime     float64 `json:"overtime"` // minutes beyond the shift
}

// Leg is the way to a stop and the time there. JobID is empty at the store.
type Leg struct {
	JobID   string  `json:"job_id"`
	SiteID  string  `json:"site_id"`
	Travel  float64 `json:"travel"`
	Arrival float64 `json:"arrival"`
	Start   float64 `json:"start"`
	End     float64 `json:"end"`
}

// Decision is what the plan does with one job. Start and End are −1 when it is
// unserved.
type Decision struct {
	JobID          string            `json:"job_id"`
	Unserved       bool              `json:"unserved,omitempty"`
	Technicians    []string          `json:"technicians,omitempty"` // the crew
	Start          float64           `json:"start"`
	End            float64           `json:"end"`
	Travel         float64           `json:"travel"` // minutes of the crew's way to the job
	Late           float64           `json:"late"`   // minutes after the due time
	Pinned         bool              `json:"pinned,omitempty"`
	PublishedStart *float64          `json:"published_start,omitempty"`
	Changed        bool              `json:"changed,omitempty"` // against the published plan
	Cost           Terms             `json:"cost"`              // lateness, change or unserved risk of this job
	Reasons        []optimize.Reason `json:"reasons"`           // at most optimize.MaxReasons, strongest first
	Relaxation     *Relaxation       `json:"relaxation,omitempty"`
	Offers         []Offer           `json:"offers,omitempty"` // the cheapest place with each technician, the rest of the plan kept
}

// Terms are the parts of a plan's cost; Total is their plain sum and Weighted
// what was minimised.
type Terms struct {
	Unserved  float64 `json:"unserved"`
	Lateness  float64 `json:"lateness"`
	Travel    float64 `json:"travel"`
	Overtime  float64 `json:"overtime"`
	Stability float64 `json:"stability"`
	Total     float64 `json:"total"`
	Weighted  float64 `json:"weighted"`
}

// Relaxation is the cheapest rule that, given way, would place an unserved
// job: Cost is what the plan would then cost more than now, before the risk of
// leaving the job out is saved. Amount is in the unit of the rule (levels,
// minutes, technicians, units).
type Relaxation struct {
	Code         optimize.ReasonCode `json:"code"`
	Constraint   string              `json:"constraint,omitempty"`
	Amount       float64             `json:"amount,omitempty"`
	TechnicianID string              `json:"technician_id"`
	Start        float64             `json:"start"`
	Cost         float64             `json:"cost"`
}

// Offer is the cheapest place of a job with one technician (or a crew led by
// one): Delta is the weighted cost of the plan with it minus the plan without.
type Offer struct {
	TechnicianID string   `json:"technician_id"`
	Crew         []string `json:"crew,omitempty"` // when more than one is needed
	Start        float64  `json:"start"`
	Delta        float64  `json:"delta"`
}

// Utilisation is what one technician does in the horizon; shares are of the
// minutes on shift.
type Utilisation struct {
	TechnicianID string    `json:"technician_id"`
	Available    float64   `json:"available"` // minutes on shift
	Work         float64   `json:"work"`
	Travel       float64   `json:"travel"`
	Overtime     float64   `json:"overtime"`
	Share        float64   `json:"share"` // work and travel within shifts
	UsedByDay    []float64 `json:"used_by_day"`
	OpenByDay    []float64 `json:"open_by_day"`
}

// Price is what one more technician with a skill is worth: the difference of
// two verified plans.
type Price struct {
	Skill string  `json:"skill"`
	Level int     `json:"level"`
	Value float64 `json:"value"`
	Exact bool    `json:"exact"`
}

// PinPrice is what one pin costs: the difference of two verified plans.
type PinPrice struct {
	JobID string  `json:"job_id"`
	Value float64 `json:"value"`
	Exact bool    `json:"exact"`
}

// The reasons of dispatch, beside those of package optimize.
const (
	// Why a job cannot be placed.
	ReasonSkill       optimize.ReasonCode = "skill_missing"    // nobody has skill Constraint at level Amount
	ReasonCrew        optimize.ReasonCode = "crew_short"       // fewer than Amount technicians qualify
	ReasonTool        optimize.ReasonCode = "tool_missing"     // nobody qualified carries tool Constraint
	ReasonPart        optimize.ReasonCode = "part_missing"     // nobody qualified carries Amount of part Constraint
	ReasonCalendar    optimize.ReasonCode = "calendar_closed"  // closure Constraint shuts the start windows
	ReasonOffShift    optimize.ReasonCode = "off_shift"        // no qualified shift covers the windows and the way
	ReasonPredecessor optimize.ReasonCode = "predecessor_open" // job Constraint, which has to end first, is unserved
	ReasonCapacity    optimize.ReasonCode = "capacity_full"    // every qualified shift is full
	ReasonNotWorth    optimize.ReasonCode = "not_worth"        // the cheapest place costs Money, more than it saves
	ReasonOrder       optimize.ReasonCode = "order_conflict"   // the jobs before or after leave no time
	// Why a job is placed as it is.
	ReasonServed     optimize.ReasonCode = "risk_avoided"    // serving avoids Money of unserved risk
	ReasonNextBest   optimize.ReasonCode = "next_technician" // technician Constraint would cost Money more
	ReasonOnly       optimize.ReasonCode = "only_technician" // nobody else can be sent
	ReasonLate       optimize.ReasonCode = "starts_late"     // Amount hours late, at Money
	ReasonOvertime   optimize.ReasonCode = "needs_overtime"  // without the job the route saves Money of overtime
	ReasonKept       optimize.ReasonCode = "as_published"    // moving would cost Money of change
	ReasonMoved      optimize.ReasonCode = "moved"           // returning to the published technician would cost Money more
	ReasonOvertimeUp optimize.ReasonCode = "more_overtime"   // relaxation: Amount minutes more of overtime
	ReasonWouldFit   optimize.ReasonCode = "would_fit"       // the cheapest relaxation sends technician Constraint and costs Money
)
