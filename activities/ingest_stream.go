package activities

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Why a stream ends without a failure.
var (
	errTimeUp    = errors.New("the time of this activity is up")
	errStopping  = errors.New("the worker stops")
	errChanged   = errors.New("settings, mappings or credentials have changed")
	errInactive  = errors.New("the integration is not active")
	errTakenOver = errors.New("a newer session has taken over")
	errNoTags    = errors.New("no tag is mapped")
)

// StreamResult says what a stream stored. Again holds when the integration is
// to be followed further by a new activity.
type StreamResult struct {
	Written, Rejected int64
	Again             bool
}

// StreamIntegration follows a source that reports by itself. It opens the
// connector anew for every session, stores each batch before the connector may
// acknowledge it, records the hole between two sessions as a gap to fill, and
// pauses ever longer between sessions that fail. It ends within seconds when
// the integration is paused or changed, when the worker stops, when another
// activity takes over, or when it is cancelled; and after some hours, so that
// a new version of the product takes over from an old one.
func (a *Ingest) StreamIntegration(ctx context.Context, ref IntegrationRef) (StreamResult, error) {
	leave, err := a.slots.take(ref.TenantID)
	if err != nil {
		return StreamResult{}, err
	}
	defer leave()
	s := &stream{Ingest: a, ref: ref, session: uuid.New()}
	live, end := context.WithCancelCause(ctx)
	defer end(nil)
	watching := make(chan struct{})
	go func() { defer close(watching); s.watch(live, end) }()
	s.follow(live, end)
	end(nil)
	<-watching
	return s.result(ctx, context.Cause(live))
}

// stream is one StreamIntegration at work.
type stream struct {
	*Ingest
	ref     IntegrationRef
	session uuid.UUID // of this activity; only the newest one of an integration stores
	begun   bool      // the session is in the row of the integration

	written, refused atomic.Int64
	settings         atomic.Pointer[time.Time] // updated_at that the running session was opened with
	retryAt          atomic.Pointer[time.Time] // as the row has it
	told             failureTold
	recorded         time.Time // when the last sync record of a session was written
}

// failureTold is the failure that was recorded last, so that a source that is
// away for hours does not fill the history of syncs.
type failureTold struct {
	key string
	at  time.Time
}

func (s *stream) result(ctx context.Context, why error) (StreamResult, error) {
	s.close(ctx)
	result := StreamResult{Written: s.written.Load(), Rejected: s.refused.Load()}
	switch {
	case errors.Is(why, errTimeUp), errors.Is(why, errStopping), errors.Is(why, errChanged):
		result.Again = true
		return result, nil
	case errors.Is(why, errInactive), errors.Is(why, errTakenOver), errors.Is(why, errNoTags):
		return result, nil
	}
	return result, ctx.Err()
}

// close says in the row that nothing streams any more. A database that is away
// is no reason to hold up the end: the next session says it again.
func (s *stream) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.deps.DB.InTenant(ctx, s.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.EndSession(ctx, tx, s.ref.TenantID, s.ref.IntegrationID, s.session)
		return err
	})
	if err != nil {
		activity.GetLogger(ctx).Warn("end of a stream not noted", "integration", s.ref.IntegrationID, "error", err)
	}
}

// watch heartbeats and looks after the row of the integration until live ends.
func (s *stream) watch(live context.Context, end context.CancelCauseFunc) {
	timeUp := time.NewTimer(s.pace.stream)
	defer timeUp.Stop()
	pulse := time.NewTicker(s.pace.pulse)
	defer pulse.Stop()
	for {
		activity.RecordHeartbeat(live, s.written.Load())
		select {
		case <-live.Done():
			return
		case <-activity.GetWorkerStopChannel(live):
			end(errStopping)
			return
		case <-timeUp.C:
			end(errTimeUp)
			return
		case <-pulse.C:
			if err := s.look(live); err != nil {
				end(err)
				return
			}
		}
	}
}

// look returns why the stream has to end, or nil. A database that does not
// answer is no such reason.
func (s *stream) look(live context.Context) error {
	ctx, cancel := context.WithTimeout(live, 10*time.Second)
	defer cancel()
	known := s.settings.Load() // before the row is read: it may be of an earlier moment
	var row db.IntegrationPulseRow
	err := s.deps.DB.InTenant(ctx, s.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.IntegrationPulse(ctx, tx, s.ref.TenantID, s.ref.IntegrationID)
		return err
	})
	if err != nil {
		activity.GetLogger(live).Warn("look at a streamed integration", "integration", s.ref.IntegrationID, "error", err)
		return nil
	}
	switch {
	case row.State != "active":
		return errInactive
	case known != nil && (row.Session == nil || *row.Session != s.session):
		return errTakenOver
	case known != nil && !row.UpdatedAt.Equal(*known):
		return errChanged
	}
	s.retryAt.Store(row.RetryAt)
	if row.Gaps {
		if err := s.deps.Starter.StartBackfill(ctx, s.ref.TenantID, s.ref.IntegrationID); err != nil {
			activity.GetLogger(live).Warn("filling of gaps not started", "integration", s.ref.IntegrationID, "error", err)
		}
	}
	return nil
}

