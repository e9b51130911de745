package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// FailureMode is one line of the FMECA of an asset. Version names the state
// that was read; a change sends it back.
type FailureMode struct {
	ID uuid.UUID `json:"id"`
	FailureModeInput
	RPN int `json:"rpn"`
}

// FailureModeInput is what a change of a failure mode sends.
type FailureModeInput struct {
	Version       string     `json:"version" maxLength:"64" doc:"From the last read; empty adds a new mode"`
	ComponentID   *uuid.UUID `json:"component_id,omitempty"`
	Code          string     `json:"code" doc:"ISO 14224 failure mode code, or one of the plant's own"`
	NameAr        string     `json:"name_ar"`
	NameEn        string     `json:"name_en"`
	Detection     string     `json:"detection,omitempty" required:"false"`
	Metric        string     `json:"metric,omitempty" required:"false" doc:"Metric of the signal that shows it"`
	Severity      int        `json:"severity" doc:"1 to 10"`
	Occurrence    int        `json:"occurrence" doc:"1 to 10"`
	Detectability int        `json:"detectability" doc:"1 to 10; 10 goes unnoticed"`
}

// Life is the Weibull life of an asset: shape beta, scale eta in days, and the
// effective age at the moment of the answer.
type Life struct {
	Version string  `json:"version"`
	Beta    float64 `json:"beta"`
	EtaDays float64 `json:"eta_days"`
	AgeDays float64 `json:"age_days"`
}

// LifeInput is what a change of a life sends.
type LifeInput struct {
	Version string   `json:"version" maxLength:"64" doc:"From the last read"`
	Beta    float64  `json:"beta"`
	EtaDays float64  `json:"eta_days"`
	AgeDays *float64 `json:"age_days,omitempty" doc:"Effective age at the start of today; left out it stays"`
}

// CostVersion is one version of a cost model of an asset, in SAR and hours.
type CostVersion struct {
	Kind              string    `json:"kind" doc:"failure, maintenance or energy"`
	Version           int32     `json:"version"`
	EffectiveFrom     time.Time `json:"effective_from"`
	DirectCost        float64   `json:"direct_cost"`
	OutageHours       float64   `json:"outage_hours"`
	LossPerHour       float64   `json:"loss_per_hour"`
	PlannedFactor     float64   `json:"planned_factor"`
	SafetyEnvCost     float64   `json:"safety_env_cost"`
	EnergyCostPerHour float64   `json:"energy_cost_per_hour"`
	CreatedAt         time.Time `json:"created_at"`
}

// CostInput is the next version of a cost model. Fields that the kind does not
// have are left out.
type CostInput struct {
	Kind              string   `json:"kind" enum:"failure,maintenance,energy"`
	Version           int32    `json:"version" minimum:"0" doc:"Newest version from the last read, 0 for the first"`
	EffectiveFrom     string   `json:"effective_from" format:"date"`
	DirectCost        float64  `json:"direct_cost,omitempty"`
	OutageHours       float64  `json:"outage_hours,omitempty"`
	LossPerHour       float64  `json:"loss_per_hour,omitempty"`
	PlannedFactor     *float64 `json:"planned_factor,omitempty" doc:"Share of the loss in a planned window, 0 to 1; 1 when left out"`
	SafetyEnvCost     float64  `json:"safety_env_cost,omitempty"`
	EnergyCostPerHour float64  `json:"energy_cost_per_hour,omitempty"`
}

func (a *API) reliability() {
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}/failure-modes", "list-failure-modes", "The failure modes of an asset", "Assets"), a.listFailureModes)
	add(a, access.EditAssets, route(http.MethodPut, "/assets/{id}/failure-modes/{mode}", "put-failure-mode", "Add or change a failure mode", "Assets"), a.putFailureMode)
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}/life", "get-life", "The Weibull life of an asset", "Assets"), a.getLife)
	add(a, access.EditAssets, route(http.MethodPut, "/assets/{id}/life", "put-life", "Change the Weibull life of an asset", "Assets"), a.putLife)
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}/cost-models", "list-cost-models", "Every version of the cost models of an asset, newest first", "Assets"), a.listCostModels)
	add(a, access.EditCostModels, route(http.MethodPut, "/assets/{id}/cost-models", "put-cost-model", "Add the next version of a cost model", "Assets"), a.putCostModel)
}

// ofAsset reads something of an asset of the caller's tenant.
func (a *API) ofAsset(ctx context.Context, who access.Principal, id uuid.UUID, read func(ctx context.Context, tx pgx.Tx, q *db.Queries, x db.Asset) error) error {
	return a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.GetAsset(ctx, tx, who.TenantID, id)
		if err != nil {
			return err
		}
		return read(ctx, tx, q, row.Asset)
	})
}

// revise changes an asset and translates what is wrong with the change.
func (a *API) revise(ctx context.Context, who access.Principal, id uuid.UUID, seen string, change func(ctx context.Context, e revision.Edit) error) error {
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return change(ctx, revision.Edit{Tx: tx, Q: q, Origin: origin(ctx), Asset: id, Now: time.Now(), Seen: seen})
	})
	var wrong *revision.Invalid
	if errors.As(err, &wrong) {
		return invalidKeys(ctx, wrong.Mistakes)
	}
	return err
}

