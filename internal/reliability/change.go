// Package reliability holds what a reliability engineer edits about an asset,
// the rules that such an edit keeps, the parameters that the history of a class
// proposes, and what a preview of an edit says. It is pure: pages, the API and
// the activities that preview share it.
package reliability

import (
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// Change is what is proposed for one asset. Parts that are nil stay as they
// are.
type Change struct {
	Life       *Life       `json:"life,omitempty"`
	Mode       *Mode       `json:"mode,omitempty"` // replaces the mode of its id, or adds one
	Cost       *Cost       `json:"cost,omitempty"`
	Inspection *Inspection `json:"inspection,omitempty"`
	// Equipment are the facts about a transformer or switchgear.
	Equipment *cnaim.Equipment `json:"equipment,omitempty"`
}

// Life is the Weibull life of an asset: shape Beta without unit and scale
// EtaDays. AgeDays is the effective age at the start of the day; nil leaves the
// age of the asset alone.
type Life struct {
	Beta    float64  `json:"beta"`
	EtaDays float64  `json:"eta_days"`
	AgeDays *float64 `json:"age_days,omitempty"`
}

// Mode is one line of the FMECA of an asset (IEC 60812) with the failure mode
// code of ISO 14224. Metric names the signal that shows it, empty for none.
type Mode struct {
	ID            uuid.UUID  `json:"id"`
	ComponentID   *uuid.UUID `json:"component_id,omitempty"`
	Code          string     `json:"code"`
	NameAr        string     `json:"name_ar"`
	NameEn        string     `json:"name_en"`
	Detection     string     `json:"detection"`
	Metric        string     `json:"metric"`
	Severity      int        `json:"severity"`
	Occurrence    int        `json:"occurrence"`
	Detectability int        `json:"detectability"`
}

// RPN returns the risk priority number, severity × occurrence × detectability.
func (m Mode) RPN() int { return m.Severity * m.Occurrence * m.Detectability }

// The kinds of cost models.
const (
	CostFailure     = "failure"
	CostMaintenance = "maintenance"
	CostEnergy      = "energy"
)

// CostKinds lists the kinds of cost models in the order of pages.
var CostKinds = []string{CostFailure, CostMaintenance, CostEnergy}

// Cost is one version of a cost model. Money is SAR, durations are hours;
// PlannedFactor is the share of the production loss felt in a planned window, 0
// to 1. Fields that the kind does not have stay zero, PlannedFactor one.
type Cost struct {
	Kind              string    `json:"kind"`
	EffectiveFrom     time.Time `json:"effective_from"`
	DirectCost        float64   `json:"direct_cost"`
	OutageHours       float64   `json:"outage_hours"`
	LossPerHour       float64   `json:"loss_per_hour"`
	PlannedFactor     float64   `json:"planned_factor"`
	SafetyEnvCost     float64   `json:"safety_env_cost"`
	EnergyCostPerHour float64   `json:"energy_cost_per_hour"`
}

// Ways in which a life ends.
const (
	EndedByFailure    = "failure"
	EndedByPreventive = "preventive" // the asset would have lived longer
)

// CompletedLife is a life from a renewal to its end. Renews says that the asset
// began a new life when this one ended.
type CompletedLife struct {
	EndedAt  time.Time  `json:"ended_at"`
	LifeDays float64    `json:"life_days"`
	EndedBy  string     `json:"ended_by"`
	ModeID   *uuid.UUID `json:"mode_id,omitempty"`
	Note     string     `json:"note"`
	Renews   bool       `json:"renews"`
}

// Inspection is what was seen at an asset: a grade from 0 (worst) to 1 (as
// new), and observations by name with one of ObservedDegrees as value.
type Inspection struct {
	InspectedAt  time.Time         `json:"inspected_at"`
	Grade        float64           `json:"grade"`
	Observations map[string]string `json:"observations"`
	Note         string            `json:"note"`
}

// ObservedSigns lists what an inspector may observe, in the order of the form.
var ObservedSigns = []string{"corrosion", "leakage", "wear", "crack", "fouling", "looseness", "noise", "vibration", "overheating", "insulation"}

// ObservedDegrees lists how much of a sign was observed, the least first.
var ObservedDegrees = []string{"slight", "marked", "severe"}

// zone is that of effective days and ages. Every tenant keeps time at UTC+3.
var zone = time.FixedZone("UTC+3", 3*60*60)

// DayOf returns the beginning of the day of a moment, as an instant.
func DayOf(t time.Time) time.Time { return DayOn(t.In(zone)) }

// DayOn returns the beginning of a calendar date, as an instant.
func DayOn(date time.Time) time.Time {
	y, m, d := date.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone).UTC()
}
