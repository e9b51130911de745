package oracleeam

import (
	"fmt"
	"net"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
	"github.com/optria-iq/optria/internal/fault"
)

// connect opens a connector to a simulator that runs over HTTP.
func connect(t testing.TB, server *httptest.Server, change ...func(connector.Config)) *Connector {
	t.Helper()
	config := connector.Config{"base_url": server.URL, "username": oracleeamtest.User}
	for _, c := range change {
		c(config)
	}
	opened, err := connector.Open(Kind, config, connector.Secrets{"password": oracleeamtest.Password, "token": oracleeamtest.Token}, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened.(*Connector)
}

func seeded(t testing.TB, count int) (*oracleeamtest.Server, *httptest.Server) {
	simulator := oracleeamtest.New()
	simulator.Seed(count)
	return simulator, simulator.Start(t)
}

// assets reads all pages.
func assets(t *testing.T, c *Connector, request connector.RecordRequest) []connector.AssetRecord {
	t.Helper()
	var all []connector.AssetRecord
	for range 10_000 {
		page, err := c.ReadAssets(t.Context(), request)
		require.NoError(t, err)
		all = append(all, page.Records...)
		if request.Cursor = page.Cursor; page.Cursor == "" {
			return all
		}
	}
	require.Fail(t, "the pages do not end")
	return nil
}

func orders(t *testing.T, c *Connector, request connector.RecordRequest) []connector.WorkOrderRecord {
	t.Helper()
	var all []connector.WorkOrderRecord
	for range 10_000 {
		page, err := c.ReadWorkOrders(t.Context(), request)
		require.NoError(t, err)
		all = append(all, page.Records...)
		if request.Cursor = page.Cursor; page.Cursor == "" {
			return all
		}
	}
	require.Fail(t, "the pages do not end")
	return nil
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func TestAssetsHaveTheirPlaceInTheStructure(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*oracleeamtest.Server){
		"children as collections": func(*oracleeamtest.Server) {},
		"children as lists":       func(s *oracleeamtest.Server) { s.FlatChildren = true },
		"links name other hosts":  func(s *oracleeamtest.Server) { s.PublicHost = "https://inner.example" },
		"small pages":             func(s *oracleeamtest.Server) { s.Cap = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulator := oracleeamtest.New()
			change(simulator)
			simulator.Seed(130)
			all := assets(t, connect(t, simulator.Start(t)), connector.RecordRequest{})
			require.Len(t, all, 130)
			require.Equal(t, connector.AssetRecord{ID: id(oracleeamtest.AssetID(1)), Kind: connector.Equipment, Tag: "PMP-0001", Name: "Pump 1", Class: "PUMP-CENTRIFUGAL",
				Serial: "SN00001", Plant: "M1", ChangedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, all[0])
			below := 0
			for _, record := range all {
				if record.ParentID == id(oracleeamtest.AssetID(11)) {
					below++
				}
			}
			require.Equal(t, 9, below)
		})
	}
}

func TestAParentWithMoreChildrenThanAPage(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 60)
	var below []oracleeamtest.Row
	for i := 2; i <= 60; i++ {
		below = append(below, oracleeamtest.Row{"RelationshipId": i, "AssetId": oracleeamtest.AssetID(i)})
	}
	for i := 1; i <= 60; i += 10 {
		simulator.Touch(oracleeamtest.Assets, oracleeamtest.AssetID(i), oracleeamtest.Row{"relationships": []oracleeamtest.Row(nil)})
	}
	simulator.Touch(oracleeamtest.Assets, oracleeamtest.AssetID(1), oracleeamtest.Row{"relationships": below})
	for _, record := range assets(t, connect(t, server), connector.RecordRequest{}) {
		if record.ID != id(oracleeamtest.AssetID(1)) {
			require.Equal(t, id(oracleeamtest.AssetID(1)), record.ParentID)
		}
	}
	for _, record := range assets(t, connect(t, server, func(c connector.Config) { c["hierarchy"] = false }), connector.RecordRequest{}) {
		require.Empty(t, record.ParentID)
	}
}

func TestOnlyChangesAreRead(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 130)
	simulator.Touch(oracleeamtest.Assets, oracleeamtest.AssetID(5), oracleeamtest.Row{"LastUpdateDate": oracleeamtest.Stamp(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), "ActiveEndDate": "2026-03-31"})
	c := connect(t, server)
	changed := assets(t, c, connector.RecordRequest{Since: time.Date(2026, 4, 1, 8, 5, 0, 0, time.UTC)})
	require.Len(t, changed, 1, "a commit may be ten minutes later than its time")
	require.Equal(t, "PMP-0005", changed[0].Tag)
	require.True(t, changed[0].Inactive)
	require.Equal(t, id(oracleeamtest.AssetID(1)), changed[0].ParentID, "a change alone knows its place, too")
	require.Empty(t, assets(t, c, connector.RecordRequest{Since: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}))
}

