package sqldb

import (
	"math"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Views of Oracle E-Business Suite Enterprise Asset Management, release 12.
const (
	ebsAssets = "APPS.MTL_EAM_ASSET_NUMBERS_ALL_V"
	ebsOrders = "APPS.WIP_EAM_WORK_ORDERS_V"
)

func (s Settings) assetsView() string { return orElse(s.AssetsView, ebsAssets) }
func (s Settings) ordersView() string { return orElse(s.OrdersView, ebsOrders) }

// ebsAsset names the columns of the asset view, those of
// CSI_ITEM_INSTANCES among them, so that either can be read. Customers grant
// views of their own that may leave columns out.
var ebsAsset = map[string][]string{
	fieldKey:       {"INSTANCE_ID", "INSTANCE_NUMBER", "ASSET_NUMBER", "SERIAL_NUMBER"},
	fieldID:        {"INSTANCE_NUMBER", "ASSET_NUMBER", "SERIAL_NUMBER"},
	fieldChanged:   {"LAST_UPDATE_DATE"},
	"name":         {"DESCRIPTIVE_TEXT", "ASSET_DESCRIPTION", "INSTANCE_DESCRIPTION", "DESCRIPTION"},
	"parent":       {"PARENT_INSTANCE_NUMBER", "PARENT_ASSET_NUMBER", "PARENT_SERIAL_NUMBER"},
	"class":        {"ASSET_GROUP", "CONCATENATED_SEGMENTS", "CATEGORY_NAME", "INVENTORY_ITEM_ID"},
	"manufacturer": {"MANUFACTURER_NAME", "MANUFACTURER"},
	"model":        {"MODEL_NUMBER", "MODEL"},
	"serial":       {"SERIAL_NUMBER"},
	"plant":        {"CURRENT_ORGANIZATION_CODE", "ORGANIZATION_CODE", "CURRENT_ORGANIZATION_ID", "LAST_VLD_ORGANIZATION_ID"},
	"department":   {"OWNING_DEPARTMENT_CODE", "OWNING_DEPARTMENT"},
	"criticality":  {"ASSET_CRITICALITY", "ASSET_CRITICALITY_CODE"},
	"installed":    {"INSTALL_DATE", "ACTIVE_START_DATE"},
	"ended":        {"ACTIVE_END_DATE"},
	"maintainable": {"MAINTAINABLE_FLAG"},
}

// ebsOrder names the columns of the work order view.
var ebsOrder = map[string][]string{
	fieldKey:        {"WIP_ENTITY_ID"},
	fieldID:         {"WIP_ENTITY_NAME", "WIP_ENTITY_ID"},
	fieldChanged:    {"LAST_UPDATE_DATE"},
	"title":         {"DESCRIPTION", "WORK_ORDER_DESCRIPTION"},
	"asset":         {"INSTANCE_NUMBER", "ASSET_NUMBER"},
	"type":          {"WORK_ORDER_TYPE_DISP", "WORK_ORDER_TYPE"},
	"priority":      {"PRIORITY_DISP", "PRIORITY"},
	"status":        {"STATUS_TYPE"},
	"status_words":  {"WORK_ORDER_STATUS", "STATUS_TYPE_DISP", "USER_DEFINED_STATUS"},
	"planned_start": {"SCHEDULED_START_DATE"},
	"planned_end":   {"SCHEDULED_COMPLETION_DATE"},
	"actual_start":  {"ACTUAL_START_DATE", "DATE_RELEASED"},
	"actual_end":    {"ACTUAL_END_DATE", "DATE_COMPLETED"},
	"hours":         {"ESTIMATED_HOURS"},
}

// ebsStates maps WIP_EAM_WORK_ORDERS_V.STATUS_TYPE, lookup WIP_JOB_STATUS.
var ebsStates = map[string]string{"1": connector.OrderOpen, "3": connector.OrderReleased, "4": connector.OrderDone, "5": connector.OrderDone,
	"6": connector.OrderOnHold, "7": connector.OrderCancelled, "8": connector.OrderOpen, "9": connector.OrderOpen, "10": connector.OrderOpen,
	"11": connector.OrderOpen, "12": connector.OrderClosed, "13": connector.OrderOpen, "14": connector.OrderDone, "15": connector.OrderDone,
	"16": connector.OrderOpen, "17": connector.OrderOpen}

// record is one row of a view by field.
type record struct {
	fields map[string]any
	clock  clock
}

// longestText bounds what one field of a record holds, in characters.
const longestText = 400

func (r record) text(field string) string {
	return limited(strings.TrimSpace(label(r.fields[field])), longestText)
}

// time returns the time of a field, zero when absent.
func (r record) time(field string) time.Time {
	at, err := r.clock.instant(r.fields[field])
	if err != nil {
		return time.Time{}
	}
	return at
}

func (r record) asset() connector.AssetRecord {
	ended := r.time("ended")
	return connector.AssetRecord{
		ID: r.text(fieldID), Kind: connector.Equipment, Name: orElse(r.text("name"), r.text(fieldID)), ParentID: r.text("parent"), Class: r.text("class"),
		Manufacturer: r.text("manufacturer"), Model: r.text("model"), Serial: r.text("serial"), Plant: r.text("plant"), CostCenter: r.text("department"),
		Criticality: r.text("criticality"), InstalledOn: r.time("installed"), ChangedAt: r.time(fieldChanged),
		Inactive: r.text("maintainable") == "N" || !ended.IsZero() && ended.Before(time.Now()),
	}
}

func (r record) order() connector.WorkOrderRecord {
	state, known := ebsStates[r.text("status")]
	if !known {
		state = connector.OrderOpen
	}
	hours, ok := number(r.fields["hours"])
	if !ok || math.IsNaN(hours) {
		hours = 0
	}
	return connector.WorkOrderRecord{
		ID: r.text(fieldID), Kind: connector.Order, Title: r.text("title"), AssetID: r.text("asset"), Type: r.text("type"), Priority: r.text("priority"),
		State: state, SourceState: orElse(r.text("status_words"), r.text("status")), PlannedStart: r.time("planned_start"), PlannedEnd: r.time("planned_end"),
		ActualStart: r.time("actual_start"), ActualEnd: r.time("actual_end"), Hours: hours, ChangedAt: r.time(fieldChanged),
	}
}
