package opcua

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// hostile is a server without security that answers as a test wants. answer
// returns nil for what it leaves to the plain answers.
type hostile struct {
	listener *uacp.Listener
	answer   func(ua.Request) ua.Response
	mu       sync.Mutex
	calls    map[string]int
}

func startHostile(t *testing.T, answer func(ua.Request) ua.Response) *hostile {
	t.Helper()
	host := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	listener, err := uacp.Listen(t.Context(), "opc.tcp://"+host+"/plant", nil)
	require.NoError(t, err)
	h := &hostile{listener: listener, answer: answer, calls: map[string]int{}}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept(context.Background())
			if err != nil {
				return
			}
			go h.serve(conn)
		}
	}()
	return h
}

func (h *hostile) host() string { return h.listener.Addr().String() }

func (h *hostile) called(request ua.Request) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[fmt.Sprintf("%T", request)]
}

func (h *hostile) serve(conn *uacp.Conn) {
	defer conn.Close()
	config := &uasc.Config{SecurityPolicyURI: ua.SecurityPolicyURINone, SecurityMode: ua.MessageSecurityModeNone, Lifetime: 3_600_000}
	channel, err := uasc.NewServerSecureChannel("", conn, config, make(chan error, 8), 1, 1, 1)
	if err != nil {
		return
	}
	for {
		message := channel.Receive(context.Background())
		if message.Err != nil {
			return
		}
		request := message.Request()
		if request == nil {
			continue
		}
		h.mu.Lock()
		h.calls[fmt.Sprintf("%T", request)]++
		h.mu.Unlock()
		response := h.answer(request)
		if response == nil {
			response = h.plain(request)
		}
		if response == nil {
			continue // no answer at all
		}
		response.SetHeader(&ua.ResponseHeader{Timestamp: time.Now(), RequestHandle: request.Header().RequestHandle,
			ServiceDiagnostics: &ua.DiagnosticInfo{}, StringTable: []string{}, AdditionalHeader: ua.NewExtensionObject(nil)})
		if err := channel.SendResponseWithContext(context.Background(), message.RequestID, response); err != nil {
			return
		}
	}
}

// plain answers as a decent server.
func (h *hostile) plain(request ua.Request) ua.Response {
	anonymous := []*ua.UserTokenPolicy{{PolicyID: "anonymous", TokenType: ua.UserTokenTypeAnonymous}}
	endpoint := &ua.EndpointDescription{EndpointURL: "opc.tcp://inner.example:4840", SecurityMode: ua.MessageSecurityModeNone, SecurityPolicyURI: ua.SecurityPolicyURINone,
		UserIdentityTokens: anonymous, Server: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("x")}}
	switch r := request.(type) {
	case *ua.GetEndpointsRequest:
		return &ua.GetEndpointsResponse{Endpoints: []*ua.EndpointDescription{endpoint}}
	case *ua.CreateSessionRequest:
		return &ua.CreateSessionResponse{SessionID: ua.NewNumericNodeID(1, 1), AuthenticationToken: ua.NewNumericNodeID(1, 2), RevisedSessionTimeout: 60_000,
			ServerEndpoints: []*ua.EndpointDescription{endpoint}, ServerSignature: &ua.SignatureData{}}
	case *ua.ActivateSessionRequest:
		return &ua.ActivateSessionResponse{}
	case *ua.CloseSessionRequest:
		return &ua.CloseSessionResponse{}
	case *ua.ReadRequest:
		answer := &ua.ReadResponse{}
		for range r.NodesToRead {
			answer.Results = append(answer.Results, value(time.Now()))
		}
		return answer
	case *ua.CreateSubscriptionRequest:
		return &ua.CreateSubscriptionResponse{SubscriptionID: 7, RevisedPublishingInterval: 100}
	case *ua.CreateMonitoredItemsRequest:
		answer := &ua.CreateMonitoredItemsResponse{}
		for range r.ItemsToCreate {
			answer.Results = append(answer.Results, &ua.MonitoredItemCreateResult{MonitoredItemID: 1, FilterResult: ua.NewExtensionObject(nil)})
		}
		return answer
	case *ua.SetPublishingModeRequest:
		return &ua.SetPublishingModeResponse{Results: []ua.StatusCode{ua.StatusOK}}
	default:
		return nil
	}
}

