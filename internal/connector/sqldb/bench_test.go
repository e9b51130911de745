package sqldb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

// benchRows is the size of the table of the paging benchmark.
const benchRows = 500_000

// BenchmarkPaging reads 500,000 rows by 5,000 through Poll: run it with
// -bench Paging -benchtime 1x. The metric rows/s is that of the whole path up
// to readings.
func BenchmarkPaging(b *testing.B) {
	b.Run("postgresql", func(b *testing.B) {
		w := postgresWorld(b)
		w.exec(b, "CREATE TABLE big AS SELECT 'T' || (n % 100) AS tag, '2026-03-10 12:00:00'::timestamp + (n / 100) * interval '1 second' AS ts, n::float8 AS val, 192 AS q FROM generate_series(0, 499999) AS n",
			"CREATE INDEX big_ts ON big (ts)", "ANALYZE big")
		paging(b, w)
	})
	b.Run("mariadb", func(b *testing.B) {
		w := startMaria(b).world(b, "bench")
		w.exec(b, "CREATE TABLE big AS SELECT concat('T', seq % 100) AS tag, cast('2026-03-10 12:00:00' AS datetime) + INTERVAL (seq DIV 100) SECOND AS ts, seq + 0e0 AS val, 192 AS q FROM seq_0_to_499999",
			"CREATE INDEX big_ts ON big (ts)")
		paging(b, w)
	})
}

func paging(b *testing.B, w world) {
	tags := make([]string, 0, 100)
	r := w.readings(b, connector.Config{"table": "big", "tag_column": "tag", "time_column": "ts", "value_columns": "val", "quality_column": "q"})
	nodes, err := r.Browse(b.Context(), "")
	require.NoError(b, err)
	for _, node := range nodes {
		tags = append(tags, node.Address)
	}
	for b.Loop() {
		request := connector.PollRequest{Tags: tags, Since: noon.Add(-time.Second), Until: noon.Add(3 * time.Hour), Limit: 5000}
		total, began := 0, time.Now()
		for {
			batch, err := r.Poll(b.Context(), request)
			require.NoError(b, err)
			total += len(batch.Readings)
			if !batch.More {
				break
			}
			request.Since = batch.Watermark
		}
		require.Equal(b, benchRows, total)
		b.ReportMetric(float64(total)/time.Since(began).Seconds(), "rows/s")
	}
}
