package activities

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// The kinds of the scripted source that is polled: with an archive and without.
const (
	polledKind          = "scripted_polled"
	polledForgetfulKind = "scripted_polled_forgetful"
)

func init() {
	register := func(kind string, open func(*source) connector.Connector) {
		spec := connector.Spec{Kind: kind, Fields: []connector.Field{{Key: "source", Type: connector.Text, Required: true}}}
		connector.Register(spec, func(c connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
			s, _ := sources.Load(c["source"])
			return open(s.(*source)), nil
		})
	}
	register(polledKind, func(s *source) connector.Connector { return archivedHatch{hatch{s}} })
	register(polledForgetfulKind, func(s *source) connector.Connector { return hatch{s} })
}

// hatch is a connector through which a source is polled.
type hatch struct{ source *source }

func (hatch) Kind() string { return polledKind }
func (hatch) Close() error { return nil }

// archivedHatch gives the archive too.
type archivedHatch struct{ hatch }

func (h hatch) Poll(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	s := h.source
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := connector.Batch{Watermark: s.clock}
	if len(s.lacks) > 0 {
		batch.Notices = []connector.Notice{{Time: s.clock, Key: connector.NoticeUnknownTag, Tags: s.lacks[:1]},
			{Time: s.clock, Key: connector.NoticeRefusedTag, Tags: s.lacks[1:]}}
	}
	for _, reading := range s.archive {
		if reading.Time.After(r.Since) && slices.Contains(r.Tags, reading.ExternalTag) && !slices.Contains(s.lacks, reading.ExternalTag) {
			batch.Readings = append(batch.Readings, reading)
		}
	}
	return batch, nil
}

func (h archivedHatch) Backfill(ctx context.Context, r connector.PollRequest) (connector.Batch, error) {
	return (&archivist{door{h.source}}).Backfill(ctx, r)
}

// absence is a row of core.integration_absences.
type absence struct {
	Tag   string
	Since time.Time
}

func (l *productionLine) absences() []absence {
	return rowsAs[absence](l, `SELECT m.external_tag AS tag, a.since FROM core.integration_absences a
		JOIN core.integration_mappings m ON m.tenant_id = a.tenant_id AND m.id = a.mapping_id WHERE a.tenant_id = $1 ORDER BY 1`)
}

// poll lets the source measure while it lacks some tags, and reads it.
func (l *productionLine) poll(seconds int, lacks ...string) (before time.Time) {
	l.t.Helper()
	before = l.source.clock
	l.source.change(func() { l.source.lacks = lacks })
	l.source.measure(seconds, l.tags...)
	var result PollResult
	l.do(&result, l.ingest.PollIntegration)
	return before
}

func TestTagsThatAPolledSourceLacksForAWhileAreFilled(t *testing.T) {
	l := newLine(t, polledKind)
	l.poll(5)
	require.Empty(t, l.absences())
	first := l.poll(60, "tag-1", "tag-2")
	require.Equal(t, SyncPartial, l.integration().LastSyncStatus)
	second := l.poll(60, "tag-1", "tag-2", "tag-3")
	l.poll(60, "tag-1", "tag-2", "tag-3")
	noted := l.absences()
	require.Len(t, noted, 3)
	for n, since := range []time.Time{first, first, second} {
		require.Equal(t, since, noted[n].Since.UTC(), noted[n].Tag)
	}
	require.Empty(t, l.gaps(), "they are not back yet")
	require.Len(t, l.stored(), 5*4+60*2+2*60)

	l.poll(5)
	require.Empty(t, l.absences())
	gaps := l.gaps()
	require.Len(t, gaps, 1, "what was missed at about the same time is one gap")
	require.ElementsMatch(t, l.tags[:3], gaps[0].Tags)
	require.Equal(t, first.Add(-overlap), gaps[0].FromTs.UTC())
	l.fill()
	requireSame(t, l.source.held(), l.stored())
	l.poll(5)
	require.Len(t, l.gaps(), 1)
}

func TestTagsThatAPolledSourceWithoutArchiveLacksAreShown(t *testing.T) {
	l := newLine(t, polledForgetfulKind)
	l.poll(5)
	since := l.poll(60, "tag-1")
	l.poll(5)
	gaps := l.gaps()
	require.Len(t, gaps, 1)
	require.Equal(t, fillImpossible, gaps[0].State)
	require.Equal(t, KeyNoArchive, gaps[0].Error)
	require.Equal(t, since, gaps[0].FromTs.UTC())
	l.poll(60, "tag-1")
	l.poll(5)
	require.Len(t, l.gaps(), 1, "a tag that comes and goes leaves one gap")
}

