package dispatch

import "github.com/optria-iq/optria/internal/optimize"

// Input is one WorkforceDispatchProblem. Times are minutes from the start of
// the horizon, midnight of StartDate in the tenant's zone; durations are
// minutes, money is SAR.
type Input struct {
	StartDate string `json:"start_date"` // YYYY-MM-DD
	Days      int    `json:"days"`       // length of the horizon
	// Sites are the places; Travel[a][b] is the time from Sites[a] to
	// Sites[b]. Travel inside a site is Travel[a][a], usually 0.
	Sites       []string     `json:"sites"`
	Travel      [][]float64  `json:"travel"`
	Technicians []Technician `json:"technicians"`
	Jobs        []Job        `json:"jobs"`
	// Closures are the calendar's forbidden intervals, expanded per site.
	Closures []Closure `json:"closures,omitempty"`
	// StoreSiteID, when set, is the central store: on the way a technician may
	// fetch missing tools and any number of parts there.
	StoreSiteID string `json:"store_site_id,omitempty"`
	// Published is the plan in force. A job that moves to another technician
	// or shift costs ChangeSAR.
	Published []Stop  `json:"published,omitempty"`
	ChangeSAR float64 `json:"change_sar,omitempty"`
	Weights   Weights `json:"weights"`
	Pins      []Pin   `json:"pins,omitempty"`
	// WarmStart is a plan to start from. Stops that no longer fit are left
	// out.
	WarmStart []Stop `json:"warm_start,omitempty"`
}

// Skill is a trade at a level; a job asks for the level or more.
type Skill struct {
	ID    string `json:"id"`
	Level int    `json:"level"`
}

// Stock is a number of units of a spare part.
type Stock struct {
	Part  string `json:"part"`
	Units int    `json:"units"`
}

// Span is the time from From to To.
type Span struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Technician starts and ends each shift at SiteID, with Tools and Parts on
// board; what was used is restocked between shifts.
type Technician struct {
	ID          string   `json:"id"`
	SiteID      string   `json:"site_id"`
	Skills      []Skill  `json:"skills"`
	Tools       []string `json:"tools,omitempty"`
	Parts       []Stock  `json:"parts,omitempty"`
	CostPerHour float64  `json:"cost_per_hour"`
	// A shift may run over by MaxOvertime minutes; each hour of it is paid
	// OvertimeFactor times.
	MaxOvertime    float64 `json:"max_overtime,omitempty"`
	OvertimeFactor float64 `json:"overtime_factor,omitempty"`
	Shifts         []Span  `json:"shifts"`
	Absences       []Span  `json:"absences,omitempty"` // cut out of the shifts
}

// Job is one task at one site.
type Job struct {
	ID       string   `json:"id"`
	AssetID  string   `json:"asset_id,omitempty"`
	SiteID   string   `json:"site_id"`
	Title    string   `json:"title,omitempty"`
	Skills   []Skill  `json:"skills,omitempty"`
	Tools    []string `json:"tools,omitempty"`
	Parts    []Stock  `json:"parts,omitempty"`
	CrewSize int      `json:"crew_size,omitempty"` // technicians at the same time; 0 counts as 1
	Duration float64  `json:"duration"`
	// Windows are the allowed starts; none means any time of the horizon.
	Windows []Span `json:"windows,omitempty"`
	// Every hour by which the start is later than Due costs PrioritySAR; nil
	// means that the job is never late.
	Due         *float64 `json:"due,omitempty"`
	PrioritySAR float64  `json:"priority_sar,omitempty"`
	// UnservedSAR is the risk of leaving the job out; 0 means PrioritySAR for
	// every hour of the horizon, at least leastUnserved.
	UnservedSAR float64  `json:"unserved_sar,omitempty"`
	Outdoor     bool     `json:"outdoor,omitempty"`
	Exempt      []string `json:"exempt,omitempty"` // kinds of closures that do not bind the job
	After       []string `json:"after,omitempty"`  // jobs that must have ended before this one starts
}

// leastUnserved is the least default cost of leaving a job out, SAR.
const leastUnserved = 2000

// Closure is an interval in which no job may be in progress at a site (or at
// any, without SiteID).
type Closure struct {
	ID      string  `json:"id"`
	Kind    string  `json:"kind"` // midday_ban, friday_no_start, holiday, embargo …
	SiteID  string  `json:"site_id,omitempty"`
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Outdoor bool    `json:"outdoor,omitempty"`  // binds outdoor jobs only
	NoStart bool    `json:"no_start,omitempty"` // forbids starting only
}

// Stop is one visit of a plan: a technician at a job from Start on, or at the
// store when JobID is empty.
type Stop struct {
	TechnicianID string  `json:"technician_id"`
	JobID        string  `json:"job_id"`
	Start        float64 `json:"start"`
}

// Pin holds parts of one decision fixed: the technician (one of the crew), the
// day, the start, or that the job stays unserved. A pinned job is served
// unless Unserved is set.
type Pin struct {
	JobID        string   `json:"job_id"`
	TechnicianID string   `json:"technician_id,omitempty"`
	Day          *int     `json:"day,omitempty"`   // from 0
	Start        *float64 `json:"start,omitempty"` // minutes
	Unserved     bool     `json:"unserved,omitempty"`
}

// Weights turns the terms of a plan into one objective. A preset other than
// custom replaces the numbers.
type Weights struct {
	Preset    string  `json:"preset"`
	Unserved  float64 `json:"unserved,omitempty"`
	Lateness  float64 `json:"lateness,omitempty"`
	Travel    float64 `json:"travel,omitempty"`
	Overtime  float64 `json:"overtime,omitempty"`
	Stability float64 `json:"stability,omitempty"`
}

// values returns the weights that a preset stands for.
func (w Weights) values() Weights {
	switch w.Preset {
	case optimize.PresetBalanced:
		return Weights{Preset: w.Preset, Unserved: 2, Lateness: 2, Travel: 1, Overtime: 1, Stability: 1}
	case optimize.PresetLowestRisk:
		return Weights{Preset: w.Preset, Unserved: 5, Lateness: 5, Travel: 1, Overtime: 1, Stability: 1}
	case optimize.PresetCustom:
		return w
	default:
		return Weights{Preset: w.Preset, Unserved: 1, Lateness: 1, Travel: 1, Overtime: 1, Stability: 1}
	}
}
