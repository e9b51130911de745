package sap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Test checks the connection: below HTTP, then the logon with the client
// number, the number of equipment, and one record of each service.
func (c *SAPConnector) Test(ctx context.Context) []connector.Step {
	checks := append(c.client.Checks(),
		connector.Check{Name: connector.StepSession, Run: c.checkSession},
		connector.Check{Name: connector.StepBrowse, Run: c.checkBrowse},
		connector.Check{Name: connector.StepRead, Run: c.checkRead})
	return connector.RunChecks(ctx, checks...)
}

// checkSession reads the service document, which needs a logon but no right to
// any data.
func (c *SAPConnector) checkSession(ctx context.Context) (string, error) {
	answer, err := c.get(ctx, equipmentService, "", nil)
	if err != nil {
		return "", err
	}
	document, err := parseEntity(answer.Body)
	if err != nil {
		return "", err
	}
	sets, _ := document["EntitySets"].([]any)
	if len(sets) == 0 {
		return "", protocol(errors.New("the service document lists no sets"))
	}
	detail := fmt.Sprintf("%s, sap-client %s, %d sets", equipmentService, c.settings.Client, len(sets))
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		detail += fmt.Sprintf(", clock %+.0f s", math.Round(time.Until(at).Seconds()))
	}
	return detail, nil
}

func (c *SAPConnector) checkBrowse(ctx context.Context) (string, error) {
	answer, err := c.get(ctx, equipmentService, "Equipment", url.Values{"$top": {"1"}, "$inlinecount": {"allpages"}, "$select": {"Equipment"}})
	if err != nil {
		return "", err
	}
	list, err := parseCollection(answer.Body)
	if err != nil {
		return "", err
	}
	count, err := parseCount(list.count)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d equipment records", count), nil
}

// checkRead reads the first record of each set, so that a right that lacks for
// one of the services shows here and not at night.
func (c *SAPConnector) checkRead(ctx context.Context) (string, error) {
	detail := ""
	for _, read := range []func(context.Context) (string, error){c.firstAsset, c.firstOrder} {
		found, err := read(ctx)
		if err != nil {
			return detail, err
		}
		detail += found
	}
	if detail == "" {
		return "the account sees no record", nil
	}
	return detail, nil
}

func (c *SAPConnector) firstAsset(ctx context.Context) (detail string, err error) {
	for i := range assetSets() {
		page, err := c.ReadAssets(ctx, connector.RecordRequest{Cursor: fmt.Sprintf(`{"s":%d}`, i), Limit: 1})
		if err != nil {
			return detail, err
		}
		for _, asset := range page.Records {
			detail += fmt.Sprintf("%s %s; ", asset.Kind, asset.ID)
		}
	}
	return detail, nil
}

func (c *SAPConnector) firstOrder(ctx context.Context) (detail string, err error) {
	for i := range c.orderSets() {
		page, err := c.ReadWorkOrders(ctx, connector.RecordRequest{Cursor: fmt.Sprintf(`{"s":%d}`, i), Limit: 1})
		if err != nil {
			return detail, err
		}
		for _, order := range page.Records {
			detail += fmt.Sprintf("%s %s; ", order.Kind, order.ID)
		}
	}
	return detail, nil
}