func value(v any) *ua.DataValue {
	d := &ua.DataValue{Value: ua.MustVariant(v), SourceTimestamp: time.Now(), ServerTimestamp: time.Now()}
	d.UpdateMask()
	return d
}

func references(n int) []*ua.ReferenceDescription {
	list := make([]*ua.ReferenceDescription, n)
	for i := range list {
		list[i] = &ua.ReferenceDescription{ReferenceTypeID: ua.NewNumericNodeID(0, 35), IsForward: true, NodeID: ua.NewNumericExpandedNodeID(1, uint32(i)),
			BrowseName: &ua.QualifiedName{Name: "x"}, DisplayName: ua.NewLocalizedText("x"), NodeClass: ua.NodeClassObject, TypeDefinition: ua.NewNumericExpandedNodeID(0, 58)}
	}
	return list
}

// TestHostileBrowsing meets endless pages and answers of the wrong shape.
func TestHostileBrowsing(t *testing.T) {
	t.Parallel()
	page := func(n int) *ua.BrowseResult {
		return &ua.BrowseResult{ContinuationPoint: []byte{1}, References: references(n)}
	}
	for name, c := range map[string]struct {
		browse, next ua.Response
		key          string
	}{
		"endless":       {&ua.BrowseResponse{Results: []*ua.BrowseResult{page(900)}}, &ua.BrowseNextResponse{Results: []*ua.BrowseResult{page(900)}}, connector.KeyTooLarge},
		"empty pages":   {&ua.BrowseResponse{Results: []*ua.BrowseResult{page(0)}}, &ua.BrowseNextResponse{Results: []*ua.BrowseResult{page(0)}}, connector.KeyProtocol},
		"no results":    {&ua.BrowseResponse{}, nil, connector.KeyProtocol},
		"many results":  {&ua.BrowseResponse{Results: []*ua.BrowseResult{page(1), page(1)}}, nil, connector.KeyProtocol},
		"no points":     {&ua.BrowseResponse{Results: []*ua.BrowseResult{{StatusCode: ua.StatusBadNoContinuationPoints}}}, nil, connector.KeyThrottled},
		"other service": {&ua.ReadResponse{}, nil, connector.KeyProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, func(request ua.Request) ua.Response {
				switch request.(type) {
				case *ua.BrowseRequest:
					return c.browse
				case *ua.BrowseNextRequest:
					return c.next
				}
				return nil
			})
			_, err := dial(t, h.host(), nil).Browse(t.Context(), "")
			require.Equal(t, c.key, connector.MessageKey(err), "%v", err)
			require.Less(t, h.called(&ua.BrowseNextRequest{}), 200)
		})
	}
}

func TestHostileReading(t *testing.T) {
	t.Parallel()
	short := startHostile(t, func(request ua.Request) ua.Response {
		if r, ok := request.(*ua.ReadRequest); ok && len(r.NodesToRead) == 2 {
			return &ua.ReadResponse{Results: []*ua.DataValue{value(1.0)}}
		}
		return nil
	})
	_, err := dial(t, short.host(), nil).Sample(t.Context(), []string{"ns=1;i=1", "ns=1;i=2"})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))

	clockless := startHostile(t, func(request ua.Request) ua.Response {
		if r, ok := request.(*ua.ReadRequest); ok {
			answer := &ua.ReadResponse{}
			for range r.NodesToRead {
				answer.Results = append(answer.Results, value("noon"))
			}
			return answer
		}
		return nil
	})
	_, err = dial(t, clockless.host(), nil).Sample(t.Context(), []string{"ns=1;i=1"})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))

	nowhere := startHostile(t, func(request ua.Request) ua.Response {
		if _, ok := request.(*ua.GetEndpointsRequest); ok {
			return &ua.GetEndpointsResponse{}
		}
		return nil
	})
	_, err = dial(t, nowhere.host(), nil).Sample(t.Context(), []string{"ns=1;i=1"})
	require.Equal(t, KeyNoEndpoint, connector.MessageKey(err))
}

