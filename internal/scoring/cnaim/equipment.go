package cnaim

// Equipment is what is known about one transformer or switchgear. A pointer
// that is nil, an empty text or a missing entry of a map means unknown, which
// never makes the score better or worse than the method's default.
type Equipment struct {
	// Type is one of Types; spaces and case do not matter.
	Type string `json:"type"`
	// Age is in years since manufacture.
	Age float64 `json:"age"`
	// YearOfManufacture matters for transformers of 33 kV and more: before 1980
	// they were built to last longer. 0 means unknown, taken as later.
	YearOfManufacture int `json:"year_of_manufacture,omitempty"`
	// TapchangerAge is in years; unknown means as old as the transformer.
	TapchangerAge *float64 `json:"tapchanger_age,omitempty"`

	// Placement is "indoor" or "outdoor"; unknown means usual for the type.
	Placement string `json:"placement,omitempty"`
	// DistanceFromCoastKM and AltitudeM place the equipment.
	DistanceFromCoastKM *float64 `json:"distance_from_coast_km,omitempty"`
	AltitudeM           *float64 `json:"altitude_m,omitempty"`
	// CorrosionCategory is 1 (least) to 5 (most corrosive air), 0 unknown.
	CorrosionCategory int `json:"corrosion_category,omitempty"`

	// UtilisationPct is a transformer's greatest load in per cent of its rating.
	UtilisationPct *float64 `json:"utilisation_pct,omitempty"`
	// DailyTaps is the mean number of tap changes a day.
	DailyTaps *float64 `json:"daily_taps,omitempty"`
	// Operations is "normal" or "high" (auto-reclosers) for primary, extra-high
	// voltage and 132 kV switchgear.
	Operations string `json:"operations,omitempty"`
	// ReliabilityFactor is the owner's judgement of a make, 0.6 to 1.5; 0 means 1.
	ReliabilityFactor float64 `json:"reliability_factor,omitempty"`

	// Observed and Measured map an inspection point or a test to its result; see
	// Inspections for what a type knows.
	Observed map[string]string `json:"observed,omitempty"`
	Measured map[string]string `json:"measured,omitempty"`

	Oil           *Oil     `json:"oil,omitempty"`            // main tank
	TapchangerOil *Oil     `json:"tapchanger_oil,omitempty"` // transformers of 33 kV and more
	Gases         *Gases   `json:"gases,omitempty"`          // latest dissolved-gas analysis
	GasesBefore   *Gases   `json:"gases_before,omitempty"`   // the one before
	FurfuralPPM   *float64 `json:"furfural_ppm,omitempty"`

	Site Site `json:"site,omitzero"`
}

// Oil is an oil test of a transformer: water in ppm, acidity in mg KOH/g,
// breakdown strength in kV.
type Oil struct {
	MoisturePPM *float64 `json:"moisture_ppm,omitempty"`
	Acidity     *float64 `json:"acidity_mg_koh_g,omitempty"`
	BreakdownKV *float64 `json:"breakdown_kv,omitempty"`
}

// Gases is a dissolved-gas analysis of a transformer's oil in ppm.
type Gases struct {
	Hydrogen  float64 `json:"hydrogen_ppm"`
	Methane   float64 `json:"methane_ppm"`
	Ethylene  float64 `json:"ethylene_ppm"`
	Ethane    float64 `json:"ethane_ppm"`
	Acetylene float64 `json:"acetylene_ppm"`
}

// Site is what decides the consequences of a failure.
type Site struct {
	// Access is "normal", "constrained" or "underground".
	Access string `json:"access,omitempty"`
	// RatingKVA is a transformer's rating; Windings its voltages, see Windings.
	RatingKVA *float64 `json:"rating_kva,omitempty"`
	Windings  string   `json:"windings,omitempty"`
	// LocationRisk and TypeRisk are "low", "medium" or "high" for people nearby.
	LocationRisk string `json:"location_risk,omitempty"`
	TypeRisk     string `json:"type_risk,omitempty"`
	// Insulation of switchgear is "oil", "sf6" or "neither".
	Insulation string `json:"insulation,omitempty"`
	// DistanceToWaterM is to the next water course; Bunded says that oil is held back.
	DistanceToWaterM *float64 `json:"distance_to_water_m,omitempty"`
	Bunded           *bool    `json:"bunded,omitempty"`
	// LoadMVA is the greatest load at risk and Secure says that the network
	// survives one failure, from 33 kV up; Customers are fed below 33 kV, with
	// KVAPerCustomer each.
	LoadMVA        *float64 `json:"load_mva,omitempty"`
	Secure         *bool    `json:"secure,omitempty"`
	Customers      *float64 `json:"customers,omitempty"`
	KVAPerCustomer *float64 `json:"kva_per_customer,omitempty"`
}
