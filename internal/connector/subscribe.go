package connector

import (
	"context"
	"time"
)

// Subscriber keeps a session with the source and delivers what it reports, be
// it by subscription or by reading again and again. Subscribe returns nil when
// ctx ends, and an error when the session can no longer be trusted: it was
// cut, the source fell silent, the certificate is not the pinned one. It never
// repairs a session in place: the caller opens the connector anew, and fills
// what was missed through Backfiller.
//
// The first batch says that the session is up; its watermark is the moment
// from which on nothing is missed, and zero when nothing was missed since the
// session before: the source has kept it and delivers it now. Later batches have a watermark up to which
// everything that the source had was delivered; one without readings is a sign
// of life and comes at least every SignOfLife.
type Subscriber interface {
	Subscribe(ctx context.Context, request SubscribeRequest, deliver Deliver) error
}

// Deliver takes one batch over. When it returns an error the batch was not
// kept, and the subscription has to end with that error.
type Deliver func(ctx context.Context, batch Batch) error

// SubscribeRequest asks for the tags to follow. Unknown tags are named in the
// notices of a batch and do not hold up the others.
type SubscribeRequest struct {
	Tags []string
}

// SignOfLife is the longest time between two batches of a healthy
// subscription.
const SignOfLife = 10 * time.Second

// Receiver reads a message that the source has sent to the product, such as
// the body of a webhook or an uploaded file.
type Receiver interface {
	// Receive maps the content of one message to readings. What cannot be read
	// is named by line or path in Refused and does not hold up the rest. The
	// same message gives the same result.
	Receive(ctx context.Context, message Message) (Received, error)
}

// Message is one delivery of a source.
type Message struct {
	ContentType string
	Body        []byte
	ReceivedAt  time.Time
}

// Received is what a message held.
type Received struct {
	Readings []Reading
	Refused  []Refusal
}

// Refusal is one part of a message that could not be read.
type Refusal struct {
	Where string // line of a file, path in a document
	Key   string // message key of what is wrong
	Value string // the offending text, shortened
}
