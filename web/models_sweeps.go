package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// recentSweeps is how many scoring sweeps the page shows.
const recentSweeps = 50

// sweepsView is the Data of models/sweeps.
type sweepsView struct {
	Tabs   []tabView
	Sweeps []sweepRow
}

// sweepRow is one pass of the AI service over the assets of the tenant, newest
// first. Took is zero while it runs.
type sweepRow struct {
	State, StateLabel              string
	AsOf, Started                  time.Time
	Ended                          bool
	Took                           time.Duration
	Total, Scored, Skipped, Greyed int
	Rejected                       int64
	Signals                        []refusedSignal
	Failed                         []failedAsset
	Unnamed                        int // assets that could not be scored beyond those named
}

// refusedSignal is a signal whose readings were refused, by reason. Href is
// empty when no asset has the tag any more.
type refusedSignal struct {
	Tag, Metric, Href string
	Rows              int
	Reasons           []refusedReason
}

// refusedReason counts the readings that were refused for one reason.
type refusedReason struct {
	Label string
	Rows  int
}

// failedAsset is an asset that could not be scored, with the error of the
// worker.
type failedAsset struct {
	Tag, Href, Error string
}

// modelTabs are the two pages about models: the registry and the sweeps.
func modelTabs(p Page, sweeps bool) []tabView {
	return []tabView{
		{Href: "/models", Label: p.T("models.title"), Active: !sweeps},
		{Href: "/models/sweeps", Label: p.T("models.sweeps"), Active: sweeps},
	}
}

// listSweeps shows what the last scoring sweeps met.
func (s *Server) listSweeps(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "models.sweeps")
	if err != nil {
		return err
	}
	v := sweepsView{Tabs: modelTabs(p, true)}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return v.load(ctx, tx, q, p, tenant)
	})
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/models", Label: p.T("models.title")}, {Label: p.T("models.sweeps")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "models/sweeps", p)
	return nil
}

func (v *sweepsView) load(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID) error {
	sweeps, err := q.ListSweeps(ctx, tx, tenant, recentSweeps)
	if err != nil {
		return fmt.Errorf("list sweeps: %w", err)
	}
	details, tags := make([]db.SweepDetail, len(sweeps)), []string{}
	for i, sweep := range sweeps {
		if err := json.Unmarshal(sweep.Detail, &details[i]); err != nil {
			return fmt.Errorf("read detail of sweep %s: %w", sweep.ID, err)
		}
		for _, g := range details[i].Rejected {
			tags = append(tags, g.Tag)
		}
		for _, f := range details[i].Failed {
			tags = append(tags, f.Tag)
		}
	}
	slices.Sort(tags)
	assets, err := q.AssetsOfTags(ctx, tx, tenant, slices.Compact(tags))
	if err != nil {
		return fmt.Errorf("find assets of sweeps: %w", err)
	}
	hrefs := map[string]string{}
	for _, a := range assets {
		hrefs[a.Tag] = "/assets/" + a.ID.String()
	}
	for i, sweep := range sweeps {
		v.Sweeps = append(v.Sweeps, newSweepRow(p, sweep, details[i], hrefs))
	}
	return nil
}

// sweepStates are the marks of the part "state-as" by the state of a sweep.
var sweepStates = map[string]string{"running": "run", "done": "done", "failed": "fail"}

func newSweepRow(p Page, s db.ListSweepsRow, d db.SweepDetail, hrefs map[string]string) sweepRow {
	row := sweepRow{State: sweepStates[s.State], StateLabel: p.T("models.sweep.state." + s.State), AsOf: s.AsOf, Started: s.StartedAt,
		Total: int(s.AssetsTotal), Scored: int(s.AssetsScored), Skipped: int(s.AssetsSkipped), Greyed: int(s.AssetsGreyed), Rejected: s.RowsRejected,
		Unnamed: d.Failures - len(d.Failed)}
	if s.FinishedAt != nil {
		row.Ended, row.Took = true, s.FinishedAt.Sub(s.StartedAt)
	}
	for _, g := range d.Rejected {
		signal := refusedSignal{Tag: g.Tag, Metric: g.Metric, Href: hrefs[g.Tag], Rows: g.NotFinite + g.Bad + g.Duplicate + g.Absurd}
		for _, reason := range []refusedReason{
			{p.T("models.sweep.reason.not_finite"), g.NotFinite}, {p.T("models.sweep.reason.bad"), g.Bad},
			{p.T("models.sweep.reason.duplicate"), g.Duplicate}, {p.T("models.sweep.reason.implausible"), g.Absurd},
		} {
			if reason.Rows > 0 {
				signal.Reasons = append(signal.Reasons, reason)
			}
		}
		row.Signals = append(row.Signals, signal)
	}
	for _, f := range d.Failed {
		row.Failed = append(row.Failed, failedAsset{Tag: f.Tag, Href: hrefs[f.Tag], Error: f.Error})
	}
	return row
}