func showMode(m db.AssetFailureMode) FailureMode {
	return FailureMode{ID: m.ID, RPN: int(m.Rpn), FailureModeInput: FailureModeInput{Version: revision.ModeVersion(m), ComponentID: m.ComponentID, Code: m.Code,
		NameAr: m.NameAr, NameEn: m.NameEn, Detection: m.Detection, Metric: m.Metric,
		Severity: int(m.Severity), Occurrence: int(m.Occurrence), Detectability: int(m.Detectability)}}
}

func (a *API) listFailureModes(ctx context.Context, who access.Principal, in *ByID) (*answer[List[FailureMode]], error) {
	out := List[FailureMode]{Items: []FailureMode{}}
	err := a.ofAsset(ctx, who, in.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries, x db.Asset) error {
		modes, err := q.ListFailureModes(ctx, tx, who.TenantID, []uuid.UUID{x.ID})
		for _, m := range modes {
			out.Items = append(out.Items, showMode(m))
		}
		return err
	})
	return reply(out), err
}

func (a *API) putFailureMode(ctx context.Context, who access.Principal, in *struct {
	ByID
	Mode uuid.UUID `path:"mode" format:"uuid"`
	Body FailureModeInput
}) (*answer[FailureMode], error) {
	b := in.Body
	m := reliability.Mode{ID: in.Mode, ComponentID: b.ComponentID, Code: strings.ToUpper(strings.TrimSpace(b.Code)), NameAr: strings.TrimSpace(b.NameAr), NameEn: strings.TrimSpace(b.NameEn),
		Detection: strings.TrimSpace(b.Detection), Metric: b.Metric, Severity: b.Severity, Occurrence: b.Occurrence, Detectability: b.Detectability}
	err := a.revise(ctx, who, in.ID, b.Version, func(ctx context.Context, e revision.Edit) error {
		if b.Version == "" {
			return revision.AddMode(ctx, e, m)
		}
		return revision.SetMode(ctx, e, m)
	})
	if err != nil {
		return nil, err
	}
	var stored db.AssetFailureMode
	err = a.ofAsset(ctx, who, in.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries, x db.Asset) (err error) {
		stored, err = q.GetFailureMode(ctx, tx, who.TenantID, x.ID, in.Mode)
		return err
	})
	return reply(showMode(stored)), err
}

func showLife(x db.Asset) Life {
	return Life{Version: revision.LifeVersion(x), Beta: x.WeibullBeta, EtaDays: x.WeibullEtaDays, AgeDays: max(0, x.AgeDays+time.Since(x.AgeAsOf).Hours()/24)}
}

func (a *API) getLife(ctx context.Context, who access.Principal, in *ByID) (*answer[Life], error) {
	var out Life
	err := a.ofAsset(ctx, who, in.ID, func(_ context.Context, _ pgx.Tx, _ *db.Queries, x db.Asset) error {
		out = showLife(x)
		return nil
	})
	return reply(out), err
}

func (a *API) putLife(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body LifeInput
}) (*answer[Life], error) {
	life := reliability.Life{Beta: in.Body.Beta, EtaDays: in.Body.EtaDays, AgeDays: in.Body.AgeDays}
	err := a.revise(ctx, who, in.ID, in.Body.Version, func(ctx context.Context, e revision.Edit) error { return revision.Life(ctx, e, life) })
	if err != nil {
		return nil, err
	}
	return a.getLife(ctx, who, &in.ByID)
}

func showCosts(rows []db.CostVersionsRow) List[CostVersion] {
	out := List[CostVersion]{Items: []CostVersion{}}
	for _, x := range rows {
		m := x.CostModel
		out.Items = append(out.Items, CostVersion{Kind: m.Kind, Version: m.Version, EffectiveFrom: m.EffectiveFrom, DirectCost: m.DirectCost, OutageHours: m.OutageHours,
			LossPerHour: m.LossPerHour, PlannedFactor: m.PlannedFactor, SafetyEnvCost: m.SafetyEnvCost, EnergyCostPerHour: m.EnergyCostPerHour, CreatedAt: m.CreatedAt})
	}
	return out
}

func (a *API) listCostModels(ctx context.Context, who access.Principal, in *ByID) (*answer[List[CostVersion]], error) {
	var out List[CostVersion]
	err := a.ofAsset(ctx, who, in.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries, x db.Asset) error {
		rows, err := q.CostVersions(ctx, tx, who.TenantID, x.ID)
		out = showCosts(rows)
		return err
	})
	return reply(out), err
}

func (a *API) putCostModel(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body CostInput
}) (*answer[List[CostVersion]], error) {
	b := in.Body
	c := reliability.Cost{Kind: b.Kind, DirectCost: b.DirectCost, OutageHours: b.OutageHours, LossPerHour: b.LossPerHour, PlannedFactor: 1,
		SafetyEnvCost: b.SafetyEnvCost, EnergyCostPerHour: b.EnergyCostPerHour}
	if b.PlannedFactor != nil {
		c.PlannedFactor = *b.PlannedFactor
	}
	day, err := time.Parse(time.DateOnly, b.EffectiveFrom)
	if err != nil {
		return nil, invalidKeys(ctx, reliability.Mistakes{"effective_from": reliability.KeyDay})
	}
	c.EffectiveFrom = reliability.DayOn(day)
	err = a.revise(ctx, who, in.ID, revision.CostVersion(b.Version), func(ctx context.Context, e revision.Edit) error { return revision.AddCost(ctx, e, c) })
	if err != nil {
		return nil, err
	}
	return a.listCostModels(ctx, who, &in.ByID)
}
