// Package proof reads released plans for the value ledger: what each promised,
// its work orders, and the failures that its assets had since. Pages and the
// JSON interface show the same figures from it.
package proof

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/ledger"
)

// Line is one decision of a plan with what became of it.
type Line struct {
	db.LedgerCasesRow
	ledger.Result
}

// Plan is one plan of the ledger. Released is false while it only promises.
type Plan struct {
	db.LedgerPlansRow
	Window   ledger.Window
	Released bool
	Over     bool // the window lies behind
	ledger.Entry
	Lines []Line
}

// Book is a page of the ledger.
type Book struct {
	Plans []Plan
	Total int // plans of the whole ledger
}

// Read judges the plans that the filter names as of now.
func Read(ctx context.Context, tx pgx.Tx, q *db.Queries, filter db.LedgerPlansParams, now time.Time) (Book, error) {
	var b Book
	rows, err := q.LedgerPlans(ctx, tx, filter)
	if err != nil {
		return b, fmt.Errorf("list plans: %w", err)
	}
	if len(rows) == 0 {
		return b, nil
	}
	c, err := db.TenantCalendar(ctx, tx, filter.TenantID)
	if err != nil {
		return b, err
	}
	b.Total = int(rows[0].Total)
	ids := make([]uuid.UUID, len(rows))
	at := map[uuid.UUID]int{}
	since := now
	for i, r := range rows {
		p := Plan{LedgerPlansRow: r, Window: windowOf(r, c.Location()), Released: r.ReleasedAt != nil}
		p.Over = p.Window.Over(now)
		ids[i], at[r.ID] = r.ID, i
		if p.Window.From.Before(since) {
			since = p.Window.From
		}
		b.Plans = append(b.Plans, p)
	}
	if err := b.load(ctx, tx, q, filter.TenantID, ids, at, since, c.Location(), now); err != nil {
		return b, err
	}
	return b, nil
}

// windowOf is the window of a run in the zone of the tenant.
func windowOf(r db.LedgerPlansRow, zone *time.Location) ledger.Window {
	return ledger.Window{From: midnight(r.WindowStart, zone), To: midnight(r.WindowStart.AddDate(0, 0, int(r.WindowDays)), zone)}
}

// midnight is the beginning of a day that the database gave.
func midnight(day time.Time, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
}

func (b *Book) load(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, ids []uuid.UUID, at map[uuid.UUID]int, since time.Time, zone *time.Location, now time.Time) error {
	failures, err := q.LedgerFailures(ctx, tx, ids, tenant, since)
	if err != nil {
		return fmt.Errorf("list failures: %w", err)
	}
	failed := map[uuid.UUID][]time.Time{}
	for _, f := range failures {
		failed[f.AssetID] = append(failed[f.AssetID], f.EndedAt)
	}
	cases, err := q.LedgerCases(ctx, tx, tenant, ids)
	if err != nil {
		return fmt.Errorf("list decisions: %w", err)
	}
	for _, r := range cases {
		p := &b.Plans[at[r.PlanID]]
		p.Lines = append(p.Lines, Line{r, p.Window.Judge(caseOf(r, failed[r.AssetID], zone), now)})
	}
	for i := range b.Plans {
		p := &b.Plans[i]
		p.Entry = ledger.Sum(resultsOf(p.Lines), p.Over)
		for _, l := range p.Lines {
			if o, due := dueOrder(l.LedgerCasesRow, zone, now); due {
				p.Account.Attainment.Add(o)
			}
		}
	}
	return nil
}

// caseOf is a decision as the ledger wants it. One that was withheld waits: it
// costs what waiting costs.
func caseOf(r db.LedgerCasesRow, failures []time.Time, zone *time.Location) ledger.Case {
	c := ledger.Case{Acted: r.Decision == "do" && !r.Withheld, Planned: r.PlannedCost, Expected: r.ExpectedCost, Value: r.ValueAtStake,
		Chance: r.FailureProbability, Consequence: r.Consequence, Cancelled: r.OrderStatus == "cancelled", Failures: failures}
	if r.Withheld {
		c.Expected += r.ValueAtStake
	}
	if r.EndOn != nil {
		c.PlannedEnd = midnight(r.EndOn.AddDate(0, 0, 1), zone)
	}
	if r.OrderStatus == "done" {
		c.Done, c.Cost = r.DoneAt, r.ActualCost
	}
	return c
}

// dueOrder is the work order of a decision when its last planned day is past.
func dueOrder(r db.LedgerCasesRow, zone *time.Location, now time.Time) (o ledger.Order, due bool) {
	start, end := r.BaselineStartOn, r.BaselineDueOn
	if start == nil {
		start = r.OrderStartOn
	}
	if end == nil {
		end = r.OrderDueOn
	}
	if start == nil || end == nil || r.OrderStatus == "cancelled" || !midnight(end.AddDate(0, 0, 1), zone).Before(now) {
		return o, false
	}
	done := r.DoneAt
	if r.OrderStatus != "done" {
		done = nil
	}
	return ledger.Finished(*start, *end, done, zone), true
}

// DueOrder is a work order that was due, as the measure wants it.
func DueOrder(x db.AttainmentOrdersRow, zone *time.Location) ledger.Order {
	done := x.DoneAt
	if x.Status != "done" {
		done = nil
	}
	return ledger.Finished(x.StartOn, x.DueOn, done, zone)
}

func resultsOf(lines []Line) []ledger.Result {
	out := make([]ledger.Result, len(lines))
	for i, l := range lines {
		out[i] = l.Result
	}
	return out
}

// Sum adds the plans up. Failures of different plans are independent coins
// too; the sum is judged when every window is past.
func (b Book) Sum() ledger.Entry {
	var all []ledger.Result
	over := true
	var kept ledger.Attainment
	for _, p := range b.Plans {
		all = append(all, resultsOf(p.Lines)...)
		over = over && p.Over
		kept.Due += p.Account.Attainment.Due
		kept.Kept += p.Account.Attainment.Kept
	}
	sum := ledger.Sum(all, over)
	sum.Account.Attainment = kept
	return sum
}
