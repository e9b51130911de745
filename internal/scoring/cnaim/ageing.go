package cnaim

import "math"

// Modifier is one thing that moved the score, for explanation: a factor above 1
// makes it worse. Cap and Collar are the limits that it sets to the health of
// its part; 10 and 0.5 do not bind.
type Modifier struct {
	Name string `json:"name"`
	// Affects is what the factor multiplies: "life" (the expected life is divided
	// by it), "condition" (the health of the part) or "cost" (one consequence).
	Affects string  `json:"affects"`
	Input   string  `json:"input"` // what was given, empty for a combined factor
	Part    string  `json:"part"`  // main or tapchanger
	Factor  float64 `json:"factor"`
	Cap     float64 `json:"cap"`
	Collar  float64 `json:"collar"`
}

// What a modifier affects.
const (
	affectsLife      = "life"
	affectsCondition = "condition"
	affectsCost      = "cost"
)

// affecting marks modifiers.
func affecting(what string, list ...Modifier) []Modifier {
	for i := range list {
		list[i].Affects = what
	}
	return list
}

// free is a modifier without limits.
func free(name, input, part string, factor float64) Modifier {
	return Modifier{Name: name, Input: input, Part: part, Factor: factor, Cap: healthMost, Collar: healthNew}
}

// ageingRate is β₁ of CNAIM 6.1.5: a new asset reaches 5.5 at its expected life.
func ageingRate(expectedLife float64) float64 { return math.Log(healthOfAge/healthNew) / expectedLife }

// initialHealth is the health that age alone explains (CNAIM 6.1.6).
func initialHealth(rate, age float64) float64 {
	return min(healthNew*math.Exp(rate*age), healthOfAge)
}

// curve is the cubic probability of failure a year (CNAIM 6.1.2).
func curve(k, c, health float64) float64 {
	x := c * health
	return k * (1 + x + x*x/2 + x*x*x/6)
}

// duty returns the factors by which use shortens the life of each part (CNAIM
// 6.6), with the modifiers that stand for them.
func (e Equipment) duty(k kind, part string) Modifier {
	t := data()
	switch {
	case part == partTapchanger && e.DailyTaps != nil:
		return free("daily_taps", text(*e.DailyTaps), part, t.value("daily_taps", k.category, *e.DailyTaps))
	case part == partMain && k.transformer && e.UtilisationPct != nil:
		return free("utilisation", text(*e.UtilisationPct), part, t.value("utilisation", k.category, *e.UtilisationPct))
	case part == partMain && e.Operations == "high" && !k.transformer && k.category != "hv_switchgear_distribution":
		return free("operations", e.Operations, part, dutyOfMany)
	}
	return free("duty", "", part, 1)
}

// dutyOfMany is the duty factor of switchgear that operates often (Table 32).
const dutyOfMany = 1.2

// location returns how the surroundings shorten the life (CNAIM 6.5). Indoors a
// quarter of the difference to the best surroundings is left.
func (e Equipment) location(k kind) (float64, []Modifier) {
	t, scope := data(), "switchgear"
	if k.transformer {
		scope = "transformer"
	}
	factors, best := []float64{}, []float64{}
	var applied []Modifier
	add := func(name string, x float64, known bool) {
		f := 1.0
		if known {
			f = t.value(name, scope, x)
			applied = append(applied, free(name, text(x), partMain, f))
		}
		factors = append(factors, f)
		best = append(best, t.least(name, scope))
	}
	add("distance_from_coast", deref(e.DistanceFromCoastKM), e.DistanceFromCoastKM != nil)
	add("altitude", deref(e.AltitudeM), e.AltitudeM != nil)
	add("corrosion_category", float64(e.CorrosionCategory), e.CorrosionCategory != 0)
	placement := e.Placement
	if placement == "" {
		placement = k.environment
	}
	factor := joinLocation(factors)
	if placement == "indoor" {
		floor := joinLocation(best)
		factor = floor + 0.25*(factor-floor)
	}
	return factor, append(applied, free("location", placement, partMain, factor))
}

// incrementOfMore is added for every further location factor above 1 (Table 25).
const incrementOfMore = 0.05

func joinLocation(factors []float64) float64 {
	most, least, above := 0.0, math.Inf(1), 0
	for _, f := range factors {
		most, least = max(most, f), min(least, f)
		if f > 1 {
			above++
		}
	}
	if above == 0 {
		return least
	}
	return most + float64(above-1)*incrementOfMore
}

// least returns the smallest value of a banded table.
func (c *catalogue) least(name, scope string) float64 {
	out := math.Inf(1)
	for _, b := range c.bands {
		if b.name == name && b.scope == scope {
			out = min(out, b.value)
		}
	}
	return out
}
