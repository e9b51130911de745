package activities

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

func TestStreamStoresWhatItIsGivenOnce(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.twice = true
	s := l.stream(l.ingest)
	l.source.measure(30, l.tags...)
	l.settled()
	l.source.change(func() { // late, out of order, and once more under the same time
		early := l.source.clock.Add(-20*time.Minute - time.Millisecond)
		for _, back := range []time.Duration{0, time.Minute, -time.Minute} {
			l.source.add(connector.Reading{ExternalTag: "tag-1", Time: early.Add(back), Value: 1})
		}
		l.source.add(connector.Reading{ExternalTag: "tag-2", Time: l.source.clock, Value: 99})
	})
	l.settled()
	i := l.integration()
	require.Equal(t, l.source.clock, i.Watermark.UTC(), "late readings do not move the watermark back")
	require.Equal(t, "closed", i.Circuit)
	require.Equal(t, SyncOK, i.LastSyncStatus)
	result := s.halt()
	require.True(t, result.Again)
	requireSame(t, l.source.held(), l.stored())
	require.EqualValues(t, len(l.source.held()), result.Written)
	require.EqualValues(t, result.Written, l.integration().RowsTotal)
	require.Nil(t, l.integration().StreamingSince, "nothing streams any more")
	require.Empty(t, l.gaps())
	total := int64(0)
	for _, sync := range l.syncs() {
		total += sync.RowsWritten
	}
	require.Equal(t, result.Written, total, "the history of syncs adds up")
}

func TestSourceAwayForTenMinutesLosesNothing(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.ingest.pace.record = time.Minute
	s := l.stream(l.ingest)
	l.source.measure(20, l.tags...)
	l.settled()
	watermark := *l.integration().Watermark
	l.source.change(func() { l.source.fault = connector.Unreachable(errors.New("cut")) })
	l.source.measure(600, l.tags...)
	l.eventually(func() bool { return l.integration().Circuit == circuitOpen }, "the circuit opens")
	i := l.integration()
	require.Equal(t, SyncFailed, i.LastSyncStatus)
	require.Equal(t, connector.KeyUnreachable, i.LastError)
	require.Nil(t, i.StreamingSince)
	require.GreaterOrEqual(t, i.Failures, int32(failuresAllowed))
	require.False(t, i.NeedsPerson)
	require.WithinDuration(t, time.Now().Add(openAtFirst), *i.RetryAt, 10*time.Second)
	require.Equal(t, 1, l.alerts())
	require.Equal(t, 1, l.failedSyncs(), "one outage is told once")

	l.source.change(func() { l.source.fault = nil })
	l.retryNow()
	l.eventually(func() bool { return l.integration().StreamingSince != nil }, "the stream is back")
	l.source.measure(5, l.tags...)
	l.fill()
	l.settled()
	gaps := l.gaps()
	require.Len(t, gaps, 1)
	require.Equal(t, "done", gaps[0].State)
	require.Equal(t, watermark.Add(-overlap), gaps[0].FromTs)
	require.EqualValues(t, 600*lineTags, gaps[0].RowsWritten)
	s.halt()
	requireSame(t, l.source.held(), l.stored())
	i = l.integration()
	require.Equal(t, "closed", i.Circuit)
	require.Zero(t, i.Failures)
	require.Empty(t, i.LastError)
	require.EqualValues(t, len(l.source.held()), i.RowsTotal)
}

func TestGapsOfASourceThatComesAndGoesAreOne(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	for range 6 {
		l.source.measure(10, l.tags...)
		l.source.change(func() { l.source.fault = connector.Unreachable(errors.New("cut")) })
		l.eventually(func() bool { return l.integration().StreamingSince == nil }, "the session ends")
		l.source.measure(10, l.tags...)
		l.source.change(func() { l.source.fault = nil })
		l.retryNow()
		l.eventually(func() bool { return l.integration().StreamingSince != nil }, "the stream is back")
	}
	require.Len(t, l.gaps(), 1)
	l.fill()
	l.settled()
	s.halt()
	requireSame(t, l.source.held(), l.stored())
}

