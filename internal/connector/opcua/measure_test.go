package opcua

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := ua.Encode(v)
	require.NoError(t, err)
	return raw
}

// answers are messages of every shape that a connector reads.
func answers(t testing.TB) map[string]ua.Response {
	header := &ua.ResponseHeader{Timestamp: time.Now(), ServiceDiagnostics: &ua.DiagnosticInfo{EncodingMask: 0x7f, AdditionalInfo: "x", InnerDiagnosticInfo: &ua.DiagnosticInfo{}},
		StringTable: []string{"a", ""}, AdditionalHeader: ua.NewExtensionObject(nil)}
	var values []*ua.DataValue
	for _, v := range []any{true, int8(1), uint8(1), int16(1), uint16(1), int32(1), uint32(1), int64(1), uint64(1), float32(1), 1.0, "text", time.Now(),
		ua.NewGUID("09087e75-8e5e-499b-954f-f2a9603db28a"), []byte{1, 2}, ua.NewStringNodeID(1, "x"), ua.NewStringExpandedNodeID(1, "x"), ua.StatusBad,
		&ua.QualifiedName{Name: "x"}, ua.NewLocalizedText("x"), ua.NewExtensionObject(&ua.EUInformation{DisplayName: ua.NewLocalizedText("bar"), Description: ua.NewLocalizedText("")}),
		ua.MustVariant(1.0), &ua.DataValue{EncodingMask: 0x3f, Value: ua.MustVariant(1.0)}, []float64{1, 2, 3}, []string{"a", "b"}, [][]int32{{1, 2}, {3, 4}}, []float64{}} {
		values = append(values, value(v))
	}
	return map[string]ua.Response{
		"read":    &ua.ReadResponse{ResponseHeader: header, Results: values, DiagnosticInfos: []*ua.DiagnosticInfo{{}}},
		"browse":  &ua.BrowseResponse{ResponseHeader: header, Results: []*ua.BrowseResult{{References: references(3), ContinuationPoint: []byte{1}}}},
		"history": &ua.HistoryReadResponse{ResponseHeader: header, Results: []*ua.HistoryReadResult{{HistoryData: history(values)}, {HistoryData: ua.NewExtensionObject(nil)}}},
		"publish": &ua.PublishResponse{ResponseHeader: header, NotificationMessage: &ua.NotificationMessage{NotificationData: []*ua.ExtensionObject{
			ua.NewExtensionObject(&ua.DataChangeNotification{MonitoredItems: []*ua.MonitoredItemNotification{{Value: value(1.0)}}})}}},
	}
}

func TestHonestMessagesAreMeasured(t *testing.T) {
	t.Parallel()
	for name, a := range answers(t) {
		raw := encoded(t, a)
		require.NoError(t, measure(raw, a), name)
		for cut := range len(raw) {
			require.Error(t, measure(raw[:cut], a), "%s cut after %d of %d bytes", name, cut, len(raw))
		}
	}
}

func TestMessagesThatClaimTooMuchAreRefused(t *testing.T) {
	t.Parallel()
	header := encoded(t, &ua.ResponseHeader{ServiceDiagnostics: &ua.DiagnosticInfo{}, StringTable: []string{}, AdditionalHeader: ua.NewExtensionObject(nil)})
	one := []byte{1, 0, 0, 0} // one result
	for name, rest := range map[string][]byte{
		"results":          {0xff, 0xff, 0xff, 0x7f},
		"negative results": {0, 0, 0, 0x80},
		"negative array":   append(slices.Clone(one), 1, 0x80|11, 0, 0, 0, 0x80),
		"long array":       append(slices.Clone(one), 1, 0x80|11, 0xff, 0xff, 0, 0),
		"dimensions":       append(slices.Clone(one), 1, 0xC0|1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f),
		"many dimensions":  append(append(slices.Clone(one), 1, 0xC0|1, 1, 0, 0, 0, 1, 64, 0, 0, 0), bytes.Repeat([]byte{1, 0, 0, 0}, 64)...),
		"many variants":    append(append(slices.Clone(one), 1, 0x80|24, 0, 0, 0x20, 0), make([]byte, 1<<21)...),
		"unknown type":     append(slices.Clone(one), 1, 30),
		"nested variants":  append(append(slices.Clone(one), 1), bytes.Repeat([]byte{24}, 1<<20)...),
		"nested values":    append(slices.Clone(one), bytes.Repeat([]byte{1, 23}, 1<<20)...),
		"nested diagnoses": append(append(slices.Clone(one), 1, 25), bytes.Repeat([]byte{0x40}, 1<<20)...),
	} {
		require.Error(t, measure(append(slices.Clone(header), rest...), &ua.ReadResponse{}), name)
	}
}

