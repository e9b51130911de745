// Package approvals is what the pages and the API share about deciding on
// plans: putting a scenario forward, who may decide, comments, and letting
// somebody else decide for a time. Every change writes its audit entry in its
// transaction.
package approvals

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/integration"
)

// The longest note or comment and the longest reason, in letters, as their
// columns hold them.
const (
	MaxNote   = 2000
	MaxReason = 500
)

// Message keys of the faults raised here.
const (
	KeyRunOpen       = "plans.run_open"
	KeyUnderWay      = "plans.under_way"
	KeySuperseded    = "plans.superseded"
	KeyNotExecutable = "plans.not_executable"
	KeyNotALine      = "plans.not_a_line"
	KeyNothingLeft   = "plans.nothing_left"
	KeyHoldReason    = "plans.error.hold_reason"
	KeyLong          = "field.long"
	KeyNotFollowed   = "plans.not_followed"
)

// Act is one change in a transaction of the tenant, made by a person.
type Act struct {
	Tx     pgx.Tx
	Q      *db.Queries
	Origin integration.Origin
	Who    access.Principal
}

// stageProposal marks lines that the proposer left out.
const stageProposal = "proposal"

// Proposal puts a scenario of a finished run forward. Left are recommendations
// that are not to be carried out, for LeftReason. Follows is a returned or
// expired plan that this one is the next version of; a plan of the same run, or
// of the scenario that a what-if run asks about, is followed without being named.
type Proposal struct {
	Run        uuid.UUID
	Preset     string
	Note       string
	Left       []uuid.UUID
	LeftReason string
	Follows    *uuid.UUID
}

