package maintenance

import (
	"github.com/optria-iq/optria/internal/asset"

	"github.com/optria-iq/optria/internal/optimize"
)

// Input is one MaintenancePrioritizationProblem. Days are counted from the
// start of the horizon: day 0 is StartDate, the last day is Days−1. A job
// with delay t starts in the morning of day t. Money is SAR.
type Input struct {
	StartDate string `json:"start_date"` // calendar date of day 0, YYYY-MM-DD
	Days      int    `json:"days"`       // length of the horizon
	// WorkingDay has one entry per day; nil means every day is worked. A job
	// starts on a working day, its DurationDays count working days only, and
	// the asset stays out over the days off in between.
	WorkingDay []bool      `json:"working_day,omitempty"`
	Actions    []Action    `json:"actions"`
	Resources  []Resource  `json:"resources"`
	Exclusions []Exclusion `json:"exclusions,omitempty"`
	Groups     []Group     `json:"groups,omitempty"`
	Embargoes  []Embargo   `json:"embargoes,omitempty"`
	// DowntimeCaps limits the planned outage hours scheduled per site.
	DowntimeCaps []DowntimeCap `json:"downtime_caps,omitempty"`
	// BudgetSAR limits planned work (without outage loss) inside the horizon.
	BudgetSAR *float64         `json:"budget_sar,omitempty"`
	Weights   optimize.Weights `json:"weights"`
	Pins      []Pin            `json:"pins,omitempty"`
	// WarmStart is a plan to start from, for instance the last incumbent of
	// an interrupted run. Unknown actions and days that no longer fit are
	// ignored.
	WarmStart []Start `json:"warm_start,omitempty"`
}

// Action is one candidate job: it renews one asset with respect to one
// failure mode.
type Action struct {
	ID           string `json:"id"`
	AssetID      string `json:"asset_id"`
	Tag          string `json:"tag"`
	SiteID       string `json:"site_id"`
	UnitID       string `json:"unit_id,omitempty"`
	Title        string `json:"title,omitempty"`
	DurationDays int    `json:"duration_days"` // working days, at least 1
	// Continuous jobs also work on days off.
	Continuous bool `json:"continuous,omitempty"`
	// Skill is the ID of the resource that supplies SkillHours, spread evenly
	// over the working days of the job. An empty Skill needs none.
	Skill      string  `json:"skill,omitempty"`
	SkillHours float64 `json:"skill_hours,omitempty"`
	Uses       []Use   `json:"uses,omitempty"` // shared resources held on every working day

	PlannedCost   float64 `json:"planned_cost"`   // labour and parts, SAR
	OutageHours   float64 `json:"outage_hours"`   // planned outage; 0 = the asset keeps running
	LossPerHour   float64 `json:"loss_per_hour"`  // net production loss while out, SAR/h
	PlannedFactor float64 `json:"planned_factor"` // share of the loss felt in a planned window, 0..1
	// OutageProfile multiplies the planned outage loss per day of the horizon
	// (demand, tariff); nil means 1 everywhere.
	OutageProfile []float64 `json:"outage_profile,omitempty"`
	FailureTotal  float64   `json:"failure_total"` // cost of an unplanned failure with its outage, SAR

	Weibull  asset.Weibull `json:"weibull"`  // shape, scale in days
	AgeDays  float64       `json:"age_days"` // effective age on day 0
	Evidence float64       `json:"evidence"` // multiplier on the hazard from the scores; 0 counts as 1

	EarliestDay int  `json:"earliest_day,omitempty"` // first allowed start
	LatestDay   *int `json:"latest_day,omitempty"`   // last allowed start, nil = none
	// DueDay is the last day on which the job must be finished (a statutory
	// date). An action with a due day cannot be deferred.
	DueDay    *int `json:"due_day,omitempty"`
	Mandatory bool `json:"mandatory,omitempty"` // cannot be deferred past the horizon
	// BaselineDay is the start day in the current plan, nil when the action
	// is not in it.
	BaselineDay *int     `json:"baseline_day,omitempty"`
	Restricted  []Window `json:"restricted,omitempty"` // days on which the job must not be in progress
}

// Use is a number of units of a shared resource held while a job is worked.
type Use struct {
	Resource string  `json:"resource"`
	Units    float64 `json:"units"`
}

// Window is a closed range of days.
type Window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Resource is a skill (unit: hours) or a shared resource such as a skid
// (unit: pieces), with what is available and what must at least be used on
// each day of the horizon.
type Resource struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Unit      string    `json:"unit,omitempty"`
	Available []float64 `json:"available"`
	Minimum   []float64 `json:"minimum,omitempty"`
	// PriceStep is how much is added per working day when its price is asked;
	// 0 counts as 1 unit, a technician is worth a shift of hours.
	PriceStep float64 `json:"price_step,omitempty"`
}

// Exclusion forbids two actions to be in progress on the same day, within the
// given windows or always when there are none.
type Exclusion struct {
	ID      string   `json:"id"`
	A       string   `json:"a"`
	B       string   `json:"b"`
	Windows []Window `json:"windows,omitempty"`
}

// Group is a k-out-of-n set of redundant assets: on no day may more than
// MaxOut planned outages of its members be in progress.
type Group struct {
	ID      string   `json:"id"`
	Members []string `json:"members"` // asset IDs
	MaxOut  int      `json:"max_out"`
}

// Embargo keeps planned outages off a site (or one of its units) in a window;
// with AllWork also jobs that leave the asset running.
type Embargo struct {
	ID      string `json:"id"`
	SiteID  string `json:"site_id"`
	UnitID  string `json:"unit_id,omitempty"`
	Window  Window `json:"window"`
	AllWork bool   `json:"all_work,omitempty"`
}

// DowntimeCap limits the planned outage hours of one site in the horizon.
type DowntimeCap struct {
	SiteID string  `json:"site_id"`
	Hours  float64 `json:"hours"`
}

// Pin holds one decision fixed: a start day, or deferral past the horizon.
type Pin struct {
	ActionID string `json:"action_id"`
	StartDay int    `json:"start_day"`
	Deferred bool   `json:"deferred,omitempty"`
}

// Start is one decision of a plan.
type Start struct {
	ActionID string `json:"action_id"`
	StartDay int    `json:"start_day"` // −1 when deferred
	Deferred bool   `json:"deferred,omitempty"`
}
