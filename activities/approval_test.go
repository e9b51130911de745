package activities

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/approval"
	"github.com/optria-iq/optria/internal/fault"
)

// delegate lets one person decide in place of another from an hour ago.
func (f *plantFixture) delegate(from, to string, until time.Duration) {
	f.t.Helper()
	f.exec(`INSERT INTO core.delegations (tenant_id, from_user, to_user, starts_at, ends_at, created_by)
		VALUES ($1, $2, $3, now() - interval '2 hours', now() + make_interval(secs => $4), $2)`, f.tenant, f.people[from], f.people[to], until.Seconds())
}

// sealed gives a plan the hash of its content, as a proposal does.
func (f *plantFixture) sealed(plan PlanRef) []byte {
	f.t.Helper()
	var hash []byte
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, plan.TenantID, plan.PlanID)
		if err != nil {
			return err
		}
		content, err := q.PlanContent(ctx, tx, plan.TenantID, p.ScenarioID)
		if err != nil {
			return err
		}
		hash, err = approval.ContentSHA256(content.InputSha256, content.Output, nil)
		return err
	})
	f.exec(`UPDATE optimization.plans SET content_sha256 = $3 WHERE tenant_id = $1 AND id = $2`, plan.TenantID, plan.PlanID, hash)
	return hash
}

// jobs lists the recommendations to act of a plan.
func (f *plantFixture) jobs(plan PlanRef) (ids []uuid.UUID) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListJobsToRelease(ctx, tx, plan.TenantID, plan.PlanID)
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return err
	})
	return ids
}

// told lists the roles of the people who were notified of the events of a kind.
func (f *plantFixture) told(kind string) []string {
	f.t.Helper()
	var roles []string
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		rows, err := tx.Query(ctx, `SELECT u.roles[1] FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
			JOIN core.users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id WHERE n.tenant_id = $1 AND e.kind = $2 ORDER BY 1`, f.tenant, kind)
		if err != nil {
			return err
		}
		roles, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return roles
}

func (f *plantFixture) decision(plan PlanRef, by, kind string) DecisionInput {
	return DecisionInput{PlanRef: plan, DecisionID: uuid.New(), ActorID: f.people[by], Kind: kind, Comment: "because"}
}

