package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/ledger"
	"github.com/optria-iq/optria/web/chart"
	"github.com/optria-iq/optria/web/proof"
)

// ledgerPageSize is the number of plans on one page of the ledger.
const ledgerPageSize = 12

func (s *Server) ledgerRoutes() []route {
	return []route{
		{http.MethodGet, "/ledger", access.ViewResults, s.showLedger},
		{http.MethodGet, "/ledger/{plan}", access.ViewResults, s.showLedgerPlan},
	}
}

// proofTabs are the pages of the proof room.
func proofTabs(p Page, active string) []tabView {
	return []tabView{{Href: "/ledger", Label: p.T("ledger.tab"), Active: active == "plans"},
		{Href: "/ledger/backtests", Label: p.T("backtests.tab"), Active: active == "backtests"}}
}

// rangeView is an expected value with its interval, money or a count.
type rangeView struct {
	Label, Tip   string
	Promised     ledger.Estimate
	Realised     ledger.Estimate
	Money, Early bool
}

// ledgerRow is one plan of the ledger, or the sum of all.
type ledgerRow struct {
	ID, Title, Href       string
	Version               int
	From, To              time.Time
	ReleasedAt            *time.Time
	Verdict, VerdictLabel string
	Tone, Icon            string
	Promise               ledger.Promise
	Account               ledger.Account
	Failures              int
	Compliance            float64
	ComplianceKnown       bool
	Elapsed               string // share of the window that has passed
	Early, Released       bool
}

type ledgerView struct {
	Tabs   []tabView
	Rows   []ledgerRow
	Sum    ledgerRow
	Ranges []rangeView
	Chart  chart.Intervals
	Pager  Pager
}

// showLedger lists released plans with what they promised and what has come of
// it, and the sum of the page.
func (s *Server) showLedger(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "ledger.title")
	if err != nil {
		return err
	}
	now := time.Now()
	var book proof.Book
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		book, err = proof.Read(ctx, tx, q, db.LedgerPlansParams{TenantID: tenant, PageSize: ledgerPageSize, Skip: pageOffset(r, ledgerPageSize)}, now)
		return err
	})
	if err != nil {
		return err
	}
	sum := book.Sum()
	v := ledgerView{Tabs: proofTabs(p, "plans"), Pager: NewPager(r.URL, ledgerPageSize, book.Total), Sum: newLedgerRow(p, proof.Plan{Entry: sum}, now)}
	for _, x := range book.Plans {
		v.Rows = append(v.Rows, newLedgerRow(p, x, now))
	}
	v.Ranges = ledgerRanges(p, sum)
	v.Chart = ledgerChart(p, v.Rows)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "ledger/list", p)
	return nil
}

// ledgerLooks gives each verdict its mark.
var ledgerLooks = map[ledger.Verdict]chipView{
	ledger.TooEarly: {"busy", "hourglass", ""}, ledger.Nothing: {"none", "circle-slash", ""}, ledger.Kept: {"ok", "badge-check", ""},
	ledger.Better: {"ok", "trending-up", ""}, ledger.Worse: {"bad", "trending-down", ""},
}

func newLedgerRow(p Page, x proof.Plan, now time.Time) ledgerRow {
	look := ledgerLooks[x.Verdict]
	row := ledgerRow{ID: x.ID.String(), Title: planName(p, x.Title, x.Version), Href: "/ledger/" + x.ID.String(), From: x.Window.From,
		To: x.Window.To.AddDate(0, 0, -1), ReleasedAt: x.ReleasedAt, Verdict: string(x.Verdict), VerdictLabel: p.T("ledger.verdict." + string(x.Verdict)),
		Tone: look.Tone, Icon: look.Icon, Promise: x.Promise, Account: x.Account, Early: x.Verdict == ledger.TooEarly, Released: x.Released,
		Failures: x.Account.FailedBefore + x.Account.FailedAfter + x.Account.FailedWaited}
	row.Compliance, row.ComplianceKnown = x.Account.Attainment.Share()
	if whole := x.Window.To.Sub(x.Window.From); whole > 0 {
		row.Elapsed = p.Loc().Pct(min(1, max(0, float64(now.Sub(x.Window.From))/float64(whole))), 0)
	}
	if !x.Released && x.ID != uuid.Nil {
		row.VerdictLabel, row.Tone, row.Icon = p.T("ledger.verdict.unreleased"), "none", "circle-dashed"
	}
	return row
}

// ledgerRanges are the figures that have an interval, promise beside outcome.
func ledgerRanges(p Page, e ledger.Entry) []rangeView {
	early := e.Verdict == ledger.TooEarly
	return []rangeView{
		{Label: p.T("ledger.avoided"), Tip: p.T("ledger.avoided.tip"), Promised: e.Promise.Avoided, Realised: e.Account.Avoided, Early: early},
		{Label: p.T("ledger.net"), Tip: p.T("ledger.net.tip"), Promised: e.Promise.Net, Realised: e.Account.Net, Money: true, Early: early},
	}
}

