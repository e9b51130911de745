package web

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/backtest"
)

// backtestCase is one life with its verdict.
type backtestCase struct {
	Tag, Href, Verdict, Label, Tone, Icon string
	Began                                 time.Time
	Ended, Decided, Job                   *time.Time
	Failed, WithEvidence                  bool
	Saved, Relapse                        float64
}

// backtestCount is one chip over the cases.
type backtestCount struct {
	Label, Tone, Icon string
	N                 int
}

// backtestView is the Data of ledger/backtest.
type backtestView struct {
	Tabs                      []tabView
	ID, State, StateLabel, By string
	From, To, At              time.Time
	Step, Horizon             int
	Open                      bool
	Progress                  float64
	Error, Hash               string
	Result                    backtest.Result
	Counts                    []backtestCount
	Cases                     []backtestCase
	Pager                     Pager
	NetLo, NetHi, AvLo, AvHi  float64
}

// backtestLooks gives each verdict its mark.
var backtestLooks = map[backtest.Verdict]struct{ tone, icon string }{
	backtest.Avoided: {"ok", "shield-check"}, backtest.Missed: {"bad", "circle-x"}, backtest.Needless: {"warn", "circle-slash"},
	backtest.Moved: {"none", "arrow-left"}, backtest.Kept: {"none", "circle-dashed"}, backtest.Quiet: {"none", "circle"}, backtest.TooEarly: {"wait", "hourglass"},
}

// showBacktest prints a backtest; while it runs the page asks again.
func (s *Server) showBacktest(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "backtests.title")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var x db.BacktestDetailRow
	tags := map[string]string{}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if x, err = q.BacktestDetail(ctx, tx, tenant, id); err != nil {
			return err
		}
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		for _, a := range assets {
			tags[a.ID.String()] = a.Tag
		}
		return err
	})
	if err != nil {
		return err
	}
	v, err := newBacktestView(p, x, tags)
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/ledger", Label: p.T("ledger.title")}, {Href: "/ledger/backtests", Label: p.T("backtests.title")}, {Label: p.T("backtests.period")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "ledger/backtest", p)
	return nil
}

func newBacktestView(p Page, x db.BacktestDetailRow, tags map[string]string) (backtestView, error) {
	b := x.Backtest
	v := backtestView{Tabs: proofTabs(p, "backtests"), ID: b.ID.String(), State: backtestStates[b.State], StateLabel: p.T("backtests.state." + b.State),
		By: localName(p.Lang, x.NameAr, x.NameEn), From: b.FromDay, To: b.ToDay, At: b.RequestedAt, Step: int(b.StepDays), Horizon: int(b.HorizonDays),
		Open: b.State == "requested" || b.State == "running", Progress: b.Progress, Hash: hex.EncodeToString(b.ResultSha256)}
	if b.ErrorKey != "" {
		v.Error = failureText(p, b.ErrorKey, b.ErrorDetail)
	}
	if err := json.Unmarshal(b.Result, &v.Result); err != nil {
		return v, fmt.Errorf("read result of backtest %s: %w", b.ID, err)
	}
	sum := v.Result.Summary
	v.NetLo, v.NetHi, v.AvLo, v.AvHi = sum.NetRange.Lo, sum.NetRange.Hi, sum.AvoidedRange.Lo, sum.AvoidedRange.Hi
	for _, verdict := range backtest.Verdicts() {
		if n := sum.Counts[verdict]; n > 0 {
			look := backtestLooks[verdict]
			v.Counts = append(v.Counts, backtestCount{p.T("backtests.verdict." + string(verdict)), look.tone, look.icon, n})
		}
	}
	v.Pager = NewPager(p.URL, runPageSize, len(v.Result.Cases))
	for _, c := range v.Result.Cases[v.Pager.Offset():v.Pager.To] {
		look := backtestLooks[c.Verdict]
		v.Cases = append(v.Cases, backtestCase{Tag: tags[c.AssetID], Href: "/assets/" + c.AssetID, Verdict: string(c.Verdict), Label: p.T("backtests.verdict." + string(c.Verdict)),
			Tone: look.tone, Icon: look.icon, Began: c.Began, Ended: c.Ended, Decided: c.Decided, Job: c.Job, Failed: c.Failed, WithEvidence: c.WithEvidence,
			Saved: c.Saved, Relapse: c.Relapse})
	}
	return v, nil
}
