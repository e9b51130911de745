package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// InsertOnly is WriteReadings up to the rows: bounds of time, order, duplicates
// and row-level security, without latest values and marks for roll-ups.
func InsertOnly(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, rows []Row) (int64, error) {
	accepted, _ := acceptReadings(rows, time.Now())
	accepted = inOrder(accepted)
	c := newColumns(len(accepted))
	for i := range accepted {
		c.add(&accepted[i])
	}
	done, err := tx.Exec(ctx, insertAny, c.args(tenant)...)
	return done.RowsAffected(), err
}
