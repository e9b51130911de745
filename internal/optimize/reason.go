package optimize

import (
	"fmt"
	"strings"

	"github.com/optria-iq/optria/internal/fault"
)

// ReasonCode names a computed reason or a broken rule; pages hold the words,
// under the key "runs.reason." and the code.
type ReasonCode string

// The reasons that more than one problem gives. Problems add codes of their
// own.
const (
	// ReasonFailureRisk: waiting until the end of the horizon means P of
	// failure and Money of expected failure cost, which this decision avoids.
	ReasonFailureRisk ReasonCode = "failure_risk"
	// ReasonCheapestDay: the planned day is the subject's own cheapest.
	ReasonCheapestDay ReasonCode = "cheapest_day"
	// ReasonWaitingCheaper: starting on day 0 would cost Money more.
	ReasonWaitingCheaper ReasonCode = "waiting_cheaper"
	// ReasonDeferralCheaper: every start day costs at least Money more than
	// deferring.
	ReasonDeferralCheaper ReasonCode = "deferral_cheaper"
	// The cheapest day (Day) is closed; staying off it costs Money.
	ReasonResourceBinding ReasonCode = "resource_binding"
	ReasonKOutOfN         ReasonCode = "k_out_of_n"
	ReasonExclusion       ReasonCode = "exclusion"
	ReasonDowntimeCap     ReasonCode = "downtime_cap"
	ReasonBudget          ReasonCode = "budget"
	ReasonEmbargo         ReasonCode = "embargo"
	ReasonRestricted      ReasonCode = "restricted_window"
	ReasonWindow          ReasonCode = "start_window"
	ReasonDayOff          ReasonCode = "day_off"
	ReasonMinimum         ReasonCode = "minimum_use"
	// ReasonDue: a due date (Day) or a mandatory job forbids deferral.
	ReasonDue ReasonCode = "due"
	// ReasonPinned: the planner fixed the decision; its own cheapest choice
	// would save Money before other subjects are counted.
	ReasonPinned ReasonCode = "pinned"
	// ReasonNoFeasibleDay: no start day fits the subject's own windows.
	ReasonNoFeasibleDay ReasonCode = "no_feasible_day"
)

// MaxReasons is how many reasons a decision shows at most.
const MaxReasons = 5

// Reason is one reason with its numbers; which are set depends on the code.
type Reason struct {
	Code       ReasonCode `json:"code"`
	Money      float64    `json:"money,omitempty"`      // SAR
	P          float64    `json:"p,omitempty"`          // probability
	Day        int        `json:"day,omitempty"`        // period from the start of the horizon
	Constraint string     `json:"constraint,omitempty"` // ID of the resource, group, exclusion, embargo, technician or site
	Amount     float64    `json:"amount,omitempty"`     // in the unit of the constraint
}

// Conflict names one constraint of an infeasible input, and by how much it
// would have to give way in the relaxation of least cost.
type Conflict struct {
	Code       ReasonCode `json:"code"`
	Constraint string     `json:"constraint,omitempty"`
	ActionIDs  []string   `json:"action_ids,omitempty"` // the subjects that need the constraint to give way
	Day        int        `json:"day,omitempty"`
	Amount     float64    `json:"amount,omitempty"`
}

// InfeasibleError names the constraints that cannot hold together.
type InfeasibleError struct{ Conflicts []Conflict }

// Error lists the conflicts for the log.
func (e *InfeasibleError) Error() string {
	parts := make([]string, 0, len(e.Conflicts))
	for _, c := range e.Conflicts {
		parts = append(parts, fmt.Sprintf("%s %s day %d by %g (%s)", c.Code, c.Constraint, c.Day, c.Amount, strings.Join(c.ActionIDs, ", ")))
	}
	return "no plan satisfies: " + strings.Join(parts, "; ")
}

// Infeasible wraps the conflicts of an input in a fault that pages can word.
func Infeasible(conflicts []Conflict) error {
	return fault.Wrap(fault.Conflict, "optimize.infeasible", &InfeasibleError{Conflicts: conflicts}).With("conflicts", len(conflicts))
}
