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
//
// What an asset looks like when healthy is its Baseline, learned once after a
// renewal with LearnBaseline, stored, taught with Baseline.Admit what an
// engineer judged expected, and given back in AssetInput; without one the
// earliest part of the window stands in. Residuals against it find drifts and
// steps, scatter finds noise, T² and SPE find many small shifts of many
// signals, a cumulative sum that of a single one. A change of an operating
// variable is compared with, never judged.
//
// Life comes from the best model at hand: a fleet model of lives that ran to
// failure (package prognosis) where the data is trusted and covers its signals,
// the network asset method (package cnaim) for electrical equipment, and else a
// Weibull life whose hazard the evidence of condition scales. They are joined
// by adding hazards, so P = 1 − Π(1 − P_m) holds over modes and sources.
package scoring