func TestValuesThatAQueueDroppedAreFilled(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	l.source.measure(5, l.tags...)
	l.settled()
	for n := range 3 {
		l.source.change(func() { // two of the values reach no session
			for range 2 {
				l.source.clock = l.source.clock.Add(time.Second)
				l.source.archive = append(l.source.archive, connector.Reading{ExternalTag: l.tags[n%2], Time: l.source.clock, Value: 7})
			}
			l.source.clock = l.source.clock.Add(time.Second)
			l.source.add(connector.Reading{ExternalTag: l.tags[n%2], Time: l.source.clock, Value: 8})
			l.source.notices = []connector.Notice{{Time: l.source.clock, Key: connector.NoticeOverflow, Tags: l.tags[n%2 : n%2+1]}}
		})
		want := 5*lineTags + n + 1
		l.eventually(func() bool { return len(l.stored()) == want }, "the last value is stored")
	}
	s.halt()
	gaps := l.gaps()
	require.Len(t, gaps, 1, "a queue that is too short leaves one gap")
	require.ElementsMatch(t, l.tags[:2], gaps[0].Tags)
	l.fill()
	requireSame(t, l.source.held(), l.stored())
}

func TestTagsAddedToAGapWhileItIsFilled(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.measure(100, l.tags...)
	i := l.integration()
	from, to := l.source.clock.Add(-90*time.Second), l.source.clock
	record := func(tags ...string) {
		l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			return recordTagGap(ctx, tx, q, i, tags, from, to, true)
		})
	}
	record("tag-1")
	loaded, err := l.ingest.load(t.Context(), l.ref)
	require.NoError(t, err)
	gap := l.gaps()[0]
	record("tag-2")
	require.Len(t, l.gaps(), 1)
	_, moved, err := l.ingest.storePage(t.Context(), loaded, &gap, connector.Batch{Watermark: gap.ToTs})
	require.NoError(t, err)
	require.False(t, moved, "the page was read without the second tag")
	l.fill()
	require.Len(t, l.stored(), 2*90)
}

func TestOutageThatWasGivenUpIsTriedAgain(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.measure(100, l.tags...)
	i := l.integration()
	l.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return recordGap(ctx, tx, q, i, l.source.clock.Add(-90*time.Second), l.source.clock, true)
	})
	due := func() bool {
		loaded, err := l.ingest.load(t.Context(), l.ref)
		require.NoError(t, err)
		_, found, err := l.ingest.nextGap(t.Context(), l.ref)
		require.NoError(t, err)
		require.Equal(t, loaded.pulse.Gaps, found)
		return found
	}
	anHourPasses := func() {
		l.exec(`UPDATE core.integration_backfills SET finished_at = finished_at - interval '61 minutes' WHERE tenant_id = $1`)
	}
	l.exec(`UPDATE core.integration_backfills SET attempts = $2 WHERE tenant_id = $1`, fillTries-1)
	l.source.change(func() { l.source.fault = connector.Unreachable(errors.New("the archive is away")) })
	for range 3 {
		require.True(t, due())
		var result FillResult
		l.do(&result, l.ingest.FillGaps)
		require.Equal(t, fillFailed, l.gaps()[0].State)
		require.Equal(t, connector.KeyUnreachable, l.gaps()[0].Error)
		require.False(t, due(), "not before an hour has passed")
		anHourPasses()
	}
	l.source.change(func() { l.source.fault = nil })
	for _, never := range []string{`cause = 'requested'`, `created_at = now() - interval '31 days', cause = 'outage'`} {
		l.exec(`UPDATE core.integration_backfills SET ` + never + ` WHERE tenant_id = $1`)
		require.False(t, due(), never)
	}
	l.exec(`UPDATE core.integration_backfills SET created_at = now() WHERE tenant_id = $1`)
	l.fill()
	gap := l.gaps()[0]
	require.Equal(t, "done", gap.State)
	require.Empty(t, gap.Error)
	require.Len(t, l.stored(), 90*lineTags)
}

func TestSessionThatMissedNothingLeavesNoGap(t *testing.T) {
	l := newLine(t, forgetfulKind)
	l.source.resumes = true
	s := l.stream(l.ingest)
	l.source.measure(5, l.tags...)
	l.settled()
	l.source.change(func() { l.source.fault = connector.Unreachable(errors.New("cut")) })
	l.eventually(func() bool { return l.integration().StreamingSince == nil }, "the session ends")
	l.source.measure(300, l.tags...)
	l.source.change(func() { l.source.fault = nil })
	l.retryNow()
	l.settled()
	s.halt()
	require.Empty(t, l.gaps())
	requireSame(t, l.source.held(), l.stored())
	require.Equal(t, l.source.clock, l.integration().Watermark.UTC())
}
