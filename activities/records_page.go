package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// recordPage is one page of records on its way into the database.
type recordPage struct {
	assets  map[string]assetRow // by kind and key
	orders  map[string]orderRow
	count   int
	refused int
	cursor  string
}

// assetRow has the names that the database reads a record by.
type assetRow struct {
	ExternalID string         `json:"external_id"`
	Kind       string         `json:"kind"`
	Name       string         `json:"name"`
	ParentID   string         `json:"parent_id"`
	Attributes map[string]any `json:"attributes"`
	Inactive   bool           `json:"inactive"`
	ChangedAt  *time.Time     `json:"changed_at"`
}

type orderRow struct {
	ExternalID   string     `json:"external_id"`
	Kind         string     `json:"kind"`
	Key          string     `json:"idempotency_key"`
	Title        string     `json:"title"`
	AssetID      string     `json:"asset_external_id"`
	Type         string     `json:"type_code"`
	Priority     string     `json:"priority_code"`
	State        string     `json:"state"`
	SourceState  string     `json:"source_state"`
	PlannedStart *time.Time `json:"planned_start"`
	PlannedEnd   *time.Time `json:"planned_end"`
	ActualStart  *time.Time `json:"actual_start"`
	ActualEnd    *time.Time `json:"actual_end"`
	Hours        *float64   `json:"hours"`
	Version      string     `json:"version"`
	ChangedAt    *time.Time `json:"changed_at"`
}

// readRecords asks the source for the page at which a reading stands.
func readRecords(ctx context.Context, opened connector.Connector, pass recordsPass) (recordPage, error) {
	request := connector.RecordRequest{Since: pass.Since, Cursor: pass.Cursor}
	if reader, ok := opened.(connector.AssetReader); ok && pass.Reads == readingAssets {
		read, err := reader.ReadAssets(ctx, request)
		return assetPage(read), err
	}
	reader, ok := opened.(connector.WorkOrderReader)
	if !ok {
		return recordPage{}, fault.New(fault.Invalid, KeyCannotPoll).With("kind", opened.Kind())
	}
	read, err := reader.ReadWorkOrders(ctx, request)
	return orderPage(read), err
}

// assetPage takes the records over. Of two with one key the later counts; what
// has no key that can be kept is refused and does not hold up the others.
func assetPage(read connector.AssetPage) recordPage {
	page := recordPage{assets: make(map[string]assetRow, len(read.Records)), cursor: read.Cursor}
	for _, r := range read.Records {
		if !keepable(r.ID) || r.Kind != connector.Equipment && r.Kind != connector.FunctionalLocation {
			page.refused++
			continue
		}
		page.assets[r.Kind+" "+r.ID] = assetRow{ExternalID: r.ID, Kind: r.Kind, Name: plain(r.Name), ParentID: plain(r.ParentID),
			Attributes: attributesOf(r), Inactive: r.Inactive, ChangedAt: instant(r.ChangedAt)}
	}
	page.count = len(page.assets)
	return page
}

// attributesOf keeps what is known of a record and nothing that is empty.
func attributesOf(r connector.AssetRecord) map[string]any {
	known := map[string]any{}
	for name, text := range map[string]string{"tag": r.Tag, "class": r.Class, "manufacturer": r.Manufacturer, "model": r.Model, "serial": r.Serial,
		"plant": r.Plant, "cost_center": r.CostCenter, "criticality": r.Criticality} {
		if text = plain(text); text != "" {
			known[name] = text
		}
	}
	if !r.InstalledOn.IsZero() {
		known["installed_on"] = r.InstalledOn.Format(time.DateOnly)
	}
	if r.Acquisition > 0 && !math.IsInf(r.Acquisition, 0) {
		known["acquisition"], known["currency"] = r.Acquisition, plain(r.AcquisitionIn)
	}
	return known
}

func orderPage(read connector.WorkOrderPage) recordPage {
	page := recordPage{orders: make(map[string]orderRow, len(read.Records)), cursor: read.Cursor}
	for _, r := range read.Records {
		if !keepable(r.ID) || r.Kind != connector.Order && r.Kind != connector.Notification || !knownState(r.State) {
			page.refused++
			continue
		}
		row := orderRow{ExternalID: r.ID, Kind: r.Kind, Key: plain(r.Key), Title: plain(r.Title), AssetID: plain(r.AssetID), Type: plain(r.Type),
			Priority: plain(r.Priority), State: r.State, SourceState: plain(r.SourceState), PlannedStart: instant(r.PlannedStart), PlannedEnd: instant(r.PlannedEnd),
			ActualStart: instant(r.ActualStart), ActualEnd: instant(r.ActualEnd), Version: plain(r.Version), ChangedAt: instant(r.ChangedAt)}
		if r.Hours > 0 && !math.IsInf(r.Hours, 0) {
			row.Hours = &r.Hours
		}
		page.orders[r.Kind+" "+r.ID] = row
	}
	page.count = len(page.orders)
	return page
}

func knownState(state string) bool {
	switch state {
	case connector.OrderOpen, connector.OrderReleased, connector.OrderInProgress, connector.OrderOnHold, connector.OrderDone, connector.OrderClosed, connector.OrderCancelled:
		return true
	}
	return false
}

// keepable reports whether a key can be stored as it is.
func keepable(key string) bool {
	return key != "" && utf8.RuneCountInString(key) <= 200 && plain(key) == key
}

// plain is a text without what the database cannot hold.
func plain(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")
}

func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// store writes the page.
func (p recordPage) store(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration) error {
	now := time.Now().UTC()
	if len(p.assets) > 0 {
		records, err := json.Marshal(values(p.assets))
		if err != nil {
			return fmt.Errorf("encode asset records: %w", err)
		}
		if _, err := q.UpsertExternalAssets(ctx, tx, db.UpsertExternalAssetsParams{TenantID: i.TenantID, IntegrationID: i.ID, SeenAt: now, Records: records}); err != nil {
			return fmt.Errorf("store asset records: %w", err)
		}
	}
	if len(p.orders) > 0 {
		records, err := json.Marshal(values(p.orders))
		if err != nil {
			return fmt.Errorf("encode orders: %w", err)
		}
		if _, err := q.UpsertExternalOrders(ctx, tx, db.UpsertExternalOrdersParams{TenantID: i.TenantID, IntegrationID: i.ID, SeenAt: now, Records: records}); err != nil {
			return fmt.Errorf("store orders: %w", err)
		}
	}
	return nil
}

// values lists the rows of a page in the order of their keys, so that two
// transactions lock them alike.
func values[T any](rows map[string]T) []T {
	list := make([]T, 0, len(rows))
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		list = append(list, rows[key])
	}
	return list
}
