package workflows

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// deliveriesType is the registered name of Deliveries, which works for the
// platform as Upkeep does.
const deliveriesType = "Deliveries"

// DeliveriesID is the id of the one schedule that sends events.
const DeliveriesID = "deliveries/platform"

// A turn of deliveries lasts nearly as long as the time to the next one, which
// begins when it has ended: so an event leaves within seconds, and a turn whose
// worker died is taken over.
const (
	deliveriesEvery  = time.Minute
	deliveriesTurn   = 55 * time.Second
	deliveriesWindow = time.Minute
)

// Deliveries is one turn of sending events to webhooks and by e-mail, for all
// tenants.
func Deliveries(ctx workflow.Context) (activities.Sent, error) {
	var a *activities.Deliver
	var sent activities.Sent
	err := workflow.ExecuteActivity(attend(ctx, "deliveries"), a.Deliver, deliveriesTurn).Get(ctx, &sent)
	return sent, err
}

// EnsureDeliverySchedule creates or updates the schedule of deliveries.
func (c *Client) EnsureDeliverySchedule(ctx context.Context) error {
	return c.ensure(ctx, recurring{id: DeliveriesID, every: deliveriesEvery, window: deliveriesWindow, wf: Deliveries,
		overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
}