func TestDeputyDecidesInPlaceOfAnApprover(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	approve := f.decision(plan, "reliability_engineer", kindApproved)
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, approve)
	f.delegate("tenant_admin", "reliability_engineer", -time.Hour)
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, approve) // over
	f.delegate("tenant_admin", "viewer", time.Hour)
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Approval.RecordDecision, f.decision(plan, "viewer", kindApproved)) // a viewer decides for nobody
	f.delegate("tenant_admin", "reliability_engineer", time.Hour)
	var recorded Recorded
	f.do(&recorded, f.set.Approval.RecordDecision, approve)
	require.Equal(t, PlanApproved, recorded.State)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1 AND on_behalf_of = $2 AND actor_id = $3`,
		f.tenant, f.people["tenant_admin"], f.people["reliability_engineer"]))
	require.Equal(t, []string{"optimization_engineer", "tenant_admin"}, f.told("plan.approved"), "not the deputy, who did it")
	f.intact()
}

func TestFourEyesCoverDeputyAndPrincipal(t *testing.T) {
	f := newPlant(t)
	f.delegate("tenant_admin", "reliability_engineer", time.Hour)
	f.delegate("tenant_admin", "optimization_engineer", time.Hour)
	own := f.propose(f.solved("tenant_admin"), "optimization_engineer")
	f.refuse(TypeFourEyes, KeyFourEyes, f.set.Approval.RecordDecision, f.decision(own, "reliability_engineer", kindApproved)) // in place of the launcher
	f.refuse(TypeFourEyes, KeyFourEyes, f.set.Approval.RecordDecision, f.decision(own, "optimization_engineer", kindApproved))
	other := f.propose(f.solved("reliability_engineer"), "reliability_engineer")
	f.refuse(TypeFourEyes, KeyFourEyes, f.set.Approval.RecordDecision, f.decision(other, "reliability_engineer", kindApproved)) // the deputy launched it
	var returned Recorded
	f.do(&returned, f.set.Approval.RecordDecision, f.decision(own, "reliability_engineer", kindReturned))
	require.Equal(t, PlanReturned, returned.State, "returning takes no second pair of eyes")
	f.intact()
}

// The database refuses whatever the program would let through.
func TestDatabaseRefusesForgedDecisions(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "reliability_engineer")
	account := f.id(`SELECT id FROM core.users WHERE tenant_id = $1 AND 'service_account' = ANY (roles) LIMIT 1`, f.tenant)
	launcher, proposer, admin := f.people["optimization_engineer"], f.people["reliability_engineer"], f.people["tenant_admin"]
	insert := func(actor uuid.UUID, behalf *uuid.UUID, kind string) error {
		return f.db.InTenant(t.Context(), f.tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			return q.AddDecision(ctx, tx, db.AddDecisionParams{TenantID: f.tenant, ID: uuid.New(), PlanID: plan.PlanID, LaunchedBy: launcher, ProposedBy: proposer,
				ActorID: actor, Kind: kind, Comment: "forged", OnBehalfOf: behalf})
		})
	}
	for name, c := range map[string]struct {
		actor  uuid.UUID
		behalf *uuid.UUID
	}{
		"launcher": {launcher, nil}, "proposer": {proposer, nil}, "launcher as deputy": {launcher, &admin},
		"in place of the launcher": {admin, &launcher}, "in place of the proposer": {admin, &proposer}, "service account": {account, nil},
	} {
		require.Equal(t, fault.Forbidden, fault.CodeOf(insert(c.actor, c.behalf, kindApproved)), name)
	}
	require.Equal(t, fault.Forbidden, fault.CodeOf(insert(account, nil, kindReturned)))
	forged := func(people string) error { // a plan that names other people than the run has
		return f.db.InTenant(t.Context(), f.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO optimization.plan_decisions (tenant_id, id, plan_id, %s, actor_id, kind)
				SELECT tenant_id, gen_random_uuid(), id, $3, $3, $4, 'approved' FROM optimization.plans WHERE tenant_id = $1 AND id = $2`, people), f.tenant, plan.PlanID, admin, launcher)
			return err
		})
	}
	require.Error(t, forged("launched_by, proposed_by"))
	require.Zero(t, f.count(`SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1`, f.tenant))
}

func TestEndorsementStandsUntilAnObjection(t *testing.T) {
	f := newPlant(t)
	f.exec(`INSERT INTO core.governance (tenant_id, require_endorsement) VALUES ($1, true)`, f.tenant)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	lifecycle := func(want string) {
		require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 AND id = $2 AND lifecycle = $3`, f.tenant, plan.PlanID, want))
	}
	f.refuse(TypeConflict, KeyNotEndorsed, f.set.Approval.RecordDecision, f.decision(plan, "tenant_admin", kindApproved))
	f.do(nil, f.set.Approval.RecordDecision, f.decision(plan, "reliability_engineer", kindEndorsed))
	lifecycle("endorsed")
	require.Equal(t, []string{"optimization_engineer", "tenant_admin"}, f.told("plan.endorsed"))
	f.do(nil, f.set.Approval.RecordDecision, f.decision(plan, "reliability_engineer", kindObjected))
	lifecycle("proposed")
	f.refuse(TypeConflict, KeyNotEndorsed, f.set.Approval.RecordDecision, f.decision(plan, "tenant_admin", kindApproved))
	f.do(nil, f.set.Approval.RecordDecision, f.decision(plan, "reliability_engineer", kindEndorsed))
	f.do(nil, f.set.Approval.RecordDecision, f.decision(plan, "tenant_admin", kindApproved))
	lifecycle("approved")
	f.intact()
}

func TestApprovalHoldsLinesBackAndReleasesTheRest(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	seen := f.sealed(plan)
	all := f.jobs(plan)
	require.Greater(t, len(all), 1)
	approve := f.decision(plan, "tenant_admin", kindApproved)
	approve.HoldReason = "spares late"
	f.refuse(TypeInvalid, KeyContentMissing, f.set.Approval.RecordDecision, approve)
	endorse := f.decision(plan, "reliability_engineer", kindEndorsed)
	f.refuse(TypeInvalid, KeyContentMissing, f.set.Approval.RecordDecision, endorse)
	endorse.ContentSHA256, approve.ContentSHA256 = []byte("another plan"), []byte("another plan")
	f.refuse(TypeConflict, KeyContentChanged, f.set.Approval.RecordDecision, endorse)
	f.refuse(TypeConflict, KeyContentChanged, f.set.Approval.RecordDecision, approve)
	approve.ContentSHA256, approve.Withheld = seen, all
	f.refuse(TypeInvalid, KeyNothingLeft, f.set.Approval.RecordDecision, approve)
	approve.Withheld = []uuid.UUID{all[0], uuid.New()}
	f.refuse(TypeInvalid, KeyNotALine, f.set.Approval.RecordDecision, approve)
	approve.Withheld = all[:1]
	for range 2 { // a repeated attempt finds its row
		var recorded Recorded
		f.do(&recorded, f.set.Approval.RecordDecision, approve)
		require.Equal(t, Recorded{State: PlanApproved, Decisions: 1}, recorded)
	}
	require.Equal(t, all[1:], f.jobs(plan))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.plan_withheld WHERE tenant_id = $1 AND plan_id = $2 AND stage = 'approval' AND reason = 'spares late'`,
		f.tenant, plan.PlanID))
	f.intact()
}

