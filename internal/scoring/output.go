package scoring

import (
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// Identity of the models behind the outputs. A version changes whenever the
// same input may give a different number.
const (
	ModelAnomaly = "anomaly.aakr-ewma"
	ModelFailure = "failure.weibull-evidence"
	ModelRUL     = "rul.weibull-evidence"
	ModelRisk    = "risk.expected-loss"
	ModelHealth  = "health.weighted-min"
	Version      = "2.0.0"

	// ModelElectrical is the failure probability of transformers and switchgear,
	// ModelElectricalRUL the life left by it.
	ModelElectrical    = "failure.cnaim-evidence"
	ModelElectricalRUL = "rul.cnaim-evidence"

	// ModelFleetFailure and ModelFleetRUL rest on a model of the fleet's lives;
	// their version is that of the fleet model.
	ModelFleetFailure = "failure.fleet-weibull"
	ModelFleetRUL     = "rul.fleet-weibull"
)

// Estimate is a value with its 90 % interval.
type Estimate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// Provenance says where an output comes from and how far to believe it.
type Provenance struct {
	AsOf            time.Time `json:"as_of"`
	ModelID         string    `json:"model_id"`
	ModelVersion    string    `json:"model_version"`
	TrainFrom       time.Time `json:"train_from"` // zero when no signal was learned from
	TrainTo         time.Time `json:"train_to"`
	CalibrationSize int       `json:"calibration_size"` // held-out normal samples, or observed lives
	Coverage        float64   `json:"coverage"`         // share of expected signals that are fresh and good
	Confidence      float64   `json:"confidence"`       // 0 to 1
}

// Contributor is one signal's part in an output. Share runs from 0 to 1 and
// the shares of one output add up to 1.
type Contributor struct {
	Signal   string  `json:"signal"`
	Unit     string  `json:"unit"`
	Expected float64 `json:"expected"`
	Actual   float64 `json:"actual"`
	Share    float64 `json:"share"`
}

// Output is what every result has in common.
type Output struct {
	Estimate
	Provenance
	Contributors []Contributor `json:"contributors"`
}

// Code names a finding; the pages translate it.
type Code string

// Findings about data.
const (
	CodeMissing      Code = "missing"       // no usable reading in the window
	CodeStale        Code = "stale"         // last good reading too old; Value is its age in seconds
	CodeStuck        Code = "stuck"         // the value stopped moving; Value is the run length
	CodeWrongUnit    Code = "wrong_unit"    // scale off by a known ratio; Value is the ratio, Detail the unit
	CodeOutOfRange   Code = "out_of_range"  // most readings are physically implausible
	CodeUncertain    Code = "uncertain"     // share of uncertain readings in Value
	CodeBadRows      Code = "bad_rows"      // readings dropped; Value is their number
	CodeNoSignals    Code = "no_signals"    // the asset has no signals at all
	CodeLowCoverage  Code = "low_coverage"  // Value is the coverage, Limit the threshold
	CodeShortHistory Code = "short_history" // too little normal data to learn a baseline; Value is its rows
	CodeCounter      Code = "counter"       // ever-growing counter, judged by its rate and limits
	CodePriorLife    Code = "prior_life"    // no usable life model; a prior was used
	CodeElectrical   Code = "electrical"    // the facts about electrical equipment cannot be rated; Detail says which
	CodeBadQuality   Code = "bad_quality"   // the source marks its latest readings bad; Value is their number
	CodeBaseline     Code = "baseline"      // a stored baseline does not fit the signals; Detail names them
	CodeRegime       Code = "regime"        // run at a point never seen while healthy, so only limits are judged; Value is its distance
	CodeOperating    Code = "operating"     // an operating variable is unknown, so only limits are judged; Detail names it
	CodeFleetSignals Code = "fleet_signals" // the fleet model lacks usable signals; Detail names them
	CodeFleetLife    Code = "fleet_life"    // the fleet model lacks days since the renewal; Value is their number
)

// Findings about condition.
const (
	CodeResidual Code = "residual" // away from the expected value
	CodeWarn     Code = "warn"     // beyond the warning limit
	CodeAlarm    Code = "alarm"    // beyond the alarm limit
	CodeAgeOnly  Code = "age_only" // the score rests on age and failure history
	CodeStep     Code = "step"     // the level jumped at At; Value is the jump in the signal's unit
	CodeNoise    Code = "noise"    // the signal scatters more than when healthy; Value is how many times
	CodeT2       Code = "t2"       // Hotelling's T² over its limit: an unusual combination; Value is the ratio
	CodeSPE      Code = "spe"      // squared prediction error over its limit: signals no longer move together
	CodeCusum    Code = "cusum"    // cumulative sum over its limit: a single signal has shifted
)

// Reason is one finding: a code, the signal it concerns (if any) and numbers.
type Reason struct {
	Code   Code    `json:"code"`
	Signal string  `json:"signal,omitempty"`
	Value  float64 `json:"value"`
	Limit  float64 `json:"limit"`
	Detail string  `json:"detail,omitempty"`
	// At is when it happened, for findings that have a moment.
	At time.Time `json:"at,omitzero"`
}

// RowCounts counts the readings of a signal by what became of them.
type RowCounts struct {
	Used        int `json:"used"`
	Uncertain   int `json:"uncertain"` // among the used
	NotFinite   int `json:"not_finite"`
	Bad         int `json:"bad"`
	Future      int `json:"future"`
	Duplicate   int `json:"duplicate"`
	OutOfOrder  int `json:"out_of_order"` // kept, after sorting
	Implausible int `json:"implausible"`
	Older       int `json:"older"` // before the window
}

// Dropped returns how many readings were refused as unusable.
func (c RowCounts) Dropped() int { return c.NotFinite + c.Bad + c.Duplicate + c.Implausible }

// SignalTrust is the verdict on one signal.
type SignalTrust struct {
	Signal     string    `json:"signal"`
	OK         bool      `json:"ok"`
	LastAt     time.Time `json:"last_at"` // zero when there is none
	StaleAt    time.Time `json:"-"`       // after which the last reading is too old, zero without one
	AgeSeconds float64   `json:"age_seconds"`
	Last       float64   `json:"last"`
	Rows       RowCounts `json:"rows"`
	Reasons    []Reason  `json:"reasons"`
}

// Trust is the verdict on the data as a whole. When Trusted is false the
// score is to be shown in grey: it rests on age and failure history alone.
type Trust struct {
	Trusted  bool          `json:"trusted"`
	Coverage float64       `json:"coverage"`
	Expected int           `json:"expected"`
	Usable   int           `json:"usable"`
	Signals  []SignalTrust `json:"signals"`
	Reasons  []Reason      `json:"reasons"`
}

// Anomaly is the verdict of DetectAnomaly. Value is the index: the largest
// smoothed residual divided by its limit, so 1 is the limit.
type Anomaly struct {
	Output
	Flag    bool      `json:"flag"`
	Since   time.Time `json:"since"` // start of the present episode, zero when none
	Limit   float64   `json:"limit"` // on the index: 1
	Reasons []Reason  `json:"reasons"`
	// Severity is the worst position between normal (0), warning limit (0.5)
	// and alarm limit (1).
	Severity float64 `json:"severity"`
}

// Evidence is what condition adds to age: Multiplier scales the Weibull
// hazard, 1 when nothing is seen. Signal is the one that drives it.
type Evidence struct {
	Multiplier Estimate `json:"multiplier"`
	Severity   float64  `json:"severity"`
	Signal     string   `json:"signal"`
}

// ModeRisk is one failure mode's part in the failure probability over the
// planning horizon. ExpectedCost is Probability × cost in SAR.
type ModeRisk struct {
	ModeID       string  `json:"mode_id"`
	Code         string  `json:"code"`
	Signal       string  `json:"signal"`
	Probability  float64 `json:"probability"`
	Share        float64 `json:"share"` // of the cumulative hazard
	ExpectedCost float64 `json:"expected_cost"`
}

// FailureProbability is P(fail within horizon | alive now). Value is for
// HorizonDays; P7, P30 and P90 for 7, 30 and 90 days. AgeOnly is the same
// horizon without evidence. Modes are ranked by expected cost.
type FailureProbability struct {
	Output
	HorizonDays float64       `json:"horizon_days"`
	P7          Estimate      `json:"p7"`
	P30         Estimate      `json:"p30"`
	P90         Estimate      `json:"p90"`
	AgeOnly     float64       `json:"age_only"`
	Evidence    Evidence      `json:"evidence"`
	Life        asset.Weibull `json:"life"` // the life used, after updating
	Modes       []ModeRisk    `json:"modes"`
	// HazardRatio is the cumulative hazard over the horizon as a multiple of that
	// of the Weibull life given at the present age: what a planner that knows
	// only that life has to scale it with. Without a fleet model, electrical
	// rating or observed lives it is the evidence multiplier.
	HazardRatio float64 `json:"hazard_ratio"`
	// Modifiers are what moved the score of the network asset method, the worst
	// first; for electrical equipment only.
	Modifiers []cnaim.Modifier `json:"modifiers,omitempty"`
}

// Trend continues the driving signal on a straight line: PerDay in the
// signal's unit, Days until it meets its alarm limit Limit.
type Trend struct {
	Signal string   `json:"signal"`
	PerDay float64  `json:"per_day"`
	Limit  float64  `json:"limit"`
	Days   Estimate `json:"days"`
}

// RUL is the remaining useful life in days: Value is the median, Lo and Hi
// the 5 % and 95 % quantiles, all limited to CapDays. BeyondCap says that the
// median itself lies beyond and is to be shown as "> cap".
type RUL struct {
	Output
	CapDays     float64 `json:"cap_days"`
	BeyondCap   bool    `json:"beyond_cap"`
	HiBeyondCap bool    `json:"hi_beyond_cap"`
	// Trend says when the driving signal would reach its alarm limit; nil when
	// nothing moves towards one.
	Trend *Trend `json:"trend,omitempty"`
	// Base plus the days of all Contributions is Value: Base is the mean of the
	// lives that the fleet model learned from, or without one what is left at
	// this age when there is no evidence.
	Base          float64        `json:"base"`
	Contributions []Contribution `json:"contributions"`
	// Similar are the past lives of the fleet most like this one at a like
	// stage, the most similar first; empty without a fleet model.
	Similar []SimilarLife `json:"similar,omitempty"`
	// Reasons say why a fleet model was not used.
	Reasons []Reason `json:"reasons,omitempty"`
}

// Parts of the remaining life that contributions come from.
const (
	PartSignal = "signal" // what one signal adds
	PartAge    = "age"    // the running age in the fleet model
	PartLife   = "life"   // the life model: failure modes that the fleet model does not see, and what lies beyond its cap
)

// Contribution is what one part adds to the remaining life, in days; what
// shortens it is negative. Signal is set for PartSignal only.
type Contribution struct {
	Part   string  `json:"part"`
	Signal string  `json:"signal,omitempty"`
	Days   float64 `json:"days"`
}

// SimilarLife is a past life and how long it still ran, in days, when it
// looked as this asset does now. LifeID is the unit it had in training.
type SimilarLife struct {
	LifeID    string  `json:"life_id"`
	Remaining float64 `json:"remaining"`
	Distance  float64 `json:"distance"`
}

// ProductionRisk is the expected loss over the horizon: Value, Lo and Hi in
// SAR; Index places it on a logarithmic 0 to 100 scale.
type ProductionRisk struct {
	Output
	Index       Estimate        `json:"index"`
	Level       asset.RiskLevel `json:"level"`
	Likelihood  int             `json:"likelihood"`   // 1 to 5
	Consequence int             `json:"consequence"`  // 1 to 5
	FailureCost float64         `json:"failure_cost"` // SAR of one failure, redundancy applied
}

// SubScore is one part of the health score, 0 (worst) to 1.
type SubScore struct {
	Name   string  `json:"name"` // condition, prognostic, reliability, age
	Score  float64 `json:"score"`
	Weight float64 `json:"weight"`
}

// Health is the health score 0 to 100 with its band, 1 (best) to 5.
type Health struct {
	Output
	Band      int        `json:"band"`
	SubScores []SubScore `json:"sub_scores"`
}

// AssetScore is everything Score computes for one asset.
type AssetScore struct {
	AssetID string             `json:"asset_id"`
	AsOf    time.Time          `json:"as_of"`
	Trusted bool               `json:"trusted"`
	Trust   Trust              `json:"trust"`
	Health  Health             `json:"health"`
	Failure FailureProbability `json:"failure"`
	RUL     RUL                `json:"rul"`
	Anomaly Anomaly            `json:"anomaly"`
	Risk    ProductionRisk     `json:"risk"`
}
