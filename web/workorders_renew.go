package web

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// longestLife is the longest life that is put on record, in days.
const longestLife = 36_525

// renewAsset starts the life of an asset over when a planned job on it is done:
// its age begins at zero, the life that ends is put on record as one that would
// have gone on, the picture of its healthy state is learned anew, and the next
// sweep scores it and the class that learns from its life.
func renewAsset(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, order db.WorkOrder) error {
	row, err := q.GetAsset(ctx, tx, tenant, order.AssetID)
	if err != nil {
		return fmt.Errorf("load asset: %w", err)
	}
	now, who := time.Now().UTC(), access.From(ctx)
	if age := row.Asset.AgeDays + now.Sub(row.Asset.AgeAsOf).Hours()/24; age > 0 {
		life := db.RecordLifeParams{
			TenantID: tenant, ID: uuid.New(), AssetID: order.AssetID, EndedAt: now, LifeDays: min(age, longestLife),
			EndedBy: "preventive", WorkOrderID: &order.ID, Source: "work_order", RecordedBy: &who.UserID,
		}
		if _, err := q.RecordLife(ctx, tx, life); err != nil {
			return fmt.Errorf("record life: %w", err)
		}
	}
	if _, err := q.RenewAsset(ctx, tx, now, tenant, order.AssetID); err != nil {
		return fmt.Errorf("renew asset: %w", err)
	}
	if _, err := q.RetireBaselines(ctx, tx, tenant, []uuid.UUID{order.AssetID}); err != nil {
		return fmt.Errorf("retire baseline: %w", err)
	}
	peers, err := q.ListModelAssets(ctx, tx, tenant, row.Asset.ClassCode)
	if err != nil {
		return fmt.Errorf("list the class: %w", err)
	}
	return q.TouchScores(ctx, tx, tenant, peers)
}
