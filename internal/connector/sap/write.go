package sap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// FindWorkOrder looks for the order that carries a key in the field of the
// settings: AdditionalDeviceData by default, a text of 40 capitals in the
// header of each order that SAP's own processes leave alone, and that can be
// filtered by. Of several orders the first is meant: a later one is what a
// person copied from it.
func (c *SAPConnector) FindWorkOrder(ctx context.Context, key string) (connector.WorkOrderRecord, bool, error) {
	if !keyPattern.MatchString(key) {
		return connector.WorkOrderRecord{}, false, badDraft("key", "A-Z, 0-9 and -, at most 40 characters")
	}
	query := url.Values{"$filter": {c.settings.KeyField + " eq " + literal(key)}, "$orderby": {"MaintenanceOrder"}, "$top": {"1"}, "$expand": {operations}}
	answer, err := c.get(ctx, c.settings.orderService(), "MaintenanceOrder", query)
	if err != nil {
		return connector.WorkOrderRecord{}, false, fmt.Errorf("look for order %s: %w", key, err)
	}
	found, err := parseCollection(answer.Body)
	if err != nil || len(found.records) == 0 {
		return connector.WorkOrderRecord{}, false, err
	}
	order, err := c.order(found.records[0])
	if err == nil && order.Key != key {
		err = protocol(errors.New("the service does not filter by " + c.settings.KeyField))
	}
	return order, err == nil, err
}

var keyPattern = regexp.MustCompile(`^[A-Z0-9-]{1,40}$`)

// badDraft reports what is wrong with an order before it is sent.
func badDraft(field, want string) error {
	return fault.New(fault.Invalid, KeyDraft).With("field", field).With("want", want)
}

// CreateWorkOrder creates an order with its operations in one request, unless
// the order with that key is there already. When the answer is lost, it looks
// whether SAP has created the order all the same.
func (c *SAPConnector) CreateWorkOrder(ctx context.Context, draft connector.WorkOrderDraft) (connector.WorkOrderRecord, error) {
	if c.settings.orderService() != orderServiceWrites {
		return connector.WorkOrderRecord{}, fault.New(fault.Invalid, KeyReadOnly)
	}
	if err := checkDraft(draft); err != nil {
		return connector.WorkOrderRecord{}, err
	}
	if order, found, err := c.FindWorkOrder(ctx, draft.Key); found || err != nil {
		return order, err
	}
	body, err := c.compose(ctx, draft)
	if err != nil {
		return connector.WorkOrderRecord{}, err
	}
	answer, err := c.write(ctx, http.MethodPost, c.settings.orderService(), "MaintenanceOrder", nil, body, "")
	if err == nil {
		var created entity
		if created, err = parseEntity(answer.Body); err == nil {
			id := (&record{entity: created}).text("MaintenanceOrder")
			return c.readOrder(ctx, id)
		}
	}
	if isLost(err) {
		if order, found, again := c.FindWorkOrder(ctx, draft.Key); again == nil && found {
			return order, nil
		}
	}
	return connector.WorkOrderRecord{}, fmt.Errorf("create order %s: %w", draft.Key, err)
}

func checkDraft(draft connector.WorkOrderDraft) error {
	switch {
	case !keyPattern.MatchString(draft.Key):
		return badDraft("key", "A-Z, 0-9 and -, at most 40 characters")
	case draft.Title == "":
		return badDraft("title", "a text")
	case draft.AssetID == "":
		return badDraft("asset", "a key of equipment or of a functional location")
	case draft.PlannedStart.IsZero() || draft.PlannedEnd.Before(draft.PlannedStart):
		return badDraft("planned time", "a start and an end that is not before it")
	}
	return nil
}

// maxTitle is the length of the descriptions of orders and operations.
const maxTitle = 40

func title(text string) string {
	if runes := []rune(text); len(runes) > maxTitle {
		return string(runes[:maxTitle])
	}
	return text
}

// compose writes the order as the service takes it. The planning plant and the
// work centre come from the technical object where the settings name none.
func (c *SAPConnector) compose(ctx context.Context, draft connector.WorkOrderDraft) (map[string]any, error) {
	object, err := c.technicalObject(ctx, draft.AssetID)
	if err != nil {
		return nil, err
	}
	body := map[string]any{
		"MaintenanceOrderType": firstOf(draft.Type, c.settings.OrderType), "MaintenanceOrderDesc": title(draft.Title),
		object.field: draft.AssetID, "MaintenancePlanningPlant": firstOf(c.settings.PlanningPlant, object.planningPlant),
		"MaintOrdBasicStartDateTime": jsonDate(draft.PlannedStart), "MaintOrdBasicEndDateTime": jsonDate(draft.PlannedEnd),
		c.settings.KeyField: draft.Key,
	}
	optional := map[string]string{"MaintPriority": draft.Priority, "MainWorkCenter": object.workCenter, "MainWorkCenterPlant": object.workCenterPlant}
	for field, value := range optional {
		if value != "" {
			body[field] = value
		}
	}
	steps := make([]map[string]any, 0, len(draft.Operations))
	for i, operation := range draft.Operations {
		step := map[string]any{"MaintenanceOrderOperation": fmt.Sprintf("%04d", (i+1)*10), "MaintenanceOrderSubOperation": "",
			"OperationDescription": title(operation.Title), "MaintOrdOperationWorkDuration": fmt.Sprintf("%.1f", operation.Hours), "MaintOrdOpWorkDurationUnit": "HR"}
		if operation.WorkCenter != "" {
			step["WorkCenter"] = operation.WorkCenter
		}
		steps = append(steps, step)
	}
	if len(steps) > 0 {
		body[operations] = steps
	}
	return body, nil
}

