package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Asset is one asset with its newest score, absent when it has none.
type Asset struct {
	ID          uuid.UUID `json:"id"`
	Tag         string    `json:"tag"`
	NameAr      string    `json:"name_ar"`
	NameEn      string    `json:"name_en"`
	Class       string    `json:"class"`
	Criticality string    `json:"criticality"`
	Site        string    `json:"site"`
	Unit        string    `json:"unit"`
	Score       *Score    `json:"score,omitempty"`
}

// Score is what the models say of an asset. Health is 0 to 100, the failure
// probability is for 30 days, the remaining life is in days with its interval,
// the production risk in SAR.
type Score struct {
	AsOf                 time.Time `json:"as_of"`
	Health               *float64  `json:"health,omitempty"`
	FailureProbability30 *float64  `json:"failure_probability_30d,omitempty"`
	RULDays              *float64  `json:"rul_days,omitempty"`
	RULLowDays           *float64  `json:"rul_low_days,omitempty"`
	RULHighDays          *float64  `json:"rul_high_days,omitempty"`
	RiskLevel            *int16    `json:"risk_level,omitempty" doc:"1 negligible to 5 critical"`
	ProductionRiskSAR    *float64  `json:"production_risk_sar,omitempty"`
	Trusted              *bool     `json:"trusted,omitempty"`
}

func (a *API) assets() {
	add(a, access.ViewResults, route(http.MethodGet, "/assets", "list-assets", "List assets by tag with their newest score", "Assets"), a.listAssets)
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}", "get-asset", "One asset with its newest score", "Assets"), a.getAsset)
}

func showAsset(x db.APIAssetsRow) Asset {
	out := Asset{ID: x.ID, Tag: x.Tag, NameAr: x.NameAr, NameEn: x.NameEn, Class: x.ClassCode, Criticality: x.Criticality, Site: x.SiteCode, Unit: x.UnitCode}
	if x.AsOf != nil {
		out.Score = &Score{AsOf: *x.AsOf, Health: x.HealthScore, FailureProbability30: x.FailureProbability30, RULDays: x.RulDays, RULLowDays: x.RulLoDays,
			RULHighDays: x.RulHiDays, RiskLevel: x.RiskLevel, ProductionRiskSAR: x.ProductionRiskSar, Trusted: x.Trusted}
	}
	return out
}

func (a *API) listAssets(ctx context.Context, who access.Principal, in *struct{ Paging }) (*answer[List[Asset]], error) {
	parts, err := in.parts(ctx, 1)
	if err != nil {
		return nil, err
	}
	after := ""
	if parts != nil {
		after = parts[0]
	}
	rows, err := a.assetRows(ctx, who, db.APIAssetsParams{AfterTag: after, PageSize: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return reply(page(rows, in.Limit, showAsset, func(x db.APIAssetsRow) string { return cursorOf(x.Tag) })), nil
}

func (a *API) assetRows(ctx context.Context, who access.Principal, p db.APIAssetsParams) (rows []db.APIAssetsRow, err error) {
	p.TenantID = who.TenantID
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.APIAssets(ctx, tx, p)
		return err
	})
	return rows, err
}

func (a *API) getAsset(ctx context.Context, who access.Principal, in *ByID) (*answer[Asset], error) {
	rows, err := a.assetRows(ctx, who, db.APIAssetsParams{ID: &in.ID, PageSize: 1})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "api.not_found")
	}
	return reply(showAsset(rows[0])), nil
}
