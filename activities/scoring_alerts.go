package activities

import (
	"slices"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/scoring"
)

// An alert of risk stays open until the risk is lower by riskMargin, and one
// about data until the coverage is higher by trustMargin, so that a value at
// its threshold does not raise and clear it in turn. Anomalies have their own
// hysteresis.
const (
	riskMargin   = 1.25
	trustMargin  = 0.05
	alertLevel   = 4
	namedSignals = 3
)

// alertsOf says which conditions hold for an asset.
func alertsOf(id uuid.UUID, set scoring.Settings, s scoring.AssetScore) []alert {
	level := int16(s.Risk.Level)
	return []alert{
		{kind: AlertAnomaly, about: id, asset: &id, holds: s.Anomaly.Flag, severity: max(level, 3), detail: map[string]any{
			"index": s.Anomaly.Value, "since": s.Anomaly.Since, "signals": contributors(s.Anomaly.Contributors),
			"reasons": codesOf(s.Anomaly.Reasons), "evidence": s.Anomaly.Contributors[:min(namedSignals, len(s.Anomaly.Contributors))],
		}},
		{kind: AlertFailureRisk, about: id, asset: &id, holds: s.Risk.Level >= alertLevel, lingers: riskLingers(set, s), severity: level, detail: map[string]any{
			"probability_30": s.Failure.P30.Value, "loss_sar": s.Risk.Value, "signal": s.Failure.Evidence.Signal,
		}},
		{kind: AlertDataTrust, about: id, asset: &id, holds: !s.Trusted, lingers: s.Trust.Coverage < set.CoverageThreshold+trustMargin, severity: 2, detail: map[string]any{
			"coverage": s.Trust.Coverage, "usable": s.Trust.Usable, "expected": s.Trust.Expected, "reasons": codesOf(s.Trust.Reasons),
			"signals": unusable(s.Trust.Signals),
		}},
	}
}

// riskLingers reports whether a risk only just below the level of an alert
// would reach it with a slightly higher probability.
func riskLingers(set scoring.Settings, s scoring.AssetScore) bool {
	likelihood := 1
	for _, edge := range set.LikelihoodEdges {
		if s.Failure.P30.Value*riskMargin >= edge {
			likelihood++
		}
	}
	consequence := s.Risk.Consequence
	if consequence < 1 || consequence > len(set.RiskMatrix) {
		return false
	}
	return set.RiskMatrix[likelihood-1][consequence-1] >= alertLevel
}

// codesOf lists the codes of reasons, each once, in their order.
func codesOf(reasons []scoring.Reason) []string {
	codes := make([]string, 0, len(reasons))
	for _, r := range reasons {
		if !slices.Contains(codes, string(r.Code)) {
			codes = append(codes, string(r.Code))
		}
	}
	return codes
}

// contributors names the signals behind a finding, strongest first.
func contributors(all []scoring.Contributor) []string {
	names := make([]string, 0, namedSignals)
	for _, c := range all[:min(namedSignals, len(all))] {
		names = append(names, c.Signal)
	}
	return names
}

// unusable names the signals that cannot be trusted.
func unusable(signals []scoring.SignalTrust) []string {
	names := []string{}
	for _, t := range signals {
		if !t.OK {
			names = append(names, t.Signal)
		}
	}
	return names
}
