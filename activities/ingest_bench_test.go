package activities

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// BenchmarkStreamOf measures what a stream costs as its tags grow: loading its
// mappings, which happens once per session, and storing one value of every tag.
// The database flushes nothing to disk.
func BenchmarkStreamOf(b *testing.B) {
	for _, tags := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%d/load", tags), func(b *testing.B) { benchLoad(b, tags) })
		b.Run(fmt.Sprintf("%d/flush", tags), func(b *testing.B) { benchFlush(b, tags) })
	}
}

func benchEngine(b *testing.B, tags int) (*Ingest, IntegrationRef) {
	b.Helper()
	url, ref := lineOf(b, scriptedKind, tags)
	d, err := db.Open(b.Context(), url, db.Config{StatementTimeout: -1})
	require.NoError(b, err)
	b.Cleanup(d.Close)
	return newIngest(Deps{DB: d, Box: testBox(b)}), ref
}

func benchLoad(b *testing.B, tags int) {
	ingest, ref := benchEngine(b, tags)
	var loaded *target
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		var err error
		loaded, err = ingest.load(b.Context(), ref)
		require.NoError(b, err)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Len(b, loaded.tags, tags)
	b.ReportMetric(max(0, float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(tags), "held-B/tag")
}

func benchFlush(b *testing.B, tags int) {
	ingest, ref := benchEngine(b, tags)
	s := &stream{Ingest: ingest, ref: ref}
	loaded, err := ingest.load(b.Context(), ref)
	require.NoError(b, err)
	require.NoError(b, s.begin(b.Context(), loaded))
	n := newSession(s, loaded, &door{})
	n.ctx = b.Context()
	at := time.Now().UTC().Add(-time.Hour)
	stored := 0
	for b.Loop() {
		at = at.Add(time.Second)
		batch := connector.Batch{Watermark: at}
		for i, tag := range loaded.tags {
			batch.Readings = append(batch.Readings, connector.Reading{ExternalTag: tag, Time: at, Value: float64(i)})
			if len(batch.Readings) == 5000 || i == tags-1 {
				require.NoError(b, n.deliver(b.Context(), batch))
				stored += len(batch.Readings)
				batch.Readings = batch.Readings[:0]
			}
		}
	}
	b.ReportMetric(float64(stored)/b.Elapsed().Seconds(), "rows/s")
}
