package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// The change that gave approvals reminders and the deadlines of the tenant.
const (
	approvalDeadlines        = "approval-deadlines"
	approvalDeadlinesVersion = 1
)

// milestone is a moment of the wait and what is done when it comes.
type milestone struct {
	at  time.Time
	act func(ctx workflow.Context) error
}

// wait returns when the plan is decided or expired, or when the history has
// grown so long that the workflow should continue as new.
func (p *approval) wait(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, approvalDeadlines, workflow.DefaultVersion, approvalDeadlinesVersion) == workflow.DefaultVersion {
		return p.waitAsBefore(ctx)
	}
	for p.open() {
		came, err := p.passes(ctx, p.next().at)
		if err != nil || !came {
			return err
		}
		if err := p.reach(ctx); err != nil {
			return err
		}
	}
	return nil
}

// next is the moment that comes next, as the rules were when the plan was
// loaded.
func (p *approval) next() milestone {
	switch {
	case !p.view.Reminded && !p.view.Escalated && !p.view.RemindAt.IsZero() && p.view.RemindAt.Before(p.view.ExpireAt):
		return milestone{p.view.RemindAt, p.remind}
	case !p.view.Escalated && p.view.DueAt.Before(p.view.ExpireAt):
		return milestone{p.view.DueAt, p.escalate}
	}
	return milestone{p.view.ExpireAt, p.expire}
}

// reach does what is due, unless the rules have moved it or a decision that is
// being recorded right now comes first.
func (p *approval) reach(ctx workflow.Context) error {
	if err := p.turn.Lock(ctx); err != nil {
		return err
	}
	defer p.turn.Unlock()
	if !p.open() {
		return nil
	}
	if err := p.load(ctx); err != nil || !p.open() {
		return err
	}
	if m := p.next(); !workflow.Now(ctx).Before(m.at) {
		return m.act(ctx)
	}
	return nil
}

func (p *approval) remind(ctx workflow.Context) error {
	var a *activities.Approval
	p.view.Reminded = true
	return workflow.ExecuteActivity(record(ctx, "remind"), a.RemindApproval, p.ref).Get(ctx, nil)
}

func (p *approval) escalate(ctx workflow.Context) error {
	var a *activities.Approval
	p.view.Escalated = true
	return workflow.ExecuteActivity(record(ctx, "escalate"), a.EscalateApproval, p.ref).Get(ctx, nil)
}

func (p *approval) expire(ctx workflow.Context) error {
	var a *activities.Approval
	var expired activities.Recorded
	if err := workflow.ExecuteActivity(record(ctx, "expire"), a.ExpireApproval, p.ref).Get(ctx, &expired); err != nil {
		return err
	}
	p.state = PlanState{State: expired.State, Seq: expired.Decisions}
	return nil
}

// approvalLife is how long a plan waited before tenants had rules.
const approvalLife = 30 * 24 * time.Hour

// waitAsBefore is the wait of approvals that began before tenants had rules: it
// keeps their histories valid until they are decided or expire.
func (p *approval) waitAsBefore(ctx workflow.Context) error {
	if !p.view.Escalated {
		late, err := p.passes(ctx, p.view.DueAt)
		if err != nil || !late {
			return err
		}
		if err := p.escalate(ctx); err != nil {
			return err
		}
	}
	late, err := p.passes(ctx, p.view.ProposedAt.Add(approvalLife))
	if err != nil || !late {
		return err
	}
	// A decision that is being recorded right now comes first.
	if err := p.turn.Lock(ctx); err != nil {
		return err
	}
	defer p.turn.Unlock()
	if !p.open() {
		return nil
	}
	return p.expire(ctx)
}

// passes waits for an instant and reports whether it came before a decision
// and before the history grew too long.
func (p *approval) passes(ctx workflow.Context, at time.Time) (bool, error) {
	interrupted := func() bool {
		return !p.open() || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	}
	rest := at.Sub(workflow.Now(ctx))
	if rest <= 0 {
		return !interrupted(), nil
	}
	met, err := workflow.AwaitWithTimeout(ctx, rest, interrupted)
	return !met, err
}
