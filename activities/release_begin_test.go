package activities

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/release"
)

// asked returns an approved plan whose release to the simulated SAP system was
// asked for by the engineer.
func (f *maintained) asked() PlanRef {
	f.t.Helper()
	f.set.Release.deps.Dialer = f.set.Ingest.deps.Dialer
	plan := f.approved()
	f.ask(plan)
	return plan
}

// ask writes down to where a plan whose release is requested is released.
func (f *maintained) ask(plan PlanRef) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.LockPlan(ctx, tx, f.tenant, plan.PlanID)
		if err != nil {
			return err
		}
		_, err = db.StartRelease(ctx, tx, row, *row.ReleaseRequestedBy, &f.ref.IntegrationID)
		return err
	})
}

// demote takes the right to release away from the engineer.
func (f *plantFixture) demote() {
	f.t.Helper()
	f.exec(`UPDATE core.users SET roles = '{viewer}' WHERE tenant_id = $1 AND id = $2`, f.tenant, f.people["optimization_engineer"])
}

func (f *plantFixture) releaseState(plan PlanRef, state string) int {
	f.t.Helper()
	return f.count(`SELECT count(*) FROM optimization.releases r JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.id = r.plan_id
		WHERE r.tenant_id = $1 AND p.id = $2 AND r.state = $3 AND (p.release_requested_by IS NULL) = (r.state = 'undone')`, f.tenant, plan.PlanID, state)
}

// decided records a person's choice about a stuck release.
func (f *plantFixture) decided(plan PlanRef, choice string) (scope ReleaseScope) {
	f.t.Helper()
	f.do(&scope, f.set.Release.ResolveRelease, Resolution{PlanRef: plan, Request: uuid.NewString(), ActorID: f.people["tenant_admin"], Choice: choice, Reason: "the test says so"})
	return scope
}

func TestAReleaseThatNobodyMayCarryOutDoesNotBegin(t *testing.T) {
	f := newMaintained(t)
	plan := f.asked()
	f.demote()
	var scope ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	require.Equal(t, ReleaseUndone, scope.State)
	require.Empty(t, scope.Todo)
	require.Equal(t, 1, f.releaseState(plan, ReleaseUndone))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'release.undone' AND payload ->> 'reason' = $2`, f.tenant, KeyRequesterLost))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'release.undone'`, f.tenant))
	require.Contains(t, f.told("release.undone"), "tenant_admin", "somebody who may asks for it anew")
	var again ReleaseScope // its first answer was lost
	f.do(&again, f.set.Release.PrepareRelease, plan)
	require.Equal(t, ReleaseUndone, again.State)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'release.undone'`, f.tenant))

	f.requestRelease(plan, "tenant_admin")
	f.ask(plan)
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	require.Equal(t, ReleaseRunning, scope.State)
	require.NotEmpty(t, scope.Todo)
	f.intact()
}

func TestAReleaseThatHasBegunGoesOn(t *testing.T) {
	f := newMaintained(t)
	plan := f.asked()
	var scope, again ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	f.refuse(TypeConflict, release.KeyUnmatched, f.set.Release.WriteLine, LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[0]})
	f.demote()
	f.do(&again, f.set.Release.PrepareRelease, plan)
	require.Equal(t, scope.Todo, again.Todo)
	require.Equal(t, ReleaseRunning, again.State)
	f.exec(`UPDATE optimization.release_lines SET state = 'skipped', attempts = 0 WHERE tenant_id = $1 AND release_id = $2`, f.tenant, scope.ReleaseID)
	f.do(nil, f.set.Release.FinishRelease, plan)
	require.Equal(t, 1, f.releaseState(plan, ReleaseDone))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'plan.released' AND actor_id = $2`, f.tenant, f.people["optimization_engineer"]))
	f.intact()
}

