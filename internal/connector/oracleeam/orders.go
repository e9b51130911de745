package oracleeam

import (
	"context"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// orderRow is a maintenance work order.
type orderRow struct {
	WorkOrderID      text `json:"WorkOrderId"`
	WorkOrderNumber  text
	Description      text `json:"WorkOrderDescription"`
	Organization     text `json:"OrganizationCode"`
	AssetID          text `json:"AssetId"`
	TypeCode         text `json:"WorkOrderTypeCode"`
	Type             text `json:"WorkOrderType"`
	Priority         text `json:"WorkOrderPriority"`
	Status           text `json:"WorkOrderStatusCode"`
	SystemStatus     text `json:"WorkOrderSystemStatusCode"`
	PlannedStart     date `json:"PlannedStartDate"`
	PlannedEnd       date `json:"PlannedCompletionDate"`
	ActualStart      date `json:"ActualStartDate"`
	ActualCompletion date `json:"ActualCompletionDate"`
	LastUpdate       date `json:"LastUpdateDate"`
	Links            []link
}

func (o orderRow) place() (position, error) { return placeOf(o.LastUpdate, o.WorkOrderID) }

// orderCollection describes how orders are read.
func (c *Connector) orderCollection(ctx context.Context) (collection, error) {
	described, err := c.describe(ctx, orderResource)
	if err != nil {
		return collection{}, err
	}
	fields, err := described.choose([]string{"WorkOrderId", "WorkOrderNumber", "WorkOrderStatusCode", "LastUpdateDate"},
		[]string{"WorkOrderDescription", "OrganizationCode", "AssetId", "WorkOrderTypeCode", "WorkOrderType", "WorkOrderPriority", "WorkOrderSystemStatusCode",
			"PlannedStartDate", "PlannedCompletionDate", "ActualStartDate", "ActualCompletionDate"})
	if err != nil {
		return collection{}, err
	}
	from := collection{resource: orderResource, id: "WorkOrderId", fields: strings.Join(fields, ","), links: true}
	if c.settings.Organization != "" && described.attributes["OrganizationCode"] {
		from.conditions = []string{"OrganizationCode = '" + c.settings.Organization + "'"}
	}
	return from, nil
}

// ReadWorkOrders reads work orders in the order of their changes.
func (c *Connector) ReadWorkOrders(ctx context.Context, request connector.RecordRequest) (connector.WorkOrderPage, error) {
	at, err := start(request)
	if err != nil {
		return connector.WorkOrderPage{}, err
	}
	from, err := c.orderCollection(ctx)
	if err != nil {
		return connector.WorkOrderPage{}, err
	}
	rows, next, err := read[orderRow](ctx, c, from, at, request.Limit)
	if err != nil {
		return connector.WorkOrderPage{}, err
	}
	page := connector.WorkOrderPage{Cursor: next}
	for _, row := range rows {
		page.Records = append(page.Records, row.record())
	}
	return page, nil
}

// record turns a row into a record. The key is the number of the order: the
// product gives its own orders a number, and those of others match no key of
// the product.
func (o orderRow) record() connector.WorkOrderRecord {
	kind := o.TypeCode
	if kind == "" {
		kind = o.Type
	}
	end := o.PlannedEnd.Time
	if end.Before(o.PlannedStart.Time) {
		end = o.PlannedStart.Time // a plan that is being moved has one end of it first
	}
	return connector.WorkOrderRecord{
		ID: string(o.WorkOrderID), Kind: connector.Order, Key: string(o.WorkOrderNumber), Title: string(o.Description), AssetID: string(o.AssetID),
		Type: string(kind), Priority: string(o.Priority), State: o.state(), SourceState: string(o.Status),
		PlannedStart: o.PlannedStart.Time, PlannedEnd: end, ActualStart: o.ActualStart.Time, ActualEnd: o.ActualCompletion.Time,
		ChangedAt: o.LastUpdate.Time, Version: self(o.Links).Properties.ChangeIndicator,
	}
}

// states are the status codes of Oracle without their prefix. Organizations add
// codes of their own, which stand for one of these system codes.
var states = map[string]string{
	"UNRELEASED": connector.OrderOpen,
	"RELEASED":   connector.OrderReleased,
	"ON_HOLD":    connector.OrderOnHold,
	"COMPLETED":  connector.OrderDone,
	"CLOSED":     connector.OrderClosed,
	"CANCELED":   connector.OrderCancelled,
	"CANCELLED":  connector.OrderCancelled,
}

// state is the common state of an order.
func (o orderRow) state() string {
	for _, code := range []text{o.SystemStatus, o.Status} {
		state, known := states[strings.TrimPrefix(strings.ToUpper(string(code)), "ORA_")]
		switch {
		case !known:
		case state == connector.OrderReleased && !o.ActualStart.IsZero():
			return connector.OrderInProgress
		default:
			return state
		}
	}
	return connector.OrderOpen
}
