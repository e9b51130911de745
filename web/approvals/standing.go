package approvals

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

// The reasons why somebody who may approve plans may not approve this one.
const (
	OwnLaunched = "launched" // launched the run
	OwnProposed = "proposed" // put the plan forward
	OwnBehalf   = "behalf"   // stands in only for whoever did either
)

// Standing says what somebody may decide on a plan. Endorses and Decides are
// their part by role or delegation, on any plan; Behalf is the person in whose
// place they approve or return; Own says why they may not approve this plan.
type Standing struct {
	Waiting, Endorses, Decides bool
	Behalf                     *uuid.UUID
	Own                        string
}

// Role reports whether a kind of decision belongs to the person at all.
func (s Standing) Role(kind string) bool {
	switch kind {
	case workflows.Endorsed, workflows.Objected:
		return s.Endorses
	case workflows.Approved, workflows.Returned:
		return s.Decides
	}
	return false
}

// May reports whether a kind of decision is open to the person now.
func (s Standing) May(kind string) bool {
	return s.Waiting && s.Role(kind) && (kind != workflows.Approved || s.Own == "")
}

// Refusal is the fault of a decision that the person may not take, nil when
// only the state of the plan stands against it: then the approval itself says
// what became of the plan.
func (s Standing) Refusal(kind string) error {
	switch {
	case !s.Role(kind):
		return fault.New(fault.Forbidden, "plans.not_allowed")
	case kind == workflows.Approved && s.Own != "":
		return fault.New(fault.Forbidden, "plans.four_eyes")
	}
	return nil
}

// StandingOn applies the capability matrix, delegations and the rule of four
// eyes to a plan. The workflow, its activity and constraints of the database
// hold the same rules.
func StandingOn(ctx context.Context, tx pgx.Tx, plan db.Plan, who access.Principal) (Standing, error) {
	s := Standing{Waiting: plan.State == "proposed", Endorses: who.Can(access.EndorsePlan), Decides: who.Can(access.ApprovePlan)}
	var behind []uuid.UUID
	if !s.Decides && who.Can(access.CommentPlans) {
		var err error
		if behind, err = db.StandsInFor(ctx, tx, plan.TenantID, who.UserID); err != nil {
			return s, err
		}
		s.Decides = len(behind) > 0
	}
	person, ok, own := approval.StandsInFor(behind, plan.LaunchedBy, plan.ProposedBy)
	switch {
	case ok:
		s.Behalf = &person
	case own:
		s.Behalf = &behind[0]
	}
	switch {
	case !s.Decides:
	case plan.LaunchedBy == who.UserID:
		s.Own = OwnLaunched
	case plan.ProposedBy == who.UserID:
		s.Own = OwnProposed
	case own:
		s.Own = OwnBehalf
	}
	return s, nil
}