// A line may stop before its attempt is counted, and stop again.
func TestEachStopIsTold(t *testing.T) {
	f := newMaintained(t)
	plan := f.asked()
	var scope ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	for range 3 {
		for range 2 {
			f.do(nil, f.set.Release.FailLine, LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[0]}, ErrorDetail{Key: KeyTimeout})
		}
		f.decided(plan, ResolveRetry)
	}
	require.Equal(t, 3, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'release.stuck'`, f.tenant))
}

// What is left to clear of a line that was left out is read from the rows, so
// a release that starts anew knows it.
func TestWhatALineLeftBehindIsClearedOnce(t *testing.T) {
	f := newMaintained(t)
	plan := f.asked()
	var scope ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	require.Empty(t, scope.Clear)
	first := LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[0]}
	f.refuse(TypeConflict, release.KeyUnmatched, f.set.Release.WriteLine, first)
	f.do(nil, f.set.Release.FailLine, first, ErrorDetail{Key: release.KeyUnmatched})
	require.Equal(t, []int32{first.Line}, f.decided(plan, ResolveSkip).Clear)
	var again ReleaseScope
	f.do(&again, f.set.Release.PrepareRelease, plan)
	require.Equal(t, []int32{first.Line}, again.Clear)
	f.do(nil, f.set.Release.ClearSkipped, first)
	f.do(&again, f.set.Release.PrepareRelease, plan)
	require.Equal(t, []int32{}, again.Clear)

	second := LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[1]}
	f.refuse(TypeConflict, release.KeyUnmatched, f.set.Release.WriteLine, second)
	f.do(nil, f.set.Release.FailLine, second, ErrorDetail{Key: release.KeyUnmatched})
	require.Equal(t, []int32{second.Line}, f.decided(plan, ResolveSkip).Clear, "the first is cleared")
	f.do(nil, f.set.Release.FailUndo, second, ErrorDetail{Key: release.KeyBegun})
	f.do(&again, f.set.Release.PrepareRelease, plan)
	require.Empty(t, again.Clear, "what cannot be cleared is left to a person")
}

// After an undo the dry run looks for the orders of the next release: those
// that were cancelled are none of its own, those that could not be are.
func TestDryRunAfterAnUndo(t *testing.T) {
	f := newMaintained(t)
	line := f.releasedToSAP()
	ask := DryRunInput{PlanRef: line.PlanRef, IntegrationID: f.ref.IntegrationID}
	look := func() (x DryRunLine) {
		var run DryRun
		f.do(&run, f.set.Release.DryRun, ask)
		require.NotEmpty(t, run.Lines)
		for _, l := range run.Lines {
			require.True(t, l.Live)
			if f.count(`SELECT count(*) FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND line = $3 AND recommendation_id = $4`, f.tenant, line.ReleaseID, line.Line, l.Recommendation) == 1 {
				x = l
			}
		}
		return x
	}
	order := func() string {
		id := ""
		f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return tx.QueryRow(ctx, `SELECT external_id FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND line = $3`, f.tenant, line.ReleaseID, line.Line).Scan(&id)
		})
		return id
	}
	undo := func() {
		f.do(nil, f.set.Release.FailLine, LineInput{PlanRef: line.PlanRef, ReleaseID: line.ReleaseID, Line: line.Line + 1}, ErrorDetail{Key: release.KeyUnmatched})
		for _, n := range f.decided(line.PlanRef, ResolveUndo).Undo {
			in := LineInput{PlanRef: line.PlanRef, ReleaseID: line.ReleaseID, Line: n}
			if _, err := f.env().ExecuteActivity(f.set.Release.UndoLine, in); err != nil {
				f.do(nil, f.set.Release.FailUndo, in, DetailOf(err))
			}
		}
		f.do(nil, f.set.Release.FinishUndo, line.PlanRef)
	}
	first := order()
	undo()
	require.Equal(t, release.Create, look().Action, "the cancelled order is not the next one's")

	f.requestRelease(line.PlanRef, "optimization_engineer")
	f.ask(line.PlanRef)
	f.do(nil, f.set.Release.WriteLine, line)
	second := order()
	require.NotEqual(t, first, second)
	f.sap.Change("MaintenanceOrder", second, time.Now(), map[string]any{"MaintOrdProcessSubPhaseCode": "0070", "MaintOrdProcessPhaseCode": "07"})
	undo()
	require.Equal(t, 1, f.count(`SELECT count(*) FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND state = 'undo_failed'`, f.tenant, line.ReleaseID))
	kept := look()
	require.Equal(t, release.Keep, kept.Action, "the order on which work has begun is found again")
	require.Equal(t, second, kept.OrderID)
	require.Equal(t, saptest.EquipmentID(7), kept.TwinID)
}
