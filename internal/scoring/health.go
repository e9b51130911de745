package scoring

// Weights of the sub-scores; those that are unknown are left out and the rest
// renormalised.
const (
	weightCondition   = 0.45
	weightPrognostic  = 0.25
	weightReliability = 0.15
	weightAge         = 0.15
	worstAllowance    = 0.20 // how far the mean may exceed the worst sub-score
	ageDepth          = 0.60 // age alone never lowers its sub-score below 0.4
)

// ComputeHealthScore returns 100·min(weighted mean of the sub-scores, worst
// sub-score + 0.20) with its band. Sub-scores: condition, 1 − severity against
// the limits; prognostic, 1 − P(fail within the horizon); reliability, the
// same without evidence; age, one minus 0.6 times the share of such assets
// that would have failed by now (electrical equipment: the health score of the
// network asset method), or the inspection grade where that is worse.
// Without trusted data the condition is left out.
func ComputeHealthScore(a *Assessment, f FailureProbability) Health {
	out := Health{}
	out.Provenance = a.provenance(ModelHealth)
	out.Contributors = f.Contributors
	out.SubScores = a.subScores(f.Evidence.Severity, f.Value, f.AgeOnly)
	out.Value = combine(out.SubScores)
	lo, hi := a.severityRange(f.Evidence)
	out.Lo = min(combine(a.subScores(hi, f.Hi, f.AgeOnly)), out.Value)
	out.Hi = max(combine(a.subScores(lo, f.Lo, f.AgeOnly)), out.Value)
	out.Band = 5
	for i := len(a.set.HealthBands) - 1; i >= 0; i-- {
		if out.Value >= a.set.HealthBands[i] {
			out.Band = i + 1
		}
	}
	return out
}

func (a *Assessment) subScores(severity, p, ageOnly float64) []SubScore {
	aged := a.life.aged()
	if g := a.in.Inspection; g != nil && finite(*g) {
		aged = min(aged, clip01(*g))
	}
	out := []SubScore{
		{Name: "prognostic", Score: clip01(1 - p), Weight: weightPrognostic},
		{Name: "reliability", Score: clip01(1 - ageOnly), Weight: weightReliability},
		{Name: "age", Score: clip01(aged), Weight: weightAge},
	}
	if a.Trust.Trusted {
		out = append([]SubScore{{Name: "condition", Score: clip01(1 - severity), Weight: weightCondition}}, out...)
	}
	total := 0.0
	for _, s := range out {
		total += s.Weight
	}
	for i := range out {
		out[i].Weight /= total
	}
	return out
}

func combine(parts []SubScore) float64 {
	mean, worst := 0.0, 1.0
	for _, s := range parts {
		mean += s.Weight * s.Score
		worst = min(worst, s.Score)
	}
	return 100 * clip01(min(mean, worst+worstAllowance))
}

// severityRange is the interval of the severity behind the evidence.
func (a *Assessment) severityRange(ev Evidence) (lo, hi float64) {
	for _, s := range a.now {
		if s.channel.signal.Metric == ev.Signal {
			return s.severityBand()
		}
	}
	return ev.Severity, ev.Severity
}
