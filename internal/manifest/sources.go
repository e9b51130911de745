package manifest

import "time"

// Sources are the records behind an input, as they stood: what a reader wants
// to know of it and the engine does not. They are kept beside the input.
type Sources struct {
	Calendar Calendar         `json:"calendar"`
	Assets   map[string]Asset `json:"assets"` // by id
	Crews    []Crew           `json:"crews"`  // in the order of their codes
}

// Calendar is the working calendar of a tenant as it held on the window.
type Calendar struct {
	Profile  string   `json:"profile"`
	TimeZone string   `json:"time_zone"`
	DaysOff  []string `json:"days_off"` // dates within the window
}

// Asset is one asset of the tenant with the versions of what prices it and the
// score that it was planned with.
type Asset struct {
	Tag     string         `json:"tag"`
	NameAR  string         `json:"name_ar"`
	NameEN  string         `json:"name_en"`
	Costs   map[string]int `json:"costs"`    // version of the cost model in force, by kind
	ScoreAt *time.Time     `json:"score_at"` // of its newest score
	Trusted bool           `json:"trusted"`
}

// Crew is one crew with its size.
type Crew struct {
	Code   string `json:"code"`
	NameAR string `json:"name_ar"`
	NameEN string `json:"name_en"`
	People int    `json:"people"`
}
