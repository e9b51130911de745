package opcua

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Times of a subscription.
const (
	canarySampling = 1000            // milliseconds between two values of the server's clock
	silentFor      = 6 * time.Second // beyond the publishing interval, without a sign of the server's clock
	keepAlive      = 3 * time.Second // a server without news says so
	lifetime       = 60 * time.Second
	settle         = time.Second     // a value may be seen a little later than it is dated
	signOfLife     = 2 * time.Second // between two batches without readings
	maxSkew        = 2 * time.Second
)

// notificationsPerPublish bounds one notification, so that it stays well
// within a message.
const notificationsPerPublish = 10_000

// Subscribe follows tags in a session of its own until ctx ends or the session
// cannot be trusted any more.
func (c *OPCUAConnector) Subscribe(ctx context.Context, request connector.SubscribeRequest, deliver connector.Deliver) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s, err := c.connect(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	defer s.close()
	var unkept error
	keep := func(ctx context.Context, b connector.Batch) error {
		unkept = deliver(ctx, b)
		return unkept
	}
	if c.settings.Mode == ModePoll {
		err = newFollower(c, s, request.Tags, keep).run(ctx)
	} else {
		err = newWatcher(c, s, request.Tags, keep).run(ctx)
	}
	if unkept != nil && ctx.Err() == nil {
		return unkept
	}
	return ended(ctx, err)
}

// ended turns the end of ctx into nil: the caller wanted it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return word(ctx, err)
}

// item is one tag of a subscription.
type item struct {
	tag     string
	node    *ua.NodeID
	id      uint32 // of the monitored item, zero while the server has none
	plain   bool   // without deadband: the server knows none for this node
	textual bool   // named as not numeric already
}

// watcher keeps one subscription.
type watcher struct {
	c         *OPCUAConnector
	s         *session
	deliver   connector.Deliver
	items     []item
	found     *notices
	id        uint32
	interval  time.Duration // of publishing, as the server revised it
	sampling  time.Duration // the longest that the server granted
	up        time.Time     // the server's clock when everything was subscribed
	watermark time.Time
	delivered time.Time // our clock at the last batch
	canary    time.Time // our clock when the server's clock arrived last
	clock     time.Time // the server's clock that arrived last
	sequence  uint32    // of the next notification, zero before the first
	missing   []int     // items that the server refused or lost
}

func newWatcher(c *OPCUAConnector, s *session, tags []string, deliver connector.Deliver) *watcher {
	w := &watcher{c: c, s: s, deliver: deliver, found: newNotices()}
	known, nodes := s.resolveAll(tags, w.found)
	w.items = make([]item, len(known))
	for i, tag := range known {
		w.items[i] = item{tag: tag, node: nodes[i]}
	}
	return w
}

