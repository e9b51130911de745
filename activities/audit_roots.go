package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
)

// CloseAuditDays writes the roots of the finished days of every audit chain,
// that of the platform and those of closed tenants included, and answers how
// many it wrote. A chain that cannot be closed does not hold up the others.
func (a *Upkeep) CloseAuditDays(ctx context.Context) (int, error) {
	var tenants []db.Tenant
	err := a.deps.DB.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		tenants, err = q.ListTenants(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list tenants: %w", err)
	}
	written := 0
	var failed []error
	for _, t := range tenants {
		activity.RecordHeartbeat(ctx, t.Code)
		n, err := a.deps.DB.CloseAuditDays(ctx, t.ID, time.Now())
		if err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
		written += n
	}
	return written, errors.Join(failed...)
}
