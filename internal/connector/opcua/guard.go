package opcua

import (
	_ "unsafe" // for go:linkname

	"github.com/gopcua/opcua/ua"
)

// The library decodes what a server sends in a goroutine of its own, without
// limits: an array of negative length panics there, an array that claims to be
// long takes all memory, deep nesting the stack. Each ends the whole program
// and cannot be caught from outside. The decoder finds the types of answers in
// this registry alone, so it is replaced by one whose answers are measured
// before the library decodes them.
//
//go:linkname services github.com/gopcua/opcua/ua.svcreg
var services *ua.TypeRegistry

// measured is an answer that is measured before it is decoded.
type measured[S any, P answer[S]] struct {
	Answer S
}

// answer is the pointer to a type of answers.
type answer[S any] interface {
	*S
	ua.Response
}

// Decode implements the decoder of the library.
func (m *measured[S, P]) Decode(b []byte) (int, error) {
	if err := measure(b, &m.Answer); err != nil {
		return 0, err
	}
	return ua.Decode(b, &m.Answer)
}

// Header returns the header of the answer.
func (m *measured[S, P]) Header() *ua.ResponseHeader { return P(&m.Answer).Header() }

// SetHeader replaces the header of the answer.
func (m *measured[S, P]) SetHeader(h *ua.ResponseHeader) { P(&m.Answer).SetHeader(h) }

func (m *measured[S, P]) decoded() ua.Response { return P(&m.Answer) }

// guarded registers answers of one type to be measured.
func guarded[S any, P answer[S]](from, to *ua.TypeRegistry) {
	if err := to.Register(from.Lookup(P(new(S))), &measured[S, P]{}); err != nil {
		panic(err)
	}
}

func init() {
	guards := ua.NewTypeRegistry()
	for _, spoken := range []any{
		&ua.OpenSecureChannelRequest{}, &ua.OpenSecureChannelResponse{}, &ua.CloseSecureChannelRequest{}, &ua.GetEndpointsRequest{},
		&ua.CreateSessionRequest{}, &ua.ActivateSessionRequest{}, &ua.CloseSessionRequest{}, &ua.ReadRequest{}, &ua.BrowseRequest{},
		&ua.BrowseNextRequest{}, &ua.HistoryReadRequest{}, &ua.CreateSubscriptionRequest{}, &ua.SetPublishingModeRequest{},
		&ua.CreateMonitoredItemsRequest{}, &ua.DeleteMonitoredItemsRequest{}, &ua.PublishRequest{},
	} {
		if err := guards.Register(services.Lookup(spoken), spoken); err != nil {
			panic(err)
		}
	}
	guarded[ua.ServiceFault](services, guards)
	guarded[ua.GetEndpointsResponse](services, guards)
	guarded[ua.CreateSessionResponse](services, guards)
	guarded[ua.ActivateSessionResponse](services, guards)
	guarded[ua.CloseSessionResponse](services, guards)
	guarded[ua.ReadResponse](services, guards)
	guarded[ua.BrowseResponse](services, guards)
	guarded[ua.BrowseNextResponse](services, guards)
	guarded[ua.HistoryReadResponse](services, guards)
	guarded[ua.CreateSubscriptionResponse](services, guards)
	guarded[ua.SetPublishingModeResponse](services, guards)
	guarded[ua.CreateMonitoredItemsResponse](services, guards)
	guarded[ua.DeleteMonitoredItemsResponse](services, guards)
	guarded[ua.PublishResponse](services, guards)
	services = guards
}