// What was proposed is what is approved: a scenario that somebody changed in
// between is refused.
func TestApprovalRefusesAChangedScenario(t *testing.T) {
	f := newPlant(t)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	approve := f.decision(plan, "tenant_admin", kindApproved)
	approve.ContentSHA256 = f.sealed(plan)
	f.exec(`UPDATE optimization.optimization_scenarios s SET output = jsonb_set(output, '{total_cost}', '1') FROM optimization.plans p
		WHERE p.tenant_id = s.tenant_id AND p.scenario_id = s.id AND p.tenant_id = $1 AND p.id = $2`, f.tenant, plan.PlanID)
	f.refuse(TypeConflict, KeyContentChanged, f.set.Approval.RecordDecision, approve)
}

func TestReminderEscalationAndExpiryReachTheRightPeople(t *testing.T) {
	f := newPlant(t)
	f.exec(`INSERT INTO core.governance (tenant_id, decision_hours, reminder_hours, expiry_days, escalate_to) VALUES ($1, 8, 2, 10, $2)`, f.tenant, f.people["viewer"])
	f.delegate("tenant_admin", "reliability_engineer", time.Hour)
	plan := f.propose(f.solved("optimization_engineer"), "optimization_engineer")
	f.exec(`UPDATE optimization.plans SET proposed_at = '2026-11-29 04:00Z', due_at = '2026-11-30 05:00Z' WHERE tenant_id = $1 AND id = $2`, f.tenant, plan.PlanID)
	var view ApprovalView
	f.do(&view, f.set.Approval.LoadApproval, plan)
	require.WithinDuration(t, time.Date(2026, 11, 29, 11, 0, 0, 0, time.UTC), view.RemindAt, 0, "one hour today, one of yesterday's shift, which ends at 15:00 in Riyadh")
	require.WithinDuration(t, time.Date(2026, 12, 9, 4, 0, 0, 0, time.UTC), view.ExpireAt, 0)
	for range 2 {
		f.do(nil, f.set.Approval.RemindApproval, plan)
		f.do(nil, f.set.Approval.EscalateApproval, plan)
	}
	require.Equal(t, []string{"reliability_engineer", "tenant_admin"}, f.told("plan.reminder"), "the approver and the deputy, once")
	require.Equal(t, []string{"reliability_engineer", "tenant_admin", "viewer"}, f.told("plan.escalated"))
	f.do(nil, f.set.Approval.ExpireApproval, plan)
	require.Equal(t, []string{"optimization_engineer"}, f.told("plan.expired"))
	f.intact()
}
