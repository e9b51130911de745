package opcua

import (
	"fmt"

	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// decodeAnswer decodes the body of an answer into one of the type that is
// expected. A fault of the service is an error with its ua.StatusCode.
//
// The library decodes without limits: an array of negative length panics, one
// that claims to be long takes all memory, deep nesting the stack. So a body is
// measured first, and what panics nevertheless is a fault of the peer.
func decodeAnswer(body []byte, answer ua.Response) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = failed(connector.KeyProtocol, fmt.Errorf("decode %T: %v", answer, r))
		}
	}()
	id := &ua.ExpandedNodeID{}
	n, err := id.Decode(body)
	if err != nil {
		return failed(connector.KeyProtocol, fmt.Errorf("type of an answer: %w", err))
	}
	into := answer
	switch kind := id.NodeID.IntID(); {
	case id.NodeID.Namespace() != 0:
		return failed(connector.KeyProtocol, fmt.Errorf("answer of type %v in place of %T", id.NodeID, answer))
	case kind == uint32(ua.ServiceTypeID(&ua.ServiceFault{})):
		into = &ua.ServiceFault{}
	case kind != uint32(ua.ServiceTypeID(answer)):
		return failed(connector.KeyProtocol, fmt.Errorf("answer of type %v in place of %T", id.NodeID, answer))
	}
	if err := measure(body[n:], into); err != nil {
		return err
	}
	if _, err := ua.Decode(body[n:], into); err != nil {
		return failed(connector.KeyProtocol, fmt.Errorf("decode %T: %w", into, err))
	}
	switch status := into.Header().ServiceResult; {
	case status != ua.StatusOK:
		return status
	case into != answer:
		return failed(connector.KeyProtocol, fmt.Errorf("fault without a status in place of %T", answer))
	}
	return nil
}
