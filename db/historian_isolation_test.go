package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// Packed days, roll-ups and detached partitions of a tenant are out of another
// one's reach, whichever tenant a call names.
func TestPackedHistoryKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	end := a.day.AddDate(0, 0, 1)
	rollUp(t, a.d, alpha, nil, 1000)
	require.NotEmpty(t, bandsOf(t, a.d, alpha, alphaSignal, a.day, end, time.Hour))
	for _, named := range []uuid.UUID{alpha, beta} {
		inTenant(t, a.d, beta, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) {
			raw, err := db.ReadSeries(ctx, tx, named, []int64{alphaSignal}, a.day, end)
			require.NoError(t, err)
			require.Empty(t, raw)
			for _, step := range []time.Duration{time.Second, time.Minute, time.Hour} {
				bands, err := db.ReadBands(ctx, tx, named, []int64{alphaSignal}, a.day, end, step)
				require.NoError(t, err)
				require.Empty(t, bands)
			}
			all, err := db.ReadStatistics(ctx, tx, named, []int64{alphaSignal}, a.day, end)
			require.NoError(t, err)
			require.Empty(t, all)
			page, _, err := db.ReadPage(ctx, tx, db.Signal{TenantID: named, ID: alphaSignal, PeriodSeconds: 60}, a.day, end, 10)
			require.NoError(t, err)
			require.Empty(t, page)
		})
	}
	for _, sql := range []string{
		`SELECT count(*) FROM ts_part.detached_` + a.day.Format("20060102") + `_1`,
		`SELECT count(*) FROM ts_part.asset_timeseries_` + time.Now().UTC().Format("20060102"),
	} {
		err := a.d.InTenant(t.Context(), alpha, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
		require.Equal(t, fault.Forbidden, fault.CodeOf(err), sql)
	}
}
