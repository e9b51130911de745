package sqldb

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// ebs are the settings of the preset on tables shaped like the views of EBS.
// There is no Oracle Database to test with; the dialect is that of the server.
var ebs = connector.Config{"preset": PresetEBS, "assets_view": "MTL_EAM_ASSET_NUMBERS_ALL_V", "orders_view": "WIP_EAM_WORK_ORDERS_V", "time_zone": "Asia/Riyadh"}

func (w world) fillEBS(t testing.TB) {
	q, moment := w.quote, "timestamp(0)"
	if w.config["dialect"] == MariaDB {
		moment = "datetime"
	}
	w.exec(t, fmt.Sprintf("CREATE TABLE %s (%s bigint, %s varchar(30), %s varchar(30), %s varchar(240), %s varchar(30), %s varchar(40), %s varchar(10), %s varchar(30), %s %s NULL, %s varchar(1), %s %s NULL)",
		q("MTL_EAM_ASSET_NUMBERS_ALL_V"), q("INSTANCE_ID"), q("INSTANCE_NUMBER"), q("SERIAL_NUMBER"), q("DESCRIPTIVE_TEXT"), q("PARENT_INSTANCE_NUMBER"), q("ASSET_GROUP"), q("CURRENT_ORGANIZATION_ID"),
		q("ASSET_CRITICALITY"), q("LAST_UPDATE_DATE"), moment, q("MAINTAINABLE_FLAG"), q("ACTIVE_END_DATE"), moment),
		"INSERT INTO "+q("MTL_EAM_ASSET_NUMBERS_ALL_V")+` VALUES (9, 'PUMP-1', 'SN1', 'Feed pump', 'UNIT-1', 'PUMP', '204', 'High', '2026-03-10 15:00:00', 'Y', NULL),
		(10, 'UNIT-1', 'SN2', 'وحدة التقطير', NULL, 'UNIT', '204', NULL, '2026-03-10 15:00:00', 'Y', NULL),
		(11, 'OLD-1', 'SN3', NULL, NULL, 'PUMP', '204', NULL, NULL, 'N', '2020-01-01 00:00:00')`,
		fmt.Sprintf("CREATE TABLE %[1]s (%[2]s bigint, %[3]s varchar(30), %[4]s varchar(240), %[5]s varchar(30), %[6]s int, %[7]s varchar(30), %[8]s int, %[9]s %[12]s NULL, %[10]s %[12]s NULL, %[11]s %[12]s NULL)",
			q("WIP_EAM_WORK_ORDERS_V"), q("WIP_ENTITY_ID"), q("WIP_ENTITY_NAME"), q("DESCRIPTION"), q("ASSET_NUMBER"), q("STATUS_TYPE"), q("WORK_ORDER_STATUS"), q("PRIORITY"),
			q("SCHEDULED_START_DATE"), q("SCHEDULED_COMPLETION_DATE"), q("LAST_UPDATE_DATE"), moment),
		"INSERT INTO "+q("WIP_EAM_WORK_ORDERS_V")+` VALUES (1, 'WO-1', 'Replace seal', 'PUMP-1', 3, 'Released', 10, '2026-03-12 08:00:00', '2026-03-12 16:00:00', '2026-03-10 15:00:01'),
		(2, 'WO-2', 'Inspect', 'PUMP-1', 12, 'Closed', NULL, NULL, NULL, '2026-03-10 15:00:02'), (3, 'WO-3', NULL, 'UNIT-1', 99, NULL, NULL, NULL, NULL, '2026-03-10 15:00:02')`)
}

func recordsOfEBS(t *testing.T, w world) {
	w.fillEBS(t)
	opened := w.open(t, ebs)
	_, readings := opened.(connector.Poller)
	require.False(t, readings, "the preset reads records only")
	reader := opened.(*Records)
	for _, step := range reader.Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
	}
	var assets []connector.AssetRecord
	request := connector.RecordRequest{Limit: 1}
	for pages := 0; ; pages++ {
		require.Less(t, pages, 5)
		page, err := reader.ReadAssets(t.Context(), request)
		require.NoError(t, err)
		assets = append(assets, page.Records...)
		if request.Cursor = page.Cursor; page.Cursor == "" {
			break
		}
	}
	changed := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	require.Equal(t, []connector.AssetRecord{
		{ID: "PUMP-1", Kind: connector.Equipment, Name: "Feed pump", ParentID: "UNIT-1", Class: "PUMP", Serial: "SN1", Plant: "204", Criticality: "High", ChangedAt: changed},
		{ID: "UNIT-1", Kind: connector.Equipment, Name: "وحدة التقطير", Class: "UNIT", Serial: "SN2", Plant: "204", ChangedAt: changed},
		{ID: "OLD-1", Kind: connector.Equipment, Name: "OLD-1", Class: "PUMP", Serial: "SN3", Plant: "204", Inactive: true},
	}, assets, "9 comes before 10: the key is a number; records without a time of change are read")

	orders, err := reader.ReadWorkOrders(t.Context(), connector.RecordRequest{})
	require.NoError(t, err)
	require.Equal(t, connector.WorkOrderRecord{ID: "WO-1", Kind: connector.Order, Title: "Replace seal", AssetID: "PUMP-1", Priority: "10", State: connector.OrderReleased, SourceState: "Released",
		PlannedStart: time.Date(2026, 3, 12, 5, 0, 0, 0, time.UTC), PlannedEnd: time.Date(2026, 3, 12, 13, 0, 0, 0, time.UTC), ChangedAt: changed.Add(time.Second)}, orders.Records[0])
	require.Equal(t, []string{connector.OrderClosed, connector.OrderOpen}, []string{orders.Records[1].State, orders.Records[2].State})
	require.Equal(t, "99", orders.Records[2].SourceState)

	var delta []string
	request = connector.RecordRequest{Since: changed.Add(2 * time.Second), Limit: 1}
	for {
		page, err := reader.ReadWorkOrders(t.Context(), request)
		require.NoError(t, err)
		for _, order := range page.Records {
			delta = append(delta, order.ID)
		}
		if request.Cursor = page.Cursor; page.Cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"WO-2", "WO-3"}, delta)
	_, err = reader.ReadAssets(t.Context(), connector.RecordRequest{Cursor: "{"})
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	_, err = w.open(t, with(ebs, connector.Config{"assets_view": "WIP_EAM_WORK_ORDERS_V"})).(*Records).ReadAssets(t.Context(), connector.RecordRequest{Limit: 1})
	require.NoError(t, err, "a view with the columns of another order still has a key")
}

func TestReadingsClaimNoRecords(t *testing.T) {
	t.Parallel()
	opened := world{config: connector.Config{"dialect": Oracle, "host": "ora.example", "database": "ORCL", "user": "reader"}}.open(t, narrow)
	_, assets := opened.(connector.AssetReader)
	_, orders := opened.(connector.WorkOrderReader)
	require.False(t, assets || orders)
}
