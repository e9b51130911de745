package oracleeam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// keys is the form of a draft's key, which is safe in a condition.
var keys = regexp.MustCompile(`^[A-Z0-9-]{1,40}$`)

// numbers is the form of an identifier.
var numbers = regexp.MustCompile(`^[0-9]{1,18}$`)

// codesOf are the status codes to write for a common state.
var codesOf = map[string]string{
	connector.OrderOpen:      "ORA_UNRELEASED",
	connector.OrderReleased:  "ORA_RELEASED",
	connector.OrderOnHold:    "ORA_ON_HOLD",
	connector.OrderDone:      "ORA_COMPLETED",
	connector.OrderClosed:    "ORA_CLOSED",
	connector.OrderCancelled: "ORA_CANCELED",
}

// invalid refuses a request for what it says.
func invalid(format string, arguments ...any) error {
	return fault.Wrap(fault.Invalid, connector.KeySourceError, fmt.Errorf(format, arguments...))
}

// FindWorkOrder finds the order of a key.
func (c *Connector) FindWorkOrder(ctx context.Context, key string) (connector.WorkOrderRecord, bool, error) {
	if !keys.MatchString(key) {
		return connector.WorkOrderRecord{}, false, invalid("the key of an order has up to 40 of A-Z, 0-9 and -")
	}
	row, found, err := c.find(ctx, "WorkOrderNumber = '"+key+"'")
	return row.record(), found, err
}

// ReadWorkOrder reads one order.
func (c *Connector) ReadWorkOrder(ctx context.Context, id string) (connector.WorkOrderRecord, error) {
	if !numbers.MatchString(id) {
		return connector.WorkOrderRecord{}, fault.New(fault.NotFound, connector.KeyUnknownNode).With("node", id)
	}
	row, err := c.byID(ctx, id)
	return row.record(), err
}

// byID finds the order of an identifier.
func (c *Connector) byID(ctx context.Context, id string) (orderRow, error) {
	row, found, err := c.find(ctx, "WorkOrderId = "+id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, connector.KeyUnknownNode).With("node", id)
	}
	return row, err
}

// find reads the one order that a condition names.
func (c *Connector) find(ctx context.Context, condition string) (orderRow, bool, error) {
	from, err := c.orderCollection(ctx)
	if err != nil {
		return orderRow{}, false, err
	}
	query := url.Values{"q": {strings.Join(append(from.conditions, condition), " and ")}, "fields": {from.fields}, "limit": {"2"}}
	var got page[orderRow]
	if err := c.get(ctx, "/"+orderResource, query, &got); err != nil {
		return orderRow{}, false, err
	}
	switch len(got.Items) {
	case 0:
		return orderRow{}, false, nil
	case 1:
		return got.Items[0], true, nil
	}
	return orderRow{}, false, invalid("several organizations have an order with that number; set the organization of the integration")
}

// CreateWorkOrder creates an order with its operations and releases it, or
// finishes what an earlier attempt began.
func (c *Connector) CreateWorkOrder(ctx context.Context, draft connector.WorkOrderDraft) (connector.WorkOrderRecord, error) {
	if !keys.MatchString(draft.Key) {
		return connector.WorkOrderRecord{}, invalid("the key of an order has up to 40 of A-Z, 0-9 and -")
	}
	if !numbers.MatchString(draft.AssetID) {
		return connector.WorkOrderRecord{}, invalid("the asset has no identifier of Oracle")
	}
	condition := "WorkOrderNumber = '" + draft.Key + "'"
	row, found, err := c.find(ctx, condition)
	if err == nil && !found {
		posted := c.post(ctx, draft)
		row, found, err = c.find(ctx, condition)
		if !found { // a refused order may still be there: another attempt was faster
			err = errors.Join(posted, err)
		}
	}
	switch {
	case err != nil:
		return connector.WorkOrderRecord{}, err
	case !found:
		return connector.WorkOrderRecord{}, connector.Failed(connector.KeyProtocol, errors.New("an order that was created cannot be found"))
	}
	if row.state() != connector.OrderOpen {
		return row.record(), nil
	}
	if err := c.addOperations(ctx, row, draft.Operations); err != nil {
		return connector.WorkOrderRecord{}, err
	}
	if row, _, err = c.find(ctx, condition); err != nil || !c.settings.Release {
		return row.record(), err
	}
	return c.patch(ctx, row, row.record().Version, map[string]any{"WorkOrderStatusCode": codesOf[connector.OrderReleased]})
}

// post creates the order itself, unreleased.
func (c *Connector) post(ctx context.Context, draft connector.WorkOrderDraft) error {
	organization, err := c.organizationOf(ctx, draft.AssetID)
	if err != nil {
		return err
	}
	kind := draft.Type
	if kind == "" {
		kind = c.settings.OrderType
	}
	body := map[string]any{"WorkOrderNumber": draft.Key, "WorkOrderDescription": draft.Title, "OrganizationCode": organization, "AssetId": json.Number(draft.AssetID),
		"PlannedStartDate": draft.PlannedStart.UTC().Format(stampLayout), "PlannedCompletionDate": draft.PlannedEnd.UTC().Format(stampLayout)}
	if kind != "" {
		body["WorkOrderTypeCode"] = kind
	}
	if draft.Priority != "" {
		priority, err := strconv.Atoi(draft.Priority)
		if err != nil {
			return invalid("the priority of an order in Oracle is a whole number, not %.40q", draft.Priority)
		}
		body["WorkOrderPriority"] = priority
	}
	var created json.RawMessage
	return c.send(ctx, http.MethodPost, "/"+orderResource, "", body, &created)
}

