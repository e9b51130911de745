package opcua

import (
	"context"
	"time"

	"github.com/gopcua/opcua/ua"
)

// publication is one answer to a publish request, or the error that ended the
// publishing.
type publication struct {
	response *ua.PublishResponse
	at       time.Time
	err      error
}

// publish asks for notifications, one request at a time so that their order is
// that of the server, until ctx or the session ends. While nobody takes what
// arrived it asks for no more, and the server keeps its queues.
func (s *session) publish(ctx context.Context, out chan<- publication) {
	request := &ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{}}
	for {
		response, err := call[*ua.PublishResponse](ctx, s.channel, request)
		select {
		case out <- publication{response: response, at: time.Now(), err: err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		request = &ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{}}
		if message := response.NotificationMessage; message != nil && len(message.NotificationData) > 0 {
			request.SubscriptionAcknowledgements = append(request.SubscriptionAcknowledgements,
				&ua.SubscriptionAcknowledgement{SubscriptionID: response.SubscriptionID, SequenceNumber: message.SequenceNumber})
		}
	}
}
