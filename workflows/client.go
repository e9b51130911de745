package workflows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
)

// Message keys of the faults that the client raises.
const (
	KeyUnavailable    = "workflows.unavailable"
	KeyRunEnded       = "runs.ended"
	KeyAlreadyDecided = activities.KeyAlreadyDecided
	KeyFourEyes       = activities.KeyFourEyes
	KeyNotAllowed     = activities.KeyNotAllowed
	KeyBadDecision    = "plans.decision_invalid"
)

// requestLimit bounds a request to Temporal whose caller set no deadline, and
// decideLimit one that waits for a decision to be recorded.
const (
	requestLimit = 10 * time.Second
	decideLimit  = 25 * time.Second
)

// ClientOptions configures Dial. Address and Namespace, when set, replace what
// the standard TEMPORAL_* variables say.
type ClientOptions struct {
	Address    string
	Namespace  string
	PayloadKey []byte   // 32 bytes, encrypts the payloads
	OlderKeys  [][]byte // still decrypt payloads written before a rotation
	Logger     *slog.Logger
}

// Client is the only door to Temporal for the web tier and the commands. It
// is safe for concurrent use and reconnects by itself.
type Client struct {
	temporal client.Client
	options  client.Options
	codec    *Codec
	log      *slog.Logger
}

var _ activities.Starter = (*Client)(nil)

// Dial prepares a client. It does not wait for the server: the first request
// connects, and a lost connection is made anew.
func Dial(_ context.Context, o ClientOptions) (*Client, error) {
	codec, err := NewCodec(o.PayloadKey, o.OlderKeys...)
	if err != nil {
		return nil, err
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, fmt.Errorf("read TEMPORAL_* variables: %w", err)
	}
	if o.Address != "" {
		options.HostPort = o.Address
	}
	if o.Namespace != "" {
		options.Namespace = o.Namespace
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	options.Logger = log.NewStructuredLogger(logger)
	options.DataConverter, options.FailureConverter = converters(codec)
	options.ContextPropagators = []workflow.ContextPropagator{tenantPropagator{}}
	lazy, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("prepare temporal client: %w", err)
	}
	return &Client{temporal: lazy, options: options, codec: codec, log: logger}, nil
}

// Close ends the connection.
func (c *Client) Close() { c.temporal.Close() }

// Codec returns the payload codec, for the codec server of the Temporal UI.
func (c *Client) Codec() *Codec { return c.codec }

// Namespace returns the namespace that the client works in.
func (c *Client) Namespace() string { return c.options.Namespace }

// StartOptimization starts the workflow of a run whose row exists. A run that
// was started before, even one that has ended, is left alone.
func (c *Client) StartOptimization(ctx context.Context, tenant, run uuid.UUID) error {
	return c.start(ctx, tenant, OptimizationID(tenant, run), Optimization, OptimizationInput{TenantID: tenant, RunID: run})
}

// StartApproval starts the approval of a plan whose row exists; see
// StartOptimization.
func (c *Client) StartApproval(ctx context.Context, tenant, plan uuid.UUID) error {
	return c.start(ctx, tenant, ApprovalID(tenant, plan), PlanApproval, ApprovalInput{TenantID: tenant, PlanID: plan})
}

// StartSweep scores the tenant's assets now. A sweep that was asked for this
// way and still runs is not joined by a second.
func (c *Client) StartSweep(ctx context.Context, tenant uuid.UUID) error {
	options := startOptions(tenant, SweepID(tenant)+"/now")
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return c.execute(ctx, tenant, options, ScoringSweep, SweepInput{TenantID: tenant})
}

// StartSweepAsOf scores the tenant's assets as they were at a past moment, from
// what was known then. A sweep of the same moment is not repeated.
func (c *Client) StartSweepAsOf(ctx context.Context, tenant uuid.UUID, asOf time.Time) error {
	asOf = asOf.UTC().Truncate(time.Second)
	return c.start(ctx, tenant, SweepID(tenant)+"/"+asOf.Format(time.RFC3339), ScoringSweep, SweepInput{TenantID: tenant, AsOf: asOf})
}

func (c *Client) start(ctx context.Context, tenant uuid.UUID, id string, wf, input any) error {
	return c.execute(ctx, tenant, startOptions(tenant, id), wf, input)
}

func (c *Client) execute(ctx context.Context, tenant uuid.UUID, options client.StartWorkflowOptions, wf, input any) error {
	ctx, cancel := context.WithTimeout(withTenant(ctx, tenant), requestLimit)
	defer cancel()
	if _, err := c.temporal.ExecuteWorkflow(ctx, options, wf, input); err != nil {
		return fmt.Errorf("start %s: %w", options.ID, asFault(err))
	}
	return nil
}