// follow runs session after session until live ends.
func (s *stream) follow(live context.Context, end context.CancelCauseFunc) {
	failures := 0
	for live.Err() == nil {
		started := time.Now()
		up, err := s.attempt(live)
		switch {
		case live.Err() != nil:
			return
		case ends(err):
			end(err)
			return
		case up && time.Since(started) >= s.pace.lastTry: // one that ends at once counts as a failure to begin
			failures = 0
		}
		failures++
		retry := s.fail(live, started, err)
		s.wait(live, s.pause(failures), retry)
	}
}

// ends reports the errors after which there is nothing more to do here.
func ends(err error) bool {
	return errors.Is(err, errInactive) || errors.Is(err, errTakenOver) || errors.Is(err, errNoTags) || errors.Is(err, errChanged)
}

// pause is how long to wait after a number of failures in a row: it doubles,
// and half of it is chance, so that sources that went away together do not
// come back together.
func (s *stream) pause(failures int) time.Duration {
	longest := min(s.pace.firstTry<<min(failures-1, 16), s.pace.lastTry)
	return longest/2 + rand.N(longest/2+1) // #nosec G404 -- spreads load, guards nothing
}

// fail records why a session ended and returns when the circuit lets the next
// one through, or nil.
func (s *stream) fail(live context.Context, started time.Time, cause error) *time.Time {
	key := connector.MessageKey(cause)
	record := key != s.told.key || time.Since(s.told.at) >= s.pace.record
	var c circuit
	err := s.deps.DB.InTenant(live, s.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		c, err = recordFailure(ctx, tx, q, failure{ref: s.ref, session: &s.session, startedAt: started, key: key,
			needsPerson: connector.NeedsPerson(cause), record: record})
		return err
	})
	activity.GetLogger(live).Info("session with a source ended", "integration", s.ref.IntegrationID, "cause", cause, "failures", c.failures)
	if err != nil {
		activity.GetLogger(live).Warn("failure of a stream not recorded", "integration", s.ref.IntegrationID, "error", err)
		return nil
	}
	if record {
		s.told = failureTold{key, time.Now()}
	}
	s.retryAt.Store(c.retryAt)
	return c.retryAt
}

// wait passes the time until the next session: a pause, or until the circuit
// lets it through, which a person may bring forward.
func (s *stream) wait(live context.Context, pause time.Duration, retry *time.Time) {
	until := time.Now().Add(pause)
	for {
		if at := s.retryAt.Load(); retry != nil && at != nil && at.Before(*retry) {
			retry = at
		}
		next := until
		if retry != nil {
			next = later(next, *retry)
		}
		left := time.Until(next)
		if left <= 0 {
			return
		}
		select {
		case <-live.Done():
			return
		case <-time.After(min(left, s.pace.pulse)):
		}
	}
}

// attempt runs one session and returns whether it was up, and why it ended.
func (s *stream) attempt(live context.Context) (up bool, err error) {
	t, err := s.load(live, s.ref)
	if err != nil {
		return false, err
	}
	if err := s.begin(live, t); err != nil {
		return false, err
	}
	if len(t.tags) == 0 {
		return false, errNoTags
	}
	if err := s.halfOpen(live, t.integration); err != nil {
		return false, err
	}
	opened, err := s.open(t)
	if err != nil {
		return false, err
	}
	subscriber, ok := opened.(connector.Subscriber)
	if !ok {
		return false, errors.Join(opened.Close(), fault.New(fault.Invalid, KeyCannotPoll).With("kind", t.integration.Kind))
	}
	n := newSession(s, t, opened)
	err = n.run(live, subscriber)
	return n.isUp(), err
}

// begin takes the integration over from any other stream, once; later sessions
// of this stream only look whether it still has it.
func (s *stream) begin(live context.Context, t *target) error {
	if t.integration.State != "active" {
		return errInactive
	}
	if s.begun {
		if t.integration.Session == nil || *t.integration.Session != s.session {
			return errTakenOver
		}
		s.settings.Store(&t.integration.UpdatedAt)
		return nil
	}
	err := s.deps.DB.InTenant(live, s.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		taken, err := q.BeginSession(ctx, tx, s.session, s.ref.TenantID, s.ref.IntegrationID)
		if err == nil && taken == 0 {
			err = errInactive
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	s.begun = true
	s.settings.Store(&t.integration.UpdatedAt)
	return nil
}
