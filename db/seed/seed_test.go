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
	units, hours, tariffs, duties, levels, roads, requests          int
	lives, failures, days                                           int
	readings                                                        int64
}

func count(t *testing.T, d *db.DB, tenant *demo.Tenant) (n counted) {
	t.Helper()
	err := d.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM core.sites), (SELECT count(*) FROM core.assets), (SELECT count(*) FROM core.asset_components),
			(SELECT count(*) FROM core.asset_failure_modes), (SELECT count(*) FROM telemetry.signals), (SELECT count(*) FROM core.integrations),
			(SELECT count(*) FROM core.users WHERE password_hash IS NOT NULL), (SELECT count(*) FROM telemetry.asset_timeseries),
			(SELECT count(*) FROM core.asset_operations), (SELECT count(*) FROM core.production_target_hours), (SELECT count(*) FROM core.energy_tariffs),
			(SELECT count(*) FROM core.technicians WHERE home_site_id IS NOT NULL), (SELECT count(*) FROM core.technician_skills),
			(SELECT count(*) FROM core.travel_times), (SELECT count(*) FROM core.work_requests WHERE state = 'open'),
			(SELECT count(*) FROM core.asset_lives), (SELECT count(*) FROM core.asset_lives WHERE ended_by = 'failure'),
			(SELECT count(*) FROM telemetry.signal_hours WHERE NOT stale)`)
		return row.Scan(&n.sites, &n.assets, &n.components, &n.modes, &n.signals, &n.integrations, &n.people, &n.readings,
			&n.units, &n.hours, &n.tariffs, &n.duties, &n.levels, &n.roads, &n.requests,
			&n.lives, &n.failures, &n.days)
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
	for i, n := range first {
		require.Positive(t, n.readings)
		require.Equal(t, 24*n.sites, n.tariffs)
		require.Equal(t, 6, n.roads, "both ways between three sites")
		require.Equal(t, len(content.Tenants[i].Technicians), n.duties, "everybody works somewhere")
		require.Greater(t, n.levels, n.duties, "some can do more than their trade")
		require.Equal(t, 24*len(content.Tenants[i].Targets), n.hours)
		require.Greater(t, n.units, 4)
		require.Greater(t, n.requests, 8)
		require.Greater(t, n.failures, 20)
		require.Greater(t, n.lives, n.failures, "some were renewed in time")
		if content.Tenants[i].Code == "WATER_DEMO" {
			require.Greater(t, n.days, 30_000, "the membranes remember their lives day by day")
		}
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

	// A tenant of an earlier release has a plant, but no operating data.
	tenant := content.Tenants[0]
	require.NoError(t, d.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.asset_operations SET load_max = load_rated`)
		return err
	}))
	require.NoError(t, d.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.tenants SET settings = settings - 'demo_running' || '{"digits": "latn"}' WHERE id = $1`, tenant.ID)
		return err
	}))
	require.Equal(t, first, run(epoch.Add(2*time.Hour)))
	require.NoError(t, d.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.GetTenant(ctx, tx, tenant.ID)
		require.NoError(t, err)
		require.Contains(t, string(row.Settings), "digits", "other settings stay")
		units, err := q.ListAssetOperations(ctx, tx, tenant.ID)
		require.Greater(t, units[0].LoadMax, units[0].LoadRated)
		return err
	}))
}
