package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// Kinds of alerts. The key of an alert is its kind and what it concerns, so
// that one cause has one open alert.
const (
	AlertConnectorSilent = "connector_silent"
	AlertAnomaly         = "anomaly"
	AlertFailureRisk     = "failure_risk"
	AlertDataTrust       = "data_trust"
	AlertApprovalOverdue = "approval_overdue"
	AlertScheduleMissed  = "schedule_missed"
	AlertScheduleFailing = "schedule_failing"
	AlertScheduleToken   = "schedule_token"
)

// alert is one condition that either holds or does not. One that lingers is
// near its threshold: it neither raises an alert nor clears one.
type alert struct {
	kind        string
	about       uuid.UUID // asset, integration or plan
	asset       *uuid.UUID
	integration *uuid.UUID
	holds       bool
	lingers     bool
	severity    int16 // 1 to 5
	detail      map[string]any
}

func (a alert) key() string { return a.kind + ":" + a.about.String() }

// settleAlerts raises the alerts that hold and clears those whose cause is
// gone, and returns how many are new or came back. A cause that comes back
// within a day of going opens its alert again; what a person judged false or
// expected stays quiet for a day. It runs in the caller's transaction.
func settleAlerts(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, at time.Time, alerts ...alert) (int, error) {
	var holding, gone []string
	for _, a := range alerts {
		switch {
		case a.holds:
			holding = append(holding, a.key())
		case !a.lingers:
			gone = append(gone, a.key())
		}
	}
	if len(gone) > 0 {
		if _, err := q.ClearAlerts(ctx, tx, &at, tenant, gone); err != nil {
			return 0, fmt.Errorf("clear alerts: %w", err)
		}
	}
	if len(holding) == 0 {
		return 0, nil
	}
	judged, err := q.ListJudgedAlerts(ctx, tx, tenant, at, holding)
	if err != nil {
		return 0, fmt.Errorf("list judged alerts: %w", err)
	}
	holding = slices.DeleteFunc(holding, func(key string) bool { return slices.Contains(judged, key) })
	back, err := q.ReopenAlerts(ctx, tx, at, tenant, holding)
	if err != nil {
		return 0, fmt.Errorf("reopen alerts: %w", err)
	}
	raised := len(back)
	for _, a := range alerts {
		if !a.holds || slices.Contains(judged, a.key()) {
			continue
		}
		fresh, err := raiseAlert(ctx, tx, q, tenant, at, a)
		if err != nil {
			return 0, err
		}
		if fresh {
			raised++
		}
	}
	return raised, nil
}

func raiseAlert(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, at time.Time, a alert) (bool, error) {
	detail, err := json.Marshal(a.detail)
	if err != nil {
		return false, fmt.Errorf("encode alert: %w", err)
	}
	fresh, err := q.RaiseAlert(ctx, tx, db.RaiseAlertParams{
		TenantID: tenant, AssetID: a.asset, IntegrationID: a.integration, Kind: a.kind,
		Severity: a.severity, DedupeKey: a.key(), Detail: detail, At: at,
	})
	if err != nil {
		return false, fmt.Errorf("raise alert %s: %w", a.kind, err)
	}
	return fresh, nil
}
