package sap

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/testkit"
)

// behindProxy is a connector whose network a test can break.
func behindProxy(t *testing.T) (*saptest.Server, *testkit.FaultProxy, *SAPConnector) {
	t.Helper()
	server := saptest.New(t, time.Now())
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	proxy := testkit.NewFaultProxy(t, address.Host)
	return server, proxy, opened(t, "http://"+proxy.Address())
}

func TestAnOrderIsCreatedWithItsOperations(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL)
	order := draft("OPT-2026-0001")
	order.Title = strings.Repeat("ضاغط ", 12) // cut to 40 characters, not bytes
	created, err := c.CreateWorkOrder(t.Context(), order)
	require.NoError(t, err)
	require.Equal(t, connector.OrderOpen, created.State)
	require.InDelta(t, 3.5, created.Hours, 1e-9)
	require.Equal(t, saptest.EquipmentID(7), created.AssetID)
	require.NotEmpty(t, created.Version)
	require.Len(t, []rune(created.Title), 40)
	require.Equal(t, "1010", server.Order(created.ID, "MaintenancePlanningPlant"), "the planning plant is that of the equipment")
	require.Equal(t, "YA01", server.Order(created.ID, "MaintenanceOrderType"))
	require.Equal(t, "OPT-2026-0001", server.Order(created.ID, "AdditionalDeviceData"))

	location := draft("OPT-2026-0002")
	location.AssetID = "1010-ST01"
	created, err = c.CreateWorkOrder(t.Context(), location)
	require.NoError(t, err)
	require.Equal(t, "1010-ST01", created.AssetID)

	unknown := draft("OPT-2026-0003")
	unknown.AssetID = "no such object"
	_, err = c.CreateWorkOrder(t.Context(), unknown)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Equal(t, 2, server.Created())
}

func TestALostAnswerMakesNoSecondOrder(t *testing.T) {
	t.Parallel()
	server, proxy, c := behindProxy(t)
	server.AfterChange(proxy.Cut)
	created, err := c.CreateWorkOrder(t.Context(), draft("OPT-LOST-1"))
	require.NoError(t, err, "the order is found although its answer was lost")
	require.Equal(t, "OPT-LOST-1", created.Key)
	require.Equal(t, 1, server.Created())

	server.AfterChange(proxy.Refuse)
	_, err = c.CreateWorkOrder(t.Context(), draft("OPT-LOST-2"))
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
	proxy.Heal()
	again, err := c.CreateWorkOrder(t.Context(), draft("OPT-LOST-2"))
	require.NoError(t, err)
	require.Equal(t, "OPT-LOST-2", again.Key)
	require.Equal(t, 2, server.Created())
}

func TestALostAnswerToAChangeIsNoConflict(t *testing.T) {
	t.Parallel()
	server, proxy, c := behindProxy(t)
	created, err := c.CreateWorkOrder(t.Context(), draft("OPT-LOST-3"))
	require.NoError(t, err)
	start := created.PlannedStart.Add(48 * time.Hour)
	end := start.Add(2 * time.Hour)
	change := connector.WorkOrderChange{PlannedStart: &start, PlannedEnd: &end}
	server.AfterChange(proxy.Cut)
	moved, err := c.ChangeWorkOrder(t.Context(), created.ID, created.Version, change)
	require.NoError(t, err)
	require.True(t, moved.PlannedStart.Equal(start))

	// The caller that never heard of it tries again with the version it knows.
	moved, err = c.ChangeWorkOrder(t.Context(), created.ID, created.Version, change)
	require.NoError(t, err)
	require.True(t, moved.PlannedStart.Equal(start))
	require.NotEqual(t, created.Version, moved.Version)
}

func TestAnEndedSessionGetsANewToken(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL)
	_, err := c.CreateWorkOrder(t.Context(), draft("OPT-A"))
	require.NoError(t, err)
	_, err = c.CreateWorkOrder(t.Context(), draft("OPT-B"))
	require.NoError(t, err)
	require.Equal(t, 1, server.Tokens(), "one session, one token")
	server.EndSessions()
	_, err = c.CreateWorkOrder(t.Context(), draft("OPT-C"))
	require.NoError(t, err)
	require.Equal(t, 2, server.Tokens())
	require.Equal(t, 3, server.Created())

	// A token without its session is worth nothing, even a fresh one.
	c.client.Close()
	keeps := opened(t, server.URL)
	require.NoError(t, keeps.fetchToken(t.Context(), orderServiceWrites))
	stolen := opened(t, server.URL)
	stolen.token = keeps.token
	_, err = stolen.CreateWorkOrder(t.Context(), draft("OPT-D"))
	require.NoError(t, err, "the foreign token is replaced by one of its own")
	require.Equal(t, 4, server.Tokens())
}

func TestAnOrderChangedMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL)
	created, err := c.CreateWorkOrder(t.Context(), draft("OPT-E"))
	require.NoError(t, err)
	server.Change("MaintenanceOrder", created.ID, time.Now(), map[string]any{"MaintPriority": "1"})
	start := created.PlannedStart.Add(time.Hour)
	for _, change := range []connector.WorkOrderChange{{PlannedStart: &start}, {State: connector.OrderReleased}} {
		_, err = c.ChangeWorkOrder(t.Context(), created.ID, created.Version, change)
		require.Equal(t, fault.Conflict, fault.CodeOf(err))
		require.Equal(t, connector.KeyChanged, connector.MessageKey(err))
	}
	_, err = c.ChangeWorkOrder(t.Context(), created.ID, "", connector.WorkOrderChange{PlannedStart: &start})
	require.Equal(t, fault.Conflict, fault.CodeOf(err), "without a version nothing is changed")
	require.Equal(t, "CRTD MANC NMAT PRC", server.Order(created.ID, "SystemStatusText"))
}

func TestStatesAreReachedByActions(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL)
	order, err := c.CreateWorkOrder(t.Context(), draft("OPT-F"))
	require.NoError(t, err)
	start := order.PlannedStart.Add(time.Hour)
	order, err = c.ChangeWorkOrder(t.Context(), order.ID, order.Version, connector.WorkOrderChange{PlannedStart: &start, State: connector.OrderReleased})
	require.NoError(t, err, "both at once")
	require.True(t, start.Equal(order.PlannedStart))
	require.Equal(t, connector.OrderReleased, order.State)
	for _, state := range []string{connector.OrderOnHold, connector.OrderDone, connector.OrderClosed} {
		order, err = c.ChangeWorkOrder(t.Context(), order.ID, order.Version, connector.WorkOrderChange{State: state})
		require.NoError(t, err, state)
		require.Equal(t, state, order.State)
	}
	_, err = c.ChangeWorkOrder(t.Context(), order.ID, order.Version, connector.WorkOrderChange{State: connector.OrderReleased})
	require.Equal(t, KeyRefused, connector.MessageKey(err), "SAP's own checks have the say")
	require.True(t, connector.NeedsPerson(err))
	require.ErrorContains(t, err, "not allowed by the status")
	_, err = c.ChangeWorkOrder(t.Context(), order.ID, order.Version, connector.WorkOrderChange{State: connector.OrderInProgress})
	require.Equal(t, KeyState, connector.MessageKey(err))
	_, err = c.ChangeWorkOrder(t.Context(), "999999999999", "x", connector.WorkOrderChange{State: connector.OrderReleased})
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

func TestWhatCannotBeWrittenIsNotSent(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL)
	for name, spoil := range map[string]func(*connector.WorkOrderDraft){
		"key": func(d *connector.WorkOrderDraft) { d.Key = "a'b" }, "title": func(d *connector.WorkOrderDraft) { d.Title = "" },
		"asset": func(d *connector.WorkOrderDraft) { d.AssetID = "" }, "time": func(d *connector.WorkOrderDraft) { d.PlannedEnd = d.PlannedStart.Add(-time.Hour) },
	} {
		order := draft("OPT-G")
		spoil(&order)
		_, err := c.CreateWorkOrder(t.Context(), order)
		require.Equal(t, KeyDraft, connector.MessageKey(err), name)
	}
	reads := opened(t, server.URL, func(s connector.Config) { s["order_service"] = orderVersion1 })
	_, err := reads.CreateWorkOrder(t.Context(), draft("OPT-G"))
	require.Equal(t, KeyReadOnly, connector.MessageKey(err))
	_, err = reads.ChangeWorkOrder(t.Context(), "1", "x", connector.WorkOrderChange{})
	require.Equal(t, KeyReadOnly, connector.MessageKey(err))
	require.Empty(t, server.Requests())

	order := draft("OPT-G")
	order.Type = "XX99"
	_, err = c.CreateWorkOrder(t.Context(), order)
	require.Equal(t, KeyRefused, connector.MessageKey(err))
	require.ErrorContains(t, err, "IW/043: Order type XX99 is not defined")
	hidden := opened(t, server.URL, func(s connector.Config) { s["key_field"] = "SystemStatusText" })
	_, _, err = hidden.FindWorkOrder(t.Context(), "OPT-G")
	require.Equal(t, KeyRefused, connector.MessageKey(err), "the field cannot be filtered by")
	require.Zero(t, server.Created())
}

func TestTheSessionKeepsSecureCookiesAndForgetsEndedOnes(t *testing.T) {
	t.Parallel()
	s := &session{}
	s.SetCookies(nil, []*http.Cookie{{Name: "a", Value: "1", Secure: true}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}})
	s.SetCookies(nil, []*http.Cookie{{Name: "b", MaxAge: -1}})
	kept := s.Cookies(nil)
	require.Len(t, kept, 1)
	require.Equal(t, "a=3", kept[0].String())
	for i := range 100 {
		s.SetCookies(nil, []*http.Cookie{{Name: strings.Repeat("x", i+2), Value: "v"}})
	}
	require.Len(t, s.Cookies(nil), maxCookies)
}
