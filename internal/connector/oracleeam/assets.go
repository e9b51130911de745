package oracleeam

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// assetRow is an installed base asset.
type assetRow struct {
	AssetID       text `json:"AssetId"`
	AssetNumber   text
	Description   text
	SerialNumber  text
	ItemNumber    text
	Organization  text `json:"OperatingOrganizationCode"`
	ActiveEndDate date
	LastUpdate    date `json:"LastUpdateDate"`
}

func (a assetRow) place() (position, error) { return placeOf(a.LastUpdate, a.AssetID) }

// ReadAssets reads installed base assets in the order of their changes. The
// identifier is the AssetId, which never changes; the AssetNumber is the tag.
func (c *Connector) ReadAssets(ctx context.Context, request connector.RecordRequest) (connector.AssetPage, error) {
	at, err := start(request)
	if err != nil {
		return connector.AssetPage{}, err
	}
	described, err := c.describe(ctx, assetResource)
	if err != nil {
		return connector.AssetPage{}, err
	}
	fields, err := described.choose([]string{"AssetId", "AssetNumber", "LastUpdateDate"}, []string{"Description", "SerialNumber", "ItemNumber", "OperatingOrganizationCode", "ActiveEndDate"})
	if err != nil {
		return connector.AssetPage{}, err
	}
	from := collection{resource: assetResource, id: "AssetId", fields: strings.Join(fields, ",")}
	if c.settings.Organization != "" && described.attributes["OperatingOrganizationCode"] {
		from.conditions = []string{"OperatingOrganizationCode = '" + c.settings.Organization + "'"}
	}
	rows, next, err := read[assetRow](ctx, c, from, at, request.Limit)
	if err != nil || len(rows) == 0 {
		return connector.AssetPage{Cursor: next}, err
	}
	if err := c.readParents(ctx, described, from.conditions); err != nil {
		return connector.AssetPage{}, err
	}
	page := connector.AssetPage{Cursor: next, Records: make([]connector.AssetRecord, len(rows))}
	for i, row := range rows {
		page.Records[i] = c.asset(row)
	}
	return page, nil
}

func (c *Connector) asset(row assetRow) connector.AssetRecord {
	name := row.Description
	if name == "" {
		name = row.AssetNumber
	}
	return connector.AssetRecord{
		ID: string(row.AssetID), Kind: connector.Equipment, Tag: string(row.AssetNumber), Name: string(name), ParentID: c.parents[string(row.AssetID)],
		Class: string(row.ItemNumber), Serial: string(row.SerialNumber), Plant: string(row.Organization),
		Inactive:  !row.ActiveEndDate.IsZero() && !row.ActiveEndDate.After(c.now()),
		ChangedAt: row.LastUpdate.Time,
	}
}

// structureRow is an asset with the assets below it. Framework versions before
// 3 give the children as a list, later ones as a collection.
type structureRow struct {
	AssetID       text                 `json:"AssetId"`
	Relationships expanded[childAsset] `json:"relationships"`
}

type childAsset struct {
	AssetID text `json:"AssetId"`
}

// readParents learns the parent of every asset by one pass over all of them in
// the order of their identifiers, which no write can shift. An asset that lies
// below two is put below the one of the smaller identifier.
func (c *Connector) readParents(ctx context.Context, described description, conditions []string) error {
	if c.parents != nil || !c.settings.Hierarchy || !described.children["relationships"] {
		return nil
	}
	parents := map[string]string{}
	query := url.Values{"fields": {"AssetId;relationships:AssetId"}, "onlyData": {"true"}, "orderBy": {"AssetId:asc"}, "limit": {strconv.Itoa(c.settings.PageSize)}}
	last := int64(-1)
	for more := true; more; {
		query.Set("q", strings.Join(append(conditions[:len(conditions):len(conditions)], "AssetId > "+strconv.FormatInt(last, 10)), " and "))
		var got page[structureRow]
		if err := c.get(ctx, "/"+assetResource, query, &got); err != nil {
			return err
		}
		for _, asset := range got.Items {
			id, err := strconv.ParseInt(string(asset.AssetID), 10, 64)
			if err != nil || id <= last {
				return connector.Failed(connector.KeyProtocol, fmt.Errorf("asset %.40q is not in the order asked for", string(asset.AssetID)))
			}
			last = id
			if err := c.addChildren(ctx, parents, asset); err != nil {
				return err
			}
		}
		more = got.HasMore && len(got.Items) > 0
		if len(parents) > mostAssets {
			return connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d assets in structures", mostAssets))
		}
	}
	c.parents = parents
	return nil
}

// mostAssets bounds the structures held in memory.
const mostAssets = 2_000_000

// addChildren notes the children of an asset, those of further pages included.
func (c *Connector) addChildren(ctx context.Context, parents map[string]string, asset structureRow) error {
	children, more := asset.Relationships.items, asset.Relationships.more
	for calls := 0; ; calls++ {
		for _, child := range children {
			if _, placed := parents[string(child.AssetID)]; !placed && child.AssetID != asset.AssetID && child.AssetID != "" {
				parents[string(child.AssetID)] = string(asset.AssetID)
			}
		}
		if !more {
			return nil
		}
		if calls == mostCalls {
			return connector.Failed(connector.KeyProtocol, errors.New("the children of an asset do not end"))
		}
		var got page[childAsset]
		query := url.Values{"onlyData": {"true"}, "limit": {strconv.Itoa(mostRows)}, "offset": {strconv.Itoa(calls * mostRows)}}
		if err := c.get(ctx, "/"+assetResource+"/"+string(asset.AssetID)+"/child/relationships", query, &got); err != nil {
			return err
		}
		children, more = got.Items, got.HasMore && len(got.Items) > 0
	}
}
