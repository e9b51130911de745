// Package scoring computes what is known about the condition of one asset:
// health, failure probability, remaining useful life, anomaly and production
// risk, each with an interval, its provenance and the signals that drove it.
//
// The package is pure: the same AssetInput always gives the same AssetScore,
// readings after AsOf are never looked at, and nothing is fetched. Results are
// codes and numbers only; the pages put them into words.
//
// A sweep calls Score once per asset. The steps behind it are exported with
// the names of the specification (DetectAnomaly, ComputeFailureProbability,
// EstimateRUL, ComputeProductionRisk, ComputeHealthScore) and all start from
// the Assessment that Assess makes of the raw readings. Units and sites are
// aggregated by RollUpUnit and RollUpSite.
package scoring
