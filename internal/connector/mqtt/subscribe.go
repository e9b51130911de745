package mqtt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Sizes and times of batches.
const (
	flushEvery = 200 * time.Millisecond
	flushAt    = 5000 // readings
	lifeEvery  = 4 * time.Second
	maxNoted   = 10_000 // notices that are given once

	keptWithin = time.Second // for the first message of a session that is resumed
)

// Subscribe follows the broker under the stored client id until ctx or the
// connection ends. A message is acknowledged after the batch with its readings
// was kept, so whatever happens in between, the broker still has it.
func (c *MQTTConnector) Subscribe(ctx context.Context, request connector.SubscribeRequest, deliver connector.Deliver) error {
	wanted := make(map[string]bool, len(request.Tags))
	for _, tag := range request.Tags {
		wanted[tag] = true
	}
	s, err := c.connect(ctx, signIn{clientID: c.clientID(), expiry: time.Duration(c.settings.ExpirySeconds) * time.Second})
	if err == nil {
		defer s.end()
		err = s.subscribe(ctx, c.format.filters())
	}
	if err == nil {
		f := follower{session: s, reader: c.format.newReader(wanted), deliver: deliver, noted: map[string]bool{}, reached: time.Now().UTC(),
			keeps: s.resumed && c.settings.Payload != Sparkplug} // Sparkplug sends its data without a quality of service
		err = f.run(ctx)
	}
	if ctx.Err() != nil {
		return nil // the end that the caller wants
	}
	return err
}

// clientID is the stored one, or one that depends on the settings alone.
func (c *MQTTConnector) clientID() string {
	if c.settings.ClientID != "" {
		return c.settings.ClientID
	}
	sum := sha256.Sum256([]byte(c.settings.address() + "\x00" + c.settings.User + "\x00" + c.settings.Payload + "\x00" + c.settings.Group + "\x00" + c.settings.Topics))
	return "optria-" + hex.EncodeToString(sum[:8])
}

// follower gathers what a session brings into batches.
type follower struct {
	session  *session
	reader   reader
	deliver  connector.Deliver
	readings []connector.Reading
	notices  []connector.Notice
	acks     []message
	noted    map[string]bool
	told     time.Time // of the last batch
	reached  time.Time // the last watermark
	keeps    bool      // the broker may have kept what was sent since the last session
}

func (f *follower) run(ctx context.Context) error {
	if err := f.begin(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-f.session.failed:
			return f.leave(ctx, err)
		case m := <-f.session.inbox:
			if err := f.take(ctx, m); err != nil {
				return err
			}
		case now := <-tick.C:
			if err := f.beat(ctx, now); err != nil {
				return err
			}
		}
	}
}

// begin delivers the first batch. Nothing was missed when the broker had the
// session and the first message is of those that it keeps: these come before
// any other. When none comes, nobody can tell.
func (f *follower) begin(ctx context.Context) error {
	if !f.keeps {
		return f.flush(ctx)
	}
	select {
	case m := <-f.session.inbox:
		if m.kept {
			f.told = time.Now()
			if err := f.deliver(ctx, connector.Batch{}); err != nil {
				return fmt.Errorf("deliver readings: %w", err)
			}
		} else if err := f.flush(ctx); err != nil {
			return err
		}
		return f.take(ctx, m)
	case err := <-f.session.failed:
		return f.leave(ctx, err)
	case <-time.After(keptWithin):
		return f.flush(ctx)
	case <-ctx.Done():
		return nil
	}
}

// leave delivers what arrived before the session failed. Acknowledgements may
// not reach the broker any more: it sends those messages again.
func (f *follower) leave(ctx context.Context, cause error) error {
	for {
		select {
		case m := <-f.session.inbox:
			f.add(f.reader.read(m), m)
		default:
			if len(f.readings) == 0 {
				return cause
			}
			return errors.Join(cause, f.flush(ctx))
		}
	}
}

// take reads one message.
func (f *follower) take(ctx context.Context, m message) error {
	pending := []message{m}
	for len(pending) > 0 {
		next := pending[0]
		out := f.reader.read(next)
		pending = append(pending[1:], out.released...)
		f.add(out, next)
		if err := f.session.send(ctx, out.commands); err != nil {
			return err
		}
		if len(f.readings) >= flushAt || len(f.acks) >= unacked/2 {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// add puts what a message gave into the next batch.
func (f *follower) add(out outcome, m message) {
	f.readings = append(f.readings, out.readings...)
	if !out.held {
		f.acks = append(f.acks, m)
	}
	f.acks = append(f.acks, out.spoiled...)
	for _, n := range out.notices {
		key := fmt.Sprint(n.Key, n.Tags)
		if len(f.noted) < maxNoted && !f.noted[key] {
			f.noted[key] = true
			f.notices = append(f.notices, n)
		}
	}
}

// beat flushes what is there, looks after messages that wait, and shows that
// the session lives, as long as the broker does.
func (f *follower) beat(ctx context.Context, now time.Time) error {
	if silent := now.Sub(f.session.wire.lastHeard()); silent > silentAfter {
		return connector.Failed(connector.KeySilent, fmt.Errorf("nothing from the broker for %s", silent.Round(time.Second)))
	}
	out := f.reader.overdue(now)
	f.notices = append(f.notices, out.notices...)
	f.acks = append(f.acks, out.spoiled...)
	if len(f.readings)+len(f.notices)+len(f.acks) == 0 && now.Sub(f.told) < lifeEvery {
		return nil
	}
	return f.flush(ctx)
}

// flush delivers a batch and then acknowledges its messages, in their order.
func (f *follower) flush(ctx context.Context) error {
	if heard := f.session.wire.lastHeard().UTC().Truncate(time.Microsecond); len(f.session.inbox) == 0 && heard.After(f.reached) {
		f.reached = heard
	}
	batch := connector.Batch{Readings: f.readings, Notices: f.notices, Watermark: f.reached}
	if len(f.readings)+len(f.notices) > 0 || time.Since(f.told) >= lifeEvery {
		if err := f.deliver(ctx, batch); err != nil {
			return fmt.Errorf("deliver readings: %w", err)
		}
		f.told = time.Now()
	}
	for _, m := range f.acks {
		if err := m.ack(); err != nil {
			return connector.Unreachable(fmt.Errorf("acknowledge: %w", err))
		}
	}
	f.readings, f.notices, f.acks = nil, nil, nil
	return nil
}
