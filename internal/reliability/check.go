package reliability

import (
	"math"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Mistakes maps a field to the key of the message that says what is wrong.
type Mistakes map[string]string

// Message keys of mistakes beside the general ones of forms.
const (
	keyRequired  = "field.required"
	keyLong      = "field.long"
	keyChoice    = "field.choice"
	KeyBeta      = "reliability.error.beta"
	KeyEta       = "reliability.error.eta"
	KeyAge       = "reliability.error.age"
	KeyCode      = "reliability.error.code"
	KeyRating    = "reliability.error.rating"
	KeyMoney     = "reliability.error.money"
	KeyHours     = "reliability.error.hours"
	KeyShare     = "reliability.error.share"
	KeyGrade     = "reliability.error.grade"
	KeyLifeDays  = "reliability.error.life_days"
	KeyDay       = "reliability.error.day"
	KeyPast      = "reliability.error.past"
	KeyEffective = "reliability.error.effective"
)

// Bounds of what is accepted, as the database has them or tighter.
const (
	LeastBeta   = 0.2
	MostBeta    = 20
	GreatestAge = 36525 // days, a century
	mostMoney   = 1e12
	mostHours   = 8784 // hours of a leap year
	maxName     = 200
	maxNote     = 2000
)

// code is the form of an ISO 14224 failure mode code or one of the plant's own.
var code = regexp.MustCompile(`^[A-Z][A-Z0-9_-]{1,11}$`)

func within(v, least, most float64) bool { return v >= least && v <= most } // NaN is in no range

// Check returns what is wrong with a life.
func (l Life) Check() Mistakes {
	m := Mistakes{}
	if !within(l.Beta, LeastBeta, MostBeta) {
		m["beta"] = KeyBeta
	}
	if !within(l.EtaDays, 1, GreatestAge) {
		m["eta_days"] = KeyEta
	}
	if l.AgeDays != nil && !within(*l.AgeDays, 0, GreatestAge) {
		m["age_days"] = KeyAge
	}
	return m
}

// ModeScope is what a failure mode of an asset may refer to.
type ModeScope struct {
	Components []uuid.UUID
	Metrics    []string
}

// Check returns what is wrong with a failure mode of an asset.
func (x Mode) Check(s ModeScope) Mistakes {
	m := Mistakes{}
	if !code.MatchString(x.Code) {
		m["code"] = KeyCode
	}
	m.text("name_ar", x.NameAr, 1, maxName)
	m.text("name_en", x.NameEn, 1, maxName)
	m.text("detection", x.Detection, 0, maxName)
	if x.Metric != "" && !slices.Contains(s.Metrics, x.Metric) {
		m["metric"] = keyChoice
	}
	if x.ComponentID != nil && !slices.Contains(s.Components, *x.ComponentID) {
		m["component_id"] = keyChoice
	}
	for field, v := range map[string]int{"severity": x.Severity, "occurrence": x.Occurrence, "detectability": x.Detectability} {
		if v < 1 || v > 10 {
			m[field] = KeyRating
		}
	}
	return m
}

// Has reports whether a cost model of the kind has a field.
func (c Cost) Has(field string) bool { return slices.Contains(costFields[c.Kind], field) }

// costFields are the fields of each kind, in the order of the form.
var costFields = map[string][]string{
	CostFailure:     {"direct_cost", "outage_hours", "loss_per_hour", "safety_env_cost"},
	CostMaintenance: {"direct_cost", "outage_hours", "planned_factor"},
	CostEnergy:      {"energy_cost_per_hour"},
}

// CostFields lists the fields of a kind of cost model in the order of the form.
func CostFields(kind string) []string { return costFields[kind] }

// Check returns what is wrong with a cost model that is entered at a moment: it
// may not take effect before that day.
func (c Cost) Check(today time.Time) Mistakes {
	m := Mistakes{}
	if !slices.Contains(CostKinds, c.Kind) {
		m["kind"] = keyChoice
	}
	for field, v := range map[string]float64{"direct_cost": c.DirectCost, "loss_per_hour": c.LossPerHour, "safety_env_cost": c.SafetyEnvCost, "energy_cost_per_hour": c.EnergyCostPerHour} {
		if !within(v, 0, mostMoney) || v != 0 && !c.Has(field) {
			m[field] = KeyMoney
		}
	}
	if !within(c.OutageHours, 0, mostHours) {
		m["outage_hours"] = KeyHours
	}
	if !within(c.PlannedFactor, 0, 1) {
		m["planned_factor"] = KeyShare
	}
	if c.EffectiveFrom.Before(today) || c.EffectiveFrom.After(today.AddDate(10, 0, 0)) {
		m["effective_from"] = KeyEffective
	}
	return m
}

// Check returns what is wrong with a completed life of an asset with the given
// failure modes.
func (l CompletedLife) Check(modes []uuid.UUID, now time.Time) Mistakes {
	m := Mistakes{}
	m.past("ended_at", l.EndedAt, now)
	if !(l.LifeDays > 0 && l.LifeDays <= GreatestAge) {
		m["life_days"] = KeyLifeDays
	}
	if l.EndedBy != EndedByFailure && l.EndedBy != EndedByPreventive {
		m["ended_by"] = keyChoice
	}
	if l.ModeID != nil && !slices.Contains(modes, *l.ModeID) {
		m["mode_id"] = keyChoice
	}
	m.text("note", l.Note, 0, maxNote)
	return m
}

// Check returns what is wrong with an inspection.
func (x Inspection) Check(now time.Time) Mistakes {
	m := Mistakes{}
	m.past("inspected_at", x.InspectedAt, now)
	if !within(x.Grade, 0, 1) {
		m["grade"] = KeyGrade
	}
	for name, degree := range x.Observations {
		if !slices.Contains(ObservedSigns, name) || !slices.Contains(ObservedDegrees, degree) {
			m["observations"] = keyChoice
		}
	}
	m.text("note", x.Note, 0, maxNote)
	return m
}

func (m Mistakes) text(field, v string, least, most int) {
	switch n := utf8.RuneCountInString(v); {
	case n < least:
		m[field] = keyRequired
	case n > most:
		m[field] = keyLong
	}
}

// past refuses days that are absent, to come, or longer ago than a century.
func (m Mistakes) past(field string, day, now time.Time) {
	switch {
	case day.IsZero():
		m[field] = KeyDay
	case day.After(now) || now.Sub(day).Hours()/24 > GreatestAge:
		m[field] = KeyPast
	}
}

// finite reports whether a number can be computed with.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
