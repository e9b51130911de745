package web

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/ledger"
	"github.com/optria-iq/optria/web/chart"
	"github.com/optria-iq/optria/web/proof"
)

// The figures look at the orders that were due in the last four weeks; the
// chart has one point for each of the last twelve.
const (
	attainmentDays  = 28
	attainmentWeeks = 12
)

// attainmentRow is the attainment of one site, technician or plan.
type attainmentRow struct {
	Name      string
	Due, Kept int
	Share     float64
}

// attainmentGroup is a breakdown.
type attainmentGroup struct {
	Label string
	Rows  []attainmentRow
}

// attainmentView is how well work orders keep the dates of their plans.
type attainmentView struct {
	KPIs   []kpiView
	Trend  chart.Plot
	Groups []attainmentGroup
	From   time.Time
}

// loadAttainment reads the orders that the filter leaves and were due lately.
// The status does not filter: that an order is done is what is measured.
func loadAttainment(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, filter db.WorkOrderPageParams, now time.Time) (*attainmentView, error) {
	today := dateIn(riyadhZone, now)
	yesterday := today.AddDate(0, 0, -1) // what is due today may still be kept
	first := weekOf(today).AddDate(0, 0, -7*(attainmentWeeks-1))
	rows, err := q.AttainmentOrders(ctx, tx, db.AttainmentOrdersParams{TenantID: filter.TenantID, FromDay: first, ToDay: yesterday,
		SiteID: filter.SiteID, PlanID: filter.PlanID, Technician: filter.Technician})
	if err != nil {
		return nil, err
	}
	return newAttainment(p, rows, today), nil
}

// weekOf is the Sunday on which the week of a day begins.
func weekOf(day time.Time) time.Time { return day.AddDate(0, 0, -int(day.Weekday())) }

func newAttainment(p Page, rows []db.AttainmentOrdersRow, today time.Time) *attainmentView {
	v := &attainmentView{From: today.AddDate(0, 0, -attainmentDays)}
	var all, before ledger.Attainment
	weeks := make([]ledger.Attainment, attainmentWeeks)
	first := weekOf(today).AddDate(0, 0, -7*(attainmentWeeks-1))
	groups := []breakdown{newBreakdown("site"), newBreakdown("workorders.column.engineer"), newBreakdown("workorders.column.plan")}
	for _, x := range rows {
		o := proof.DueOrder(x, riyadhZone)
		weeks[int(o.Due.Sub(first).Hours()/24)/7].Add(o)
		if o.Due.Before(v.From) {
			if !o.Due.Before(v.From.AddDate(0, 0, -attainmentDays)) {
				before.Add(o)
			}
			continue
		}
		all.Add(o)
		groups[0].add(x.SiteID, localName(p.Lang, x.SiteAr, x.SiteEn), o)
		technician, name := uuid.Nil, p.T("workorders.unassigned")
		if x.TechnicianID != nil {
			technician, name = *x.TechnicianID, localName(p.Lang, x.TechnicianAr, x.TechnicianEn)
		}
		groups[1].add(technician, name, o)
		groups[2].add(x.PlanID, planName(p, x.PlanTitle, x.PlanVersion), o)
	}
	for _, g := range groups {
		v.Groups = append(v.Groups, attainmentGroup{p.T(g.label), g.rows()})
	}
	v.KPIs = attainmentKPIs(p, all, before, rows)
	v.Trend = attainmentTrend(p, weeks, first)
	return v
}

// breakdown is the attainment of sites, technicians or plans with their names.
type breakdown struct {
	ledger.Tally[uuid.UUID]
	label string
	names map[uuid.UUID]string
}

func newBreakdown(label string) breakdown {
	return breakdown{label: label, names: map[uuid.UUID]string{}}
}

func (b *breakdown) add(id uuid.UUID, name string, o ledger.Order) {
	b.names[id] = name
	b.Add(id, o)
}

func (b *breakdown) rows() []attainmentRow {
	out := make([]attainmentRow, len(b.Keys))
	for i, id := range b.Keys {
		share, _ := b.Sums[i].Share() // every name has an order that was due
		out[i] = attainmentRow{Name: b.names[id], Due: b.Sums[i].Due, Kept: b.Sums[i].Kept, Share: share}
	}
	return out
}

func attainmentKPIs(p Page, all, before ledger.Attainment, rows []db.AttainmentOrdersRow) []kpiView {
	compliance := kpiView{Icon: "calendar-check", Label: p.T("workorders.attainment"), Tip: p.T("workorders.attainment.tip"), Value: "–",
		Note: p.T("workorders.attainment.none"), Spark: chart.Spark{Empty: true}}
	if share, known := all.Share(); known {
		compliance.Value, compliance.Note = p.Loc().Pct(share, 0), p.T("workorders.attainment.note")
		if old, known := before.Share(); known && old != share {
			compliance.Delta, compliance.Up, compliance.Good = p.Loc().Pct(max(share-old, old-share), 0), share > old, share > old
		}
	}
	overdue := 0
	for _, x := range rows {
		if x.Status == "open" || x.Status == "in_progress" {
			overdue++
		}
	}
	figure := func(icon, key string, n int) kpiView {
		return kpiView{Icon: icon, Label: p.T(key), Tip: p.T(key + ".tip"), Value: p.Loc().Int(n), Spark: chart.Spark{Empty: true}}
	}
	return []kpiView{compliance, figure("calendar-range", "workorders.due", all.Due), figure("circle-check", "workorders.kept", all.Kept), figure("clock", "workorders.overdue", overdue)}
}

// attainmentTrend draws the weeks in which something was due.
func attainmentTrend(p Page, weeks []ledger.Attainment, first time.Time) chart.Plot {
	zero, hundred := 0.0, 100.0
	in := chart.Input{Dir: chart.For(p.Lang), Height: 150, Alt: p.T("workorders.attainment.trend"), YMin: &zero, YMax: &hundred,
		YFormat: func(v float64) string { return p.Loc().Num(v, 0) + "%" }}
	line := chart.Line{Class: "ln-main", Label: p.T("workorders.attainment")}
	for i, w := range weeks {
		if share, known := w.Share(); known {
			line.Points = append(line.Points, chart.Point{X: float64(i), Y: 100 * share})
		}
		if i%2 == 0 {
			in.XTicks = append(in.XTicks, chart.Mark{At: float64(i), Label: p.Loc().ShortDate(first.AddDate(0, 0, 7*i))})
		}
	}
	if len(line.Points) > 1 {
		in.Lines = []chart.Line{line}
		in.Dot = &line.Points[len(line.Points)-1]
		in.XTicks = ticksWithin(in.XTicks, line.Points[0].X, line.Points[len(line.Points)-1].X)
	}
	return chart.NewPlot(in)
}

// ticksWithin keeps the labels between the first and the last point.
func ticksWithin(ticks []chart.Mark, from, to float64) []chart.Mark {
	var out []chart.Mark
	for _, t := range ticks {
		if t.At >= from && t.At <= to {
			out = append(out, t)
		}
	}
	return out
}
