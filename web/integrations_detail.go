package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/chart"
)

// syncRow is one sync of the history.
type syncRow struct {
	At           time.Time
	Seconds      float64
	State, Label string
	From, To     *time.Time
	Rows, Bad    int64
	Error        string
	Gap          time.Duration // time before From that no sync covers
}

type credentialRow struct {
	Label string
	At    time.Time
}

type integrationDetail struct {
	integrationRow
	Credentials        []credentialRow
	Syncs              []syncRow
	Gaps, Failures     int
	Chart              chart.Plot
	HasChart           bool
	CanManage, CanTest bool
}

// showIntegration prints one integration: its health, settings and the last
// fifty syncs.
func (s *Server) showIntegration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "integrations.title")
	if err != nil {
		return err
	}
	rows, err := s.integrationRows(r, p, &id)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.New(fault.NotFound, "error.404.text")
	}
	who := access.From(r.Context())
	v := integrationDetail{integrationRow: rows[0], CanManage: who.Can(access.ManageIntegrations), CanTest: who.Can(access.TestIntegrations)}
	var syncs []db.IntegrationSync
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		fields, err := q.ListCredentialFields(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		for _, f := range fields {
			v.Credentials = append(v.Credentials, credentialRow{credentialName(p, v.SpecKind, f.Field), f.UpdatedAt})
		}
		syncs, err = q.ListSyncs(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	s.addSyncs(p, &v, syncs)
	p.Title = v.Name
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Label: v.Name}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "integrations/detail", p)
	return nil
}

// credentialName is the label of a credential in the form of its kind.
func credentialName(p Page, kind, field string) string {
	if spec, ok := connector.Lookup(kind); ok {
		for _, f := range spec.Fields {
			if f.Key == field {
				return p.T(f.LabelKey)
			}
		}
	}
	return field
}

// addSyncs lists the syncs, newest first, and marks the windows of time that
// none of them covers.
func (s *Server) addSyncs(p Page, v *integrationDetail, syncs []db.IntegrationSync) {
	for _, x := range syncs {
		row := syncRow{At: x.FinishedAt, Seconds: x.FinishedAt.Sub(x.StartedAt).Seconds(), State: syncStates[x.Status],
			Label: p.T("integrations.sync." + x.Status), From: x.FromTs, To: x.ToTs, Rows: x.RowsWritten, Bad: x.RowsBad}
		if x.Status == "failed" {
			v.Failures++
			row.Error = s.faultText(p, x.Error)
		}
		v.Syncs = append(v.Syncs, row)
	}
	var reached *time.Time
	for i := range slices.Backward(v.Syncs) {
		row := &v.Syncs[i]
		if row.From != nil && reached != nil && row.From.After(*reached) {
			row.Gap = row.From.Sub(*reached)
			v.Gaps++
		}
		if row.To != nil {
			reached = row.To
		}
	}
	v.Chart, v.HasChart = syncChart(p, v.Syncs)
}

// syncChart draws the rows that each sync wrote over time.
func syncChart(p Page, rows []syncRow) (chart.Plot, bool) {
	if len(rows) < 2 {
		return chart.Plot{}, false
	}
	line := chart.Line{Class: "ln-main", Label: p.T("integrations.chart.rows"), Step: true}
	bad := chart.Line{Class: "ln-bad", Label: p.T("integrations.chart.bad"), Step: true}
	anyBad := false
	for _, x := range slices.Backward(rows) {
		at := float64(x.At.Unix())
		line.Points = append(line.Points, chart.Point{X: at, Y: float64(x.Rows)})
		bad.Points = append(bad.Points, chart.Point{X: at, Y: float64(x.Bad)})
		anyBad = anyBad || x.Bad > 0
	}
	first, last := rows[len(rows)-1].At, rows[0].At
	if !last.After(first) {
		return chart.Plot{}, false
	}
	lines := []chart.Line{line}
	if anyBad {
		lines = append(lines, bad)
	}
	zero := 0.0
	in := chart.Input{Dir: chart.For(p.Lang), Height: 200, Lines: lines, YMin: &zero, YFormat: func(v float64) string { return p.Loc().Num(v, 0) },
		Alt: p.T("integrations.chart.alt")}
	for i := range 4 {
		at := first.Add(time.Duration(math.Round(float64(last.Sub(first)) * float64(i) / 3)))
		label := p.Loc().Clock(at)
		if last.Sub(first) > 36*time.Hour {
			label = p.Loc().ShortDate(at)
		}
		in.XTicks = append(in.XTicks, chart.Mark{At: float64(at.Unix()), Label: label})
	}
	return chart.NewPlot(in), true
}