func TestGapOfASourceWithoutArchiveIsShown(t *testing.T) {
	l := newLine(t, forgetfulKind)
	s := l.stream(l.ingest)
	l.source.measure(5, l.tags...)
	l.settled()
	before := len(l.stored())
	l.source.change(func() { l.source.fault = connector.Unreachable(errors.New("cut")) })
	l.eventually(func() bool { return l.integration().StreamingSince == nil }, "the session ends")
	l.source.measure(300, l.tags...)
	l.source.change(func() { l.source.fault = nil })
	l.retryNow()
	l.eventually(func() bool { return l.integration().StreamingSince != nil }, "the stream is back")
	l.source.measure(5, l.tags...)
	l.eventually(func() bool { return len(l.stored()) == before+5*lineTags }, "live readings are stored")
	s.halt()
	gaps := l.gaps()
	require.Len(t, gaps, 1)
	require.Equal(t, fillImpossible, gaps[0].State)
	require.Equal(t, KeyNoArchive, gaps[0].Error)
	require.Equal(t, 300*time.Second, gaps[0].ToTs.Sub(gaps[0].FromTs))
	var result FillResult
	l.do(&result, l.ingest.FillGaps)
	require.Equal(t, FillResult{}, result, "nothing is tried")
}

func TestNewerStreamTakesOver(t *testing.T) {
	l := newLine(t, scriptedKind)
	older := l.stream(l.ingest)
	l.source.measure(10, l.tags...)
	_, other := l.engine(l.url)
	newer := l.stream(other)
	require.False(t, older.wait().Again, "the older one is not to be started again")
	l.source.measure(10, l.tags...)
	l.fill()
	l.settled()
	require.NotNil(t, l.integration().StreamingSince, "the older one does not speak for the newer")
	newer.halt()
	requireSame(t, l.source.held(), l.stored())
}

func TestStreamFollowsChangesOfItsIntegration(t *testing.T) {
	for name, change := range map[string]struct {
		sql   string
		again bool
	}{
		"paused":     {`UPDATE core.integrations SET state = 'paused', updated_at = now() WHERE tenant_id = $1`, false},
		"archived":   {`UPDATE core.integrations SET state = 'archived' WHERE tenant_id = $1`, false},
		"settings":   {`UPDATE core.integrations SET name = 'other', updated_at = clock_timestamp() WHERE tenant_id = $1`, true},
		"mapping":    {`UPDATE core.integration_mappings SET factor = 2 WHERE tenant_id = $1 AND external_tag = 'tag-1'`, true},
		"credential": {`INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $1, 'x', '\x00')`, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, scriptedKind)
			s := l.stream(l.ingest)
			l.source.measure(5, l.tags...)
			l.settled()
			l.exec(change.sql)
			require.Equal(t, change.again, s.wait().Again)
			require.Nil(t, l.integration().StreamingSince)
		})
	}
}

func TestPausedTimeIsFilledAfterwards(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	l.source.measure(5, l.tags...)
	l.settled()
	l.exec(`UPDATE core.integrations SET state = 'paused' WHERE tenant_id = $1`)
	s.wait()
	l.source.measure(60, l.tags...)
	require.False(t, l.launch(l.ingest).wait().Again, "a paused integration is not opened")
	l.exec(`UPDATE core.integrations SET state = 'active' WHERE tenant_id = $1`)
	s = l.stream(l.ingest)
	l.eventually(func() bool { return len(l.start.fillingsOf()) > 0 }, "the filling of the gap is asked for")
	l.fill()
	l.settled()
	s.halt()
	requireSame(t, l.source.held(), l.stored())
}

func TestStreamSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*source)
		key    string
		person bool
	}{
		"certificate": {func(s *source) { s.fault = connector.Failed(connector.KeyCertificate, errors.New("another")) }, connector.KeyCertificate, true},
		"silence":     {func(s *source) { s.silent = true }, connector.KeySilent, false},
		"panic":       {func(s *source) { s.panics = true }, connector.KeyInternal, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, scriptedKind)
			s := l.stream(l.ingest)
			l.source.change(func() { c.script(l.source) })
			l.eventually(func() bool { return l.integration().LastError == c.key }, "the cause is told")
			i := l.integration()
			require.Equal(t, c.person, i.NeedsPerson)
			if c.person {
				require.Equal(t, circuitOpen, i.Circuit, "only a person can help: the source is left alone at once")
				require.WithinDuration(t, time.Now().Add(openAtMost), *i.RetryAt, 10*time.Second)
			}
			l.source.change(func() { l.source.fault, l.source.silent, l.source.panics = nil, false, false })
			l.eventually(func() bool {
				l.retryNow()
				return l.integration().StreamingSince != nil && l.integration().LastError == ""
			}, "it heals")
			require.False(t, l.integration().NeedsPerson)
			s.halt()
		})
	}
}

func TestHalfOfTheTagsBadIsShown(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	l.source.change(func() {
		for range 20 {
			l.source.clock = l.source.clock.Add(time.Second)
			for i, tag := range l.tags {
				l.source.add(connector.Reading{ExternalTag: tag, Time: l.source.clock, Quality: asset.Quality(2 * (i % 2))})
			}
		}
	})
	l.settled()
	result := s.halt()
	require.EqualValues(t, 40, result.Rejected)
	bad := int64(0)
	for _, sync := range l.syncs() {
		bad += sync.RowsBad
	}
	require.EqualValues(t, 40, bad)
	require.True(t, slices.ContainsFunc(l.syncs(), func(x db.IntegrationSync) bool { return x.Status == SyncPartial }), "a sync is partial")
	requireSame(t, l.source.held(), l.stored())
}

func TestNoticesOfAStreamAreKept(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.exec(`UPDATE core.integration_mappings SET high = 10 WHERE tenant_id = $1`)
	s := l.stream(l.ingest)
	l.source.change(func() {
		for range 5 {
			l.source.clock = l.source.clock.Add(time.Second)
			l.source.add(connector.Reading{ExternalTag: "tag-1", Time: l.source.clock, Value: 11})
		}
		l.source.waiting[l.source.anyDoor()] = append(l.source.waiting[l.source.anyDoor()],
			connector.Reading{ExternalTag: "tag-2", Time: time.Now().Add(time.Hour), Value: 1})
	})
	l.settled()
	s.halt()
	counts := map[string]int{}
	for _, sync := range l.syncs() {
		var said notices
		require.NoError(t, json.Unmarshal(sync.Notices, &said))
		for _, n := range said {
			counts[n.Key] += n.Count
		}
	}
	require.Equal(t, map[string]int{NoticeOutOfRange: 5, NoticeFuture: 1}, counts)
	requireSame(t, l.source.held(), l.stored())
}

func TestTagsThatComeBackAreFilled(t *testing.T) {
	l := newLine(t, scriptedKind)
	s := l.stream(l.ingest)
	l.source.measure(5, l.tags...)
	l.settled()
	l.source.change(func() { // the source measures, but its session does not know two of the tags
		for range 120 {
			l.source.clock = l.source.clock.Add(time.Second)
			for n, tag := range l.tags {
				r := connector.Reading{ExternalTag: tag, Time: l.source.clock, Value: 1}
				if n < 2 {
					l.source.archive = append(l.source.archive, r)
				} else {
					l.source.add(r)
				}
			}
		}
		l.source.notices = []connector.Notice{{Time: l.source.clock, Key: connector.NoticeResubscribed, Tags: l.tags[:2]}}
	})
	l.eventually(func() bool { return len(l.gaps()) == 1 }, "their absence is noted")
	require.Equal(t, l.tags[:2], l.gaps()[0].Tags)
	l.fill()
	l.settled()
	s.halt()
	requireSame(t, l.source.held(), l.stored())
}
