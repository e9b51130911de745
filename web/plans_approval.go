package web

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/approvals"
)

// planStep is one state on the way of a plan: done, busy (where the plan stands),
// next, or fail.
type planStep struct {
	Label, State, Icon, Tone, Note string
	At                             *time.Time
}

// heldRow is a job of the plan that is not carried out.
type heldRow struct {
	subjectName
	Stage, By, Reason string
}

// pinRow is a decision that was fixed before solving, with what it costs.
type pinRow struct {
	subjectName
	Verdict       string
	Price         float64
	Priced, Exact bool
}

// loadApproval reads what people decided and said, and what the reader may do.
func (x *planRows) loadApproval(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, who access.Principal) error {
	plan := x.plan.Plan
	var err error
	if x.decisions, err = q.PlanDecisionsPage(ctx, tx, plan.TenantID, plan.ID); err != nil {
		return err
	}
	if x.lines, err = q.ListPlanLines(ctx, tx, &plan.ID, plan.TenantID, plan.ScenarioID); err != nil {
		return err
	}
	if x.comments, err = q.ListPlanComments(ctx, tx, plan.TenantID, plan.ScenarioID); err != nil {
		return err
	}
	if x.rules, err = q.GetGovernance(ctx, tx, plan.TenantID); err != nil {
		return err
	}
	next, err := q.NextVersionOfPlan(ctx, tx, plan.TenantID, plan.ID)
	switch {
	case err == nil:
		x.next = &next
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	}
	if x.standing, err = approvals.StandingOn(ctx, tx, plan, who); err != nil {
		return err
	}
	if x.standing.Behalf != nil {
		behalf, err := q.GetUser(ctx, tx, plan.TenantID, *x.standing.Behalf)
		if err != nil {
			return err
		}
		x.behalf = &behalf
	}
	if plan.State == "proposed" {
		x.deciders, err = deciderNames(ctx, tx, p, plan)
	}
	return err
}

// showApproval fills what the page says of the plan's way through people.
func (v *planView) showApproval(p Page, x planRows, who access.Principal) {
	plan := x.plan.Plan
	v.EndorsedAt, v.Deciders, v.Waiting = plan.EndorsedAt, x.deciders, plan.State == "proposed"
	v.Endorsement = v.Waiting && x.rules.RequireEndorsement && plan.EndorsedAt == nil
	if v.Endorsement {
		v.Actions.Approve = false
	}
	v.Left = workingLeft(p, x.book.days, time.Now(), plan.DueAt)
	v.Content = hex.EncodeToString(plan.ContentSha256)
	v.Steps = planSteps(p, x)
	v.Pins = pinRows(p, x.solved, x.book)
	v.Held = heldRows(p, x)
	v.Talk = newCommentsView(p, x.solved, x.book, x.lines, x.comments, who)
	v.Talk.Plan = v.ID
	if x.next != nil {
		v.Next = x.next.ID.String()
	}
	if v.Next == "" && (plan.State == "returned" || plan.State == "expired") && mayRun(who, x.solved.run.Problem) {
		v.Again = "/scenarios/new?again=" + v.Run
	}
}

// planSteps draws the way of a plan: what it has passed, where it stands and
// what comes next.
func planSteps(p Page, x planRows) []planStep {
	plan := x.plan.Plan
	decided := plan.State != "proposed"
	approved := plan.State == "approved" || plan.State == "released" || plan.State == "superseded"
	step := func(name string, done bool, at *time.Time) planStep {
		s := planStep{Label: p.T("plans.step." + name), State: "next", Tone: "none", At: at}
		if done {
			s.State, s.Tone, s.Icon = "done", "ok", "check"
		}
		return s
	}
	names := []string{"draft", "proposed", "endorsed", "approved", "released"}
	steps := []planStep{step("draft", true, x.solved.run.FinishedAt), step("proposed", true, &plan.ProposedAt), step("endorsed", plan.EndorsedAt != nil, plan.EndorsedAt)}
	if plan.EndorsedAt == nil && !x.rules.RequireEndorsement {
		steps[2].Note = p.T("plans.step.optional")
	}
	switch {
	case approved:
		steps = append(steps, step("approved", true, plan.DecidedAt))
	case decided:
		end := step("approved", false, plan.DecidedAt)
		end.Label, end.State, end.Tone, end.Icon = p.T("plans.state."+plan.State), "fail", "bad", "x"
		return append(steps, end)
	default:
		steps = append(steps, step("approved", false, nil))
	}
	steps = append(steps, step("released", plan.ReleasedAt != nil, plan.ReleasedAt))
	if plan.State == "superseded" {
		steps = append(steps, step("superseded", true, nil))
	}
	for i := range steps {
		if steps[i].State == "next" && (i != 2 || x.rules.RequireEndorsement) {
			steps[i].State, steps[i].Tone, steps[i].Icon, steps[i].Label = "busy", "busy", "clock", p.T("plans.step.awaits."+names[i])
			break
		}
	}
	return steps
}

// pinRows lists the decisions of a plan that were held fixed, with the price
// that the solver found for them.
func pinRows(p Page, x solvedPlan, b plantBook) []pinRow {
	prices := map[string]optimize.Price{}
	for _, price := range x.view.Prices {
		if price.Pin {
			prices[price.Subject] = price
		}
	}
	var out []pinRow
	for _, l := range x.view.Lines {
		price, priced := prices[l.Subject]
		if l.Pinned || priced {
			out = append(out, pinRow{b.subject(p.Lang, l), verdictChip(p, x, l).Label, price.Value, priced, price.Exact})
		}
	}
	return out
}

// heldRows lists the jobs that the proposer left out or the approver held back.
func heldRows(p Page, x planRows) []heldRow {
	var out []heldRow
	for _, l := range x.lines {
		if l.Stage == "" {
			continue
		}
		out = append(out, heldRow{x.book.subject(p.Lang, lineOf(x.solved, l.AssetID.String())), p.T("plans.withheld." + l.Stage), localName(p.Lang, l.HeldAr, l.HeldEn), l.Reason})
	}
	return out
}

// lineOf finds the decision on an asset.
func lineOf(x solvedPlan, asset string) optimize.Line {
	for _, l := range x.view.Lines {
		if l.AssetID == asset {
			return l
		}
	}
	return optimize.Line{AssetID: asset, Subject: asset}
}

// markLines writes beside each line of the table what was said of it and
// whether it is carried out.
func markLines(p Page, v *planView, x planRows) {
	byAsset := map[string]db.ListPlanLinesRow{}
	for _, l := range x.lines {
		byAsset[l.AssetID.String()] = l
	}
	said := map[string]int{}
	for _, c := range x.comments {
		if c.RecommendationID != nil {
			said[c.RecommendationID.String()]++
		}
	}
	for i := range v.Lines.Rows {
		row := &v.Lines.Rows[i]
		line, ok := byAsset[row.AssetID]
		if !ok {
			continue
		}
		row.Comments, row.Said = "?on="+line.ID.String()+"#comments", said[line.ID.String()]
		if row.Said > 0 {
			row.Comments = "#c-" + line.ID.String()
		}
		if line.Stage != "" {
			row.Held = p.T("plans.withheld." + line.Stage)
		}
	}
}
