package db_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/devstack"
)

// benchBatch is how many readings one transaction stores.
const benchBatch = 10_000

// historian is a lasting PostgreSQL, fsync on, for the benchmarks of stored
// readings. OPTRIA_BENCH_ROWS says how many rows are there before (default
// 10,000,000).
type historian struct {
	*testing.B
	d    *db.DB
	root *pgx.Conn // a superuser: past row-level security
}

func newHistorian(b *testing.B) *historian {
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
	h := &historian{B: b}
	h.d, err = db.Open(b.Context(), server.URL("bench"), db.Config{StatementTimeout: -1})
	require.NoError(b, err)
	b.Cleanup(h.d.Close)
	h.root, err = pgx.Connect(b.Context(), server.URL("bench"))
	require.NoError(b, err)
	b.Cleanup(func() { _ = h.root.Close(context.Background()) })
	h.exec(`SELECT telemetry.ensure_partitions(current_date - 8, current_date + 1)`)
	return h
}

func (h *historian) exec(sql string, args ...any) {
	h.Helper()
	_, err := h.root.Exec(h.Context(), sql, args...)
	require.NoError(h, err)
}

func (h *historian) number(sql string, args ...any) (n float64) {
	h.Helper()
	require.NoError(h, h.root.QueryRow(h.Context(), sql, args...).Scan(&n))
	return n
}

// plantOf stores a tenant with signals numbered from first on.
const plantOf = `
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', 'BENCH_{first}', 'BENCH', 'BENCH', 'power');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'S', 'S', 'S');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'U', 'U', 'U');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'K', 'K', 'K');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id)
  VALUES ('{id}', '{id}', '{id}', '{id}', 'P-1', 'P', 'P', 'p', 'PUMP', 'A', '{id}');
INSERT INTO telemetry.signals (tenant_id, id, asset_id, metric, name_ar, name_en, period_seconds)
  SELECT '{id}', n, '{id}', 'm' || n, 'm', 'm', {period} FROM generate_series({first}, {last}) n;`

// source is a tenant whose signals are read in turn, time going on.
type source struct {
	tenant      uuid.UUID
	first, size int64
	next        int64 // signal
	at          time.Time
	tags        map[string]int64
	names       []string
}

// at is where the live readings of the benchmark begin: now, so that they fall
// into the running hour.
func (h *historian) source(first, size int64, period int, at time.Time) *source {
	h.Helper()
	s := &source{tenant: uuid.New(), first: first, size: size, at: at, tags: map[string]int64{}}
	h.exec(strings.NewReplacer("{id}", s.tenant.String(), "{first}", strconv.FormatInt(first, 10), "{last}", strconv.FormatInt(first+size-1, 10),
		"{period}", strconv.Itoa(period)).Replace(plantOf))
	for n := range size {
		s.names = append(s.names, fmt.Sprintf("plant.unit.area.point-%d", n))
		s.tags[s.names[n]] = first + n
	}
	return s
}

// preload stores rows before the live ones, one second apart, in the order of
// their arrival.
func (h *historian) preload(s *source, rows int64) {
	h.Helper()
	h.exec(`INSERT INTO telemetry.asset_timeseries (ts, value, tenant_id, signal_id)
		SELECT $2::timestamptz - s * interval '1 second', random() * 100, $1, n FROM generate_series($3::bigint, 1, -1) s, generate_series($4::bigint, $5::bigint) n`,
		s.tenant, s.at, rows/s.size, s.first, s.first+s.size-1)
}

// reading is one value as a connector delivers it.
type reading struct {
	tag string
	at  time.Time
}

// batch are the next readings, ten milliseconds from one of a signal to the next.
func (s *source) batch() []reading {
	out := make([]reading, benchBatch)
	for i := range out {
		out[i] = reading{s.names[s.next], s.at}
		if s.next++; s.next == s.size {
			s.next, s.at = 0, s.at.Add(10*time.Millisecond)
		}
	}
	return out
}

// rows maps tags to signals.
func (s *source) rows(batch []reading) []db.Row {
	out := make([]db.Row, len(batch))
	for i, r := range batch {
		out[i] = db.Row{SignalID: s.tags[r.tag], Time: r.at, Value: float64(i)*1.25 + 3}
	}
	return out
}

