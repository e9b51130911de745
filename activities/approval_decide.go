package activities

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/fault"
)

// stageApproval marks lines that an approver held back; proposers leave lines
// out at stage "proposal".
const stageApproval = "approval"

// decide stores a new decision and returns the state of the plan after it.
func decide(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) (string, error) {
	actor, behalf, err := decider(ctx, tx, q, p, in)
	if err != nil {
		return p.State, err
	}
	if in.Kind == kindApproved || in.Kind == kindEndorsed {
		if err := agreeable(ctx, tx, q, p, in); err != nil {
			return p.State, err
		}
	}
	err = q.AddDecision(ctx, tx, db.AddDecisionParams{
		TenantID: in.TenantID, ID: in.DecisionID, PlanID: p.ID, LaunchedBy: p.LaunchedBy, ProposedBy: p.ProposedBy,
		ActorID: in.ActorID, Kind: in.Kind, Comment: in.Comment, OnBehalfOf: behalf,
	})
	if err != nil {
		return p.State, err
	}
	state, err := applyDecision(ctx, tx, q, p, in)
	if err != nil {
		return p.State, err
	}
	if err := announceDecision(ctx, tx, p, in, behalf, state); err != nil {
		return p.State, err
	}
	after := map[string]any{"state": state, "comment": in.Comment}
	if behalf != nil {
		after["on_behalf_of"] = *behalf
	}
	if len(in.Withheld) > 0 {
		after["withheld"], after["hold_reason"] = in.Withheld, in.HoldReason
	}
	return state, db.AppendAudit(ctx, tx, db.Entry{
		TenantID: in.TenantID, Actor: actor, Action: "plan." + in.Kind, ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": p.State}, After: after,
	})
}

// decider returns who decides, and in whose place when their own roles do not
// permit it but somebody who may approve lets them decide now.
func decider(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) (db.Actor, *uuid.UUID, error) {
	need := capabilityFor(in.Kind)
	actor, err := permitted(ctx, tx, q, in.TenantID, in.ActorID, need)
	if err == nil || need != access.ApprovePlan || fault.CodeOf(err) != fault.Forbidden {
		return actor, nil, err
	}
	if actor, err = permitted(ctx, tx, q, in.TenantID, in.ActorID, access.CommentPlans); err != nil {
		return actor, nil, err // a viewer decides for nobody
	}
	behind, err := db.StandsInFor(ctx, tx, in.TenantID, in.ActorID)
	if err != nil {
		return actor, nil, err
	}
	person, ok, own := approval.StandsInFor(behind, p.LaunchedBy, p.ProposedBy)
	switch {
	case ok:
	case own && in.Kind == kindReturned:
		person = behind[0] // returning one's own plan takes no second pair of eyes
	case own:
		return actor, nil, fault.New(fault.Forbidden, KeyFourEyes)
	default:
		return actor, nil, fault.New(fault.Forbidden, KeyNotAllowed)
	}
	return actor, &person, nil
}

func capabilityFor(kind string) access.Capability {
	if kind == kindEndorsed || kind == kindObjected {
		return access.EndorsePlan
	}
	return access.ApprovePlan
}

// agreeable refuses an approval or an endorsement that does not say what was
// seen, or that is about anything but what was proposed, and an approval that
// comes before the technical endorsement that the tenant asks for.
func agreeable(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) error {
	rules, err := q.GetGovernance(ctx, tx, p.TenantID)
	if err != nil {
		return fmt.Errorf("load rules: %w", err)
	}
	if in.Kind == kindApproved && rules.RequireEndorsement && p.EndorsedAt == nil {
		return fault.New(fault.Conflict, KeyNotEndorsed)
	}
	if p.ContentSha256 == nil {
		return nil // proposed before contents had a hash
	}
	if len(in.ContentSHA256) == 0 {
		return fault.New(fault.Invalid, KeyContentMissing)
	}
	content, err := contentOf(ctx, tx, q, p)
	if err != nil {
		return err
	}
	if !bytes.Equal(content, p.ContentSha256) || !bytes.Equal(in.ContentSHA256, p.ContentSha256) {
		return fault.New(fault.Conflict, KeyContentChanged)
	}
	return nil
}

// contentOf computes the hash of a plan from the rows of today.
func contentOf(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) ([]byte, error) {
	content, err := q.PlanContent(ctx, tx, p.TenantID, p.ScenarioID)
	if err != nil {
		return nil, fmt.Errorf("load content: %w", err)
	}
	rows, err := q.ListWithheld(ctx, tx, p.TenantID, p.ID)
	if err != nil {
		return nil, fmt.Errorf("list withheld: %w", err)
	}
	var left []uuid.UUID
	for _, w := range rows {
		if w.Stage != stageApproval {
			left = append(left, w.RecommendationID)
		}
	}
	return approval.ContentSHA256(content.InputSha256, content.Output, left)
}

// applyDecision changes the plan as the decision says and returns its state.
func applyDecision(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) (string, error) {
	switch in.Kind {
	case kindApproved:
		if err := withhold(ctx, tx, q, p, in); err != nil {
			return p.State, err
		}
		return in.Kind, settlePlan(ctx, tx, q, p, in.Kind)
	case kindReturned:
		return in.Kind, settlePlan(ctx, tx, q, p, in.Kind)
	}
	if _, err := q.SetEndorsement(ctx, tx, in.Kind == kindEndorsed, p.TenantID, p.ID); err != nil {
		return p.State, fmt.Errorf("set endorsement: %w", err)
	}
	return p.State, nil
}

// withhold keeps the lines back that an approval names. Each must be a job of
// the plan that is not left out yet, and one job at least must remain.
func withhold(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, in DecisionInput) error {
	if len(in.Withheld) == 0 {
		return nil
	}
	slices.SortFunc(in.Withheld, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	lines := slices.Compact(in.Withheld)
	held, err := q.WithholdLines(ctx, tx, db.WithholdLinesParams{TenantID: p.TenantID, PlanID: p.ID, Stage: stageApproval, Reason: in.HoldReason,
		ActorID: in.ActorID, Recommendations: lines})
	if err != nil {
		return fmt.Errorf("withhold lines: %w", err)
	}
	if int(held) != len(lines) {
		return fault.New(fault.Invalid, KeyNotALine)
	}
	left, err := q.CountReleasableLines(ctx, tx, p.TenantID, p.ID)
	if err != nil {
		return fmt.Errorf("count lines: %w", err)
	}
	if left == 0 {
		return fault.New(fault.Invalid, KeyNothingLeft)
	}
	return nil
}

// announceDecision tells the launcher and the proposer, the person stood in
// for, and of technical opinions those who decide.
func announceDecision(ctx context.Context, tx pgx.Tx, p db.Plan, in DecisionInput, behalf *uuid.UUID, state string) error {
	to := []uuid.UUID{p.LaunchedBy, p.ProposedBy}
	if behalf != nil {
		to = append(to, *behalf)
	}
	if capabilityFor(in.Kind) == access.EndorsePlan {
		deciders, err := db.DeciderIDs(ctx, tx, p)
		if err != nil {
			return err
		}
		to = append(to, deciders...)
	}
	return db.AnnouncePlan(ctx, tx, p, db.PlanEvent{Kind: "plan." + in.Kind, Key: in.DecisionID.String(), State: state, Reason: in.Comment,
		Actor: &in.ActorID, Withheld: len(in.Withheld), To: to})
}
