package deferral

import (
	"github.com/optria-iq/optria/internal/asset"

	"github.com/optria-iq/optria/internal/optimize"
)

// Input is one MaintenanceDeferralCostProblem. Days are counted from the
// start of the horizon: day 0 is StartDate, the last day is Days−1; 121 days
// give the usual curve of 0 to 120. Money is SAR.
type Input struct {
	StartDate string `json:"start_date"` // calendar date of day 0, YYYY-MM-DD
	Days      int    `json:"days"`       // length of every curve
	// WorkingDay has one entry per day; nil means every day is worked.
	WorkingDay []bool           `json:"working_day,omitempty"`
	Actions    []Action         `json:"actions"`
	Embargoes  []Embargo        `json:"embargoes,omitempty"`
	Weights    optimize.Weights `json:"weights"`
	Band       Band             `json:"band"`
	Pins       []Choice         `json:"pins,omitempty"`
	// WarmStart is an earlier plan. The cheapest days are found by looking at
	// all of them, so it changes nothing and is only checked for known actions.
	WarmStart []Choice `json:"warm_start,omitempty"`
}

// Action is one planned job whose deferral is priced.
type Action struct {
	ID      string `json:"id"`
	AssetID string `json:"asset_id"`
	Tag     string `json:"tag,omitempty"`
	SiteID  string `json:"site_id,omitempty"`
	Title   string `json:"title,omitempty"`
	// Modes are the failure modes that the job deals with, at least one; an
	// asset with one life has one. They compete: the first to strike counts.
	Modes   []Mode  `json:"modes"`
	AgeDays float64 `json:"age_days"` // effective age on day 0
	// PlannedCost is the planned job with its outage, SAR, more than 0.
	PlannedCost float64 `json:"planned_cost"`
	WorkHours   float64 `json:"work_hours,omitempty"`   // labour of the job
	OutageHours float64 `json:"outage_hours,omitempty"` // planned outage; 0 = the asset keeps running
	// Restoration is the share of the age that the job, planned or after a
	// failure, takes away: 1 renews. Nil counts as 1.
	Restoration *float64 `json:"restoration,omitempty"`
	// Kijima says what an imperfect job restores: 1 the age since the last
	// repair, 2 (also 0) all of it. RepairedAgeDays is the virtual age right
	// after the last repair, for type 1.
	Kijima          int     `json:"kijima,omitempty"`
	RepairedAgeDays float64 `json:"repaired_age_days,omitempty"`

	Continuous  bool     `json:"continuous,omitempty"`   // may also start on days off
	LatestDay   *int     `json:"latest_day,omitempty"`   // last allowed day (a statutory date), nil = none
	Restricted  []Window `json:"restricted,omitempty"`   // days on which the job must not start
	BaselineDay *int     `json:"baseline_day,omitempty"` // day in the current plan
}

// Mode is one failure mode. The standard errors say how well its numbers are
// known; 0 means exactly. Beta and eta are drawn from a joint log-normal
// distribution with the given correlation of their logarithms, the evidence
// from a log-normal one.
type Mode struct {
	Code        string        `json:"code,omitempty"` // ISO 14224
	Weibull     asset.Weibull `json:"weibull"`        // shape, scale in days
	FailureCost float64       `json:"failure_cost"`   // of an unplanned failure with its outage, SAR
	Evidence    float64       `json:"evidence"`       // multiplier on the hazard; 0 counts as 1
	BetaSE      float64       `json:"beta_se,omitempty"`
	EtaSE       float64       `json:"eta_se,omitempty"` // days
	EvidenceSE  float64       `json:"evidence_se,omitempty"`
	Correlation float64       `json:"correlation,omitempty"` // of ln β and ln η, −1 … 1
}

// PlanningSpread is the relative standard error of a scale that is believed to
// ±20 % with a confidence of 90 %: what planning values without data deserve.
const PlanningSpread = 0.2 / 1.6448536269514722

// Window is a closed range of days.
type Window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Embargo keeps planned outages off a site in a window; with AllWork also
// jobs that leave the asset running. An empty site means all.
type Embargo struct {
	ID      string `json:"id"`
	SiteID  string `json:"site_id,omitempty"`
	Window  Window `json:"window"`
	AllWork bool   `json:"all_work,omitempty"`
}

// Band says how the uncertainty of a curve is found and judged.
type Band struct {
	// Replicates of the parametric bootstrap for each action; 0 counts as 400,
	// in plans of more than 100 actions as 40,000 in all but at least 50 each.
	Replicates int `json:"replicates,omitempty"`
	// Confidence of the band and of every verdict; 0 counts as 0.9.
	Confidence float64 `json:"confidence,omitempty"`
	// Materiality is the difference in SAR that counts as none.
	Materiality float64 `json:"materiality_sar,omitempty"`
}

const (
	defaultReplicates = 400
	fewestReplicates  = 50
	allReplicates     = 40_000
	defaultConfidence = 0.9
)

func (in *Input) replicates() int {
	if in.Band.Replicates == 0 {
		return min(defaultReplicates, max(fewestReplicates, allReplicates/max(1, len(in.Actions))))
	}
	return in.Band.Replicates
}

func (b Band) confidence() float64 {
	if b.Confidence == 0 {
		return defaultConfidence
	}
	return b.Confidence
}

// Choice is the day of one action: a decision of a plan, or a pin.
type Choice struct {
	ActionID string `json:"action_id"`
	Day      int    `json:"day"`
}
