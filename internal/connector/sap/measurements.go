package sap

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// The services of measuring points and their documents speak OData version 4.
const (
	pointPath    = "/sap/opu/odata4/sap/api_measuringpoint/srvd_a2x/sap/measuringpoint/0001/MeasuringPoint"
	documentPath = "/sap/opu/odata4/sap/api_measurementdocument/srvd_a2x/sap/measurementdocument/0001/MeasurementDocument"
)

// Bounds of reading measuring points.
const (
	pointsAtMost    = 50_000
	pointsPerFilter = 20
	documentsAtMost = 100_000             // of one poll
	pollSpan        = 31 * 24 * time.Hour // of one batch
	shortestSpan    = 24 * time.Hour      // the service filters by date
	pointLength     = 12
)

// list reads every page of a version 4 collection, up to a number of records.
// Each page is asked for by the records before it; where the server cuts pages
// itself, its links are followed.
func (c *SAPConnector) list(ctx context.Context, path string, query url.Values, most int) ([]entity, error) {
	size := int(c.settings.PageSize)
	query.Set("$top", strconv.Itoa(size))
	var all []entity
	asked, counted := query, 0 // records since the server was last asked by number
	for pages := 0; ; pages++ {
		answer, err := c.call(ctx, httpapi.Request{Path: path, Query: asked})
		if err != nil {
			return nil, err
		}
		records, next, err := parseValue(answer.Body)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		counted += len(records)
		if len(all) > most || pages > most {
			return nil, connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d records", most))
		}
		switch {
		case next != "":
			set := path[strings.LastIndex(path, "/")+1:]
			if asked, err = nextQuery(next, set); err != nil {
				return nil, err
			}
		case counted >= size && len(records) > 0:
			asked, counted = url.Values{"$skip": {strconv.Itoa(len(all))}}, 0
			for name, values := range query {
				asked[name] = values
			}
		default:
			return all, nil
		}
	}
}

// parseValue reads {"value":[..],"@odata.nextLink":".."}.
func parseValue(body []byte) ([]entity, string, error) {
	var document struct {
		Value *[]entity `json:"value"`
		Next  string    `json:"@odata.nextLink"`
	}
	if err := decode(body, &document); err != nil {
		return nil, "", protocol(fmt.Errorf("read collection: %w", err))
	}
	if document.Value == nil || slices.ContainsFunc(*document.Value, func(e entity) bool { return e == nil }) {
		return nil, "", protocol(errors.New("the answer has no value"))
	}
	return *document.Value, document.Next, nil
}

// Browse lists the measuring points as tags. There is nothing below them.
func (c *SAPConnector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if parent != "" {
		return nil, connector.UnknownNode(parent)
	}
	if !c.settings.MeasuringPoints {
		return nil, nil
	}
	query := url.Values{"$filter": {"MeasuringPointIsInactive eq false"}, "$orderby": {"MeasuringPoint"},
		"$select": {"MeasuringPoint,MeasuringPointDescription,MeasuringPointPositionNumber,MeasurementRangeUnit,CharcValueUnit,Equipment,FunctionalLocation"}}
	found, err := c.list(ctx, pointPath, query, pointsAtMost)
	if err != nil {
		return nil, fmt.Errorf("list measuring points: %w", err)
	}
	nodes := make([]connector.Node, 0, len(found))
	for _, e := range found {
		r := &record{entity: e}
		object := firstOf(strings.TrimLeft(r.text("Equipment"), "0"), r.text("FunctionalLocation"))
		name := strings.Join(slices.DeleteFunc([]string{object, r.text("MeasuringPointPositionNumber"), r.text("MeasuringPointDescription")},
			func(part string) bool { return part == "" }), " · ")
		node := connector.Node{Address: padded(r.key("MeasuringPoint"), pointLength), Leaf: true, DataType: "measurement document",
			Unit: firstOf(r.text("MeasurementRangeUnit"), r.text("CharcValueUnit"))}
		if node.Name = firstOf(name, node.Address); r.err != nil {
			return nil, r.err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
