package activities

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

func TestFillingThatFails(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.measure(100, l.tags...)
	l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RequestBackfill(ctx, tx, db.RequestBackfillParams{TenantID: l.ref.TenantID, IntegrationID: l.ref.IntegrationID, Cause: "mapping",
			FromTs: l.source.clock.Add(-90 * time.Second), ToTs: l.source.clock.Add(-10 * time.Second), Tags: []string{"tag-1", "tag-2", "unmapped"}})
		return err
	})
	l.source.change(func() { l.source.endless = true })
	var result FillResult
	for try := range fillTries {
		require.Equal(t, fillWaiting, l.gaps()[0].State)
		l.do(&result, l.ingest.FillGaps)
		require.Equal(t, min(fillPause<<try, fillLonger), result.Wait)
		if try == 2 { // one page is enough to begin counting anew, none came
			require.EqualValues(t, 3, l.gaps()[0].Attempts)
		}
	}
	gap := l.gaps()[0]
	require.Equal(t, fillFailed, gap.State)
	require.Equal(t, connector.KeyProtocol, gap.Error)
	l.source.change(func() { l.source.endless = false })
	l.exec(`UPDATE core.integration_backfills SET state = 'waiting' WHERE tenant_id = $1`)
	l.exec(`UPDATE core.integrations SET circuit = 'open', retry_at = now() + interval '1 hour' WHERE tenant_id = $1`)
	l.do(&result, l.ingest.FillGaps)
	require.Equal(t, FillResult{More: true, Wait: fillRest}, result, "a source that is away is waited for")
	l.exec(`UPDATE core.integrations SET circuit = 'closed' WHERE tenant_id = $1`)
	l.fill()
	require.Equal(t, "done", l.gaps()[0].State)
	require.Len(t, l.stored(), 2*80, "the tags asked for in the window asked for")
	require.Nil(t, l.integration().Watermark, "live reading is not touched")
	require.EqualValues(t, 160, l.integration().RowsTotal)
}

func TestTagsThatAreRefusedAreFilledLater(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.measure(100, l.tags...)
	i := l.integration()
	l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return recordGap(ctx, tx, q, i, l.source.clock.Add(-90*time.Second), l.source.clock.Add(-10*time.Second), true)
	})
	l.source.change(func() { l.source.refuses = l.tags[:1] })
	var result FillResult
	l.do(&result, l.ingest.FillGaps)
	require.Len(t, l.stored(), 80*(lineTags-1))
	l.do(&result, l.ingest.FillGaps)
	require.True(t, result.More)
	require.Positive(t, result.Wait, "the refused tag is tried again")
	l.source.change(func() { l.source.refuses = nil })
	l.fill()
	require.Len(t, l.stored(), 80*lineTags)
	for _, gap := range l.gaps() {
		require.Equal(t, "done", gap.State)
	}
}

func TestGapGrowsWhileItIsFilled(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.measure(100, l.tags...)
	i := l.integration()
	record := func(from, to time.Duration) {
		l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			return recordGap(ctx, tx, q, i, l.source.clock.Add(-from*time.Second), l.source.clock.Add(-to*time.Second), true)
		})
	}
	record(90, 60)
	loaded, err := l.ingest.load(t.Context(), l.ref)
	require.NoError(t, err)
	gap := l.gaps()[0]
	batch, err := (&archivist{door{l.source}}).Backfill(t.Context(), connector.PollRequest{Tags: l.tags, Since: gap.ReachedTs, Until: gap.ToTs})
	require.NoError(t, err)
	record(50, 20) // a second outage while the page is on its way
	_, moved, err := l.ingest.storePage(t.Context(), loaded, &gap, batch)
	require.NoError(t, err)
	require.True(t, moved)
	record(100, 95) // and one before it
	_, moved, err = l.ingest.storePage(t.Context(), loaded, &gap, connector.Batch{Watermark: gap.ToTs})
	require.NoError(t, err)
	require.False(t, moved, "the filling begins again at the earlier end")
	l.fill()
	require.Len(t, l.gaps(), 1)
	require.Len(t, l.stored(), 80*lineTags)
}

func TestStreamsOfATenantAreBounded(t *testing.T) {
	t.Parallel()
	s := newSlots(2)
	tenant := uuid.New()
	leave, err := s.take(tenant)
	require.NoError(t, err)
	_, err = s.take(tenant)
	require.NoError(t, err)
	_, err = s.take(tenant)
	require.Equal(t, KeyTooManyStreams, connector.MessageKey(err))
	_, err = s.take(uuid.New())
	require.NoError(t, err, "another tenant has its own")
	leave()
	_, err = s.take(tenant)
	require.NoError(t, err)
}

func TestFloodOfOneTenantLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	g := newGate(3, 2)
	flood, other := uuid.New(), uuid.New()
	for range 2 {
		_, err := g.enter(t.Context(), flood)
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range 50 {
		waiting.Go(func() {
			_, err := g.enter(ctx, flood)
			require.True(t, errors.Is(err, context.Canceled))
		})
	}
	leave, err := g.enter(t.Context(), other) // would block for ever behind the flood
	require.NoError(t, err)
	leave()
	cancel()
	waiting.Wait()
}

func TestCircuit(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := circuit{state: circuitClosed, since: now.Add(-time.Hour)}
	for n := range 40 {
		c = c.failed(now, false)
		if n < failuresAllowed-1 {
			require.Equal(t, circuitClosed, c.state)
			require.False(t, c.holds(now))
			continue
		}
		require.Equal(t, circuitOpen, c.state)
		require.Equal(t, min(openAtFirst+openGrowth*time.Duration(n-failuresAllowed+1), openAtMost), c.retryAt.Sub(now))
		require.True(t, c.holds(now))
		require.False(t, c.holds(*c.retryAt))
		c.state = circuitHalfOpen
	}
	require.Equal(t, openAtMost, c.retryAt.Sub(now))
}