// copyBatch is the limit to compare with: a bare COPY by a superuser into the
// same keyed table, in the order of arrival, one commit per batch.
func (h *historian) copyBatch(s *source, batch []reading) {
	in := make([][]any, len(batch))
	for i, r := range batch {
		in[i] = []any{r.at, float64(i)*1.25 + 3, s.tenant, s.tags[r.tag], int16(0)}
	}
	_, err := h.root.CopyFrom(h.Context(), pgx.Identifier{"telemetry", "asset_timeseries"}, []string{"ts", "value", "tenant_id", "signal_id", "quality"}, pgx.CopyFromRows(in))
	require.NoError(h, err)
}

func (h *historian) rowsOnly(s *source, batch []reading) {
	require.NoError(h, h.d.InTenant(h.Context(), s.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		n, err := db.InsertOnly(ctx, tx, s.tenant, s.rows(batch))
		require.EqualValues(h, benchBatch, n)
		return err
	}))
}

func (h *historian) everything(s *source, batch []reading) {
	require.NoError(h, h.d.InTenant(h.Context(), s.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		written, err := db.WriteReadings(ctx, tx, s.tenant, s.rows(batch))
		require.EqualValues(h, benchBatch, written.New)
		return err
	}))
}

// variant is one way to store batches, timed on its own.
type variant struct {
	name    string
	sources []*source
	store   func(*source, []reading)
	spent   []time.Duration
}

func (v *variant) round(n int) {
	s := v.sources[n%len(v.sources)]
	batch := s.batch()
	began := time.Now()
	v.store(s, batch)
	v.spent = append(v.spent, time.Since(began))
}

// compare stores batches in turn by every variant and reports the rate of the
// first and the ratios of the others to it, by the medians.
func (h *historian) compare(variants []*variant) {
	for _, v := range variants {
		for n := range max(2, 2*len(v.sources), int(v.sources[0].size/benchBatch)+1) { // warm, and every signal known
			v.round(n)
		}
		v.spent = nil
	}
	n := 0
	for h.Loop() {
		for _, v := range variants {
			v.round(n)
		}
		n++
	}
	base := quantile(variants[0].spent, 0.5)
	h.ReportMetric(benchBatch/base.Seconds(), variants[0].name+"-rows/s")
	for _, v := range variants[1:] {
		median := quantile(v.spent, 0.5)
		h.ReportMetric(float64(base)/float64(median), v.name+"-ratio")
		h.ReportMetric(benchBatch/median.Seconds(), v.name+"-rows/s")
	}
	h.ReportMetric(0, "ns/op")
}

func quantile(spent []time.Duration, q float64) time.Duration {
	sorted := slices.Clone(spent)
	slices.SortFunc(sorted, cmp.Compare)
	return sorted[int(q*float64(len(sorted)-1))]
}

func presentRows(b *testing.B) int64 {
	b.Helper()
	text := cmp.Or(os.Getenv("OPTRIA_BENCH_ROWS"), "10000000")
	rows, err := strconv.ParseInt(text, 10, 64)
	require.NoError(b, err)
	return rows
}

// BenchmarkHistorianIngest stores live readings beside a COPY, with rows of
// the same signals and the days there before: the rows alone, everything that
// the product stores with them, and the same by the number of signals and
// tenants.
func BenchmarkHistorianIngest(b *testing.B) {
	h := newHistorian(b)
	now := time.Now().UTC().Truncate(time.Second)
	copied, rows, all := h.source(1, 1000, 1, now), h.source(1001, 1000, 1, now), h.source(2001, 1000, 1, now)
	for _, s := range []*source{copied, rows, all} {
		h.preload(s, presentRows(b)/3)
	}
	ten := []*source{all}
	for n := range int64(9) {
		ten = append(ten, h.source(10_001+1000*n, 1000, 1, now))
	}
	h.exec(`ANALYZE`)
	h.exec(`CHECKPOINT`)
	h.compare([]*variant{
		{name: "copy", sources: []*source{copied}, store: h.copyBatch},
		{name: "rows", sources: []*source{rows}, store: h.rowsOnly},
		{name: "all", sources: []*source{all}, store: h.everything},
		{name: "10k-signals", sources: []*source{h.source(100_001, 10_000, 1, now)}, store: h.everything},
		{name: "100k-signals", sources: []*source{h.source(200_001, 100_000, 1, now)}, store: h.everything},
		{name: "10-tenants", sources: ten, store: h.everything},
	})
}
