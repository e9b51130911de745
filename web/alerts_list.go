package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
)

// How many alerts one page of the list shows, and how much may be searched for.
const (
	alertPageSize = 25
	alertSearch   = 80
)

// alertStates are the states that the filter offers; open stands for every
// alert that is not closed.
var alertStates = []string{"open", "new", "acknowledged", "confirmed", "false", "expected", "cleared"}

// alertKinds are the kinds that the filter offers.
var alertKinds = []string{"anomaly", "failure_risk", "data_trust", "connector_silent", "approval_overdue", "release_stuck", "schedule_missed", "schedule_failing", "schedule_token", "model_drift", "break_glass"}

// alertList is the list of alerts with its filter.
type alertList struct {
	Rows                          []alertView
	Pager                         Pager
	State, Kind, Severity, Search string
	Asset                         string // id of the one asset that is shown, empty for all
	States, Kinds, Severities     []choiceOption
	Filtered                      bool
}

// listAlerts shows alerts of the past and the present, the open ones first.
func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "alerts.title")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	v := alertList{State: q.Get("state"), Kind: q.Get("kind"), Severity: q.Get("severity"), Search: bounded(q.Get("q"), alertSearch)}
	if !q.Has("state") {
		v.State = "open"
	}
	filter := v.read(p, optionalUUID(q.Get("asset")))
	filter.TenantID, filter.PageSize, filter.Skip = access.From(r.Context()).TenantID, alertPageSize, pageOffset(r, alertPageSize)
	total := 0
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.AlertPage(ctx, tx, filter)
		if err != nil {
			return err
		}
		open := make([]db.OpenAlertsRow, len(rows))
		for i, x := range rows {
			open[i], total = db.OpenAlertsRow(x), int(x.Total)
		}
		v.Rows, err = wordAlerts(ctx, tx, q, tenant, p, open)
		return err
	})
	if err != nil {
		return err
	}
	v.Pager = NewPager(r.URL, alertPageSize, total)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "alerts/list", p)
	return nil
}

// read turns what was chosen into a query and drops what is not on offer.
func (v *alertList) read(p Page, about *uuid.UUID) db.AlertPageParams {
	for _, x := range alertStates {
		v.States = append(v.States, choiceOption{x, p.T("alerts.state." + x)})
	}
	for _, x := range alertKinds {
		v.Kinds = append(v.Kinds, choiceOption{x, p.T("alerts.kind." + x)})
	}
	for level := 5; level >= 2; level-- {
		v.Severities = append(v.Severities, choiceOption{strconv.Itoa(level), p.T("alerts.from_level", "Level", p.T("risk."+strconv.Itoa(level)))})
	}
	if !slices.Contains(alertStates, v.State) {
		v.State = ""
	}
	if !slices.Contains(alertKinds, v.Kind) {
		v.Kind = ""
	}
	severity, err := strconv.ParseInt(v.Severity, 10, 32)
	if err != nil || severity < 2 || severity > 5 {
		severity, v.Severity = 0, ""
	}
	if about != nil {
		v.Asset = about.String()
	}
	v.Filtered = v.State != "open" || v.Kind != "" || v.Severity != "" || v.Search != "" || about != nil
	return db.AlertPageParams{State: v.State, Kind: v.Kind, Severity: int32(severity), AssetID: about, Search: asset.Fold(v.Search)}
}
