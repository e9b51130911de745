package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Alert is one condition that was raised. Its detail depends on the kind: an
// anomaly names its signals with what was expected and measured.
type Alert struct {
	ID          uuid.UUID       `json:"id"`
	Kind        string          `json:"kind"`
	Severity    int16           `json:"severity" doc:"1 to 5"`
	State       string          `json:"state" enum:"new,acknowledged,confirmed,false,expected,cleared"`
	AssetID     *uuid.UUID      `json:"asset_id,omitempty"`
	Asset       string          `json:"asset,omitempty" doc:"Tag of the asset"`
	Advisory    bool            `json:"advisory"`
	Occurrences int32           `json:"occurrences"`
	RaisedAt    time.Time       `json:"raised_at"`
	LastSeenAt  time.Time       `json:"last_seen_at"`
	ClosedAt    *time.Time      `json:"closed_at,omitempty"`
	Detail      json.RawMessage `json:"detail"`
}

// ScoreAt is the score of an asset as of one moment, with the version of the
// engine that made it.
type ScoreAt struct {
	AsOf                     time.Time `json:"as_of"`
	ModelVersion             string    `json:"model_version"`
	Health                   float64   `json:"health"`
	FailureProbability7      float64   `json:"failure_probability_7d"`
	FailureProbability30     float64   `json:"failure_probability_30d"`
	FailureProbability30Low  float64   `json:"failure_probability_30d_low"`
	FailureProbability30High float64   `json:"failure_probability_30d_high"`
	FailureProbability90     float64   `json:"failure_probability_90d"`
	RULDays                  float64   `json:"rul_days"`
	RULLowDays               float64   `json:"rul_low_days"`
	RULHighDays              float64   `json:"rul_high_days"`
	Anomaly                  bool      `json:"anomaly"`
	AnomalyIndex             float64   `json:"anomaly_index" doc:"1 is the limit"`
	ProductionRiskSAR        float64   `json:"production_risk_sar"`
	RiskIndex                float64   `json:"risk_index" doc:"0 to 100"`
	RiskLevel                int16     `json:"risk_level" doc:"1 negligible to 5 critical"`
	Coverage                 float64   `json:"coverage" doc:"Share of signals that could be used"`
	Trusted                  bool      `json:"trusted"`
	Confidence               float64   `json:"confidence"`
}

// Explained is the newest score of an asset with everything behind it.
type Explained struct {
	ModelVersion string          `json:"model_version"`
	Score        json.RawMessage `json:"score" doc:"Values with intervals, provenance, contributors and the trust in every signal"`
}

func (a *API) alerts() {
	add(a, access.ViewResults, route(http.MethodGet, "/alerts", "list-alerts", "List alerts, newest first", "Alerts"), a.listAlerts)
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}/score", "explain-score", "The newest score of an asset with its explanation", "Assets"), a.explainScore)
	add(a, access.ViewResults, route(http.MethodGet, "/assets/{id}/scores", "list-scores", "The scores of an asset, newest first", "Assets"), a.listScores)
}

type alertQuery struct {
	Paging
	State string `query:"state" enum:"open,new,acknowledged,confirmed,false,expected,cleared" doc:"open stands for every alert that is not closed"`
	Kind  string `query:"kind" maxLength:"40"`
	Asset string `query:"asset" format:"uuid" doc:"Id of an asset"`
}

func (a *API) listAlerts(ctx context.Context, who access.Principal, in *alertQuery) (*answer[List[Alert]], error) {
	at, id, err := in.before(ctx)
	if err != nil {
		return nil, err
	}
	p := db.APIAlertsParams{TenantID: who.TenantID, State: in.State, Kind: in.Kind, BeforeAt: at, BeforeID: id, PageSize: in.Limit + 1}
	if about, err := uuid.Parse(in.Asset); err == nil {
		p.AssetID = &about
	}
	var rows []db.APIAlertsRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.APIAlerts(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return reply(page(rows, in.Limit, showAlert, func(x db.APIAlertsRow) string {
		return cursorOf(x.Alert.RaisedAt.Format(time.RFC3339Nano), x.Alert.ID.String())
	})), nil
}

func showAlert(x db.APIAlertsRow) Alert {
	l := x.Alert
	return Alert{ID: l.ID, Kind: l.Kind, Severity: l.Severity, State: l.State, AssetID: l.AssetID, Asset: x.Tag, Advisory: l.Advisory,
		Occurrences: l.Occurrences, RaisedAt: l.RaisedAt, LastSeenAt: l.LastSeenAt, ClosedAt: l.ClosedAt, Detail: l.Detail}
}

func (a *API) explainScore(ctx context.Context, who access.Principal, in *ByID) (*answer[Explained], error) {
	var row db.AssetScorePageRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.AssetScorePage(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load score: %w", err)
	}
	return reply(Explained{ModelVersion: row.ModelVersion, Score: row.AssetScore.Detail}), nil
}

type scoreQuery struct {
	ByID
	Paging
}

func (a *API) listScores(ctx context.Context, who access.Principal, in *scoreQuery) (*answer[List[ScoreAt]], error) {
	at, _, err := in.before(ctx)
	if err != nil {
		return nil, err
	}
	var rows []db.APIScoresRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err := q.GetAsset(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = q.APIScores(ctx, tx, db.APIScoresParams{TenantID: who.TenantID, AssetID: in.ID, BeforeAt: at, PageSize: in.Limit + 1})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list scores: %w", err)
	}
	return reply(page(rows, in.Limit, showScore, func(x db.APIScoresRow) string {
		return cursorOf(x.AsOf.Format(time.RFC3339Nano), in.ID.String())
	})), nil
}

func showScore(x db.APIScoresRow) ScoreAt {
	return ScoreAt{AsOf: x.AsOf, ModelVersion: x.ModelVersion, Health: x.HealthScore, FailureProbability7: x.FailureProbability7,
		FailureProbability30: x.FailureProbability30, FailureProbability30Low: x.FailureProbability30Lo, FailureProbability30High: x.FailureProbability30Hi,
		FailureProbability90: x.FailureProbability90, RULDays: x.RulDays, RULLowDays: x.RulLoDays, RULHighDays: x.RulHiDays,
		Anomaly: x.AnomalyFlag, AnomalyIndex: x.AnomalyScore, ProductionRiskSAR: x.ProductionRiskSar, RiskIndex: x.ProductionRiskIndex,
		RiskLevel: x.RiskLevel, Coverage: x.Coverage, Trusted: x.Trusted, Confidence: x.Confidence}
}
