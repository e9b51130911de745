package scoring

// Score computes everything about one asset. It takes any input: unusable
// readings, limits, lives and costs are named or left out, never propagated,
// and every number in the result is finite.
func Score(in AssetInput) AssetScore {
	a := Assess(in)
	failure := ComputeFailureProbability(a)
	return AssetScore{
		AssetID: in.AssetID,
		AsOf:    in.AsOf,
		Trusted: a.Trust.Trusted,
		Trust:   a.Trust,
		Health:  ComputeHealthScore(a, failure),
		Failure: failure,
		RUL:     EstimateRUL(a),
		Anomaly: DetectAnomaly(a),
		Risk:    ComputeProductionRisk(a, failure),
	}
}
