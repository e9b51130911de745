package workflows

import (
	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// The change that made a release a saga with lines.
const (
	releaseSaga        = "release-saga"
	releaseSagaVersion = 1
)

// ReleaseResult says how many work orders a release created, how many open ones
// of older plans it cancelled because the asset got a new one, and how it
// ended: done or undone.
type ReleaseResult struct {
	Created, Cancelled int
	State              string `json:",omitempty"`
}

// saga is the release of one plan.
type saga struct {
	plan     activities.PlanRef
	scope    activities.ReleaseScope
	loaded   bool
	stopping bool // the row may say that the release is stuck already
	result   ReleaseResult
}

// Release turns an approved plan into work orders, one per recommendation to
// act. Without a maintenance system one transaction does it all. With one, line
// after line is written there, each with the work order of the product; at a
// line that cannot be written the release is stuck, people are told, and update
// "resolve" says whether the line is tried again, left out, or everything is
// taken back in reverse order. Every step finds what an earlier attempt did, so
// starting the release twice creates nothing twice.
func Release(ctx workflow.Context, in ReleaseInput) (ReleaseResult, error) {
	s := &saga{plan: activities.PlanRef{TenantID: in.TenantID, PlanID: in.PlanID}}
	if workflow.GetVersion(ctx, releaseSaga, workflow.DefaultVersion, releaseSagaVersion) == workflow.DefaultVersion {
		err := s.createAtOnce(ctx)
		return s.result, err
	}
	// The handler comes first: an update may arrive with the start itself.
	if err := s.listen(ctx); err != nil {
		return s.result, err
	}
	var a *activities.Release
	err := workflow.ExecuteActivity(record(ctx, "prepare release"), a.PrepareRelease, s.plan).Get(ctx, &s.scope)
	s.loaded = true
	if err == nil {
		err = s.carryOut(ctx)
	}
	if waiting := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err == nil {
		err = waiting
	}
	return s.result, err
}

// carryOut does what is left of the release.
func (s *saga) carryOut(ctx workflow.Context) error {
	if s.scope.ProductOnly {
		return s.createAtOnce(ctx)
	}
	for {
		switch s.scope.State {
		case activities.ReleaseRunning:
			if err := s.clearSkipped(ctx); err != nil {
				return err
			}
			if len(s.scope.Todo) == 0 {
				return s.finish(ctx)
			}
			if err := s.write(ctx, s.scope.Todo[0]); err != nil {
				return err
			}
		case activities.ReleaseStuck:
			if err := workflow.Await(ctx, func() bool { return s.scope.State != activities.ReleaseStuck }); err != nil {
				return err
			}
		case activities.ReleaseUndoing:
			return s.undo(ctx)
		default:
			s.result.State = s.scope.State
			return nil
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() && workflow.AllHandlersFinished(ctx) {
			return workflow.NewContinueAsNewError(ctx, Release, ReleaseInput{TenantID: s.plan.TenantID, PlanID: s.plan.PlanID})
		}
	}
}

// createAtOnce releases to the product alone.
func (s *saga) createAtOnce(ctx workflow.Context) error {
	var a *activities.Release
	var created activities.WorkOrdersResult
	err := workflow.ExecuteActivity(record(ctx, "create work orders"), a.CreateWorkOrders, s.plan).Get(ctx, &created)
	s.result = ReleaseResult{Created: created.Created, Cancelled: created.Cancelled, State: created.State}
	return err
}

func (s *saga) line(number int32) activities.LineInput {
	return activities.LineInput{PlanRef: s.plan, ReleaseID: s.scope.ReleaseID, Line: number}
}

// write brings one line into the maintenance system, or leaves the release
// stuck at it.
func (s *saga) write(ctx workflow.Context, number int32) error {
	var a *activities.Release
	err := workflow.ExecuteActivity(writeBack(ctx, "write line"), a.WriteLine, s.line(number)).Get(ctx, nil)
	switch {
	case err == nil:
		s.scope.Todo = s.scope.Todo[1:]
		return nil
	case temporal.IsCanceledError(err):
		return err
	}
	s.stopping = true
	err = workflow.ExecuteActivity(record(ctx, "stop at line"), a.FailLine, s.line(number), activities.DetailOf(err)).Get(ctx, nil)
	s.stopping, s.scope.State = false, activities.ReleaseStuck
	return err
}

// finish ends a release whose lines are written or left out, and cancels in the
// maintenance systems what the new orders replace. An order that cannot be
// cancelled is left to a person; it does not hold up the release.
func (s *saga) finish(ctx workflow.Context) error {
	var a *activities.Release
	var finished activities.FinishedRelease
	if err := workflow.ExecuteActivity(record(ctx, "finish release"), a.FinishRelease, s.plan).Get(ctx, &finished); err != nil {
		return err
	}
	s.result = ReleaseResult{Created: finished.Created, Cancelled: finished.Cancelled, State: activities.ReleaseDone}
	for _, t := range finished.Twins {
		err := workflow.ExecuteActivity(writeBack(ctx, "cancel replaced order"), a.CancelTwin, t).Get(ctx, nil)
		if temporal.IsCanceledError(err) {
			return err
		}
		if err != nil {
			err = workflow.ExecuteActivity(record(ctx, "leave replaced order"), a.LeaveTwin, t, activities.DetailOf(err)).Get(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// undo takes the lines back in reverse order. A line that cannot be taken back
// is explained, and the others are taken back all the same.
func (s *saga) undo(ctx workflow.Context) error {
	var a *activities.Release
	for _, number := range s.scope.Undo {
		if err := s.takeBack(ctx, a.UndoLine, number); err != nil {
			return err
		}
	}
	s.result.State = activities.ReleaseUndone
	return workflow.ExecuteActivity(record(ctx, "finish undo"), a.FinishUndo, s.plan).Get(ctx, nil)
}

// clearSkipped takes back what attempts of lines that were left out may have
// done.
func (s *saga) clearSkipped(ctx workflow.Context) error {
	var a *activities.Release
	for len(s.scope.Clear) > 0 {
		number := s.scope.Clear[0]
		s.scope.Clear = s.scope.Clear[1:]
		if err := s.takeBack(ctx, a.ClearSkipped, number); err != nil {
			return err
		}
	}
	return nil
}

// takeBack runs a step that undoes a line, and notes why when it fails.
func (s *saga) takeBack(ctx workflow.Context, step any, number int32) error {
	var a *activities.Release
	err := workflow.ExecuteActivity(writeBack(ctx, "take line back"), step, s.line(number)).Get(ctx, nil)
	if err == nil || temporal.IsCanceledError(err) {
		return err
	}
	return workflow.ExecuteActivity(record(ctx, "note line"), a.FailUndo, s.line(number), activities.DetailOf(err)).Get(ctx, nil)
}

func (s *saga) listen(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateResolve, s.resolve, workflow.UpdateHandlerOptions{
		Description: "say how a stuck release goes on: retry, skip or undo",
		Validator:   func(_ workflow.Context, r Resolution) error { return s.check(r) },
	})
}

// check refuses a decision that the workflow can refuse from memory.
func (s *saga) check(r Resolution) error {
	switch {
	case r.Service:
		return temporal.NewApplicationError("service accounts never release", ErrForbidden)
	case r.ActorID == uuid.Nil || !s.resolution(r, "check").Valid():
		return temporal.NewApplicationError("retry needs an actor, skip and undo a reason as well", ErrInvalid)
	}
	return nil
}

func (s *saga) resolution(r Resolution, request string) activities.Resolution {
	return activities.Resolution{PlanRef: s.plan, Request: request, ActorID: r.ActorID, Choice: r.Choice, Reason: r.Reason}
}

// resolve records one decision and lets the release go on. People are told of a
// stop when its row says so, which is before the workflow knows: a decision
// waits for that.
func (s *saga) resolve(ctx workflow.Context, r Resolution) (string, error) {
	if err := workflow.Await(ctx, func() bool { return s.loaded && !s.stopping }); err != nil {
		return "", err
	}
	var a *activities.Release
	var scope activities.ReleaseScope
	decided := s.resolution(r, workflow.GetCurrentUpdateInfo(ctx).ID)
	if err := workflow.ExecuteActivity(settle(ctx, "record decision"), a.ResolveRelease, decided).Get(ctx, &scope); err != nil {
		return "", plainError(err)
	}
	// The decision may have found a stop that came while it was tried.
	if err := workflow.Await(ctx, func() bool { return !s.stopping }); err != nil {
		return "", err
	}
	if s.scope.State != activities.ReleaseStuck {
		return scope.State, nil // decided before
	}
	if scope.Clear == nil && r.Choice == activities.ResolveSkip && len(s.scope.Todo) > 0 {
		scope.Clear = s.scope.Todo[:1] // recorded before the rows said it: the line at which the release stood
	}
	s.scope = scope
	return scope.State, nil
}
