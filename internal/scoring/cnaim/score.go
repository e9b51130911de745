package cnaim

import "slices"

// Component is a part that ages on its own: the equipment itself and, in
// transformers of 33 kV and more, the tap changer.
type Component struct {
	Part          string  `json:"part"`
	Age           float64 `json:"age"`
	ExpectedLife  float64 `json:"expected_life"`  // years, after duty and location
	AgeingRate    float64 `json:"ageing_rate"`    // β₁, a year
	InitialHealth float64 `json:"initial_health"` // from age alone
	Factor        float64 `json:"factor"`         // of everything observed and measured
	Cap           float64 `json:"cap"`
	Collar        float64 `json:"collar"`
	Health        float64 `json:"health"`        // today
	ForecastRate  float64 `json:"forecast_rate"` // β₂ over the ageing reduction factor, a year
}

// Result is the rating of one equipment.
type Result struct {
	Type string `json:"type"`
	// Health is 0.5 (new) to 10; the worst component decides. Band is 1 to 5.
	Health float64 `json:"health"`
	Band   int     `json:"band"`
	// PoF is the expected number of functional failures in the coming year at
	// today's health.
	PoF        float64     `json:"pof"`
	Components []Component `json:"components"`
	// Modifiers are what was known and moved the score, worst first.
	Modifiers []Modifier `json:"modifiers"`
	// Consequence is of one functional failure and Typical the reference of the
	// type; CriticalityBand is 1 to 4 by their ratio.
	Consequence     Consequence `json:"consequence"`
	Typical         Consequence `json:"typical"`
	CriticalityBand int         `json:"criticality_band"`
	// Risk is PoF × consequence in Currency a year.
	Risk float64 `json:"risk"`
	// K and C are the parameters of the curve of the probability of failure.
	K float64 `json:"k"`
	C float64 `json:"c"`
}

// Score rates an equipment. It fails as Validate does and on nothing else.
func Score(e Equipment) (Result, error) {
	if err := e.Validate(); err != nil {
		return Result{}, err
	}
	k, _ := data().kind(e.Type)
	r := Result{Type: k.name, K: k.k, C: k.c, Typical: k.cost}
	place, applied := e.location(k)
	applied = affecting(affectsLife, applied...)
	for _, part := range k.parts() {
		c, used := e.component(k, part, place)
		r.Components = append(r.Components, c)
		applied = append(applied, used...)
		r.Health = max(r.Health, c.Health)
	}
	r.Band = bandOf(r.Health, []float64{3, 5.5, 6.5, 8}) // Table 5
	r.PoF = curve(r.K, r.C, r.Health)
	cost, used := e.consequence(k)
	r.Consequence = cost
	r.CriticalityBand = bandOf(100*cost.Total()/k.cost.Total(), []float64{75, 125, 200}) // Table 6
	r.Risk = r.PoF * cost.Total()
	r.Modifiers = explain(append(applied, affecting(affectsCost, used...)...))
	return r, nil
}

// explain puts the strongest modifiers first and drops those that say nothing.
func explain(list []Modifier) []Modifier {
	list = slices.DeleteFunc(list, func(m Modifier) bool { return m.Input == "" })
	slices.SortStableFunc(list, func(a, b Modifier) int {
		switch {
		case a.Factor > b.Factor:
			return -1
		case a.Factor < b.Factor:
			return 1
		}
		return 0
	})
	return list
}

func (k kind) parts() []string {
	if k.lifeTapchanger > 0 {
		return []string{partMain, partTapchanger}
	}
	return []string{partMain}
}

// component rates one part: expected life, ageing, condition, limits.
func (e Equipment) component(k kind, part string, place float64) (Component, []Modifier) {
	life, age := k.life, e.Age
	if e.YearOfManufacture > 0 && e.YearOfManufacture < 1980 && k.lifeBefore1980 > 0 {
		life = k.lifeBefore1980
	}
	if part == partTapchanger {
		life = k.lifeTapchanger
		if e.TapchangerAge != nil {
			age = *e.TapchangerAge
		}
	}
	use := e.duty(k, part)
	c := Component{Part: part, Age: age, ExpectedLife: life / (use.Factor * place)}
	c.AgeingRate = ageingRate(c.ExpectedLife)
	c.InitialHealth = initialHealth(c.AgeingRate, age)
	state, single := e.conditions(k, part)
	reliability := e.ReliabilityFactor
	if reliability == 0 {
		reliability = 1
	} else {
		single = append(single, free("reliability", text(reliability), part, reliability))
	}
	c.Factor, c.Cap, c.Collar = state.Factor, state.Cap, state.Collar
	c.Health = max(min(c.InitialHealth*c.Factor*reliability, c.Cap), c.Collar)
	c.Health = min(max(c.Health, healthNew), healthMost)
	c.ForecastRate = c.forecastRate()
	return c, append(affecting(affectsLife, use), affecting(affectsCondition, single...)...)
}

// bandOf returns 1 for values below the first edge, 2 below the second and so on.
func bandOf(x float64, edges []float64) int {
	band := 1
	for _, e := range edges {
		if x >= e {
			band++
		}
	}
	return band
}
