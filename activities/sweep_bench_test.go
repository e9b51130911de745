package activities_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
)

// A fleet of the benchmark has fleetSignals signals per asset with two weeks
// of hours and the samples of the last hours, one a quarter of an hour.
const (
	fleetSignals  = 20
	fleetBatch    = 50 // as the sweep workflow
	fleetParallel = 2
)

// fleet stores a plant of {assets} assets. Signals follow a daily load with
// noise of their own; hours come in the order of their key.
const fleet = `
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', 'FLEET', 'FLEET', 'FLEET', 'power');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'S', 'S', 'S');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'U', 'U', 'U');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'K', 'K', 'K');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id, age_days, weibull_beta, weibull_eta_days)
  SELECT '{id}', lpad(to_hex(n), 32, '0')::uuid, '{id}', '{id}', 'P-' || n, 'P', 'P', 'p', 'PUMP', 'A', '{id}', n % 2000, 2, 3000 FROM generate_series(1, {assets}) n;
INSERT INTO core.asset_failure_modes (tenant_id, id, asset_id, code, name_ar, name_en, metric, severity, occurrence, detectability)
  SELECT tenant_id, id, id, 'BRD', 'B', 'B', 'm1', 7, 4, 3 FROM core.assets WHERE tenant_id = '{id}';
INSERT INTO optimization.optimization_cost_models (tenant_id, id, asset_id, kind, direct_cost, outage_hours, loss_per_hour)
  SELECT tenant_id, id, id, 'failure', 200000, 24, 5000 FROM core.assets WHERE tenant_id = '{id}';
INSERT INTO telemetry.signals (tenant_id, id, asset_id, metric, name_ar, name_en, normal_low, normal_high, warn, alarm, period_seconds)
  SELECT '{id}', n, lpad(to_hex((n - 1) / {signals} + 1), 32, '0')::uuid, 'm' || (n - 1) % {signals} + 1, 'm', 'm', 80, 120, 150, 200, 900
  FROM generate_series(1, {assets} * {signals}) n;
INSERT INTO telemetry.signal_hours (tenant_id, signal_id, hour, mean_value, min_value, max_value, samples, quality, stale)
  SELECT '{id}', n, date_trunc('hour', now()) - k * interval '1 hour', v, v - 1, v + 1, 4, 0, false
  FROM generate_series(1, {assets} * {signals}) n CROSS JOIN generate_series(336, 1, -1) k
  CROSS JOIN LATERAL (SELECT 100 + 6 * sin(k / 3.82::float8) * (1 + n % 5) / 3 + ((n::bigint * 7919 + k * (104729 + n % 97)) % 1000) / 400::float8 AS v) x;
SELECT telemetry.ensure_partitions(current_date - 1, current_date + 1);
INSERT INTO telemetry.asset_timeseries (tenant_id, signal_id, ts, value)
  SELECT '{id}', n, date_trunc('minute', now()) - k * interval '15 minutes', 100 + ((n::bigint * 7919 + k * 104729) % 1000) / 400::float8
  FROM generate_series(1, {assets} * {signals}) n CROSS JOIN generate_series(11, 0, -1) k;
INSERT INTO telemetry.signal_latest (tenant_id, signal_id, ts, value, quality)
  SELECT '{id}', n, date_trunc('minute', now()), 100, 0 FROM generate_series(1, {assets} * {signals}) n;
ANALYZE telemetry.signal_hours;`

// BenchmarkSweep measures whole sweeps, from listing the assets to the closed
// record, without the queue of the workflow service: two batches of fifty
// assets at a time, every asset scored and stored, on a PostgreSQL with fsync.
// Memory is the greatest resident set of the worker's process.
func BenchmarkSweep(b *testing.B) {
	for _, assets := range []int{100, 1000, 5000} {
		b.Run(strconv.Itoa(assets), func(b *testing.B) { benchSweep(b, assets) })
	}
}

func benchSweep(b *testing.B, assets int) {
	url, tenant := lasting(b), uuid.New()
	root, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(func() { _ = root.Close(context.Background()) })
	_, err = root.Exec(b.Context(), strings.NewReplacer("{id}", tenant.String(), "{assets}", strconv.Itoa(assets),
		"{signals}", strconv.Itoa(fleetSignals)).Replace(fleet))
	require.NoError(b, err)
	d, err := db.Open(b.Context(), url, db.Config{StatementTimeout: -1})
	require.NoError(b, err)
	defer d.Close()
	set := activities.NewSet(activities.Deps{DB: d})
	resetPeak(b)
	asOf, scored := time.Now().UTC().Truncate(time.Second), 0
	for b.Loop() {
		asOf = asOf.Add(time.Second)
		totals := sweepFleet(b, set, activities.Sweep{TenantID: tenant, SweepID: uuid.New(), AsOf: asOf, Every: true})
		require.Equal(b, assets, totals.Scored)
		require.Zero(b, totals.Greyed+totals.Failed)
		scored += totals.Scored
	}
	b.ReportMetric(float64(scored)/b.Elapsed().Seconds(), "assets/s")
	b.ReportMetric(peakMiB(b), "MiB")
}

// sweepFleet runs one sweep as the workflow does.
func sweepFleet(b *testing.B, set *activities.Set, s activities.Sweep) (totals activities.BatchResult) {
	b.Helper()
	for more := true; more; {
		var start activities.SweepStart
		perform(b, set, &start, set.Scoring.StartSweep, s)
		var running errgroup.Group
		running.SetLimit(fleetParallel)
		results := make([]activities.BatchResult, (len(start.Assets)+fleetBatch-1)/fleetBatch)
		for i := range results {
			batch := activities.Batch{Sweep: s, ModelID: start.ModelID, Assets: start.Assets[i*fleetBatch : min((i+1)*fleetBatch, len(start.Assets))]}
			running.Go(func() error {
				perform(b, set, &results[i], set.Scoring.ScoreBatch, batch)
				return nil
			})
		}
		require.NoError(b, running.Wait())
		for _, r := range results {
			totals = totals.Add(r)
		}
		if more = start.More; more {
			s.After = start.Assets[len(start.Assets)-1]
		}
	}
	perform(b, set, nil, set.Scoring.FinishSweep, s, totals)
	return totals
}

// perform runs an activity and decodes its result.
func perform(b *testing.B, set *activities.Set, result, activity any, args ...any) {
	b.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(10 * time.Minute)
	env.RegisterActivity(set.Scoring)
	answer, err := env.ExecuteActivity(activity, args...)
	require.NoError(b, err)
	if result != nil {
		require.NoError(b, answer.Get(result))
	}
}

// resetPeak forgets the greatest resident set so far.
func resetPeak(b *testing.B) {
	b.Helper()
	require.NoError(b, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

// peakMiB is the greatest resident set since resetPeak.
func peakMiB(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	_, after, found := strings.Cut(string(text), "VmHWM:")
	require.True(b, found)
	var kib float64
	_, err = fmt.Sscan(after, &kib)
	require.NoError(b, err)
	return kib / 1024
}
