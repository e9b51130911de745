package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long Temporal keeps closed workflows. Evidence lives in
// PostgreSQL; this is for operators who look into a failure.
const retention = 30 * 24 * time.Hour

// Bootstrap ensures the namespace, its retention and the tenant's search
// attribute, and returns when both can be used. It may run at every start and
// from several processes at once.
func (c *Client) Bootstrap(ctx context.Context) error {
	if err := c.ensureNamespace(ctx); err != nil {
		return fmt.Errorf("ensure namespace %s: %w", c.Namespace(), err)
	}
	if err := c.ensureAttribute(ctx); err != nil {
		return fmt.Errorf("ensure search attribute %s: %w", TenantAttribute, err)
	}
	return nil
}

func (c *Client) ensureNamespace(ctx context.Context) error {
	namespaces, err := client.NewNamespaceClient(c.options)
	if err != nil {
		return err
	}
	defer namespaces.Close()
	err = namespaces.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: c.Namespace(), WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	// Development servers create their namespace with a retention of one day.
	return namespaces.Update(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: c.Namespace(),
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
}

// ensureAttribute adds the search attribute and waits until the server knows
// it: a fresh namespace takes a few seconds to reach every part of it.
func (c *Client) ensureAttribute(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		known, err := c.addAttribute(ctx)
		if known {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (c *Client) addAttribute(ctx context.Context) (bool, error) {
	operator := c.temporal.OperatorService()
	listed, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: c.Namespace()})
	if err != nil {
		return false, err
	}
	if _, ok := listed.GetCustomAttributes()[TenantAttribute]; ok {
		return true, nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        c.Namespace(),
		SearchAttributes: map[string]enumspb.IndexedValueType{TenantAttribute: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	})
	return false, err
}
