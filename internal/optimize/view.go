package optimize

// View is what pages, files and the API show of a verified plan, the same for
// every problem. Money is SAR; times are periods from the start of the
// horizon, fractional where a problem plans finer than its periods. Parts
// that a problem does not have are empty.
type View struct {
	Certificate Certificate     `json:"certificate"`
	Start       string          `json:"start"`        // instant of period 0: YYYY-MM-DD or RFC 3339 without zone, the tenant's local time
	Periods     int             `json:"periods"`      // length of the horizon
	PeriodHours float64         `json:"period_hours"` // 24 for days, 1 for hours
	Total       float64         `json:"total"`        // expected cost, the sum of Terms
	Risk        float64         `json:"risk"`         // the part of Total that failures and unserved risk make up
	Terms       []Term          `json:"terms"`
	Baseline    []Term          `json:"baseline,omitempty"` // of the current plan, in the order of Terms; empty when there is none
	Figures     []Figure        `json:"figures"`
	Lines       []Line          `json:"lines"` // one per decision, most valuable first
	Loads       []Load          `json:"loads,omitempty"`
	Curves      []Curve         `json:"curves,omitempty"`
	Profiles    []Profile       `json:"profiles,omitempty"`
	Frontier    []FrontierPoint `json:"frontier,omitempty"`
	Prices      []Price         `json:"prices,omitempty"`
}

// Term is one part of an expected cost; its name is worded under
// "optimize.term." and the key.
type Term struct {
	Key   string  `json:"key"`
	Money float64 `json:"money"`
}

// Figure is one number of a plan beside its cost; its name is worded under
// "optimize.figure." and the key. Unit is one of "SAR", "h", "min", "km",
// "%", "MWh" or "" for a count.
type Figure struct {
	Key   string  `json:"key"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// The figures that compare plans; a problem gives those that it has.
const (
	FigureDowntime = "downtime" // h of planned outage
	FigureLabour   = "labour"   // h of work
	FigurePlanned  = "planned"  // decisions to act
	FigureDeferred = "deferred" // decisions not to act
	FigureTravel   = "travel"   // h on the road
	FigureOvertime = "overtime" // h beyond the shifts
	FigureChanges  = "changes"  // decisions that differ from the current plan
)

// Verdict is what a line says to do.
type Verdict string

// The verdicts of a line.
const (
	VerdictDo       Verdict = "do"       // act from Start to End
	VerdictDefer    Verdict = "defer"    // do not act in the horizon
	VerdictWait     Verdict = "wait"     // can wait until Start
	VerdictSame     Verdict = "same"     // no measurable difference before Start
	VerdictRun      Verdict = "run"      // follow the profile of the same subject
	VerdictUnserved Verdict = "unserved" // nobody can be sent
)

// Line is one decision. Start and End are −1 where there is none.
type Line struct {
	Subject      string   `json:"subject"`            // ID of the action, unit or job inside the problem
	AssetID      string   `json:"asset_id,omitempty"` //
	SiteID       string   `json:"site_id,omitempty"`  //
	Title        string   `json:"title,omitempty"`    // of a job that is more than its asset
	Verdict      Verdict  `json:"verdict"`            //
	Resource     string   `json:"resource,omitempty"` // ID of the technician or skill
	Crew         []string `json:"crew,omitempty"`     // every technician sent, when more than one
	Start        float64  `json:"start"`              // period
	End          float64  `json:"end"`                // period, exclusive
	TravelHours  float64  `json:"travel,omitempty"`   // before the start
	Was          *float64 `json:"was,omitempty"`      // start in the current plan
	Pinned       bool     `json:"pinned,omitempty"`   //
	Hours        float64  `json:"hours"`              // of labour
	PlannedCost  float64  `json:"planned_cost"`       // certain cost of the decision
	ExpectedCost float64  `json:"expected_cost"`      // with the risk that remains
	Value        float64  `json:"value"`              // cost avoided against not acting
	P            float64  `json:"p"`                  // probability of failure in the horizon without acting
	Reasons      []Reason `json:"reasons"`            // at most MaxReasons, strongest first
	Moves        []Move   `json:"moves,omitempty"`    // cost of other choices while the rest of the plan stays
}

// Move is the cost of another choice for a line: starting in Period, or not
// acting when Period is −1.
type Move struct {
	Period int     `json:"period"`
	Delta  float64 `json:"delta"`
}

// Load is the use of one resource per period.
type Load struct {
	Resource  string    `json:"resource"`
	Unit      string    `json:"unit,omitempty"` // "h" unless given
	Used      []float64 `json:"used"`
	Available []float64 `json:"available"`
}

// Curve is a function of time for one subject, with a band of uncertainty
// when Low and High are given; all have the length of X.
type Curve struct {
	Subject string    `json:"subject"`
	X       []float64 `json:"x"` // periods
	Y       []float64 `json:"y"` // SAR
	Low     []float64 `json:"low,omitempty"`
	High    []float64 `json:"high,omitempty"`
	Closed  []bool    `json:"closed,omitempty"` // choices that a constraint forbids
}

// Profile is the operation of one unit per period.
type Profile struct {
	Subject string    `json:"subject"`
	AssetID string    `json:"asset_id"`
	On      []bool    `json:"on"`
	Load    []float64 `json:"load"`
	Was     []float64 `json:"was,omitempty"` // load in the current profile
	Minimum float64   `json:"minimum"`
	Maximum float64   `json:"maximum"`
	Unit    string    `json:"unit"`
}

// FrontierPoint is one plan that no other beats in both cost and risk.
type FrontierPoint struct {
	RiskWeight float64 `json:"risk_weight"`
	Cost       float64 `json:"cost"`       // expected cost without failures, SAR
	Risk       float64 `json:"risk"`       // expected failure cost, SAR
	Production float64 `json:"production"` // in the unit of the demand
	Gap        float64 `json:"gap"`
	BoundKnown bool    `json:"bound_known"`
}

// Price is what one step more of a resource is worth, or what a pin costs:
// the difference of two verified plans. It is exact when both are optimal.
type Price struct {
	Subject string  `json:"subject"`       // ID of the resource, or of the pinned decision
	Pin     bool    `json:"pin,omitempty"` //
	Step    float64 `json:"step"`
	Unit    string  `json:"unit,omitempty"`
	Value   float64 `json:"value"`
	Exact   bool    `json:"exact"`
}

// Pin is one decision held fixed, in the words of every problem: a start, a
// technician, a load, or not acting at all. Which of the fields a problem
// reads is said by its Force.
type Pin struct {
	Subject  string   `json:"subject"`
	Start    *float64 `json:"start,omitempty"`    // period
	Resource string   `json:"resource,omitempty"` // ID of the technician
	Load     *float64 `json:"load,omitempty"`     // of a unit, in its unit, from Start on
	Off      bool     `json:"off,omitempty"`      // deferred, unserved or shut down
}
