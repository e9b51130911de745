package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Scenario is one verified schedule of a run. Costs are in SAR.
type Scenario struct {
	ID              uuid.UUID `json:"id"`
	RunID           uuid.UUID `json:"run_id"`
	Preset          string    `json:"preset" doc:"cheapest, balanced, lowest_risk or custom"`
	Status          string    `json:"status"`
	Objective       float64   `json:"objective"`
	Bound           *float64  `json:"bound,omitempty"`
	Gap             *float64  `json:"gap,omitempty"`
	Seconds         float64   `json:"seconds"`
	TotalCost       float64   `json:"total_cost"`
	RiskCost        float64   `json:"risk_cost"`
	DowntimeHours   float64   `json:"downtime_hours"`
	LabourHours     float64   `json:"labour_hours"`
	ActionsPlanned  int32     `json:"actions_planned"`
	ActionsDeferred int32     `json:"actions_deferred"`
}

// Recommendation is what a scenario says about one asset. Costs are in SAR.
type Recommendation struct {
	ID                 uuid.UUID       `json:"id"`
	AssetID            uuid.UUID       `json:"asset_id"`
	Tag                string          `json:"tag"`
	Rank               int32           `json:"rank"`
	Decision           string          `json:"decision"`
	StartOn            string          `json:"start_on,omitempty" format:"date"`
	EndOn              string          `json:"end_on,omitempty" format:"date"`
	Skill              string          `json:"skill,omitempty"`
	CrewHours          float64         `json:"crew_hours"`
	PlannedCost        float64         `json:"planned_cost"`
	ExpectedCost       float64         `json:"expected_cost"`
	ValueAtStake       float64         `json:"value_at_stake"`
	FailureProbability float64         `json:"failure_probability"`
	Trusted            bool            `json:"trusted" doc:"The score behind it is current and complete"`
	Reasons            json.RawMessage `json:"reasons"`
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func showScenario(x db.OptimizationScenario) Scenario {
	return Scenario{ID: x.ID, RunID: x.RunID, Preset: x.Preset, Status: x.Status, Objective: x.Objective, Bound: x.Bound,
		Gap: x.Gap, Seconds: x.Seconds, TotalCost: x.TotalCost, RiskCost: x.RiskCost, DowntimeHours: x.DowntimeHours,
		LabourHours: x.LabourHours, ActionsPlanned: x.ActionsPlanned, ActionsDeferred: x.ActionsDeferred}
}

func (a *API) listScenarios(ctx context.Context, who access.Principal, in *ByID) (*answer[List[Scenario]], error) {
	out := List[Scenario]{Items: []Scenario{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.RunDetail(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err := q.RunScenarios(ctx, tx, who.TenantID, in.ID)
		for _, x := range rows {
			out.Items = append(out.Items, showScenario(x))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) listRecommendations(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
}) (*answer[List[Recommendation]], error) {
	var rows []db.ScenarioRecommendationsRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.APIScenario(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = q.ScenarioRecommendations(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	span, next, err := in.slice(ctx, len(rows))
	if err != nil {
		return nil, err
	}
	out := List[Recommendation]{Items: []Recommendation{}, Next: next}
	for _, x := range rows[span[0]:span[1]] {
		r := x.OptimizationRecommendation
		out.Items = append(out.Items, Recommendation{ID: r.ID, AssetID: r.AssetID, Tag: x.Tag, Rank: r.Rank, Decision: r.Decision,
			StartOn: day(r.StartOn), EndOn: day(r.EndOn), Skill: r.SkillCode, CrewHours: r.CrewHours, PlannedCost: r.PlannedCost,
			ExpectedCost: r.ExpectedCost, ValueAtStake: r.ValueAtStake, FailureProbability: r.FailureProbability, Trusted: r.Trusted, Reasons: r.Reasons})
	}
	return reply(out), nil
}
