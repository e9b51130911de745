package sap

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
)

// assets reads all pages; between two pages it runs between, if any.
func assets(t *testing.T, c *SAPConnector, request connector.RecordRequest, between func(page int)) map[string]connector.AssetRecord {
	t.Helper()
	found := map[string]connector.AssetRecord{}
	for page := 0; ; page++ {
		read, err := c.ReadAssets(t.Context(), request)
		require.NoError(t, err)
		for _, r := range read.Records {
			require.NotContains(t, found, r.ID)
			found[r.ID] = r
		}
		if read.Cursor == "" {
			return found
		}
		request.Cursor = read.Cursor
		if between != nil {
			between(page)
		}
	}
}

func orders(t *testing.T, c *SAPConnector, request connector.RecordRequest) map[string]connector.WorkOrderRecord {
	t.Helper()
	found := map[string]connector.WorkOrderRecord{}
	for {
		read, err := c.ReadWorkOrders(t.Context(), request)
		require.NoError(t, err)
		for _, r := range read.Records {
			found[r.ID] = r
		}
		if request.Cursor = read.Cursor; read.Cursor == "" {
			return found
		}
	}
}

func TestAllAssetsAreReadWithTheirPlace(t *testing.T) {
	t.Parallel()
	epoch := time.Now()
	server := saptest.New(t, epoch)
	server.PageSize(30) // smaller than what is asked for: the server pages too
	found := assets(t, opened(t, server.URL), connector.RecordRequest{}, nil)
	require.Len(t, found, saptest.Locations+saptest.Equipment, "former periods of use are not read")
	pump := found[saptest.EquipmentID(25)]
	require.Equal(t, "000000000010000025", pump.ID)
	require.Equal(t, saptest.EquipmentID(24), pump.ParentID, "what is built into equipment lies below it")
	require.Equal(t, "P-025", pump.Tag)
	require.Equal(t, []string{"Pump 25", "PUMP", "Example Pumps", "EP-200", "SN000025", "1010", "10101301", "B", "SAR"},
		[]string{pump.Name, pump.Class, pump.Manufacturer, pump.Model, pump.Serial, pump.Plant, pump.CostCenter, pump.Criticality, pump.AcquisitionIn})
	require.Greater(t, pump.Acquisition, 9999.0)
	require.Equal(t, epoch.UTC().AddDate(-2, 0, -25).Truncate(24*time.Hour), pump.InstalledOn)
	require.Equal(t, "1010-ST02", found[saptest.EquipmentID(1)].ParentID, "other equipment lies below its location")
	require.Equal(t, "1010", found["1010-ST02"].ParentID)
	require.Equal(t, connector.FunctionalLocation, found["1010-ST02"].Kind)
	require.True(t, found[saptest.EquipmentID(50)].Inactive)
	require.True(t, found[saptest.EquipmentID(10)].ChangedAt.IsZero())
	for _, request := range server.Requests() {
		require.Contains(t, request, "sap-client=100", "also where the link to the next page leaves it out")
		require.Contains(t, request, "sap-language=EN")
		require.NotContains(t, request, "+")
	}
}

func TestReadingMissesNothingWhileRecordsComeAndGo(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	server.PageSize(5000)
	c := opened(t, server.URL, func(s connector.Config) { s["page_size"] = 20.0 })
	gone := 0
	found := assets(t, c, connector.RecordRequest{}, func(page int) {
		if page >= 4 && gone < 5 { // what was read already goes: counted pages would skip others
			gone++
			server.Remove("Equipment", saptest.EquipmentID(gone))
		}
	})
	require.Len(t, found, saptest.Locations+saptest.Equipment)
}

func TestADeltaReadsWhatWasChangedOrCreated(t *testing.T) {
	t.Parallel()
	epoch := time.Now().UTC()
	server := saptest.New(t, epoch)
	c := opened(t, server.URL)
	since := epoch.Add(-5*time.Hour + time.Second).Truncate(time.Second)
	found := assets(t, c, connector.RecordRequest{Since: since}, nil)
	require.Len(t, found, 1+4, "one location within five hours, and equipment 1 to 4")
	require.NotContains(t, found, saptest.EquipmentID(10), "never changed: only a full reading has it")
	server.AddEquipment("000000000020000001", "P-900", epoch)
	require.Contains(t, assets(t, c, connector.RecordRequest{Since: since}, nil), "000000000020000001", "created since, never changed")
	require.Less(t, len(orders(t, c, connector.RecordRequest{Since: since})), 10)
}