// TestHostileArchive promises more values for ever: the same again, none, and
// always newer ones.
func TestHostileArchive(t *testing.T) {
	t.Parallel()
	until := time.Now()
	for name, values := range map[string]func(call int) []*ua.DataValue{
		"same": func(int) []*ua.DataValue { return []*ua.DataValue{at(until.Add(-time.Minute))} },
		"none": func(int) []*ua.DataValue { return nil },
		"new": func(call int) []*ua.DataValue {
			return []*ua.DataValue{at(until.Add(time.Duration(call-5000) * time.Second))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := 0
			h := startHostile(t, func(request ua.Request) ua.Response {
				if r, ok := request.(*ua.HistoryReadRequest); ok && !r.ReleaseContinuationPoints {
					call++
					return &ua.HistoryReadResponse{Results: []*ua.HistoryReadResult{{ContinuationPoint: []byte{1}, HistoryData: history(values(call))}}}
				}
				return nil
			})
			batch, err := dial(t, h.host(), nil).Backfill(t.Context(), connector.PollRequest{Tags: []string{"ns=1;i=1"}, Since: until.Add(-2 * time.Hour), Until: until, Limit: 100})
			require.NoError(t, err)
			require.Less(t, call, 200)
			if name == "new" {
				require.True(t, batch.More)
				require.Len(t, batch.Readings, 100)
				return
			}
			require.Equal(t, connector.NoticeRefusedTag, batch.Notices[0].Key, "the tag whose archive never ends is named")
		})
	}
}

func at(when time.Time) *ua.DataValue {
	d := &ua.DataValue{Value: ua.MustVariant(1.0), SourceTimestamp: when}
	d.UpdateMask()
	return d
}

func history(values []*ua.DataValue) *ua.ExtensionObject {
	return ua.NewExtensionObject(&ua.HistoryData{DataValues: values})
}

// TestHostileSubscription skips notifications, ends the subscription, names
// another one, and stops its clock.
func TestHostileSubscription(t *testing.T) {
	t.Parallel()
	publish := func(subscription, number uint32, data ...*ua.ExtensionObject) *ua.PublishResponse {
		return &ua.PublishResponse{SubscriptionID: subscription, NotificationMessage: &ua.NotificationMessage{SequenceNumber: number, PublishTime: time.Now(), NotificationData: data}}
	}
	change := ua.NewExtensionObject(&ua.DataChangeNotification{MonitoredItems: []*ua.MonitoredItemNotification{{ClientHandle: 4_000_000_000, Value: value(1.0)}}})
	for name, c := range map[string]struct {
		answers []*ua.PublishResponse
		key     string
	}{
		"a gap":     {[]*ua.PublishResponse{publish(7, 1, change), publish(7, 3, change)}, connector.KeySilent},
		"ended":     {[]*ua.PublishResponse{publish(7, 1, ua.NewExtensionObject(&ua.StatusChangeNotification{Status: ua.StatusBadTimeout, DiagnosticInfo: &ua.DiagnosticInfo{}}))}, connector.KeySilent},
		"another":   {[]*ua.PublishResponse{publish(8, 1, change)}, connector.KeyProtocol},
		"no clock":  {nil, connector.KeySilent},
		"not to be": {[]*ua.PublishResponse{publish(7, 4_294_967_295, change), publish(7, 2, change)}, connector.KeySilent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			number := uint32(0)
			h := startHostile(t, func(request ua.Request) ua.Response {
				if _, ok := request.(*ua.PublishRequest); !ok {
					return nil
				}
				number++
				if int(number) <= len(c.answers) {
					return c.answers[number-1]
				}
				time.Sleep(100 * time.Millisecond)
				return publish(7, number, change)
			})
			s := subscribe(t, dial(t, h.host(), nil), "ns=1;i=1")
			err := s.failure(t, 20*time.Second)
			require.Equal(t, c.key, connector.MessageKey(err), "%v", err)
		})
	}
}

// TestNotAServer meets a port that speaks another protocol, and one that says
// nothing.
func TestNotAServer(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]string{"another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n", "hangs up": "", "claims a huge message": "ACKF\xff\xff\xff\x7f"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte(say))
				_ = conn.Close()
			}
		}()
		_, err = dial(t, listener.Addr().String(), nil).Sample(t.Context(), []string{"ns=1;i=1"})
		require.Error(t, err, name)
		require.NotEqual(t, connector.KeyInternal, connector.MessageKey(err), "%s: %v", name, err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = dial(t, silent.Addr().String(), nil).Sample(ctx, []string{"ns=1;i=1"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
