package cnaim

import "math"

// forecastRate is β₂ of CNAIM 6.1.8, the ageing rate that explains today's
// health, at most twice β₁, slowed down by the ageing reduction factor of
// Table 216: an asset in poor health deteriorates less fast than its past says.
func (c Component) forecastRate() float64 {
	rate := c.AgeingRate
	if c.Age > 0 && c.Health > healthNew {
		rate = min(math.Log(c.Health/healthNew)/c.Age, 2*c.AgeingRate)
	}
	reduction := 1 + min(max(c.Health-2, 0), 3.5)/7
	return rate / reduction
}

// Forecast is the state after some years without intervention.
type Forecast struct {
	Years  float64 `json:"years"`
	Health float64 `json:"health"` // at most 15
	PoF    float64 `json:"pof"`    // a year
	Risk   float64 `json:"risk"`   // in Currency a year
}

// Future returns the state after the given years; the past, NaN and infinity
// count as today.
func (r Result) Future(years float64) Forecast {
	if !(years > 0) || math.IsInf(years, 0) {
		years = 0
	}
	f := Forecast{Years: years, Health: r.Health}
	for _, c := range r.Components {
		f.Health = max(f.Health, min(c.Health*math.Exp(c.ForecastRate*years), healthForecast))
	}
	f.PoF = curve(r.K, r.C, f.Health)
	f.Risk = f.PoF * r.Consequence.Total()
	return f
}

// FailureWithin returns the probability of a functional failure within the
// given days: 1 − exp(−∫ PoF), as failures come by a Poisson process whose rate
// grows with the health score. Anything but positive days returns 0.
func (r Result) FailureWithin(days float64) float64 {
	if !(days > 0) {
		return 0
	}
	years := min(days/365.25, 200)
	steps := 2 * max(4, int(math.Ceil(2*years)))
	h := years / float64(steps)
	sum := 0.0 // Simpson's rule, exact for the smooth stretches of the curve
	for i := range steps + 1 {
		weight := 2.0
		switch {
		case i == 0 || i == steps:
			weight = 1
		case i%2 == 1:
			weight = 4
		}
		sum += weight * r.Future(float64(i)*h).PoF
	}
	return -math.Expm1(-sum * h / 3)
}
