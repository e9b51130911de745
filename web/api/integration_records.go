package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/integration"
)

// ExternalAsset is an object of a maintenance system as last read.
type ExternalAsset struct {
	ExternalID string          `json:"external_id"`
	Kind       string          `json:"kind" enum:"equipment,functional_location"`
	Name       string          `json:"name"`
	ParentID   string          `json:"parent_id,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Inactive   bool            `json:"inactive"`
	ChangedAt  *time.Time      `json:"changed_at,omitempty"`
	SeenAt     time.Time       `json:"seen_at"`
	AssetID    *uuid.UUID      `json:"asset_id,omitempty"`
	Asset      string          `json:"asset,omitempty" doc:"Tag of the asset that it belongs to"`
	Ignored    bool            `json:"ignored"`
}

// ExternalOrder is an order or notification of a maintenance system as last
// read.
type ExternalOrder struct {
	ExternalID   string     `json:"external_id"`
	Kind         string     `json:"kind" enum:"order,notification"`
	Title        string     `json:"title"`
	Object       string     `json:"asset_external_id,omitempty"`
	AssetID      *uuid.UUID `json:"asset_id,omitempty"`
	Asset        string     `json:"asset,omitempty"`
	Type         string     `json:"type_code,omitempty"`
	Priority     string     `json:"priority_code,omitempty"`
	State        string     `json:"state" enum:"open,released,in_progress,on_hold,done,closed,cancelled"`
	SourceState  string     `json:"source_state,omitempty"`
	PlannedStart *time.Time `json:"planned_start,omitempty"`
	PlannedEnd   *time.Time `json:"planned_end,omitempty"`
	ActualStart  *time.Time `json:"actual_start,omitempty"`
	ActualEnd    *time.Time `json:"actual_end,omitempty"`
	Hours        *float64   `json:"hours,omitempty"`
	ChangedAt    *time.Time `json:"changed_at,omitempty"`
	SeenAt       time.Time  `json:"seen_at"`
}

// RecordPage is what the lists of records take.
type RecordPage struct {
	ListPage
	Q string `query:"q" maxLength:"200" doc:"Search in numbers and names"`
}

// AssetRecordPage also filters by what became of a record.
type AssetRecordPage struct {
	RecordPage
	Show string `query:"show" enum:"all,unmatched,matched,ignored"`
}

// OrderRecordPage also filters by state.
type OrderRecordPage struct {
	RecordPage
	Show string `query:"show" enum:"all,open,unmatched,matched"`
}

// MatchInput says what a record of a maintenance system stands for. Without an
// asset and without ignored, an earlier match is undone.
type MatchInput struct {
	Kind       string     `json:"kind" enum:"equipment,functional_location"`
	ExternalID string     `json:"external_id" minLength:"1" maxLength:"200"`
	AssetID    *uuid.UUID `json:"asset_id,omitempty" format:"uuid"`
	Ignored    bool       `json:"ignored,omitempty"`
}

// shown turns a filter of the API into that of the queries.
func shown(show string) string {
	if show == "all" {
		return ""
	}
	return show
}

func (a *API) integrationRecords(tag string) {
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/records/assets", "list-external-assets", "Asset records of a maintenance system", tag), a.listExternalAssets)
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/records/orders", "list-external-orders", "Orders and notifications of a maintenance system", tag), a.listExternalOrders)
	match := route(http.MethodPut, "/integrations/{id}/records/match", "match-external-asset", "Say which asset a record belongs to", tag)
	match.DefaultStatus = http.StatusNoContent
	add(a, access.TestIntegrations, match, func(ctx context.Context, _ access.Principal, in *struct {
		ByID
		Body MatchInput
	}) (*struct{}, error) {
		ref := integration.RecordRef{Kind: in.Body.Kind, ExternalID: in.Body.ExternalID}
		return nil, a.service().Match(ctx, origin(ctx), in.ID, ref, in.Body.AssetID, in.Body.Ignored)
	})
}

func (a *API) listExternalAssets(ctx context.Context, who access.Principal, in *AssetRecordPage) (*answer[List[ExternalAsset]], error) {
	rows, skip, err := rowsOf(ctx, a, who, &in.ListPage, func(ctx context.Context, tx pgx.Tx, q *db.Queries, skip int32) ([]db.ListExternalAssetsRow, error) {
		return q.ListExternalAssets(ctx, tx, db.ListExternalAssetsParams{TenantID: who.TenantID, IntegrationID: in.ID, Show: shown(in.Show), Pattern: integration.Pattern(in.Q), PageSize: in.Limit + 1, Skip: skip})
	})
	if err != nil {
		return nil, err
	}
	return reply(counted(in.Paging, skip, rows, func(x db.ListExternalAssetsRow) ExternalAsset {
		e := x.ExternalAsset
		return ExternalAsset{ExternalID: e.ExternalID, Kind: e.Kind, Name: e.Name, ParentID: e.ParentID, Attributes: e.Attributes, Inactive: e.Inactive, ChangedAt: e.ChangedAt,
			SeenAt: e.SeenAt, AssetID: e.AssetID, Asset: x.Tag, Ignored: e.Ignored}
	})), nil
}

func (a *API) listExternalOrders(ctx context.Context, who access.Principal, in *OrderRecordPage) (*answer[List[ExternalOrder]], error) {
	rows, skip, err := rowsOf(ctx, a, who, &in.ListPage, func(ctx context.Context, tx pgx.Tx, q *db.Queries, skip int32) ([]db.ListExternalOrdersRow, error) {
		return q.ListExternalOrders(ctx, tx, db.ListExternalOrdersParams{TenantID: who.TenantID, IntegrationID: in.ID, Show: shown(in.Show), Pattern: integration.Pattern(in.Q), PageSize: in.Limit + 1, Skip: skip})
	})
	if err != nil {
		return nil, err
	}
	return reply(counted(in.Paging, skip, rows, func(x db.ListExternalOrdersRow) ExternalOrder {
		o := x.ExternalOrder
		return ExternalOrder{ExternalID: o.ExternalID, Kind: o.Kind, Title: o.Title, Object: o.AssetExternalID, AssetID: o.AssetID, Asset: x.Tag, Type: o.TypeCode,
			Priority: o.PriorityCode, State: o.State, SourceState: o.SourceState, PlannedStart: o.PlannedStart, PlannedEnd: o.PlannedEnd, ActualStart: o.ActualStart,
			ActualEnd: o.ActualEnd, Hours: o.Hours, ChangedAt: o.ChangedAt, SeenAt: o.SeenAt}
	})), nil
}
