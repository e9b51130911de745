package activities_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/devstack"
	"github.com/optria-iq/optria/internal/secret"
)

// One poll of the benchmark reads benchBatches batches of the default size,
// sampled once a second from benchSignals points.
const (
	benchKind    = "bench_source"
	benchSignals = 500
	benchBatches = 20
)

// source is a plant system that answers at once: what is measured is the
// polling path, not the plant.
type source struct{ left int }

func init() {
	connector.Register(connector.Spec{Kind: benchKind}, func(connector.Config, connector.Secrets, *net.Dialer) (connector.Connector, error) {
		return &source{left: benchBatches}, nil
	})
}

func (*source) Kind() string { return benchKind }

func (*source) Close() error { return nil }

func (s *source) Poll(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	s.left--
	batch := connector.Batch{Watermark: r.Since, More: s.left > 0, Readings: make([]connector.Reading, 0, r.BatchLimit())}
	for len(batch.Readings) < r.BatchLimit() {
		batch.Watermark = batch.Watermark.Add(time.Second)
		for i, tag := range r.Tags {
			batch.Readings = append(batch.Readings, connector.Reading{ExternalTag: tag, Time: batch.Watermark, Value: float64(i), Quality: asset.Good})
		}
	}
	return batch, nil
}

// lasting starts a PostgreSQL on disk with fsync on.
func lasting(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "optria-bench-")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, os.RemoveAll(dir)) })
	require.NoError(b, os.Chmod(dir, 0o755)) // the account that runs PostgreSQL must reach it
	server, err := devstack.StartPostgres(b.Context(), devstack.PostgresConfig{Dir: filepath.Join(dir, "pg")})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Stop()) })
	require.NoError(b, server.EnsureDatabase(b.Context(), "bench"))
	require.NoError(b, db.Prepare(b.Context(), server.URL("bench")))
	return server.URL("bench")
}

// points stores one integration with its mapped signals; its watermark is at
// the start of a day, so that batches rarely straddle partitions.
const points = `
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', 'BENCH', 'BENCH', 'BENCH', 'power');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'S', 'S', 'S');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'U', 'U', 'U');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'K', 'K', 'K');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id)
  VALUES ('{id}', '{id}', '{id}', '{id}', 'P-1', 'P', 'P', 'p', 'PUMP', 'A', '{id}');
INSERT INTO telemetry.signals (tenant_id, id, asset_id, metric, name_ar, name_en)
  SELECT '{id}', n, '{id}', 'm' || n, 'm', 'm' FROM generate_series(1, {signals}) n;
INSERT INTO core.integrations (tenant_id, id, name, kind, watermark) VALUES ('{id}', '{id}', 'bench', '{kind}', date_trunc('day', now()) - interval '10 days');
INSERT INTO core.integration_mappings (tenant_id, integration_id, external_tag, asset_id, signal_id)
  SELECT '{id}', '{id}', 'plant.unit.area.point-' || n, '{id}', n FROM generate_series(1, {signals}) n;
SELECT telemetry.ensure_partitions(current_date - 25, current_date);`

// BenchmarkIngest compares the polling path, from the connector's batch to
// committed rows with watermark and sync record, with a bare COPY of the same
// rows into the same table, both with one commit per batch.
func BenchmarkIngest(b *testing.B) {
	url := lasting(b)
	root, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(func() { _ = root.Close(context.Background()) })
	tenant := uuid.New()
	_, err = root.Exec(b.Context(), strings.NewReplacer("{id}", tenant.String(), "{signals}", strconv.Itoa(benchSignals), "{kind}", benchKind).Replace(points))
	require.NoError(b, err)
	b.Run("poll", func(b *testing.B) { benchPoll(b, url, tenant) })
	b.Run("copy", func(b *testing.B) { benchCopy(b, root) })
}

func benchPoll(b *testing.B, url string, tenant uuid.UUID) {
	d, err := db.Open(b.Context(), url, db.Config{StatementTimeout: -1})
	require.NoError(b, err)
	defer d.Close()
	keyset, err := secret.GenerateKeyset()
	require.NoError(b, err)
	box, err := secret.New(keyset)
	require.NoError(b, err)
	set := activities.NewSet(activities.Deps{DB: d, Box: box})
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(10 * time.Minute)
	env.RegisterActivity(set.Ingest)
	rows := int64(0)
	for b.Loop() {
		answer, err := env.ExecuteActivity(set.Ingest.PollIntegration, activities.IntegrationRef{TenantID: tenant, IntegrationID: tenant})
		require.NoError(b, err)
		var polled activities.PollResult
		require.NoError(b, answer.Get(&polled))
		require.Positive(b, polled.Written) // on a slow machine its turn ends before the source has given all
		rows += polled.Written
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func benchCopy(b *testing.B, root *pgx.Conn) {
	tenant := uuid.New() // the historian itself knows no tenants
	at := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20)
	columns := []string{"ts", "value", "tenant_id", "signal_id", "quality"}
	rows := int64(0)
	for b.Loop() {
		for range benchBatches {
			batch := make([][]any, 0, connector.DefaultBatchLimit)
			for len(batch) < connector.DefaultBatchLimit {
				at = at.Add(time.Second)
				for signal := range benchSignals {
					batch = append(batch, []any{at, float64(signal), tenant, int64(signal + 1), int16(0)})
				}
			}
			n, err := root.CopyFrom(b.Context(), pgx.Identifier{"telemetry", "asset_timeseries"}, columns, pgx.CopyFromRows(batch))
			require.NoError(b, err)
			rows += n
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
