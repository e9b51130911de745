package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/recurrence"
)

// reportRow is one line of the list of reports.
type reportRow struct {
	ID, Schedule   string
	From, To, Made time.Time
}

// reportList is the Data of reports/list.
type reportList struct {
	Rows  []reportRow
	Pager Pager
}

// listReports shows the reports that schedules made, newest first.
func (s *Server) listReports(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "reports.title")
	if err != nil {
		return err
	}
	var v reportList
	total := 0
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListReports(ctx, tx, tenant, pageOffset(r, runPageSize), runPageSize)
		for _, x := range rows {
			total = int(x.Total)
			v.Rows = append(v.Rows, reportRow{x.ID.String(), x.Schedule, x.FromDay, x.ToDay, x.CreatedAt})
		}
		return err
	})
	if err != nil {
		return err
	}
	v.Pager = NewPager(r.URL, runPageSize, total)
	p.Crumbs = []Crumb{{Href: "/schedules", Label: p.T("schedules.title")}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "reports/list", p)
	return nil
}

// reportPlan counts the plans of one state.
type reportPlan struct {
	State, Label string
	Count        int64
}

// reportRisk is one asset of a report.
type reportRisk struct {
	AssetID, Tag, Name, Site string
	Level                    int
	Risk, Probability        float64
	Trusted                  bool
}

// reportView is the Data of reports/show.
type reportView struct {
	Schedule       string
	From, To, Made time.Time
	Plans          []reportPlan
	Releases       recurrence.Releases
	Orders         recurrence.Orders
	Attained       bool
	Attainment     float64
	Risks          []reportRisk
}

// planLooks maps the state of a plan to the look of its mark, in the order in
// which a report lists them.
var planLooks = []struct{ state, look string }{{"proposed", "wait"}, {"approved", "done"}, {"returned", "retry"}, {"expired", "stale"}, {"released", "done"}, {"superseded", "cancel"}}

// showReport prints a report in the language of the page.
func (s *Server) showReport(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "reports.one")
	if err != nil {
		return err
	}
	var row db.GetReportRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		row, err = q.GetReport(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return notFound(err)
	}
	v, err := newReportView(p, row)
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/reports", Label: p.T("reports.title")}, {Label: p.Loc().Date(v.To)}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "reports/show", p)
	return nil
}

func newReportView(p Page, row db.GetReportRow) (reportView, error) {
	var x recurrence.Summary
	if err := json.Unmarshal(row.Report.Content, &x); err != nil {
		return reportView{}, fmt.Errorf("read report: %w", err)
	}
	v := reportView{Schedule: row.Schedule, From: row.Report.FromDay, To: row.Report.ToDay, Made: row.Report.CreatedAt, Releases: x.Releases, Orders: x.Orders}
	v.Attainment, v.Attained = x.Orders.Attainment()
	for _, look := range planLooks {
		if n := x.Plans[look.state]; n > 0 {
			v.Plans = append(v.Plans, reportPlan{look.look, p.T("plans.state." + look.state), n})
		}
	}
	for _, risk := range x.Risks {
		v.Risks = append(v.Risks, reportRisk{AssetID: risk.AssetID.String(), Tag: risk.Tag, Name: localName(p.Lang, risk.NameAr, risk.NameEn),
			Site: localName(p.Lang, risk.SiteAr, risk.SiteEn), Level: risk.Level, Risk: risk.RiskSAR, Probability: risk.Probability30, Trusted: risk.Trusted})
	}
	return v, nil
}
