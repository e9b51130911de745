package all

import (
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// TestServersSendNoRequests makes sure that the OPC UA library finds no type
// for what only clients send: it would decode it without limits, or take the
// client for a server and end the program. It stands here because the tests of
// package opcua run a server in their process.
func TestServersSendNoRequests(t *testing.T) {
	t.Parallel()
	for _, request := range []uint32{id.OpenSecureChannelRequest_Encoding_DefaultBinary, id.ReadRequest_Encoding_DefaultBinary, id.CallResponse_Encoding_DefaultBinary} {
		header, err := ua.NewFourByteExpandedNodeID(0, uint16(request)).Encode()
		require.NoError(t, err)
		_, _, err = ua.DecodeService(append(header, make([]byte, 100)...))
		require.ErrorIs(t, err, ua.StatusBadServiceUnsupported)
	}
	require.NotZero(t, ua.ServiceTypeID(&ua.ReadRequest{}), "requests are still sent")
}
