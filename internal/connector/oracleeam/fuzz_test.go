package oracleeam

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

// FuzzOrders reads collections of work orders. Whatever comes, a page is either
// refused or gives records in the order of their changes, in known states, with
// a plan that does not end before it starts.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{
		`{"items":[{"WorkOrderId":300000400000001,"WorkOrderNumber":"WO-1","WorkOrderStatusCode":"ORA_RELEASED","WorkOrderPriority":2,"LastUpdateDate":"2026-03-01T00:00:00.001+00:00","links":[{"rel":"self","href":"https://h/x","properties":{"changeIndicator":"ACED"}}]}],"hasMore":true,"count":1}`,
		`{"items":[{"WorkOrderId":"1","LastUpdateDate":"2026-03-01","PlannedStartDate":"2026-03-02T00:00:00+00:00","PlannedCompletionDate":"2026-03-01T00:00:00Z"},{"WorkOrderId":2,"LastUpdateDate":"2026-03-01T00:00:00+00:00"}],"totalResults":2}`,
		`{"items":null}`, `{"items":[{}]}`, `[]`, `{"items":[{"WorkOrderId":-1,"LastUpdateDate":""}]}`, `{"items":[{"WorkOrderId":1e3}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got page[orderRow]
		if json.Unmarshal(raw, &got) != nil {
			return
		}
		places, err := placesOf(got.Items)
		if err != nil {
			return
		}
		for i, row := range got.Items {
			record := row.record()
			require.True(t, i == 0 || places[i].after(places[i-1]))
			require.False(t, record.PlannedEnd.Before(record.PlannedStart))
			require.Contains(t, []string{connector.OrderOpen, connector.OrderReleased, connector.OrderInProgress, connector.OrderOnHold, connector.OrderDone, connector.OrderClosed, connector.OrderCancelled}, record.State)
			require.Equal(t, time.UTC, record.ChangedAt.Location())
		}
		if len(places) == 0 {
			return
		}
		next, err := parseCursor((cursor{}).next(places, 0).String())
		require.NoError(t, err)
		require.Equal(t, len(places), next.known(places), "what was delivered is known again")
	})
}

// FuzzAssets reads collections of assets with their structures.
func FuzzAssets(f *testing.F) {
	f.Add([]byte(`{"items":[{"AssetId":1,"relationships":{"items":[{"AssetId":2}],"hasMore":false}},{"AssetId":3,"relationships":[{"AssetId":"4"}]}]}`))
	f.Add([]byte(`{"items":[{"AssetId":1,"relationships":5}]}`))
	f.Add([]byte(`{"items":[{"AssetId":1,"relationships":null}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got page[structureRow]
		if json.Unmarshal(raw, &got) != nil {
			return
		}
		parents := map[string]string{}
		for _, asset := range got.Items {
			asset.Relationships.more = false
			require.NoError(t, (&Connector{}).addChildren(t.Context(), parents, asset))
		}
		for child, parent := range parents {
			require.NotEmpty(t, child)
			require.NotEqual(t, child, parent)
		}
	})
}

// FuzzCursor reads cursors that others wrote.
func FuzzCursor(f *testing.F) {
	f.Add("eyJmcm9tIjoiMjAyNi0wMy0wMVQwMDowMDowMFoiLCJsYXN0Ijp7ImF0IjoiMjAyNi0wMy0wMVQwMDowMDowMFoiLCJpZCI6MX0sIm9mZnNldCI6MX0")
	f.Add("")
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		require.NotNil(t, c.Last)
		require.GreaterOrEqual(t, c.Offset, 0)
	})
}
