package workflows

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/recurrence"
)

// RecurringInput starts one due time of a schedule. Without DueAt the due time
// is the one for which the schedule started the workflow.
type RecurringInput struct {
	TenantID   uuid.UUID
	ScheduleID uuid.UUID
	DueAt      time.Time
	Cause      string     // empty means due
	By         *uuid.UUID `json:",omitempty"` // the person who asked for it
}

func (in RecurringInput) tenant() uuid.UUID { return in.TenantID }

// RecurringResult says what became of a due time. Nothing was to be done when
// the state is empty.
type RecurringResult struct {
	FiringID uuid.UUID
	State    string
}

// RecurringID is the id of a schedule in the workflow engine and the prefix of
// the workflows that it starts.
func RecurringID(tenant, schedule uuid.UUID) string {
	return fmt.Sprintf("recurring/%s/%s", tenant, schedule)
}

// firingID is the workflow id of a due time: for one that the engine starts by
// itself the id that it makes, so that nothing is started twice.
func firingID(f recurrence.Firing) string {
	at := f.DueAt.UTC().Format(time.RFC3339)
	if f.Cause == recurrence.Due {
		return RecurringID(f.TenantID, f.ScheduleID) + "-" + at
	}
	return RecurringID(f.TenantID, f.ScheduleID) + "/" + f.Cause + "/" + at
}

// scheduledStart is set by the engine on what a schedule starts.
var scheduledStart = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// How often a firing asks whether its turn has come or its run has ended, and
// after how many questions it goes on as a new run with a short history.
const (
	turnEvery = 20 * time.Second
	turnsMost = 200
)

// RecurringStart takes one due time of a schedule from its claim to its end:
// an optimization run, a scoring sweep or a report. Whether it is to be started
// at all (pauses, exclusions, overlap, catch-up window) is decided under the
// lock of the schedule's row; the engine only wakes it up.
func RecurringStart(ctx workflow.Context, in RecurringInput) (RecurringResult, error) {
	if in.Cause == "" {
		in.Cause = recurrence.Due
	}
	if in.DueAt.IsZero() {
		at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledStart)
		if !ok {
			return RecurringResult{}, temporal.NewNonRetryableApplicationError("no due time", ErrInvalid, nil)
		}
		in.DueAt = at
	}
	claim, err := claimTurn(ctx, in)
	if err != nil || !claim.Go {
		return RecurringResult{FiringID: claim.FiringID}, err
	}
	f := &firing{in: in, ref: activities.FiringRef{TenantID: in.TenantID, FiringID: claim.FiringID, By: in.By}, kind: claim.Kind}
	return f.carryOut(ctx)
}

// claimTurn asks until the due time may start or is not to be started.
func claimTurn(ctx workflow.Context, in RecurringInput) (activities.Claim, error) {
	var a *activities.Recurring
	ask := activities.ClaimInput{
		Firing:     recurrence.Firing{TenantID: in.TenantID, ScheduleID: in.ScheduleID, DueAt: in.DueAt, Cause: in.Cause},
		WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID,
	}
	for range turnsMost {
		var claim activities.Claim
		if err := workflow.ExecuteActivity(record(ctx, "claim due time"), a.ClaimFiring, ask).Get(ctx, &claim); err != nil {
			return claim, err
		}
		if !claim.Wait {
			return claim, nil
		}
		if err := workflow.Sleep(ctx, turnEvery); err != nil {
			return claim, err
		}
	}
	return activities.Claim{}, workflow.NewContinueAsNewError(ctx, RecurringStart, in)
}

// firing is the work of one due time.
type firing struct {
	in   RecurringInput
	ref  activities.FiringRef
	kind string
}

// carryOut does the work and closes the firing, whatever the end.
func (f *firing) carryOut(ctx workflow.Context) (RecurringResult, error) {
	var a *activities.Recurring
	end := activities.EndInput{FiringRef: f.ref, State: recurrence.Done}
	if err := f.work(ctx, &end); err != nil {
		end.State, end.Cause = recurrence.Failed, activities.DetailOf(err)
		if ctx.Err() != nil {
			end.Cause = activities.ErrorDetail{Key: activities.KeyWorkflowGone}
		}
	}
	closing, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	err := workflow.ExecuteActivity(record(closing, "end firing"), a.EndFiring, end).Get(closing, nil)
	return RecurringResult{FiringID: f.ref.FiringID, State: end.State}, errors.Join(err, ctx.Err())
}

func (f *firing) work(ctx workflow.Context, end *activities.EndInput) error {
	var a *activities.Recurring
	var run uuid.UUID
	if err := workflow.ExecuteActivity(record(ctx, "prepare"), a.PrepareFiring, f.ref).Get(ctx, &run); err != nil {
		return err
	}
	switch f.kind {
	case recurrence.KindSweep:
		var swept SweepResult
		again := enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE // a firing that is done again sweeps again
		child := f.child(ctx, fmt.Sprintf("%s/schedule/%s", SweepID(f.in.TenantID), f.ref.FiringID), again)
		err := workflow.ExecuteChildWorkflow(child, ScoringSweep, SweepInput{TenantID: f.in.TenantID, Every: true}).Get(ctx, &swept)
		if err == nil {
			end.SweepID = &swept.SweepID
		}
		return err
	case recurrence.KindReport:
		var report uuid.UUID
		err := workflow.ExecuteActivity(record(ctx, "write report"), a.BuildReport, f.ref).Get(ctx, &report)
		if err == nil {
			end.ReportID = &report
		}
		return err
	}
	return f.optimize(ctx, run, end)
}

// optimize starts the run and waits for its end. The run is followed by its
// row, because upkeep may have started its workflow before this one did.
func (f *firing) optimize(ctx workflow.Context, run uuid.UUID, end *activities.EndInput) error {
	var a *activities.Recurring
	in := OptimizationInput{TenantID: f.in.TenantID, RunID: run}
	child := f.child(ctx, OptimizationID(f.in.TenantID, run), enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY)
	if err := workflow.ExecuteChildWorkflow(child, Optimization, in).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Info("run did not end as a child", "error", err)
		if ctx.Err() != nil {
			return err
		}
	}
	ref := activities.RunRef{TenantID: f.in.TenantID, RunID: run}
	for {
		var out activities.RunOutcome
		if err := workflow.ExecuteActivity(record(ctx, "read outcome"), a.ReadOutcome, ref).Get(ctx, &out); err != nil {
			return err
		}
		if out.Final {
			if out.State != activities.RunDone {
				end.State, end.Cause = recurrence.Failed, out.Cause
			}
			return nil
		}
		if err := workflow.Sleep(ctx, turnEvery); err != nil {
			return err
		}
	}
}

// child starts workflows that outlive this one.
func (f *firing) child(ctx workflow.Context, id string, reuse enumspb.WorkflowIdReusePolicy) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: QueueControl, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: reuse,
		TypedSearchAttributes: tenantAttributes(f.in.TenantID), Priority: tenantPriority(f.in.TenantID),
	})
}
