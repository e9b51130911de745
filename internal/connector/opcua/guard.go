package opcua

import (
	"fmt"
	"reflect"
	_ "unsafe" // for go:linkname

	"github.com/gopcua/opcua/ua"
)

// The library decodes what a server sends in a goroutine of its own, without
// limits: an array of negative length panics there, an array that claims to be
// long takes all memory, deep nesting the stack, and a request to open a
// channel is taken for that of a client. Each ends the whole program and cannot
// be caught from outside. The decoder finds the types of messages in this
// registry alone, so answers that this product reads are replaced in it by ones
// that are measured first, and everything else is taken out. The one message
// that stays as it is, because the library itself reads it, is the answer that
// opens a channel. What the library does before it decodes, putting chunks
// together and decrypting them, is beyond this guard.
//
//go:linkname services github.com/gopcua/opcua/ua.svcreg
var services *ua.TypeRegistry

// decodable returns the map by which the library finds the type of a message
// that arrives; the map by which it finds the id of one to send is another.
func decodable() map[string]reflect.Type {
	field := reflect.ValueOf(services).Elem().FieldByName("types")
	if !field.IsValid() || field.Type() != reflect.TypeFor[map[string]reflect.Type]() {
		panic(fmt.Sprintf("opcua: the registry of the library is another than this product knows: %T", services))
	}
	return *(*map[string]reflect.Type)(field.Addr().UnsafePointer())
}

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

// guarded notes that answers of one type are to be measured.
func guarded[S any, P answer[S]](guards map[reflect.Type]reflect.Type) {
	guards[reflect.TypeFor[P]()] = reflect.TypeFor[*measured[S, P]]()
}

func init() {
	guards := map[reflect.Type]reflect.Type{}
	for _, note := range []func(map[reflect.Type]reflect.Type){
		guarded[ua.ServiceFault], guarded[ua.GetEndpointsResponse], guarded[ua.CreateSessionResponse], guarded[ua.ActivateSessionResponse],
		guarded[ua.CloseSessionResponse], guarded[ua.ReadResponse], guarded[ua.BrowseResponse], guarded[ua.BrowseNextResponse],
		guarded[ua.HistoryReadResponse], guarded[ua.CreateSubscriptionResponse], guarded[ua.SetPublishingModeResponse],
		guarded[ua.CreateMonitoredItemsResponse], guarded[ua.DeleteMonitoredItemsResponse], guarded[ua.PublishResponse],
	} {
		note(guards)
	}
	types := decodable()
	for id, known := range types {
		guard, measures := guards[known]
		switch {
		case measures:
			types[id] = guard
		case known != reflect.TypeFor[*ua.OpenSecureChannelResponse]():
			delete(types, id)
		}
	}
}
