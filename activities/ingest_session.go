package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// leaveWithin is how long a connector may take to end a session that it was
// asked to end; after that it is closed and left behind.
const leaveWithin = 5 * time.Second

// errSessionOver refuses what a connector delivers after the end of its session.
var errSessionOver = errors.New("the session has ended")

// session is one session with a source, from the opening of the connector to
// the first failure.
type session struct {
	*stream
	t       *target
	opened  connector.Connector
	ctx     context.Context // of run: nothing is stored after its end
	archive bool            // the source can fill gaps

	heard atomic.Int64 // when the source was last heard of, unix nanoseconds; 0 while a batch is being stored
	up    atomic.Bool

	mu      sync.Mutex // guards what follows: one batch at a time
	over    bool
	partial bool      // the source lacks some tag, for as long as the session lasts
	reached time.Time // the last watermark of the session
	tally   tally
}

func newSession(s *stream, t *target, opened connector.Connector) *session {
	_, archive := opened.(connector.Backfiller)
	n := &session{stream: s, t: t, opened: opened, archive: archive, tally: tally{started: time.Now()}}
	n.heard.Store(time.Now().UnixNano())
	return n
}

func (n *session) isUp() bool { return n.up.Load() }

// run subscribes and returns why the subscription ended; it is never nil
// unless live has ended.
func (n *session) run(live context.Context, subscriber connector.Subscriber) error {
	ctx, end := context.WithCancelCause(live)
	defer end(nil)
	n.ctx = ctx
	ended := make(chan error, 1)
	go func() { ended <- subscribe(ctx, subscriber, connector.SubscribeRequest{Tags: n.t.tags}, n.deliver) }()
	err := n.await(ctx, end, ended)
	n.finish(live)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	if err == nil && live.Err() == nil {
		err = connector.Failed(connector.KeySilent, errors.New("the subscription ended without an error"))
	}
	return err
}

// subscribe turns a panic of a connector into an error: a hostile answer must
// not take the other streams of the process with it.
func subscribe(ctx context.Context, s connector.Subscriber, r connector.SubscribeRequest, deliver connector.Deliver) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, connector.KeyInternal, fmt.Errorf("connector panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	return s.Subscribe(ctx, r, deliver)
}

// await waits for the end of the subscription and ends it when the source has
// fallen silent. A connector that does not leave is closed under its feet.
func (n *session) await(ctx context.Context, end context.CancelCauseFunc, ended <-chan error) error {
	look := time.NewTicker(min(n.pace.silence/4, time.Second))
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, n.opened.Close())
		case <-look.C:
			if n.isSilent(time.Now()) {
				end(connector.Failed(connector.KeySilent, errors.New("no sign of life from the source")))
			}
		case <-ctx.Done():
			select {
			case err := <-ended:
				return errors.Join(err, n.opened.Close())
			case <-time.After(leaveWithin):
				return errors.Join(connector.Failed(connector.KeySilent, errors.New("the connector did not leave")), n.opened.Close())
			}
		}
	}
}

func (n *session) isSilent(now time.Time) bool {
	heard := n.heard.Load()
	if heard == 0 {
		return false
	}
	longest := n.pace.silence
	if !n.isUp() {
		longest = n.pace.opening
	}
	return now.Sub(time.Unix(0, heard)) > longest
}

// deliver stores a batch and returns once it is committed, so that the source
// keeps what is not stored. A database that is away for a moment is waited for.
func (n *session) deliver(ctx context.Context, batch connector.Batch) error {
	n.heard.Store(0)
	defer func() { n.heard.Store(time.Now().UnixNano()) }()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return errSessionOver
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(n.ctx, stop)()
	now := time.Now().UTC()
	f := flush{converted: n.t.convert(batch.Readings, now), watermark: bounded(batch.Watermark, now), now: now,
		back: named(batch.Notices, connector.NoticeResubscribed), lost: named(batch.Notices, connector.NoticeOverflow)}
	f.notices.take(batch.Notices)
	for {
		err := n.storing(ctx, n.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			return n.write(ctx, tx, q, &f)
		})
		if err == nil {
			n.keep(&f)
			return nil
		}
		if !isAway(err) || time.Since(now) > n.pace.storing {
			return fmt.Errorf("store batch: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("store batch: %w", ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// isAway reports the errors of a database that may answer again in a moment.
func isAway(err error) bool {
	return fault.CodeOf(err) == fault.Unavailable && !errors.Is(err, context.Canceled)
}
