package scoring

// EstimateRUL returns the remaining life in days: quantiles of the life left
// to a survivor of the present age, with the hazard scaled by evidence and the
// uncertainty of the hazard scale averaged over (Weibull-Gamma predictive).
func EstimateRUL(a *Assessment) RUL {
	st := a.now
	ev := a.evidence(st)
	limit := a.set.RULCapDays
	out := RUL{CapDays: limit}
	out.Provenance = a.provenance(ModelRUL)
	if a.life.observed > 0 {
		out.CalibrationSize = a.life.observed
	}
	out.Contributors = contributors(st)
	days := func(q, m float64) float64 {
		return a.life.RemainingAt(a.life.age, a.life.posterior.HazardQuantile(q)/m)
	}
	mid := days(0.5, ev.Multiplier.Value)
	// The pessimistic end meets the strongest evidence, the optimistic the weakest.
	lo := days(0.05, ev.Multiplier.Hi)
	hi := days(0.95, ev.Multiplier.Lo)
	out.Estimate = Estimate{Value: min(mid, limit), Lo: min(lo, limit), Hi: min(hi, limit)}
	out.BeyondCap, out.HiBeyondCap = mid > limit, hi > limit
	out.Trend = a.trend(st, ev)
	return out
}
