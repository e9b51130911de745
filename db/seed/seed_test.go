package seed_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/testkit"
)

// counted are the sizes of everything a tenant was seeded with.
type counted struct {
	sites, assets, components, modes, signals, integrations, people int
	readings                                                        int64
}

func count(t *testing.T, d *db.DB, tenant *demo.Tenant) (n counted) {
	t.Helper()
	err := d.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM core.sites), (SELECT count(*) FROM core.assets), (SELECT count(*) FROM core.asset_components),
			(SELECT count(*) FROM core.asset_failure_modes), (SELECT count(*) FROM telemetry.signals), (SELECT count(*) FROM core.integrations),
			(SELECT count(*) FROM core.users WHERE password_hash IS NOT NULL), (SELECT count(*) FROM telemetry.asset_timeseries)`)
		return row.Scan(&n.sites, &n.assets, &n.components, &n.modes, &n.signals, &n.integrations, &n.people, &n.readings)
	})
	require.NoError(t, err)
	return n
}

func TestSeedingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t, testkit.Template{Key: "seed", Build: db.Prepare})
	d, err := db.Open(t.Context(), url, db.Config{})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	content, err := demo.Load()
	require.NoError(t, err)
	run := func(epoch time.Time) []counted {
		_, err := seed.Run(t.Context(), d, seed.Options{Epoch: epoch, History: 24 * time.Hour, Period: time.Hour, Password: "a long password", Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		var all []counted
		for _, tenant := range content.Tenants {
			all = append(all, count(t, d, tenant))
		}
		return all
	}
	epoch := time.Now()
	first := run(epoch)
	total := counted{}
	for _, n := range first {
		require.Positive(t, n.readings)
		require.Equal(t, 3, n.integrations)
		require.Equal(t, 4, n.people)
		total.sites += n.sites
		total.assets += n.assets
		total.components += n.components
		total.modes += n.modes
		total.signals += n.signals
	}
	require.Equal(t, counted{sites: 9, assets: 38, components: 157, modes: 166, signals: 225}, total)
	require.Equal(t, first, run(epoch.Add(time.Hour)), "a later start keeps the first epoch and its data")
}
