package opcua

import (
	"context"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Client handles: the canary has the first, item i has firstHandle + i.
const (
	canaryHandle = 1
	firstHandle  = 2
)

// deadbandAbsolute is the type of deadband in the unit of the value,
// OPC 10000-4 7.22.2.
const deadbandAbsolute = 1

// create makes the subscription, not publishing yet.
func (w *watcher) create(ctx context.Context) error {
	publishing := time.Duration(w.c.settings.Publishing) * time.Millisecond
	alive := max(1, uint32(keepAlive/publishing))
	answer, err := call[*ua.CreateSubscriptionResponse](ctx, w.s.channel, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: w.c.settings.Publishing,
		RequestedMaxKeepAliveCount:  alive,
		RequestedLifetimeCount:      max(3*alive, uint32(lifetime/publishing)),
		MaxNotificationsPerPublish:  notificationsPerPublish,
	})
	if err != nil {
		return err
	}
	w.id = answer.SubscriptionID
	w.interval = min(time.Duration(answer.RevisedPublishingInterval*float64(time.Millisecond)), lifetime)
	return nil
}

// addCanary monitors the server's clock, which changes whatever the plant
// does.
func (w *watcher) addCanary(ctx context.Context) error {
	answer, err := w.createItems(ctx, []*ua.MonitoredItemCreateRequest{monitored(clockNode(), canaryHandle, canarySampling, 1, nil)})
	if err != nil {
		return err
	}
	if status := answer[0].StatusCode; bad(status) {
		return failed(keyOf(status), status)
	}
	return nil
}

func monitored(node *ua.NodeID, handle uint32, sampling float64, queue uint32, filter *ua.ExtensionObject) *ua.MonitoredItemCreateRequest {
	return &ua.MonitoredItemCreateRequest{
		ItemToMonitor:  valueOf(node),
		MonitoringMode: ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{
			ClientHandle: handle, SamplingInterval: sampling, QueueSize: queue, DiscardOldest: true, Filter: filter,
		},
	}
}

func (w *watcher) createItems(ctx context.Context, items []*ua.MonitoredItemCreateRequest) ([]*ua.MonitoredItemCreateResult, error) {
	answer, err := call[*ua.CreateMonitoredItemsResponse](ctx, w.s.channel, &ua.CreateMonitoredItemsRequest{
		SubscriptionID: w.id, TimestampsToReturn: ua.TimestampsToReturnBoth, ItemsToCreate: items,
	})
	if err != nil {
		return nil, err
	}
	return answer.Results, counted(len(answer.Results), len(items))
}

// monitor creates items in chunks. It returns those that the server has now,
// and those that it refused; the latter are named.
func (w *watcher) monitor(ctx context.Context, which []int) (made, missing []int, err error) {
	var again []int
	err = inChunks(len(which), &w.s.limits.monitor, func(from, to int) error {
		requests := make([]*ua.MonitoredItemCreateRequest, 0, to-from)
		for _, i := range which[from:to] {
			requests = append(requests, w.request(i))
		}
		results, err := w.createItems(ctx, requests)
		if err != nil {
			return err
		}
		for k, i := range which[from:to] {
			switch {
			case w.accept(i, results[k]):
				made = append(made, i)
			case w.withoutFilter(i, results[k].StatusCode):
				again = append(again, i)
			default:
				missing = append(missing, i)
			}
		}
		return nil
	})
	if err != nil || len(again) == 0 {
		return made, missing, err
	}
	also, refused, err := w.monitor(ctx, again)
	return append(made, also...), append(missing, refused...), err
}

func (w *watcher) request(i int) *ua.MonitoredItemCreateRequest {
	var filter *ua.ExtensionObject
	if w.c.settings.Deadband > 0 && !w.items[i].plain {
		filter = ua.NewExtensionObject(&ua.DataChangeFilter{
			Trigger: ua.DataChangeTriggerStatusValue, DeadbandType: deadbandAbsolute, DeadbandValue: w.c.settings.Deadband,
		})
	}
	return monitored(w.items[i].node, uint32(i+firstHandle), w.c.settings.Sampling, w.c.settings.QueueSize, filter)
}

// accept takes the result of one item, and names the item when it is refused.
func (w *watcher) accept(i int, r *ua.MonitoredItemCreateResult) bool {
	it := &w.items[i]
	if bad(r.StatusCode) {
		return false
	}
	it.id = r.MonitoredItemID
	if sampling := time.Duration(r.RevisedSamplingInterval * float64(time.Millisecond)); sampling > w.sampling {
		w.sampling = min(sampling, time.Hour)
	}
	return true
}

// withoutFilter reports that an item is to be tried again without deadband;
// what is refused for another reason is named.
func (w *watcher) withoutFilter(i int, status ua.StatusCode) bool {
	it := &w.items[i]
	switch status {
	case ua.StatusBadMonitoredItemFilterUnsupported, ua.StatusBadFilterNotAllowed, ua.StatusBadMonitoredItemFilterInvalid, ua.StatusBadDeadbandFilterInvalid:
		if !it.plain && w.c.settings.Deadband > 0 {
			it.plain = true
			return true
		}
	}
	if unknownNode(status) {
		w.found.add(connector.NoticeUnknownTag, it.tag)
	} else {
		w.found.add(connector.NoticeRefusedTag, it.tag)
	}
	return false
}

// mend asks again for the items that the server does not have. Those that it
// has now are named as back; those still missing were named before.
func (w *watcher) mend(ctx context.Context) error {
	if len(w.missing) == 0 {
		return nil
	}
	if err := w.forget(ctx); err != nil {
		return err
	}
	before := w.found
	w.found = newNotices()
	made, missing, err := w.monitor(ctx, w.missing)
	w.found, w.missing = before, missing
	for _, i := range made {
		w.found.add(connector.NoticeResubscribed, w.items[i].tag)
	}
	return err
}

// forget deletes the items whose node vanished: they would stay dead when it
// comes back.
func (w *watcher) forget(ctx context.Context) error {
	var ids []uint32
	for _, i := range w.missing {
		if id := w.items[i].id; id != 0 {
			ids = append(ids, id)
			w.items[i].id = 0
		}
	}
	return inChunks(len(ids), &w.s.limits.monitor, func(from, to int) error {
		_, err := call[*ua.DeleteMonitoredItemsResponse](ctx, w.s.channel, &ua.DeleteMonitoredItemsRequest{SubscriptionID: w.id, MonitoredItemIDs: ids[from:to]})
		if err != nil {
			return fmt.Errorf("delete items: %w", err)
		}
		return nil
	})
}
