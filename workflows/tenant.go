package workflows

import (
	"context"

	"github.com/google/uuid"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// tenantHeader is the workflow header that carries the tenant id. It is not
// encrypted: neither are the workflow id and the search attribute, which hold
// the same id.
const tenantHeader = "tenant-id"

// tenantKey is the typed search attribute behind TenantAttribute.
var tenantKey = temporal.NewSearchAttributeKeyKeyword(TenantAttribute)

type tenantContextKey struct{}

func withTenant(ctx context.Context, tenant uuid.UUID) context.Context {
	return context.WithValue(ctx, tenantContextKey{}, tenant.String())
}

// tenantAttributes returns the search attributes of a tenant's workflow.
func tenantAttributes(tenant uuid.UUID) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(tenantKey.ValueSet(tenant.String()))
}

// tenantPriority lets the queues share capacity evenly between tenants: a
// tenant with a long backlog waits behind itself, not the others behind it.
func tenantPriority(tenant uuid.UUID) temporal.Priority {
	return temporal.Priority{FairnessKey: tenant.String()}
}

// tenantPropagator carries the tenant from whoever starts a workflow into the
// workflow, its activities and its children.
type tenantPropagator struct{}

var _ workflow.ContextPropagator = tenantPropagator{}

func (tenantPropagator) write(value any, w workflow.HeaderWriter) error {
	tenant, _ := value.(string)
	if tenant == "" {
		return nil
	}
	p, err := converter.GetDefaultDataConverter().ToPayload(tenant)
	if err != nil {
		return err
	}
	w.Set(tenantHeader, p)
	return nil
}

func (tenantPropagator) read(r workflow.HeaderReader) (string, error) {
	p, ok := r.Get(tenantHeader)
	if !ok {
		return "", nil
	}
	var tenant string
	err := converter.GetDefaultDataConverter().FromPayload(p, &tenant)
	return tenant, err
}

// Inject implements workflow.ContextPropagator.
func (t tenantPropagator) Inject(ctx context.Context, w workflow.HeaderWriter) error {
	return t.write(ctx.Value(tenantContextKey{}), w)
}

// InjectFromWorkflow implements workflow.ContextPropagator.
func (t tenantPropagator) InjectFromWorkflow(ctx workflow.Context, w workflow.HeaderWriter) error {
	return t.write(ctx.Value(tenantContextKey{}), w)
}

// Extract implements workflow.ContextPropagator.
func (t tenantPropagator) Extract(ctx context.Context, r workflow.HeaderReader) (context.Context, error) {
	tenant, err := t.read(r)
	if err != nil || tenant == "" {
		return ctx, err
	}
	return context.WithValue(ctx, tenantContextKey{}, tenant), nil
}

// ExtractToWorkflow implements workflow.ContextPropagator.
func (t tenantPropagator) ExtractToWorkflow(ctx workflow.Context, r workflow.HeaderReader) (workflow.Context, error) {
	tenant, err := t.read(r)
	if err != nil || tenant == "" {
		return ctx, err
	}
	return workflow.WithValue(ctx, tenantContextKey{}, tenant), nil
}

// tenanted is what the input of every workflow of a tenant implements.
type tenanted interface{ tenant() uuid.UUID }

func (in IngestInput) tenant() uuid.UUID       { return in.TenantID }
func (in SweepInput) tenant() uuid.UUID        { return in.TenantID }
func (in OptimizationInput) tenant() uuid.UUID { return in.TenantID }
func (in ApprovalInput) tenant() uuid.UUID     { return in.TenantID }
func (in ReleaseInput) tenant() uuid.UUID      { return in.TenantID }
func (in PreviewInput) tenant() uuid.UUID      { return in.TenantID }

// tenantGuard refuses to run a workflow whose input names no tenant, or
// another one than the header of whoever started it. Upkeep and Deliveries
// alone work for the platform.
type tenantGuard struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow implements interceptor.WorkerInterceptor.
func (*tenantGuard) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &tenantInbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type tenantInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

// forPlatform names the workflows without a tenant.
var forPlatform = map[string]bool{upkeepType: true, deliveriesType: true}

// ExecuteWorkflow implements interceptor.WorkflowInboundInterceptor.
func (g *tenantInbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if !forPlatform[workflow.GetInfo(ctx).WorkflowType.Name] && !sameTenant(ctx, in.Args) {
		return nil, temporal.NewNonRetryableApplicationError("workflow names no tenant, or another one than its caller", ErrTenantMissing, nil)
	}
	return g.Next.ExecuteWorkflow(ctx, in)
}

func sameTenant(ctx workflow.Context, args []any) bool {
	if len(args) == 0 {
		return false
	}
	input, ok := args[0].(tenanted)
	if !ok || input.tenant() == uuid.Nil {
		return false
	}
	header, _ := ctx.Value(tenantContextKey{}).(string)
	return header == input.tenant().String()
}
