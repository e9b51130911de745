package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/optria-iq/optria/internal/recurrence"
)

// recurringNote is what the engine shows beside a schedule. It says nothing of
// the tenant: notes do not pass through the codec.
const recurringNote = "kept by OPTRIA IQ"

// EnsureRecurring creates the schedule of a recurring work in the engine, brings
// it up to date with its row, or takes it away. Every due time starts a
// workflow, which decides by itself whether to go on: so the rule of overlap is
// the product's own, and what is left out is noted instead of dropped.
func (c *Client) EnsureRecurring(ctx context.Context, t recurrence.Trigger) error {
	ctx, cancel := context.WithTimeout(withTenant(ctx, t.TenantID), requestLimit)
	defer cancel()
	id := RecurringID(t.TenantID, t.ID)
	if t.Gone {
		return c.forgetRecurring(ctx, id)
	}
	options := client.ScheduleOptions{
		ID: id, CatchupWindow: t.Window, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, Paused: t.Paused, Note: recurringNote,
		Spec: client.ScheduleSpec{CronExpressions: []string{t.Cron}, TimeZoneName: t.Zone, StartAt: t.From},
		Action: &client.ScheduleWorkflowAction{
			ID: id, Workflow: RecurringStart, Args: []any{RecurringInput{TenantID: t.TenantID, ScheduleID: t.ID}}, TaskQueue: QueueControl,
			TypedSearchAttributes: tenantAttributes(t.TenantID), Priority: tenantPriority(t.TenantID),
		},
		TypedSearchAttributes: tenantAttributes(t.TenantID),
	}
	_, err := c.temporal.ScheduleClient().Create(ctx, options)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = c.renewRecurring(ctx, options)
	}
	if err != nil {
		return fmt.Errorf("ensure schedule %s: %w", id, asFault(err))
	}
	return nil
}

// renewRecurring rewrites everything: the row is the truth, also of a pause.
func (c *Client) renewRecurring(ctx context.Context, o client.ScheduleOptions) error {
	handle := c.temporal.ScheduleClient().GetHandle(ctx, o.ID)
	return handle.Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			return &client.ScheduleUpdate{Schedule: &client.Schedule{
				Action: o.Action, Spec: &o.Spec, State: &client.ScheduleState{Paused: o.Paused, Note: o.Note},
				Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow},
			}}, nil
		},
	})
}

func (c *Client) forgetRecurring(ctx context.Context, id string) error {
	err := c.temporal.ScheduleClient().GetHandle(ctx, id).Delete(ctx)
	var unknown *serviceerror.NotFound
	if err == nil || errors.As(err, &unknown) {
		return nil
	}
	return fmt.Errorf("delete schedule %s: %w", id, asFault(err))
}

// StartRecurring starts one due time of a schedule now: one that was missed, or
// what a person asks for. The same due time of the same cause starts once, but
// for a backfill, which may be asked for again after it failed: whether there
// is anything left to do is decided when it is claimed.
func (c *Client) StartRecurring(ctx context.Context, f recurrence.Firing) error {
	f.DueAt = f.DueAt.UTC().Truncate(time.Second)
	options := startOptions(f.TenantID, firingID(f))
	if f.Cause == recurrence.Backfill {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	return c.execute(ctx, f.TenantID, options, RecurringStart, RecurringInput{TenantID: f.TenantID, ScheduleID: f.ScheduleID, DueAt: f.DueAt, Cause: f.Cause, By: f.By})
}