// TestHostileAnswersEndInAFault sends over a real channel what would end the
// program in the library's decoder.
func TestHostileAnswersEndInAFault(t *testing.T) {
	t.Parallel()
	deep := ua.MustVariant(1.0)
	for range 100 {
		deep = ua.MustVariant(deep)
	}
	h := startHostile(t, func(request ua.Request) ua.Response {
		if r, ok := request.(*ua.ReadRequest); ok && len(r.NodesToRead) == 1 {
			return &ua.ReadResponse{Results: []*ua.DataValue{{EncodingMask: ua.DataValueValue, Value: deep}}}
		}
		return nil
	})
	_, err := dial(t, h.host(), nil).Sample(t.Context(), []string{"ns=1;i=1"})
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err), "%v", err)
}

// body is an answer as it arrives.
func body(t testing.TB, a ua.Response) []byte {
	return append(encoded(t, ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(a))), encoded(t, a)...)
}

// TestAnswersAreDecodedOrRefused decodes answers whole, cut, and as others.
func TestAnswersAreDecodedOrRefused(t *testing.T) {
	t.Parallel()
	all := answers(t)
	all["open"] = &ua.OpenSecureChannelResponse{ResponseHeader: all["read"].Header(), SecurityToken: &ua.ChannelSecurityToken{ChannelID: 1}, ServerNonce: []byte{1}}
	for name, a := range all {
		raw := body(t, a)
		into := reflect.New(reflect.TypeOf(a).Elem()).Interface().(ua.Response)
		require.NoError(t, decodeAnswer(raw, into), name)
		require.Equal(t, raw[4:], encoded(t, into), name)
		for cut := range len(raw) {
			require.Error(t, decodeAnswer(raw[:cut], into), "%s cut after %d of %d bytes", name, cut, len(raw))
		}
		require.Equal(t, connector.KeyProtocol, connector.MessageKey(decodeAnswer(raw, &ua.CloseSessionResponse{})), name)
	}
	request := encoded(t, ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(&ua.OpenSecureChannelRequest{})))
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(decodeAnswer(request, &ua.OpenSecureChannelResponse{})), "servers send no requests")
	header := *all["read"].Header()
	header.ServiceResult = ua.StatusBadTooManyOperations
	require.ErrorIs(t, decodeAnswer(body(t, &ua.ServiceFault{ResponseHeader: &header}), &ua.ReadResponse{}), ua.StatusBadTooManyOperations)
	header.ServiceResult = ua.StatusOK
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(decodeAnswer(body(t, &ua.ServiceFault{ResponseHeader: &header}), &ua.ReadResponse{})))
}

// FuzzMeasured decodes what was measured: the library has to take it without
// a panic.
func FuzzMeasured(f *testing.F) {
	for _, a := range answers(f) {
		f.Add(encoded(f, a))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, target := range []any{&ua.ReadResponse{}, &ua.BrowseResponse{}, &ua.HistoryReadResponse{}, &ua.PublishResponse{}, &ua.GetEndpointsResponse{}, &ua.OpenSecureChannelResponse{}} {
			if measure(raw, target) == nil {
				_, _ = ua.Decode(raw, target) // what it says is its own affair
			}
		}
	})
}