// organizationOf is the organization in which orders of an asset are created.
func (c *Connector) organizationOf(ctx context.Context, assetID string) (string, error) {
	if c.settings.Organization != "" {
		return c.settings.Organization, nil
	}
	var got page[assetRow]
	query := url.Values{"q": {"AssetId = " + assetID}, "fields": {"AssetId,OperatingOrganizationCode"}, "onlyData": {"true"}, "limit": {"1"}}
	if err := c.get(ctx, "/"+assetResource, query, &got); err != nil {
		return "", err
	}
	if len(got.Items) == 0 || got.Items[0].Organization == "" {
		return "", invalid("asset %s is not known at Oracle or has no operating organization", assetID)
	}
	return string(got.Items[0].Organization), nil
}

// operationStep is the distance of the numbers of operations, which leaves room
// for others in between.
const operationStep = 10

// addOperations creates the operations that the order lacks.
func (c *Connector) addOperations(ctx context.Context, row orderRow, operations []connector.OrderOperation) error {
	path, err := c.pathOf(row)
	if err != nil {
		return err
	}
	path += "/child/WorkOrderOperation"
	var present page[struct {
		Sequence text `json:"OperationSequenceNumber"`
	}]
	if err := c.get(ctx, path, url.Values{"onlyData": {"true"}, "limit": {strconv.Itoa(mostRows)}}, &present); err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, operation := range present.Items {
		taken[string(operation.Sequence)] = true
	}
	for i, operation := range operations {
		number := (i + 1) * operationStep
		if taken[strconv.Itoa(number)] {
			continue
		}
		body := map[string]any{"OperationSequenceNumber": number, "OperationName": operation.Title}
		if operation.WorkCenter != "" {
			body["WorkCenterCode"] = operation.WorkCenter
		}
		var created json.RawMessage
		if err := c.send(ctx, http.MethodPost, path, "", body, &created); err != nil {
			return err
		}
	}
	return nil
}

// pathOf is the path of an order. Newer releases use a hash in the place of the
// identifier, so it is taken from the link of the row to itself.
func (c *Connector) pathOf(row orderRow) (string, error) {
	href := self(row.Links).Href
	if href == "" {
		return "", connector.Failed(connector.KeyProtocol, errors.New("an order has no link to itself"))
	}
	path, _, err := c.client.Local(href)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(path, "/"+orderResource+"/") || strings.Contains(path, "..") {
		return "", connector.Failed(connector.KeyProtocol, errors.New("the link of an order leads elsewhere"))
	}
	return path, nil
}

// ChangeWorkOrder changes plan or state of an order whose version the caller
// has seen.
func (c *Connector) ChangeWorkOrder(ctx context.Context, id, version string, change connector.WorkOrderChange) (connector.WorkOrderRecord, error) {
	body := map[string]any{}
	if change.PlannedStart != nil {
		body["PlannedStartDate"] = change.PlannedStart.UTC().Format(stampLayout)
	}
	if change.PlannedEnd != nil {
		body["PlannedCompletionDate"] = change.PlannedEnd.UTC().Format(stampLayout)
	}
	if change.State != "" {
		code, known := codesOf[change.State]
		if !known {
			return connector.WorkOrderRecord{}, invalid("Oracle has no status that may be set for %.40q", change.State)
		}
		body["WorkOrderStatusCode"] = code
	}
	if !numbers.MatchString(id) || version == "" || strings.ContainsAny(version, "\"\r\n") {
		return connector.WorkOrderRecord{}, invalid("an order to change needs its identifier and the version that was seen")
	}
	row, err := c.byID(ctx, id)
	if err != nil {
		return connector.WorkOrderRecord{}, err
	}
	if len(body) == 0 {
		return row.record(), nil
	}
	return c.patch(ctx, row, version, body)
}

// patch changes an order and reads what it became.
func (c *Connector) patch(ctx context.Context, row orderRow, version string, body map[string]any) (connector.WorkOrderRecord, error) {
	path, err := c.pathOf(row)
	if err != nil {
		return connector.WorkOrderRecord{}, err
	}
	var changed json.RawMessage
	if err := c.send(ctx, http.MethodPatch, path, version, body, &changed); err != nil {
		return connector.WorkOrderRecord{}, err
	}
	now, found, err := c.find(ctx, "WorkOrderId = "+string(row.WorkOrderID))
	if err == nil && !found {
		err = connector.Failed(connector.KeyProtocol, errors.New("an order that was changed cannot be found"))
	}
	return now.record(), err
}
