package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/optria-iq/optria/internal/fault"
)

// The rhythm of recurring work. The catch-up window says how long after an
// outage a missed start is still made up for; without one Temporal would fire
// everything that was due in a year.
const (
	ingestEvery     = time.Minute
	ingestWindow    = 2 * time.Minute
	sweepEvery      = 15 * time.Minute
	sweepWindow     = 10 * time.Minute
	modelsEvery     = 24 * time.Hour
	modelsWindow    = 6 * time.Hour
	upkeepEvery     = time.Minute
	reconcileEvery  = 24 * time.Hour
	reconcileAt     = 23 * time.Hour // two in the night in Riyadh, where the clock never changes
	reconcileWindow = 6 * time.Hour
	upkeepWindow    = time.Minute
)

// recurring describes one schedule. Tenant is nil for the platform's own.
type recurring struct {
	id     string
	tenant uuid.UUID
	every  time.Duration
	window time.Duration
	at     time.Duration // into the interval, counted in UTC; zero spreads schedules by their id
	wf     any
	args   []any
	// overlap says what becomes of a start while the one before still runs;
	// unspecified skips it.
	overlap enumspb.ScheduleOverlapPolicy
}

// EnsureTenantSchedules creates or updates the sweeps of a tenant, the
// nightly looks at its models and its orders in maintenance systems and the polling of its integrations.
func (c *Client) EnsureTenantSchedules(ctx context.Context, tenant uuid.UUID, integrations []uuid.UUID) error {
	err := c.ensure(ctx, recurring{
		id: SweepID(tenant), tenant: tenant, every: sweepEvery, window: sweepWindow,
		wf: ScoringSweep, args: []any{SweepInput{TenantID: tenant}},
	})
	if err != nil {
		return err
	}
	err = c.ensure(ctx, recurring{
		id: RegistryID(tenant), tenant: tenant, every: modelsEvery, window: modelsWindow,
		wf: ModelUpkeep, args: []any{RegistryInput{TenantID: tenant}},
	})
	if err != nil {
		return err
	}
	err = c.ensure(ctx, recurring{
		id: ReconcileID(tenant), tenant: tenant, every: reconcileEvery, window: reconcileWindow, at: reconcileAt,
		wf: ReconcileOrders, args: []any{ReconcileInput{TenantID: tenant}},
	})
	if err != nil {
		return err
	}
	for _, integration := range integrations {
		if err := c.EnsureIntegrationSchedule(ctx, tenant, integration); err != nil {
			return err
		}
	}
	return nil
}

// EnsureIntegrationSchedule creates or updates the polling of an integration.
// A schedule that was paused stays paused.
func (c *Client) EnsureIntegrationSchedule(ctx context.Context, tenant, integration uuid.UUID) error {
	return c.ensure(ctx, recurring{
		id: IngestID(tenant, integration), tenant: tenant, every: ingestEvery, window: ingestWindow,
		wf: Ingest, args: []any{IngestInput{TenantID: tenant, IntegrationID: integration}},
	})
}

// EnsureUpkeepSchedule creates or updates the one schedule of the platform.
func (c *Client) EnsureUpkeepSchedule(ctx context.Context) error {
	return c.ensure(ctx, recurring{id: UpkeepID, every: upkeepEvery, window: upkeepWindow, wf: Upkeep})
}

// PauseIntegration pauses or resumes the reading of an integration. One that
// is resumed is read at once.
func (c *Client) PauseIntegration(ctx context.Context, tenant, integration uuid.UUID, paused bool) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	handle := c.temporal.ScheduleClient().GetHandle(ctx, IngestID(tenant, integration))
	if paused {
		return scheduleFault(handle.Pause(ctx, client.SchedulePauseOptions{}))
	}
	if err := handle.Unpause(ctx, client.ScheduleUnpauseOptions{}); err != nil {
		return scheduleFault(err)
	}
	return c.PollNow(ctx, tenant, integration)
}

// PollNow polls an integration now, unless a poll of it is running.
func (c *Client) PollNow(ctx context.Context, tenant, integration uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	handle := c.temporal.ScheduleClient().GetHandle(ctx, IngestID(tenant, integration))
	return scheduleFault(handle.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP}))
}

// ensure creates a schedule or brings an existing one up to date.
func (c *Client) ensure(ctx context.Context, r recurring) error {
	action := &client.ScheduleWorkflowAction{ID: r.id, Workflow: r.wf, Args: r.args, TaskQueue: QueueControl}
	if r.overlap == enumspb.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED {
		r.overlap = enumspb.SCHEDULE_OVERLAP_POLICY_SKIP
	}
	options := client.ScheduleOptions{
		ID: r.id, Action: action, CatchupWindow: r.window, Overlap: r.overlap,
		TriggerImmediately: true, // a new schedule does not wait for its first turn
	}
	if r.tenant != uuid.Nil {
		ctx = withTenant(ctx, r.tenant)
		action.TypedSearchAttributes = tenantAttributes(r.tenant)
		action.Priority = tenantPriority(r.tenant)
		options.TypedSearchAttributes = tenantAttributes(r.tenant)
	}
	options.Spec = client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: r.every, Offset: r.offset()}}}
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	_, err := c.temporal.ScheduleClient().Create(ctx, options)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = c.renew(ctx, options)
	}
	if err != nil {
		return fmt.Errorf("ensure schedule %s: %w", r.id, asFault(err))
	}
	return nil
}

// offset spreads schedules of equal rhythm over their interval, by their id.
func (r recurring) offset() time.Duration {
	if r.at > 0 {
		return r.at
	}
	id := uuid.NewSHA1(r.tenant, []byte(r.id))
	spread := time.Duration(int(id[0])<<8|int(id[1])) * time.Second
	return spread % r.every
}

// renew rewrites an existing schedule and keeps its state, such as a pause.
func (c *Client) renew(ctx context.Context, o client.ScheduleOptions) error {
	handle := c.temporal.ScheduleClient().GetHandle(ctx, o.ID)
	return handle.Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			return &client.ScheduleUpdate{Schedule: &client.Schedule{
				Action: o.Action, Spec: &o.Spec, State: in.Description.Schedule.State,
				Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow},
			}}, nil
		},
	})
}

func scheduleFault(err error) error {
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return fault.Wrap(fault.NotFound, "workflows.no_schedule", err)
	}
	return asFault(err)
}
