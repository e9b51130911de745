package testkit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/optria-iq/optria/internal/devstack"
)

// TenantSearchAttribute is the search attribute that every workflow carries.
const TenantSearchAttribute = "TenantId"

// temporalServer is the Temporal server of this process.
var temporalServer = sync.OnceValues(func() (*devstack.Temporal, error) {
	binary, err := devstack.LocateTemporal()
	if err != nil {
		return nil, err
	}
	return devstack.StartTemporal(context.Background(), devstack.TemporalConfig{Binary: binary, Ephemeral: true, Headless: true})
})

// namespaces counts the namespaces that were handed out.
var namespaces atomic.Int64

// Temporal returns the address of a Temporal server and a new namespace in it
// that knows the search attribute TenantId.
func Temporal(t testing.TB) (address, namespace string) {
	t.Helper()
	server, err := temporalServer()
	if err != nil {
		t.Fatalf("no Temporal for the test (make test builds it): %v", err)
	}
	namespace = "test-" + strconv.FormatInt(namespaces.Add(1), 10)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := register(ctx, server.Address(), namespace); err != nil {
		t.Fatalf("prepare Temporal namespace: %v", err)
	}
	return server.Address(), namespace
}

// register creates the namespace with its search attribute and waits until the
// server uses both.
func register(ctx context.Context, address, namespace string) (err error) {
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: namespace, Logger: quiet{}})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	if _, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        namespace,
		WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	}); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	attributes := map[string]enums.IndexedValueType{TenantSearchAttribute: enums.INDEXED_VALUE_TYPE_KEYWORD}
	return retry(ctx, func() error {
		if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: attributes,
		}); err != nil {
			return fmt.Errorf("add search attribute: %w", err)
		}
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: TenantSearchAttribute + ` = "none"`,
		})
		if err != nil {
			return fmt.Errorf("use search attribute: %w", err)
		}
		return nil
	})
}

// retry repeats step until it succeeds: the server learns of new namespaces
// with a delay.
func retry(ctx context.Context, step func() error) error {
	for {
		err := step()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// quiet drops the client's log; what matters comes back as errors.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