// Record stores the plan with what it leaves out, tells those who must act, and
// returns its id. Refusals are faults.
func (p Proposal) Record(ctx context.Context, a Act) (uuid.UUID, error) {
	p.Note, p.LeftReason = strings.TrimSpace(p.Note), strings.TrimSpace(p.LeftReason)
	slices.SortFunc(p.Left, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	p.Left = slices.Compact(p.Left)
	switch {
	case utf8.RuneCountInString(p.Note) > MaxNote, utf8.RuneCountInString(p.LeftReason) > MaxReason:
		return uuid.Nil, fault.New(fault.Invalid, KeyLong)
	case len(p.Left) > 0 && p.LeftReason == "":
		return uuid.Nil, fault.New(fault.Invalid, KeyHoldReason)
	}
	plan, scenario, err := p.plan(ctx, a)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := a.Q.ProposePlan(ctx, a.Tx, plan)
	if err != nil {
		return uuid.Nil, err
	}
	if err := p.leaveOut(ctx, a, id); err != nil {
		return uuid.Nil, err
	}
	if err := p.announce(ctx, a, id); err != nil {
		return uuid.Nil, err
	}
	return id, a.Origin.Audit(ctx, a.Tx, db.Entry{Action: "plan.proposed", ObjectType: "plan", ObjectID: id.String(),
		After: map[string]any{"run": p.Run, "scenario": p.Preset, "version": plan.Version, "total_cost": scenario.TotalCost,
			"due_at": plan.DueAt.UTC().Format(time.RFC3339), "note": p.Note, "left_out": p.Left, "left_reason": p.LeftReason}})
}

// plan checks that the run may be proposed now and fills the row.
func (p Proposal) plan(ctx context.Context, a Act) (db.ProposePlanParams, db.ScenarioOfRunRow, error) {
	var plan db.ProposePlanParams
	var scenario db.ScenarioOfRunRow
	run, err := a.Q.LockRunForProposal(ctx, a.Tx, a.Origin.Tenant, p.Run)
	if err != nil {
		return plan, scenario, err
	}
	problem, known := optimize.Lookup(run.Problem)
	switch {
	case run.State != "done":
		return plan, scenario, fault.New(fault.Conflict, KeyRunOpen)
	case !known || !problem.Spec().Executable:
		return plan, scenario, fault.New(fault.Conflict, KeyNotExecutable)
	}
	if scenario, err = a.Q.ScenarioOfRun(ctx, a.Tx, a.Origin.Tenant, p.Run, p.Preset); err != nil {
		return plan, scenario, err
	}
	plan = db.ProposePlanParams{TenantID: a.Origin.Tenant, RunID: p.Run, ScenarioID: scenario.ID, LaunchedBy: run.RequestedBy, ProposedBy: a.Who.UserID, Note: p.Note}
	if plan.Version, plan.PreviousID, err = p.version(ctx, a, run, scenario.ID); err != nil {
		return plan, scenario, err
	}
	if plan.DueAt, err = Due(ctx, a.Tx, a.Q, a.Origin.Tenant, time.Now()); err != nil {
		return plan, scenario, err
	}
	content, err := a.Q.PlanContent(ctx, a.Tx, a.Origin.Tenant, scenario.ID)
	if err != nil {
		return plan, scenario, err
	}
	plan.ContentSha256, err = approval.ContentSHA256(content.InputSha256, content.Output, p.Left)
	return plan, scenario, err
}

// version finds the plan that this one follows. A scenario whose plan is
// superseded is not put forward again: each of its jobs has been a work order
// already, and has been done, cancelled or taken over since.
func (p Proposal) version(ctx context.Context, a Act, run db.LockRunForProposalRow, scenario uuid.UUID) (int32, *uuid.UUID, error) {
	earlier, err := a.Q.PlansOfRun(ctx, a.Tx, a.Origin.Tenant, p.Run)
	if err != nil {
		return 0, nil, err
	}
	for _, x := range earlier {
		switch {
		case x.State == "proposed" || x.State == "approved" || x.State == "released":
			return 0, nil, fault.New(fault.Conflict, KeyUnderWay)
		case x.State == "superseded" && x.ScenarioID == scenario:
			return 0, nil, fault.New(fault.Conflict, KeySuperseded)
		}
	}
	if len(earlier) > 0 {
		return earlier[0].Version + 1, &earlier[0].ID, nil
	}
	if p.Follows == nil && run.BasedOn == nil {
		return 1, nil, nil
	}
	ended, err := a.Q.ListOpenEndedPlans(ctx, a.Tx, a.Origin.Tenant, run.Problem)
	if err != nil {
		return 0, nil, err
	}
	i := slices.IndexFunc(ended, func(x db.ListOpenEndedPlansRow) bool {
		if p.Follows != nil {
			return x.ID == *p.Follows
		}
		return x.ScenarioID == *run.BasedOn
	})
	switch {
	case i >= 0:
		return ended[i].Version + 1, &ended[i].ID, nil
	case p.Follows != nil:
		return 0, nil, fault.New(fault.Conflict, KeyNotFollowed)
	}
	return 1, nil, nil
}

// leaveOut withholds what the proposer does not put forward.
func (p Proposal) leaveOut(ctx context.Context, a Act, plan uuid.UUID) error {
	if len(p.Left) == 0 {
		return nil
	}
	n, err := a.Q.WithholdLines(ctx, a.Tx, db.WithholdLinesParams{TenantID: a.Origin.Tenant, PlanID: plan, Stage: stageProposal, Reason: p.LeftReason,
		ActorID: a.Who.UserID, Recommendations: p.Left})
	if err != nil {
		return err
	}
	if int(n) != len(p.Left) {
		return fault.New(fault.Invalid, KeyNotALine)
	}
	left, err := a.Q.CountReleasableLines(ctx, a.Tx, a.Origin.Tenant, plan)
	if err == nil && left == 0 {
		return fault.New(fault.Invalid, KeyNothingLeft)
	}
	return err
}

// announce tells those who may approve and those who may endorse.
func (p Proposal) announce(ctx context.Context, a Act, id uuid.UUID) error {
	plan, err := a.Q.LockPlan(ctx, a.Tx, a.Origin.Tenant, id)
	if err != nil {
		return err
	}
	to, err := db.DeciderIDs(ctx, a.Tx, plan)
	if err != nil {
		return err
	}
	endorsers, err := db.Holders(ctx, a.Tx, a.Origin.Tenant, access.EndorsePlan)
	if err != nil {
		return err
	}
	return db.AnnouncePlan(ctx, a.Tx, plan, db.PlanEvent{Kind: "plan.proposed", Key: id.String(), State: plan.State, Reason: p.Note,
		Actor: &a.Who.UserID, Withheld: len(p.Left), To: append(to, endorsers...)})
}

// Due is the moment until which a plan proposed now is to be decided, by the
// rules and the working calendar of the tenant.
func Due(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, now time.Time) (time.Time, error) {
	rules, err := q.GetGovernance(ctx, tx, tenant)
	if err != nil {
		return now, err
	}
	days, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return now, err
	}
	return rules.Rules().Due(days, now)
}
