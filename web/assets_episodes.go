package web

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

// expectedPoints is how many stored scores a timeline reads the expected value
// from: a score is kept whole, and reading thousands of them takes seconds.
const expectedPoints = 180

// episode is a spell in which the detector found an anomaly, with the alert
// that was raised about it, if one was.
type episode struct {
	Began, Ended time.Time
	Peak         float64
	Alert        uuid.UUID
	State        string
}

// readEpisodes finds the spells in a window, newest first. An alert that
// overlaps a spell belongs to it; one that matches none, because the scores of
// its time are gone, is a spell of its own.
func readEpisodes(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, w window) ([]episode, error) {
	rows, err := q.AnomalyEpisodes(ctx, tx, db.AnomalyEpisodesParams{TenantID: tenant, AssetID: id, Since: w.from, Until: w.to})
	if err != nil {
		return nil, err
	}
	alerts, err := q.AnomalyAlerts(ctx, tx, db.AnomalyAlertsParams{TenantID: tenant, AssetID: &id, Since: w.from, Until: w.to})
	if err != nil {
		return nil, err
	}
	return joinEpisodes(rows, alerts)
}

func joinEpisodes(rows []db.AnomalyEpisodesRow, alerts []db.AnomalyAlertsRow) ([]episode, error) {
	out := make([]episode, 0, len(rows))
	for _, x := range rows {
		out = append(out, episode{Began: x.Began, Ended: x.Ended, Peak: x.Peak})
	}
	for _, a := range alerts {
		found := false
		for i := range out {
			e := &out[i]
			if a.RaisedAt.After(e.Ended.Add(oneDay)) || a.EndedAt.Before(e.Began) {
				continue
			}
			found = true
			if e.State == "" {
				e.Alert, e.State = a.ID, a.State
			}
		}
		if found {
			continue
		}
		var d alertDetail
		if err := json.Unmarshal(a.Detail, &d); err != nil {
			return nil, fmt.Errorf("read alert %s: %w", a.ID, err)
		}
		out = append(out, episode{Began: a.RaisedAt, Ended: a.EndedAt, Peak: d.Index, Alert: a.ID, State: a.State})
	}
	slices.SortStableFunc(out, func(a, b episode) int { return b.Began.Compare(a.Began) })
	return out, nil
}

// timelineSpan is a shaded stretch of the timeline that leads to its alert.
type timelineSpan struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Label string `json:"label"`
	Href  string `json:"href"`
}

func spansOf(p Page, episodes []episode) []timelineSpan {
	out := make([]timelineSpan, 0, len(episodes))
	for _, e := range episodes {
		out = append(out, timelineSpan{From: e.Began.Unix(), To: e.Ended.Unix(), Href: e.href(),
			Label: p.T("assets.episode.label", "From", p.Loc().Minute(e.Began), "Index", p.Loc().Num(e.Peak, 1))})
	}
	return out
}

// href leads to the alert of an episode, or nowhere.
func (e episode) href() string {
	if e.State == "" {
		return ""
	}
	return "/alerts/" + e.Alert.String()
}

// timelineIndex is the deviation index beside the signal: 1 is its limit.
type timelineIndex struct {
	Label  string     `json:"label"`
	Limit  string     `json:"limit"`
	Time   []int64    `json:"time"`
	Values []*float64 `json:"values"`
}

func indexOf(p Page, rows []db.AnomalyBandsRow) *timelineIndex {
	if len(rows) == 0 {
		return nil
	}
	out := &timelineIndex{Label: p.T("assets.index"), Limit: p.T("assets.index.limit")}
	for i := range rows {
		out.Time, out.Values = append(out.Time, rows[i].Start.Unix()), append(out.Values, &rows[i].Index)
	}
	return out
}

// episodeRow is one episode in the list below the timeline.
type episodeRow struct {
	Began, Ended time.Time
	Span         string
	Peak         float64
	Href         string
	StateLabel   string
}

func episodeRows(p Page, episodes []episode) []episodeRow {
	out := make([]episodeRow, 0, len(episodes))
	for _, e := range episodes {
		row := episodeRow{Began: e.Began, Ended: e.Ended, Span: p.Loc().Span(e.Ended.Sub(e.Began)), Peak: e.Peak, Href: e.href()}
		if e.State != "" {
			row.StateLabel = p.T("alerts.state." + e.State)
		}
		out = append(out, row)
	}
	return out
}
