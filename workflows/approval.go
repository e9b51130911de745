package workflows

import (
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// The longest comment that plan_decisions and the longest reason that
// plan_withheld accept, in runes, and the most lines that one approval holds
// back.
const (
	maxComment    = 2000
	maxHoldReason = 500
	maxWithheld   = 2000
)

// approval is the state of one plan's approval.
type approval struct {
	ref    activities.PlanRef
	view   activities.ApprovalView // as the row says
	state  PlanState
	loaded bool
	turn   workflow.Mutex // decisions are recorded one after the other
}

// PlanApproval waits for people to decide on a proposed plan. Update "decide"
// answers with the real outcome: its validator refuses what can be refused
// from memory, the activity checks the actor's roles and delegations in the
// rows, and the constraints four_eyes of the database have the last word. Some
// working hours before the due time the approvers are reminded; when it passes
// the plan is escalated once; after some days it expires. The tenant's rules
// say how many, and are read again before each of these moments.
func PlanApproval(ctx workflow.Context, in ApprovalInput) (PlanState, error) {
	p := &approval{
		ref:   activities.PlanRef{TenantID: in.TenantID, PlanID: in.PlanID},
		state: PlanState{State: activities.PlanProposed}, turn: workflow.NewMutex(ctx),
	}
	// The handler comes first: an update may arrive with the start itself.
	if err := p.listen(ctx); err != nil {
		return p.state, err
	}
	if err := p.load(ctx); err != nil {
		return p.state, err
	}
	if err := p.wait(ctx); err != nil {
		return p.state, err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return p.state, err
	}
	if p.open() {
		return p.state, workflow.NewContinueAsNewError(ctx, PlanApproval, in)
	}
	return p.state, nil
}

func (p *approval) open() bool { return p.state.State == activities.PlanProposed }

func (p *approval) load(ctx workflow.Context) error {
	var a *activities.Approval
	if err := workflow.ExecuteActivity(record(ctx, "load plan"), a.LoadApproval, p.ref).Get(ctx, &p.view); err != nil {
		return err
	}
	p.state = PlanState{State: p.view.State, Seq: p.view.Decisions}
	p.loaded = true
	return nil
}

func (p *approval) listen(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateDecide, p.decide, workflow.UpdateHandlerOptions{
		Description: "endorse, object, approve or return the plan; an approval may hold lines back",
		Validator:   func(_ workflow.Context, d Decision) error { return p.check(d) },
	})
}

// check refuses a decision that the workflow can refuse from memory.
func (p *approval) check(d Decision) error {
	switch {
	case !p.open():
		return temporal.NewApplicationError("the plan is already "+p.state.State, ErrAlreadyDecided)
	case d.Service:
		return temporal.NewApplicationError("service accounts never decide", ErrForbidden)
	case d.ActorID == uuid.Nil:
		return temporal.NewApplicationError("a decision needs an actor", ErrInvalid)
	case d.Kind != Endorsed && d.Kind != Objected && d.Kind != Approved && d.Kind != Returned:
		return temporal.NewApplicationError("unknown kind of decision", ErrInvalid)
	case (d.Kind == Objected || d.Kind == Returned) && d.Comment == "":
		return temporal.NewApplicationError("objecting and returning need a comment", ErrInvalid)
	case len([]rune(d.Comment)) > maxComment || len([]rune(d.HoldReason)) > maxHoldReason:
		return temporal.NewApplicationError("the comment is too long", ErrInvalid)
	case len(d.Withheld) > 0 && (d.Kind != Approved || d.HoldReason == "" || len(d.Withheld) > maxWithheld):
		return temporal.NewApplicationError("only an approval holds lines back, and it needs a reason", ErrInvalid)
	case p.loaded && d.Kind == Approved && (d.ActorID == p.view.LaunchedBy || d.ActorID == p.view.ProposedBy):
		return temporal.NewApplicationError("nobody approves a plan they launched or proposed", ErrFourEyes)
	}
	return nil
}

// decide records one decision. Its row is keyed by the id of the update, so a
// repeated update, even one that arrives after continue-as-new, records
// nothing twice.
func (p *approval) decide(ctx workflow.Context, d Decision) (PlanState, error) {
	if err := workflow.Await(ctx, func() bool { return p.loaded }); err != nil {
		return p.state, err
	}
	if err := p.turn.Lock(ctx); err != nil {
		return p.state, err
	}
	defer p.turn.Unlock()
	if err := p.check(d); err != nil {
		return p.state, err
	}
	var a *activities.Approval
	decision := activities.DecisionInput{
		PlanRef: p.ref, DecisionID: uuid.NewSHA1(p.ref.PlanID, []byte(workflow.GetCurrentUpdateInfo(ctx).ID)),
		ActorID: d.ActorID, Kind: d.Kind, Comment: d.Comment, Withheld: d.Withheld, HoldReason: d.HoldReason, ContentSHA256: d.ContentSHA256,
	}
	var recorded activities.Recorded
	if err := workflow.ExecuteActivity(settle(ctx, "record decision"), a.RecordDecision, decision).Get(ctx, &recorded); err != nil {
		return p.state, plainError(err)
	}
	p.state = PlanState{State: recorded.State, Seq: recorded.Decisions}
	return p.state, nil
}

// plainError strips the activity from an error, so that the caller of an
// update sees the type of the cause and nothing else.
func plainError(err error) error {
	var cause *temporal.ApplicationError
	if errors.As(err, &cause) {
		return cause
	}
	return err
}
