package sap

import (
	"context"
	"fmt"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// operations is the navigation from an order to its steps.
const operations = "to_MaintenanceOrderOperation"

// orderSets are the orders, then the notifications.
func (c *SAPConnector) orderSets() []set {
	return []set{
		// Its two versions have different fields, so all are read. A page is
		// small because the operations come along.
		{service: c.settings.orderService(), name: "MaintenanceOrder", key: "MaintenanceOrder", expand: operations, share: 5,
			changed: func(since time.Time) string {
				changed := "LastChangeDateTime ge " + instantLiteral(since)
				if c.settings.orderService() == orderServiceWrites {
					return "(" + changed + " or MaintOrderCreationDateTime ge " + instantLiteral(since) + ")"
				}
				return changed
			},
			recent: func(start time.Time) string { return "MaintOrdBasicEndDate ge " + dayLiteral(start) }},
		{service: notificationService, name: "MaintenanceNotification", key: "MaintenanceNotification", share: 1,
			changed: func(since time.Time) string {
				return "(LastChangeDateTime ge " + instantLiteral(since) + " or CreationDate ge " + dayLiteral(since) + ")"
			},
			recent: func(start time.Time) string { return "CreationDate ge " + dayLiteral(start) },
			fields: "MaintenanceNotification,NotificationText,NotificationType,MaintPriority,NotifProcessingPhase,NotifProcessingPhaseDesc," +
				"NotificationTimeZone,RequiredStartDate,RequiredStartTime,RequiredEndDate,RequiredEndTime,MalfunctionStartDate,MalfunctionStartTime," +
				"MalfunctionEndDate,MalfunctionEndTime,TechnicalObject,TechObjIsEquipOrFuncnlLoc,FunctionalLocation,LastChangeDateTime"},
	}
}

// ReadWorkOrders reads orders, then notifications. A full reading goes back as
// many days as the settings say.
func (c *SAPConnector) ReadWorkOrders(ctx context.Context, request connector.RecordRequest) (connector.WorkOrderPage, error) {
	sets := c.orderSets()
	which, entities, cursor, err := c.page(ctx, sets, request)
	if err != nil {
		return connector.WorkOrderPage{}, err
	}
	page := connector.WorkOrderPage{Records: make([]connector.WorkOrderRecord, 0, len(entities)), Cursor: cursor}
	for _, e := range entities {
		parse := c.notification
		if sets[which].service == c.settings.orderService() {
			parse = c.order
		}
		order, err := parse(e)
		if err != nil {
			return connector.WorkOrderPage{}, err
		}
		page.Records = append(page.Records, order)
	}
	return page, nil
}

// order maps an order with its operations.
func (c *SAPConnector) order(e entity) (connector.WorkOrderRecord, error) {
	r := &record{entity: e, zone: c.zone}
	order := connector.WorkOrderRecord{
		ID: padded(r.key("MaintenanceOrder"), orderLength), Kind: connector.Order, Key: r.text(c.settings.KeyField), Title: r.text("MaintenanceOrderDesc"),
		AssetID: firstOf(padded(r.text("Equipment"), equipmentLength), r.text("FunctionalLocation")),
		Type:    r.text("MaintenanceOrderType"), Priority: r.text("MaintPriority"), SourceState: r.text("SystemStatusText"),
		PlannedStart: r.moment("MaintOrdBasicStartDateTime", "MaintOrdBasicStartDate", "MaintOrdBasicStartTime"),
		PlannedEnd:   r.moment("MaintOrdBasicEndDateTime", "MaintOrdBasicEndDate", "MaintOrdBasicEndTime"),
		ChangedAt:    r.instant("LastChangeDateTime"), Version: r.etag(),
	}
	order.State = orderState(r.text("MaintOrdProcessSubPhaseCode"), r.text("MaintOrdProcessPhaseCode"), order.SourceState)
	for _, e := range r.expanded(operations) {
		step := &record{entity: e, zone: c.zone}
		step.workOf(&order)
		if step.err != nil {
			r.fail(operations, step.err)
		}
	}
	if r.err != nil {
		return order, fmt.Errorf("read order %q: %w", order.ID, r.err)
	}
	return order, nil
}

// workOf adds an operation to its order: the planned work, and the span of
// what was worked.
func (r *record) workOf(order *connector.WorkOrderRecord) {
	work, err := hours(r.decimal("MaintOrdOperationWorkDuration"), r.text("MaintOrdOpWorkDurationUnit"))
	if err != nil {
		r.fail("MaintOrdOpWorkDurationUnit", err)
	}
	order.Hours += work
	begun := r.moment("OpActualExecutionStartDateTime", "OpActualExecutionStartDate", "OpActualExecutionStartTime")
	ended := r.moment("OpActualExecutionEndDateTime", "OpActualExecutionEndDate", "OpActualExecutionEndTime")
	if !begun.IsZero() && (order.ActualStart.IsZero() || begun.Before(order.ActualStart)) {
		order.ActualStart = begun
	}
	if ended.After(order.ActualEnd) {
		order.ActualEnd = ended
	}
}

// objectIsLocation marks a technical object that is a functional location.
const objectIsLocation = "EAMS_FL"

// notification maps a notification. Its planned time is the required one, its
// actual time that of the malfunction.
func (c *SAPConnector) notification(e entity) (connector.WorkOrderRecord, error) {
	r := &record{entity: e, zone: c.zone}
	zone := c.zone
	if r.text("NotificationTimeZone") == "UTC" {
		zone = time.UTC // other zones have names of SAP's own, such as CET or ARABST
	}
	notification := connector.WorkOrderRecord{
		ID: padded(r.key("MaintenanceNotification"), notificationLength), Kind: connector.Notification, Title: r.text("NotificationText"),
		Type: r.text("NotificationType"), Priority: r.text("MaintPriority"), SourceState: r.text("NotifProcessingPhaseDesc"),
		PlannedStart: r.local("RequiredStartDate", "RequiredStartTime", zone), PlannedEnd: r.local("RequiredEndDate", "RequiredEndTime", zone),
		ActualStart: r.local("MalfunctionStartDate", "MalfunctionStartTime", zone), ActualEnd: r.local("MalfunctionEndDate", "MalfunctionEndTime", zone),
		ChangedAt: r.instant("LastChangeDateTime"), Version: r.etag(),
	}
	notification.State = connector.OrderOpen
	if state, known := notificationPhases[r.text("NotifProcessingPhase")]; known {
		notification.State = state
	}
	notification.AssetID = r.text("TechnicalObject")
	if r.text("TechObjIsEquipOrFuncnlLoc") != objectIsLocation {
		notification.AssetID = firstOf(padded(notification.AssetID, equipmentLength), r.text("FunctionalLocation"))
	}
	if r.err != nil {
		return notification, fmt.Errorf("read notification %q: %w", notification.ID, r.err)
	}
	return notification, nil
}
