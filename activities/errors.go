package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/optria-iq/optria/internal/fault"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// Types of the errors that activities fail with. The first six are final: the
// same call would be refused again.
const (
	TypeInvalid        = "Invalid"
	TypeForbidden      = "Forbidden"
	TypeNotFound       = "NotFound"
	TypeConflict       = "Conflict"
	TypeFourEyes       = "FourEyes"
	TypeAlreadyDecided = "PlanAlreadyDecided"
	TypeUnavailable    = "Unavailable"
	TypeInternal       = "Internal"
)

// Message keys of the faults that activities raise.
const (
	KeyFourEyes       = "plans.four_eyes"
	KeyAlreadyDecided = "plans.already_decided"
	KeyNotAllowed     = "plans.not_allowed"
	KeyNotApproved    = "plans.not_approved"
	KeyNotEndorsed    = "plans.not_endorsed"
	KeyContentChanged = "plans.content_changed"
	KeyContentMissing = "plans.content_missing"
	KeyNotALine       = "plans.not_a_line"
	KeyNothingLeft    = "plans.nothing_left"
	KeyInternal       = "workflows.internal"
	KeyTimeout        = "workflows.timeout"
	KeyRunEnded       = "runs.ended"
	KeyNoAssets       = "runs.no_assets"
	KeyNoUnits        = "runs.no_units"
	KeyNoJobs         = "runs.no_jobs"
	KeyNoTechnicians  = "runs.no_technicians"
	KeyNoPlan         = "optimize.no_plan"
	KeyProblem        = "runs.problem_unavailable"
	KeyRequest        = runs.KeyRequest
	KeyInputChanged   = "runs.input_changed"
	KeyNotVerified    = "runs.not_verified"
	KeyWorkflowGone   = "runs.workflow_gone"
	KeyCannotPoll     = "connector.fault.cannot_poll"

	KeyTrainingCancelled = "models.training_cancelled"
)

// ErrorDetail is a fault in the form in which it crosses workflows: without
// its cause, which stays in the log and in the encrypted failure message.
type ErrorDetail struct {
	Code fault.Code
	Key  string
	Args map[string]any
}

// arguments are those of the message as they are stored: an object.
func (d ErrorDetail) arguments() (json.RawMessage, error) {
	if d.Args == nil {
		return json.RawMessage(`{}`), nil
	}
	text, err := json.Marshal(d.Args)
	if err != nil {
		return nil, fmt.Errorf("encode cause: %w", err)
	}
	return text, nil
}

// Fault turns the detail back into a fault with the given cause.
func (d ErrorDetail) Fault(cause error) error {
	return &fault.Error{Code: d.Code, Key: d.Key, Args: d.Args, Err: cause}
}

// DetailOf reads the fault out of the failure of an activity. It is pure, so
// workflows may call it.
func DetailOf(err error) ErrorDetail {
	var app *temporal.ApplicationError
	var detail ErrorDetail
	if errors.As(err, &app) && app.HasDetails() && app.Details(&detail) == nil && detail.Key != "" {
		return detail
	}
	var late *temporal.TimeoutError
	if errors.As(err, &late) {
		return ErrorDetail{Code: fault.Unavailable, Key: KeyTimeout}
	}
	return ErrorDetail{Code: fault.Internal, Key: KeyInternal}
}

// Faults is the interceptor that turns the faults of every activity into
// application errors: invalid, forbidden, not found and conflict are final,
// all others are retried after the policy of the activity.
type Faults struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (*Faults) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &faultInbound{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type faultInbound struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (f *faultInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	result, err := f.Next.ExecuteActivity(ctx, in)
	return result, applicationError(ctx, err)
}

// applicationError maps an error once, at the edge. Cancellation passes
// unchanged, because Temporal tells it by its type.
func applicationError(ctx context.Context, err error) error {
	if err == nil || (ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		return err
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return err
	}
	detail := ErrorDetail{Code: fault.Internal, Key: KeyInternal}
	var f *fault.Error
	if errors.As(err, &f) {
		detail = ErrorDetail{Code: f.Code, Key: f.Key, Args: arguments(f, err)}
	}
	kind, final := typeOf(detail)
	return temporal.NewApplicationErrorWithOptions(err.Error(), kind, temporal.ApplicationErrorOptions{
		NonRetryable: final, Cause: err, Details: []any{detail},
	})
}

// arguments returns the arguments of the message, with the conflicts of an
// infeasible problem beside them, so that the page can name what to relax.
func arguments(f *fault.Error, err error) map[string]any {
	var infeasible *optimize.InfeasibleError
	if !errors.As(err, &infeasible) {
		return f.Args
	}
	args := map[string]any{}
	maps.Copy(args, f.Args)
	args["conflicts"] = infeasible.Conflicts
	return args
}

func typeOf(d ErrorDetail) (kind string, final bool) {
	switch d.Key {
	case KeyFourEyes:
		return TypeFourEyes, true
	case KeyAlreadyDecided:
		return TypeAlreadyDecided, true
	}
	switch d.Code {
	case fault.Invalid:
		return TypeInvalid, true
	case fault.Forbidden:
		return TypeForbidden, true
	case fault.NotFound:
		return TypeNotFound, true
	case fault.Conflict:
		return TypeConflict, true
	case fault.Unavailable:
		return TypeUnavailable, false
	}
	return TypeInternal, false
}