func TestWritesBetweenPagesHideNoRow(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{2, 10, 50} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			simulator := oracleeamtest.New()
			same := oracleeamtest.Stamp(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
			for i := 1; i <= 300; i++ { // a mass update: all rows of one moment
				simulator.Put(oracleeamtest.WorkOrders, oracleeamtest.Row{"WorkOrderId": int64(i), "WorkOrderNumber": fmt.Sprint(i), "WorkOrderStatusCode": "ORA_RELEASED", "LastUpdateDate": same})
			}
			// Rows already delivered are changed while the reading goes on, so
			// that every later row moves to the left.
			next := int64(1)
			simulator.BeforePage = func(resource string, offset int) {
				if resource != oracleeamtest.WorkOrders || next > 120 {
					return
				}
				for range limit {
					if next <= 120 && int(next) < offset {
						simulator.Touch(oracleeamtest.WorkOrders, next, oracleeamtest.Row{"LastUpdateDate": oracleeamtest.Stamp(time.Date(2026, 3, 2, 0, 0, int(next), 0, time.UTC))})
						next++
					}
				}
			}
			server := simulator.Start(t)
			seen := map[string]int{}
			for _, record := range orders(t, connect(t, server), connector.RecordRequest{Limit: limit}) {
				seen[record.ID]++
			}
			require.Greater(t, next, int64(20), "rows moved during the reading")
			for i := int64(1); i <= 300; i++ {
				want := 1
				if i < next {
					want = 2 // once as it was, once as it became
				}
				require.Equal(t, want, seen[id(i)], "row %d", i)
			}
		})
	}
}

func TestStatesAndWordsOfOrders(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{"ORA_UNRELEASED": connector.OrderOpen, "ORA_RELEASED": connector.OrderReleased, "ORA_ON_HOLD": connector.OrderOnHold,
		"ORA_COMPLETED": connector.OrderDone, "ORA_CLOSED": connector.OrderClosed, "ORA_CANCELED": connector.OrderCancelled, "WAITING_FOR_PARTS": connector.OrderOpen} {
		require.Equal(t, want, orderRow{Status: text(status)}.state(), status)
	}
	require.Equal(t, connector.OrderOnHold, orderRow{Status: "WAITING_FOR_PARTS", SystemStatus: "ORA_ON_HOLD"}.state())
	require.Equal(t, connector.OrderInProgress, orderRow{Status: "ORA_RELEASED", ActualStart: date{time.Now()}}.state())
	_, server := seeded(t, 6)
	all := orders(t, connect(t, server, func(c connector.Config) { c["auth"] = "bearer" }), connector.RecordRequest{})
	require.Len(t, all, 6)
	require.NotEmpty(t, all[0].Version)
	all[0].Version = ""
	require.Equal(t, connector.WorkOrderRecord{ID: "300000400000001", Kind: connector.Order, Key: "WO-00001", Title: "Inspect pump 1", AssetID: id(oracleeamtest.AssetID(1)),
		Type: "PREVENTIVE", Priority: "2", State: connector.OrderReleased, SourceState: "ORA_RELEASED", PlannedStart: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		PlannedEnd: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), ChangedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, all[0])
	require.Empty(t, orders(t, connect(t, server, func(c connector.Config) { c["organization"] = "M2" }), connector.RecordRequest{}))
}

func TestOlderReleasesWithoutSomeAttributes(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 12)
	simulator.Missing = []string{"WorkOrderSystemStatusCode", "SerialNumber", "WorkOrderPriority"}
	c := connect(t, server)
	require.Len(t, orders(t, c, connector.RecordRequest{}), 12)
	require.Empty(t, assets(t, c, connector.RecordRequest{})[0].Serial)

	simulator.Missing = []string{"LastUpdateDate"}
	_, err := connect(t, server).ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
	require.ErrorContains(t, err, "LastUpdateDate")
}

func TestForeignCursorsAreRefused(t *testing.T) {
	t.Parallel()
	_, server := seeded(t, 3)
	c := connect(t, server)
	for _, text := range []string{"x", "!!", "e30", "bnVsbA", "eyJvZmZzZXQiOi0xfQ"} {
		_, err := c.ReadAssets(t.Context(), connector.RecordRequest{Cursor: text})
		require.Equal(t, fault.Invalid, fault.CodeOf(err), text)
	}
}