// startOptions make a start idempotent: an open workflow of the same id is
// used, one that ended well is not repeated.
func startOptions(tenant uuid.UUID, id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: id, TaskQueue: QueueControl,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		TypedSearchAttributes:    tenantAttributes(tenant),
		Priority:                 tenantPriority(tenant),
	}
}

// StopOptimization asks a running search to end and keep its best plans. It
// returns once the request is recorded. A run that has ended is a conflict.
func (c *Client) StopOptimization(ctx context.Context, tenant, run uuid.UUID) error {
	ctx, cancel := context.WithTimeout(withTenant(ctx, tenant), decideLimit)
	defer cancel()
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: OptimizationID(tenant, run), UpdateName: UpdateStop, UpdateID: "stop/" + run.String(),
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) || hasType(err, ErrAlreadyDecided) {
		return fault.Wrap(fault.Conflict, KeyRunEnded, err)
	}
	return asFault(err)
}

// CancelOptimization gives a run up: its state becomes cancelled and nothing
// is saved. A run that has ended stays as it is; one that Temporal does not
// know any more is a conflict.
func (c *Client) CancelOptimization(ctx context.Context, tenant, run uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	err := c.temporal.CancelWorkflow(ctx, OptimizationID(tenant, run), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return fault.Wrap(fault.Conflict, KeyRunEnded, err)
	}
	return asFault(err)
}

// Decide puts a decision to the approval of a plan and returns the real
// outcome. It starts the approval when it does not run yet. The update id
// makes a repeated request harmless: it gets the answer of the first one.
// Refusals are faults: forbidden (plans.four_eyes, plans.not_allowed),
// conflict (plans.already_decided), invalid, or unavailable.
func (c *Client) Decide(ctx context.Context, tenant, plan uuid.UUID, updateID string, d Decision) (PlanState, error) {
	ctx, cancel := context.WithTimeout(withTenant(ctx, tenant), decideLimit)
	defer cancel()
	id := ApprovalID(tenant, plan)
	start := c.temporal.NewWithStartWorkflowOperation(startOptions(tenant, id), PlanApproval, ApprovalInput{TenantID: tenant, PlanID: plan})
	handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: id, UpdateName: UpdateDecide, UpdateID: updateID,
			WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{d},
		},
	})
	var state PlanState
	if err == nil {
		err = handle.Get(ctx, &state)
	}
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &ended) {
		return c.earlierOutcome(ctx, id, updateID, err)
	}
	return state, asFault(err)
}

// earlierOutcome answers a decision on an approval that has ended: the same
// request as before gets its own answer again, any other comes too late.
func (c *Client) earlierOutcome(ctx context.Context, id, updateID string, cause error) (PlanState, error) {
	var state PlanState
	handle := c.temporal.GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions{WorkflowID: id, UpdateID: updateID})
	err := handle.Get(ctx, &state)
	var unknown *serviceerror.NotFound
	switch {
	case err == nil:
		return state, nil
	case errors.As(err, &unknown):
		return state, fault.Wrap(fault.Conflict, KeyAlreadyDecided, cause)
	}
	return state, asFault(err)
}

// Running reports whether a workflow of this id is open.
func (c *Client) Running(ctx context.Context, workflowID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	described, err := c.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("describe %s: %w", workflowID, asFault(err))
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// ExecutionURL returns the page of a workflow in the Temporal UI, or "" when
// there is no UI to link to.
func (c *Client) ExecutionURL(ui *url.URL, workflowID string) string {
	if ui == nil || workflowID == "" {
		return ""
	}
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s",
		strings.TrimRight(ui.String(), "/"), url.PathEscape(c.Namespace()), url.PathEscape(workflowID))
}

func hasType(err error, name string) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == name
}

// asFault turns what Temporal returns into a fault. Errors that activities
// raised carry theirs; refusals of validators are told by their type; anything
// else means that Temporal or the worker did not answer.
func asFault(err error) error {
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &app):
		return fault.Wrap(fault.Unavailable, KeyUnavailable, err)
	case app.HasDetails():
		return activities.DetailOf(err).Fault(err)
	}
	switch app.Type() {
	case ErrFourEyes:
		return fault.Wrap(fault.Forbidden, KeyFourEyes, err)
	case ErrForbidden:
		return fault.Wrap(fault.Forbidden, KeyNotAllowed, err)
	case ErrAlreadyDecided:
		return fault.Wrap(fault.Conflict, KeyAlreadyDecided, err)
	case ErrInvalid:
		return fault.Wrap(fault.Invalid, KeyBadDecision, err)
	}
	return fault.Wrap(fault.Internal, KeyUnavailable, err)
}
