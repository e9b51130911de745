// Package asset holds the plain types that every engine shares: what an asset
// is, how it fails, how much it costs, and what a reading of one of its
// signals looks like. Names follow ISO 14224 (equipment, failure mode) and
// ISA-95 (site, unit). It imports nothing of the product.
package asset

import "time"

// Criticality ranks assets A (stops the unit), B (degrades it) or C (neither).
type Criticality string

// The three criticality classes.
const (
	CriticalityA Criticality = "A"
	CriticalityB Criticality = "B"
	CriticalityC Criticality = "C"
)

// Quality is the trust in one reading, after OPC UA status bits 31-30.
type Quality int16

// Readings are good, uncertain or bad. Bad readings are never scored.
const (
	Good      Quality = 0
	Uncertain Quality = 1
	Bad       Quality = 2
)

// Sense says on which side of its limits a signal becomes dangerous.
type Sense string

// A signal alarms high, low, or on both sides.
const (
	SenseHigh Sense = "hi"
	SenseLow  Sense = "lo"
	SenseBoth Sense = "both"
)

// Signal is one measured quantity of an asset: its unit, the band it keeps
// when healthy and the limits at which operators are warned and alarmed.
type Signal struct {
	ID         int64
	Metric     string // short name, unique within the asset
	Unit       string // engineering unit as displayed
	NormalLow  float64
	NormalHigh float64
	Warn       float64
	Alarm      float64
	Sense      Sense
	Period     time.Duration // expected time between samples
}

// Reading is one sample of a signal.
type Reading struct {
	Time    time.Time
	Value   float64
	Quality Quality
}

// Series is one signal with its readings in ascending time.
type Series struct {
	Signal   Signal
	Readings []Reading
}

// FailureMode is one line of a basic FMECA. Severity, Occurrence and
// Detectability run from 1 to 10 (IEC 60812); their product is the RPN.
type FailureMode struct {
	ID            string
	Code          string // ISO 14224 failure mode code
	Metric        string // the signal that shows it first, may be empty
	Severity      int
	Occurrence    int
	Detectability int
}

// RPN returns the risk priority number, severity × occurrence × detectability.
func (m FailureMode) RPN() int { return m.Severity * m.Occurrence * m.Detectability }

// Weibull is a two-parameter life distribution: shape Beta (no unit) and
// scale Eta in days.
type Weibull struct {
	Beta float64
	Eta  float64
}

// CostModel holds the money of one asset in SAR and its durations in hours.
type CostModel struct {
	PlannedCost    float64 // planned job: labour and parts
	PlannedHours   float64 // planned outage
	FailureCost    float64 // repair after failure: labour and parts
	FailureHours   float64 // outage after failure
	LossPerHour    float64 // net production loss while the asset is out
	PlannedFactor  float64 // share of the loss felt in a planned window, 0..1
	SafetyEnvCost  float64 // safety and environment consequence of a failure
	EnergyCostHour float64 // energy while running
}

// PlannedTotal returns the cost of a planned job with its outage, SAR.
func (c CostModel) PlannedTotal() float64 {
	return c.PlannedCost + c.PlannedHours*c.LossPerHour*c.PlannedFactor
}

// FailureTotal returns the cost of an unplanned failure with its outage, SAR.
func (c CostModel) FailureTotal() float64 {
	return c.FailureCost + c.FailureHours*c.LossPerHour + c.SafetyEnvCost
}

// RiskLevel runs from 1 (negligible) to 5 (critical).
type RiskLevel int

// The five levels of the risk ladder.
const (
	RiskNegligible RiskLevel = 1
	RiskLow        RiskLevel = 2
	RiskMedium     RiskLevel = 3
	RiskHigh       RiskLevel = 4
	RiskCritical   RiskLevel = 5
)