// run subscribes and passes notifications on. Publishing starts when all items
// exist, so that the first batch can say from when on nothing is missed.
func (w *watcher) run(ctx context.Context) error {
	if err := w.create(ctx); err != nil {
		return fmt.Errorf("create subscription: %w", err)
	}
	published := make(chan publication, 4)
	go w.s.publish(ctx, published)
	if err := w.addCanary(ctx); err != nil {
		return fmt.Errorf("monitor the server's clock: %w", err)
	}
	all := make([]int, len(w.items))
	for i := range all {
		all[i] = i
	}
	var err error
	if _, w.missing, err = w.monitor(ctx, all); err != nil {
		return fmt.Errorf("monitor items: %w", err)
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	return w.watch(ctx, published)
}

// start takes the server's clock, switches publishing on and reports that the
// session is up.
func (w *watcher) start(ctx context.Context) error {
	now, err := w.s.clock(ctx)
	if err != nil {
		return err
	}
	answer, err := call[*ua.SetPublishingModeResponse](ctx, w.s.channel, &ua.SetPublishingModeRequest{PublishingEnabled: true, SubscriptionIDs: []uint32{w.id}})
	if err != nil {
		return fmt.Errorf("start publishing: %w", err)
	}
	if len(answer.Results) != 1 || bad(answer.Results[0]) {
		return failed(connector.KeySourceError, fmt.Errorf("start publishing: %v", answer.Results))
	}
	w.up, w.watermark = now.Truncate(time.Microsecond), now.Truncate(time.Microsecond)
	if w.s.skew.Abs() > maxSkew {
		w.found.add(connector.NoticeClockSkew)
	}
	w.canary = time.Now()
	return w.hand(ctx, nil)
}

// hand delivers a batch with what was noticed.
func (w *watcher) hand(ctx context.Context, readings []connector.Reading) error {
	now := time.Now()
	w.delivered = now
	return w.deliver(ctx, connector.Batch{Readings: readings, Notices: w.found.take(now), Watermark: w.watermark})
}

// watch passes notifications on until the session fails. The time that the
// caller takes for a batch does not count as silence of the server.
func (w *watcher) watch(ctx context.Context, published <-chan publication) error {
	retry := time.NewTicker(w.c.retry)
	defer retry.Stop()
	patience := silentFor + w.interval
	for {
		silence := time.NewTimer(patience)
		select {
		case <-ctx.Done():
			silence.Stop()
			return ctx.Err()
		case <-silence.C:
			return failed(connector.KeySilent, fmt.Errorf("no notification for %s", patience))
		case p := <-published:
			silence.Stop()
			if err := w.notify(ctx, p); err != nil {
				return err
			}
			if quiet := p.at.Sub(w.canary); quiet > patience {
				return failed(connector.KeySilent, fmt.Errorf("the server's clock stands still for %s", quiet.Round(time.Second)))
			}
		case <-retry.C:
			silence.Stop()
			if err := w.mend(ctx); err != nil {
				return fmt.Errorf("monitor items again: %w", err)
			}
		}
	}
}

// notify handles one answer to a publish request.
func (w *watcher) notify(ctx context.Context, p publication) error {
	if p.err != nil {
		return fmt.Errorf("publish: %w", p.err)
	}
	if err := w.inOrder(p.response); err != nil {
		return err
	}
	message := p.response.NotificationMessage
	var readings []connector.Reading
	for _, data := range message.NotificationData {
		if data == nil {
			continue
		}
		switch change := data.Value.(type) {
		case *ua.DataChangeNotification:
			for _, m := range change.MonitoredItems {
				readings = w.take(readings, m, p.at)
			}
		case *ua.StatusChangeNotification:
			return failed(connector.KeySilent, fmt.Errorf("the server ended the subscription: %w", change.Status))
		}
	}
	if !p.response.MoreNotifications {
		w.prove(message.PublishTime)
	}
	if len(readings) == 0 && time.Since(w.delivered) < signOfLife {
		return nil
	}
	return w.hand(ctx, readings)
}

// prove moves the watermark. What was queued before the server published is in
// its notifications, the last of which says that there are no more; a value is
// queued once it was sampled. Servers that do not date their notifications are
// taken by their clock, which is one of the values.
func (w *watcher) prove(published time.Time) {
	if !plausible(published) {
		published = w.clock
	}
	if t := published.Add(-settle - w.sampling).UTC().Truncate(time.Microsecond); t.After(w.watermark) {
		w.watermark = t
	}
}

// inOrder checks that no notification is missing. A keep-alive carries the
// number of the next notification.
func (w *watcher) inOrder(response *ua.PublishResponse) error {
	message := response.NotificationMessage
	if message == nil {
		return failed(connector.KeyProtocol, errors.New("publish: an answer without notification"))
	}
	if response.SubscriptionID != w.id {
		return failed(connector.KeyProtocol, fmt.Errorf("publish: notification of subscription %d, want %d", response.SubscriptionID, w.id))
	}
	number := message.SequenceNumber
	if w.sequence != 0 && number != w.sequence {
		return failed(connector.KeySilent, fmt.Errorf("publish: notification %d arrived, %d is missing", number, w.sequence))
	}
	w.sequence = number
	if len(message.NotificationData) == 0 {
		return nil
	}
	if number == math.MaxUint32 {
		number = 0
	}
	w.sequence = number + 1
	return nil
}

// take adds one changed value to the readings, or notes what it says of its
// item.
func (w *watcher) take(readings []connector.Reading, m *ua.MonitoredItemNotification, now time.Time) []connector.Reading {
	if m == nil || m.Value == nil {
		return readings
	}
	if m.ClientHandle == canaryHandle {
		if clock, err := clockOf(m.Value); err == nil {
			w.canary, w.clock = now, clock
		}
		return readings
	}
	i := int(m.ClientHandle) - firstHandle
	if i < 0 || i >= len(w.items) || w.items[i].id == 0 {
		return readings
	}
	it := &w.items[i]
	if unknownNode(m.Value.Status) {
		w.missing = append(w.missing, i)
	}
	if overflowed(m.Value.Status) && timeOf(m.Value, now).After(w.up) {
		w.found.add(connector.NoticeOverflow, it.tag)
	}
	if it.textual {
		return readings
	}
	r, ok := take(it.tag, m.Value, now, w.found)
	if !ok {
		_, number, present := numeric(m.Value.Value)
		it.textual = present && !number
		return readings
	}
	return append(readings, r)
}
