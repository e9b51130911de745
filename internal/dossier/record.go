package dossier

import "time"

// Record is everything that a dossier tells of a plan. Names and phrases are
// in the language of the dossier; what people typed is as they typed it. Money
// is in SAR, probabilities and gaps are fractions.
type Record struct {
	Tenant, TenantCode                                         string
	PlanID, RunID, Title, Problem, Preset                      string
	Version                                                    int
	State, LaunchedBy, ProposedBy, ReleasedBy, CreatedBy, Note string
	From, To                                                   time.Time // first and last day of the plan
	ProposedAt, DueAt, CreatedAt                               time.Time
	DecidedAt, ReleasedAt                                      *time.Time
	Synthetic                                                  bool
	Certificate                                                Certificate
	Terms                                                      []Term
	Figures                                                    []Fact
	Lines                                                      []Line
	Alternatives                                               []Alternative
	Versions                                                   []Version
	Changes                                                    []Change
	Prices                                                     []Price
	Comments                                                   []Comment
	Decisions                                                  []Decision
	Withheld                                                   []Withheld
	Release                                                    *Release
	Evidence                                                   Evidence
	Audit                                                      []AuditRow
	AuditCut                                                   bool // there are more events than Audit holds
	VerifyURL, KeyID, PublicKey                                string
}

// Certificate is what the plan can prove about its cost.
type Certificate struct {
	Total, Risk, Objective, Bound, Gap float64
	BoundKnown, Optimal, Verified      bool
	Solver                             string
	Seed, Iterations                   int64
}

// Term is one part of the cost, beside that of the plan in force if there is
// one.
type Term struct {
	Label   string
	Plan    float64
	Current *float64
}

// Line is one decision of the plan.
type Line struct {
	Tag, Name, Site, Decision, Who  string
	Cost, Expected, Avoided, Chance float64
	Pinned, Withheld                bool
	Rated, Trusted                  bool // whether a score counts here, and whether it was trusted
	Reasons                         []string
}

// Alternative is another preset of the same run. Downtime is in hours, nil
// where the problem has none.
type Alternative struct {
	Name       string
	Chosen     bool
	Cost, Risk float64
	Downtime   *float64
	Planned    int
	BoundKnown bool
	Gap        float64
}

// Version is one plan that was put forward for the run.
type Version struct {
	Number        int
	Preset, State string
	At            time.Time
}

// Change is a decision that differs from the version before.
type Change struct{ Tag, Name, Before, After string }

// Price is what one more unit of a resource, or giving up a pinned decision,
// would be worth.
type Price struct {
	Tag, Name string
	Pin       bool
	Step      string
	Value     float64
	Exact     bool
}

// Comment is what somebody said of the plan or of one decision.
type Comment struct {
	By, Role, About, Text string
	At                    time.Time
}

// DecisionKind is what somebody decided.
type DecisionKind string

// The kinds of decisions, as the plan's record names them.
const (
	Endorsed DecisionKind = "endorsed"
	Objected DecisionKind = "objected"
	Approved DecisionKind = "approved"
	Returned DecisionKind = "returned"
)

// Decision is an endorsement, an objection, an approval or a return.
// OnBehalfOf is whom a deputy stood in for.
type Decision struct {
	Kind                              DecisionKind
	Label, By, Role, OnBehalfOf, Text string
	At                                time.Time
}

// Withheld is a decision that is not carried out.
type Withheld struct {
	Tag, Name, Stage, Reason, By string
	At                           time.Time
}

// Release is what became of the plan's orders.
type Release struct {
	State, By, Integration string
	RequestedAt            time.Time
	FinishedAt             *time.Time
	Lines                  []ReleaseLine
}

// ReleaseLine is one order. External is its number in the maintenance system.
type ReleaseLine struct {
	Number                                    int
	Tag, Action, State, External, Key, Reason string
	Start, End                                time.Time
}

// Evidence is the hashes (SHA-256, hexadecimal) that tie the plan to what it
// was computed from. Empty ones are not known.
type Evidence struct{ Input, Output, Content, Manifest, Build string }

// AuditRow is one event about the plan. Day and Root are the root under which
// it lies, empty while its day is not over.
type AuditRow struct {
	Seq                 int64
	At                  time.Time
	Actor, Action, Hash string
	Day, Root           string
}