// ledgerChart draws the net value of each plan, promised and realised.
func ledgerChart(p Page, rows []ledgerRow) chart.Intervals {
	in := make([]chart.IntervalRow, 0, len(rows))
	for _, r := range rows {
		row := chart.IntervalRow{Label: r.Title, Href: r.Href, Total: p.Loc().MoneyCompact(r.Account.Net.Mean), Spans: []chart.Interval{
			{Class: "s1", Label: p.T("ledger.promised"), Lo: r.Promise.Net.Lo, Mid: r.Promise.Net.Mean, Hi: r.Promise.Net.Hi},
			{Class: "s3", Label: p.T("ledger.realised"), Lo: r.Account.Net.Lo, Mid: r.Account.Net.Mean, Hi: r.Account.Net.Hi}}}
		for i, s := range row.Spans {
			row.Spans[i].Hint = p.T("ledger.interval", "Label", s.Label, "Mean", p.Loc().MoneyCompact(s.Mid), "Lo", p.Loc().MoneyCompact(s.Lo), "Hi", p.Loc().MoneyCompact(s.Hi))
		}
		in = append(in, row)
	}
	return chart.NewIntervals(chart.For(p.Lang), p.T("ledger.chart.alt"), in)
}

// ledgerCase is one decision on the page of a plan.
type ledgerCase struct {
	AssetID, Tag, Name, Site string
	Order                    string // id of the work order
	Number                   int64
	Outcome, OutcomeLabel    string
	Tone, Icon               string
	Due, DoneAt              *time.Time
	P, Avoided               float64
	Spent, Planned           float64
	Consequence              float64
	Done, Acted              bool
}

type ledgerPlanView struct {
	ledgerRow
	Tabs   []tabView
	Ranges []rangeView
	Cases  []ledgerCase
	Pager  Pager
}

// showLedgerPlan lists each decision of a plan with what became of it. A plan
// that is not released yet shows its promise.
func (s *Server) showLedgerPlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "plan")
	if err != nil {
		return err
	}
	p, err := s.page(r, "ledger.title")
	if err != nil {
		return err
	}
	now := time.Now()
	var book proof.Book
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		book, err = proof.Read(ctx, tx, q, db.LedgerPlansParams{TenantID: tenant, ID: &id, PageSize: 1}, now)
		return err
	})
	if err != nil {
		return err
	}
	if len(book.Plans) == 0 {
		return fault.New(fault.NotFound, "error.404.text")
	}
	plan := book.Plans[0]
	v := ledgerPlanView{ledgerRow: newLedgerRow(p, plan, now), Tabs: proofTabs(p, "plans"), Ranges: ledgerRanges(p, plan.Entry),
		Pager: NewPager(r.URL, runPageSize, len(plan.Lines))}
	for _, l := range plan.Lines[min(v.Pager.Offset(), len(plan.Lines)):min(v.Pager.Offset()+runPageSize, len(plan.Lines))] {
		v.Cases = append(v.Cases, newLedgerCase(p, l))
	}
	p.Title = v.Title
	p.Crumbs = []Crumb{{Href: "/ledger", Label: p.T("ledger.title")}, {Label: v.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "ledger/plan", p)
	return nil
}

// outcomeLooks gives each outcome its mark.
var outcomeLooks = map[ledger.Outcome]chipView{
	ledger.Pending: {"wait", "hourglass", ""}, ledger.Done: {"ok", "circle-check", ""}, ledger.FailedBefore: {"bad", "octagon-alert", ""},
	ledger.FailedAfter: {"bad", "octagon-alert", ""}, ledger.Cancelled: {"none", "ban", ""}, ledger.Waiting: {"none", "hourglass", ""},
	ledger.FailedWaited: {"bad", "octagon-alert", ""},
}

func newLedgerCase(p Page, l proof.Line) ledgerCase {
	look := outcomeLooks[l.Outcome]
	row := ledgerCase{AssetID: l.AssetID.String(), Tag: l.Tag, Name: localName(p.Lang, l.NameAr, l.NameEn), Site: localName(p.Lang, l.SiteAr, l.SiteEn),
		Number: l.OrderNumber, Outcome: string(l.Outcome), OutcomeLabel: p.T("ledger.outcome." + string(l.Outcome)), Tone: look.Tone, Icon: look.Icon,
		Due: l.EndOn, P: l.Chance, Avoided: l.Avoided, Spent: l.Spent, Planned: l.Planned, Consequence: l.Consequence,
		Done: l.Done != nil, Acted: l.Acted}
	if l.OrderID != nil {
		row.Order = l.OrderID.String()
	}
	if row.Done {
		row.DoneAt = l.Done
	}
	return row
}