// technical is what an order takes over from its technical object.
type technical struct{ field, planningPlant, workCenter, workCenterPlant string }

// technicalObject tells whether a key is that of equipment or of a functional
// location.
func (c *SAPConnector) technicalObject(ctx context.Context, id string) (technical, error) {
	places := []struct{ field, service, path string }{
		{"Equipment", equipmentService, "Equipment(Equipment=" + literal(id) + ",ValidityEndDate=datetime'9999-12-31T00:00:00')"},
		{"FunctionalLocation", locationService, "FunctionalLocation(" + literal(id) + ")"},
	}
	for _, place := range places {
		if place.field == "Equipment" && len(id) > equipmentLength {
			continue
		}
		found, there, err := c.read(ctx, place.service, place.path, url.Values{"$select": {place.field + ",MaintenancePlanningPlant,MainWorkCenter,MainWorkCenterPlant"}})
		if err != nil {
			return technical{}, fmt.Errorf("read technical object %q: %w", id, err)
		}
		if there {
			r := &record{entity: found}
			object := technical{place.field, r.text("MaintenancePlanningPlant"), r.text("MainWorkCenter"), r.text("MainWorkCenterPlant")}
			return object, r.err
		}
	}
	return technical{}, fault.New(fault.NotFound, connector.KeyUnknownNode).With("node", id)
}

func orderPath(id string) string { return "MaintenanceOrder(" + literal(id) + ")" }

// ReadWorkOrder reads one order with its operations.
func (c *SAPConnector) ReadWorkOrder(ctx context.Context, id string) (connector.WorkOrderRecord, error) {
	return c.readOrder(ctx, id)
}

func (c *SAPConnector) readOrder(ctx context.Context, id string) (connector.WorkOrderRecord, error) {
	found, there, err := c.read(ctx, c.settings.orderService(), orderPath(id), url.Values{"$expand": {operations}})
	if err != nil {
		return connector.WorkOrderRecord{}, fmt.Errorf("read order %q: %w", id, err)
	}
	if !there {
		return connector.WorkOrderRecord{}, fault.New(fault.NotFound, connector.KeyUnknownNode).With("node", id)
	}
	return c.order(found)
}

// ChangeWorkOrder moves the planned time by a change of the record and the
// state by the action of SAP that leads to it. When the answer is lost or the
// version is no longer the newest, it looks whether the order is already as
// wanted: then the change was made before.
func (c *SAPConnector) ChangeWorkOrder(ctx context.Context, id, version string, change connector.WorkOrderChange) (connector.WorkOrderRecord, error) {
	_, offered := actions[change.State]
	switch {
	case c.settings.orderService() != orderServiceWrites:
		return connector.WorkOrderRecord{}, fault.New(fault.Invalid, KeyReadOnly)
	case change.State != "" && !offered:
		return connector.WorkOrderRecord{}, fault.New(fault.Invalid, KeyState).With("state", change.State)
	case version == "":
		return connector.WorkOrderRecord{}, fault.New(fault.Conflict, connector.KeyChanged)
	}
	order, err := c.change(ctx, id, version, change)
	if err == nil || connector.MessageKey(err) != connector.KeyChanged && !isLost(err) {
		return order, err
	}
	if now, again := c.readOrder(ctx, id); again == nil && settled(now, change) {
		return now, nil
	}
	return connector.WorkOrderRecord{}, err
}

func (c *SAPConnector) change(ctx context.Context, id, version string, change connector.WorkOrderChange) (connector.WorkOrderRecord, error) {
	body := map[string]any{}
	if change.PlannedStart != nil {
		body["MaintOrdBasicStartDateTime"] = jsonDate(*change.PlannedStart)
	}
	if change.PlannedEnd != nil {
		body["MaintOrdBasicEndDateTime"] = jsonDate(*change.PlannedEnd)
	}
	if len(body) > 0 {
		answer, err := c.write(ctx, http.MethodPatch, c.settings.orderService(), orderPath(id), nil, body, version)
		if err != nil {
			return connector.WorkOrderRecord{}, fmt.Errorf("change order %q: %w", id, err)
		}
		version = answer.Header.Get("ETag")
	}
	order, err := c.readOrder(ctx, id)
	if err != nil || change.State == "" || order.State == change.State {
		return order, err
	}
	version = firstOf(version, order.Version)
	query := url.Values{"MaintenanceOrder": {literal(id)}, "$format": {"json"}}
	if _, err := c.write(ctx, http.MethodPost, c.settings.orderService(), actions[change.State], query, nil, version); err != nil {
		return connector.WorkOrderRecord{}, fmt.Errorf("set order %q to %s: %w", id, change.State, err)
	}
	return c.readOrder(ctx, id)
}

// settled reports whether an order is as a change wants it. SAP keeps seconds.
func settled(order connector.WorkOrderRecord, change connector.WorkOrderChange) bool {
	same := func(is time.Time, want *time.Time) bool { return want == nil || is.Equal(want.Truncate(time.Second)) }
	return same(order.PlannedStart, change.PlannedStart) && same(order.PlannedEnd, change.PlannedEnd) &&
		(change.State == "" || order.State == change.State)
}
