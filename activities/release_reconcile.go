package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Reconciled counts what a reconciliation read in maintenance systems, and what
// it changed in the product.
type Reconciled struct {
	Read, Changed, Drifted, Failed int
}

// ReconcileOrders reads every order behind an open work order of a tenant from
// its maintenance system and brings the work orders to where they are there. A
// system that does not answer does not hold up the others.
func (a *Release) ReconcileOrders(ctx context.Context, tenant uuid.UUID) (Reconciled, error) {
	var result Reconciled
	var rows []db.ListTwinsToReadRow
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListTwinsToRead(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return result, fmt.Errorf("list orders: %w", err)
	}
	var failed []error
	for len(rows) > 0 {
		integration, n := *rows[0].IntegrationID, 1
		for n < len(rows) && *rows[n].IntegrationID == integration {
			n++
		}
		if err := a.reconcileWith(ctx, IntegrationRef{TenantID: tenant, IntegrationID: integration}, rows[:n], &result); err != nil {
			result.Failed++
			failed = append(failed, fmt.Errorf("integration %s: %w", integration, err))
		}
		rows = rows[n:]
	}
	return result, errors.Join(failed...)
}

// reconcileWith reads the orders of one integration.
func (a *Release) reconcileWith(ctx context.Context, ref IntegrationRef, rows []db.ListTwinsToReadRow, result *Reconciled) error {
	w, err := openWriter(ctx, a.deps, ref)
	if err != nil {
		return err
	}
	defer w.close(ctx)
	var orders []connector.WorkOrderRecord
	var gone []db.ListTwinsToReadRow
	for _, row := range rows {
		order, err := w.ReadWorkOrder(ctx, row.ExternalID)
		switch {
		case err == nil:
			orders = append(orders, order)
		case fault.CodeOf(err) == fault.NotFound:
			gone = append(gone, row)
		default:
			return fmt.Errorf("read order %s: %w", row.ExternalID, err)
		}
		result.Read++
		activity.RecordHeartbeat(ctx, result.Read)
	}
	var f followed
	err = a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if err := w.remember(ctx, tx, q, orders...); err != nil {
			return err
		}
		if f, err = followTwins(ctx, tx, q, ref.TenantID, ref.IntegrationID); err != nil {
			return err
		}
		for _, row := range gone {
			if row.ExternalState == externalDeleted {
				continue
			}
			f.drifted++
			if err := markDeleted(ctx, tx, q, ref.TenantID, row); err != nil {
				return err
			}
		}
		return q.NoteReconciled(ctx, tx, ref.TenantID, &ref.IntegrationID)
	})
	result.Changed += f.changed
	result.Drifted += f.drifted
	return err
}

// markDeleted notes that the twin of a work order is gone. The work order stays
// open: what becomes of the job is for a person to say.
func markDeleted(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, row db.ListTwinsToReadRow) error {
	if err := q.NoteTwin(ctx, tx, db.NoteTwinParams{TenantID: tenant, ID: row.ID, ExternalState: externalDeleted}); err != nil {
		return fmt.Errorf("note order %s: %w", row.ExternalID, err)
	}
	n := driftNotice{WorkOrderID: row.ID, PlanID: row.PlanID, Number: row.Number, Tag: row.Tag, ExternalID: row.ExternalID, Drift: driftDeleted, From: row.ExternalState}
	return n.tell(ctx, tx, q, tenant, row.ReleaseID, row.Line, time.Now())
}
