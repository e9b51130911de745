package opcua

import (
	"context"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// lookAfter is how often the server's clock is read while a follower waits for
// its next round.
const lookAfter = 5 * time.Second

// follower reads tags again and again, and passes on those whose source time
// is another than before.
type follower struct {
	s         *session
	deliver   connector.Deliver
	period    time.Duration
	tags      []string
	reads     []*ua.ReadValueID
	last      []time.Time // source time of the value passed on last
	state     []string    // notice under which a tag is out of order, empty when well
	found     *notices
	watermark time.Time
	delivered time.Time
}

func newFollower(c *OPCUAConnector, s *session, tags []string, deliver connector.Deliver) *follower {
	f := &follower{s: s, deliver: deliver, period: time.Duration(c.settings.Period * float64(time.Second)), found: newNotices()}
	known, nodes := s.resolveAll(tags, f.found)
	f.tags, f.last, f.state = known, make([]time.Time, len(known)), make([]string, len(known))
	for _, node := range nodes {
		f.reads = append(f.reads, valueOf(node))
	}
	return f
}

// run reads a round each period. The server's clock, read before a round, is
// the watermark after it.
func (f *follower) run(ctx context.Context) error {
	if f.s.skew.Abs() > maxSkew {
		f.found.add(connector.NoticeClockSkew)
	}
	next := time.Now()
	for first := true; ; first = false {
		clock, err := f.s.clock(ctx)
		if err != nil {
			return err
		}
		clock = clock.Truncate(time.Microsecond)
		if first {
			f.watermark = clock
			if err := f.hand(ctx, nil); err != nil {
				return err
			}
		}
		readings, err := f.round(ctx)
		if err != nil {
			return err
		}
		if clock.After(f.watermark) {
			f.watermark = clock
		}
		if err := f.hand(ctx, readings); err != nil {
			return err
		}
		if next = next.Add(f.period); next.Before(time.Now()) {
			next = time.Now()
		}
		if err := f.wait(ctx, next); err != nil {
			return err
		}
	}
}

// wait sleeps until the next round, and proves meanwhile that the session is
// alive.
func (f *follower) wait(ctx context.Context, next time.Time) error {
	for {
		timer := time.NewTimer(min(time.Until(next), lookAfter))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if !time.Now().Before(next) {
			return nil
		}
		if _, err := f.s.clock(ctx); err != nil {
			return err
		}
		if err := f.hand(ctx, nil); err != nil {
			return err
		}
	}
}

// round reads every tag once. A long round delivers on its way, so that the
// caller sees that it moves.
func (f *follower) round(ctx context.Context) ([]connector.Reading, error) {
	var readings []connector.Reading
	for from := 0; from < len(f.reads); {
		to := min(from+max(f.s.limits.read, 1), len(f.reads))
		values, err := f.s.read(ctx, f.reads[from:to])
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for k, v := range values {
			if r, changed := f.take(from+k, v, now); changed {
				readings = append(readings, r)
			}
		}
		if from = to; time.Since(f.delivered) > signOfLife && from < len(f.reads) {
			if err := f.hand(ctx, readings); err != nil {
				return nil, err
			}
			readings = nil
		}
	}
	return readings, nil
}

// take returns a value that is new, and names a tag whose state changed.
func (f *follower) take(i int, v *ua.DataValue, now time.Time) (connector.Reading, bool) {
	found := newNotices()
	r, ok := take(f.tags[i], v, now, found)
	state := ""
	if !ok {
		state = found.order[0]
	}
	if state != f.state[i] {
		if state == "" {
			state = connector.NoticeResubscribed
		}
		f.found.add(state, f.tags[i])
		if ok {
			state = ""
		}
		f.state[i] = state
	}
	if !ok || r.Time.Equal(f.last[i]) {
		return r, false
	}
	f.last[i] = r.Time
	return r, true
}

func (f *follower) hand(ctx context.Context, readings []connector.Reading) error {
	now := time.Now()
	f.delivered = now
	return f.deliver(ctx, connector.Batch{Readings: readings, Notices: f.found.take(now), Watermark: f.watermark})
}
