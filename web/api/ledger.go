package api

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
	"github.com/optria-iq/optria/web/proof"
)

// Estimate is an expected value with its 80 % interval.
type Estimate struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low" doc:"10 % quantile"`
	High float64 `json:"high" doc:"90 % quantile"`
}

// LedgerPromise is what a plan stood for. Money is SAR; net is of the window
// of the plan alone, value at stake of the time after it too.
type LedgerPromise struct {
	Jobs            int      `json:"jobs"`
	PlannedCost     float64  `json:"planned_cost"`
	ExpectedCost    float64  `json:"expected_cost"`
	ValueAtStake    float64  `json:"value_at_stake"`
	FailuresAvoided Estimate `json:"failures_avoided"`
	NetValue        Estimate `json:"net_value"`
}

// LedgerOutcome is what has come of a plan so far.
type LedgerOutcome struct {
	Done            int      `json:"done"`
	Open            int      `json:"open"`
	Cancelled       int      `json:"cancelled"`
	Cost            float64  `json:"cost" doc:"Actual cost of finished jobs, planned cost where none was recorded"`
	CostsRecorded   int      `json:"costs_recorded"`
	FailedBefore    int      `json:"failed_before"`
	FailedAfter     int      `json:"failed_after"`
	FailedWaited    int      `json:"failed_waited"`
	FailureCost     float64  `json:"failure_cost"`
	FailuresAvoided Estimate `json:"failures_avoided"`
	NetValue        Estimate `json:"net_value"`
	OrdersDue       int      `json:"orders_due"`
	OrdersKept      int      `json:"orders_kept" doc:"Finished on a planned day (SMRP 5.4.4)"`
}

// LedgerPlan is one plan of the value ledger; its cases only where one plan is
// asked for.
type LedgerPlan struct {
	PlanID     uuid.UUID     `json:"plan_id"`
	Title      string        `json:"title"`
	Version    int32         `json:"version"`
	State      string        `json:"state"`
	ReleasedAt *time.Time    `json:"released_at,omitempty"`
	From       time.Time     `json:"from"`
	To         time.Time     `json:"to" doc:"End of the window"`
	Verdict    string        `json:"verdict" doc:"too_early, nothing, kept, better or worse"`
	Promised   LedgerPromise `json:"promised"`
	Realised   LedgerOutcome `json:"realised"`
	Cases      []LedgerCase  `json:"cases,omitempty"`
}

// LedgerCase is one decision of a plan and what became of it.
type LedgerCase struct {
	AssetID       uuid.UUID  `json:"asset_id"`
	Tag           string     `json:"tag"`
	Outcome       string     `json:"outcome" doc:"pending, done, failed_before, failed_after, cancelled, waiting or failed_waited"`
	WorkOrderID   *uuid.UUID `json:"work_order_id,omitempty"`
	DoneAt        *time.Time `json:"done_at,omitempty"`
	PlannedCost   float64    `json:"planned_cost"`
	Cost          float64    `json:"cost"`
	Chance        float64    `json:"chance" doc:"Of failing in the window without the job"`
	ChanceAvoided float64    `json:"chance_avoided"`
	FailureCost   float64    `json:"failure_cost" doc:"What a failure of the asset costs"`
}

// ledgerPage is the most plans of one page.
const ledgerPage = 50

func (a *API) ledger() {
	add(a, access.ViewResults, route(http.MethodGet, "/ledger", "list-ledger", "Released plans, promised against realised, newest first", "Ledger"), a.listLedger)
	add(a, access.ViewResults, route(http.MethodGet, "/ledger/{id}", "get-ledger-plan", "One plan of the ledger with each case", "Ledger"), a.getLedgerPlan)
}

func estimate(e ledger.Estimate) Estimate { return Estimate{e.Mean, e.Lo, e.Hi} }

func showLedgerPlan(x proof.Plan) LedgerPlan {
	p, r := x.Promise, x.Account
	return LedgerPlan{PlanID: x.ID, Title: x.Title, Version: x.Version, State: x.State, ReleasedAt: x.ReleasedAt, From: x.Window.From, To: x.Window.To, Verdict: string(x.Verdict),
		Promised: LedgerPromise{p.Jobs, p.Planned, p.Expected, p.Value, estimate(p.Avoided), estimate(p.Net)},
		Realised: LedgerOutcome{Done: r.Done, Open: r.Open, Cancelled: r.Cancelled, Cost: r.Spent, CostsRecorded: r.Recorded, FailedBefore: r.FailedBefore,
			FailedAfter: r.FailedAfter, FailedWaited: r.FailedWaited, FailureCost: r.Loss, FailuresAvoided: estimate(r.Avoided), NetValue: estimate(r.Net),
			OrdersDue: r.Attainment.Due, OrdersKept: r.Attainment.Kept}}
}

// readLedger judges the plans of the ledger as of now.
func (a *API) readLedger(ctx context.Context, filter db.LedgerPlansParams) (proof.Book, error) {
	var book proof.Book
	err := a.DB.InTenant(ctx, filter.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		book, err = proof.Read(ctx, tx, q, filter, time.Now())
		return err
	})
	return book, err
}

func (a *API) listLedger(ctx context.Context, who access.Principal, in *struct {
	Paging
}) (*answer[List[LedgerPlan]], error) {
	skip, err := in.skip(ctx)
	if err != nil {
		return nil, err
	}
	in.Limit = min(in.Limit, ledgerPage) // a plan is judged when it is read
	book, err := a.readLedger(ctx, db.LedgerPlansParams{TenantID: who.TenantID, PageSize: in.Limit + 1, Skip: skip})
	if err != nil {
		return nil, err
	}
	return reply(counted(in.Paging, skip, book.Plans, showLedgerPlan)), nil
}

func (a *API) getLedgerPlan(ctx context.Context, who access.Principal, in *ByID) (*answer[LedgerPlan], error) {
	book, err := a.readLedger(ctx, db.LedgerPlansParams{TenantID: who.TenantID, ID: &in.ID, PageSize: 1})
	if err != nil {
		return nil, err
	}
	if len(book.Plans) == 0 {
		return nil, fault.New(fault.NotFound, "api.not_found")
	}
	out := showLedgerPlan(book.Plans[0])
	for _, l := range book.Plans[0].Lines {
		out.Cases = append(out.Cases, LedgerCase{AssetID: l.AssetID, Tag: l.Tag, Outcome: string(l.Outcome), WorkOrderID: l.OrderID, DoneAt: l.Done,
			PlannedCost: l.Planned, Cost: l.Spent, Chance: l.Chance, ChanceAvoided: l.Avoided, FailureCost: l.Consequence})
	}
	return reply(out), nil
}
