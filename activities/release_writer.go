package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// KeyCannotWrite refuses an integration that takes no orders or is not active.
const KeyCannotWrite = "releases.cannot_write"

// writer is an opened integration that takes orders.
type writer struct {
	connector.WorkOrderWriter
	integration db.Integration
	config      connector.Config
	opened      connector.Connector
}

// openWriter opens an active integration for writing orders.
func openWriter(ctx context.Context, d Deps, ref IntegrationRef) (*writer, error) {
	w := &writer{}
	var sealed []db.ListSealedCredentialsRow
	err := d.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if w.integration, err = q.LoadPolledIntegration(ctx, tx, ref.TenantID, ref.IntegrationID); err != nil {
			return err
		}
		sealed, err = q.ListSealedCredentials(ctx, tx, ref.TenantID, ref.IntegrationID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load integration: %w", err)
	}
	if w.integration.State != "active" {
		return nil, fault.New(fault.Invalid, KeyCannotWrite).With("system", w.integration.Name)
	}
	secrets, err := unseal(d.Box, ref, sealed)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(w.integration.Config, &w.config); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if w.opened, err = connector.Open(w.integration.Kind, w.config, secrets, d.Dialer); err != nil {
		return nil, err
	}
	var writes bool
	if w.WorkOrderWriter, writes = w.opened.(connector.WorkOrderWriter); !writes {
		w.close(ctx)
		return nil, fault.New(fault.Invalid, KeyCannotWrite).With("system", w.integration.Name)
	}
	return w, nil
}

// close ends the connection. What was written stands whatever closing says.
func (w *writer) close(ctx context.Context) {
	if err := w.opened.Close(); err != nil {
		activity.GetLogger(ctx).Warn("closing a connector", "kind", w.integration.Kind, "error", err)
	}
}

// remember stores an order as the source has just given it, so that work orders
// follow the newest of what was read.
func (w *writer) remember(ctx context.Context, tx pgx.Tx, q *db.Queries, orders ...connector.WorkOrderRecord) error {
	return orderPage(connector.WorkOrderPage{Records: orders}).store(ctx, tx, q, w.integration)
}