func TestOnlyTheChosenPlantsAreRead(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	server.Change("Equipment", saptest.EquipmentID(1), time.Now(), map[string]any{"MaintenancePlant": "2020"})
	server.Change("Equipment", saptest.EquipmentID(2), time.Now(), map[string]any{"MaintenancePlant": "3030"})
	found := assets(t, opened(t, server.URL, func(s connector.Config) { s["plants"] = "2020, 3030" }), connector.RecordRequest{}, nil)
	require.Len(t, found, 2)
}

func TestOrdersAndNotificationsHaveOneForm(t *testing.T) {
	t.Parallel()
	epoch := time.Now().UTC()
	server := saptest.New(t, epoch)
	found := orders(t, opened(t, server.URL), connector.RecordRequest{})
	require.Len(t, found, saptest.Orders+saptest.Notifications)
	states := []string{connector.OrderOpen, connector.OrderReleased, connector.OrderInProgress, connector.OrderDone, connector.OrderClosed, connector.OrderCancelled}
	for i, state := range states {
		order := found[padded("400000"+string(rune('1'+i)), orderLength)]
		require.Equal(t, state, order.State, order.SourceState)
		require.InDelta(t, 2, order.Hours, 1e-9, "1.5 hours and 30 minutes")
		require.Equal(t, saptest.EquipmentID(1+i), order.AssetID)
	}
	done := found["000004000004"]
	require.Equal(t, 3*time.Hour, done.ActualEnd.Sub(done.ActualStart))
	require.NotEmpty(t, done.Version)

	notification := found["000010000000"]
	require.Equal(t, connector.Notification, notification.Kind)
	require.Equal(t, "Outstanding", notification.SourceState)
	require.Equal(t, epoch.Truncate(24*time.Hour).Add(12*time.Hour), notification.PlannedStart)
	require.Equal(t, epoch.Truncate(24*time.Hour).Add(11*time.Hour+43*time.Minute+53*time.Second), notification.ActualStart)
	require.Equal(t, saptest.EquipmentID(1), notification.AssetID)
	require.Equal(t, "1010-ST01", found["000010000005"].AssetID)
	for i, state := range []string{connector.OrderOpen, connector.OrderOnHold, connector.OrderInProgress, connector.OrderDone, connector.OrderCancelled} {
		require.Equal(t, state, found[padded("1000000"+string(rune('0'+i)), notificationLength)].State)
	}
}

func TestTheFirstVersionOfTheOrderServiceIsRead(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL, func(s connector.Config) { s["order_service"] = orderVersion1 })
	require.Len(t, orders(t, c, connector.RecordRequest{}), saptest.Orders+saptest.Notifications)
	require.NotEmpty(t, orders(t, c, connector.RecordRequest{Since: time.Now().Add(-6 * time.Hour)}))
	for _, step := range c.Test(t.Context()) {
		require.True(t, step.OK, step.Detail)
	}
	require.NotContains(t, strings.Join(server.Requests(), " "), "MaintOrderCreationDateTime", "a field of the second version")
}

func TestOldOrdersAreLeftAlone(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	c := opened(t, server.URL, func(s connector.Config) { s["history_days"] = 10.0 })
	found := orders(t, c, connector.RecordRequest{})
	require.NotEmpty(t, found)
	require.Less(t, len(found), saptest.Orders)
}

func TestStatesFollowStepStatusAndPhase(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ subphase, phase, words, want string }{
		{"0065", "06", "REL PRC", connector.OrderReleased},
		{"0065", "06", "REL LKD PRC", connector.OrderOnHold},
		{"0095", "09", "CLSD LKD", connector.OrderClosed},
		{"", "", "REL  CNF  GMPS JBFI MANC PRC  SETC TTJL", connector.OrderInProgress},
		{"", "", "FREI TRÜC", connector.OrderInProgress},
		{"", "", "TABG RÜCK", connector.OrderDone},
		{"", "", "TECO NCMP", connector.OrderCancelled},
		{"", "03", "unknown words", connector.OrderOpen},
		{"", "07", "", connector.OrderInProgress},
		{"", "", "", connector.OrderOpen},
	} {
		require.Equal(t, tc.want, orderState(tc.subphase, tc.phase, tc.words), "%+v", tc)
	}
}
