package oracleeam

import (
	"context"
	"fmt"
	"net/url"

	"github.com/optria-iq/optria/internal/connector"
)

// Test checks the connection step by step. The session step reads the
// descriptions of both resources, the browse step counts their rows.
func (c *Connector) Test(ctx context.Context) []connector.Step {
	return connector.RunChecks(ctx, append(c.client.Checks(),
		connector.Check{Name: connector.StepSession, Run: c.checkSession},
		connector.Check{Name: connector.StepBrowse, Run: c.checkBrowse},
		connector.Check{Name: connector.StepRead, Run: c.checkRead})...)
}

func (c *Connector) checkSession(ctx context.Context) (string, error) {
	clear(c.attributes)
	detail := ""
	for _, resource := range []string{assetResource, orderResource} {
		described, err := c.describe(ctx, resource)
		if err != nil {
			return "", err
		}
		detail += fmt.Sprintf("%s: %d attributes; ", resource, len(described.attributes))
	}
	if !c.attributes[assetResource].children["relationships"] {
		return detail + "no structures in this release", nil
	}
	return detail + "structures by relationships", nil
}

func (c *Connector) checkBrowse(ctx context.Context) (string, error) {
	counts := map[string]string{}
	for resource, id := range map[string]string{assetResource: "AssetId", orderResource: "WorkOrderId"} {
		var got page[map[string]any]
		if err := c.get(ctx, "/"+resource, url.Values{"fields": {id}, "onlyData": {"true"}, "limit": {"1"}, "totalResults": {"true"}}, &got); err != nil {
			return "", err
		}
		counts[resource] = "?"
		if got.TotalResults != nil {
			counts[resource] = fmt.Sprint(*got.TotalResults)
		}
	}
	return fmt.Sprintf("%s assets, %s work orders in all organizations that the account sees", counts[assetResource], counts[orderResource]), nil
}

func (c *Connector) checkRead(ctx context.Context) (string, error) {
	assets, err := read1[assetRow](ctx, c, collection{resource: assetResource, id: "AssetId", fields: "AssetId,AssetNumber,LastUpdateDate"})
	if err != nil {
		return "", err
	}
	from, err := c.orderCollection(ctx)
	if err != nil {
		return "", err
	}
	orders, err := read1[orderRow](ctx, c, from)
	if err != nil {
		return "", err
	}
	if len(assets) == 0 && len(orders) == 0 {
		return "", connector.Failed(connector.KeyForbidden, fmt.Errorf("the account sees neither assets nor work orders"))
	}
	detail := "no assets; "
	if len(assets) > 0 {
		detail = fmt.Sprintf("asset %.80s; ", string(assets[0].AssetNumber))
	}
	if len(orders) == 0 {
		return detail + "no work orders", nil
	}
	return detail + fmt.Sprintf("work order %.80s, %.40s", string(orders[0].WorkOrderNumber), string(orders[0].Status)), nil
}

// read1 reads the first rows of a collection.
func read1[T row](ctx context.Context, c *Connector, from collection) ([]T, error) {
	rows, _, err := read[T](ctx, c, from, cursor{}, 2)
	return rows, err
}
